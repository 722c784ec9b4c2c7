"""i3+3: the 3+3 idea for any target and cohort size.

With rate q = y/n at the current level and the interval [target - epsilon_1, target + epsilon_2]: q below
escalates; q inside stays; q above stays if (y - 1)/n lies below the interval, else de-escalates. A level
with at least 3 patients and P(p > target) > elimination, p ~ Beta(1 + y, 1 + n - y), is left for good
together with all above. Selection by isotonic regression with BOIN's conventions.

Source: Liu, Wang, Ji 2020, doi 10.1080/10543406.2019.1636811.

Convention: the interval is closed; rates within 1e-12 of an end are inside.
"""

from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from escalon.design.rules.base import IntArray, beta_prob_above
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


class I3Plus3(TableRule):
    """i3+3; see the module."""

    kind: Literal["i3_plus_3"] = "i3_plus_3"
    epsilon_1: float = Field(0.05, gt=0, description="half-width of the interval below the target")
    epsilon_2: float = Field(0.05, gt=0, description="half-width of the interval above the target")
    elimination: float = Field(0.95, gt=0, le=1, description="posterior certainty that eliminates a level")
    elimination_min_n: int = Field(3, ge=1, description="patients needed before a level is eliminated")

    @model_validator(mode="after")
    def _check_interval(self) -> "I3Plus3":
        if self.target - self.epsilon_1 <= 0 or self.target + self.epsilon_2 >= 1:
            raise ValueError("epsilon_1, epsilon_2: the interval around the target must lie inside (0, 1)")
        return self

    def build_table(self, max_n: int) -> Table:
        """Decisions for every n up to `max_n`."""
        n, y = triangle(max_n)
        size = np.maximum(n, 1)
        low, high = self.target - self.epsilon_1 - SLACK, self.target + self.epsilon_2 + SLACK
        above = np.where((y - 1) / size < low, STAY, DE_ESCALATE)
        decision = np.where(y / size < low, ESCALATE, np.where(y / size > high, above, STAY))
        decision[0, :] = STAY
        unsafe = beta_prob_above(n, y, self.target)
        eliminate = (unsafe > self.elimination) & (n >= self.elimination_min_n)
        return Table(decision.astype(np.int8), eliminate, eliminate, np.zeros_like(eliminate))

    def explain(self, n: IntArray, y: IntArray, current: int) -> list[str]:
        """Counts, interval, the rate without one DLT, the overdose probability."""
        nd, yd = int(n[current]), int(y[current])
        words = (
            f"i3+3: rate {yd / nd:.4f} against the interval [{self.target - self.epsilon_1:.2f}, "
            f"{self.target + self.epsilon_2:.2f}]; with one DLT fewer it would be {max(yd - 1, 0) / nd:.4f}."
        )
        return beta_explanation(self, n, y, current, self.elimination, words)
