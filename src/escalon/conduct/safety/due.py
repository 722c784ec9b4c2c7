"""When a report is due: hours elapse, days are counted on the sponsor's calendar."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from escalon.protocol.conduct.safety import ClockRule

DAY_ENDS = time(23, 59, 59)


def awareness_date(moment: datetime, zone: str) -> date:
    """Return the calendar date of ``moment`` in the sponsor's zone; ValueError without a time zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone; a moment of awareness needs one")
    return moment.astimezone(ZoneInfo(zone)).date()


def due_date(rule: ClockRule, moment: datetime, zone: str) -> date:
    """Return the last day of a rule counted in days that starts at ``moment``.

    >>> from datetime import UTC, datetime
    >>> from escalon.protocol.conduct.safety import default_clocks
    >>> rule = next(rule for rule in default_clocks() if rule.id == "eu-susar-fatal")
    >>> due_date(rule, datetime(2026, 2, 26, 12, tzinfo=UTC), "Europe/Paris").isoformat()
    '2026-03-05'
    """
    return awareness_date(moment, zone) + timedelta(days=rule.count - rule.awareness_is_day)


def due_at(rule: ClockRule, moment: datetime, zone: str) -> datetime:
    """Return the moment (UTC) at which a report under ``rule`` is due, started at ``moment``.

    Hours elapse, whatever the clocks on the wall do; a rule in days is due at the end of its last day.
    """
    if rule.unit == "hours":
        if moment.tzinfo is None:
            raise ValueError(f"{moment} has no time zone; a moment of awareness needs one")
        return moment.astimezone(UTC) + timedelta(hours=rule.count)
    last = datetime.combine(due_date(rule, moment, zone), DAY_ENDS, ZoneInfo(zone))
    return last.astimezone(UTC)
