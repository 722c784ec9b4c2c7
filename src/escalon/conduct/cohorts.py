"""Seats, counts and the earliest permitted infusion: what follows from the state without a decision."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from escalon.conduct.events import DltStatus
from escalon.conduct.state import Cohort, Patient, State
from escalon.protocol.study import Study


def seated(state: State, cohort: Cohort) -> tuple[Patient, ...]:
    """Patients who hold a seat of ``cohort``; a patient who is not evaluable gives the seat to a replacement."""
    patients = (state.patients[patient] for patient in cohort.patients)
    if cohort.part == "expansion":
        return tuple(patients)
    return tuple(patient for patient in patients if patient.dlt_status is not DltStatus.NOT_EVALUABLE)


def free_seats(state: State, cohort: Cohort) -> int:
    """Number of seats of ``cohort`` nobody holds."""
    return 0 if cohort.decided else cohort.size - len(seated(state, cohort))


def awaiting_replacement(state: State, cohort: Cohort) -> str | None:
    """The first patient of ``cohort`` who left the counts and has no replacement yet."""
    replaced = {patient.replaces for patient in state.patients.values()}
    for patient in state.patients.values():
        gone = patient.released is not None or patient.dlt_status is DltStatus.NOT_EVALUABLE
        if patient.cohort == cohort.cohort and gone and patient.patient not in replaced:
            return patient.patient
    return None


def counts(patients: Iterable[Patient], levels: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Count evaluable patients ``n`` and patients with a DLT ``y`` at each of ``levels`` dose levels."""
    n, y = [0] * levels, [0] * levels
    for patient in patients:
        if patient.dlt_status in (DltStatus.DLT, DltStatus.NO_DLT) and patient.dose_level is not None:
            n[patient.dose_level - 1] += 1
            y[patient.dose_level - 1] += patient.dlt_status is DltStatus.DLT
    return tuple(n), tuple(y)


def escalation_counts(state: State, levels: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Counts of the escalation part, the ones the escalation plan decides on."""
    return counts((p for p in state.patients.values() if p.part == "escalation"), levels)


def pending(state: State, cohort: Cohort) -> tuple[Patient, ...]:
    """Seated patients of ``cohort`` whose DLT status is still open."""
    return tuple(patient for patient in seated(state, cohort) if patient.dlt_status is DltStatus.PENDING)


def earliest_infusion(state: State, cohort: Cohort, study: Study) -> tuple[datetime | None, str]:
    """Earliest permitted next infusion in ``cohort`` and why; None when nothing holds it back."""
    if cohort.part != "escalation":
        return None, "no stagger in the expansion part"
    infused = sorted(
        (patient.infused_at, patient.patient)
        for patient in state.patients.values()
        if patient.cohort == cohort.cohort and patient.infused_at is not None
    )
    if not infused:
        return None, "first infusion of the cohort"
    first = len(infused) == 1
    days = study.stagger.after_first_days if first else study.stagger.after_next_days
    moment, patient_id = infused[-1]
    reason = f"{days} days after the infusion of {patient_id} ({moment:%d %b %Y %H:%M} UTC)"
    return moment + timedelta(days=days), reason
