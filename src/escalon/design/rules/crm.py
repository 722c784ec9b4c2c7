"""CRM: continual reassessment method with one parameter.

Power model ("empiric"): p_j = s_j^exp(b). Logistic model: logit p_j = a0 + exp(b) x_j with fixed intercept a0
and x_j = logit(s_j) - a0. Skeleton s_1 < ... < s_D, b ~ N(0, prior_sd^2). The next level is the one whose
estimated DLT probability lies closest to the target; the maximum tolerated dose is the recommendation after
the last patient.

Sources: O'Quigley, Pepe, Fisher 1990, doi 10.2307/2531628; Cheung 2011, Dose Finding by the Continual
Reassessment Method.

Conventions, with the defaults of the R package dfcrm 0.2-2.1 (`crm`, `crmsim`): the estimate is p_j at the
posterior mean of b ("plug_in"), not the posterior mean of p_j ("mean"); ties take the lower level; prior
standard deviation sqrt(1.34), where 1.34 is the variance; intercept 3. Restrictions are guards: `crmsim` with
restrict=TRUE is no_skipping with coherent (after: target_rate).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from pydantic import Field, field_validator

from escalon.design.quadrature import (
    PosteriorGrid,
    even_nodes,
    half_line_weights,
    log_expit,
    spacing,
)
from escalon.design.recommendation import LevelEstimate
from escalon.design.rules.base import FloatArray, IntArray, Proposal, Rule, States, level_estimates, observed

MANY = 100
"""Rows from which short rows are compared column by column."""


@dataclass(frozen=True)
class CrmFit:
    """Posterior of a CRM: mean and variance of b, DLT probability per level, closest level (1-based)."""

    estimate: float
    variance: float
    prob_tox: tuple[float, ...]
    mtd: int


class Crm(Rule):
    """One-parameter CRM; see the module for formula and conventions."""

    kind: Literal["crm"] = "crm"
    target: float = Field(gt=0, lt=1, description="target DLT probability, 0-1")
    skeleton: tuple[float, ...] = Field(description="prior guesses of the DLT probabilities, increasing")
    model: Literal["empiric", "logistic"] = "empiric"
    prior_sd: float = Field(default=1.34**0.5, gt=0, description="prior standard deviation of b")
    intercept: float = Field(3.0, description="fixed intercept of the logistic model")
    estimate: Literal["plug_in", "mean"] = "plug_in"

    @field_validator("skeleton")
    @classmethod
    def _check_skeleton(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        check_skeleton(value)
        return value

    @property
    def target_rate(self) -> float:
        """The target."""
        return self.target

    @property
    def one_step(self) -> bool:
        """The model may jump; guards may forbid it."""
        return False

    def check(self, levels: int, sizes: set[int]) -> None:
        """One skeleton entry per level."""
        if len(self.skeleton) != levels:
            raise ValueError(f"skeleton: {levels} values expected, one per level; got {len(self.skeleton)}")

    def logs(self, b: FloatArray) -> tuple[FloatArray, FloatArray]:
        """log p and log(1 - p), shape (values of b, levels)."""
        slope = np.exp(b)[:, None]
        skeleton = np.asarray(self.skeleton)
        if self.model == "empiric":
            log_p = slope * np.log(skeleton)
            return log_p, np.log(-np.expm1(log_p))
        eta = self.intercept + slope * (np.log(skeleton / (1 - skeleton)) - self.intercept)
        return log_expit(eta), log_expit(-eta)

    def prob_tox(self, b: FloatArray) -> FloatArray:
        """DLT probabilities at values of b, shape (values, levels)."""
        if self.model == "logistic":
            return np.asarray(np.exp(self.logs(np.atleast_1d(b))[0]))
        return np.asarray(np.exp(np.exp(np.atleast_1d(b))[:, None] * np.log(self.skeleton)))

    def grid(self, max_n: int, finer: int = 1) -> PosteriorGrid:
        """The model on a grid fine enough for `max_n` patients, or `finer` times as fine; remembered."""
        return _grid(self, _rounded(max_n), finer)

    def tail(self, max_n: int, limit: float) -> FloatArray:
        """Columns whose expectation on the grid twice as fine is P(p_j > limit), shape (nodes, levels)."""
        return _tail(self, _rounded(max_n), limit)

    def closest(self, p: FloatArray) -> IntArray:
        """0-based level nearest the target, the lower on ties; `p` of shape (states, levels)."""
        gap = np.abs(p - self.target)
        if p.shape[0] < MANY:
            return np.asarray(gap.argmin(axis=1))
        level, least = np.zeros(p.shape[0], np.int64), gap[:, 0]
        for j in range(1, p.shape[1]):  # many short rows: level by level is faster than argmin along them
            closer = gap[:, j] < least
            level, least = np.where(closer, j, level), np.where(closer, gap[:, j], least)
        return level

    def levels_prob(self, n: IntArray, y: IntArray) -> FloatArray:
        """Estimated DLT probabilities, shape (states, levels)."""
        grid = self.grid(int(n.sum(axis=1).max()))
        if self.estimate == "mean":
            return grid.expect(n, y, grid.p)
        return self.prob_tox(grid.expect(n, y, grid.parameters)[:, 0])

    def propose(self, states: States, max_n: int) -> Proposal:
        """The level nearest the target."""
        level = self.closest(self.levels_prob(states.n, states.y))
        return Proposal(level, np.ones(states.n.shape, dtype=bool))

    def select(self, n: IntArray, y: IntArray) -> IntArray:
        """The recommendation after the last patient."""
        return self.closest(self.levels_prob(n, y))

    def prob_above(self, n: IntArray, y: IntArray, limit: float) -> FloatArray:
        """Posterior P(p_j > limit), by exact half-line weights."""
        most = int(n.sum(axis=1).max())
        return self.grid(most, finer=2).expect(n, y, self.tail(most, limit))

    def fit(self, levels: IntArray, tox: IntArray, weights: FloatArray) -> CrmFit:
        """Posterior from single patients: 0-based `levels`, DLT flags, weights (1 = full follow-up).

        Likelihood: see `PosteriorGrid.weigh`.
        """
        grid = self.grid(levels.size)
        weight = grid.weigh(levels, tox, weights)
        b = grid.parameters[:, 0]
        mean, square = weight @ b, weight @ (b * b)
        p = weight @ grid.p if self.estimate == "mean" else self.prob_tox(np.array([mean]))[0]
        level = int(self.closest(p[None, :])[0]) + 1
        return CrmFit(float(mean), float(square - mean**2), tuple(p.tolist()), level)

    def estimates(self, n: IntArray, y: IntArray) -> tuple[LevelEstimate, ...]:
        """Estimate, and equal-tailed 95% interval through the quantiles of b."""
        p = self.levels_prob(n[None, :], y[None, :])[0]
        above = self.prob_above(n[None, :], y[None, :], self.target)[0]
        low, high = self.prob_tox(self.quantiles(n, y))[::-1]
        return level_estimates(n, y, p, low, high, above)

    def quantiles(self, n: IntArray, y: IntArray, pending: Sequence[tuple[int, float]] = ()) -> FloatArray:
        """2.5% and 97.5% quantiles of b; p falls as b grows. `pending`: 0-based level and weight per patient."""
        fine = np.linspace(-8.5 * self.prior_sd, 8.5 * self.prior_sd, 8001)
        log_p, log_q = self.logs(fine)
        log_density = log_p @ y + log_q @ (n - y) - 0.5 * (fine / self.prior_sd) ** 2
        for level, weight in pending:
            log_density += np.log1p(-weight * np.exp(log_p[:, level]))
        density = np.exp(log_density - log_density.max())
        cumulative = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
        return np.asarray(np.interp([0.025, 0.975], cumulative / cumulative[-1], fine))

    def explain(self, n: IntArray, y: IntArray, current: int) -> list[str]:
        """Counts, posterior of b, the estimated probabilities."""
        grid = self.grid(int(n.sum()))
        b = grid.parameters[:, 0]
        mean, square = grid.expect(n[None, :], y[None, :], np.column_stack([b, b**2]))[0]
        p = self.levels_prob(n[None, :], y[None, :])[0]
        best = int(self.closest(p[None, :])[0]) + 1
        listed = ", ".join(f"level {j + 1} {value:.4f}" for j, value in enumerate(p))
        return [
            observed(n, y, current),
            f"CRM ({self.model}): posterior of b has mean {mean:.4f} and standard deviation "
            f"{np.sqrt(square - mean**2):.4f}.",
            f"Estimated DLT probabilities: {listed}.",
            f"Closest to the target {self.target:.2f}: level {best}.",
        ]


def check_skeleton(skeleton: tuple[float, ...]) -> None:
    """Raise ValueError unless every value lies inside (0, 1) and the values increase."""
    for j, value in enumerate(skeleton):
        if not 0 < value < 1:
            raise ValueError(f"skeleton: value {j + 1} is {value}; every value must lie inside (0, 1)")
        if j and value <= skeleton[j - 1]:
            raise ValueError(
                f"skeleton: must increase; value {j + 1}, {value}, is not above value {j}, {skeleton[j - 1]}"
            )


def _rounded(patients: int) -> int:
    """A grid serves up to the next multiple of 30 patients."""
    return max(30, -(-patients // 30) * 30)


def _information(rule: Crm) -> float:
    """Largest information one patient can hold about b, over levels and the bulk of the prior."""
    b = np.linspace(-3 * rule.prior_sd, 3 * rule.prior_sd, 601)
    log_p, log_q = rule.logs(b)
    slope = np.gradient(np.exp(log_p), b, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        information = slope**2 * np.exp(-log_p - log_q)
    return float(np.nanmax(np.where(np.isfinite(information), information, 0.0)))


@lru_cache(maxsize=64)
def _grid(rule: Crm, max_n: int, finer: int) -> PosteriorGrid:
    h = spacing(rule.prior_sd, max_n * _information(rule)) / finer
    b = even_nodes(0.0, rule.prior_sd, h)
    log_p, log_q = rule.logs(b)
    return PosteriorGrid(b[:, None], -0.5 * (b / rule.prior_sd) ** 2, log_p, log_q)


@lru_cache(maxsize=64)
def _tail(rule: Crm, max_n: int, limit: float) -> FloatArray:
    """Weights, shape (nodes, levels), of p_j > limit, that is of b below its threshold."""
    b = _grid(rule, max_n, 2).parameters[:, 0]
    skeleton = np.asarray(rule.skeleton)
    if rule.model == "empiric":
        threshold = np.log(np.log(limit) / np.log(skeleton))
    else:
        slope = (np.log(limit / (1 - limit)) - rule.intercept) / (
            np.log(skeleton / (1 - skeleton)) - rule.intercept
        )
        if np.any(slope <= 0):
            raise ValueError("limit: the logistic model's intercept keeps p on one side of this limit")
        threshold = np.log(slope)
    return 1.0 - half_line_weights(b[:, None], float(b[1] - b[0]), threshold)
