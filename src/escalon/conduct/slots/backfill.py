"""Backfill: places at cleared lower levels, open by the rule the plan was simulated with; see ``design.backfill``.

A backfill patient belongs to the part ``backfill`` and to no cohort, so no count of the escalation contains one; a
rule that uses them asks for ``backfill_counts``. Places have numbers 1, 2, ... over all levels, never used twice.
"""

import numpy as np

from escalon.conduct.cohorts import counts
from escalon.conduct.evidence import level_evidence
from escalon.conduct.slots.state import Slot
from escalon.conduct.state import State
from escalon.design.backfill import open_for_backfill
from escalon.protocol import StudyFolder

PART = "backfill"


def backfill_levels(state: State, folder: StudyFolder) -> tuple[int, ...]:
    """Return the 1-based levels open for backfill now, in the order they are filled."""
    plan, cohort = folder.study.escalation, state.cohort
    if plan.backfill is None or cohort is None or cohort.part != "escalation" or cohort.decided:
        return ()
    n, y = counts(state.patients.values(), plan.levels)
    responded = [row.responders > 0 for row in level_evidence(state, folder)]
    opened = open_for_backfill(
        plan,
        np.array([n]),
        np.array([y]),
        np.array([_held(state, plan.levels)]),
        np.array([responded]),
        np.array([cohort.dose_level - 1]),
    )
    levels = [int(level) + 1 for level in np.flatnonzero(opened[0])]
    return tuple(levels if plan.backfill.order == "lowest" else levels[::-1])


def backfill_counts(state: State, levels: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Count evaluable backfill patients and those with a DLT at each level, for rules that include them."""
    return counts((p for p in state.patients.values() if p.part == PART), levels)


def free_backfill_seats(state: State, folder: StudyFolder) -> list[tuple[int, int]]:
    """Return the backfill places that may be given now, as seat number and level, in order."""
    if folder.study.escalation.backfill is None:
        return []
    cap = folder.study.escalation.backfill.cap
    held = _held(state, folder.study.escalation.levels)
    number = max((slot.seat or 0 for slot in state.slots.slots if slot.cohort == 0), default=0)
    places = []
    for level in backfill_levels(state, folder):
        for _ in range(cap - held[level - 1]):
            number += 1
            places.append((number, level))
    return places


def _held(state: State, levels: int) -> list[int]:
    """Patients at each level, treated or in a place of it, those in their window included."""
    held = [0] * levels
    for patient in state.patients.values():
        if patient.dose_level is not None and patient.released is None:
            held[patient.dose_level - 1] += 1
    for slot in state.slots.slots:
        if slot.cohort == 0 and slot.holds_seat and slot.dose_level and _unassigned(state, slot):
            held[slot.dose_level - 1] += 1
    return held


def _unassigned(state: State, slot: Slot) -> bool:
    patient = state.patients.get(slot.patient or "")
    return patient is None or patient.dose_level is None
