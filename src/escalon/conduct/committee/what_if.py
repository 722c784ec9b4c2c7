"""What the rule would say once the pending patients are judged: one branch for each number of DLTs among them."""

from dataclasses import dataclass

from escalon.conduct.cohorts import escalation_counts, pending
from escalon.conduct.outcomes import pending_backfill, trial_outcomes
from escalon.conduct.state import State
from escalon.design.outcomes import Cohort
from escalon.protocol import StudyFolder

BACKFILL_CASES = ("none judged yet", "none with a DLT", "all with a DLT")
"""What may be known of the pending backfill patients when the cohort is judged."""


@dataclass(frozen=True, slots=True)
class Branch:
    """If ``dlts`` of the ``pending`` patients have a DLT, the rule recommends ``action`` and ``dose_level``."""

    pending: int
    dlts: int
    action: str
    dose_level: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class BackfillBranch(Branch):
    """The same where backfill patients are pending too: ``backfill`` is one of ``BACKFILL_CASES``."""

    pending_backfill: int
    backfill: str


def what_if(state: State, folder: StudyFolder) -> tuple[Branch, ...]:
    """Return one branch for each possible number of DLTs among the pending patients of the open cohort.

    Empty when no escalation cohort is open or nobody in it is pending. Every pending patient is taken to be
    evaluable in the end. Where the rule counts backfill patients and some are pending, each branch stands three
    times: none of them judged yet, none with a DLT, all with one.
    """
    cohort = state.cohort
    if cohort is None or cohort.part != "escalation" or cohort.decided:
        return ()
    waiting = len(pending(state, cohort))
    if folder.study.escalation.backfill is not None:
        return _with_backfill(state, folder, waiting, cohort.dose_level)
    if not waiting:
        return ()
    plan = folder.study.escalation
    n, y = escalation_counts(state, plan.levels)
    index = cohort.dose_level - 1
    branches = []
    for dlts in range(waiting + 1):
        n_then = (*n[:index], n[index] + waiting, *n[index + 1 :])
        y_then = (*y[:index], y[index] + dlts, *y[index + 1 :])
        answer = plan.recommend((n_then, y_then, cohort.dose_level))
        reason = answer.reasons[0] if answer.reasons else ""
        branches.append(Branch(waiting, dlts, answer.action, answer.level, reason))
    return tuple(branches)


def _with_backfill(state: State, folder: StudyFolder, waiting: int, level: int) -> tuple[Branch, ...]:
    plan = folder.study.escalation
    assert plan.backfill is not None
    below = [one.dose_level or 0 for one in pending_backfill(state)]
    counted = below if plan.backfill.counts_in_escalation else []
    judged = any(one.cohort == state.cohorts[-1].cohort for one in state.patients.values())
    if not judged or not (waiting or counted):
        return ()
    cases = BACKFILL_CASES if counted else BACKFILL_CASES[:1]
    branches = []
    for case in cases:
        added = [] if case == BACKFILL_CASES[0] else _judged(counted, case == BACKFILL_CASES[2])
        for dlts in range(waiting + 1):
            more = (*_judged([level] * waiting, False, dlts), *added)
            answer = plan.recommend(trial_outcomes(state, folder, more))
            reason = answer.reasons[0] if answer.reasons else ""
            branches.append(
                BackfillBranch(waiting, dlts, answer.action, answer.level, reason, len(below), case)
            )
    return tuple(branches)


def _judged(levels: list[int], all_dlt: bool, dlts: int | None = None) -> tuple[Cohort, ...]:
    """Patients at ``levels`` as outcomes: with ``dlts`` a group of the escalation, else single backfill patients."""
    if dlts is None:
        return tuple(Cohort(level, (all_dlt,), (False,), True) for level in levels)
    if not levels:
        return ()
    size = len(levels)
    return (Cohort(levels[0], tuple(k < dlts for k in range(size)), (False,) * size),)
