"""Which level is the maximum tolerated dose once the escalation is over: isotonic regression."""

from collections.abc import Sequence
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
    ...     {"rule": {"kind": "mtpi", "target": 0.2}, "levels": 3, "cohort_size": 3, "max_patients": 18})
    >>> select_mtd(plan, [3, 6, 9], [0, 1, 3])
    3
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


def select_closest(fit: FloatArray, eligible: BoolArray, target: float, tilt: float) -> IntArray:
    """Eligible level whose fit lies closest to the target; shape (states, levels) in, (states,) out.

    `tilt` per level is added to the fit, which sends ties to the higher level below the target and to
    the lower level above it. Returns -1 where no level is eligible.
    """
    distance = np.abs(fit + tilt * np.arange(1, fit.shape[1] + 1) - target)
    distance = np.where(eligible, distance, np.inf)
    return np.where(eligible.any(axis=1), np.argmin(distance, axis=1), -1)


def not_eliminated(eliminate: BoolArray) -> BoolArray:
    """Levels below the first eliminated one; shape (states, levels)."""
    return ~np.logical_or.accumulate(eliminate, axis=1)


def select_by_pava(
    n: IntArray, y: IntArray, target: float, eliminate: BoolArray, bound: float | None = None
) -> IntArray:
    """Isotonic selection with the conventions of `BOIN::select.mtd`, which Keyboard shares.

    Over treated, not eliminated levels: estimate (y + .05)/(n + .1), weight one over its variance
    (y + .05)(n - y + .05)/((n + .1)^2 (n + 1.1)), isotonic fit, 1e-10 times the level added, closest to
    the target. `bound`: levels whose fit exceeds it are left out first. Returns 0-based levels, -1 for none.
    """
    eligible = (n > 0) & not_eliminated(eliminate)
    estimate = (y + 0.05) / (n + 0.1)
    variance = (y + 0.05) * (n - y + 0.05) / ((n + 0.1) ** 2 * (n + 1.1))
    fit = compute_isotonic(estimate, np.where(eligible, 1.0 / variance, 0.0))
    if bound is not None:
        eligible = eligible & (fit <= bound)
    return select_closest(fit, eligible, target, 1e-10)
