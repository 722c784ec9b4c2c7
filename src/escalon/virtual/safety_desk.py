"""The sponsor's safety desk: assesses every case, sends what is due in time, takes note of acknowledgements."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from escalon.conduct.act import Actor, Command, Event
from escalon.conduct.oversight.commands import BreakGlass
from escalon.conduct.people.signatures import content_hash
from escalon.conduct.safety import commands as c
from escalon.conduct.safety import events as ev
from escalon.conduct.safety.decide_matters import COMMITTEE
from escalon.conduct.safety.icsr.acknowledge import acknowledge
from escalon.conduct.safety.icsr.send import region_of, write_report
from escalon.conduct.safety.lock_points import birth_date, end_of_day, lock_points
from escalon.conduct.safety.reading import investigational, investigator_causality
from escalon.conduct.state import State
from escalon.criteria.relatedness import SCALE, is_related, rank
from escalon.protocol import StudyFolder
from escalon.virtual.authority import answer_to
from escalon.virtual.staff import MONITOR, SAFETY_OFFICER, investigator
from escalon.virtual.streams import Streams

Sent = tuple[Actor, Command]
Task = tuple[datetime, Callable[[State], Sent | None]]
ASSESSED_AFTER, ACKNOWLEDGED_AFTER = timedelta(days=1), timedelta(days=1)
ANSWER_UNDERWAY, SENT_AGAIN_AFTER = timedelta(hours=1), timedelta(hours=4)
DISTRIBUTED_AFTER, READ_AFTER = timedelta(hours=2), timedelta(days=2)
ETHICS = f"{COMMITTEE}Virtual ethics committee"
SENT_AFTER = {
    "susar_fatal": timedelta(days=4),
    "upgrade": timedelta(days=4),
    "complete_report": timedelta(days=6),
    "susar_other": timedelta(days=10),
    "follow_up": timedelta(days=10),
    "dsur": timedelta(days=45),
}
LOCKED_AFTER = timedelta(hours=9)
UNREACHED_CASE = 1
"""The case at which the medical monitor cannot be reached."""
TAKEN_BEFORE, TAKEN_FOR_HOURS = timedelta(hours=1), 8.0
RECEIVERS = {"EU": "EudraVigilance", "US": "FDA", "UK": "MHRA"}


def follow_up(event: Event, now: datetime, folder: StudyFolder, streams: Streams) -> Iterator[Task]:
    """Yield what the desk does after ``event`` and when; a task is asked again then, and may have become needless."""
    if isinstance(event, (ev.CaseOpened, ev.CaseUpdated)):
        when = now + ASSESSED_AFTER
        if isinstance(event, ev.CaseOpened) and event.case == UNREACHED_CASE:
            yield when - TAKEN_BEFORE, lambda state: _take_over(folder)
        yield when, lambda state, case=event.case: _assess(state, case, when, folder, streams)  # type: ignore[misc]
    elif isinstance(event, ev.ClockStarted) and event.purpose in SENT_AFTER:
        when = max(now, event.started_at + SENT_AFTER[event.purpose])
        yield when, lambda state, clock=event.clock: _send(state, clock, when, folder)  # type: ignore[misc]
    elif isinstance(event, ev.ReportSubmitted):
        when = now + ACKNOWLEDGED_AFTER
        yield when, lambda state: _acknowledge(state, event.report, when, folder)
        yield now + DISTRIBUTED_AFTER, lambda state: _distribute(state, event.report)
    elif isinstance(event, ev.ClockReopened):
        again = now + SENT_AGAIN_AFTER
        yield again, lambda state: _send(state, event.clock, again, folder)
    elif isinstance(event, ev.ReportDistributed):
        for recipient in event.recipients:
            yield now + READ_AFTER, lambda state, who=recipient: _read(state, event.report, who)  # type: ignore[misc]


def next_lock_point(after: date, folder: StudyFolder) -> tuple[datetime, Sent]:
    """Return the first lock point of the yearly report after ``after``: when it is recorded, by whom, and how."""
    rules = folder.conduct.safety
    day = next(one for one in lock_points(birth_date(folder), rules.data_lock_point) if one > after)
    locked = end_of_day(day, rules.zone).astimezone(UTC)
    return locked + LOCKED_AFTER, (
        SAFETY_OFFICER,
        c.RecordMatter("dsur", f"Data cut of {day:%d %b %Y}", locked),
    )


def _take_over(folder: StudyFolder) -> Sent | None:
    """The medical monitor cannot be reached: the safety officer takes the role for some hours, if the study lets."""
    rules = folder.conduct.oversight.break_glass
    if MONITOR.role not in rules.roles:
        return None
    reason = f"The medical monitor cannot be reached and case {UNREACHED_CASE} must be assessed today"
    return SAFETY_OFFICER, BreakGlass(MONITOR.role, "", reason, min(TAKEN_FOR_HOURS, rules.hours))


def _assessor(state: State, at: datetime) -> Actor:
    """The medical monitor, or the safety officer while the role is taken in an emergency."""
    taken = any(
        (one.person, one.role) == (SAFETY_OFFICER.id, MONITOR.role) and at < one.until
        for one in state.oversight.emergencies
    )
    return replace(SAFETY_OFFICER, role=MONITOR.role) if taken else MONITOR


def _assess(state: State, number: int, now: datetime, folder: StudyFolder, streams: Streams) -> Sent | None:
    """The simulated sponsor shares the investigator's opinion, or at times holds the relation for one step stronger."""
    case = state.safety.cases[number - 1]
    if not case.to_assess:
        return None
    values = state.patients[case.patient].records[case.record].values
    opinion = investigator_causality(values)
    raised = folder.scenarios.patients.follow_up.sponsor_raises
    rng = streams.generator(case.patient, f"sponsor {case.record}")
    causality = {
        product: raise_relation(own) if rng.random() < raised else own
        for product in investigational(folder)
        for own in (opinion.get(product, SCALE[0]),)
    }
    narrative = (
        f"Patient {case.patient}: {values['AEDECOD']}, grade {values['AETOXGR']}, began {values['AESTDTC'][:10]}; "
        f"outcome {values['AEOUT'].lower()}"
    )
    return _assessor(state, now), c.AssessCase(number, causality, narrative)


