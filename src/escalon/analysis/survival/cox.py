"""Cox regression, for exploration: Efron, Breslow or exact ties, fitted by statsmodels (extra ``cox``).

The library maximises and inverts; here stand the checks of the input, the reasons, and the one likelihood it lacks:
``exact`` is the discrete (conditional logistic) likelihood, by the recursion over subsets of the risk set. Cox
1972, doi 10.1111/j.2517-6161.1972.tb00899.x; Efron 1977, doi 10.1080/01621459.1977.10480613; recursion Gail, Lubin
and Rubinstein 1981, doi 10.1093/biomet/68.3.703.
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from escalon.analysis.estimate import Estimate, check_conf_level
from escalon.analysis.survival.observations import read_event, read_time

__all__ = ["TIES", "CoxFit", "fit_cox"]

Floats = NDArray[np.float64]

TIES = ("efron", "breslow", "exact")
_MAX_STEPS = 50
_TOLERANCE = 1e-11
# A coefficient of 15 per standard deviation, or one no better known than that, is on its way to infinity.
_DIVERGED = 15.0
# Left over at the maximum, per event: far below what a printed digit shows, far above rounding.
_SLOPE = 1e-8
_NO_MAXIMUM = "the likelihood has no finite maximum"


@dataclass(frozen=True, slots=True)
class CoxFit:
    """Coefficients (log hazard ratio per unit) with standard errors.

    ``reason`` set and numbers None where there is no maximum. ``loglik``: without covariates, and at the maximum.
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

    Parameters: ``time``, ``event`` as in ``kaplan_meier``; ``covariates`` shape (n,) or (n, p), finite; ``ties``
    efron, breslow or exact. Returns Wald intervals and p-values; a monotone likelihood, a constant or collinear
    covariate is a reason, not a number. Raises ModuleNotFoundError, with the way out, without statsmodels.
    """
    check_conf_level(conf_level)
    if ties not in TIES:
        raise ValueError(f"ties is {ties!r}: one of {', '.join(TIES)} is expected")
    t = read_time(time)
    e = read_event(event, t.size)
    x = _read_covariates(covariates, t.size)
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
    return _fit(t, e, (x - x.mean(axis=0)) / spread, spread, shape, conf_level)


def _read_covariates(covariates: ArrayLike, n: int) -> Floats:
    """One row per patient; a vector is one covariate."""
    try:
        x = np.asarray(covariates, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"covariates holds something that is not a number: {error}") from None
    if n and (x.ndim not in (1, 2) or len(x) != n):
        raise ValueError(f"covariates has shape {x.shape}: one row for each of the {n} patients is expected")
    return x.reshape(n, -1) if n else np.zeros((0, 1))


def _no_fit(labels: tuple[str, ...], n: int, n_events: int, ties: str, reason: str) -> CoxFit:
    none = (None,) * len(labels)
    ratios = (Estimate(None, None, None, reason),) * len(labels)
    return CoxFit(labels, none, none, ratios, none, None, n, n_events, ties, reason)


def _fit(
    t: Floats,
    e: NDArray[np.bool_],
    x: Floats,
    spread: Floats,
    shape: tuple[tuple[str, ...], int, int, str],
    conf_level: float,
) -> CoxFit:
    """Fit on standardised covariates, then back to their units."""
    model = _model(t, e, x, shape[3])
    try:
        with warnings.catch_warnings():
            # What the library warns about (no convergence, a singular matrix) becomes a reason below.
            warnings.simplefilter("ignore")
            found = model.fit(method="newton", maxiter=_MAX_STEPS, tol=_TOLERANCE, disp=0)
            beta, errors = np.asarray(found.params), np.asarray(found.bse)
            p_values, loglik = np.asarray(found.pvalues), float(found.llf)
    except np.linalg.LinAlgError:
        return _no_fit(*shape, _NO_MAXIMUM)
    # Written so that NaN fails too; a maximum has a finite place, a finite width and no slope.
    within = np.all(np.abs(beta) < _DIVERGED) and np.all(errors < _DIVERGED)
    if not (within and np.all(np.abs(model.score(beta)) < _SLOPE * shape[2])):
        return _no_fit(*shape, _NO_MAXIMUM)
    coef, errors = beta / spread, errors / spread
    z = float(ndtri(0.5 + conf_level / 2.0))
    ratios = tuple(
        Estimate(math.exp(b), math.exp(b - z * s), math.exp(b + z * s), std_err=float(s))
        for b, s in zip(coef, errors, strict=True)
    )
    logliks = (float(model.loglike(np.zeros(x.shape[1]))), loglik)
    labels, n, n_events, ties = shape
    return CoxFit(
        labels, tuple(coef.tolist()), tuple(errors.tolist()), ratios, tuple(p_values.tolist()), logliks, n,
        n_events, ties,
    )  # fmt: skip


def _model(t: Floats, e: NDArray[np.bool_], x: Floats, ties: str) -> Any:
    """The model of the library; for exact ties with the likelihood below in place of its own."""
    try:
        # Imported here: it takes seconds, and only exploration needs it.
        from statsmodels.duration.hazard_regression import PHReg
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("fit_cox needs statsmodels: pip install 'escalon[cox]'") from error
    model = PHReg(t, x, status=e.astype(int), ties="breslow" if ties == "exact" else ties)
    if ties == "exact":
        sets = [(x[(t == moment) & e], x[t >= moment]) for moment in np.unique(t[e])]
        # The library asks for value, slope and curvature at one place in turn: they are computed once.
        at = lru_cache(maxsize=2)(lambda beta: _exact(np.array(beta), sets))
        model.loglike = lambda beta: at(tuple(beta))[0]
        model.score = lambda beta: at(tuple(beta))[1]
        model.hessian = lambda beta: -at(tuple(beta))[2]
    return model


def _exact(beta: Floats, sets: Sequence[tuple[Floats, Floats]]) -> tuple[float, Floats, Floats]:
    """Log likelihood, gradient and information; ``sets``: covariates of the events and of those at risk, by time."""
    p = beta.size
    loglik, gradient, information = 0.0, np.zeros(p), np.zeros((p, p))
    for tied, risk in sets:
        own, log_denominator, first, second = (
            tied.sum(axis=0),
            *_subsets(risk, np.exp(risk @ beta), len(tied)),
        )
        loglik += float(own @ beta) - log_denominator
        gradient = gradient + own - first
        information = information + second
    return loglik, gradient, information


def _subsets(x: Floats, w: Floats, d: int) -> tuple[float, Floats, Floats]:
    """Log of the sum over all subsets of ``d`` patients, with its derivatives, adding one patient at a time."""
    p = x.shape[1]
    b0, b1, b2 = np.zeros(d + 1), np.zeros((d + 1, p)), np.zeros((d + 1, p, p))
    b0[0] = 1.0
    for xi, wi in zip(x, w, strict=True):
        outer = np.einsum("j,ki->kji", xi, b1[:-1])
        b2[1:] += wi * (b2[:-1] + outer + outer.transpose(0, 2, 1) + np.outer(xi, xi) * b0[:-1, None, None])
        b1[1:] += wi * (b1[:-1] + xi * b0[:-1, None])
        b0[1:] += wi * b0[:-1]
    mean = b1[d] / b0[d]
    return math.log(b0[d]), mean, b2[d] / b0[d] - np.outer(mean, mean)
