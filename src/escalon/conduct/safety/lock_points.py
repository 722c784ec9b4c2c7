"""Data lock points of the yearly safety report (ICH E2F): one a year, counted from the development birth date.

Conventions: a period starts on the day after the last lock point, the first one on the birth date itself; both ends
count. The lock point is the day before the anniversary, or, where the sponsor chose so, the last day of the month
before the month of the birth date. The anniversary of 29 February is 1 March in other years. No period is longer than
a year.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from escalon.conduct.safety.due import DAY_ENDS, awareness_date, due_date
from escalon.conduct.safety.state import Clock, Matter, Safety
from escalon.protocol import StudyFolder
from escalon.protocol.conduct.safety import LockPoint, SafetyRules

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """One year of reporting; ``due``: last day to submit per jurisdiction; ``matter``: the lock point as recorded.

    ``planned`` is False for a lock point that was recorded apart from the calendar.
    """

    number: int
    start: date
    lock_point: date
    due: dict[str, date]
    matter: Matter | None = None
    clocks: tuple[Clock, ...] = ()
    planned: bool = True

    def status(self, today: date) -> str:
        """Say where the report of this period stands on ``today``."""
        if self.matter is None:
            if today <= self.lock_point:
                return "runs" if self.start <= today else "to come"
            return "not cut, late" if self.due and today > min(self.due.values()) else "to cut"
        waiting = [clock for clock in self.clocks if clock.stopped_at is None]
        if waiting:
            late = any(self.due.get(clock.jurisdiction, today) < today for clock in waiting)
            return f"cut, to send{', late' if late else ''}"
        return "sent"


def birth_date(folder: StudyFolder) -> date:
    """Return the development birth date; without one the start of the study."""
    return folder.conduct.safety.development_birth_date or folder.study.identity.start_date


def anniversary(born: date, year: int) -> date:
    """Return the day of ``born`` in ``year``; 29 February is 1 March where there is none.

    >>> anniversary(date(2020, 2, 29), 2021).isoformat()
    '2021-03-01'
    """
    try:
        return born.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


def lock_points(born: date, kind: LockPoint = "day_before_anniversary") -> Iterator[date]:
    """Yield the lock points after ``born``, the first one first, without end.

    >>> from itertools import islice
    >>> [day.isoformat() for day in islice(lock_points(date(2019, 10, 14)), 2)]
    ['2020-10-13', '2021-10-13']
    """
    for year in range(born.year + 1, date.max.year):
        turn = date(year, born.month, 1) if kind == "month_end" else anniversary(born, year)
        yield turn - ONE_DAY


def interval_start(born: date, lock_point: date, kind: LockPoint = "day_before_anniversary") -> date:
    """Return the first day of the interval that ends on ``lock_point``, one of the calendar or not.

    >>> interval_start(date(2019, 10, 14), date(2022, 10, 13)).isoformat()
    '2021-10-14'
    """
    start = born
    for day in lock_points(born, kind):
        if day >= lock_point:
            break
        start = day + ONE_DAY
    return start


def due_dates(rules: SafetyRules, lock_point: date) -> dict[str, date]:
    """Return the last day to submit the report of ``lock_point``, per jurisdiction of the study."""
    end = end_of_day(lock_point, rules.zone)
    yearly = sorted(rules.rules_for("dsur", lock_point), key=lambda rule: rule.jurisdiction)
    return {rule.jurisdiction: due_date(rule, end, rules.zone) for rule in yearly}


def end_of_day(day: date, zone: str) -> datetime:
    """Return the last second of ``day`` in ``zone``: the moment at which the data are cut."""
    return datetime.combine(day, DAY_ENDS, ZoneInfo(zone))


def calendar(folder: StudyFolder, safety: Safety, today: date) -> tuple[Period, ...]:
    """Return every period from the birth date to the one that runs on ``today``, with what is recorded of it.

    Lock points recorded apart from the calendar stand between them in order of time.
    """
    rules, born = folder.conduct.safety, birth_date(folder)
    recorded = {
        awareness_date(matter.happened_at, rules.zone): matter
        for matter in safety.matters
        if matter.kind == "dsur"
    }
    planned = []
    for day in lock_points(born, rules.data_lock_point):
        planned.append(day)
        if day >= today:
            break
    found = []
    for day in sorted({*planned, *(day for day in recorded if day >= born)}):
        number = sum(other <= day for other in planned)
        matter = recorded.get(day)
        clocks = tuple(one for one in safety.clocks if matter is not None and one.matter == matter.number)
        start = interval_start(born, day, rules.data_lock_point)
        found.append(Period(number, start, day, due_dates(rules, day), matter, clocks, day in planned))
    return tuple(found)
