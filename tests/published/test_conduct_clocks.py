"""Worked dates of safety clocks.

Conventions: Regulation (EU) 536/2014 Art. 42(2) and 41(2), SI 2004/1031 reg. 34, 21 CFR 312.32(c), ICH E2A. The
dates were counted by hand on a calendar, with the day of awareness as day 0 and as day 1, over a leap day and a
change of the clocks.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from escalon.conduct.safety.due import awareness_date, due_at, due_date
from escalon.protocol.conduct.safety import ClockRule, default_clocks

RULES = {rule.id: rule for rule in default_clocks()}
PARIS, LONDON, NEW_YORK = "Europe/Paris", "Europe/London", "America/New_York"


def at(year: int, month: int, day: int, hour: int = 12, minute: int = 0, zone: str = PARIS) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(zone))


def first_day_is_one(rule: ClockRule) -> ClockRule:
    return rule.model_copy(update={"awareness_is_day": 1})


@pytest.mark.parametrize(
    ("rule", "moment", "zone", "due"),
    [
        (RULES["eu-susar-fatal"], at(2026, 2, 26), PARIS, "2026-03-05"),
        (RULES["uk-susar-fatal"], at(2026, 2, 26, zone=LONDON), LONDON, "2026-03-05"),
        (RULES["eu-susar-complete"], at(2026, 3, 5), PARIS, "2026-03-13"),
        (RULES["uk-susar-complete"], at(2026, 3, 5, zone=LONDON), LONDON, "2026-03-13"),
        (RULES["uk-susar-other"], at(2026, 2, 26, zone=LONDON), LONDON, "2026-03-13"),
        (first_day_is_one(RULES["uk-susar-fatal"]), at(2026, 2, 26, zone=LONDON), LONDON, "2026-03-04"),
        (first_day_is_one(RULES["uk-susar-other"]), at(2026, 2, 26, zone=LONDON), LONDON, "2026-03-12"),
        (RULES["eu-susar-upgrade"], at(2026, 2, 26), PARIS, "2026-03-05"),
        (RULES["us-susar-upgrade"], at(2026, 2, 26, zone=NEW_YORK), NEW_YORK, "2026-03-05"),
        (RULES["eu-urgent-safety-measure"], at(2026, 2, 26), PARIS, "2026-03-05"),
        (RULES["eu-serious-breach"], at(2026, 2, 26), PARIS, "2026-03-05"),
        (RULES["eu-dsur"], at(2026, 10, 13, 23, 59), PARIS, "2026-12-12"),
        (RULES["us-annual-report"], at(2026, 10, 13, 23, 59), PARIS, "2026-12-12"),
        (RULES["eu-dsur"], at(2028, 1, 1, 23, 59), PARIS, "2028-03-01"),
        (RULES["eu-susar-other"], at(2026, 2, 26), PARIS, "2026-03-13"),
        (first_day_is_one(RULES["eu-susar-fatal"]), at(2026, 2, 26), PARIS, "2026-03-04"),
        (first_day_is_one(RULES["eu-susar-other"]), at(2026, 2, 26), PARIS, "2026-03-12"),
        (RULES["us-susar-fatal"], at(2026, 2, 26, zone=NEW_YORK), NEW_YORK, "2026-03-05"),
        (RULES["us-susar-other"], at(2026, 2, 26, zone=NEW_YORK), NEW_YORK, "2026-03-13"),
        (RULES["us-susar-other-determination"], at(2026, 3, 2, zone=NEW_YORK), NEW_YORK, "2026-03-17"),
        (RULES["eu-susar-fatal"], at(2028, 2, 24), PARIS, "2028-03-02"),
        (RULES["eu-susar-other"], at(2028, 2, 24), PARIS, "2028-03-10"),
        (RULES["eu-susar-fatal"], at(2026, 6, 10, 23, 30, NEW_YORK), PARIS, "2026-06-18"),
        (RULES["eu-susar-other"], at(2026, 6, 10, 23, 30, NEW_YORK), PARIS, "2026-06-26"),
    ],
)
def test_days_are_counted_on_the_calendar_of_the_sponsor(
    rule: ClockRule, moment: datetime, zone: str, due: str
) -> None:
    assert due_date(rule, moment, zone).isoformat() == due
    assert due_at(rule, moment, zone).astimezone(ZoneInfo(zone)).date().isoformat() == due


def test_the_day_of_awareness_is_that_of_the_sponsor() -> None:
    assert awareness_date(at(2026, 6, 10, 23, 30, NEW_YORK), PARIS).isoformat() == "2026-06-11"


def test_hours_elapse_over_a_change_of_the_clocks() -> None:
    due = due_at(RULES["eu-site-sae"], at(2026, 10, 24, 18), PARIS)
    assert due.astimezone(ZoneInfo(PARIS)) == at(2026, 10, 25, 17)
    assert due == datetime(2026, 10, 25, 16, tzinfo=UTC)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        due_date(RULES["eu-susar-fatal"], datetime(2026, 2, 26), PARIS)
    with pytest.raises(ValueError, match="no time zone"):
        due_at(RULES["eu-site-sae"], datetime(2026, 2, 26), PARIS)
