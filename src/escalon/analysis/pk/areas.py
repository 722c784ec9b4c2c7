"""Trapezoids: area under the curve, under its first moment, partial areas, time above a threshold.

Linear: AUC += (t2-t1)(c1+c2)/2, AUMC += (t2-t1)(t1 c1 + t2 c2)/2. Logarithmic, c1 > c2 > 0: k =
log(c1/c2)/(t2-t1), AUC += (c1-c2)/k, AUMC += (t1 c1 - t2 c2)/k + (c1-c2)/k^2. Methods: ``linear``; ``lin-up
log-down`` (logarithmic where the concentration falls); ``linear-log`` (linear to Tmax, logarithmic after).
The logarithmic rule falls back to the linear one where an end is not positive or both are equal. Times in
one unit from the dose, concentrations in one unit. Gabrielsson and Weiner, Pharmacokinetic and
Pharmacodynamic Data Analysis, 5th ed. 2016, section 2.8. Plain floats: a profile has some twenty samples.
"""

import math
from collections.abc import Sequence

__all__ = [
    "AUC_METHODS",
    "compute_running_areas",
    "compute_time_above",
    "interpolate",
    "segment_areas",
    "uses_log",
]

AUC_METHODS = ("linear", "lin-up log-down", "linear-log")


def uses_log(method: str, t1: float, c1: float, c2: float, tmax: float) -> bool:
    """Whether the segment from (t1, c1) to a concentration c2 is logarithmic."""
    if c1 <= 0.0 or c2 <= 0.0 or c1 == c2:
        return False
    if method == "lin-up log-down":
        return c1 > c2
    return method == "linear-log" and t1 >= tmax


def segment_areas(t1: float, c1: float, t2: float, c2: float, log: bool) -> tuple[float, float]:
    """AUC and AUMC of one segment; ``log`` needs two positive, different ends."""
    dt = t2 - t1
    if not log:
        return dt * (c1 + c2) / 2.0, dt * (t1 * c1 + t2 * c2) / 2.0
    # log1p of the exact difference: log(c1 / c2) loses every digit when the ends nearly agree.
    x = math.log1p((c1 - c2) / c2)
    area = dt * (c1 - c2) / x
    return area, t1 * area + c1 * dt * dt * _first_moment(x)


def _first_moment(x: float) -> float:
    """Integral of s exp(-x s) over [0, 1]: (1 - (1 + x) exp(-x)) / x^2, as a series where that form cancels."""
    if abs(x) > 0.02:
        return (1.0 - (1.0 + x) * math.exp(-x)) / (x * x)
    return 0.5 - x * (1 / 3 - x * (1 / 8 - x * (1 / 30 - x * (1 / 144 - x / 840))))


def compute_running_areas(
    time: Sequence[float], conc: Sequence[float], method: str, tmax: float
) -> list[tuple[float, float]]:
    """AUC and AUMC from the first sample to each: (concentration x time, concentration x time^2)."""
    auc = aumc = 0.0
    running = [(0.0, 0.0)]
    t1, c1 = time[0], conc[0]
    for t2, c2 in zip(time[1:], conc[1:], strict=True):
        area, moment = segment_areas(t1, c1, t2, c2, uses_log(method, t1, c1, c2, tmax))
        auc += area
        aumc += moment
        running.append((auc, aumc))
        t1, c1 = t2, c2
    return running


def interpolate(t: float, t1: float, c1: float, t2: float, c2: float, log: bool) -> float:
    """Concentration at t between two samples, along the line the area method draws."""
    share = (t - t1) / (t2 - t1)
    return c1 * math.exp(share * math.log(c2 / c1)) if log else c1 + share * (c2 - c1)


def compute_time_above(
    time: Sequence[float], conc: Sequence[float], threshold: float, method: str, tmax: float
) -> float:
    """Time with a concentration above ``threshold`` (> 0), crossings on the line the area method draws."""
    total = 0.0
    for i in range(len(time) - 1):
        t1, t2, c1, c2 = time[i], time[i + 1], conc[i], conc[i + 1]
        above1, above2 = c1 > threshold, c2 > threshold
        if above1 and above2:
            total += t2 - t1
        elif above1 or above2:
            if uses_log(method, t1, c1, c2, tmax):
                share = math.log(threshold / c1) / math.log(c2 / c1)
            else:
                share = (threshold - c1) / (c2 - c1)
            total += (t2 - t1) * (share if above1 else 1.0 - share)
    return total
