"""Does the ledger hold? Every hash is computed again from what the rows say."""

from dataclasses import dataclass

from django.db import DatabaseError

from escalon.store.chain import GENESIS, Entry
from escalon.store.connection import LedgerUnavailable, connect, disconnect
from escalon.store.ledger import read_entries, study_ids, to_fact


@dataclass(frozen=True, slots=True)
class Verification:
    """Result for one study: number of events, head hash, and every problem found (none: the chain holds)."""

    study_id: str
    events: int
    head: str
    problems: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """True if no problem was found."""
        return not self.problems


def verify_ledger(url: str, head: str | None = None) -> tuple[Verification, ...]:
    """Verify every study in the ledger at ``url``.

    Args:
        url: file path, ``sqlite:///path`` or ``postgresql://user@host/name``.
        head: hash the last event must have, from a report or receipt; it finds a tail that was cut off.

    Raises:
        LedgerUnavailable: there is no ledger, or it cannot be read.
    """
    alias = connect(url, create=False)
    try:
        found = tuple(_verify(study_id, read_entries(alias, study_id), head) for study_id in study_ids(alias))
    except DatabaseError as error:
        raise LedgerUnavailable(f"{url}: not a readable ledger: {error}") from error
    finally:
        disconnect(alias)
    if not found:
        raise LedgerUnavailable(f"{url}: the ledger is empty")
    return found


def _verify(study_id: str, entries: list[Entry], head: str | None) -> Verification:
    problems: list[str] = []
    before, at = GENESIS, ""
    for number, entry in enumerate(entries, start=1):
        problems += _problems(entry, number, before, at)
        before, at = entry.hash, entry.at
    if head is not None and before != head:
        problems.append(
            f"the last event has the hash {before}, expected {head}: events are missing or changed"
        )
    return Verification(study_id, len(entries), before, tuple(problems))


def _problems(entry: Entry, number: int, before: str, at: str) -> list[str]:
    problems: list[str] = []
    if entry.seq != number:
        problems.append(f"event {number} is missing: the next number is {entry.seq}")
    if entry.prev_hash != before:
        problems.append(f"event {entry.seq} does not follow the event before it")
    if entry.sealed() != entry.hash:
        problems.append(f"event {entry.seq} ({entry.kind}, {entry.at}) was changed after it was written")
    if entry.at < at:
        problems.append(f"event {entry.seq} is dated before the event before it")
    try:
        to_fact(entry)
    except (ValueError, TypeError, KeyError) as error:
        problems.append(f"event {entry.seq} cannot be read: {error}")
    return problems
