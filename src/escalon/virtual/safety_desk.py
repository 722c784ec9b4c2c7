"""The sponsor's safety desk: assesses every case, sends what is due in time, takes note of acknowledgements."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from escalon.conduct.act import Actor, Command, Event
from escalon.conduct.people.signatures import content_hash
from escalon.conduct.safety import commands as c
from escalon.conduct.safety import events as ev
from escalon.conduct.safety.reading import investigational, investigator_causality
from escalon.conduct.state import State
from escalon.protocol import StudyFolder
from escalon.virtual.staff import MONITOR, SAFETY_OFFICER

Sent = tuple[Actor, Command]
Task = tuple[datetime, Callable[[State], Sent | None]]
ASSESSED_AFTER, ACKNOWLEDGED_AFTER = timedelta(days=1), timedelta(days=1)
SENT_AFTER = {
    "susar_fatal": timedelta(days=4),
    "upgrade": timedelta(days=4),
    "complete_report": timedelta(days=6),
    "susar_other": timedelta(days=10),
    "follow_up": timedelta(days=10),
}
RECEIVERS = {"EU": "EudraVigilance", "US": "FDA", "UK": "MHRA"}


def follow_up(event: Event, now: datetime, folder: StudyFolder) -> Iterator[Task]:
    """Yield what the desk does after ``event`` and when; a task is asked again then, and may have become needless."""
    if isinstance(event, ev.CaseOpened):
        yield now + ASSESSED_AFTER, lambda state, case=event.case: _assess(state, case, folder)  # type: ignore[misc]
    elif isinstance(event, ev.ClockStarted) and event.purpose in SENT_AFTER:
        when = max(now, event.started_at + SENT_AFTER[event.purpose])
        yield when, lambda state, clock=event.clock: _send(state, clock)  # type: ignore[misc]
    elif isinstance(event, ev.ReportSubmitted):
        accepted = c.AcknowledgeReport(event.report, True, "accepted")
        yield now + ACKNOWLEDGED_AFTER, lambda state: (SAFETY_OFFICER, accepted)


def _assess(state: State, number: int, folder: StudyFolder) -> Sent:
    """The simulated sponsor shares the investigator's opinion."""
    case = state.safety.cases[number - 1]
    values = state.patients[case.patient].records[case.record].values
    opinion = investigator_causality(values)
    causality = {product: opinion.get(product, "NOT RELATED") for product in investigational(folder)}
    narrative = (
        f"Patient {case.patient}: {values['AEDECOD']}, grade {values['AETOXGR']}, began {values['AESTDTC'][:10]}; "
        f"outcome {values['AEOUT'].lower()}"
    )
    return MONITOR, c.AssessCase(number, causality, narrative)


def _send(state: State, number: int) -> Sent | None:
    clock = state.safety.clocks[number - 1]
    if clock.stopped_at is not None:
        return None
    case = state.safety.cases[clock.case - 1]
    pinned = content_hash({"case": case.number, "version": case.version, "narrative": case.narrative})
    receiver = RECEIVERS.get(clock.jurisdiction, clock.jurisdiction)
    return SAFETY_OFFICER, c.SubmitReport(number, receiver, pinned)
