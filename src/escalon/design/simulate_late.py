"""Simulation in calendar time for rules that use pending patients.

Patients arrive one by one; the time between arrivals is exponential (or fixed). A patient with a DLT has it at
a time uniform over the window. Before each cohort the plan is asked with what is known at that moment; a pause
lasts until the next pending patient has a DLT or completes the window. Times are in units of the DLT window.

Three uniforms per patient come from three counter-based streams of the block, so the DLTs are those of
`simulate.draw_uniforms`: designs with and without pending patients meet the same patients.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from escalon.design.decide import GO_ON, UNSAFE, Decision, decide, next_cohort
from escalon.design.rules.base import BoolArray, FloatArray, IntArray, States

if TYPE_CHECKING:
    from escalon.design.plan import EscalationPlan


@dataclass(frozen=True)
class LateTrials:
    """Ends of simulated trials: complete counts, 0-based selection, and the duration in windows."""

    n: IntArray
    y: IntArray
    mtd: IntArray
    duration: FloatArray


@dataclass
class _Course:
    """What happens to every patient: shapes (trials, patients); level -1 before enrolment.

    `entry`, `dlt_at`, `done_at`: calendar time of enrolment, of the DLT (inf: none), of the first of DLT and
    end of window. Only these times are compared with the clock, so that news is seen when it arrives.
    """

    level: IntArray
    entry: FloatArray
    dlt_at: FloatArray
    done_at: FloatArray

    def seen(
        self, trials: IntArray, now: FloatArray, enrolled: int, levels: int
    ) -> tuple[IntArray, IntArray, IntArray, FloatArray]:
        """Counts n and y per level at time `now`; levels (-1: none) and follow-up of the pending patients."""
        level = self.level[trials, :enrolled]
        dlt = self.dlt_at[trials, :enrolled] <= now[:, None]
        known = self.done_at[trials, :enrolled] <= now[:, None]
        n, y = (np.zeros((trials.size, levels), np.int64) for _ in range(2))
        for j in range(levels):
            here = level == j
            n[:, j], y[:, j] = (here & known).sum(axis=1), (here & dlt).sum(axis=1)
        waiting = ~known & (level >= 0)
        width = int(waiting.sum(axis=1).max(initial=0))
        order = np.argsort(~waiting, axis=1, kind="stable")[:, :width]
        pending = np.where(np.take_along_axis(waiting, order, 1), np.take_along_axis(level, order, 1), -1)
        elapsed = now[:, None] - np.take_along_axis(self.entry[trials, :enrolled], order, 1)
        return n, y, pending, np.where(pending >= 0, np.clip(elapsed, 0.0, 1.0), 0.0)

    def next_news(self, trials: IntArray, now: FloatArray, enrolled: int) -> FloatArray:
        """Time of the next DLT or completed window after `now`."""
        done = self.done_at[trials, :enrolled]
        return np.asarray(np.where(done > now[:, None], done, np.inf).min(axis=1))


def draw_times(seed: int, block: int, stream: int, patients: int, block_size: int) -> FloatArray:
    """Uniforms of a further stream of a block, shape (patients, block_size)."""
    bits = np.random.Philox(key=np.array([seed, block], dtype=np.uint64), counter=[0, 0, 0, stream])
    return np.random.Generator(bits).random((patients, block_size))


def simulate_late_trials(
    plan: "EscalationPlan",
    prob_tox: FloatArray,
    uniforms: tuple[FloatArray, FloatArray, FloatArray],
    accrual: float,
    fixed_arrivals: bool,
) -> LateTrials:
    """Run the trials of one block.

    `uniforms`: for DLTs, DLT times and arrivals, each of shape (patients, trials); `accrual`: patients per
    DLT window; `fixed_arrivals`: evenly spaced instead of exponential.
    """
    who, when, gaps = uniforms
    patients, trials = who.shape
    never = np.full((trials, patients), np.inf)
    course = _Course(np.full((trials, patients), -1, np.int64), never, never.copy(), never.copy())
    level = np.full(trials, plan.start_level - 1)
    size = np.zeros(trials, np.int64)  # patients still to enrol in the running cohort
    stop = np.zeros(trials, np.int64)
    clock = np.zeros(trials)
    for k in range(patients):
        going = np.flatnonzero(stop == GO_ON)
        if going.size == 0:
            break
        gap = np.ones(going.size) if fixed_arrivals else -np.log1p(-gaps[k, going])
        clock[going] += gap / accrual if k else 0.0
        asking = going[size[going] == 0]
        if asking.size:
            _ask(plan, course, asking, k, clock, level, size, stop)
        going = going[stop[going] == GO_ON]
        p = prob_tox[level[going]]
        course.level[going, k] = level[going]
        course.entry[going, k] = clock[going]
        course.dlt_at[going, k] = np.where(who[k, going] < p, clock[going] + when[k, going], np.inf)
        course.done_at[going, k] = np.minimum(course.dlt_at[going, k], clock[going] + 1.0)
        size[going] -= 1
    return _finish(plan, course, stop, clock)


def _ask(
    plan: "EscalationPlan",
    course: _Course,
    asking: IntArray,
    enrolled: int,
    clock: FloatArray,
    level: IntArray,
    size: IntArray,
    stop: IntArray,
) -> None:
    """Decide for the trials that start a cohort; pauses advance their clocks until the plan goes on."""
    while True:
        states, decision = _look(plan, course, asking, clock[asking], enrolled, level[asking])
        wait = decision.wait
        if enrolled == 0:
            wait = np.zeros(asking.size, dtype=bool)
        else:
            stop[asking] = np.where(wait, GO_ON, decision.stop)
            level[asking] = np.where(wait, level[asking], decision.level)
        size[asking] = np.where(wait, 0, next_cohort(plan, states, level[asking]))
        asking = asking[wait]
        if asking.size == 0:
            return
        clock[asking] = np.maximum(clock[asking], course.next_news(asking, clock[asking], enrolled))


def _look(
    plan: "EscalationPlan", course: _Course, trials: IntArray, now: FloatArray, enrolled: int, level: IntArray
) -> tuple[States, Decision]:
    n, y, pending, followup = course.seen(trials, now, enrolled, plan.levels)
    states = States(n, y, level, pending_level=pending, pending_followup=followup)
    if enrolled == 0:
        nobody: BoolArray = np.zeros(trials.size, dtype=bool)
        return states, Decision(level, np.zeros(trials.size, np.int64), np.ones(n.shape, dtype=bool), nobody)
    return states, decide(plan, states)


def _finish(plan: "EscalationPlan", course: _Course, stop: IntArray, clock: FloatArray) -> LateTrials:
    """All patients followed to the end; the dose is selected from complete data."""
    levels = range(plan.levels)
    n = np.stack([(course.level == j).sum(axis=1) for j in levels], axis=1)
    dlt = np.isfinite(course.dlt_at)
    y = np.stack([((course.level == j) & dlt).sum(axis=1) for j in levels], axis=1)
    last = np.where(np.isfinite(course.done_at), course.done_at, 0.0).max(axis=1)
    mtd = np.where(stop == UNSAFE, -1, plan.rule.select(n, y))
    return LateTrials(n, y, mtd, last)
