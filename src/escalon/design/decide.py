"""The one decision function: rule, guards and limits together, over many states at once.

`recommend`, exact enumeration and simulation all call `decide`.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from escalon.design.rules.base import STOP_FINISHED, STOP_UNSAFE, WAIT, BoolArray, IntArray, States

if TYPE_CHECKING:
    from escalon.design.plan import EscalationPlan

GO_ON, FULL, UNSAFE, FINISHED, ENOUGH = 0, 1, 2, 3, 4
REASONS = {
    GO_ON: "goes on",
    FULL: "the planned number of patients is reached",
    UNSAFE: "no level is acceptable",
    FINISHED: "the rule has finished",
    ENOUGH: "a stopping guard is met",
}


@dataclass(frozen=True)
class Decision:
    """`level`: 0-based next level (the current one where stopped); `stop`: 0 or why the escalation ends
    (FULL, UNSAFE, FINISHED, ENOUGH); both of shape (states,). `open`: shape (states, levels). `wait`:
    shape (states,), enrolment pauses until pending patients can be judged."""

    level: IntArray
    stop: IntArray
    open: BoolArray
    wait: BoolArray


def decide(plan: "EscalationPlan", states: States, ignore_full: bool = False) -> Decision:
    """Next level or stop for every state.

    The rule proposes; masks of rule and guards intersect; caps take their minimum; the next level is the
    highest open one not above proposal and caps; none open means unsafe; stopping guards come last. A
    full trial stops before any check: elimination is applied again when the dose is selected.
    """
    proposal = plan.rule.propose(states, plan.max_n)
    wanted = np.where(proposal.level < 0, states.current, proposal.level)
    if states.pending_level is None:  # stay while nobody at this level can be judged
        wanted = np.where(states.n_current == 0, states.current, wanted)
    open_levels = proposal.open.copy()
    unsafe = proposal.level == STOP_UNSAFE
    for guard in plan.guards:
        cap = guard.cap(states, plan.rule)
        if cap is not None:
            wanted = np.minimum(wanted, cap)
        mask = guard.mask(states, plan.rule)
        if mask is not None:
            open_levels &= mask
        danger = guard.unsafe(states, plan.rule)
        if danger is not None:
            unsafe = unsafe | danger
    level, none_open = _highest_open(open_levels, wanted)
    finished = proposal.level == STOP_FINISHED
    unsafe = unsafe | (none_open & ~finished)
    level = _titrate(plan, states, np.where(unsafe | finished, states.current, level))
    enough = np.zeros(level.size, dtype=bool)
    for guard in plan.guards:
        ends = guard.ends(states, plan.rule, level)
        if ends is not None:
            enough |= ends
    stop = np.select([unsafe, finished, enough], [UNSAFE, FINISHED, ENOUGH], GO_ON)
    if not ignore_full:
        stop = np.where(states.treated >= plan.max_total, FULL, stop)
    return Decision(level, stop, open_levels, (proposal.level == WAIT) & (stop == GO_ON))


def _highest_open(open_levels: BoolArray, wanted: IntArray) -> tuple[IntArray, BoolArray]:
    levels = open_levels.shape[1]
    reachable = open_levels & (np.arange(levels) <= wanted[:, None])
    highest = levels - 1 - np.argmax(reachable[:, ::-1], axis=1)
    none_open = np.asarray(~reachable.any(axis=1))
    return np.asarray(np.where(none_open, 0, highest)), none_open


def is_titrating(states: States) -> BoolArray:
    """True while every level tried holds one patient: single-patient titration is under way or just ended."""
    return np.asarray(states.n.max(axis=1) <= 1)


def _titrate(plan: "EscalationPlan", states: States, level: IntArray) -> IntArray:
    if not plan.titration:
        return level
    titrating = is_titrating(states)
    top = states.n.shape[1] - 1
    climb = titrating & (states.y.sum(axis=1) == 0) & (states.current < top)
    return np.where(climb, states.current + 1, np.where(titrating, states.current, level))


def next_cohort(plan: "EscalationPlan", states: States, level: IntArray) -> IntArray:
    """Patients to enrol at `level` next, shape (states,): planned size, never beyond the sample size."""
    total = states.treated
    sizes = np.asarray(plan.cohort_sizes, dtype=np.int64)
    edges = np.cumsum(sizes)
    size = sizes[np.minimum(np.searchsorted(edges, total, side="right"), sizes.size - 1)]
    if plan.titration:
        titrating = is_titrating(states)
        untried = states.n[states.rows, level] == 0
        size = np.where(titrating, np.where(untried, 1, np.maximum(size - 1, 1)), size)
    return np.asarray(np.minimum(size, plan.max_total - total))
