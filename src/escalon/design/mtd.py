"""Which level is the maximum tolerated dose once the escalation is over: isotonic regression."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from escalon.design.outcomes import check_counts
from escalon.design.rules.base import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from escalon.design.plan import EscalationPlan


def select_mtd(
    plan: "EscalationPlan", n: Sequence[int] | IntArray, y: Sequence[int] | IntArray
) -> int | None:
    """The maximum tolerated dose from the final counts.

    Parameters: `n`, `y`, length `plan.levels`: evaluable patients and patients with a DLT per level.
    Returns the 1-based level, or None when no level qualifies. Raises ValueError for impossible counts.

    >>> from escalon.design import EscalationPlan
    >>> plan = EscalationPlan.model_validate(
    ...     {"rule": {"kind": "mtpi", "target": 0.3}, "levels": 3, "cohort_size": 3, "max_patients": 18})
    >>> select_mtd(plan, [3, 6, 9], [0, 1, 3])
    2
    """
    counts_n, counts_y = check_counts(n, y, plan.levels)
    index = int(plan.rule.select(counts_n[None, :], counts_y[None, :])[0])
    return None if index < 0 else index + 1


def compute_isotonic(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Weighted isotonic (non-decreasing) regression of every row.

    Parameters: `values`, `weights`, shape (states, levels); weight 0 leaves a level out, and its
    result has no meaning. Returns an array of the same shape.

    Max-min formula: fit_j = max over i <= j of min over k >= j of the weighted mean of levels i..k
    (Robertson, Wright, Dykstra 1988, Order Restricted Statistical Inference, section 1.4).
    """
    states, levels = values.shape
    mass = np.concatenate([np.zeros((states, 1)), np.cumsum(weights, axis=1)], axis=1)
    total = np.concatenate([np.zeros((states, 1)), np.cumsum(weights * values, axis=1)], axis=1)
    fit = np.full((states, levels), -np.inf)
    for i in range(levels):
        lowest = np.full(states, np.inf)
        for k in range(levels - 1, i - 1, -1):
            block = mass[:, k + 1] - mass[:, i]
            with np.errstate(invalid="ignore", divide="ignore"):
                mean = np.where(block > 0, (total[:, k + 1] - total[:, i]) / block, np.inf)
            lowest = np.minimum(lowest, mean)
            fit[:, k] = np.maximum(fit[:, k], np.where(weights[:, k] > 0, lowest, -np.inf))
    return fit


@dataclass(frozen=True)
class Selection:
    """Selection of the maximum tolerated dose; arrays are indexed [n, y] and serve every level.

    `estimate`, `weight`: what enters the isotonic fit; `eliminate`: the level and all above are out;
    `eliminate_lowest`: the same, asked of level 1 only; `bound`: levels whose fit exceeds it are out;
    `tilt` times the 1-based level is added to the fit; `slack`: distances from the target that differ by no
    more are tied, and ties go to the highest tied level below the target, else the lowest.
    """

    target: float
    estimate: FloatArray
    weight: FloatArray
    eliminate: BoolArray
    eliminate_lowest: BoolArray
    bound: float = np.inf
    tilt: float = 0.0
    slack: float = 0.0


def pava_selection(
    target: float,
    eliminate: BoolArray,
    eliminate_lowest: BoolArray | None = None,
    bound: float = np.inf,
) -> Selection:
    """The conventions of `BOIN::select.mtd` 2.7.2, which Keyboard shares.

    Over treated, not eliminated levels: estimate (y + .05)/(n + .1), weight one over its variance
    (y + .05)(n - y + .05)/((n + .1)^2 (n + 1.1)), isotonic fit, 1e-10 times the level added, closest to
    the target: ties below the target go to the higher level, ties above it to the lower.
    """
    top = eliminate.shape[0]
    n, y = np.meshgrid(np.arange(top), np.arange(top), indexing="ij")
    y = np.minimum(n, y)
    estimate = (y + 0.05) / (n + 0.1)
    weight = ((n + 0.1) ** 2 * (n + 1.1)) / ((y + 0.05) * (n - y + 0.05))
    lowest = np.zeros_like(eliminate) if eliminate_lowest is None else eliminate_lowest
    return Selection(target, estimate, weight, eliminate, lowest, bound, tilt=1e-10)


def beta_selection(target: float, eliminate: BoolArray) -> Selection:
    """Posterior means of Beta(1 + y, 1 + n - y) weighted by one over the posterior variance."""
    top = eliminate.shape[0]
    n, y = np.meshgrid(np.arange(top), np.arange(top), indexing="ij")
    y = np.minimum(n, y)
    weight = ((2 + n) ** 2 * (3 + n)) / ((1 + y) * (1 + n - y))
    return Selection(target, (1 + y) / (2 + n), weight, eliminate, np.zeros_like(eliminate), slack=1e-9)


def select_from_counts(rule: Selection, n: IntArray, y: IntArray) -> IntArray:
    """0-based level per state, -1 for none; `n`, `y` of shape (states, levels)."""
    eliminated = rule.eliminate[n, y]
    eliminated[:, 0] |= rule.eliminate_lowest[n[:, 0], y[:, 0]]
    eligible = (n > 0) & ~np.logical_or.accumulate(eliminated, axis=1)
    fit = compute_isotonic(rule.estimate[n, y], np.where(eligible, rule.weight[n, y], 0.0))
    fit = np.where(eligible, fit, np.inf)
    eligible &= fit <= rule.bound
    fit = fit + rule.tilt * np.arange(1, n.shape[1] + 1)
    gap = np.abs(fit - rule.target)
    gap = np.where(eligible, gap, np.inf)
    tied = eligible & (gap <= gap.min(axis=1, keepdims=True) + rule.slack)
    below = tied & (fit <= rule.target + rule.slack)
    highest_below = n.shape[1] - 1 - np.argmax(below[:, ::-1], axis=1)
    chosen = np.where(below.any(axis=1), highest_below, np.argmax(tied, axis=1))
    return np.asarray(np.where(eligible.any(axis=1), chosen, -1))
