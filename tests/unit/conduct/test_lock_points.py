"""The calendar of the yearly safety report, against a second implementation that asks every day in turn."""

from datetime import date, timedelta
from itertools import islice, pairwise
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalon.conduct.safety import commands as sc
from escalon.conduct.safety.clocks import tasks
from escalon.conduct.safety.lock_points import calendar, due_dates, end_of_day, interval_start, lock_points
from escalon.protocol import StudyFolder
from escalon.protocol.conduct.safety import LockPoint, SafetyRules
from tests.act import SAFETY_OFFICER, Desk, opened
from tests.reference import lock_points_naive as naive
from tests.unit.conduct.test_safety import HASH

KINDS: list[LockPoint] = ["day_before_anniversary", "month_end"]
EDGES = st.sampled_from([date(2020, 2, 29), date(2020, 3, 1), date(2019, 1, 1), date(2019, 12, 31)])
BORN = st.dates(date(2000, 1, 1), date(2035, 12, 31)) | EDGES


def plain(day: date) -> naive.Day:
    return day.year, day.month, day.day


@settings(max_examples=60, deadline=None)
@given(born=BORN, days=st.integers(1, 3000), kind=st.sampled_from(KINDS))
def test_lock_points_and_intervals_are_those_found_day_by_day(born: date, days: int, kind: LockPoint) -> None:
    until = born + timedelta(days=days)
    expected = naive.lock_points(plain(born), plain(until), kind)
    found = list(islice(lock_points(born, kind), len(expected)))
    assert [plain(day) for day in found] == expected
    assert plain(interval_start(born, until, kind)) == naive.interval_start(plain(born), plain(until), kind)


@settings(max_examples=100, deadline=None)
@given(born=BORN, kind=st.sampled_from(KINDS))
def test_periods_follow_each_other_and_none_is_longer_than_a_year(born: date, kind: LockPoint) -> None:
    days = list(islice(lock_points(born, kind), 12))
    for before, day in pairwise(days):
        assert interval_start(born, day, kind) == before + timedelta(days=1)
        assert 365 <= (day - before).days <= 366
    assert 0 <= (days[0] - born).days <= 365
    assert interval_start(born, days[0], kind) == born


@given(lock=st.dates(date(2012, 1, 1), date(2040, 1, 1)))
def test_a_report_is_due_60_days_after_its_lock_point_on_the_calendar(lock: date) -> None:
    due = due_dates(SafetyRules(jurisdictions=("EU", "US", "UK")), lock)
    assert {plain(day) for day in due.values()} == {naive.days_after(plain(lock), 60)}
    assert sorted(due) == ["EU", "UK", "US"]


@pytest.mark.parametrize(
    ("born", "kind", "days"),
    [
        (date(2019, 10, 14), "day_before_anniversary", ["2020-10-13", "2021-10-13"]),
        (date(2019, 10, 14), "month_end", ["2020-09-30", "2021-09-30"]),
        (
            date(2020, 2, 29),
            "day_before_anniversary",
            ["2021-02-28", "2022-02-28", "2023-02-28", "2024-02-28"],
        ),
        (date(2020, 1, 31), "month_end", ["2020-12-31", "2021-12-31"]),
        (date(2020, 1, 1), "day_before_anniversary", ["2020-12-31"]),
    ],
)
def test_lock_points_by_hand(
    born: date, kind: Literal["day_before_anniversary", "month_end"], days: list[str]
) -> None:
    assert [day.isoformat() for day in islice(lock_points(born, kind), len(days))] == days


@pytest.fixture
def desk(balli: StudyFolder) -> Desk:
    """A study that is open since the second year of development (birth date 14 October 2019)."""
    desk = opened(balli)
    desk.now = end_of_day(date(2020, 10, 14), balli.conduct.safety.zone)
    return desk


def record(desk: Desk, day: date) -> None:
    at = end_of_day(day, desk.folder.conduct.safety.zone)
    desk.must(SAFETY_OFFICER, sc.RecordMatter("dsur", "data cut", at))


def test_the_calendar_says_where_each_report_stands(desk: Desk) -> None:
    def status(day: date) -> list[str]:
        return [one.status(day) for one in calendar(desk.folder, desk.state.safety, day)]

    assert status(date(2020, 10, 13)) == ["runs"]
    assert status(date(2020, 10, 14)) == ["to cut", "runs"]
    assert status(date(2020, 12, 12)) == ["to cut", "runs"]  # the last day
    assert status(date(2020, 12, 13)) == ["not cut, late", "runs"]
    record(desk, date(2020, 10, 13))
    assert status(date(2020, 12, 12)) == ["cut, to send", "runs"]
    assert status(date(2020, 12, 13)) == ["cut, to send, late", "runs"]
    first, second = (clock.number for clock in tasks(desk.state))
    desk.must(SAFETY_OFFICER, sc.SubmitReport(first, "EMA", HASH))
    assert status(date(2020, 12, 12)) == ["cut, to send", "runs"]
    desk.must(SAFETY_OFFICER, sc.SubmitReport(second, "FDA", HASH))
    assert status(date(2020, 12, 13)) == ["sent", "runs"]


def test_a_lock_point_apart_from_the_calendar_stands_in_order_of_time(desk: Desk) -> None:
    record(desk, date(2020, 6, 30))
    found = calendar(desk.folder, desk.state.safety, date(2020, 10, 14))
    assert [(one.lock_point.isoformat(), one.start.isoformat(), one.planned) for one in found] == [
        ("2020-06-30", "2019-10-14", False),
        ("2020-10-13", "2019-10-14", True),
        ("2021-10-13", "2020-10-14", True),
    ]


def test_a_lock_point_is_recorded_once(desk: Desk) -> None:
    record(desk, date(2020, 10, 13))
    at = end_of_day(date(2020, 10, 13), desk.folder.conduct.safety.zone) - timedelta(hours=3)
    twice = desk.refused(SAFETY_OFFICER, sc.RecordMatter("dsur", "again", at))
    assert (twice.rule, "13 Oct 2020" in twice.reason) == ("SF-11 lock point", True)
    early = end_of_day(date(2019, 10, 13), desk.folder.conduct.safety.zone)
    before = desk.refused(SAFETY_OFFICER, sc.RecordMatter("dsur", "too early", early))
    assert (before.rule, "development birth date" in before.reason) == ("SF-11 lock point", True)


def test_a_lock_point_on_the_birth_date_itself_is_shown(desk: Desk) -> None:
    record(desk, date(2019, 10, 14))
    found = calendar(desk.folder, desk.state.safety, date(2020, 1, 1))
    assert [(one.lock_point.isoformat(), one.planned) for one in found] == [
        ("2019-10-14", False),
        ("2020-10-13", True),
    ]
