"""A second way to find the data lock points, written from docs/conduct/safety.md: every day is asked in turn.

No date arithmetic beyond going to the next day.
"""

from tests.reference.clocks_naive import next_day

Day = tuple[int, int, int]


def leap(year: int) -> bool:
    """Whether the year has a 29 February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def is_lock_point(day: Day, born: Day, kind: str) -> bool:
    """Whether the period ends on ``day``: a new one starts on the next."""
    year, month, number = next_day(*day)
    if year <= born[0]:
        return False
    if kind == "month_end":
        return (month, number) == (born[1], 1)
    if born[1:] == (2, 29) and not leap(year):
        return (month, number) == (3, 1)
    return (month, number) == born[1:]


def lock_points(born: Day, until: Day, kind: str) -> list[Day]:
    """The lock points up to the first one on or after ``until``."""
    found, day = [], born
    while True:
        if is_lock_point(day, born, kind):
            found.append(day)
            if day >= until:
                return found
        day = next_day(*day)


def interval_start(born: Day, end: Day, kind: str) -> Day:
    """The first day of the interval that ends on ``end``."""
    start, day = born, born
    while day < end:
        if is_lock_point(day, born, kind):
            start = next_day(*day)
        day = next_day(*day)
    return start


def days_after(day: Day, count: int) -> Day:
    """The day ``count`` days later."""
    for _ in range(count):
        day = next_day(*day)
    return day
