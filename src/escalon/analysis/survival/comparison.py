"""Log-rank test, stratified, and its G-rho weights.

At each event time the expected events of a group are d n_g / n; the covariance is hypergeometric. With
``rho`` the terms of a stratum are weighted by S(t-)^rho of the pooled stratum: 0 log-rank, 1 Peto-Peto form
of the Wilcoxon test. Harrington and Fleming 1982, doi 10.1093/biomet/69.3.553; strata are summed before the
test (Mantel).
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc

from escalon.analysis.survival.observations import read_event, read_time

__all__ = ["LogRank", "log_rank"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LogRank:
    """Test that the groups share one survival curve.

    ``chi2`` and ``p_value`` are None, with a ``reason``, where fewer than two groups are ever at risk
    together. ``observed`` and ``expected`` are (weighted) events in the order of ``groups``.
    """

    groups: tuple[Hashable, ...]
    n: tuple[int, ...]
    observed: tuple[float, ...]
    expected: tuple[float, ...]
    chi2: float | None
    df: int
    p_value: float | None
    reason: str | None = None


def log_rank(
    time: ArrayLike,
    event: ArrayLike,
    group: Sequence[Any] | NDArray[Any],
    strata: Sequence[Any] | NDArray[Any] | None = None,
    rho: float = 0.0,
) -> LogRank:
    """Compare two or more groups, within strata when given.

    Parameters: ``time``, ``event`` as in ``kaplan_meier``; ``group`` and ``strata`` one label per patient;
    ``rho`` 0 or more. Returns chi-square with (number of groups - 1) degrees of freedom. Raises ValueError
    for unequal lengths and missing labels.

    >>> r = log_rank([1, 2, 3, 4], [True] * 4, ["a", "a", "b", "b"])
    >>> round(r.chi2, 4)
    2.8824
    """
    t = read_time(time)
    e = read_event(event, t.size)
    groups, g = _labels("group", group, t.size)
    levels, s = (
        _labels("strata", strata, t.size) if strata is not None else ((0,), np.zeros(t.size, np.int64))
    )
    if not rho >= 0:
        raise ValueError(f"rho is {rho}: 0 (log-rank) or more is expected")
    if t.size == 0:
        return LogRank((), (), (), (), None, 0, None, "no patients")
    k = len(groups)
    observed, expected, cov = np.zeros(k), np.zeros(k), np.zeros((k, k))
    for level in range(len(levels)):
        inside = s == level
        o, x, v = _one_stratum(t[inside], e[inside], g[inside], k, rho)
        observed, expected, cov = observed + o, expected + x, cov + v
    chi2, reason = _statistic(observed - expected, cov)
    sizes = tuple(int(c) for c in np.bincount(g, minlength=k))
    p_value = None if chi2 is None else float(chdtrc(k - 1, chi2))
    return LogRank(
        groups, sizes, tuple(observed.tolist()), tuple(expected.tolist()), chi2, k - 1, p_value, reason
    )


def _labels(
    name: str, labels: Sequence[Any] | NDArray[Any], n: int
) -> tuple[tuple[Hashable, ...], NDArray[np.int64]]:
    values = list(labels)
    if len(values) != n:
        raise ValueError(
            f"{name} has {len(values)} labels and time {n} rows: one label per patient is expected"
        )
    missing = [i for i, v in enumerate(values) if v is None or v != v]
    if missing:
        raise ValueError(f"{name}[{missing[0]}] is missing: every patient belongs to a {name}")
    try:
        levels = sorted(set(values))
    except TypeError:
        raise ValueError(
            f"{name} mixes labels of several types: give all as text or all as numbers"
        ) from None
    index = {v: i for i, v in enumerate(levels)}
    return tuple(levels), np.array([index[v] for v in values], dtype=np.int64)


def _one_stratum(
    t: Floats, e: NDArray[np.bool_], g: NDArray[np.int64], k: int, rho: float
) -> tuple[Floats, Floats, Floats]:
    """Weighted observed, expected and covariance of one stratum."""
    times = np.unique(t[e])
    at_risk = np.stack([np.count_nonzero(t[g == j] >= times[:, None], axis=1) for j in range(k)], axis=1)
    events = np.stack(
        [np.count_nonzero((t[(g == j) & e]) == times[:, None], axis=1) for j in range(k)], axis=1
    )
    n, d = at_risk.sum(axis=1).astype(float), events.sum(axis=1).astype(float)
    before = np.concatenate(([1.0], np.cumprod(1.0 - d / n)))[:-1] if times.size else np.ones(0)
    w = before**rho
    share = at_risk / n[:, None]
    observed = (w[:, None] * events).sum(axis=0)
    expected = (w[:, None] * d[:, None] * share).sum(axis=0)
    # Alone at risk, the hypergeometric variance is 0; the guard only avoids 0/0.
    factor = w**2 * d * (n - d) / np.maximum(n - 1.0, 1.0)
    cov = np.diag((factor[:, None] * share).sum(axis=0)) - np.einsum("t,ti,tj->ij", factor, share, share)
    return observed, expected, cov


def _statistic(difference: Floats, cov: Floats) -> tuple[float | None, str | None]:
    """Quadratic form on the groups that can differ.

    A group never at risk with another carries no information.
    """
    if difference.size < 2:
        return None, "fewer than two groups"
    d, v = difference[:-1], cov[:-1, :-1]
    if not np.any(np.diag(cov) > 0):
        return None, "no event while two groups were at risk"
    if np.linalg.matrix_rank(v) < d.size:
        return None, "a group is never at risk together with another at an event time"
    return float(d @ np.linalg.solve(v, d)), None
