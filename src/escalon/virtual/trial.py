"""The virtual trial: sites, monitor and committee act on simulated patients through the commands a real trial uses.

A calendar of things to do is worked off in order of time. Nothing is decided here that ``conduct`` decides: slots,
stagger, dose lock, recommendation and holds come back as events or refusals.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta

from escalon.conduct import commands as c
from escalon.conduct import events as ev
from escalon.conduct.act import Actor, Command, Event
from escalon.conduct.capture import commands as capture
from escalon.conduct.cohorts import free_seats, pending
from escalon.conduct.events import DltStatus
from escalon.conduct.evidence import rp2d_evidence
from escalon.conduct.outcomes import deciding_counts
from escalon.conduct.proposals import propose_dlt
from escalon.conduct.slots import commands as slots
from escalon.conduct.slots.approval import replacement_object
from escalon.conduct.slots.events import TaskOpened
from escalon.conduct.state import State
from escalon.protocol import StudyFolder
from escalon.virtual import data_management, meeting, safety_desk
from escalon.virtual.acts import Act
from escalon.virtual.clerk import Clerk, Desk, Progress, VirtualRunError
from escalon.virtual.committee import choose_rp2d
from escalon.virtual.course import Courses, planned_entry
from escalon.virtual.enrolment import Enrolment
from escalon.virtual.opening import opening, sign_casebooks
from escalon.virtual.oversight import Oversight
from escalon.virtual.security import Security
from escalon.virtual.staff import MONITOR, SPONSOR, STATISTICIAN
from escalon.virtual.streams import Streams
from escalon.virtual.trajectory import simulate_patient
from escalon.virtual.transfer import mapping_for, transfer_file

__all__ = ["Desk", "Progress", "VirtualRunError", "VirtualTrial", "run_trial"]

REVIEW_AFTER = timedelta(days=1)
RECOMMEND_AFTER, DECIDE_AFTER = timedelta(days=2), timedelta(days=4)
LIFT_AFTER = timedelta(days=14)
TASK_AFTER = timedelta(days=7)
ENDS_EXPANSION = ("expansion-dlt", "expansion-futility")


class VirtualTrial:
    """One simulated trial. The same folder, scenario and seed give the same commands in the same order."""

    def __init__(self, desk: Desk, folder: StudyFolder, seed: int, scenario: str | None = None) -> None:
        self._folder, self._study = folder, folder.study
        self._scenario = folder.scenarios.scenario(scenario)
        self._streams = Streams(seed)
        self._clerk = Clerk(desk)
        self._oversight = Oversight(self._clerk, folder)
        self._security = Security(self._clerk, folder, self._streams)
        self._courses = Courses(self._clerk, folder, self._record, self._review)
        self._enrolment = Enrolment(self._clerk, folder, self._streams, self._scenario, self._seated)
        self._clerk.listen(ev.EnrolmentHeld, self._on_hold)
        self._clerk.listen(ev.PatientInfused, self._on_infusion)
        self._clerk.listen(TaskOpened, self._on_task)
        self._clerk.listen(Event, self._on_event)

    def run(self, software: str, progress: Progress | None = None) -> State:
        """Run the trial from opening to closure and return its final state."""
        start = datetime.combine(self._study.identity.start_date, time(9), UTC)
        self._clerk.at(start, lambda now: self._open(now, software))
        return self._clerk.work(progress)

    def _open(self, now: datetime, software: str) -> None:
        self._clerk.send(now, SPONSOR, c.OpenStudy(self._folder.hash, software, "virtual"))
        self._send_all(now, opening(self._folder, now))
        self._send_all(now, meeting.appoint_members())
        backfill = self._study.escalation.backfill
        if backfill is not None and backfill.order == "random":
            seed = int(self._streams.generator("trial", "backfill").integers(2**32))
            self._clerk.send(now, STATISTICIAN, c.RecordBackfillSeed(seed))
        level = self._study.escalation.start_level
        reason = "Start level of the escalation plan; all sites ready"
        self._send_all(now, meeting.decide_dose(self._now, "open", level, reason))
        self._enrolment.broadcast(now)
        self._enrolment.next_arrival(now)
        self._plan_lock_point(now)
        self._oversight.start()
        self._security.start(now)

    def _plan_lock_point(self, now: datetime) -> None:
        """Plan the next yearly safety report; none is due after the last visit of a study that enrols no more."""
        moment, (actor, command) = safety_desk.next_lock_point(now.date(), self._folder)
        if self._enrolment.accrual_open or moment <= (self._clerk.last_entry or now):
            self._clerk.at(moment, lambda at: self._lock(at, actor, command))

    def _lock(self, now: datetime, actor: Actor, command: Command) -> None:
        self._clerk.send(now, actor, command)
        self._plan_lock_point(now)

    def _now(self) -> State:
        return self._clerk.state

    def _send_all(self, now: datetime, acts: Iterable[tuple[Actor, Command]]) -> None:
        for actor, command in acts:
            self._clerk.send(now, actor, command)

    def _on_event(self, now: datetime, event: Event) -> None:
        """The safety desk and the people who look after data follow up what concerns them."""
        for moment, task in (
            *safety_desk.follow_up(event, now, self._folder, self._streams),
            *data_management.follow_up(event, now, self._folder, self._streams),
        ):
            self._clerk.at(moment, lambda at, do=task: self._do(at, do(self._clerk.state)))  # type: ignore[misc]

    def _do(self, now: datetime, sent: tuple[Actor, Command] | None) -> None:
        if sent is not None:
            self._clerk.send(now, *sent)

    # Patients

    def _seated(self, now: datetime, patient: str, number: int) -> None:
        """Draw all that will happen to a patient, and start the course."""
        known = self._clerk.state.patients[patient]
        assert known.dose_level is not None
        regimen = self._study.regimen_on(now.date())
        trajectory = simulate_patient(
            self._streams,
            self._study,
            self._scenario,
            self._folder.scenarios.patients,
            number=number,
            dose_level=known.dose_level,
            regimen=regimen,
            process=known.process or "",
            part=known.part,
        )
        self._courses.start(now, patient, trajectory.infused, trajectory.drafts)

    def _record(self, now: datetime, patient: str, act: Act) -> None:
        mapping = mapping_for(self._folder, act)
        actor, command = planned_entry(patient, self._clerk.state.patients[patient].site, act)
        if mapping is None:
            self._clerk.send(now, actor, command)
        else:
            file, text = transfer_file(patient, act, mapping, self._folder.forms[act.form])
            self._clerk.send(now, actor, capture.StageImport(file, mapping.id, text))
            number = len(self._clerk.state.capture.imports)
            self._clerk.send(now, actor, capture.ApplyImport(number, text, act.reason or ""))
        if act.form in ("AE", "DS", "CM", "LB", "RS"):
            self._clerk.at(now + REVIEW_AFTER, lambda at: self._review(at, patient))

    def _on_infusion(self, now: datetime, event: ev.PatientInfused) -> None:
        last = event.infused_at + timedelta(days=self._last_review_day())
        self._clerk.at(max(last, now), lambda at: self._review(at, event.patient, last=True))

    def _last_review_day(self) -> int:
        """Day on which every clause of the DLT definition can be judged, and the monitor settles what is open."""
        checks = [
            clause.check_day + clause.check_day_window
            for clause in self._study.dlt.clauses
            if clause.kind == "late_cytopenia"
        ]
        return max([self._study.dlt.window_days, *checks]) + 2

    def _review(self, now: datetime, patient_id: str, last: bool = False) -> None:
        """The medical monitor reads what the criteria propose and, once it is settled, adjudicates."""
        state = self._clerk.state
        patient = state.patients[patient_id]
        waiting = patient.infused_at is None and patient.released is None
        judged = patient.dlt_status is not DltStatus.PENDING and patient_id not in state.slots.reopened
        if judged or waiting:
            return
        proposal = propose_dlt(state, patient_id, self._folder, now)
        status = proposal.status
        if status is DltStatus.PENDING and last:
            status = DltStatus.NOT_EVALUABLE  # what was needed to judge the open clause never came
        if status is DltStatus.PENDING:
            return
        self._clerk.send(now, MONITOR, c.AdjudicateDlt(patient_id, status, proposal.text, proposal.clause))
        if status is DltStatus.NOT_EVALUABLE:
            self._replace(now, patient_id, proposal.text)
        self._clerk.at(now + RECOMMEND_AFTER, self._recommend)

    def _replace(self, now: datetime, patient_id: str, text: str) -> None:
        """The monitor approves a seat for whoever replaces an infused patient of the open cohort."""
        state = self._clerk.state
        patient, cohort = state.patients[patient_id], state.cohort
        assert cohort is not None
        replaced = any(one.replaces == patient_id for one in state.slots.seats_added)
        if patient.infused_at is None or patient.cohort != cohort.cohort or cohort.decided or replaced:
            return
        if cohort.part != "escalation":
            return
        reason = f"Not evaluable: {text}"
        self._clerk.approve(now, MONITOR, replacement_object(patient_id, reason))
        self._clerk.send(now, MONITOR, slots.ApproveReplacement(patient_id, reason))

    def _on_task(self, now: datetime, event: TaskOpened) -> None:
        done = slots.CloseTask(event.task, "Seen by the committee's medical monitor; the decision stands")
        self._clerk.at(now + TASK_AFTER, lambda at: self._send_all(at, [(MONITOR, done)]))

    def _sign_casebooks(self, now: datetime, patients: Iterable[str]) -> None:
        self._send_all(now, list(sign_casebooks(self._clerk.state, patients)))

    # Recommendation, decision, RP2D, expansion

    def _recommend(self, now: datetime) -> None:
        state = self._clerk.state
        cohort = state.cohort
        if cohort is None or cohort.part != "escalation" or cohort.decided or state.mtd is not None:
            return
        recommended = any(rec.cohort == cohort.cohort for rec in state.recommendations)
        if recommended or free_seats(state, cohort) or pending(state, cohort):
            return
        self._clerk.send(now, STATISTICIAN, c.RequestRecommendation())
        self._clerk.at(now + DECIDE_AFTER, self._decide)

    def _decide(self, now: datetime) -> None:
        recommendation = self._clerk.state.recommendations[-1]
        counted = deciding_counts(self._clerk.state, self._study.escalation)
        if [list(one) for one in counted] != [recommendation.inputs["n"], recommendation.inputs["y"]]:
            self._clerk.send(
                now, STATISTICIAN, c.RequestRecommendation()
            )  # a backfill patient was judged since
            recommendation = self._clerk.state.recommendations[-1]
        reason = f"As recommended: {recommendation.reasons[-1]}"
        action, level = recommendation.action, recommendation.dose_level
        self._send_all(now, meeting.decide_dose(self._now, action, level, reason))
        self._enrolment.broadcast(now)
        if self._clerk.state.mtd is not None:
            self._clerk.at(now + timedelta(days=28), self._name_rp2d)

    def _name_rp2d(self, now: datetime) -> None:
        evidence = rp2d_evidence(self._clerk.state, self._folder, now)
        level, reason = choose_rp2d(self._clerk.state, self._folder)
        self._send_all(now, meeting.decide_rp2d(self._now, level, reason, evidence))
        if level is None:
            self._enrolment.accrual_open = False
            self._clerk.at(self._last_contact(now), self._close)
            return
        self._send_all(now, meeting.open_expansion(self._now))
        self._watch_expansion(now)

    def _watch_expansion(self, now: datetime) -> None:
        """Stop accrual once the expansion is full, or held for good, and close after the last contact."""
        state = self._clerk.state
        assert state.cohort is not None
        for_good = any(hold.rule in ENDS_EXPANSION for hold in state.open_holds)
        if for_good or not free_seats(state, state.cohort):
            self._enrolment.accrual_open = False
            self._clerk.at(self._last_contact(now), self._close)
            return
        self._clerk.at(now + timedelta(days=7), self._watch_expansion)

    def _last_contact(self, now: datetime) -> datetime:
        return max(now, self._clerk.last_entry or now) + timedelta(days=14)

    def _close(self, now: datetime) -> None:
        if self._clerk.busy:  # something was added since; the study closes after it
            self._clerk.at(self._last_contact(now), self._close)
            return
        self._send_all(now, list(data_management.finish(self._clerk.state, self._folder)))
        self._sign_casebooks(now, self._clerk.state.patients)
        self._send_all(now, list(data_management.lock_casebooks(self._clerk.state)))
        self._oversight.finish(now)
        self._clerk.send(now, SPONSOR, c.CloseStudy("Last patient completed the follow-up to Month 24"))

    def _on_hold(self, now: datetime, held: ev.EnrolmentHeld) -> None:
        if held.rule in ENDS_EXPANSION:
            return
        reason = f"Reviewed by the committee: {held.reason}; this hold is lifted"
        self._clerk.at(now + LIFT_AFTER, lambda at: self._send_all(at, meeting.lift_hold(held.hold, reason)))


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
