"""Entries to rows and back, in plain SQL that SQLite and PostgreSQL share."""

import json
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Any

from django.db import connections

from escalon.conduct.canonical import canonical
from escalon.store.chain import EVENT_COLUMNS, NEW, REASON, Entry, Value

_EVENT = ", ".join(f"e.{name}" for name in EVENT_COLUMNS)
_SELECT = f"""SELECT {_EVENT}, n.salt, n.value, n.redacted_by_seq, r.salt, r.value, r.redacted_by_seq
FROM ledger_event e {{new}} {{reason}}
WHERE e.study_id = %s AND e.seq > %s AND e.seq <= %s ORDER BY e.seq"""
_KEY = "study_id = e.study_id AND {name}.seq = e.seq AND {name}.side = '{side}'"
_JOIN = "LEFT JOIN ledger_value {name} ON {name}." + _KEY
# PostgreSQL knows nothing yet of a table that has just grown and may read all values anew for every event. A subquery
# that it cannot merge with the rest finds each value by its whole key.
_LATERAL = (
    f"LEFT JOIN LATERAL (SELECT * FROM ledger_value {{name}} WHERE {{name}}.{_KEY} OFFSET 0) {{name}} ON true"
)
_SELECT_2 = {
    vendor: _SELECT.format(new=how.format(name="n", side=NEW), reason=how.format(name="r", side=REASON))
    for vendor, how in (("sqlite", _JOIN), ("postgresql", _LATERAL))
}
# A ledger that was never opened for writing since scheme 1 is read as it is.
_ONLY_1 = {
    name: "''" for name in ("tz", "org", "object_ref", "commit_old", "commit_new", "commit_reason", "context")
}
_COLUMNS_1 = ", ".join({**_ONLY_1, "scheme": "1"}.get(name, name) for name in EVENT_COLUMNS)
_SELECT_1 = f"""SELECT {_COLUMNS_1}, NULL, NULL, NULL, NULL, NULL, NULL
FROM ledger_event WHERE study_id = %s AND seq > %s AND seq <= %s ORDER BY seq"""
_EVENT_ROW = f"({', '.join(['%s'] * len(EVENT_COLUMNS))})"
_WIDTH = len(EVENT_COLUMNS)
LAST = 2**62
"""A number no event reaches."""
_BLOCK = 2000
# SQLite takes at most 32,766 parameters in a statement.
_INSERT_BLOCK = 500
_columns = attrgetter(*EVENT_COLUMNS)


def select_entries(alias: str, study_id: str, after: int = 0, upto: int = LAST) -> Iterator[Entry]:
    """Yield the entries of ``study_id`` numbered above ``after``, up to ``upto``, in order, without replacements."""
    statement = _SELECT_2[connections[alias].vendor] if has_scheme_2(alias) else _SELECT_1
    with connections[alias].cursor() as cursor:
        cursor.execute(statement, [study_id, after, upto])
        while rows := cursor.fetchmany(_BLOCK):
            for row in rows:
                yield _entry(row)


def has_scheme_2(alias: str) -> bool:
    """Tell whether the tables of scheme 2 are there; asked of the database once for each connection."""
    connection = connections[alias]
    if not getattr(connection, "escalon_scheme_2", False):
        connection.escalon_scheme_2 = "ledger_value" in connection.introspection.table_names()
    return bool(connection.escalon_scheme_2)


def _entry(row: tuple) -> Entry:
    new_salt, new_text, new_by, reason_salt, reason_text, reason_by = row[_WIDTH:]
    new = None if new_salt is None and new_by is None else Value(new_salt, new_text, new_by)
    reason = None if reason_salt is None and reason_by is None else Value(reason_salt, reason_text, reason_by)
    return Entry._make((*row[:_WIDTH], new, reason, ""))


def replacements(alias: str, study_id: str) -> dict[int, str]:
    """Return for each redacted event the payload to read instead, as canonical JSON; the latest redaction counts."""
    found: dict[int, str] = {}
    with connections[alias].cursor() as cursor:
        cursor.execute(
            f"""SELECT v.value FROM ledger_event e JOIN ledger_value v
                ON v.study_id = e.study_id AND v.seq = e.seq AND v.side = '{NEW}'
                WHERE e.study_id = %s AND e.kind = 'ValueRedacted' ORDER BY e.seq""",
            [study_id],
        )
        for (text,) in cursor.fetchall():
            payload = json.loads(text)
            found[payload["target_seq"]] = canonical(payload["replacement"])
    return found


def insert_entries(alias: str, entries: Iterable[Entry]) -> None:
    """Append entries with their values: all events first, since a redacted value points to a later event."""
    entries = list(entries)
    if not entries:
        return
    if len(entries) <= _INSERT_BLOCK and connections[alias].vendor == "postgresql":
        _insert_at_once(alias, entries)
        return
    for start in range(0, len(entries), _INSERT_BLOCK):
        _run(alias, *_events(entries[start : start + _INSERT_BLOCK]))
    for start in range(0, len(entries), _INSERT_BLOCK):
        _run(alias, *_values(entries[start : start + _INSERT_BLOCK]))


def _insert_at_once(alias: str, entries: list[Entry]) -> None:
    """Both tables in one statement, and so in one way to the server; foreign keys are looked at when it ends."""
    (events, event_parts), (values, value_parts) = _events(entries), _values(entries)
    statement = f"WITH appended AS ({events}) {values}" if value_parts else events
    _run(alias, statement, [*event_parts, *value_parts])


def _run(alias: str, statement: str, parameters: list[Any]) -> None:
    if parameters:
        with connections[alias].cursor() as cursor:
            cursor.execute(statement, parameters)


def _events(entries: list[Entry]) -> tuple[str, list[Any]]:
    rows = ", ".join([_EVENT_ROW] * len(entries))
    return (
        f"INSERT INTO ledger_event ({', '.join(EVENT_COLUMNS)}) VALUES {rows}",
        [part for entry in entries for part in _columns(entry)],
    )


def _values(entries: list[Entry]) -> tuple[str, list[Any]]:
    values = [
        (entry.study_id, entry.seq, side, value.salt, value.text, value.redacted_by)
        for entry in entries
        for side, value in ((NEW, entry.new), (REASON, entry.reason))
        if value is not None
    ]
    rows = ", ".join(["(%s, %s, %s, %s, %s, %s)"] * len(values))
    return (
        f"INSERT INTO ledger_value (study_id, seq, side, salt, value, redacted_by_seq) VALUES {rows}",
        [part for row in values for part in row],
    )
