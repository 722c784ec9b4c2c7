"""Descriptive statistics and the rounding of clinical tables.

Rounding is half away from zero on the shortest decimal that stands for the number, so 0.5 -> 1, -2.5 -> -3,
and 524288.1255 to three places is 524288.126 (binary rounding gives .125). Percentages are computed from
the two counts, never from a rounded fraction. Quartiles are SAS definition 5 (averaged inverse distribution
function). Geometric CV% = 100 sqrt(exp(s^2) - 1) with s the standard deviation of the logarithms (doi
10.1002/pst.343).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from statistics import fmean

__all__ = [
    "NOT_ESTIMABLE",
    "Summary",
    "format_count",
    "format_number",
    "format_percent",
    "round_half_away",
    "summarise",
]

NOT_ESTIMABLE = "NE"


@dataclass(frozen=True, slots=True)
class Summary:
    """Statistics of one variable in one group; None where a statistic does not exist, ``reasons`` says why.

    In the unit of the values; ``cv`` and ``geo_cv`` in percent. ``n`` counts values, ``n_missing`` missing
    ones.
    """

    n: int
    n_missing: int
    mean: float | None = None
    sd: float | None = None
    cv: float | None = None
    median: float | None = None
    q1: float | None = None
    q3: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    geo_mean: float | None = None
    geo_sd: float | None = None
    geo_cv: float | None = None
    reasons: dict[str, str] = field(default_factory=dict)


def summarise(values: Iterable[float | None]) -> Summary:
    """Summarise numbers; None and NaN are missing. Infinite values raise ValueError.

    >>> s = summarise([1.0, 2.0, 4.0, None])
    >>> s.n, s.n_missing, s.median, round(s.geo_mean, 12)
    (3, 1, 2.0, 2.0)
    """
    everything = list(values)
    x = sorted(float(v) for v in everything if v is not None and not math.isnan(v))
    missing = len(everything) - len(x)
    if any(math.isinf(v) for v in x):
        raise ValueError(
            "values holds an infinite number: only finite numbers and missing ones can be summarised"
        )
    if not x:
        return Summary(0, missing, reasons={"all": "no values"})
    reasons: dict[str, str] = {}
    mean, sd = fmean(x), _sd(x)
    if sd is None:
        reasons["sd"] = "fewer than two values"
    cv = 100.0 * sd / mean if sd is not None and mean > 0 else None
    if cv is None:
        reasons["cv"] = reasons.get("sd", "the mean is not positive")
    geo_mean, geo_sd, geo_cv = _geometric(x, reasons)
    q1, median, q3 = (_quantile(x, p) for p in (0.25, 0.5, 0.75))
    return Summary(
        len(x), missing, mean, sd, cv, median, q1, q3, x[0], x[-1], geo_mean, geo_sd, geo_cv, reasons
    )


def _sd(x: list[float]) -> float | None:
    """Sample standard deviation (divisor n - 1); None for one value."""
    if len(x) < 2:
        return None
    mean = fmean(x)
    return math.sqrt(math.fsum((v - mean) ** 2 for v in x) / (len(x) - 1))


def _geometric(x: list[float], reasons: dict[str, str]) -> tuple[float | None, float | None, float | None]:
    if x[0] <= 0:
        reasons["geo_mean"] = reasons["geo_cv"] = "a value is not positive"
        return None, None, None
    logs = [math.log(v) for v in x]
    s = _sd(logs)
    if s is None:
        reasons["geo_cv"] = "fewer than two values"
        return math.exp(fmean(logs)), None, None
    if s > 20.0:
        reasons["geo_cv"] = "the values span too many orders of magnitude"
        return math.exp(fmean(logs)), math.exp(s), None
    return math.exp(fmean(logs)), math.exp(s), 100.0 * math.sqrt(math.expm1(s * s))


def _quantile(x: list[float], p: float) -> float:
    """SAS definition 5 of a sorted list: mean of the two neighbours where n p is whole."""
    position = len(x) * p
    j = math.floor(position)
    if position == j:
        return (x[j - 1] + x[j]) / 2.0
    return x[j]


def round_half_away(value: float, decimals: int = 0) -> Decimal:
    """Round half away from zero on the shortest decimal that stands for ``value``.

    >>> round_half_away(524288.1255, 3), round_half_away(-2.5)
    (Decimal('524288.126'), Decimal('-3'))
    """
    if not math.isfinite(value):
        raise ValueError(f"value is {value!r}: only finite numbers can be rounded")
    return Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


def format_number(value: float | None, decimals: int = 1) -> str:
    """Print a number with fixed decimals, half away from zero; None and NaN print NE; minus zero prints 0.

    >>> format_number(0.25), format_number(-0.04), format_number(None)
    ('0.3', '0.0', 'NE')
    """
    if value is None or math.isnan(value):
        return NOT_ESTIMABLE
    rounded = round_half_away(value, decimals)
    return f"{abs(rounded) if rounded == 0 else rounded:f}"


def format_percent(x: int, n: int, decimals: int = 1) -> str:
    """Percentage of two counts without the sign; NE for an empty denominator.

    >>> format_percent(1, 8), format_percent(57, 200, 0)
    ('12.5', '29')
    """
    if n == 0:
        return NOT_ESTIMABLE
    exact = Decimal(100 * int(x)) / Decimal(int(n))
    return f"{exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP):f}"


def format_count(x: int, n: int, decimals: int = 1) -> str:
    """Count with its percentage as tables print it; a zero count stands alone.

    >>> format_count(3, 12), format_count(0, 12)
    ('3 (25.0)', '0')
    """
    return "0" if x == 0 else f"{x} ({format_percent(x, n, decimals)})"
