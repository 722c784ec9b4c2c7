"""What the rule would say once the pending patients are judged: one branch for each number of DLTs among them."""

from dataclasses import dataclass

from escalon.conduct.cohorts import escalation_counts, pending
from escalon.conduct.state import State
from escalon.protocol import StudyFolder


@dataclass(frozen=True, slots=True)
class Branch:
    """If ``dlts`` of the ``pending`` patients have a DLT, the rule recommends ``action`` and ``dose_level``."""

    pending: int
    dlts: int
    action: str
    dose_level: int | None
    reason: str


def what_if(state: State, folder: StudyFolder) -> tuple[Branch, ...]:
    """Return one branch for each possible number of DLTs among the pending patients of the open cohort.

    Empty when no escalation cohort is open or nobody in it is pending. Every pending patient is taken to be
    evaluable in the end.
    """
    cohort = state.cohort
    if cohort is None or cohort.part != "escalation" or cohort.decided:
        return ()
    waiting = len(pending(state, cohort))
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
