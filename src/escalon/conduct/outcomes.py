"""What the escalation plan is asked, in one place: counts, or outcomes that tell escalation and backfill apart.

A plan without backfill is asked by the counts of the escalation. A plan with backfill is asked by outcomes, in which
backfill patients are flagged; whether they enter the decision is the plan's own word (``counts_in_escalation``), and
``deciding_counts`` are the counts the decision rests on (INV-13).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from escalon.conduct.cohorts import counts, escalation_counts
from escalon.conduct.events import DltStatus
from escalon.conduct.evidence import responded
from escalon.conduct.state import Patient, State
from escalon.design import EscalationPlan
from escalon.design.backfill import BackfillRecommendation
from escalon.design.outcomes import Cohort, Outcomes
from escalon.design.recommendation import Recommendation
from escalon.protocol import StudyFolder

BACKFILL_PART = "backfill"
JUDGED = (DltStatus.DLT, DltStatus.NO_DLT)
Counts = tuple[tuple[int, ...], tuple[int, ...]]


def judged_backfill(state: State) -> tuple[Patient, ...]:
    """Backfill patients who are evaluable now; one whose window is open again is not."""
    return tuple(
        patient
        for patient in state.patients.values()
        if patient.part == BACKFILL_PART
        and patient.dlt_status in JUDGED
        and patient.patient not in state.slots.reopened
    )


def pending_backfill(state: State) -> tuple[Patient, ...]:
    """Backfill patients with a dose assigned who are still to be judged."""
    return tuple(
        patient
        for patient in state.patients.values()
        if patient.part == BACKFILL_PART
        and patient.dose_level is not None
        and patient.released is None
        and (patient.dlt_status is DltStatus.PENDING or patient.patient in state.slots.reopened)
    )


def deciding_counts(state: State, plan: EscalationPlan) -> Counts:
    """Evaluable patients and DLTs per level the next level and the MTD are decided on."""
    own = escalation_counts(state, plan.levels)
    if plan.backfill is None or not plan.backfill.counts_in_escalation:
        return own
    added = counts(judged_backfill(state), plan.levels)
    n, y = (
        tuple(a + b for a, b in zip(one, more, strict=True)) for one, more in zip(own, added, strict=True)
    )
    return n, y


def trial_outcomes(state: State, folder: StudyFolder, more: Iterable[Cohort] = ()) -> Outcomes:
    """Outcomes of the judged patients: cohorts of the escalation in order, then backfill by level, then ``more``."""
    numerator = set(folder.study.response.numerator)
    groups = [
        (cohort.dose_level, _judged_of(state, cohort.cohort), False)
        for cohort in state.cohorts
        if cohort.part == "escalation"
    ]
    levels = folder.study.escalation.levels
    groups += [
        (level, [one for one in judged_backfill(state) if one.dose_level == level], True)
        for level in range(1, levels + 1)
    ]
    found = [_cohort(level, patients, numerator, flag) for level, patients, flag in groups if patients]
    return Outcomes((*found, *more), levels)


def ask(state: State, folder: StudyFolder, at: datetime) -> tuple[Recommendation, dict[str, Any]]:
    """Ask the plan on what is judged; return its answer and the inputs that are enough to ask it again."""
    plan, cohort = folder.study.escalation, state.cohort
    assert cohort is not None
    n, y = deciding_counts(state, plan)
    inputs: dict[str, Any] = {
        "n": list(n),
        "y": list(y),
        "current_level": cohort.dose_level,
        "plan_hash": plan.hash,
        "cut_seq": state.seq,
    }
    if plan.backfill is None:
        return plan.recommend((n, y, cohort.dose_level)), inputs
    waiting = [
        (one.dose_level or 0, _followed(one, folder.study.dlt.window_days, at))
        for one in pending_backfill(state)
    ]
    answer = plan.recommend(trial_outcomes(state, folder), waiting)
    assert isinstance(answer, BackfillRecommendation)
    own, added = escalation_counts(state, plan.levels), counts(judged_backfill(state), plan.levels)
    inputs |= {
        "outcomes": answer.inputs["outcomes"],
        "pending": [list(one) for one in waiting],
        "escalation_n": list(own[0]),
        "backfill": {
            "counted": plan.backfill.counts_in_escalation,
            "n": list(added[0]),
            "y": list(added[1]),
            "patients": [one.patient for one in judged_backfill(state)],
            "open": list(answer.backfill),
        },
    }
    return answer, inputs


def ask_again(plan: EscalationPlan, inputs: dict[str, Any]) -> Recommendation:
    """Return what ``plan`` says to recorded ``inputs``."""
    if plan.backfill is None:
        return plan.recommend((tuple(inputs["n"]), tuple(inputs["y"]), inputs["current_level"]))
    return plan.recommend(inputs["outcomes"], [(level, share) for level, share in inputs["pending"]])


def level_estimates(plan: EscalationPlan, counted: Counts, current: int) -> tuple[Any, ...]:
    """Estimates of the DLT rate per level from counts alone; who was backfilled makes no difference to them."""
    bare = plan if plan.backfill is None else plan.model_copy(update={"backfill": None})
    return tuple(bare.recommend((*counted, current)).estimates)


def counted_in(inputs: dict[str, Any]) -> tuple[str, ...]:
    """Backfill patients whose outcome entered the recommendation with these inputs."""
    told = inputs.get("backfill")
    return tuple(told["patients"]) if told is not None and told["counted"] else ()


def _judged_of(state: State, cohort: int) -> list[Patient]:
    return [
        one
        for one in state.patients.values()
        if one.part == "escalation" and one.cohort == cohort and one.dlt_status in JUDGED
    ]


def _cohort(level: int, patients: list[Patient], numerator: set[str], backfill: bool) -> Cohort:
    dlt = tuple(one.dlt_status is DltStatus.DLT for one in patients)
    return Cohort(level, dlt, tuple(responded(one, numerator) for one in patients), backfill)


def _followed(patient: Patient, window_days: int, at: datetime) -> float:
    """Share of the window a patient was seen for, 0 before the infusion, below 1; four decimals."""
    if patient.infused_at is None:
        return 0.0
    return min(round(max((at - patient.infused_at) / timedelta(days=window_days), 0.0), 4), 0.9999)
