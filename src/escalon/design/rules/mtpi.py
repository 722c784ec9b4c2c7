"""mTPI: modified toxicity probability interval design.

With y of n patients with a DLT at the current level, p ~ Beta(1 + y, 1 + n - y). The unit probability
mass of an interval is its posterior probability divided by its width. The largest of the three masses,
below, inside and above (target - epsilon_1, target + epsilon_2), says escalate, stay or de-escalate.
A level with P(p > target) > elimination is left for good together with all above ("DU").

Source: Ji, Liu, Li, Bekele 2010, Clinical Trials 7:653, doi 10.1177/1740774510382799.

Conventions, with the defaults of the R package escalation 0.2.3: no minimum n for elimination of the
current level (2 of 2 at target 0.30 is DU); escalation into the next level is barred when that level
holds at least 2 patients and P(p > target) >= elimination; the maximum tolerated dose is the treated,
not eliminated level whose isotonic posterior mean (weights one over the posterior variance) lies
closest to the target, ties going to the highest tied level below the target, else the lowest above.
"""

from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from escalon.design.mtd import Selection, beta_selection
from escalon.design.rules.base import FloatArray, IntArray, beta_prob_above
from escalon.design.rules.tables import (
    DE_ESCALATE,
    ESCALATE,
    STAY,
    Table,
    TableRule,
    beta_explanation,
    triangle,
)

SLACK = 1e-12
"""Two masses nearer than this are equal: target - epsilon is not exact in binary."""


class Mtpi(TableRule):
    """mTPI; see the module for formula and conventions."""

    kind: Literal["mtpi"] = "mtpi"
    epsilon_1: float = Field(0.05, gt=0, description="half-width of the interval below the target")
    epsilon_2: float = Field(0.05, gt=0, description="half-width of the interval above the target")
    elimination: float = Field(0.95, gt=0, le=1, description="posterior certainty that eliminates a level")
    elimination_min_n: int = Field(1, ge=1, description="patients needed before a level is eliminated")
    next_level_min_n: int = Field(2, ge=1, description="patients needed before a next level is barred")

    @model_validator(mode="after")
    def _check_interval(self) -> "Mtpi":
        if self.target - self.epsilon_1 <= 0 or self.target + self.epsilon_2 >= 1:
            raise ValueError(
                f"epsilon_1, epsilon_2: the interval ({self.target - self.epsilon_1:g}, "
                f"{self.target + self.epsilon_2:g}) must lie inside (0, 1)"
            )
        return self

    def masses(self, n: IntArray, y: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Unit probability mass below, inside and above the interval, elementwise."""
        low, high = self.target - self.epsilon_1, self.target + self.epsilon_2
        above_low, above_high = beta_prob_above(n, y, low), beta_prob_above(n, y, high)
        return (1 - above_low) / low, (above_low - above_high) / (high - low), above_high / (1 - high)

    def build_table(self, max_n: int) -> Table:
        """The published table for every n up to `max_n`; ties take the lower dose."""
        n, y = triangle(max_n)
        below, inside, above = self.masses(n, y)
        decision = np.where(below > np.maximum(inside, above) + SLACK, ESCALATE, STAY)
        decision = np.where(above >= np.maximum(inside, below) - SLACK, DE_ESCALATE, decision)
        decision[0, :] = STAY
        unsafe = beta_prob_above(n, y, self.target)
        eliminate = (unsafe > self.elimination) & (n >= self.elimination_min_n)
        closed = eliminate | ((unsafe >= self.elimination) & (n >= self.next_level_min_n))
        return Table(decision.astype(np.int8), eliminate, closed, np.zeros_like(eliminate))

    def build_selection(self, max_n: int) -> Selection:
        """Isotonic posterior means; ties as the module says."""
        return beta_selection(self.target, self.table(max_n).eliminate)

    def explain(self, n: IntArray, y: IntArray, current: int) -> list[str]:
        """Counts, the three masses, the overdose probability."""
        below, inside, above = (float(mass) for mass in self.masses(n[current], y[current]))
        low, high = self.target - self.epsilon_1, self.target + self.epsilon_2
        words = (
            f"mTPI: unit probability mass {below:.3f} below, {inside:.3f} inside and {above:.3f} above the "
            f"interval ({low:.2f}, {high:.2f})."
        )
        return beta_explanation(self, n, y, current, self.elimination, words)
