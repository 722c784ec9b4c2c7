"""What follows by itself from an act: clearances, freed seats, corrections, re-opened windows, and whose turn it is."""

from escalon.conduct import events as core
from escalon.conduct.act import Event, Signed
from escalon.conduct.people.events import VersionApproved
from escalon.conduct.safety.events import CaseAssessed
from escalon.conduct.slots import events as ev
from escalon.conduct.slots.clearance import follow_decision
from escalon.conduct.slots.exposure_changes import exposures_reopened
from escalon.conduct.slots.late_changes import corrected, deviations, judged_again, reopened, touched
from escalon.conduct.slots.queue import overdue, promote, queue
from escalon.conduct.slots.redosing import reinfused
from escalon.conduct.slots.stagger import permission
from escalon.conduct.state import State
from escalon.protocol import StudyFolder

FREES = (
    core.CohortOpened,
    core.SeatReleased,
    core.HoldLifted,
    core.DltAdjudicated,
    VersionApproved,
    ev.SlotRequested,
    ev.SlotReleased,
    ev.SeatAdded,
    ev.DecisionAcknowledged,
)
"""Facts after which somebody's turn may have come."""


def react(state: State, events: tuple[Event, ...], signed: Signed, folder: StudyFolder) -> tuple[Event, ...]:
    """Return what follows from ``events`` (``state`` is the one before them), in the order in which it follows."""
    added: tuple[Event, ...] = ()
    records = any(isinstance(event, core.FormRecorded | CaseAssessed) for event in events)
    decided = any(isinstance(event, core.CommitteeDecided | core.CohortOpened) for event in events)
    if decided:
        added += follow_decision(_after(state, events, signed), events, signed, folder)
    if records:
        added += _after_records(state, events, signed, folder)
    added += tuple(
        permission(state, state.patients[event.patient], event.infused_at, folder, signed.at)
        for event in events
        if isinstance(event, core.PatientInfused)
    )
    added += judged_again(state, events)
    added += _freed(state, events)
    if any(slot.status == "reserved" for slot in state.slots.slots):
        gone = {event.slot for event in events if isinstance(event, ev.SlotReleased | ev.SlotConfirmed)}
        added += tuple(one for one in overdue(state, signed.at, folder) if one.slot not in gone)
    if any(_frees(event, folder) for event in (*events, *added)):
        added += _turns(_after(state, (*events, *added), signed), events, signed, folder)
    return added


def _frees(event: Event, folder: StudyFolder) -> bool:
    """Tell whether somebody's turn may have come; for backfill also by a response, a clearance or the seed."""
    if isinstance(event, FREES):
        return True
    if folder.study.escalation.backfill is None:
        return False
    response = isinstance(event, core.FormRecorded) and event.form == "RS"
    return response or isinstance(event, ev.LevelCleared | core.BackfillSeedRecorded)


def _after(state: State, events: tuple[Event, ...], signed: Signed) -> State:
    from escalon.conduct.fold import state_after  # the fold is made of all topics, this one among them

    return state_after(state, events, signed)


def _after_records(
    state: State, events: tuple[Event, ...], signed: Signed, folder: StudyFolder
) -> tuple[Event, ...]:
    forms = [event for event in events if isinstance(event, core.FormRecorded)]
    read = [event.patient for event in forms]
    read += [state.safety.cases[one.case - 1].patient for one in events if isinstance(one, CaseAssessed)]
    judged = any(state.patients[patient].dlt_adjudicated_at is not None for patient in read)
    changed_exposure = any(event.form == "EX" for event in forms)
    if not judged and not changed_exposure:
        return ()
    started = reinfused(state, events, folder, signed.at)
    after = _after(state, (*events, *started), signed)
    corrections = corrected(events, after)
    corrected_state = _after(after, corrections, signed)
    return (
        *started,
        *corrections,
        *deviations(state, corrected_state, (*events, *started, *corrections), folder),
        *reopened(state, events, corrected_state, signed.at, folder),
        *exposures_reopened(state, touched(state, events), corrected_state, signed.at, folder),
    )


def _freed(state: State, events: tuple[Event, ...]) -> tuple[Event, ...]:
    """The slot of a patient who left without an infusion is given up with the seat."""
    released: list[Event] = []
    for event in events:
        slot = state.slots.of_patient(event.patient) if isinstance(event, core.SeatReleased) else None
        if slot is not None and slot.holds_seat and isinstance(event, core.SeatReleased):
            released.append(ev.SlotReleased(slot.number, event.reason))
    return tuple(released)


def _turns(after: State, events: tuple[Event, ...], signed: Signed, folder: StudyFolder) -> tuple[Event, ...]:
    """Seats for those whose turn it is; who asked in this act and got none learns the position."""
    given = promote(after, signed.at, folder)
    served = {event.slot for event in given if isinstance(event, ev.SlotReserved)}
    asked = {event.slot for event in events if isinstance(event, ev.SlotRequested)} - served
    waiting = [place.slot for place in queue(after) if place.slot not in served]
    return (
        *given,
        *(ev.SlotWaitlisted(slot, place) for place, slot in enumerate(waiting, start=1) if slot in asked),
    )
