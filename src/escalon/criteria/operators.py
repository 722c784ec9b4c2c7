"""The comparison operators that tables may use, at ten significant digits on both sides."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from escalon.criteria.result import check_code

SIGNIFICANT_DIGITS = 10
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def compute_signif(x: Floats) -> Floats:
    """Round each value to ten significant digits, so that 3 x 0.1 equals 0.3; NaN and 0 pass through."""
    finite = np.isfinite(x) & (x != 0.0)
    safe = np.where(finite, x, 1.0)
    digits = SIGNIFICANT_DIGITS - 1 - np.floor(np.log10(np.abs(safe)))
    scale = 10.0 ** np.clip(digits, -300.0, 300.0)  # a number smaller than 1e-290 becomes 0
    return np.where(finite, np.round(safe * scale) / scale, x)


def compute_met(left: Floats, op: str, right: Floats) -> Bools:
    """Where ``left op right`` holds at ten significant digits; a NaN on either side gives False."""
    check_code("op", op, tuple(OPERATORS))
    met: Bools = OPERATORS[op](compute_signif(left), compute_signif(right))
    return met


def is_met(value: float, op: str, limit: float) -> bool:
    """Whether ``value op limit`` holds at ten significant digits, for two plain numbers."""
    check_code("op", op, tuple(OPERATORS))
    digits = SIGNIFICANT_DIGITS
    return bool(OPERATORS[op](float(f"{value:.{digits}g}"), float(f"{limit:.{digits}g}")))


def meets(value: float, row: Mapping[str, Any]) -> bool:
    """Whether ``value`` satisfies one row of a table, by its ``op`` and ``limit``."""
    return is_met(value, row["op"], row["limit"])
