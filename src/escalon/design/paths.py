"""Dose-transition pathways: what the plan will say after each outcome of the next cohorts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING, Any

import numpy as np

from escalon.design.decide import GO_ON, UNSAFE, decide, next_cohort
from escalon.design.mtd import select_mtd
from escalon.design.operating_characteristics import check_prob_tox
from escalon.design.outcomes import IntArray, Outcomes
from escalon.design.recommend import Counts, situation_of
from escalon.design.rules.base import FloatArray, States

if TYPE_CHECKING:
    from escalon.design.plan import EscalationPlan

MAX_NODES = 200_000


@dataclass(frozen=True)
class PathNode:
    """One cohort's result and what follows.

    `level`: 1-based level of the cohort, `size` its patients, `dlts` with a DLT; `action`, `next_level`: the
    plan's answer afterwards (stop: None, with the `mtd`); `probability` of the path up to here under the
    scenario, None without one; `children`: one node per outcome of the next cohort.
    """

    level: int
    size: int
    dlts: int
    action: str
    next_level: int | None
    mtd: int | None
    probability: float | None
    children: tuple["PathNode", ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**self.__dict__, "children": [child.to_dict() for child in self.children]}

    def leaves(self) -> Iterator["PathNode"]:
        """Last nodes below this one."""
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()


def dose_paths(
    plan: "EscalationPlan",
    cohorts: int,
    prob_tox: Sequence[float] | FloatArray | None = None,
    after: str | Outcomes | Counts | None = None,
) -> tuple[PathNode, ...]:
    """All paths of the next `cohorts` cohorts as a tree: one node per outcome of the first cohort.

    `prob_tox`: a scenario, for probabilities; `after`: an interim state to start from. Raises ValueError for
    a trial that has ended, a bad scenario, or a tree of more than 200,000 nodes.
    """
    if cohorts < 1:
        raise ValueError(f"cohorts: at least 1 is needed; got {cohorts}")
    if plan.rule.efficacy or plan.backfill is not None:
        what = f"rule {plan.rule.kind}" if plan.rule.efficacy else "backfill"
        raise ValueError(f"paths: {what} needs more than DLT counts; ask for recommendations or simulate")
    largest = max(plan.cohort_sizes)
    if sum((largest + 1) ** k for k in range(1, cohorts + 1)) > MAX_NODES:
        raise ValueError(f"cohorts: {cohorts} give more than {MAX_NODES} nodes; ask for fewer")
    p = None if prob_tox is None else check_prob_tox(prob_tox, plan.levels)
    if p is not None:
        if plan.weighted and plan.missing.probability:
            raise ValueError(
                "prob_tox: paths show no weighted patients, so their probabilities would not sum to 1"
            )
        p = plan.missing.evaluable_rate(p)
    zero = np.zeros(plan.levels, dtype=np.int64)
    n, y, level = zero, zero.copy(), plan.start_level - 1
    if after is not None:
        situation = situation_of(plan, after)
        n, y, level = situation.n, situation.y, situation.current
        if n.any():
            decision = decide(plan, situation.states())
            if decision.stop[0] != GO_ON:
                raise ValueError("after: this trial has ended")
            level = int(decision.level[0])
    return _branch(plan, n, y, level, cohorts, p, 1.0)


def _branch(
    plan: "EscalationPlan",
    n: IntArray,
    y: IntArray,
    level: int,
    cohorts: int,
    p: FloatArray | None,
    so_far: float,
) -> tuple[PathNode, ...]:
    before = States(n[None, :], y[None, :], np.array([level]))
    size = int(next_cohort(plan, before, before.current)[0])
    return tuple(_node(plan, n, y, level, (size, dlts), cohorts, p, so_far) for dlts in range(size + 1))


def _node(
    plan: "EscalationPlan",
    n: IntArray,
    y: IntArray,
    level: int,
    cohort: tuple[int, int],
    cohorts: int,
    p: FloatArray | None,
    so_far: float,
) -> PathNode:
    size, dlts = cohort
    n, y = n.copy(), y.copy()
    n[level] += size
    y[level] += dlts
    last = (np.array([size]), np.array([dlts]))
    decision = decide(plan, States(n[None, :], y[None, :], np.array([level]), *last))
    chance = so_far
    if p is not None:
        chance *= comb(size, dlts) * float(p[level]) ** dlts * float(1 - p[level]) ** (size - dlts)
    following, stop = int(decision.level[0]), int(decision.stop[0])
    shown = None if p is None else chance
    if stop != GO_ON:
        mtd = None if stop == UNSAFE else select_mtd(plan, n, y)
        return PathNode(level + 1, size, dlts, "stop", None, mtd, shown, ())
    action = "stay" if following == level else ("escalate" if following > level else "de_escalate")
    children = _branch(plan, n, y, following, cohorts - 1, p, chance) if cohorts > 1 else ()
    return PathNode(level + 1, size, dlts, action, following + 1, None, shown, children)
