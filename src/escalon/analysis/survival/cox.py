"""Cox regression, for exploration: Efron, Breslow or exact ties.

Newton-Raphson on the partial likelihood with step halving, from 0. ``exact`` is the discrete (conditional
logistic) likelihood, by the recursion over subsets of the risk set. Cox 1972, doi
10.1111/j.2517-6161.1972.tb00899.x; Efron 1977, doi 10.1080/01621459.1977.10480613; recursion Gail, Lubin
and Rubinstein 1981, doi 10.1093/biomet/68.3.703. Written here because no library fits: one pins an old
pandas, the others leave out the exact likelihood.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, ndtri

from escalon.analysis.estimate import Estimate, check_conf_level
from escalon.analysis.survival.observations import read_event, read_time

__all__ = ["TIES", "CoxFit", "fit_cox"]

Floats = NDArray[np.float64]
Terms = tuple[float, Floats, Floats]

_MAX_STEPS = 50
_TOLERANCE = 1e-11
# A coefficient that moves the hazard by exp(15) per standard deviation is on its way to infinity.
_DIVERGED = 15.0


@dataclass(frozen=True, slots=True)
class CoxFit:
    """Coefficients (log hazard ratio per unit) with standard errors.

    ``reason`` set and numbers None where there is no maximum.
    """

    names: tuple[str, ...]
    coef: tuple[float | None, ...]
    std_err: tuple[float | None, ...]
    hazard_ratio: tuple[Estimate, ...]
    p_value: tuple[float | None, ...]
    loglik: tuple[float, float] | None
    n: int
    n_events: int
    ties: str
    reason: str | None = None


def fit_cox(
    time: ArrayLike,
    event: ArrayLike,
    covariates: ArrayLike,
    names: Sequence[str] | None = None,
    ties: str = "efron",
    conf_level: float = 0.95,
) -> CoxFit:
    """Fit a proportional-hazards model.

    Parameters: ``time``, ``event`` as in ``kaplan_meier``; ``covariates`` shape (n,) or (n, p), finite;
    ``ties`` efron, breslow or exact. Returns Wald intervals and p-values; a monotone likelihood, a constant
    or collinear covariate is a reason, not a number.
    """
    check_conf_level(conf_level)
    if ties not in _TERMS:
        raise ValueError(f"ties is {ties!r}: one of {', '.join(_TERMS)} is expected")
    t = read_time(time)
    e = read_event(event, t.size)
    x = np.asarray(covariates, dtype=np.float64).reshape(t.size, -1) if t.size else np.zeros((0, 1))
    if not np.all(np.isfinite(x)):
        raise ValueError("covariates holds a missing or infinite value: every patient needs every covariate")
    labels = tuple(names) if names is not None else tuple(f"x{i + 1}" for i in range(x.shape[1]))
    if len(labels) != x.shape[1]:
        raise ValueError(f"names has {len(labels)} entries for {x.shape[1]} covariates")
    shape = (labels, int(t.size), int(e.sum()), ties)
    if not e.any():
        return _no_fit(*shape, "no events")
    spread = x.std(axis=0)
    if np.any(spread == 0) or np.linalg.matrix_rank(x - x.mean(axis=0)) < x.shape[1]:
        return _no_fit(*shape, "a covariate is constant or a combination of the others")
    return _maximise(t, e, (x - x.mean(axis=0)) / spread, spread, shape, conf_level)


def _no_fit(labels: tuple[str, ...], n: int, n_events: int, ties: str, reason: str) -> CoxFit:
    none = (None,) * len(labels)
    ratios = (Estimate(None, None, None, reason),) * len(labels)
    return CoxFit(labels, none, none, ratios, none, None, n, n_events, ties, reason)


def _maximise(
    t: Floats,
    e: NDArray[np.bool_],
    x: Floats,
    spread: Floats,
    shape: tuple[tuple[str, ...], int, int, str],
    conf_level: float,
) -> CoxFit:
    """Newton steps on standardised covariates, then back to their units."""
    labels, n, n_events, ties = shape
    beta = np.zeros(x.shape[1])
    start = current = _likelihood(beta, t, e, x, ties)
    for _ in range(_MAX_STEPS):
        loglik, gradient, information = current
        if np.linalg.cond(information) > 1e13:
            return _no_fit(*shape, "the likelihood has no finite maximum")
        step = np.linalg.solve(information, gradient)
        following = _likelihood(beta + step, t, e, x, ties)
        while following[0] < loglik - 1e-12 * abs(loglik):
            step = step / 2.0
            following = _likelihood(beta + step, t, e, x, ties)
        beta, current = beta + step, following
        if np.max(np.abs(beta)) > _DIVERGED:
            return _no_fit(*shape, "the likelihood has no finite maximum")
        if np.max(np.abs(step)) < _TOLERANCE:
            break
    coef = beta / spread
    errors = np.sqrt(np.diag(np.linalg.inv(current[2]))) / spread
    z = float(ndtri(0.5 + conf_level / 2.0))
    ratios = tuple(
        Estimate(math.exp(b), math.exp(b - z * s), math.exp(b + z * s), std_err=float(s))
        for b, s in zip(coef, errors, strict=True)
    )
    p = tuple(float(chdtrc(1, (b / s) ** 2)) for b, s in zip(coef, errors, strict=True))
    logliks = (start[0], current[0])
    return CoxFit(labels, tuple(coef.tolist()), tuple(errors.tolist()), ratios, p, logliks, n, n_events, ties)


def _likelihood(beta: Floats, t: Floats, e: NDArray[np.bool_], x: Floats, ties: str) -> Terms:
    """Log partial likelihood, gradient and information."""
    p = x.shape[1]
    loglik, gradient, information = 0.0, np.zeros(p), np.zeros((p, p))
    w = np.exp(x @ beta)
    for moment in np.unique(t[e]):
        tied, risk = (t == moment) & e, t >= moment
        own, log_denominator, first, second = x[tied].sum(axis=0), *_TERMS[ties](x, w, tied, risk)
        loglik += float(own @ beta) - log_denominator
        gradient = gradient + own - first
        information = information + second
    return loglik, gradient, information


def _weighted(x: Floats, w: Floats) -> tuple[float, Floats, Floats]:
    """Sums of w, w x and w x x'."""
    return float(w.sum()), w @ x, np.einsum("i,ij,ik->jk", w, x, x)


