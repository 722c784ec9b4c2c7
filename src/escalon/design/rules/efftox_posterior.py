"""Posterior of the EffTox model by deterministic quadrature.

Given the association c = tanh(psi/2) the likelihood of efficacy a and toxicity b at one dose factors into

    pE^a qE^(1-a) pT^b qT^(1-b) (1 + (-1)^(a+b) c fE fT),   fE = qE if a else pE,   fT = qT if b else pT.

Without the last factor the efficacy parameters (3) and the toxicity parameters (2) are independent, and each part is
log-concave. Each part gets a lattice centred and scaled by its own mean and covariance, found by Newton's method
and two rounds of moment matching; the trapezoidal rule on it converges exponentially. The coupling factor is smooth
and is summed over the lattice of the other part and over Gauss-Hermite nodes of psi:

    weight of an efficacy node = own part x sum over toxicity nodes and psi of the coupling factors,

and likewise for toxicity. P(pE > limit) and P(pT < limit) are half-lines of the intercept and use the weights of
`quadrature.half_line_weights`: no indicator is summed over a lattice.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from escalon.design.quadrature import LADDER, half_line_weights, quantile_on_ladder
from escalon.design.rules.base import FloatArray, IntArray

Intervals = tuple[tuple[float, float], ...]
"""Lower and upper end per level."""
RADIUS = 6.5
"""Lattice radius in standard deviations."""
NEGLIGIBLE = (1e-9, 1e-6)
"""Nodes below this share of the largest weight are left out: of the lattice that carries the answer, and of the one
summed over in the coupling."""


@dataclass(frozen=True)
class Resolution:
    """Lattice spacings in standard deviations: `slope` (linear term), `curve` (quadratic term), `inner` (intercept);
    `other` widens all three to this much at least for the part that is summed over; `psi`: Gauss-Hermite nodes.

    The linear slope needs the finest one: limits at one dose and data at another cut the posterior at an angle.
    """

    slope: float = 0.4
    curve: float = 1.3
    inner: float = 0.5
    other: float = 1.2
    psi: int = 7

    def spacings(self, dimension: int, fine: bool) -> tuple[float, ...]:
        """Per parameter, the intercept last."""
        own = (self.slope, self.curve, self.inner) if dimension == 3 else (self.slope, self.inner)
        return own if fine else tuple(max(h, self.other) for h in own)


@dataclass(frozen=True)
class Part:
    """One logistic regression: `design`, shape (levels, parameters), slopes first and the intercept last; normal
    prior by `mean` and `sd`."""

    design: FloatArray
    mean: FloatArray
    sd: FloatArray


@dataclass(frozen=True)
class Nodes:
    """A lattice of one part: parameters (nodes, parameters), logits (nodes, levels), weights (nodes,), and what
    half-lines need: inner coordinate, spacing, scale of the intercept."""

    logit: FloatArray
    weight: FloatArray
    z: FloatArray
    h: float
    scale: float

    @property
    def p(self) -> FloatArray:
        """Probabilities, shape (nodes, levels)."""
        return np.asarray(1 / (1 + np.exp(-self.logit)))

    def above(self, limit: float) -> FloatArray:
        """Columns whose weighted mean is P(p > limit), shape (nodes, levels)."""
        needed = np.log(limit / (1 - limit)) - (self.logit - self.scale * self.z[:, None])
        threshold = needed / self.scale
        return half_line_weights(self.z[:, None] / self.h, 1.0, threshold / self.h)


@dataclass(frozen=True)
class EffToxPosterior:
    """Posterior per level, shape (levels,): mean probabilities, P(pE > limit), P(pT < limit)."""

    prob_eff: FloatArray
    prob_tox: FloatArray
    prob_acceptable_eff: FloatArray
    prob_acceptable_tox: FloatArray


def fit_efftox(
    efficacy: Part,
    toxicity: Part,
    psi: tuple[float, float],
    limits: tuple[float, float],
    counts: tuple[IntArray, IntArray, IntArray, IntArray],
    resolution: Resolution,
) -> EffToxPosterior:
    """Posterior from counts (n, y, e, both) per level; `psi`: prior mean and sd; `limits`: of efficacy, toxicity."""
    (eff, tox), weights = _joined(efficacy, toxicity, psi, counts, resolution)
    return EffToxPosterior(
        weights[0] @ eff.p,
        weights[1] @ tox.p,
        np.clip(weights[0] @ eff.above(limits[0]), 0, 1),
        np.clip(1 - weights[1] @ tox.above(limits[1]), 0, 1),
    )


def efftox_intervals(
    efficacy: Part,
    toxicity: Part,
    psi: tuple[float, float],
    counts: tuple[IntArray, IntArray, IntArray, IntArray],
    resolution: Resolution,
) -> tuple[Intervals, Intervals]:
    """Equal-tailed 95% intervals per level, of the probability of efficacy and of a DLT."""
    nodes, weights = _joined(efficacy, toxicity, psi, counts, resolution)
    found = []
    for part, weight in zip(nodes, weights, strict=True):
        above = np.clip([weight @ part.above(limit) for limit in LADDER], 0, 1)
        quantiles = (
            (quantile_on_ladder(column, 0.025), quantile_on_ladder(column, 0.975)) for column in above.T
        )
        found.append(tuple(quantiles))
    return found[0], found[1]


def _joined(
    efficacy: Part,
    toxicity: Part,
    psi: tuple[float, float],
    counts: tuple[IntArray, IntArray, IntArray, IntArray],
    resolution: Resolution,
) -> tuple[list[Nodes], list[FloatArray]]:
    """The lattices of efficacy and toxicity with the weights of their nodes, the association summed over."""
    from escalon.design.rules.kernels import couple

    n, y, e, _ = counts
    fine, coarse = (
        [
            _lattice(part, n, k, resolution.spacings(part.mean.size, own), own)
            for part, k in ((efficacy, e), (toxicity, y))
        ]
        for own in (True, False)
    )
    groups = _groups(*counts)
    c, c_weight = _association(psi, resolution.psi)
    factors = [[_factor(nodes.p, groups, part) for part, nodes in enumerate(pair)] for pair in (fine, coarse)]
    sign, power = groups[3], groups[4]
    weights = []
    for part in (0, 1):
        other = coarse[1 - part]
        joined = couple(
            factors[0][part],
            np.ascontiguousarray(factors[1][1 - part].T),
            other.weight,
            c,
            c_weight,
            sign,
            power,
        )
        weight = fine[part].weight * joined
        weights.append(weight / weight.sum())
    return fine, weights


def _groups(
    n: IntArray, y: IntArray, e: IntArray, both: IntArray
) -> tuple[IntArray, IntArray, IntArray, FloatArray, IntArray]:
    """Level, efficacy flag, toxicity flag, sign and size of every group of patients with the same outcome."""
    rows = []
    for j in range(n.size):
        cells = {
            (1, 1): both[j],
            (1, 0): e[j] - both[j],
            (0, 1): y[j] - both[j],
            (0, 0): n[j] - y[j] - e[j] + both[j],
        }
        rows += [(j, a, b, (-1.0) ** (a + b), int(count)) for (a, b), count in cells.items() if count]
    table = np.array(rows, dtype=np.float64).reshape(-1, 5)
    whole = table[:, [0, 1, 2, 4]].astype(np.int64)
    return (
        whole[:, 0],
        whole[:, 1],
        whole[:, 2],
        np.ascontiguousarray(table[:, 3]),
        np.ascontiguousarray(whole[:, 3]),
    )


def _factor(
    p: FloatArray, groups: tuple[IntArray, IntArray, IntArray, FloatArray, IntArray], part: int
) -> FloatArray:
    """f of every group at every node, shape (nodes, groups): q where the event happened, p where it did not."""
    level, flag = groups[0], groups[1 + part]
    return np.ascontiguousarray(np.where(flag == 1, 1 - p[:, level], p[:, level]))


@lru_cache(maxsize=16)
def _association(psi: tuple[float, float], nodes: int) -> tuple[FloatArray, FloatArray]:
    x, weight = np.polynomial.hermite_e.hermegauss(nodes)
    return np.tanh((psi[0] + psi[1] * x) / 2), weight / weight.sum()


@lru_cache(maxsize=16)
def _ball(spacings: tuple[float, ...]) -> FloatArray:
    """Lattice points within RADIUS."""
    axes = [np.arange(-int(RADIUS / h), int(RADIUS / h) + 1) * h for h in spacings]
    grid = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)
    return np.asarray(grid[(grid**2).sum(axis=1) <= RADIUS**2])


def _log_density(part: Part, n: IntArray, k: IntArray, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Unnormalised log posterior of one part and the logits, at rows of `theta`."""
    logit = theta @ part.design.T
    log_p, log_q = -np.logaddexp(0.0, -logit), -np.logaddexp(0.0, logit)
    prior = -0.5 * (((theta - part.mean) / part.sd) ** 2).sum(axis=1)
    return log_p @ k + log_q @ (n - k) + prior, logit


