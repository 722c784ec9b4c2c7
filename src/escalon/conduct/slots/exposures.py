"""The exposures of a patient: every infusion of cells with its number, in the order of time.

Number 1 is the first infusion, the one that DLTs of the escalation are about. A further one takes the number under
which it was approved; a correction cannot put one before another, so numbers and time agree.
"""

from datetime import datetime
from typing import Any

from escalon.conduct.slots.state import Exposure
from escalon.conduct.state import Patient, Record, State

CELLS = "UCART22"


def cell_records(patient: Patient) -> tuple[Record, ...]:
    """Return the records of infusions of cells, in the order in which they were first entered."""
    return tuple(record for record in patient.forms("EX") if record.values["EXTRT"] == CELLS)


def exposures(state: State, patient: str) -> tuple[Exposure, ...]:
    """Return all exposures of a patient by number; an approved one not yet given is the last, without a moment."""
    known = state.patients[patient]
    further = [one for one in state.slots.exposures if one.patient == patient]
    if known.infused_at is None:
        return tuple(further)
    records = cell_records(known)
    values: dict[str, Any] = records[0].values if records else {}
    first = Exposure(
        patient,
        1,
        known.dose_level or 0,
        known.infused_at,
        known.dose_fraction,
        records[0].record if records else "",
        values.get("EXDOSE"),
        values.get("EXLOT") or "",
    )
    return (first, *further)


def given(state: State, patient: str) -> tuple[Exposure, ...]:
    """Return the exposures that were given, by number and so by time."""
    return tuple(one for one in exposures(state, patient) if one.infused_at is not None)


def further_given(state: State) -> tuple[Exposure, ...]:
    """Return every further infusion that was given, of all patients, in the order of approval."""
    return tuple(one for one in state.slots.exposures if one.infused_at is not None)


def exposure_of(state: State, patient: str, number: int) -> Exposure:
    """Return one exposure of a patient by its number; StopIteration when there is none."""
    return next(one for one in exposures(state, patient) if one.exposure == number)


def open_approval(state: State, patient: str) -> Exposure | None:
    """Return the exposure of a patient that is approved and not given; None without one."""
    known = exposures(state, patient)
    return known[-1] if known and known[-1].infused_at is None else None


def level_of_record(state: State, patient: str, record: str) -> int | None:
    """Return the dose level that a record of cells, written or new, is about: that of its exposure, or the one due."""
    known = exposure_of_record(state, patient, record) or open_approval(state, patient)
    return state.patients[patient].dose_level if known is None else known.dose_level


def exposure_of_record(state: State, patient: str, record: str) -> Exposure | None:
    """Return the exposure that a record of cells tells of; None for a record of none yet.

    A ledger written before records were kept numbered further infusions in the order of their entry.
    """
    entered = [one.record for one in cell_records(state.patients[patient])]
    for one in given(state, patient):
        place = one.exposure - 1
        if record == (one.record or (entered[place] if place < len(entered) else "")):
            return one
    return None


def last_infusion(state: State, patient: str, moment: datetime) -> datetime | None:
    """Return the last infusion on or before the date of ``moment``, else the first one; None before any."""
    first = state.patients[patient].infused_at
    further = [one.infused_at for one in state.slots.exposures if one.patient == patient]
    before = [one for one in further if one is not None and one.date() <= moment.date()]
    return max(before, default=first)
