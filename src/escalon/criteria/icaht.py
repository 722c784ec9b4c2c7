"""Haematotoxicity after immune effector cells (ICAHT by neutrophils, T-ICAHT by platelets) from count series.

Conventions: day 0 is the infusion, early is day 0 to 30, late is day 31 on (T-ICAHT: to day 100); days are
counted, not stretches. The lowest value of a day stands for the day and a day without a test carries the last
value (assumption). Counting stops with the stop day (progression, next therapy or death). A series that
starts after the first day of its period leaves the days before it unknown; when they could raise the grade,
there is none. The late period is graded on the days observed so far.

Sources: Rejeski et al., Blood 2023;142:865, doi 10.1182/blood.2023020578; ASH table 12809257.
"""

from collections.abc import Mapping, Sequence
from math import floor, inf
from typing import Any

from escalon.criteria.operators import is_met
from escalon.criteria.result import Grade, check_code, check_finite
from escalon.criteria.tables import load_table

PERIODS = ("early", "late")


def grade_icaht(
    days: Sequence[float],
    anc: Sequence[float],
    period: str,
    *,
    stop_day: float | None = None,
    through_day: float | None = None,
) -> Grade:
    """Grade neutropenia from a series of counts.

    Args:
        days: days from infusion, any order; those outside the period are not counted but carry their value
            into it.
        anc: neutrophils, 10^9/L, one per day given.
        period: ``early`` or ``late``.
        stop_day: first day that no longer counts, or None.
        through_day: last day the patient is known to have been followed; None takes the last test.

    Returns:
        Grade 0 to 4, or None when the series does not cover what the grade needs.

    Raises:
        ValueError: for series of different length, a negative count or an unknown period.

    Example:
        >>> grade_icaht(range(31), [2.0] * 8 + [0.3] * 7 + [1.8] * 16, "early").grade
        2
    """
    return _grade("icaht", days, [1000.0 * count for count in anc], period, stop_day, through_day)


def grade_t_icaht(
    days: Sequence[float],
    platelets: Sequence[float],
    period: str,
    *,
    stop_day: float | None = None,
    through_day: float | None = None,
) -> Grade:
    """Grade thrombocytopenia from a series of counts.

    Args:
        days: days from infusion.
        platelets: 10^9/L, one per day given.
        period: ``early`` or ``late``; late needs two tests or more.
        stop_day: first day that no longer counts, or None.
        through_day: last day the patient is known to have been followed; None takes the last test.

    Returns:
        Grade 0 to 4, or None when the series does not cover what the grade needs.

    Raises:
        ValueError: for series of different length, a negative count or an unknown period.

    Example:
        >>> grade_t_icaht([31, 40], [80, 120], "late").grade
        1
    """
    return _grade("t_icaht", days, list(platelets), period, stop_day, through_day)


def _grade(
    name: str,
    days: Sequence[float],
    values: Sequence[float],
    period: str,
    stop_day: float | None,
    through_day: float | None,
) -> Grade:
    table = load_table("icaht.json")[name]
    check_code("period", period, PERIODS)
    if len(days) != len(values):
        raise ValueError(f"days: {len(days)} days for {len(values)} counts; give one count per day")
    for day, value in zip(days, values, strict=True):
        check_finite("days", day, low=-1000.0)
        check_finite(f"count on day {day:g}", value)
    rules = table[period]
    followed = max(days, default=0.0) if through_day is None else through_day
    last = min(followed, *(inf if end is None else end for end in (rules["last_day"], _before(stop_day))))
    tests = _daily(days, values, last)
    inside = {day: value for day, value in tests.items() if day >= rules["first_day"]}
    wanted = rules.get("min_tests", 1)
    if len(inside) < wanted:
        return _result(
            table, None, "not gradable", (f"{len(inside)} tests in the {period} period, {wanted} needed",)
        )
    carried = _carried(tests, rules["first_day"], last)
    unknown = 0 if rules["first_day"] in carried else min(carried) - rules["first_day"]
    return _judge(table, rules, carried, inside, unknown)


def _before(stop_day: float | None) -> float | None:
    return None if stop_day is None else floor(stop_day) - 1.0


def _daily(days: Sequence[float], values: Sequence[float], last: float) -> dict[int, float]:
    """Lowest value of each whole day up to ``last``."""
    lowest: dict[int, float] = {}
    for day, value in zip(days, values, strict=True):
        whole = floor(day)
        if whole <= last:
            lowest[whole] = min(value, lowest.get(whole, value))
    return lowest


def _carried(tests: Mapping[int, float], first: int, last: float) -> dict[int, float]:
    """One value per day of the period, from the first known day on."""
    carried: dict[int, float] = {}
    current = None
    for day in range(min(tests), floor(last) + 1):
        current = tests.get(day, current)
        if current is not None and day >= first:
            carried[day] = current
    return carried


def _judge(
    table: Mapping[str, Any],
    rules: Mapping[str, Any],
    carried: Mapping[int, float],
    inside: Mapping[int, float],
    unknown: int,
) -> Grade:
    reasons = (f"{len(inside)} tests, {len(carried)} days known, {unknown} days unknown",)
    for row in rules["rows"]:
        low = sum(is_met(value, row["op"], row["limit"]) for value in carried.values())
        tested = sum(is_met(value, row["op"], row["limit"]) for value in inside.values())
        whole = rules["last_day"] in carried
        met, possible = _met(row, low, tested, len(carried) if whole else -1, unknown)
        counted = f"{low} days with {table['quantity']} {row['op']} {row['limit']:g}"
        if met:
            return _result(table, row["grade"], row["text"], (counted, *reasons))
        if possible:
            why = f"the days before the first test could make it grade {row['grade']}"
            return _result(table, None, "not gradable", (why, counted, *reasons))
    return _result(table, 0, "no grade 1 to 4 rule is met", reasons)


def _met(row: Mapping[str, Any], low: int, tested: int, known: int, unknown: int) -> tuple[bool, bool]:
    """(met, could be met if the unknown days were low); ``known`` is -1 while the period is not complete."""
    if row.get("never_above"):
        return low == known and unknown == 0, low == known
    if "min_tests" in row:
        return tested >= row["min_tests"], False
    return low >= row["min_days"], low > 0 and low + unknown >= row["min_days"]


def _result(table: Mapping[str, Any], grade: int | None, clause: str, reasons: tuple[str, ...]) -> Grade:
    return Grade(grade, clause, reasons, table["system"], table["version"])
