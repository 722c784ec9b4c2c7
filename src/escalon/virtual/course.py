"""The course of each virtual patient from screening to the last contact, postponed where conduct does not permit it.

A site asks before it starts lymphodepletion and again before the infusion. What is not permitted yet is postponed:
before lymphodepletion to the day the stagger gives, after it by a few days at most, because the conditioning is lost.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from escalon.conduct import commands as c
from escalon.conduct.slots import commands as slots
from escalon.conduct.slots.approval import sentinel_object
from escalon.conduct.slots.lock import refuse_infusion, refuse_lymphodepletion
from escalon.conduct.slots.stagger import (
    candidates,
    earliest_infusion,
    infused_in_order,
    observed_until,
    sentinel_cleared,
    site_zone,
)
from escalon.conduct.state import Cohort, Patient
from escalon.protocol import StudyFolder
from escalon.virtual.acts import Act, Day, Draft, Moment, fill_dates
from escalon.virtual.clerk import Clerk
from escalon.virtual.staff import MONITOR, coordinator

SCREENING_LEAD = timedelta(days=16)
INFUSION = -0.1
"""Entries from this day on wait for the permission to infuse."""
POSTPONED_DAYS, MOST_POSTPONEMENTS = 7, 6
"""While nothing tells the day, a site asks again after a week, six times."""
DELAY_AFTER_CONDITIONING = 3
"""Days by which an infusion may follow later than planned."""


@dataclass
class _Plan:
    """What is planned for one patient; ``infusion`` moves."""

    patient: str
    infusion: datetime
    infused: bool
    drafts: tuple[Draft, ...]
    begin: float
    conditioned: bool = False
    postponed: int = 0
    shift: int = 0


class Courses:
    """All courses; ``recorded`` is told of every entry, ``judge`` is asked to judge a patient now."""

    def __init__(
        self,
        clerk: Clerk,
        folder: StudyFolder,
        recorded: Callable[[datetime, str, Act], None],
        judge: Callable[[datetime, str], None],
    ) -> None:
        self._clerk, self._folder = clerk, folder
        self._recorded, self._judge = recorded, judge
        self._plans: dict[str, _Plan] = {}

    def start(self, now: datetime, patient: str, infused: bool, drafts: tuple[Draft, ...]) -> None:
        """Plan the infusion of a seated patient and enter what comes before lymphodepletion."""
        plan = _Plan(patient, self._first_date(now, patient), infused, drafts, _conditioning_day(drafts))
        self._plans[patient] = plan
        self._enter(now, plan, -1e9, plan.begin)
        self._ask_conditioning(now, plan)

    def _first_date(self, now: datetime, patient: str) -> datetime:
        """After screening, and staggered behind everyone seated before in the cohort."""
        known = self._clerk.state.patients[patient]
        earliest = datetime.combine((now + SCREENING_LEAD).date(), time(10), UTC)
        permitted = earliest_infusion(self._clerk.state, known, self._folder, now).moment
        bounds = [earliest] if permitted is None else [earliest, permitted]
        return max([*bounds, *self._behind(known, everybody=True)])

    def _behind(self, patient: Patient, everybody: bool) -> list[datetime]:
        """The end of the observation behind the last planned infusion of the cohort, of those already conditioned."""
        cohort = self._cohort(patient)
        if cohort is None or cohort.part != "escalation":
            return []
        ahead = [
            plan.infusion
            for name, plan in self._plans.items()
            if name in cohort.patients
            and name != patient.patient
            and plan.infused
            and (everybody or (plan.conditioned and self._clerk.state.patients[name].infused_at is None))
        ]
        if not ahead:
            return []
        stagger = self._folder.study.stagger
        alone = len(ahead) + (0 if everybody else len(infused_in_order(self._clerk.state, cohort))) == 1
        days = stagger.after_first_days if alone else stagger.after_next_days
        return [max(ahead) + timedelta(days=days)]

    def _cohort(self, patient: Patient) -> Cohort | None:
        return next((one for one in self._clerk.state.cohorts if one.cohort == patient.cohort), None)

    def _enter(self, now: datetime, plan: _Plan, begin: float, end: float) -> None:
        """Put the entries of days ``begin`` to ``end`` into the calendar."""
        known = self._clerk.state.patients[plan.patient]
        consent = datetime.fromisoformat(known.consented_on).date()
        for draft in plan.drafts:
            if begin <= draft.day < end:
                moment, act = fill_dates(_kept(draft, plan.shift), plan.infusion, consent)
                self._clerk.at(max(moment, now), self._entry(plan.patient, act))

    def _entry(self, patient: str, act: Act) -> Callable[[datetime], None]:
        return lambda now: self._recorded(now, patient, act)

    # Permission to condition

    def _ask_conditioning(self, now: datetime, plan: _Plan) -> None:
        self._clerk.at(max(_at_day(plan, plan.begin), now), lambda at: self._condition(at, plan))

    def _condition(self, now: datetime, plan: _Plan) -> None:
        known = self._clerk.state.patients[plan.patient]
        first = _at_day(plan, plan.begin)
        behind = (
            max(self._behind(known, everybody=False), default=plan.infusion)
            if plan.infused
            else plan.infusion
        )
        refused = refuse_lymphodepletion(self._clerk.state, known, first, self._folder, now)
        if refused is None and behind <= plan.infusion:
            plan.conditioned = True
            self._enter(now, plan, plan.begin, INFUSION)
            self._clerk.at(max(plan.infusion, now), lambda at: self._infuse(at, plan))
            return
        plan.postponed += 1
        if plan.postponed > MOST_POSTPONEMENTS:
            self._leave(now, plan, "The infusion was not permitted in time")
            return
        permitted = earliest_infusion(self._clerk.state, known, self._folder, now).moment
        later = [behind, plan.infusion] + ([] if permitted is None else [permitted])
        if max(later) == plan.infusion:
            later.append(plan.infusion + timedelta(days=POSTPONED_DAYS))
        plan.infusion = max(later)
        self._ask_conditioning(now, plan)

    # Permission to infuse

    def _infuse(self, now: datetime, plan: _Plan) -> None:
        if not plan.infused:
            self._enter(now, plan, INFUSION, 1e9)
            return
        known = self._clerk.state.patients[plan.patient]
        self._clear_way(now, known)
        state = self._clerk.state
        refused = refuse_infusion(state, known, plan.infusion, self._folder, now)
        if refused is None:
            self._enter(now, plan, INFUSION, 1e9)
            return
        plan.shift += 1
        plan.infusion += timedelta(days=1)
        if plan.shift > DELAY_AFTER_CONDITIONING:
            self._leave(now, plan, f"Not permitted after lymphodepletion: {refused.rule}")
            return
        self._clerk.at(plan.infusion, lambda at: self._infuse(at, plan))

    def _clear_way(self, now: datetime, patient: Patient) -> None:
        """The medical monitor judges open candidates of the cohort and reviews its first patient."""
        cohort = self._cohort(patient)
        if cohort is None or cohort.part != "escalation":
            return
        infused = infused_in_order(self._clerk.state, cohort)
        for other in infused:
            self._judge(now, other.patient)
        state = self._clerk.state
        if (
            not infused
            or sentinel_cleared(state, cohort) is not None
            or candidates(state, cohort, self._folder, now)
        ):
            return
        first = infused[0]
        assert first.infused_at is not None
        days = self._folder.study.stagger.after_first_days
        if now < observed_until(first.infused_at, days, site_zone(state, first.site), self._folder):
            return
        reason = f"Observation of {first.patient} complete; the next patient may be infused"
        self._clerk.approve(now, MONITOR, sentinel_object(cohort.cohort, reason))
        self._clerk.send(now, MONITOR, slots.ReviewSentinel(cohort.cohort, reason))

    def _leave(self, now: datetime, plan: _Plan, reason: str) -> None:
        values: dict[str, Any] = {
            "DSDECOD": "NOT INFUSED", "DSSTDTC": now.date().isoformat(), "DSTERM": reason
        }  # fmt: skip
        self._recorded(now, plan.patient, Act(0.0, "DS", "DS-END", values))


def _at_day(plan: _Plan, day: float) -> datetime:
    return plan.infusion + timedelta(minutes=round(day * 1440.0))


def _conditioning_day(drafts: tuple[Draft, ...]) -> float:
    """Day, with its hour as a fraction, on which the first lymphodepleting dose starts."""
    starts = (draft.values["EXSTDTC"] for draft in drafts if draft.form == "EX")
    return min(start.day for start in starts if isinstance(start, Moment))


def planned_entry(patient: str, site: str, act: Act) -> tuple[c.Actor, c.RecordForm]:
    """Return who enters ``act`` and the command."""
    reason = act.reason if act.amends else None
    return coordinator(site), c.RecordForm(patient, act.form, act.record, act.values, act.visit, reason)


def _kept(draft: Draft, shift: int) -> Draft:
    """A draft whose dates before the infusion stay where they were when the infusion moves by ``shift`` days."""
    if shift == 0:
        return draft
    values = {name: _unmoved(value, shift) for name, value in draft.values.items()}
    return replace(draft, values=values)


def _unmoved(value: Any, shift: int) -> Any:
    if isinstance(value, Moment) and value.day < INFUSION:
        return Moment(value.day - shift)
    if isinstance(value, Day) and value.day < 0:
        return Day(value.day - shift)
    return value
