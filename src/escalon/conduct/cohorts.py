"""Who sits in a cohort, who counts and who is awaited: what follows from the state without a decision."""

from collections.abc import Iterable

from escalon.conduct.events import DltStatus
from escalon.conduct.state import Cohort, Patient, State


def seated(state: State, cohort: Cohort) -> tuple[Patient, ...]:
    """Patients who hold a seat of ``cohort``; a patient who is not evaluable gives the seat to a replacement."""
    patients = (state.patients[patient] for patient in cohort.patients)
    if cohort.part == "expansion":
        return tuple(patients)
    return tuple(patient for patient in patients if patient.dlt_status is not DltStatus.NOT_EVALUABLE)


def free_seats(state: State, cohort: Cohort) -> int:
    """Number of patients ``cohort`` lacks: nobody enrolled yet, or a patient who cannot be evaluated."""
    return 0 if cohort.decided else cohort.size - len(seated(state, cohort))


def counts(patients: Iterable[Patient], levels: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Count evaluable patients ``n`` and patients with a DLT ``y`` at each of ``levels`` dose levels."""
    n, y = [0] * levels, [0] * levels
    for patient in patients:
        if patient.dlt_status in (DltStatus.DLT, DltStatus.NO_DLT) and patient.dose_level is not None:
            n[patient.dose_level - 1] += 1
            y[patient.dose_level - 1] += patient.dlt_status is DltStatus.DLT
    return tuple(n), tuple(y)


def escalation_counts(state: State, levels: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Counts of the escalation part, the ones the escalation plan decides on.

    A DLT after a further infusion is among them only where the study says so: then the patient counts, at the level
    of that infusion, as one with a DLT, and once at a level.
    """
    n, y = map(list, counts((p for p in state.patients.values() if p.part == "escalation"), levels))
    for name, level in sorted(_dlts_after_further(state)):
        patient = state.patients[name]
        there = patient.dose_level == level and patient.dlt_status in (DltStatus.DLT, DltStatus.NO_DLT)
        n[level - 1] += not there
        y[level - 1] += not (there and patient.dlt_status is DltStatus.DLT)
    return tuple(n), tuple(y)


def _dlts_after_further(state: State) -> set[tuple[str, int]]:
    """Patients of the escalation with levels of further infusions after which a DLT that counts was judged."""
    return {
        (one.patient, one.dose_level)
        for one in state.slots.exposures
        if one.judged is not None
        and one.judged.counts
        and one.judged.status is DltStatus.DLT
        and state.patients[one.patient].part == "escalation"
    }


def pending(state: State, cohort: Cohort) -> tuple[Patient, ...]:
    """Seated patients of ``cohort`` whose DLT status is open, or open again since something recorded changed."""
    return tuple(
        patient
        for patient in seated(state, cohort)
        if patient.dlt_status is DltStatus.PENDING or patient.patient in state.slots.reopened
    )
