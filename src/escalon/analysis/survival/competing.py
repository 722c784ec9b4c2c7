"""Cumulative incidence with competing risks (Aalen-Johansen).

F_k(t) = sum over t_j <= t of S(t_j-) d_kj / n_j with S the curve free of every cause. Variance by the delta
method, which for one cause is Greenwood's: sum over t_j <= t of (F_k(t) - F_k(t_j))^2 d_j / (n_j (n_j -
d_j)) + S(t_j-)^2 d_kj (n_j - d_kj) / n_j^3
- 2 (F_k(t) - F_k(t_j)) S(t_j-) d_kj / n_j^2. Interval: F^exp(-/+ z se / (F log F)) (complementary log-log,
  as SAS LIFETEST) or plain. Marubini and Valsecchi 1995, chapter 10; Choudhury 2002, doi 10.1002/sim.1135.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from escalon.analysis.estimate import Estimate, check_conf_level, not_estimable
from escalon.analysis.survival.observations import read_time

__all__ = ["CumulativeIncidence", "cumulative_incidence"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CumulativeIncidence:
    """Incidence of each cause at each distinct event time, ascending.

    ``incidence`` and ``std_err``: shape (times, causes), in the order of ``causes``; ``n_risk`` patients
    free of every cause before the time.
    """

    time: Floats
    causes: tuple[Hashable, ...]
    incidence: Floats
    std_err: Floats
    n_risk: Ints
    n_event: Ints
    n: int
    conf_type: str
    conf_level: float
    observed: Floats = field(repr=False)

    def column(self, cause: Hashable) -> int:
        """Index of a cause; ValueError names the causes there are."""
        if cause not in self.causes:
            raise ValueError(f"no cause {cause!r}: there are {', '.join(map(str, self.causes))}")
        return self.causes.index(cause)

    def at(self, times: ArrayLike, cause: Hashable) -> list[Estimate]:
        """Incidence of ``cause`` by each time (0 or more), not estimated past the last follow-up."""
        k, result = self.column(cause), []
        for t in np.atleast_1d(np.asarray(times, dtype=np.float64)).tolist():
            if not t >= 0:
                raise ValueError(f"times holds {t}: landmark times are 0 or more")
            if self.n == 0 or t > self.observed[-1]:
                result.append(not_estimable("no patient followed as far"))
                continue
            j = int(np.searchsorted(self.time, t, side="right")) - 1
            f, se = (float(self.incidence[j, k]), float(self.std_err[j, k])) if j >= 0 else (0.0, 0.0)
            result.append(self._estimate(f, se))
        return result

    def _estimate(self, f: float, se: float) -> Estimate:
        if f <= 0.0 or f >= 1.0:
            return Estimate(f, None, None, f"the incidence is {f:.0f}: no interval", se)
        z = float(ndtri(0.5 + self.conf_level / 2.0))
        if self.conf_type == "plain":
            return Estimate(f, max(f - z * se, 0.0), min(f + z * se, 1.0), None, se)
        width = z * se / (f * abs(np.log(f)))
        return Estimate(f, float(f ** np.exp(width)), float(f ** np.exp(-width)), None, se)


def cumulative_incidence(
    time: ArrayLike,
    cause: Sequence[Any] | NDArray[Any],
    censored: Hashable = None,
    conf_type: str = "log-log",
    conf_level: float = 0.95,
) -> CumulativeIncidence:
    """Aalen-Johansen estimate for every cause.

    Parameters: ``time`` shape (n,), 0 or more; ``cause`` one label per patient, ``censored`` (None unless
    given) where no event was seen; ``conf_type`` log-log or plain. Raises ValueError as ``kaplan_meier``.

    >>> ci = cumulative_incidence([1, 2, 3, 4], ["relapse", "death", None, "relapse"])
    >>> [round(e.value, 4) for e in ci.at([1, 4], "relapse")]
    [0.25, 0.75]
    """
    check_conf_level(conf_level)
    if conf_type not in ("log-log", "plain"):
        raise ValueError(f"conf_type is {conf_type!r}: 'log-log' or 'plain' is expected")
    t, labels = read_time(time), list(cause)
    if len(labels) != t.size:
        raise ValueError(
            f"cause has {len(labels)} labels and time {t.size} rows: one label per patient is expected"
        )
    had = np.array([c != censored and c is not None for c in labels], dtype=bool)
    causes = tuple(sorted({c for c, e in zip(labels, had, strict=True) if e}, key=str))
    index = {c: i for i, c in enumerate(causes)}
    times = np.unique(t[had])
    observed = np.sort(t)
    d = np.zeros((times.size, len(causes)), dtype=np.int64)
    for i in np.flatnonzero(had):
        d[np.searchsorted(times, t[i]), index[labels[i]]] += 1
    n_risk = (t.size - np.searchsorted(observed, times, side="left")).astype(np.int64)
    incidence, std_err = _aalen_johansen(d.astype(float), n_risk.astype(float))
    return CumulativeIncidence(
        times, causes, incidence, std_err, n_risk, d, int(t.size), conf_type, conf_level, observed
    )


def _aalen_johansen(d: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Incidence and its standard error, both (times, causes)."""
    total = d.sum(axis=1)
    before = np.concatenate(([1.0], np.cumprod(1.0 - total / n)))[:-1] if n.size else np.ones(0)
    incidence = np.cumsum(before[:, None] * d / n[:, None], axis=0)
    variance = np.zeros_like(incidence)
    # When everybody left has the event the first term is 0 x infinity: no later time exists, its factor is 0.
    greenwood = np.divide(total, n * (n - total), out=np.zeros_like(n), where=total < n)
    for j in range(n.size):
        gap = incidence[j] - incidence[: j + 1]
        own = (
            before[: j + 1, None] ** 2 * d[: j + 1] * (n[: j + 1, None] - d[: j + 1]) / n[: j + 1, None] ** 3
        )
        cross = 2.0 * gap * before[: j + 1, None] * d[: j + 1] / n[: j + 1, None] ** 2
        variance[j] = np.sum(gap**2 * greenwood[: j + 1, None] + own - cross, axis=0)
    return incidence, np.sqrt(np.maximum(variance, 0.0))