def _lattice(part: Part, n: IntArray, k: IntArray, spacings: tuple[float, ...], own: bool) -> Nodes:
    mean, covariance = _moments(part, n, k)
    root = np.linalg.cholesky(covariance)
    ball = _ball(spacings)
    log_weight, logit = _log_density(part, n, k, mean + ball @ root.T)
    weight = np.exp(log_weight - log_weight.max())
    keep = weight > NEGLIGIBLE[0 if own else 1]
    weight = weight[keep]
    return Nodes(logit[keep], weight / weight.sum(), ball[keep, -1], spacings[-1], float(root[-1, -1]))


def _moments(part: Part, n: IntArray, k: IntArray) -> tuple[FloatArray, FloatArray]:
    """Mean and covariance of one part without the association."""
    mean, covariance = _newton(part, n, k)
    for _ in range(2):
        root = np.linalg.cholesky(covariance)
        theta = mean + _ball((0.9,) * mean.size) @ root.T
        log_weight, _ = _log_density(part, n, k, theta)
        weight = np.exp(log_weight - log_weight.max())
        weight /= weight.sum()
        mean = weight @ theta
        away = theta - mean
        covariance = (weight[:, None] * away).T @ away
    return mean, covariance


def _newton(part: Part, n: IntArray, k: IntArray) -> tuple[FloatArray, FloatArray]:
    """Mode and inverse negative Hessian; the density is log-concave, steps are halved until they climb."""
    theta, precision = part.mean.copy(), 1 / part.sd**2
    value = float(_log_density(part, n, k, theta[None])[0][0])
    for _ in range(60):
        p = 1 / (1 + np.exp(-(part.design @ theta)))
        slope = part.design.T @ (k - n * p) - precision * (theta - part.mean)
        hessian = (part.design * (n * p * (1 - p))[:, None]).T @ part.design + np.diag(precision)
        step = np.linalg.solve(hessian, slope)
        for _ in range(30):
            trial = float(_log_density(part, n, k, (theta + step)[None])[0][0])
            if trial >= value - 1e-12:
                break
            step = step / 2
        theta, value = theta + step, trial
        if float(np.abs(step / part.sd).max()) < 1e-8:
            break
    return theta, np.asarray(np.linalg.inv(hessian), dtype=np.float64)
