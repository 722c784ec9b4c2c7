"""Proportions with exact, score and Jeffreys intervals.

Intervals for x responders among n patients, two-sided, level 1 - alpha:

- ``clopper-pearson``: exact; quantiles of Beta(x, n-x+1) and Beta(x+1, n-x) at alpha/2 and 1-alpha/2; the
  low end is 0 for x = 0, the high end 1 for x = n (doi 10.1093/biomet/26.4.404).
- ``wilson``: score interval without continuity correction (doi 10.1080/01621459.1927.10502953).
- ``jeffreys``: equal-tailed quantiles of Beta(x+1/2, n-x+1/2), with the ends set to 0 for x = 0 and to 1
  for x = n (doi 10.1214/ss/1009213286).
"""

import math
from statistics import NormalDist

from scipy.special import betaincinv

from escalon.analysis.estimate import Estimate, check_conf_level, not_estimable

__all__ = ["PROPORTION_METHODS", "proportion"]

PROPORTION_METHODS = ("clopper-pearson", "wilson", "jeffreys")


def proportion(x: int, n: int, method: str = "clopper-pearson", conf_level: float = 0.95) -> Estimate:
    """Estimate the proportion ``x`` of ``n`` with a two-sided confidence interval.

    Parameters: ``x`` and ``n`` whole numbers of patients, 0 <= x <= n; ``method`` one of
    ``PROPORTION_METHODS``; ``conf_level`` between 0 and 1. Returns fractions between 0 and 1; with n = 0
    nothing is estimable and the reason says so. Raises ValueError for counts that are not counts and for an
    unknown method.

    >>> e = proportion(7, 18)
    >>> round(e.value, 3), round(e.low, 3), round(e.high, 3)
    (0.389, 0.173, 0.643)
    """
    check_conf_level(conf_level)
    if method not in PROPORTION_METHODS:
        raise ValueError(f"method is {method!r}: one of {', '.join(PROPORTION_METHODS)} is expected")
    x, n = _count("x", x), _count("n", n)
    if x > n:
        raise ValueError(f"x is {x} and n is {n}: x counts patients among n, so x is at most n")
    if n == 0:
        return not_estimable("no patients")
    low, high = _INTERVALS[method](x, n, (1.0 - conf_level) / 2.0)
    return Estimate(x / n, low, high)


def _count(name: str, value: object) -> int:
    """Read a whole number of patients; 7.0 is taken, 7.5, True and -1 are not."""
    ok = not isinstance(value, bool) and hasattr(value, "__float__")
    number = float(value) if ok else math.nan  # type: ignore[arg-type]
    if not (number >= 0 and number.is_integer()):
        raise ValueError(f"{name} is {value!r}: a whole number of patients, 0 or more, is expected")
    return int(number)


def _clopper_pearson(x: int, n: int, tail: float) -> tuple[float, float]:
    low = 0.0 if x == 0 else float(betaincinv(x, n - x + 1, tail))
    high = 1.0 if x == n else float(betaincinv(x + 1, n - x, 1.0 - tail))
    return low, high


def _wilson(x: int, n: int, tail: float) -> tuple[float, float]:
    z = NormalDist().inv_cdf(1.0 - tail)
    p = x / n
    centre = p + z * z / (2 * n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low = 0.0 if x == 0 else (centre - half) / scale
    high = 1.0 if x == n else (centre + half) / scale
    return low, high


def _jeffreys(x: int, n: int, tail: float) -> tuple[float, float]:
    low = 0.0 if x == 0 else float(betaincinv(x + 0.5, n - x + 0.5, tail))
    high = 1.0 if x == n else float(betaincinv(x + 0.5, n - x + 0.5, 1.0 - tail))
    return low, high


_INTERVALS = {"clopper-pearson": _clopper_pearson, "wilson": _wilson, "jeffreys": _jeffreys}
