"""Reading a ledger: rows to entries, entries to facts."""

from collections.abc import Iterator

from django.db import connections

from escalon.conduct.state import Fact
from escalon.store.chain import Entry
from escalon.store.connection import connect, disconnect
from escalon.store.facts import to_fact
from escalon.store.rows import LAST, replacements, select_entries


def read_entries(alias: str, study_id: str, after: int = 0) -> list[Entry]:
    """Return the entries of ``study_id`` with a number above ``after``, in order."""
    return list(iterate_entries(alias, study_id, after))


def iterate_entries(alias: str, study_id: str, after: int = 0, upto: int = LAST) -> Iterator[Entry]:
    """Yield what ``read_entries`` returns, one after another; redacted ones with what is to be read instead."""
    instead: dict[int, str] | None = None
    for entry in select_entries(alias, study_id, after, upto):
        if entry.redacted:
            instead = replacements(alias, study_id) if instead is None else instead
            yield entry.instead(instead.get(entry.seq, ""))
        else:
            yield entry


def read_facts(url: str) -> list[Fact]:
    """Return all facts of the ledger at ``url``, in order; ValueError when it holds several studies."""
    alias = connect(url, create=False)
    try:
        studies = study_ids(alias)
        if len(studies) > 1:
            raise ValueError(f"{url} holds several studies: {', '.join(studies)}")
        return [to_fact(entry) for study_id in studies for entry in iterate_entries(alias, study_id)]
    finally:
        disconnect(alias)


def study_ids(alias: str) -> list[str]:
    """Return the studies a database holds, in alphabetical order."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT DISTINCT study_id FROM ledger_event ORDER BY study_id")
        return [study_id for (study_id,) in cursor.fetchall()]
