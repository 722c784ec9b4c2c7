"""Refusals shared by the expansion designs: what, which value, which rule."""

from collections.abc import Sequence
from itertools import pairwise
from math import isfinite
from numbers import Integral, Real


def check_probability(name: str, value: float, open_interval: bool = True) -> float:
    """`value` as a float.

    Raises ValueError unless it lies between 0 and 1, strictly when `open_interval`.
    """
    rule = "must lie strictly between 0 and 1" if open_interval else "must lie between 0 and 1"
    if isinstance(value, bool) or not isinstance(value, Real) or not isfinite(float(value)):
        raise ValueError(f"{name}: got {value!r}; a probability {rule}")
    number = float(value)
    inside = 0 < number < 1 if open_interval else 0 <= number <= 1
    if not inside:
        raise ValueError(f"{name}: got {value!r}; a probability {rule}")
    return number


def check_whole(name: str, value: int, least: int, most: int | None = None, most_name: str = "") -> int:
    """`value` as an int. Raises ValueError unless it is a whole number of `least` to `most`."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise ValueError(f"{name}: got {value!r}; a whole number is needed")
    if value < least:
        raise ValueError(f"{name}: got {value}; must be at least {least}")
    if most is not None and value > most:
        raise ValueError(f"{name}: got {value}; must be at most {most_name or 'the limit'} = {most}")
    return int(value)


def check_prior(name: str, prior: Sequence[float]) -> tuple[float, float]:
    """Parameters (a, b) of a Beta prior. Raises ValueError unless there are two positive numbers."""
    values = tuple(prior)
    if len(values) != 2 or not all(isinstance(v, Real) and isfinite(v) and v > 0 for v in values):
        raise ValueError(f"{name}: got {prior!r}; a Beta prior needs two positive numbers (a, b)")
    return float(values[0]), float(values[1])


def check_looks(name: str, looks: Sequence[int]) -> tuple[int, ...]:
    """Cumulative numbers of patients at the looks, the last one the full size.

    Raises ValueError unless they are whole numbers of at least 1 that increase.
    """
    found = tuple(check_whole(f"{name}[{i}]", value, 1) for i, value in enumerate(looks))
    if not found:
        raise ValueError(f"{name}: got none; at least one look is needed, the last at the full sample size")
    for i, (earlier, later) in enumerate(pairwise(found)):
        if later <= earlier:
            raise ValueError(
                f"{name}[{i + 1}]: got {later} after {earlier}; looks are cumulative and must increase"
            )
    return found


def check_nulls(p0: float, p1: float) -> tuple[float, float]:
    """Unacceptable rate `p0` and desirable rate `p1`. Raises ValueError unless 0 < p0 < p1 < 1."""
    low, high = check_probability("p0", p0), check_probability("p1", p1)
    if low >= high:
        raise ValueError(f"p1: got {p1}; must exceed p0 = {p0}")
    return low, high
