"""The windows of all infusions of one patient, worked out the long way from docs/conduct/cohorts.md (RE-3 to RE-8).

Imports nothing of ours. A patient is plain data; every question is answered by walking over all of it again. The
definition of a DLT is cut down to two clauses: an event of grade 4 on the day it is reached or of grade 3 for more than
72 hours, and a reaction of grade 3 or higher for more than 24 hours, which is watched from the first dose of the
antibody on.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

DAY = timedelta(days=1)


@dataclass
class Infusion:
    """One infusion: when, how much of the planned dose, and what a person judged of it (None: nothing)."""

    at: datetime
    fraction: float = 1.0
    judged: str | None = None
    reopened: bool = False


@dataclass
class Event:
    """An adverse event: reaction or not, its grade, beginning and end."""

    start: datetime
    grade: int = 4
    reaction: bool = False
    end: datetime | None = None


@dataclass
class Course:
    """All that is known of the patient."""

    infusions: list[Infusion]
    antibody: list[datetime] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    panels: list[datetime] = field(default_factory=list)
    left: datetime | None = None
    therapy: datetime | None = None
    window: int = 28
    early: int = 3
    late: int = 3
    least: float = 0.8


def windows(course: Course, now: datetime) -> list[tuple[str, str, bool | None]]:
    """State, evaluability and DLT of every infusion, in the order of time."""
    ordered = sorted(course.infusions, key=lambda one: one.at)
    return [_window(course, ordered, place, now) for place in range(len(ordered))]


def _window(
    course: Course, ordered: list[Infusion], place: int, now: datetime
) -> tuple[str, str, bool | None]:
    one = ordered[place]
    if one.reopened:
        return "re-opened", "pending", None
    status = one.judged or _says(course, ordered, place, now)
    if status == "NO_DLT":
        return "completed", "evaluable", False
    if status == "NOT_EVALUABLE":
        return "truncated", "not evaluable", None
    if status == "DLT" and one.judged:
        return "ended by DLT", "evaluable", True
    return "running", "pending", None


def proposed(course: Course, now: datetime) -> list[str]:
    """What the criteria say of every infusion, whatever a person judged."""
    ordered = sorted(course.infusions, key=lambda one: one.at)
    return [_says(course, ordered, place, now) for place in range(len(ordered))]


def _says(course: Course, ordered: list[Infusion], place: int, now: datetime) -> str:
    one = ordered[place]
    before = ordered[place - 1].at if place else None
    zero = datetime(one.at.year, one.at.month, one.at.day, tzinfo=UTC)
    today = (now - zero) // DAY
    doses = [dose for dose in course.antibody if dose <= one.at and (before is None or dose > before)]
    opening = min([zero, *doses])
    found = [_event(event, zero, opening, today, course.window) for event in course.events]
    if "DLT" in found:
        return "DLT"
    if "OPEN" in found:
        return "PENDING"
    gone = [moment for moment in (course.left, course.therapy) if moment is not None and moment >= zero]
    days_gone = sorted((moment - zero) // DAY for moment in gone)
    if days_gone and days_gone[0] <= today and days_gone[0] < course.window:
        return "NOT_EVALUABLE"
    if today < course.window:
        return "PENDING"
    if one.fraction < course.least:
        return "NOT_EVALUABLE"
    first, last = course.window - course.early, course.window + course.late
    if any(first <= (panel - zero) // DAY <= last for panel in course.panels):
        return "NO_DLT"
    return "PENDING" if today <= last else "NOT_EVALUABLE"


def _event(event: Event, zero: datetime, opening: datetime, today: int, window: int) -> str:
    """DLT, OPEN (time may still make it one) or NO; an event that began before the window is NO."""
    if event.start < opening or (event.start - zero) // DAY > min(window, today):
        return "NO"
    if not event.reaction and event.start < zero:
        return "NO"
    if not event.reaction and event.grade >= 4:
        return "DLT"
    if event.grade < 3:
        return "NO"
    ended = event.end is not None and event.end < zero + (today + 1) * DAY
    until = event.end if ended and event.end is not None else zero + today * DAY
    if until - event.start > (DAY if event.reaction else 3 * DAY):
        return "DLT"
    return "NO" if ended else "OPEN"


@dataclass
class Judged:
    """A patient of the escalation: level and status of the first infusion, then (level, status) of the others."""

    level: int
    status: str
    further: list[tuple[int, str]] = field(default_factory=list)


def counts(patients: list[Judged], levels: int, *, further_counts: bool) -> tuple[list[int], list[int]]:
    """Evaluable patients and patients with a DLT per level (RE-8)."""
    n, y = [], []
    for level in range(1, levels + 1):
        seen = [one for one in patients if one.level == level and one.status in ("DLT", "NO_DLT")]
        toxic = [one for one in seen if one.status == "DLT"]
        if further_counts:
            again = [one for one in patients if (level, "DLT") in one.further]
            seen += [one for one in again if one not in seen]
            toxic += [one for one in again if one not in toxic]
        n.append(len(seen))
        y.append(len(toxic))
    return n, y
