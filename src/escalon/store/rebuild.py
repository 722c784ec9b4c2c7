"""Derived tables against the ledger: written again elsewhere from the events, compared row by row, or replaced."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connections, transaction

from escalon.conduct.fold import fold
from escalon.store.connection import connect, connect_existing, disconnect
from escalon.store.facts import to_fact
from escalon.store.ledger import iterate_entries, study_ids
from escalon.store.projections import KINDS, TABLES, project
from escalon.store.snapshot import last_snapshot

Rows = set[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Difference:
    """A row of a derived table that is not what the events say."""

    table: str
    what: str
    row: str

    def __str__(self) -> str:
        return f"{self.table}: {self.what}: {self.row}"


def rebuild(url: str, *, check: bool) -> tuple[Difference, ...]:
    """Compare the derived tables with the events; without ``check`` replace them by what the events say.

    The snapshot of each study is folded again too, and thrown away without ``check``.
    On PostgreSQL rows that were touched in a transaction without an event are reported too, whatever they hold now.
    """
    alias = connect_existing(url)
    try:
        with transaction.atomic(using=alias):
            found = _compare(alias)
            if not check:
                replace_derived(alias)
                with connections[alias].cursor() as cursor:
                    cursor.execute("DELETE FROM ledger_snapshot")
    finally:
        disconnect(alias)
    return found


def _compare(alias: str) -> tuple[Difference, ...]:
    found: list[Difference] = []
    with _written_again(alias) as scratch:
        for table in TABLES:
            expected, stored = _rows(scratch, table), _rows(alias, table)
            found += [Difference(table, "lacks a row of the ledger", str(row)) for row in expected - stored]
            found += [Difference(table, "changed without an event", str(row)) for row in stored - expected]
    return (*sorted(found, key=str), *_false_snapshots(alias), *_touched(alias))


def _false_snapshots(alias: str) -> Iterator[Difference]:
    """Snapshots that count, since they name the right hash, and are not the fold of the events."""
    for study_id in study_ids(alias):
        kept = last_snapshot(alias, study_id)
        if kept is None:
            continue
        upto = kept.state.seq
        facts = (to_fact(entry) for entry in iterate_entries(alias, study_id) if entry.seq <= upto)
        if fold(facts) != kept.state:
            yield Difference("ledger_snapshot", "is not what the events say", f"{study_id}, event {upto}")


@contextmanager
def _written_again(alias: str) -> Iterator[str]:
    """Write the derived tables of every study into a database of their own."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = connect(str(Path(folder) / "derived.db"), create=True)
        try:
            with transaction.atomic(using=scratch):
                _project_all(alias, scratch)
            yield scratch
        finally:
            disconnect(scratch)


def _project_all(alias: str, into: str) -> None:
    for study_id in study_ids(alias):
        for entry in iterate_entries(alias, study_id):
            if entry.kind in KINDS:
                project(into, (entry,), (to_fact(entry).event,))


def replace_derived(alias: str) -> None:
    """Write the derived tables anew; to be called in a transaction."""
    with connections[alias].cursor() as cursor:
        for table in reversed(TABLES):
            cursor.execute(f"DELETE FROM {table}")
    _project_all(alias, alias)
    if connections[alias].vendor == "postgresql":
        with connections[alias].cursor() as cursor:
            cursor.execute("DELETE FROM ledger_touched WHERE txid = txid_current()")


def _rows(alias: str, table: str) -> Rows:
    with connections[alias].cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(TABLES[table])} FROM {table}")
        return set(cursor.fetchall())


def _touched(alias: str) -> tuple[Difference, ...]:
    if connections[alias].vendor != "postgresql":
        return ()
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT t.table_name, t.operation, t.by_role, t.at, t.row_before, t.row_after FROM ledger_touched t"
            " WHERE NOT EXISTS (SELECT 1 FROM ledger_event e WHERE e.txid = t.txid) ORDER BY t.at"
        )
        return tuple(
            Difference(table, f"{operation} by role {role} at {at} without an event", f"{before} -> {after}")
            for table, operation, role, at, before, after in cursor.fetchall()
        )
