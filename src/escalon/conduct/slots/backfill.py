"""Backfill: places at cleared lower levels, open by the rule the plan was simulated with; see ``design.backfill``.

A backfill patient belongs to the part ``backfill`` and to no cohort, so no count of the escalation contains one; what
the plan is asked is ``outcomes``. Places have numbers 1, 2, ... over all levels, never used twice. With order random
the level of place k is drawn among the levels open then, from SHA-256 of "seed:k" over the recorded seed: whoever
holds the ledger can draw it again.
"""

import hashlib
from datetime import datetime

import numpy as np

from escalon.conduct.act import Refused
from escalon.conduct.cohorts import counts
from escalon.conduct.outcomes import BACKFILL_PART, judged_backfill, trial_outcomes
from escalon.conduct.slots.state import Slot
from escalon.conduct.state import State
from escalon.design import EscalationPlan
from escalon.design.backfill import open_for_backfill
from escalon.protocol import StudyFolder

PART = BACKFILL_PART


def backfill_levels(state: State, folder: StudyFolder, at: datetime | None = None) -> tuple[int, ...]:
    """Return the 1-based levels open for backfill at ``at`` (default: the last fact), in the order they are filled.

    By lot there is no order: they come from the lowest.
    """
    backfill = folder.study.escalation.backfill
    if backfill is None:
        return ()
    levels = _open(state, folder, at, backfill.cap)
    return levels[::-1] if backfill.order == "highest" else levels


def _open(state: State, folder: StudyFolder, at: datetime | None, cap: int) -> tuple[int, ...]:
    """Levels open by the rule of the plan with this cap, and cleared in the stratum in use, the lowest first."""
    plan, cohort, at = _with_cap(folder.study.escalation, cap), state.cohort, at or state.at
    if cohort is None or cohort.part != "escalation" or cohort.decided or state.mtd is not None or at is None:
        return ()
    outcomes = trial_outcomes(state, folder)
    opened = open_for_backfill(
        plan,
        outcomes.n[None],
        outcomes.y[None],
        np.array([_held(state, plan.levels)]),
        (outcomes.e > 0)[None],
        np.array([cohort.dose_level - 1]),
    )
    study, day = folder.study, at.date()
    cleared = state.slots.cleared_up_to(study.regimen_on(day).id, study.process_on(day) or "")
    return tuple(int(level) + 1 for level in np.flatnonzero(opened[0]) if level + 1 <= cleared)


def _with_cap(plan: EscalationPlan, cap: int) -> EscalationPlan:
    assert plan.backfill is not None
    return plan.model_copy(update={"backfill": plan.backfill.model_copy(update={"cap": cap})})


def backfill_counts(state: State, levels: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Count evaluable backfill patients and those with a DLT at each level, for rules that include them."""
    return counts(judged_backfill(state), levels)


def free_backfill_seats(
    state: State, folder: StudyFolder, at: datetime | None = None
) -> list[tuple[int, int]]:
    """Return the backfill places that may be given now, as seat number and level, in order."""
    backfill = folder.study.escalation.backfill
    if backfill is None or (backfill.order == "random" and state.backfill_seed is None):
        return []
    held = _held(state, folder.study.escalation.levels)
    number = max((slot.seat or 0 for slot in state.slots.slots if slot.cohort == 0), default=0)
    left = {level: backfill.cap - held[level - 1] for level in backfill_levels(state, folder, at)}
    places = []
    while left:
        number += 1
        levels = list(left)
        level = levels[_lot(state.backfill_seed, number, len(levels)) if backfill.order == "random" else 0]
        places.append((number, level))
        left[level] -= 1
        left = {one: count for one, count in left.items() if count > 0}
    return places


def refuse_closed_level(state: State, level: int, folder: StudyFolder, at: datetime) -> Refused | None:
    """Refuse a backfill place at a level that was open when it was given and is not any more (BF-3)."""
    plan = folder.study.escalation
    beyond = 1 + len(state.patients) + len(state.slots.slots)  # the place itself is no reason to refuse it
    if plan.backfill is None or level in _open(state, folder, at, beyond):
        return None
    return Refused("BF-3 backfill", f"level {level} is not open for backfill any more; hand the place back")


def _lot(seed: int | None, number: int, levels: int) -> int:
    """Index of the level drawn for place ``number`` among so many open ones."""
    digest = hashlib.sha256(f"{seed}:{number}".encode()).digest()
    return int.from_bytes(digest, "big") % levels


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
