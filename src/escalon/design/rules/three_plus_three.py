"""3+3: three designs that share the name.

At the current level, with y DLTs of n = 3: 0 goes up, 1 adds three patients, 2 or more fail. Of n = 6:
at most 1 passes, 2 or more fail. An incomplete cohort of fewer than 3 (or 6) is completed, unless 2 DLTs
have already failed the level.

- `escalation_only` (A): a failure ends the escalation; the maximum tolerated dose is the level below,
  even with 3 patients, or the top level if it passes. Storer 1989, doi 10.2307/2531693.
- `de_escalation` (B): after a failure go down one level if it has fewer than 6 patients and add three
  there; the maximum tolerated dose is the current level with at most 1 DLT, else the one below.
  Default, as in the R package bcrm 0.5.4.
- `six_at_mtd` (C): as B, and the candidate must hold 6 patients; the maximum tolerated dose is the
  highest level with 6 patients and at most 1 DLT. Korn 1994, doi 10.1002/sim.4780131802.
"""

from typing import Annotated, Literal

import numpy as np
from pydantic import BeforeValidator, Field

from escalon.design.rules.base import (
    STOP_FINISHED,
    STOP_UNSAFE,
    BoolArray,
    IntArray,
    Proposal,
    Rule,
    States,
    observed,
)

_NAMES = {"A": "escalation_only", "B": "de_escalation", "C": "six_at_mtd"}
Variant = Annotated[
    Literal["escalation_only", "de_escalation", "six_at_mtd"],
    BeforeValidator(lambda value: _NAMES.get(value, value) if isinstance(value, str) else value),
]


class ThreePlusThree(Rule):
    """3+3; see the module for the variants. `variant` also takes the letters A, B, C."""

    kind: Literal["three_plus_three"] = "three_plus_three"
    variant: Variant = "de_escalation"
    target: float = Field(
        0.3, gt=0, lt=1, description="reference of the overdose metrics; no decision uses it"
    )

    @property
    def target_rate(self) -> float:
        """Reference of the overdose metrics only."""
        return self.target

    def default_max_patients(self, levels: int) -> int:
        """Six patients per level."""
        return 6 * levels

    def propose(self, states: States, max_n: int) -> Proposal:
        """See the module."""
        n, y, current = states.n_current, states.y_current, states.current
        top = states.n.shape[1] - 1
        failed = y >= 2
        passed = ~failed & ((n >= 6) | ((n == 3) & (y == 0)))
        closed = np.logical_or.accumulate(states.y >= 2, axis=1)
        level = np.where(passed, self._after_pass(states, closed, top), current)
        level = np.where(failed, self._after_failure(states), level)
        return Proposal(level, ~closed)

    def _after_pass(self, states: States, closed: BoolArray, top: int) -> IntArray:
        current = states.current
        above = np.minimum(current + 1, top)
        last = (current == top) | closed[states.rows, above]
        if self.variant == "six_at_mtd":
            end = np.where(states.n_current >= 6, STOP_FINISHED, current)
        else:
            end = np.full_like(current, STOP_FINISHED)
        return np.where(last, end, above)

    def _after_failure(self, states: States) -> IntArray:
        current = states.current
        below = np.maximum(current - 1, 0)
        if self.variant == "escalation_only":
            end = np.full_like(current, STOP_FINISHED)
        else:
            end = np.where(states.n[states.rows, below] < 6, below, STOP_FINISHED)
        return np.where(current == 0, STOP_UNSAFE, end)

    def select(self, n: IntArray, y: IntArray) -> IntArray:
        """Highest level below the lowest failed one that meets the variant's criterion."""
        below_failure = ~np.logical_or.accumulate(y >= 2, axis=1)
        if self.variant == "six_at_mtd":
            good = below_failure & (n >= 6)
        else:
            good = below_failure & ((n >= 6) | ((n >= 3) & (y == 0)))
        return np.where(good.any(axis=1), n.shape[1] - 1 - np.argmax(good[:, ::-1], axis=1), -1)

    def explain(self, n: IntArray, y: IntArray, current: int) -> list[str]:
        """Counts and the branch of the rule taken."""
        nd, yd = int(n[current]), int(y[current])
        if yd >= 2:
            branch = f"{yd} DLTs: 2 or more exceed what the level may show"
        elif nd >= 6:
            branch = f"{yd} of {nd}: at most 1 of 6 passes"
        elif nd == 3 and yd == 0:
            branch = "0 of 3 passes"
        elif nd == 3:
            branch = "1 of 3: three more patients at this level"
        else:
            branch = f"{yd} of {nd}: the cohort of {3 if nd < 3 else 6} is completed first"
        names = {
            "escalation_only": "escalation only",
            "de_escalation": "with de-escalation",
            "six_at_mtd": "six patients at the maximum tolerated dose",
        }
        return [observed(n, y, current), f"3+3, {names[self.variant]}: {branch}."]