def _efron(x: Floats, w: Floats, tied: NDArray[np.bool_], risk: NDArray[np.bool_]) -> Terms:
    return _averaged(x, w, tied, risk, np.arange(int(tied.sum())) / int(tied.sum()))


def _breslow(x: Floats, w: Floats, tied: NDArray[np.bool_], risk: NDArray[np.bool_]) -> Terms:
    return _averaged(x, w, tied, risk, np.zeros(int(tied.sum())))


def _averaged(
    x: Floats, w: Floats, tied: NDArray[np.bool_], risk: NDArray[np.bool_], shares: Floats
) -> Terms:
    """One factor per tied event; each takes out its share of the tied patients' weight."""
    s0, s1, s2 = _weighted(x[risk], w[risk])
    d0, d1, d2 = _weighted(x[tied], w[tied])
    log_denominator, first, second = 0.0, np.zeros(x.shape[1]), np.zeros((x.shape[1],) * 2)
    for share in shares:
        a0, a1, a2 = s0 - share * d0, s1 - share * d1, s2 - share * d2
        mean = a1 / a0
        log_denominator += math.log(a0)
        first = first + mean
        second = second + a2 / a0 - np.outer(mean, mean)
    return log_denominator, first, second


def _exact(x: Floats, w: Floats, tied: NDArray[np.bool_], risk: NDArray[np.bool_]) -> Terms:
    """Sum over all subsets of the size of the ties, with its derivatives, adding one patient at a time."""
    d, p = int(tied.sum()), x.shape[1]
    b0, b1, b2 = np.zeros(d + 1), np.zeros((d + 1, p)), np.zeros((d + 1, p, p))
    b0[0] = 1.0
    for xi, wi in zip(x[risk], w[risk], strict=True):
        outer = np.einsum("j,ki->kji", xi, b1[:-1])
        b2[1:] += wi * (b2[:-1] + outer + outer.transpose(0, 2, 1) + np.outer(xi, xi) * b0[:-1, None, None])
        b1[1:] += wi * (b1[:-1] + xi * b0[:-1, None])
        b0[1:] += wi * b0[:-1]
    mean = b1[d] / b0[d]
    return math.log(b0[d]), mean, b2[d] / b0[d] - np.outer(mean, mean)


_TERMS: dict[str, Callable[[Floats, Floats, NDArray[np.bool_], NDArray[np.bool_]], Terms]] = {
    "efron": _efron,
    "breslow": _breslow,
    "exact": _exact,
}
TIES = tuple(_TERMS)
