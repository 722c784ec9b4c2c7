"""The virtual trial: sites, monitor and committee act on simulated patients through the commands a real trial uses.

A calendar of things to do is worked off in order of time. Nothing is decided here that ``conduct`` decides: seats,
stagger, dose lock, recommendation and holds come back as events or refusals.
"""

import heapq
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Protocol

from escalon.conduct import commands as c
from escalon.conduct import events as ev
from escalon.conduct.cohorts import earliest_infusion, free_seats, pending
from escalon.conduct.dlt_record import assess_dlt
from escalon.conduct.events import DltStatus
from escalon.conduct.evidence import rp2d_evidence
from escalon.conduct.people.commands import GiveSignature
from escalon.conduct.state import Patient, State
from escalon.protocol import StudyFolder
from escalon.virtual import meeting, safety_desk
from escalon.virtual.committee import choose_rp2d
from escalon.virtual.opening import opening, sign_casebooks
from escalon.virtual.patients import draw_site
from escalon.virtual.staff import MONITOR, SPONSOR, STATISTICIAN, coordinator, investigator
from escalon.virtual.streams import Streams
from escalon.virtual.trajectory import Act, simulate_patient

REVIEW_AFTER = timedelta(days=1)
RECOMMEND_AFTER, DECIDE_AFTER = timedelta(days=2), timedelta(days=4)
LIFT_AFTER = timedelta(days=14)
ENDS_EXPANSION = ("expansion-dlt", "expansion-futility")
SCREENING_LEAD = timedelta(days=16)
CANDIDATE_WAITS = timedelta(days=35)


class Desk(Protocol):
    """What the virtual trial needs of a ledger: carry out commands, show the state, join a day's work."""

    state: State

    def execute(self, signed: c.Signed) -> tuple[ev.Event, ...] | c.Refused:
        """Carry out one command."""

    def batch(self) -> AbstractContextManager[None]:
        """Join several commands."""


class Progress(Protocol):
    """Told after each simulated day: moment, things done and things known to come."""

    def __call__(self, moment: datetime, done: int, to_come: int) -> None:
        """Take note."""


