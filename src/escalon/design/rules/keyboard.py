"""mTPI-2 and Keyboard: equal keys, the strongest decides.

(0, 1) is cut into keys of the width of the target key (target - e1, target + e2), laid out from it in both
directions; the two end keys are shorter. With p ~ Beta(1 + y, 1 + n - y), the strongest key is the one with
the highest posterior probability per width. Below the target key: escalate; the target key: stay; above:
de-escalate. The rules differ in conventions only.

Sources: mTPI-2, Guo, Wang, Yang, Lynn, Ji 2017, doi 10.1016/j.cct.2017.04.006; Keyboard, Yan, Mandrekar,
Yuan 2017, doi 10.1158/1078-0432.CCR-17-0220.

Conventions: tied keys go to the lowest (mTPI-2, R package escalation 0.2.3) or the highest (Keyboard, R
package Keyboard 0.1.3). Elimination has no minimum n while dosing (Keyboard at target 0.30 eliminates 2 of
2); Keyboard's dose selection asks for 3 patients. mTPI-2 bars escalation into a next level with at least 2
patients and P(p > target) >= elimination. Selection by isotonic regression with BOIN's conventions.
"""

from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from escalon.design.mtd import Selection, pava_selection
from escalon.design.rules.base import BoolArray, FloatArray, IntArray, beta_prob_above
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
"""Keys nearer than this are tied, edges nearer than this coincide: target - e is not exact in binary."""


def key_edges(low: float, high: float) -> tuple[FloatArray, int]:
    """Edges of all keys, ascending from 0 to 1, and the index of the target key (low, high)."""
    width = high - low
    below = [low - k * width for k in range(int(low / width) + 2) if low - k * width > SLACK]
    above = [high + k * width for k in range(int((1 - high) / width) + 2) if high + k * width < 1 - SLACK]
    edges = np.array([0.0, *below[::-1], *above, 1.0])
    return edges, len(below)


class KeyRule(TableRule):
    """What mTPI-2 and Keyboard share."""

    elimination: float = Field(0.95, gt=0, le=1, description="posterior certainty that eliminates a level")
    elimination_min_n: int = Field(1, ge=1, description="patients needed before a level is eliminated")
    selection_min_n: int = Field(3, ge=1, description="the same, when the dose is selected")

    @property
    def interval(self) -> tuple[float, float]:
        """The target key."""
        raise NotImplementedError

    @property
    def tie_takes_highest(self) -> bool:
        """Which of several equally strong keys decides."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _check_interval(self) -> "KeyRule":
        low, high = self.interval
        if not 0 < low < high < 1:
            raise ValueError(f"the target key ({low:g}, {high:g}) must lie inside (0, 1)")
        return self

    def strongest(self, n: IntArray, y: IntArray) -> IntArray:
        """Index of the strongest key minus that of the target key, elementwise."""
        edges, target_key = key_edges(*self.interval)
        above = np.stack([beta_prob_above(n, y, edge) for edge in edges])
        density = (above[:-1] - above[1:]) / np.diff(edges).reshape(-1, *([1] * np.ndim(n)))
        tied = density >= density.max(axis=0) - SLACK
        if self.tie_takes_highest:
            key = density.shape[0] - 1 - np.argmax(tied[::-1], axis=0)
        else:
            key = np.argmax(tied, axis=0)
        return np.asarray(key - target_key)

    def closed(self, n: IntArray, unsafe: FloatArray, eliminate: BoolArray) -> BoolArray:
        """Counts that bar escalation into a level."""
        return eliminate

    def build_table(self, max_n: int) -> Table:
        """Decisions for every n up to `max_n`."""
        n, y = triangle(max_n)
        key = self.strongest(n, y)
        decision = np.where(key < 0, ESCALATE, np.where(key > 0, DE_ESCALATE, STAY))
        decision[0, :] = STAY
        unsafe = beta_prob_above(n, y, self.target)
        eliminate = (unsafe > self.elimination) & (n >= self.elimination_min_n)
        closed = self.closed(n, unsafe, eliminate)
        return Table(decision.astype(np.int8), eliminate, closed, np.zeros_like(eliminate))

    def build_selection(self, max_n: int) -> Selection:
        """`select.mtd` of the R packages BOIN and Keyboard."""
        n, y = triangle(max_n)
        unsafe = beta_prob_above(n, y, self.target) > self.elimination
        return pava_selection(self.target, unsafe & (n >= self.selection_min_n))

    def explain(self, n: IntArray, y: IntArray, current: int) -> list[str]:
        """Counts, the strongest key, the overdose probability."""
        edges, target_key = key_edges(*self.interval)
        key = int(self.strongest(n[current], y[current])) + target_key
        low, high = self.interval
        words = (
            f"{'mTPI-2' if self.kind == 'mtpi2' else 'Keyboard'}: the strongest key is ({edges[key]:.2f}, "
            f"{edges[key + 1]:.2f}), the target key ({low:.2f}, {high:.2f})."
        )
        return beta_explanation(self, n, y, current, self.elimination, words)


class Mtpi2(KeyRule):
    """mTPI-2; see the module."""

    kind: Literal["mtpi2"] = "mtpi2"
    epsilon_1: float = Field(0.05, gt=0, description="half-width of the target key below the target")
    epsilon_2: float = Field(0.05, gt=0, description="half-width of the target key above the target")
    next_level_min_n: int = Field(2, ge=1, description="patients needed before a next level is barred")

    @property
    def interval(self) -> tuple[float, float]:
        """The target key."""
        return self.target - self.epsilon_1, self.target + self.epsilon_2

    @property
    def tie_takes_highest(self) -> bool:
        """The lowest tied key decides."""
        return False

    def closed(self, n: IntArray, unsafe: FloatArray, eliminate: BoolArray) -> BoolArray:
        """Eliminated, or at the limit exactly."""
        return eliminate | ((unsafe >= self.elimination) & (n >= self.next_level_min_n))


class Keyboard(KeyRule):
    """Keyboard; see the module."""

    kind: Literal["keyboard"] = "keyboard"
    half_width: float = Field(0.05, gt=0, description="half-width of the target key")

    @property
    def interval(self) -> tuple[float, float]:
        """The target key."""
        return self.target - self.half_width, self.target + self.half_width

    @property
    def tie_takes_highest(self) -> bool:
        """The highest tied key decides."""
        return True
