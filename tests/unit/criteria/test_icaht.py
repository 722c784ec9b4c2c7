"""ICAHT and T-ICAHT from incomplete series: what is known, what is carried, what is not."""

import pytest

from escalon.criteria import icaht


def low_for(days, value=0.3, length=46):
    """A count every day from day 0, low on the first ``days``."""
    return list(range(length)), [value] * days + [2.0] * (length - days)


def test_a_gap_between_two_tests_carries_the_value():
    assert icaht.grade_icaht([0, 8, 31], [0.3, 2.0, 2.0], "early").grade == 2
    assert (
        icaht.grade_icaht([0, 12, 40], [0.3, 0.3, 2.0], "early").grade == 4
    )  # carried to day 39: never above
    assert icaht.grade_icaht([-2, 5, 6, 31], [2.0, 0.3, 2.0, 2.0], "early").grade == 1


def test_days_before_the_first_test_are_unknown():
    before = icaht.grade_icaht([9, 18, 31], [0.3, 2.0, 2.0], "early")
    assert before.grade is None
    assert before.reasons[:2] == (
        "the days before the first test could make it grade 3",
        "at least grade 2: 9 days with neutrophils per uL <= 500",
    )
    assert icaht.grade_icaht([20, 20.5, 31], [2.0, 0.3, 2.0], "early").grade is None


def test_days_after_the_last_test_are_unknown():
    for through in (None, 30, 45):
        after = icaht.grade_icaht([0, 12], [0.3, 0.3], "early", through_day=through)
        assert after.grade is None
        assert after.reasons[0] == "the days after the last test could make it grade 4"
    assert icaht.grade_icaht([0, 29], [2.0, 2.0], "early").grade is None  # day 30 could be low
    assert icaht.grade_icaht([0, 30], [2.0, 2.0], "early").grade == 0
    open_ends = icaht.grade_icaht([2, 12], [2.0, 2.0], "early")
    assert "before the first test and the days after the last test" in open_ends.reasons[0]


def test_an_earlier_question_needs_no_later_test():
    cut = icaht.grade_icaht([0, 12], [0.3, 0.3], "early", through_day=12)
    assert (cut.grade, cut.reasons[-1]) == (2, "graded to day 12 of 30")
    later = icaht.grade_icaht([0, 12], [0.3, 0.3], "early", through_day=13)  # a 14th day would be grade 3
    assert later.grade is None


def test_the_stop_day_itself_no_longer_counts():
    days, counts = low_for(31)
    assert [icaht.grade_icaht(days, counts, "early", stop_day=day).grade for day in (6, 7, 8)] == [1, 2, 2]
    assert icaht.grade_icaht(days, counts, "early", stop_day=13).grade == 2
    assert icaht.grade_icaht(days, counts, "early", stop_day=14).grade == 3


def test_day_30_is_early_and_day_31_late():
    days, counts = list(range(32)), [2.0] * 30
    assert icaht.grade_icaht(days, [*counts, 0.4, 2.0], "early").grade == 1
    assert icaht.grade_icaht(days, [*counts, 2.0, 0.4], "early").grade == 0
    assert icaht.grade_icaht(days, [*counts, 0.4, 2.0], "late").grade == 0
    assert icaht.grade_icaht(days, [*counts, 2.0, 0.4], "late").grade == 3


def test_t_icaht_ends_with_day_100():
    days, counts = list(range(30, 103)), [150.0] * 73
    on_100, on_101 = list(counts), list(counts)
    on_100[days.index(100)] = on_101[days.index(101)] = 19.0
    assert icaht.grade_t_icaht(days, on_100, "late").grade == 3
    assert icaht.grade_t_icaht(days, on_101, "late").grade == 0


@pytest.mark.parametrize(
    ("count", "grade"), [(1501, 0), (1500, 1), (1001, 1), (1000, 2), (501, 2), (500, 3), (101, 3), (100, 4)]
)
def test_late_limits_are_inclusive(count, grade):
    assert icaht.grade_icaht([45], [count / 1000], "late").grade == grade


def test_too_few_tests():
    assert icaht.grade_icaht([], [], "early").grade is None
    assert icaht.grade_icaht([45], [0.4], "early").grade is None
    assert icaht.grade_t_icaht([45], [10], "late").grade is None  # late needs two tests
    assert icaht.grade_t_icaht([101, 102], [10, 10], "late").grade is None
    gap = icaht.grade_t_icaht([45, 50], [60, 60], "late")
    assert (gap.grade, gap.reasons[0]) == (None, "the days before the first test could make it grade 4")


def test_lowest_value_of_a_day_stands_for_it():
    assert icaht.grade_icaht([0, 3, 3.5, 4, 31], [2.0, 2.0, 0.4, 2.0, 2.0], "early").grade == 1


def test_both_periods_of_one_series():
    days, counts = low_for(8)
    found = icaht.grade_series(days, counts)
    assert {period: grade.grade for period, grade in found.items()} == {"early": 2, "late": 0}
    platelets = icaht.grade_series(days, [40.0] * 3 + [120.0] * 43, "platelets")
    assert {period: grade.grade for period, grade in platelets.items()} == {"early": 1, "late": 0}
    assert icaht.grade_series([5], [0.4])["late"].reasons == ("0 tests in the late period, 1 needed",)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"days": [float("nan")]}, "days"),
        ({"days": [None]}, "days"),
        ({"stop_day": float("nan")}, "stop_day"),
        ({"through_day": float("inf")}, "through_day"),
    ],
)
def test_days_must_be_numbers(given, message):
    with pytest.raises(ValueError, match=message):
        icaht.grade_icaht(**({"days": [1], "anc": [0.4], "period": "early"} | given))
    with pytest.raises(ValueError, match="lineage"):
        icaht.grade_series([1], [1], "red cells")


@pytest.mark.parametrize(
    ("grade", "days", "limit", "at", "above"),
    [
        (icaht.grade_icaht, range(31), 0.5, 4, 0),  # "500 or less": the limit itself counts
        (icaht.grade_t_icaht, range(31), 50.0, 0, 0),  # "below 50": it does not
        (icaht.grade_t_icaht, range(31), 20.0, 2, 2),
        (icaht.grade_t_icaht, range(31, 101), 100.0, 0, 0),
    ],
)
def test_a_count_at_the_limit_counts_as_the_table_prints_it(grade, days, limit, at, above):
    period = "early" if days[0] == 0 else "late"
    assert grade(days, [limit] * len(days), period).grade == at
    assert grade(days, [limit * 1.001] * len(days), period).grade == above
    assert grade(days, [limit * 0.999] * len(days), period).grade >= max(at, 1)
