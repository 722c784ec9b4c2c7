"""The clocks against a second implementation that counts days one by one."""

from datetime import UTC, date, datetime
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalon.conduct.safety.due import due_at, due_date
from escalon.protocol.conduct.safety import ClockRule, SafetyRules, default_clocks
from tests.reference.clocks_naive import due, last_day

# Zones with and without summer time, half and quarter hours, both sides of the date line. A zone whose clocks change
# at midnight itself has days without a single last second; none of them counts a sponsor's days.
ZONES = ("UTC", "Europe/Paris", "Europe/London", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu")
FAR = ("Pacific/Auckland", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Australia/Lord_Howe")
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 1), timezones=st.just(UTC))
EDGES = st.sampled_from(
    [
        datetime(2028, 2, 28, 23, 59, 59, tzinfo=UTC),
        datetime(2028, 2, 29, 0, 0, tzinfo=UTC),
        datetime(2100, 2, 28, 12, 0, tzinfo=UTC),
        datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
        datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
        datetime(2026, 12, 31, 23, 30, tzinfo=UTC),
    ]
)


def rule(count: int, unit: Literal["hours", "days"], first: Literal[0, 1]) -> ClockRule:
    return default_clocks()[0].model_copy(update={"count": count, "unit": unit, "awareness_is_day": first})


@settings(max_examples=150, deadline=None)
@given(
    moment=MOMENTS | EDGES,
    zone=st.sampled_from((*ZONES, *FAR)),
    count=st.integers(1, 90),
    unit=st.sampled_from(["hours", "days"]),
    first=st.sampled_from([0, 1]),
)
def test_a_clock_is_due_when_counting_by_hand_says_so(
    moment: datetime, zone: str, count: int, unit: Literal["hours", "days"], first: Literal[0, 1]
) -> None:
    assert due_at(rule(count, unit, first), moment, zone) == due(moment, zone, count, unit, first)
    if unit == "days":
        found = due_date(rule(count, unit, first), moment, zone)
        assert (found.year, found.month, found.day) == last_day(moment, zone, count, first)


@pytest.mark.parametrize("one", default_clocks(), ids=lambda one: f"{one.id}-{one.version}")
def test_every_shipped_rule_agrees_over_a_leap_day_and_a_change_of_the_clocks(one: ClockRule) -> None:
    for moment in (datetime(2028, 2, 24, 11, tzinfo=UTC), datetime(2026, 10, 24, 22, 30, tzinfo=UTC)):
        for zone in ZONES:
            expected = due(moment, zone, one.count, one.unit, one.awareness_is_day)
            assert due_at(one, moment, zone) == expected


def test_the_rule_in_force_is_the_last_version_before_the_day() -> None:

    uk = SafetyRules(jurisdictions=("UK",))
    days = {
        day: [found.count for found in uk.rules_for("urgent_safety_measure", day)]
        for day in (date(2026, 4, 27), date(2026, 4, 28), date(2003, 1, 1))
    }
    assert days == {date(2026, 4, 27): [3], date(2026, 4, 28): [7], date(2003, 1, 1): []}
