"""Reading a ledger: rows to entries, entries to facts."""

from datetime import datetime
from typing import TYPE_CHECKING

from escalon.conduct.encoding import decode
from escalon.conduct.state import Fact
from escalon.store.chain import Entry
from escalon.store.connection import connect, disconnect

if TYPE_CHECKING:
    from escalon.store.models import LedgerEvent

COLUMNS = (
    "study_id",
    "seq",
    "at",
    "actor_id",
    "actor_name",
    "role",
    "site",
    "kind",
    "payload",
    "prev_hash",
    "hash",
)


def read_entries(alias: str, study_id: str, after: int = 0) -> list[Entry]:
    """Return the entries of ``study_id`` with a number above ``after``, in order."""
    from escalon.store.models import LedgerEvent

    rows = LedgerEvent.objects.using(alias).filter(study_id=study_id, seq__gt=after).order_by("seq")
    return [Entry(*row) for row in rows.values_list(*COLUMNS)]


def read_facts(url: str) -> list[Fact]:
    """Return all facts of the ledger at ``url``, in order; ValueError when it holds several studies."""
    alias = connect(url, create=False)
    try:
        studies = study_ids(alias)
        if len(studies) > 1:
            raise ValueError(f"{url} holds several studies: {', '.join(studies)}")
        return [to_fact(entry) for study_id in studies for entry in read_entries(alias, study_id)]
    finally:
        disconnect(alias)


def study_ids(alias: str) -> list[str]:
    """Return the studies a database holds, in alphabetical order."""
    from escalon.store.models import LedgerEvent

    rows = LedgerEvent.objects.using(alias).order_by("study_id").values_list("study_id", flat=True)
    return list(rows.distinct())


def to_fact(entry: Entry) -> Fact:
    """Return the fact an entry records."""
    event = decode(entry.kind, entry.payload)
    return Fact(entry.seq, datetime.fromisoformat(entry.at), entry.actor_id, entry.role, event)


def to_row(entry: Entry) -> "LedgerEvent":
    """Return the database row of an entry."""
    from escalon.store.models import LedgerEvent

    return LedgerEvent(**{name: getattr(entry, name) for name in COLUMNS})
