"""The audit trail at the data point (AT-4): first and later values of an item, with who, when and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from escalon.conduct.capture.marks import same_value
from escalon.conduct.fold import fold
from escalon.conduct.state import Fact, Record, State


@dataclass(frozen=True, slots=True)
class Value:
    """What an item says in one version, typed: ``kind`` is absent, null, empty, missing or value.

    An item that was not on the form (absent), one left open (null), an empty text and a missing code are four
    different things (AT-2).
    """

    kind: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class ItemChange:
    """One step in the life of an item: its value before (None at the first entry) and after.

    ``by`` is the id of the person, ``name`` the printed name if the person is registered.
    """

    version: int
    seq: int
    at: datetime
    by: str
    name: str
    role: str
    reason: str | None
    old: Value | None
    new: Value


def audit_trail(
    source: State | Iterable[Fact], patient: str, record: str, item: str
) -> tuple[ItemChange, ...]:
    """Return the first value of an item and every later change, in order.

    Args:
        source: a state, or the facts it is folded from.
        patient, record, item: the data point; an item within a group is found under the group's name.

    Raises:
        KeyError: no such patient or record.
    """
    state = source if isinstance(source, State) else fold(source)
    known = state.patients.get(patient)
    if known is None or record not in known.records:
        raise KeyError(f"patient {patient} has no record {record}")
    changes: list[ItemChange] = []
    for version in known.records[record].versions():
        before = version.before
        if before is None or not same_value(version, before, item):
            changes.append(_change(state, version, item))
    return tuple(changes)


def record_trail(state: State, patient: str, record: str) -> dict[str, tuple[ItemChange, ...]]:
    """Return the trail of every item the record ever had."""
    versions = state.patients[patient].records[record].versions()
    names = dict.fromkeys(name for version in versions for name in version.entered)
    return {name: audit_trail(state, patient, record, name) for name in names}


def changed_after(state: State, patient: str, moment: datetime) -> tuple[tuple[str, str, ItemChange], ...]:
    """Return (record, item, change) for every change of an earlier value after ``moment``.

    For the review of the trail (AT-9): changes after an adjudication, a signature or near a cut-off.
    """
    return tuple(
        (record, item, change)
        for record in state.patients[patient].records
        for item, trail in record_trail(state, patient, record).items()
        for change in trail
        if change.old is not None and change.at > moment
    )


def _change(state: State, version: Record, item: str) -> ItemChange:
    person = state.people.persons.get(version.by)
    return ItemChange(
        version.version,
        version.seq,
        version.recorded_at,
        version.by,
        "" if person is None else person.name,
        version.role,
        version.reason,
        None if version.before is None else _value(version.before, item),
        _value(version, item),
    )


def _value(record: Record, item: str) -> Value:
    if item not in record.entered:
        return Value("absent")
    value = record.entered[item]
    if value is None:
        return Value("null")
    if value == "":
        return Value("empty", "")
    return Value("missing" if isinstance(value, dict) and "missing" in value else "value", value)