class VirtualRunError(RuntimeError):
    """The simulated people sent a command that conduct refuses: a fault of the simulation, never of the data."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    number: int
    site: str
    arrived: datetime


class VirtualTrial:
    """One simulated trial. The same folder, scenario and seed give the same commands in the same order."""

    def __init__(self, desk: Desk, folder: StudyFolder, seed: int, scenario: str | None = None) -> None:
        self._desk, self._folder, self._study = desk, folder, folder.study
        self._scenario = folder.scenarios.scenario(scenario)
        self._streams = Streams(seed)
        self._calendar: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._order = 0
        self._done = 0
        self._waiting: list[_Candidate] = []
        self._arrivals = 0
        self._accrual_open = True
        self._planned: dict[str, datetime] = {}

    def run(self, software: str, progress: Progress | None = None) -> State:
        """Run the trial from opening to closure and return its final state."""
        start = datetime.combine(self._study.identity.start_date, time(9), UTC)
        self._at(start, lambda now: self._open(now, software))
        while self._calendar:
            day = self._calendar[0][0].date()
            with self._desk.batch():
                while self._calendar and self._calendar[0][0].date() == day:
                    moment, _, act = heapq.heappop(self._calendar)
                    act(moment)
                    self._done += 1
            if progress is not None:
                progress(datetime.combine(day, time(), UTC), self._done, len(self._calendar))
        return self._desk.state

    def _at(self, moment: datetime, act: Callable[[datetime], None]) -> None:
        self._order += 1
        heapq.heappush(self._calendar, (moment, self._order, act))

    def _send(self, now: datetime, actor: c.Actor, command: c.Command) -> tuple[ev.Event, ...]:
        how = "password+otp" if isinstance(command, GiveSignature) else "session"
        outcome = self._desk.execute(c.Signed(command, actor, now, how))
        if isinstance(outcome, c.Refused):
            raise VirtualRunError(f"{now:%d %b %Y}: {command} was refused ({outcome.rule}): {outcome.reason}")
        for event in outcome:
            if isinstance(event, ev.EnrolmentHeld):
                self._on_hold(now, event)
            for moment, task in safety_desk.follow_up(event, now, self._folder):
                self._at(moment, lambda at, do=task: self._do(at, do(self._desk.state)))  # type: ignore[misc]
        return outcome

    def _send_all(self, now: datetime, acts: Iterable[tuple[c.Actor, c.Command]]) -> None:
        for actor, command in acts:
            self._send(now, actor, command)

    def _do(self, now: datetime, sent: tuple[c.Actor, c.Command] | None) -> None:
        if sent is not None:
            self._send(now, *sent)

    def _now(self) -> State:
        return self._desk.state

    # Opening and accrual

    def _open(self, now: datetime, software: str) -> None:
        self._send(now, SPONSOR, c.OpenStudy(self._folder.hash, software, "virtual"))
        self._send_all(now, opening(self._folder, now))
        self._send_all(now, meeting.appoint_members())
        level = self._study.escalation.start_level
        reason = "Start level of the escalation plan; all sites ready"
        self._send_all(now, meeting.decide_dose(self._now, "open", level, reason))
        self._next_arrival(now)

    def _next_arrival(self, now: datetime) -> None:
        if not self._accrual_open:
            return
        self._arrivals += 1
        draw = self._streams.generator(self._arrivals, "arrival")
        gap = timedelta(days=float(draw.exponential(30.4375 / self._scenario.accrual_per_month)))
        site = draw_site(self._streams, self._arrivals, self._folder.scenarios.patients).id
        moment = datetime.combine((now + gap).date(), time(11), UTC)
        self._at(max(moment, now), lambda at, number=self._arrivals: self._arrive(at, number, site))  # type: ignore[misc]

    def _arrive(self, now: datetime, number: int, site: str) -> None:
        self._waiting.append(_Candidate(number, site, now))
        self._next_arrival(now)
        self._fill_seats(now)

    def _fill_seats(self, now: datetime) -> None:
        """Offer free seats to candidates in order of arrival; who waited too long has gone elsewhere."""
        self._waiting = [one for one in self._waiting if now - one.arrived <= CANDIDATE_WAITS]
        state = self._desk.state
        while self._waiting and not state.open_holds and state.cohort and free_seats(state, state.cohort):
            self._enrol(now, self._waiting.pop(0))
            state = self._desk.state

    def _enrol(self, now: datetime, candidate: _Candidate) -> None:
        patient_id = f"{len(self._desk.state.patients) + 1:03d}"
        consented = candidate.arrived.date().isoformat()
        enrol = c.EnrolPatient(patient_id, candidate.site, consented)
        self._send(now, coordinator(candidate.site), enrol)
        patient = self._desk.state.patients[patient_id]
        cohort = self._desk.state.cohorts[patient.cohort - 1]
        regimen, process = self._study.regimen_on(now.date()), self._study.process_on(now.date())
        assign = c.AssignDose(patient_id, cohort.dose_level, regimen.id, process or "")
        self._send(now, investigator(candidate.site), assign)
        infusion = self._plan_infusion(now, patient)
        trajectory = simulate_patient(
            self._streams,
            self._study,
            self._scenario,
            self._folder.scenarios.patients,
            number=candidate.number,
            dose_level=cohort.dose_level,
            regimen=regimen,
            process=process or "",
            part=patient.part,
        )
        if trajectory.infused:  # who will not be infused leaves the stagger as it is
            self._planned[patient_id] = infusion
        for moment, act in trajectory.acts(infusion, consented_on=candidate.arrived.date()):
            self._at(max(moment, now), lambda at, a=act: self._record(at, patient_id, candidate.site, a))  # type: ignore[misc]
        self._at(
            infusion + timedelta(days=self._last_review_day()), lambda at: self._review(at, patient_id, True)
        )

    def _last_review_day(self) -> int:
        """Day on which every clause of the DLT definition can be judged, and the monitor settles what is open."""
        checks = [
            clause.check_day + clause.check_day_window
            for clause in self._study.dlt.clauses
            if clause.kind == "late_cytopenia"
        ]
        return max([self._study.dlt.window_days, *checks]) + 2

    def _plan_infusion(self, now: datetime, patient: Patient) -> datetime:
        """First possible infusion: after screening, and staggered behind everyone seated before in the cohort."""
        earliest = datetime.combine((now + SCREENING_LEAD).date(), time(10), UTC)
        if patient.part != "escalation":
            return earliest
        state = self._desk.state
        cohort = state.cohorts[patient.cohort - 1]
        permitted, _ = earliest_infusion(state, cohort, self._study)
        candidates = [earliest] if permitted is None else [earliest, permitted]
        before = [self._planned[other] for other in cohort.patients if other in self._planned]
        if before:
            gap = (
                self._study.stagger.after_first_days
                if len(before) == 1
                else self._study.stagger.after_next_days
            )
            candidates.append(max(before) + timedelta(days=gap))
        return max(candidates)

    # What sites record, and what follows

    def _record(self, now: datetime, patient_id: str, site: str, act: Act) -> None:
        reason = act.reason if act.amends else None
        command = c.RecordForm(patient_id, act.form, act.record, act.values, act.visit, reason)
        released = any(
            isinstance(event, ev.SeatReleased) for event in self._send(now, coordinator(site), command)
        )
        if released:
            self._at(now + REVIEW_AFTER, lambda at: self._fill_seats(at))
        if act.form in ("AE", "DS", "CM", "LB", "RS"):
            self._at(now + REVIEW_AFTER, lambda at: self._review(at, patient_id))

    def _review(self, now: datetime, patient_id: str, last: bool = False) -> None:
        """The medical monitor reads what the criteria propose and, once it is settled, adjudicates."""
        patient = self._desk.state.patients[patient_id]
        waiting = patient.infused_at is None and patient.released is None
        if patient.dlt_status is not DltStatus.PENDING or waiting:
            return
        proposal = assess_dlt(patient, self._folder, now)
        status = proposal.status
        if status is DltStatus.PENDING and last:
            status = DltStatus.NOT_EVALUABLE  # what was needed to judge the open clause never came
        if status is DltStatus.PENDING:
            return
        judged = c.AdjudicateDlt(patient_id, status, proposal.text, proposal.clause)
        self._send(now, MONITOR, judged)
        self._at(now + RECOMMEND_AFTER, self._recommend)
        self._at(now + REVIEW_AFTER, self._fill_seats)

    def _sign_casebooks(self, now: datetime, patients: Iterable[str]) -> None:
        self._send_all(now, list(sign_casebooks(self._desk.state, patients)))

    # Recommendation, decision, RP2D, expansion

    def _recommend(self, now: datetime) -> None:
        state = self._desk.state
        cohort = state.cohort
        if cohort is None or cohort.part != "escalation" or cohort.decided or state.mtd is not None:
            return
        recommended = any(rec.cohort == cohort.cohort for rec in state.recommendations)
        if recommended or free_seats(state, cohort) or pending(state, cohort):
            return
        self._send(now, STATISTICIAN, c.RequestRecommendation())
        self._at(now + DECIDE_AFTER, self._decide)

    def _decide(self, now: datetime) -> None:
        state = self._desk.state
        recommendation = state.recommendations[-1]
        reason = f"As recommended: {recommendation.reasons[-1]}"
        action, level = recommendation.action, recommendation.dose_level
        self._send_all(now, meeting.decide_dose(self._now, action, level, reason))
        if self._desk.state.mtd is not None:
            self._at(now + timedelta(days=28), self._name_rp2d)
        self._fill_seats(now)

    def _name_rp2d(self, now: datetime) -> None:
        evidence = rp2d_evidence(self._desk.state, self._folder, now)
        level, reason = choose_rp2d(self._desk.state, self._folder)
        self._send_all(now, meeting.decide_rp2d(self._now, level, reason, evidence))
        if level is None:
            self._accrual_open = False
            self._at(self._last_contact(now), self._close)
            return
        self._send_all(now, meeting.open_expansion(self._now))
        self._fill_seats(now)
        self._watch_expansion(now)

    def _watch_expansion(self, now: datetime) -> None:
        """Stop accrual once the expansion is full, or held for its DLT rate, and close after the last contact."""
        state = self._desk.state
        assert state.cohort is not None
        too_toxic = any(hold.rule in ENDS_EXPANSION for hold in state.open_holds)
        if too_toxic or not free_seats(state, state.cohort):
            self._accrual_open = False
            self._at(self._last_contact(now), self._close)
            return
        self._at(now + timedelta(days=7), self._watch_expansion)

    def _last_contact(self, now: datetime) -> datetime:
        return max([now, *(entry[0] for entry in self._calendar)]) + timedelta(days=14)

    def _close(self, now: datetime) -> None:
        if self._calendar:  # something was added since; the study closes after it
            self._at(self._last_contact(now), self._close)
            return
        self._sign_casebooks(now, self._desk.state.patients)
        self._send(now, SPONSOR, c.CloseStudy("Last patient completed the follow-up to Month 24"))

    def _on_hold(self, now: datetime, held: ev.EnrolmentHeld) -> None:
        if held.rule in ENDS_EXPANSION:
            return
        reason = f"Reviewed by the committee: {held.reason}; this hold is lifted"
        self._at(now + LIFT_AFTER, lambda at: self._lift(at, held.hold, reason))

    def _lift(self, now: datetime, hold: int, reason: str) -> None:
        self._send_all(now, meeting.lift_hold(hold, reason))
        self._fill_seats(now)


def run_trial(
    desk: Desk,
    folder: StudyFolder,
    *,
    seed: int,
    software: str,
    scenario: str | None = None,
    progress: Progress | None = None,
) -> State:
    """Run one virtual trial on ``desk`` and return its final state.

    Args:
        desk: the ledger, or anything that executes commands.
        folder: the study with its scenarios.
        seed: whole number; the only source of chance.
        software: version written into the opening fact.
        scenario: id of the true toxicity scenario; None takes the folder's default.
        progress: told after each simulated day.

    Raises:
        VirtualRunError: conduct refused a command of the simulation.
        KeyError: no such scenario.
    """
    return VirtualTrial(desk, folder, seed, scenario).run(software, progress)
