"""Pointwise confidence bounds of a survival curve, five transformations.

With sigma^2(t) = sum d / (n (n - d)) (Greenwood) and z the normal quantile:

- ``plain``: S -/+ z S sigma, cut to [0, 1]
- ``log``: S exp(-/+ z sigma), upper end cut to 1
- ``log-log``: S^exp(+/- z sigma / |log S|)
- ``logit``: expit(logit S -/+ z sigma / (1 - S))
- ``arcsin``: sin^2(asin(sqrt S) -/+ (z/2) sigma sqrt(S / (1 - S))), angle cut to [0, pi/2]

Where S is 1 or 0 no Greenwood interval exists: both bounds are NaN. Source: Klein and Moeschberger,
Survival Analysis, 2nd ed. 2003, section 4.3; doi 10.1007/b97377.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

__all__ = ["CONF_TYPES", "compute_bounds"]

Floats = NDArray[np.float64]


def _plain(s: Floats, half: Floats) -> tuple[Floats, Floats]:
    return np.maximum(s - s * half, 0.0), np.minimum(s + s * half, 1.0)


def _log(s: Floats, half: Floats) -> tuple[Floats, Floats]:
    return s * np.exp(-half), np.minimum(s * np.exp(half), 1.0)


def _log_log(s: Floats, half: Floats) -> tuple[Floats, Floats]:
    width = half / np.abs(np.log(s))
    return s ** np.exp(width), s ** np.exp(-width)


def _logit(s: Floats, half: Floats) -> tuple[Floats, Floats]:
    centre, width = np.log(s / (1.0 - s)), half / (1.0 - s)
    return 1.0 / (1.0 + np.exp(width - centre)), 1.0 / (1.0 + np.exp(-width - centre))


def _arcsin(s: Floats, half: Floats) -> tuple[Floats, Floats]:
    angle, width = np.arcsin(np.sqrt(s)), 0.5 * half * np.sqrt(s / (1.0 - s))
    low = np.sin(np.maximum(angle - width, 0.0)) ** 2
    high = np.sin(np.minimum(angle + width, np.pi / 2)) ** 2
    return low, high


_BOUNDS: dict[str, Callable[[Floats, Floats], tuple[Floats, Floats]]] = {
    "plain": _plain,
    "log": _log,
    "log-log": _log_log,
    "logit": _logit,
    "arcsin": _arcsin,
}

CONF_TYPES = tuple(_BOUNDS)


def compute_bounds(
    survival: Floats, sigma: Floats, conf_type: str, conf_level: float
) -> tuple[Floats, Floats]:
    """Lower and upper bound at each time.

    ``survival`` and ``sigma`` (standard error of log S) have one shape; the results have it too. NaN where
    S is 0 or 1. Raises ValueError for an unknown ``conf_type``.
    """
    if conf_type not in _BOUNDS:
        raise ValueError(f"conf_type is {conf_type!r}: one of {', '.join(CONF_TYPES)} is expected")
    low, high = np.full(survival.shape, np.nan), np.full(survival.shape, np.nan)
    inside = (survival > 0.0) & (survival < 1.0)
    if inside.any():
        z = float(ndtri(0.5 + conf_level / 2.0))
        low[inside], high[inside] = _BOUNDS[conf_type](survival[inside], z * sigma[inside])
    return low, high
