"""Posterior of the two-agent logistic model by deterministic quadrature.

Five coordinates: log b1, log b2, d = log a2 - log a1, the interaction eta, and s = log(a1 + a2). Data say a1 + a2
well and the split badly; (s, d) keeps the posterior round where (log a1, log a2) would bend it, and has Jacobian 1. A
lattice is centred and scaled by the posterior's own mean and covariance; these are found by moment matching from the
prior on, the likelihood entering by degrees (powers 0 to 1), so that no optimiser is involved.

For every level the lattice is turned so that its last axis points where the log odds at that level rise fastest. Along
this axis the log odds sweep their whole posterior range, across it they hardly move; so the set where p exceeds a limit
is a half-line on every line of the lattice, found to the root, and its share varies smoothly from line to line. The
integral over the half-line uses the weights of `quadrature.half_line_weights`; no indicator is summed over a lattice.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from escalon.design.quadrature import half_line_weights
from escalon.design.rules.base import FloatArray, IntArray

DEGREES = (0.0, 0.0, 1 / 32, 1 / 8, 1 / 2, 1.0, 1.0)
"""Powers of the likelihood in the rounds of moment matching."""
NEGLIGIBLE = 1e-10
"""Lines below this share of the heaviest one are left out."""


@dataclass(frozen=True)
class Resolution:
    """Lattice in standard deviations: spacing and radius across (`outer`, `radius`), along (`inner`, `reach`)."""

    outer: float = 1.1
    radius: float = 6.0
    inner: float = 0.5
    reach: float = 6.5


@dataclass(frozen=True)
class Model:
    """Both agents: log(dose / reference) per level and agent, product of dose / reference per level; prior mean and
    covariance of (log b1, log b2, log a2, eta, log a1). Coordinates are those of the module."""

    log_a: FloatArray
    log_b: FloatArray
    product: FloatArray
    mean: FloatArray
    covariance: FloatArray

    def intercepts(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """log a1 and log a2 at coordinates (..., 5), each of shape (..., 1)."""
        first = theta[..., 4:5] - np.logaddexp(0, theta[..., 2:3])
        return first, first + theta[..., 2:3]

    def log_prior(self, theta: FloatArray) -> FloatArray:
        """Unnormalised log prior density at coordinates (..., 5)."""
        log_a1, log_a2 = self.intercepts(theta)
        away = np.concatenate([theta[..., :2], log_a2, theta[..., 3:4], log_a1], axis=-1) - self.mean
        scaled = away @ np.linalg.inv(np.linalg.cholesky(self.covariance)).T
        return np.asarray(-0.5 * (scaled**2).sum(axis=-1))

    def start(self) -> tuple[FloatArray, FloatArray]:
        """Centre and covariance of the first round, in coordinates."""
        mean, share = self.mean.copy(), 1 / (1 + np.exp(self.mean[2] - self.mean[4]))
        mean[2], mean[4] = self.mean[2] - self.mean[4], np.logaddexp(self.mean[2], self.mean[4])
        slopes = np.eye(5)
        slopes[2, 4], slopes[4, 2], slopes[4, 4] = -1.0, 1 - share, share
        return mean, np.asarray(slopes @ self.covariance @ slopes.T)

    def log_odds(self, theta: FloatArray, level: IntArray | slice = slice(None)) -> FloatArray:
        """Log odds of a DLT at parameters (..., 5) and levels: odds1 + odds2 + odds1 odds2, times exp(eta
        product); shape (..., levels)."""
        log_a1, log_a2 = self.intercepts(theta)
        first = log_a1 + np.exp(theta[..., 0:1]) * self.log_a[level]
        second = log_a2 + np.exp(theta[..., 1:2]) * self.log_b[level]
        either = np.logaddexp(np.logaddexp(first, second), first + second)
        return np.asarray(either + theta[..., 3:4] * self.product[level])


@dataclass(frozen=True)
class CombinationPosterior:
    """Posterior per level, shape (levels,): mean DLT probability; `above`: one row per limit, P(p > limit)."""

    prob_tox: FloatArray
    above: FloatArray


def fit_combination(
    model: Model,
    n: IntArray,
    y: IntArray,
    limits: tuple[float, ...],
    levels: tuple[int, ...],
    resolution: Resolution,
) -> CombinationPosterior:
    """Posterior from counts per level; `limits`: DLT probabilities to be exceeded; `levels`: the 0-based levels
    asked for, the others are left NaN."""
    mean, root = _moments(model, n, y)
    prob_tox, above = np.full(n.size, np.nan), np.full((len(limits), n.size), np.nan)
    for j in levels:
        prob_tox[j], above[:, j] = _at_level(model, n, y, j, mean, root, limits, resolution)
    return CombinationPosterior(prob_tox, above)


def _moments(model: Model, n: IntArray, y: IntArray) -> tuple[FloatArray, FloatArray]:
    """Posterior mean and a root of the posterior covariance."""
    mean, covariance = model.start()
    for degree in DEGREES:
        theta = mean + _ball(5, 1.0, 3.6) @ np.linalg.cholesky(covariance).T
        log_weight = _log_density(model, n, y, theta, degree)
        weight = np.exp(log_weight - log_weight.max())
        weight /= weight.sum()
        mean = weight @ theta
        away = theta - mean
        covariance = (weight[:, None] * away).T @ away
    return mean, np.asarray(np.linalg.cholesky(covariance))


def _log_density(model: Model, n: IntArray, y: IntArray, theta: FloatArray, degree: float) -> FloatArray:
    """Unnormalised log posterior with the likelihood to a power, at parameters (..., 5)."""
    treated = np.flatnonzero(n > 0)
    eta = model.log_odds(theta, treated)
    log_likelihood = eta @ y[treated] - np.logaddexp(0, eta) @ n[treated]
    return np.asarray(degree * log_likelihood + model.log_prior(theta))


def _at_level(
    model: Model,
    n: IntArray,
    y: IntArray,
    level: int,
    mean: FloatArray,
    root: FloatArray,
    limits: tuple[float, ...],
    resolution: Resolution,
) -> tuple[float, list[float]]:
    """Mean DLT probability and P(p > limit) at one level."""
    here = np.array([level])
    steps = mean + 1e-4 * np.vstack([root.T, -root.T])
    slope = model.log_odds(steps, here)[:, 0]
    turned = root @ _turn((slope[:5] - slope[5:]) / 2e-4)
    across = mean + _ball(4, resolution.outer, resolution.radius) @ turned[:, :4].T
    half = int(np.ceil(resolution.reach / resolution.inner))
    z: FloatArray = np.asarray(np.arange(-half, half + 1) * resolution.inner, dtype=np.float64)
    along = turned[:, 4]
    theta = across[:, None, :] + z[:, None] * along
    log_weight = _log_density(model, n, y, theta, 1.0)
    weight = np.exp(log_weight - log_weight.max())
    keep = weight.sum(axis=1) > NEGLIGIBLE * weight.sum(axis=1).max()
    weight, across, theta = weight[keep], across[keep], theta[keep]
    weight /= weight.sum()
    log_odds = model.log_odds(theta, here)[..., 0]
    mean_p = float((weight / (1 + np.exp(-log_odds))).sum())
    above = []
    for limit in limits:
        gap = log_odds - np.log(limit / (1 - limit))
        line, rank = np.nonzero((gap[:, 1:] > 0) != (gap[:, :-1] > 0))
        start = _root(model, here, across[line], along, z[rank], resolution.inner, limit)
        beyond = half_line_weights(z / resolution.inner, 1.0, start[:, None] / resolution.inner)
        rises = np.where(gap[line, rank + 1] > 0, 1.0, -1.0)
        share = weight[gap[:, 0] > 0].sum() + (rises[:, None] * weight[line] * beyond).sum()
        above.append(float(np.clip(share, 0, 1)))
    return mean_p, above


def _root(
    model: Model,
    level: IntArray,
    across: FloatArray,
    along: FloatArray,
    low: FloatArray,
    step: float,
    limit: float,
) -> FloatArray:
    """Where p equals the limit between `low` and `low + step` on every line: regula falsi, Illinois variant."""
    target = np.log(limit / (1 - limit))

    def gap(z: FloatArray) -> FloatArray:
        return np.asarray(model.log_odds(across + z[:, None] * along, level)[:, 0] - target)

    left, right = low.copy(), low + step
    at_left, at_right = gap(left), gap(right)
    for _ in range(8):
        span = at_right - at_left
        settled = np.abs(span) < 1e-12
        middle = right - at_right * (right - left) / np.where(settled, 1.0, span)
        at_middle = gap(middle)
        crossed = (at_middle > 0) != (at_right > 0)
        left = np.where(crossed, right, left)
        at_left = np.where(crossed, at_right, at_left / 2)
        right, at_right = middle, at_middle
    return np.asarray(right)


def _turn(direction: FloatArray) -> FloatArray:
    """An orthogonal matrix whose last column is the normalised `direction` (Householder)."""
    unit = direction / np.linalg.norm(direction)
    last = np.zeros(unit.size)
    last[-1] = 1.0 if unit[-1] <= 0 else -1.0
    v = unit - last
    reflection = np.eye(unit.size) - 2 * np.outer(v, v) / (v @ v)
    reflection[:, -1] *= last[-1]
    return np.asarray(reflection)


@lru_cache(maxsize=16)
def _ball(dimension: int, spacing: float, radius: float) -> FloatArray:
    """Lattice points within the radius."""
    axis = np.arange(-int(radius / spacing), int(radius / spacing) + 1) * spacing
    points = np.zeros((1, 0))
    for _ in range(dimension):  # one dimension after the other, so that the corners are never built
        points = np.column_stack([np.repeat(points, axis.size, axis=0), np.tile(axis, points.shape[0])])
        points = points[(points**2).sum(axis=1) <= radius**2 + 1e-9]
    return points
