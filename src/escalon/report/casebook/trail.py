"""The life of one item: every value it had, its circumstances, and what is to be noticed about it (AT-4, AT-9)."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from escalon.conduct.capture.marks import same_value
from escalon.conduct.redaction.marker import Redacted
from escalon.conduct.state import Record
from escalon.report.casebook.gather import Gathered
from escalon.report.casebook.shown import Question, Shown, shown_in
from escalon.report.casebook.stamp import Stamp


@dataclass(frozen=True, slots=True)
class Flag:
    """Something to be noticed: ``kind`` is changed, signed, adjudicated; ``text`` says it in words."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was done; ``redacted`` if the words were destroyed."""

    text: str
    redacted: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One value of an item: the value before (None at first entry), the new one, and its circumstances.

    ``origin`` says how this version of the record came in: form, import, rollback.
    """

    version: int
    stamp: Stamp
    old: Shown | None
    new: Shown
    reason: Reason | None
    origin: str
    flags: tuple[Flag, ...]


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Events of a patient after which a change is to be noticed: (number, words), in order."""

    signatures: tuple[tuple[int, str], ...]
    adjudications: tuple[tuple[int, str], ...]

    def between(self, first: int, last: int) -> tuple[Flag, ...]:
        """Return a flag for what lies between two events: signatures and adjudications of the value before."""
        found = []
        for kind, marks in (("signed", self.signatures), ("adjudicated", self.adjudications)):
            passed = _within(marks, first, last)
            if passed:
                found.append(Flag(kind, f"after {passed[-1]}"))
        return tuple(found)


def _within(marks: Sequence[tuple[int, str]], first: int, last: int) -> list[str]:
    numbers = [seq for seq, _ in marks]
    return [text for _, text in marks[bisect_right(numbers, first) : bisect_right(numbers, last)]]


def reason_of(text: str | None) -> Reason | None:
    """Return a reason as it is shown; None where none was given."""
    if text is None or text == "":
        return None
    return Reason("", redacted=True) if isinstance(text, Redacted) else Reason(text)


def item_trail(
    gathered: Gathered, versions: Sequence[Record], question: Question, landmarks: Landmarks
) -> tuple[Step, ...]:
    """Return every value of an item, the first one first; versions that leave it as it was are no steps.

    Args:
        gathered: of the ledger.
        versions: all versions of the record, the first one first.
        question: the item.
        landmarks: what makes a change worth noticing.
    """
    steps: list[Step] = []
    last = 0
    for version in versions:
        before = version.before
        if before is not None and _same(version, before, question.name):
            continue
        old = None if before is None else shown_in(before, question.name, question)
        new = shown_in(version, question.name, question)
        flags: tuple[Flag, ...] = ()
        if old is not None:
            words = "changed" if old.answered else "entered later"
            flags = (
                Flag("changed", f"{words} in version {version.version}"),
                *landmarks.between(last, version.seq),
            )
        steps.append(
            Step(
                version.version,
                gathered.stamps[version.seq],
                old,
                new,
                reason_of(version.reason),
                version.origin,
                flags,
            )
        )
        last = version.seq
    return tuple(steps)


def _same(version: Record, before: Record, name: str) -> bool:
    """Two redacted values are taken for different: nobody can tell any more."""
    if isinstance(version.entered.get(name), Redacted) and isinstance(before.entered.get(name), Redacted):
        return False
    return same_value(version, before, name)
