"""Restricted mean survival time: the area under the curve up to a stated horizon.

Variance: sum over event times t_j <= horizon of (area from t_j to the horizon)^2 d_j / (n_j (n_j - d_j));
interval plus or minus z standard errors. Past the last follow-up the mean is not estimated unless the curve
has reached 0. Source: Klein and Moeschberger 2003, section 4.5; Royston and Parmar 2013, doi
10.1186/1471-2288-13-152.
"""

import math

import numpy as np
from scipy.special import ndtri

from escalon.analysis.estimate import Estimate, not_estimable
from escalon.analysis.survival.curve import Curve

__all__ = ["restricted_mean"]


def restricted_mean(curve: Curve, horizon: float) -> Estimate:
    """Mean time without event up to ``horizon``, with standard error and interval.

    ``horizon`` is above 0, in the unit of ``time``.

    >>> from escalon.analysis.survival.curve import kaplan_meier
    >>> restricted_mean(kaplan_meier([1, 2, 3, 4], [True] * 4), 4).value
    2.5
    """
    if not horizon > 0 or not math.isfinite(horizon):
        raise ValueError(f"horizon is {horizon!r}: a time above 0 is expected")
    if curve.n == 0:
        return not_estimable("no patients")
    if horizon > curve.time[-1] and curve.survival[-1] > 0.0:
        return not_estimable(
            f"the last follow-up is at {curve.time[-1]:.6g}, before the horizon {horizon:.6g}"
        )
    inside = curve.time < horizon
    edges = np.concatenate(([0.0], curve.time[inside], [horizon]))
    heights = np.concatenate(([1.0], curve.survival[inside]))
    pieces = np.diff(edges) * heights
    # Area from each event time to the horizon.
    remaining = np.cumsum(pieces[::-1])[::-1][1:]
    d, n = curve.n_event[inside].astype(float), curve.n_risk[inside].astype(float)
    # After the last patient at risk has had the event the remaining area is 0, and so is the term.
    weight = np.divide(d, n * (n - d), out=np.zeros_like(d), where=(d > 0) & (n > d))
    value, std_err = float(pieces.sum()), math.sqrt(float(np.sum(remaining**2 * weight)))
    half = float(ndtri(0.5 + curve.conf_level / 2.0)) * std_err
    return Estimate(value, max(value - half, 0.0), min(value + half, horizon), std_err=std_err)