def raise_relation(opinion: str) -> str:
    """The next stronger relation of what is related already; the rest stays.

    A relation of the sponsor's making would add DLTs and unexpected reactions, which stop dosing, to those that the
    scenario means.
    """
    return SCALE[min(rank(opinion) + 1, len(SCALE) - 1)] if is_related(opinion) else opinion


def _send(state: State, number: int, now: datetime, folder: StudyFolder) -> Sent | None:
    """Send the report of a clock; the ledger keeps the hash of the very file (docs/conduct/safety.md)."""
    clock = state.safety.clocks[number - 1]
    if clock.stopped_at is not None:
        return None
    region, rules = region_of(clock.jurisdiction), folder.conduct.safety
    if clock.matter is not None:
        matter = state.safety.matters[clock.matter - 1]
        known = [case.number for case in state.safety.cases if case.sponsor_aware_at <= matter.happened_at]
        pinned = content_hash({"matter": matter.number, "summary": matter.summary, "cases": known})
    elif rules.sender is not None and region in rules.receivers:
        pinned = write_report(state, folder, clock.case, now, region, purpose=clock.purpose).hash
    else:
        case = state.safety.cases[clock.case - 1]
        pinned = content_hash({"case": case.number, "version": case.version, "narrative": case.narrative})
    return SAFETY_OFFICER, c.SubmitReport(number, RECEIVERS.get(region, region), pinned)


def _acknowledge(state: State, report: int, now: datetime, folder: StudyFolder) -> Sent:
    """Take in the acknowledgement file; what is no message of E2B is acknowledged by letter."""
    file = answer_to(state, folder, report, now - ANSWER_UNDERWAY)
    command = (
        acknowledge(state, folder, file) if file else c.AcknowledgeReport(report, True, "accepted by letter")
    )
    return SAFETY_OFFICER, command


def _distribute(state: State, report: int) -> Sent | None:
    """Send a report on, unless it is one that was sent again: they have it."""
    reports = state.safety.reports
    if any(one.clock == reports[report - 1].clock and one.number < report for one in reports):
        return None
    investigators = tuple(investigator(site).id for site in sorted(state.people.sites))
    return SAFETY_OFFICER, c.DistributeReport(report, (*investigators, ETHICS))


def _read(state: State, report: int, recipient: str) -> Sent:
    if recipient == ETHICS:
        return SAFETY_OFFICER, c.ConfirmReading(report, recipient)
    reader = next(one for one in map(investigator, sorted(state.people.sites)) if one.id == recipient)
    return reader, c.ConfirmReading(report)
