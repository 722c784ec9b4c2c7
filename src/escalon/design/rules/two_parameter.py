"""What the two-parameter logistic rules share: model, prior, posterior.

logit p(d) = log a + b log(d / d*), with (log a, log b) bivariate normal or a mixture of such. Posterior by
the grid of `design.quadrature` in the prior's standardised coordinates: log b outside, log a given log b
inside, so that every P(p > limit) is a half-line of the inner coordinate and is integrated exactly, never as
an indicator summed over a grid.

Source: Neuenschwander, Branson, Gsponer 2008, doi 10.1002/sim.3230.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from escalon.design.quadrature import PosteriorGrid, half_line_weights, log_expit
from escalon.design.recommendation import LevelEstimate
from escalon.design.rules.base import FloatArray, IntArray, Rule, level_estimates

REACH = 6.0
"""Half-width of the grid in prior standard deviations: the prior mass outside is 1.5e-8."""
OUTER_STEP = 0.2
"""Outer spacing in prior standard deviations at 30 patients; it shrinks with the root of the sample size."""


class Component(BaseModel):
    """One bivariate normal of a mixture prior on (log a, log b), with its `weight`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weight: float = Field(gt=0, le=1)
    mean: tuple[float, float]
    sd: tuple[float, float]
    correlation: float = Field(0.0, gt=-1, lt=1)

    @model_validator(mode="after")
    def _check(self) -> "Component":
        if min(self.sd) <= 0:
            raise ValueError(f"sd: standard deviations must be above 0; got {self.sd}")
        return self


@dataclass(frozen=True)
class TwoParameterFit:
    """Posterior of a two-parameter rule.

    `estimate`: means of (log a, log b); `variance`: their covariance matrix; `prob_tox`: posterior mean DLT
    probability per level; `mtd`: 1-based recommended level, None when no level is acceptable;
    `prob_overdose`, `prob_target`: per level, for rules with intervals, else empty.
    """

    estimate: tuple[float, float]
    variance: tuple[tuple[float, float], tuple[float, float]]
    prob_tox: tuple[float, ...]
    mtd: int | None
    prob_overdose: tuple[float, ...] = ()
    prob_target: tuple[float, ...] = ()


