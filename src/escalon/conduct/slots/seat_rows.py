"""Seats as rows: those a cohort opened with, those added for replacements, and who holds each."""

from dataclasses import dataclass

from escalon.conduct.slots.state import Slot
from escalon.conduct.state import Cohort, State

BACKFILL = 0
"""The number that stands for a cohort in backfill seats."""


@dataclass(frozen=True, slots=True)
class SeatRow:
    """One seat: its number from 1, the patient it replaces (None for a seat from the start), and who holds it."""

    cohort: int
    seat: int
    replaces: str | None
    slot: Slot | None

    @property
    def free(self) -> bool:
        """True if nobody holds it."""
        return self.slot is None


def seat_rows(state: State, cohort: Cohort) -> tuple[SeatRow, ...]:
    """Return all seats of ``cohort`` in order of their number."""
    held = {slot.seat: slot for slot in state.slots.slots if slot.holds_seat and slot.cohort == cohort.cohort}
    rows = [(seat, None) for seat in range(1, cohort.size + 1)]
    added = [(one.seat, one.replaces) for one in state.slots.seats_added if one.cohort == cohort.cohort]
    return tuple(SeatRow(cohort.cohort, seat, replaces, held.get(seat)) for seat, replaces in [*rows, *added])


def seat_of(state: State, cohort: int, seat: int) -> SeatRow | None:
    """Return one seat; None if the cohort has none of that number."""
    found = next((one for one in state.cohorts if one.cohort == cohort), None)
    rows = () if found is None else seat_rows(state, found)
    return next((row for row in rows if row.seat == seat), None)


def replaced_by(state: State, slot: Slot) -> str | None:
    """Return whom the patient of ``slot`` replaces: one who cannot be evaluated, or who left the same seat.

    Each patient is replaced once at most (INV-10).
    """
    assert slot.cohort is not None
    assert slot.seat is not None
    row = seat_of(state, slot.cohort, slot.seat)
    replaced = {patient.replaces for patient in state.patients.values()}
    left = [
        other.patient
        for other in state.slots.slots
        if (other.cohort, other.seat) == (slot.cohort, slot.seat)
        and not other.holds_seat
        and other.patient in state.patients
    ]
    named = [*reversed(left), row.replaces if row is not None else None]
    return next((one for one in named if one is not None and one not in replaced), None)
