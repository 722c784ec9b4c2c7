"""When did it end, and how: the rules of ``specs/time_to_event.yaml`` applied to one patient.

Each rule gives the day on which it happened and the record its date stands in. The rule that happened first
decides, at equal day the one listed first. A gap in follow-up is a run of response visits without an adequate
assessment, from the last one to the event; visits whose windows overlap (Day 84 and Month 3) are one visit
there, since one assessment can serve only one of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from escalon.datasets.adam.vital_status import Source
from escalon.protocol.study import Visit

__all__ = ["Case", "Outcome", "decide", "visit_groups"]


@dataclass(frozen=True, slots=True)
class Case:
    """One patient and one parameter.

    Attributes:
        start: origin with its record.
        event: first event of the parameter, or None; ``event_name`` is its key.
        adequate: adequate disease assessments in order, from the origin on.
        transplant, new_therapy: dates, or None.
        alive: last record that shows the patient alive.
        followed: last record of the follow-up this parameter needs: an adequate assessment, or being alive.
        infusion: date of the infusion (None: no visit schedule) and ``horizon``, the last day of the time
        frame, with its record.
        windows: inclusive windows of the response visits in days from the infusion, overlapping ones joined.
        missed: consecutive missed visits that break the follow-up.
    """

    start: Source
    event: Source | None
    event_name: str | None
    adequate: tuple[Source, ...]
    transplant: date | None
    new_therapy: date | None
    alive: Source | None
    followed: Source | None
    infusion: date | None
    horizon: Source
    windows: tuple[tuple[int, int], ...]
    missed: int

    def last_adequate(self, until: date) -> Source:
        """Return the last adequate assessment on or before ``until``, or the origin when there is none."""
        seen = [item for item in self.adequate if item.date <= until]
        return seen[-1] if seen else self.start


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule says: the rule, when it happened (for the order of rules), and the record of the date the
    time runs to."""

    rule: str
    at: date
    source: Source


def visit_groups(visits: tuple[Visit, ...]) -> tuple[tuple[int, int], ...]:
    """Return the windows of ``visits`` in order, those that overlap joined into one."""
    groups: list[tuple[int, int]] = []
    for low, high in sorted(visit.window for visit in visits):
        if groups and low <= groups[-1][1]:
            groups[-1] = (groups[-1][0], max(high, groups[-1][1]))
        else:
            groups.append((low, high))
    return tuple(groups)


def decide(case: Case, rules: list[str], switched_off: frozenset[str] = frozenset()) -> Outcome:
    """Return the outcome of ``case`` under the ordered ``rules``; ValueError when no rule applies."""
    found = [
        (outcome.at, place, outcome)
        for place, name in enumerate(rules)
        if name not in switched_off and (outcome := _RULES[name](case)) is not None
    ]
    if not found:
        raise ValueError(f"no rule of {', '.join(rules)} applies; the list needs one that always does")
    return min(found, key=lambda item: item[:2])[2]


def _event(case: Case) -> Outcome | None:
    return None if case.event is None else Outcome("EVENT", case.event.date, case.event)


def _stopped_by(name: str, field: str) -> Callable[[Case], Outcome | None]:
    def rule(case: Case) -> Outcome | None:
        day: date | None = getattr(case, field)
        if day is None or day < case.start.date:
            return None
        return Outcome(name, day, case.last_adequate(day))

    return rule


def _missed_visits(case: Case) -> Outcome | None:
    if case.event is None or case.infusion is None:
        return None
    # The gap ends at the event: the assessment that found a progression does not close it.
    last = case.last_adequate(case.event.date - timedelta(days=1))
    # Before the infusion there is no visit to miss, so a first dose before it changes nothing.
    seen, until = (last.date - case.infusion).days, (case.event.date - case.infusion).days
    missed = [(low, high) for low, high in case.windows if low > seen and high < until]
    if len(missed) < case.missed:
        return None
    broken = case.infusion + timedelta(days=missed[case.missed - 1][1])
    return Outcome("MISSED_VISITS", broken, last)


def _horizon(case: Case) -> Outcome | None:
    # A response first seen after the time frame, at the last visit's late end, has no follow-up inside it.
    end = case.start if case.start.date > case.horizon.date else case.horizon
    last = case.event or case.followed
    return Outcome("HORIZON", end.date, end) if last is not None and last.date > end.date else None


def _not_assessed(case: Case) -> Outcome | None:
    return None if case.adequate else Outcome("NOT_ASSESSED", date.max, case.start)


def _last_assessment(case: Case) -> Outcome | None:
    if not case.adequate:
        return None
    return Outcome("LAST_ASSESSMENT", date.max, case.adequate[-1])


def _last_alive(case: Case) -> Outcome | None:
    alive = case.start if case.alive is None or case.alive.date < case.start.date else case.alive
    return Outcome("LAST_ALIVE", date.max, alive)


_RULES: Mapping[str, Callable[[Case], Outcome | None]] = {
    "EVENT": _event,
    "TRANSPLANT": _stopped_by("TRANSPLANT", "transplant"),
    "NEW_THERAPY": _stopped_by("NEW_THERAPY", "new_therapy"),
    "MISSED_VISITS": _missed_visits,
    "HORIZON": _horizon,
    "NOT_ASSESSED": _not_assessed,
    "LAST_ASSESSMENT": _last_assessment,
    "LAST_ALIVE": _last_alive,
}