class TwoParameterRule(Rule):
    """Two-parameter logistic model; see the module."""

    doses: tuple[float, ...] = Field(description="dose per level, increasing, any one unit")
    ref_dose: float = Field(gt=0, description="reference dose d*, same unit")
    prior_mean: tuple[float, float] = Field((0.0, 0.0), description="prior means of log a and log b")
    prior_sd: tuple[float, float] = Field((2.0, 1.0), description="prior standard deviations")
    prior_corr: float = Field(0.0, gt=-1, lt=1, description="prior correlation of log a and log b")
    mixture: tuple[Component, ...] = Field((), description="replaces the single normal prior")

    @model_validator(mode="after")
    def _check_doses(self) -> "TwoParameterRule":
        if any(dose <= 0 for dose in self.doses):
            raise ValueError(f"doses: every dose must be above 0; got {self.doses}")
        if any(low >= high for low, high in zip(self.doses, self.doses[1:], strict=False)):
            raise ValueError(f"doses: must increase; got {self.doses}")
        if min(self.prior_sd) <= 0:
            raise ValueError(f"prior_sd: standard deviations must be above 0; got {self.prior_sd}")
        if self.mixture and abs(sum(part.weight for part in self.mixture) - 1) > 1e-9:
            raise ValueError("mixture: the weights must sum to 1")
        return self

    @property
    def one_step(self) -> bool:
        """The model may jump; guards may forbid it."""
        return False

    @property
    def components(self) -> tuple[Component, ...]:
        """The prior as a mixture of at least one normal."""
        single = Component(weight=1, mean=self.prior_mean, sd=self.prior_sd, correlation=self.prior_corr)
        return self.mixture or (single,)

    def check(self, levels: int, sizes: set[int]) -> None:
        """One dose per level."""
        if len(self.doses) != levels:
            raise ValueError(f"doses: {levels} values expected, one per level; got {len(self.doses)}")

    def grid(self, patients: int) -> PosteriorGrid:
        """The model on a grid fine enough for `patients`; remembered."""
        return _grids(self, _rounded(patients))[0]

    def tail(self, patients: int, limit: float) -> FloatArray:
        """Columns for `PosteriorGrid.expect` that give P(p_j > limit), shape (nodes, levels)."""
        return _tail(self, _rounded(patients), limit)

    def mean_prob(self, n: IntArray, y: IntArray) -> FloatArray:
        """Posterior mean DLT probabilities, shape (states, levels)."""
        grid = self.grid(_most(n))
        return grid.expect(n, y, grid.p)

    def prob_above(self, n: IntArray, y: IntArray, limit: float) -> FloatArray:
        """Posterior P(p_j > limit), shape (states, levels)."""
        return self.grid(_most(n)).expect(n, y, self.tail(_most(n), limit))

    def moments(self, weight: FloatArray, patients: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Means and covariance of (log a, log b), and mean DLT probabilities, from the nodes' weights."""
        grid = self.grid(patients)
        mean = weight @ grid.parameters
        centred = grid.parameters - mean
        return mean, (weight[:, None] * centred).T @ centred, weight @ grid.p

    def estimates(self, n: IntArray, y: IntArray) -> tuple[LevelEstimate, ...]:
        """Posterior mean and equal-tailed 95% interval per level."""
        mean = self.mean_prob(n[None, :], y[None, :])[0]
        above = self.prob_above(n[None, :], y[None, :], self.target_rate)[0]
        low, high = (self._quantile(n, y, q) for q in (0.025, 0.975))
        return level_estimates(n, y, mean, low, high, above)

    def _quantile(self, n: IntArray, y: IntArray, probability: float) -> FloatArray:
        """Quantile of p_j per level, by interpolation of the distribution on a fixed ladder of limits."""
        ladder = 1 / (1 + np.exp(-np.linspace(-9, 9, 91)))
        patients = _most(n[None, :])
        columns = np.concatenate([self.tail(patients, float(limit)) for limit in ladder], axis=1)
        above = self.grid(patients).expect(n[None, :], y[None, :], columns)[0].reshape(ladder.size, -1)
        return np.array([np.interp(probability, 1 - above[:, j], ladder) for j in range(n.size)])


def _most(n: IntArray) -> int:
    return int(n.sum(axis=1).max())


def _rounded(patients: int) -> int:
    """A grid serves up to the next multiple of 30 patients."""
    return max(30, -(-patients // 30) * 30)


@dataclass(frozen=True)
class _Inner:
    """Per node: inner standard coordinate, its spacing, scale and the centre of log a given log b."""

    z: FloatArray
    h: FloatArray
    scale: FloatArray
    centre: FloatArray


@lru_cache(maxsize=16)
def _grids(rule: TwoParameterRule, patients: int) -> tuple[PosteriorGrid, _Inner]:
    x = np.log(np.asarray(rule.doses) / rule.ref_dose)
    parts = [_component_nodes(component, patients) for component in rule.components]
    log_a, log_b, log_prior, z, h, scale, centre = (np.concatenate(part) for part in zip(*parts, strict=True))
    eta = log_a[:, None] + np.exp(log_b)[:, None] * x
    grid = PosteriorGrid(np.column_stack([log_a, log_b]), log_prior, log_expit(eta), log_expit(-eta))
    return grid, _Inner(z, h, scale, centre)


def _component_nodes(component: Component, patients: int) -> tuple[FloatArray, ...]:
    """Nodes inside a circle of REACH in standardised coordinates.

    One patient holds at most 1/4 of information about log a, so the inner posterior standard deviation is at
    least 1/sqrt(1 + patients scale^2 / 4); 0.6 of it keeps half-lines exact to 1e-6 at worst.
    """
    (m1, m2), (s1, s2), r = component.mean, component.sd, component.correlation
    scale = s1 * np.sqrt(1 - r * r)
    inner = _axis(0.6 / np.sqrt(1 + patients * scale**2 / 4))
    outer = _axis(OUTER_STEP * np.sqrt(30 / patients))
    z2, z1 = (axis.ravel() for axis in np.meshgrid(outer, inner, indexing="ij"))
    keep = z1**2 + z2**2 <= REACH**2
    z1, z2 = z1[keep], z2[keep]
    h1, h2 = inner[1] - inner[0], outer[1] - outer[0]
    centre = m1 + s1 * r * z2
    log_prior = np.log(component.weight * h1 * h2) - 0.5 * (z1**2 + z2**2)
    ones = np.ones_like(z1)
    return centre + scale * z1, m2 + s2 * z2, log_prior, z1, h1 * ones, scale * ones, centre


def _axis(h: float) -> FloatArray:
    half = int(np.ceil(REACH / h))
    return np.asarray(np.arange(-half, half + 1) * (REACH / half))


@lru_cache(maxsize=512)
def _tail(rule: TwoParameterRule, patients: int, limit: float) -> FloatArray:
    grid, inner = _grids(rule, patients)
    x = np.log(np.asarray(rule.doses) / rule.ref_dose)
    needed = np.log(limit / (1 - limit)) - np.exp(grid.parameters[:, 1])[:, None] * x
    threshold = (needed - inner.centre[:, None]) / inner.scale[:, None]
    return half_line_weights(inner.z[:, None] / inner.h[:, None], 1.0, threshold / inner.h[:, None])
