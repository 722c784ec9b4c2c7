import doctest
from datetime import UTC, date, datetime

import pytest

from escalon.report import wording


def test_examples_of_the_docstrings_hold():
    assert doctest.testmod(wording).failed == 0


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(0.125, 2, "0.13"), (2.5, 0, "3"), (-0.04, 1, "0.0"), (None, 1, "NE"), (float("nan"), 1, "NE")],
)
def test_numbers_round_half_away_from_zero(value, digits, text):
    assert wording.render_number(value, digits) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (24123.4, "24,100"),
        (0.0123456, "0.0123"),
        (9.996, "10.00"),
        (0.0, "0"),
        (None, "NE"),
        (1e-9, "0.00000000100"),
    ],
)
def test_significant_figures(value, text):
    assert wording.render_significant(value) == text


def test_intervals_say_ne_where_an_end_is_missing():
    assert wording.render_interval(0.1, None, 0, 100) == "10, NE"


def test_percentages_come_from_the_counts_not_from_a_rounded_fraction():
    assert wording.render_count(1, 8) == "1 (12.5)"
    assert wording.render_count(5, 1000) == "5 (0.5)"


def test_dates_name_the_month():
    assert wording.render_date(date(2021, 3, 4)) == "4 Mar 2021"
    assert wording.render_date(datetime(2021, 12, 31, 23, tzinfo=UTC)) == "31 Dec 2021"
    assert wording.render_date(None) == wording.DASH


@pytest.mark.parametrize(("dose", "text"), [(1e5, "1 × 10⁵"), (2.5e6, "2.5 × 10⁶"), (6.25e4, "6.25 × 10⁴")])
def test_doses_carry_a_power_of_ten(dose, text):
    assert wording.render_dose(dose) == text


def test_visits_are_named_in_words():
    assert [wording.visit_name(v) for v in ("D28", "M3", "SCR")] == ["Day 28", "Month 3", "SCR"]
