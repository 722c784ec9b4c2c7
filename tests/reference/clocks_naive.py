"""A second way to say when a report is due, written from docs/conduct/safety.md: days counted one by one.

No time zone arithmetic of the standard library is used beyond asking a zone for its offset at a moment: the end of a
day is found by trying the moments around it.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def local(moment: datetime, zone: str) -> tuple[int, int, int, int, int, int]:
    """The wall clock in ``zone`` at ``moment``: year, month, day, hour, minute, second."""
    offset = ZoneInfo(zone).utcoffset(moment.astimezone(ZoneInfo(zone)))
    assert offset is not None
    wall = moment.astimezone(UTC).replace(tzinfo=None) + offset
    return wall.year, wall.month, wall.day, wall.hour, wall.minute, wall.second


def next_day(year: int, month: int, day: int) -> tuple[int, int, int]:
    """The calendar day after."""
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if day < DAYS[month - 1] + leap:
        return year, month, day + 1
    return (year, month + 1, 1) if month < 12 else (year + 1, 1, 1)


def last_day(moment: datetime, zone: str, days: int, awareness_is_day: int) -> tuple[int, int, int]:
    """The last day of a clock of ``days`` when the day of awareness has the number ``awareness_is_day``."""
    day = local(moment, zone)[:3]
    number = awareness_is_day
    while number < days:
        day = next_day(*day)
        number += 1
    return day


def due(moment: datetime, zone: str, count: int, unit: str, awareness_is_day: int) -> datetime:
    """The last second (UTC) in which a report is in time."""
    if unit == "hours":
        return moment.astimezone(UTC) + timedelta(seconds=3600 * count)
    day = last_day(moment, zone, count, awareness_is_day)
    guess = datetime(*day, 23, 59, 59, tzinfo=UTC)
    for quarters in range(-60, 61):
        candidate = guess + timedelta(minutes=15 * quarters)
        if local(candidate, zone) == (*day, 23, 59, 59):
            return candidate
    raise AssertionError(f"{day} has no last second in {zone}")
