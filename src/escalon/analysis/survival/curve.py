"""Kaplan-Meier curve, its quantiles, landmarks and numbers at risk; reverse Kaplan-Meier for follow-up.

S(t) = prod over event times t_j <= t of (1 - d_j / n_j); patients censored at t_j are still at risk at t_j.
Conventions where programs differ are arguments, never hidden: the transformation of the interval
(``conf_type``), and the value of a quantile when the curve is exactly flat at it (``quantile_rule``):

- ``"sas"``: middle of that flat step, from its event time to the next event time; without a later event not
  estimable;
- ``"r"``: the same, but without a later event the middle of the event time and the last follow-up time.

Kaplan and Meier 1958, doi 10.1080/01621459.1958.10501452; quantile intervals Brookmeyer and Crowley 1982,
doi 10.2307/2530286; the two plateau rules: R survival ``quantile.survfit`` and SAS LIFETEST documentation.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from escalon.analysis.estimate import Estimate, check_conf_level
from escalon.analysis.survival.bounds import compute_bounds
from escalon.analysis.survival.observations import Observations, read_observations

__all__ = ["QUANTILE_RULES", "Curve", "Landmarks", "follow_up", "kaplan_meier"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

QUANTILE_RULES = ("sas", "r")

# A product of fractions that equals 1 - q on paper misses it by some 1e-16 per factor; R uses the same
# tolerance.
_PLATEAU_TOLERANCE = 1e-8


@dataclass(frozen=True, slots=True)
class Landmarks:
    """The curve at chosen times: arrays of one length.

    NaN = not estimable, ``reason`` says why for each time.
    """

    times: Floats
    survival: Floats
    std_err: Floats
    low: Floats
    high: Floats
    n_at_risk: Ints
    reason: tuple[str | None, ...]

    def estimates(self) -> list[Estimate]:
        """One Estimate per time, NaN turned into None."""
        rows = zip(self.survival, self.low, self.high, self.std_err, self.reason, strict=True)
        return [
            Estimate(_number(s), _number(lo), _number(hi), why, _number(se)) for s, lo, hi, se, why in rows
        ]


@dataclass(frozen=True, slots=True)
class Curve:
    """A product-limit curve: one entry per distinct observed time, ascending.

    ``survival``, ``std_err`` (Greenwood), ``low``, ``high``: fractions, NaN = not estimable. ``n_risk``,
    ``n_event``, ``n_censor``: patients. ``n`` all patients. For reverse Kaplan-Meier an event is a
    censoring of the original data.
    """

    time: Floats
    survival: Floats
    std_err: Floats
    low: Floats
    high: Floats
    n_risk: Ints
    n_event: Ints
    n_censor: Ints
    n: int
    conf_type: str
    conf_level: float
    quantile_rule: str
    sigma: Floats = field(repr=False)
    observed: Floats = field(repr=False)

    @property
    def n_events(self) -> int:
        """Number of patients with the event."""
        return int(self.n_event.sum())

    @property
    def median(self) -> Estimate:
        """The median time with its interval."""
        return self.quantile(0.5)

    def quantile(self, q: float) -> Estimate:
        """Time by which a fraction ``q`` (0 < q < 1) had the event; the interval inverts the bounds.

        In the unit of ``time``. What the curve or its bound does not reach is None, with the reason.
        """
        if not 0.0 < q < 1.0:
            raise ValueError(f"q is {q!r}: a quantile lies between 0 and 1, for example 0.5 for the median")
        if self.n == 0:
            return Estimate(None, None, None, reason="no patients")
        value = self._crossing(self.survival, q)
        low, high = self._crossing(self.low, q), self._crossing(self.high, q)
        return Estimate(value, low, high, reason=self._quantile_reason(value, low, high, q))

    def _crossing(self, curve: Floats, q: float) -> float | None:
        """First time the curve is below 1 - q; the middle of the flat step when it is exactly 1 - q there."""
        level = 1.0 - q
        with np.errstate(invalid="ignore"):
            reached = np.flatnonzero(curve <= level + _PLATEAU_TOLERANCE)
            below = np.flatnonzero(curve < level - _PLATEAU_TOLERANCE)
        if reached.size == 0:
            return None
        first = float(self.time[reached[0]])
        if below.size:
            return (first + float(self.time[below[0]])) / 2.0
        return (first + float(self.time[-1])) / 2.0 if self.quantile_rule == "r" else None

    def _quantile_reason(
        self, value: float | None, low: float | None, high: float | None, q: float
    ) -> str | None:
        level = f"{1 - q:.6g}"
        if value is None:
            return f"the curve does not fall below {level} by the last follow-up at {self.time[-1]:.6g}"
        missing = [name for name, end in (("lower", low), ("upper", high)) if end is None]
        return f"{' and '.join(missing)} end: the bound does not fall below {level}" if missing else None

    def n_at_risk(self, times: ArrayLike) -> Ints:
        """Patients still followed at each time: those with time >= t (whatever happens at t)."""
        t = np.atleast_1d(np.asarray(times, dtype=np.float64))
        return np.asarray(self.n - np.searchsorted(self.observed, t, side="left"), dtype=np.int64)

    def at(self, times: ArrayLike | Sequence[float]) -> Landmarks:
        """The curve at ``times`` (>= 0): value at the last event time not after t.

        Not estimable past the last follow-up.
        """
        t = np.atleast_1d(np.asarray(times, dtype=np.float64))
        if not np.all(np.isfinite(t)) or np.any(t < 0):
            raise ValueError("times holds a negative or missing time: landmark times are 0 or more")
        at_risk = self.n_at_risk(t)
        index = np.searchsorted(self.time, t, side="right") - 1
        columns = []
        starts = ((self.survival, 1.0), (self.std_err, 0.0), (self.low, np.nan), (self.high, np.nan))
        for values, start in starts:
            padded = np.concatenate(([start], values))
            columns.append(np.where(at_risk > 0, padded[index + 1], np.nan))
        reasons = tuple(_landmark_reason(int(n), float(s)) for n, s in zip(at_risk, columns[0], strict=True))
        return Landmarks(t, columns[0], columns[1], columns[2], columns[3], at_risk, reasons)


def _number(x: float) -> float | None:
    return None if np.isnan(x) else float(x)


def _landmark_reason(n_at_risk: int, survival: float) -> str | None:
    if n_at_risk == 0:
        return "no patient followed as far"
    if survival == 1.0:
        return "no event yet: no Greenwood interval"
    return "the curve is 0: no Greenwood interval" if survival == 0.0 else None


def kaplan_meier(
    time: ArrayLike,
    event: ArrayLike,
    conf_type: str = "log-log",
    conf_level: float = 0.95,
    quantile_rule: str = "sas",
) -> Curve:
    """Kaplan-Meier curve of one group.

    Parameters: ``time`` shape (n,), 0 or more, one unit throughout; ``event`` shape (n,), boolean, True =
    event, False = censored; ``conf_type`` one of plain, log, log-log, logit, arcsin; ``quantile_rule``
    "sas" or "r" (see the module). n = 0 gives an empty curve whose quantiles carry the reason. Raises
    ValueError for unequal lengths, a missing or negative time, an event that is not boolean, an unknown
    convention.

    >>> km = kaplan_meier([1, 2, 3, 4], [True, True, True, True])
    >>> km.quantile(0.5).value
    2.5
    """
    data = read_observations(time, event)
    risk = data.n_risk
    return _build(data, data.n_event, data.n_censor, risk, conf_type, conf_level, quantile_rule)


def follow_up(
    time: ArrayLike,
    event: ArrayLike,
    conf_type: str = "log-log",
    conf_level: float = 0.95,
    quantile_rule: str = "sas",
    ties: str = "events-first",
) -> Curve:
    """Reverse Kaplan-Meier: the curve of follow-up, where being censored is the event.

    Source: Schemper and Smith 1996, doi 10.1016/0197-2456(96)00075-X.

    ``event`` marks the original events, as in ``kaplan_meier``. ``ties="events-first"``: events leave the
    risk set before censorings at the same time, the unbiased rule; ``ties="flip"``: plain exchange of the
    indicator, as SAS and R users do it. The median is the median follow-up.

    >>> follow_up([1, 1, 2, 3], [True, False, False, False]).survival[0].round(4)
    np.float64(0.6667)
    """
    if ties not in ("events-first", "flip"):
        raise ValueError(f"ties is {ties!r}: 'events-first' or 'flip' is expected")
    data = read_observations(time, event)
    risk = data.n_risk - (data.n_event if ties == "events-first" else 0)
    return _build(data, data.n_censor, data.n_event, risk, conf_type, conf_level, quantile_rule)


def _build(
    data: Observations, d: Ints, c: Ints, risk: Ints, conf_type: str, conf_level: float, quantile_rule: str
) -> Curve:
    """Product limit of d events among ``risk`` at each distinct time."""
    check_conf_level(conf_level)
    if quantile_rule not in QUANTILE_RULES:
        raise ValueError(f"quantile_rule is {quantile_rule!r}: 'sas' or 'r' is expected")
    left = risk - d
    # A time with nobody at risk (all left as events in the reverse curve) has no event and changes nothing.
    survival = np.cumprod(left / np.maximum(risk, 1) + (risk == 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(d > 0, d / (risk * left.astype(np.float64)), 0.0)
        sigma = np.sqrt(np.cumsum(terms))
        std_err = np.where(survival > 0.0, survival * sigma, np.nan)
    low, high = compute_bounds(survival, sigma, conf_type, conf_level)
    counts = (risk, d, c, data.n)
    rules = (conf_type, conf_level, quantile_rule)
    return Curve(data.time, survival, std_err, low, high, *counts, *rules, sigma, data.observed)
