"""What a site enters, before and after the moment of the infusion is known."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Moment:
    """A date and time, as days (fractional) after the start of the infusion."""

    day: float


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar date, as whole days after the date of the infusion."""

    day: int


@dataclass(frozen=True, slots=True)
class Consent:
    """The date of informed consent, known from the enrolment."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One form entry on ``day`` after the infusion; dates in ``values`` are still Moment, Day or Consent."""

    day: float
    form: str
    record: str
    values: dict[str, Any]
    visit: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """One form entry as the site sends it.

    Attributes:
        day: days after the start of the infusion at which it is entered.
        form, record, values, visit: as of ``RecordForm``.
        amends: it changes an earlier entry of the same record; ``reason`` says why.
    """

    day: float
    form: str
    record: str
    values: dict[str, Any] = field(default_factory=dict)
    visit: str | None = None
    amends: bool = False
    reason: str | None = None


def fill_dates(draft: Draft, infusion_at: datetime, consented_on: date) -> tuple[datetime, Act]:
    """Return when the entry is made and the entry with real dates.

    Raises:
        ValueError: when ``infusion_at`` has no time zone.
    """
    if infusion_at.tzinfo is None:
        raise ValueError(f"infusion_at {infusion_at.isoformat()} has no time zone; UTC is needed")
    start = infusion_at.astimezone(UTC)
    values = {name: _text(value, start, consented_on) for name, value in draft.values.items()}
    act = Act(
        draft.day, draft.form, draft.record, values, draft.visit, draft.reason is not None, draft.reason
    )
    return _moment(start, draft.day), act


def _moment(start: datetime, day: float) -> datetime:
    return start + timedelta(minutes=round(day * 1440.0))


def _text(value: Any, start: datetime, consented_on: date) -> Any:
    if isinstance(value, Moment):
        return _moment(start, value.day).isoformat(timespec="seconds")
    if isinstance(value, Day):
        return (start.date() + timedelta(days=value.day)).isoformat()
    if isinstance(value, Consent):
        return consented_on.isoformat()
    return value
