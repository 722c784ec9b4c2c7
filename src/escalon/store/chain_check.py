"""Does a chain hold? Every hash and commitment is computed again from what the entries say. No Django."""

from collections.abc import Iterable
from dataclasses import dataclass

from escalon.conduct.encoding import KINDS
from escalon.store.chain import GENESIS, NEW, REASON, Entry, Value, commitment
from escalon.store.facts import to_fact

REDACTION = "ValueRedacted"


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


def verify_entries(study_id: str, entries: Iterable[Entry], head: str | None = None) -> Verification:
    """Verify the entries of one study, given in order; ``head`` as in ``verify_ledger``."""
    problems: list[str] = []
    redactions: dict[int, tuple[str, str]] = {}
    redacted: list[tuple[int, int]] = []
    before, at, number = GENESIS, "", 0
    for number, entry in enumerate(entries, start=1):
        problems += _problems(entry, number, before, at)
        before, at = entry.hash, entry.at
        if entry.kind == REDACTION:
            redactions[entry.seq] = (entry.kind, entry.object_ref)
        redacted += [
            (entry.seq, value.redacted_by or 0)
            for value in (entry.new, entry.reason)
            if value is not None and value.text is None
        ]
    for seq, by in redacted:
        if redactions.get(by) != (REDACTION, f"event:{seq}"):
            problems.append(f"event {seq} lost a value without a redaction")
    if head is not None and before != head:
        problems.append(
            f"the last event has the hash {before}, expected {head}: events are missing or changed"
        )
    return Verification(study_id, number, before, tuple(problems))


def _problems(entry: Entry, number: int, before: str, at: str) -> list[str]:
    problems: list[str] = []
    if entry.seq != number:
        problems.append(f"event {number} is missing: the next number is {entry.seq}")
    if entry.prev_hash != before:
        problems.append(f"event {entry.seq} does not follow the event before it")
    if entry.scheme not in (1, 2):
        problems.append(f"event {entry.seq} is of scheme {entry.scheme}, which this software does not know")
    elif entry.sealed() != entry.hash:
        problems.append(f"event {entry.seq} ({entry.kind}, {entry.at}) was changed after it was written")
    if entry.at < at:
        problems.append(f"event {entry.seq} is dated before the event before it")
    problems += _unkept(entry)
    # What is as it was written can be read, if this software knows the kind; of anything else it is said why not.
    if problems or entry.kind not in KINDS or entry.redacted:
        problems += _unreadable(entry)
    return problems


def _unreadable(entry: Entry) -> list[str]:
    try:
        to_fact(entry)
    except (ValueError, TypeError, KeyError) as error:
        return [f"event {entry.seq} cannot be read: {error}"]
    return []


def _unkept(entry: Entry) -> list[str]:
    """Return what is wrong with the values of ``entry`` and with what its hash does not cover."""
    if entry.scheme == 1:
        unseen = (entry.tz, entry.org, entry.object_ref, entry.context)
        unseen += (entry.commit_old, entry.commit_new, entry.commit_reason)
        if any(unseen) or entry.new is not None or entry.reason is not None:
            return [f"event {entry.seq} is of scheme 1 and holds what scheme 1 does not know"]
        return []
    problems = [] if entry.payload == "" else [f"event {entry.seq} holds a payload beside its values"]
    for side, value, said in (
        (NEW, entry.new, entry.commit_new),
        (REASON, entry.reason, entry.commit_reason),
    ):
        if value is None:
            if said or side == NEW:
                problems.append(f"event {entry.seq}: its {side} value is missing")
        elif value.text is not None and not _matches(value, said):
            problems.append(f"event {entry.seq}: its {side} value was changed after it was written")
    return problems


def _matches(value: Value, said: str) -> bool:
    try:
        return commitment(value.salt or "", value.text or "") == said
    except ValueError:
        return False
