"""Haematotoxicity after immune effector cells (ICAHT by neutrophils, T-ICAHT by platelets) from count series.

Conventions: day 0 is the infusion, early is day 0 to 30, late is day 31 on (T-ICAHT: to day 100); days are
counted, not stretches. The lowest value of a day stands for the day and a day without a test carries the last
value up to the next test (assumption). Counting stops with the stop day (progression, next therapy or death).
Days before the first test and after the last one are unknown, unless a later test, inside the period or after
it, closes the gap; when they could raise the grade there is none, and the reasons name the grade reached so
far. The late period is graded to its last test. Each scale keeps the sign its table prints: ICAHT counts values at
or below its limits, T-ICAHT only those below them (20, 50 and 100 themselves do not count).

Sources: Rejeski et al., Blood 2023;142:865, doi 10.1182/blood.2023020578; ASH table 12809257.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import Any

from escalon.criteria.operators import meets
from escalon.criteria.result import Grade, check_code, check_day, check_finite
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
        through_day: day the grade is asked for, such as a data cut; None takes the whole early period, and in
            the late period the last test.

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
        through_day: day the grade is asked for, such as a data cut; None takes the whole early period, and in
            the late period the last test.

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
        check_day("days", day, required=True)
        check_finite(f"count on day {day:g}", value)
    check_day("stop_day", stop_day)
    check_day("through_day", through_day)
    rules = table[period]
    tests = _daily(days, values)
    end = _end(rules, tests, stop_day, through_day)
    inside = {day: value for day, value in tests.items() if rules["first_day"] <= day <= end}
    wanted = rules.get("min_tests", 1)
    if len(inside) < wanted:
        return _result(
            table, None, "not gradable", (f"{len(inside)} tests in the {period} period, {wanted} needed",)
        )
    span = _Span(rules["first_day"], end, _carried(tests, rules["first_day"], end), inside)
    return _judge(table, rules, span)


@dataclass(frozen=True, slots=True)
class _Span:
    """The days that count: first and last, the value of each known day, and the days with a test of their own."""

    first: int
    last: int
    known: Mapping[int, float]
    inside: Mapping[int, float]

    @property
    def before(self) -> int:
        """Days before the first known one."""
        return min(self.known) - self.first

    @property
    def after(self) -> int:
        """Days after the last known one."""
        return self.last - max(self.known)

    def unknown(self) -> str:
        """The unknown days in words."""
        sides = ((self.before, "before the first test"), (self.after, "after the last test"))
        return " and ".join(f"the days {where}" for count, where in sides if count)


def _end(
    rules: Mapping[str, Any], tests: Mapping[int, float], stop_day: float | None, through_day: float | None
) -> int:
    """Last day that counts."""
    open_end = rules["last_day"] is None or rules.get("graded_to") == "last_test"
    ends = [max(tests, default=0)] if open_end and through_day is None else []
    ends += [floor(end) for end in (rules["last_day"], through_day, _before(stop_day)) if end is not None]
    return min(ends)


def _before(stop_day: float | None) -> float | None:
    return None if stop_day is None else floor(stop_day) - 1.0


def _daily(days: Sequence[float], values: Sequence[float]) -> dict[int, float]:
    """Lowest value of each whole day."""
    lowest: dict[int, float] = {}
    for day, value in zip(days, values, strict=True):
        whole = floor(day)
        lowest[whole] = min(value, lowest.get(whole, value))
    return lowest


def _carried(tests: Mapping[int, float], first: int, end: int) -> dict[int, float]:
    """One value per day of the span, from the first known day to the last test: nothing is carried beyond it."""
    carried: dict[int, float] = {}
    current = None
    for day in range(min(tests), min(end, max(tests)) + 1):
        current = tests.get(day, current)
        if current is not None and day >= first:
            carried[day] = current
    return carried


def _judge(table: Mapping[str, Any], rules: Mapping[str, Any], span: _Span) -> Grade:
    reasons = [f"{len(span.inside)} tests, {len(span.known)} days known, {span.before + span.after} unknown"]
    if rules["last_day"] is not None and span.last < rules["last_day"]:
        reasons.append(f"graded to day {span.last} of {rules['last_day']}")
    could = None
    for row in rules["rows"]:
        low = sum(meets(value, row) for value in span.known.values())
        met, possible = _met(row, low, span, rules["last_day"])
        counted = f"{low} days with {table['quantity']} {row['op']} {row['limit']:g}"
        if met and could is None:
            return _result(table, row["grade"], row["text"], (counted, *reasons))
        if met:
            return _result(
                table,
                None,
                "not gradable",
                (could or "", f"at least grade {row['grade']}: {counted}", *reasons),
            )
        if possible and could is None:
            could = f"{span.unknown()} could make it grade {row['grade']}"
    if could is not None:
        return _result(table, None, "not gradable", (could, *reasons))
    return _result(table, 0, "no grade 1 to 4 rule is met", tuple(reasons))


def _met(row: Mapping[str, Any], low: int, span: _Span, last_day: int | None) -> tuple[bool, bool]:
    """(met, could be met if the unknown days were low)."""
    unknown = span.before + span.after
    if row.get("never_above"):
        all_low = low == len(span.known) and span.last == last_day
        return all_low and not unknown, all_low
    if "min_tests" in row:
        tested = sum(meets(value, row) for value in span.inside.values())
        return tested >= row["min_tests"], False
    return low >= row["min_days"], low + unknown >= row["min_days"]


def grade_series(
    days: Sequence[float],
    counts: Sequence[float],
    lineage: str = "neutrophils",
    *,
    stop_day: float | None = None,
    through_day: float | None = None,
) -> dict[str, Grade]:
    """Grade one series of counts in both periods.

    Args:
        days: days from infusion.
        counts: 10^9/L, one per day given.
        lineage: ``neutrophils`` (ICAHT) or ``platelets`` (T-ICAHT).
        stop_day: first day that no longer counts, or None.
        through_day: day the grades are asked for; None as in the single grades.

    Returns:
        The grades by period, ``early`` and ``late``; a period without enough tests has none, with its reason.

    Raises:
        ValueError: as the single grades, and for an unknown lineage.

    Example:
        >>> {period: found.grade for period, found in grade_series(range(46), [0.4] * 10 + [1.2] * 36).items()}
        {'early': 2, 'late': 1}
    """
    check_code("lineage", lineage, ("neutrophils", "platelets"))
    grade = grade_icaht if lineage == "neutrophils" else grade_t_icaht
    return {
        period: grade(days, counts, period, stop_day=stop_day, through_day=through_day) for period in PERIODS
    }


def _result(table: Mapping[str, Any], grade: int | None, clause: str, reasons: tuple[str, ...]) -> Grade:
    return Grade(grade, clause, reasons, table["system"], table["version"])
