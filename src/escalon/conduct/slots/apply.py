"""How the events of slots change the state."""

from dataclasses import replace
from typing import Any

from escalon.conduct.act import Event
from escalon.conduct.slots import events as ev
from escalon.conduct.slots.state import (
    Acknowledgement,
    AddedSeat,
    ChangedInputs,
    Clearance,
    Deviation,
    Exposure,
    Judgement,
    Override,
    SentinelReview,
    Slot,
    Status,
    Step,
    Task,
)
from escalon.conduct.state import Fact, State
from escalon.conduct.topic import Apply


def _with(state: State, **changes: Any) -> State:
    return replace(state, slots=replace(state.slots, **changes))


def _move(state: State, number: int, fact: Fact, status: Status, reason: str = "", **changes: Any) -> State:
    slots = state.slots.slots
    before = slots[number - 1]
    step = Step(fact.seq, fact.at, status, reason)
    after = replace(before, status=status, history=(*before.history, step), **changes)
    return _with(state, slots=(*slots[: number - 1], after, *slots[number:]))


def _requested(state: State, fact: Fact, event: ev.SlotRequested) -> State:
    first = (Step(fact.seq, fact.at, Status.REQUESTED),)
    slot = Slot(
        event.slot, event.site, event.candidate, fact.at, fact.actor_id, event.backfill, history=first
    )
    return _with(state, slots=(*state.slots.slots, slot))


def _waitlisted(state: State, fact: Fact, event: ev.SlotWaitlisted) -> State:
    return _move(state, event.slot, fact, Status.WAITLISTED, f"position {event.position}")


def _reserved(state: State, fact: Fact, event: ev.SlotReserved) -> State:
    return _move(
        state,
        event.slot,
        fact,
        Status.RESERVED,
        event.reason,
        cohort=event.cohort,
        seat=event.seat,
        dose_level=event.dose_level,
        expires_at=event.expires_at,
    )


def _confirmed(state: State, fact: Fact, event: ev.SlotConfirmed) -> State:
    return _move(
        state,
        event.slot,
        fact,
        Status.CONFIRMED,
        patient=event.patient,
        consented_on=event.consented_on,
    )


def _released(state: State, fact: Fact, event: ev.SlotReleased) -> State:
    return _move(state, event.slot, fact, Status.RELEASED, event.reason)


def _seat_added(state: State, fact: Fact, event: ev.SeatAdded) -> State:
    seat = AddedSeat(event.cohort, event.seat, event.replaces)
    return _with(state, seats_added=(*state.slots.seats_added, seat))


def _cleared(state: State, fact: Fact, event: ev.LevelCleared) -> State:
    clearance = Clearance(
        event.clearance, event.regimen, event.process, event.dose_level, event.decision, fact.at
    )
    return _with(state, clearances=(*state.slots.clearances, clearance))


def _revoked(state: State, fact: Fact, event: ev.ClearanceRevoked) -> State:
    clearances = tuple(
        replace(one, revoked_at=fact.at) if one.number == event.clearance else one
        for one in state.slots.clearances
    )
    return _with(state, clearances=clearances)


def _sentinel(state: State, fact: Fact, event: ev.SentinelCleared) -> State:
    review = SentinelReview(event.cohort, event.patient, fact.at, event.signers)
    return _with(state, sentinels=(*state.slots.sentinels, review))


def _acknowledged(state: State, fact: Fact, event: ev.DecisionAcknowledged) -> State:
    read = Acknowledgement(event.decision, event.site, fact.at)
    return _with(state, acknowledged=(*state.slots.acknowledged, read))


def _eligible(state: State, fact: Fact, event: ev.EligibilityConfirmed) -> State:
    return _with(state, eligible=(*state.slots.eligible, event.patient))


def _overridden(state: State, fact: Fact, event: ev.StaggerOverridden) -> State:
    override = Override(event.patient, event.not_before, event.signers)
    return _with(state, overrides=(*state.slots.overrides, override))


def _permitted(state: State, fact: Fact, event: ev.InfusionPermitted) -> State:
    return state  # evidence of a permission; what was given is in the patient


def _corrected(state: State, fact: Fact, event: ev.InfusionCorrected) -> State:
    patient = state.patients[event.patient]
    changed = replace(patient, infused_at=event.infused_at, dose_fraction=event.dose_fraction)
    return replace(state, patients={**state.patients, event.patient: changed})


def _redosing(state: State, fact: Fact, event: ev.RedosingApproved) -> State:
    exposure = Exposure(event.patient, event.exposure, event.dose_level, approved_at=fact.at)
    return _with(state, exposures=(*state.slots.exposures, exposure))


def _exposure(state: State, patient: str, number: int, **changes: Any) -> State:
    exposures = tuple(
        replace(one, **changes) if (one.patient, one.exposure) == (patient, number) else one
        for one in state.slots.exposures
    )
    return _with(state, exposures=exposures)


def _reinfused(state: State, fact: Fact, event: ev.PatientReinfused) -> State:
    return _exposure(
        state,
        event.patient,
        event.exposure,
        infused_at=event.infused_at,
        dose_fraction=event.dose_fraction,
        record=event.record,
        cells_given=event.cells_given,
        lot=event.lot,
    )


def _repermitted(state: State, fact: Fact, event: ev.ReinfusionPermitted) -> State:
    return state  # evidence of a permission; what was given is in the exposure


def _recorrected(state: State, fact: Fact, event: ev.ReinfusionCorrected) -> State:
    return _exposure(
        state,
        event.patient,
        event.exposure,
        infused_at=event.infused_at,
        dose_fraction=event.dose_fraction,
        cells_given=event.cells_given,
        lot=event.lot,
    )


def _exposure_judged(state: State, fact: Fact, event: ev.ExposureAdjudicated) -> State:
    judged = Judgement(event.status, event.clause, event.reason, event.counts, fact.at, fact.actor_id)
    return _exposure(state, event.patient, event.exposure, judged=judged, reopened="")


def _exposure_reopened(state: State, fact: Fact, event: ev.ExposureReopened) -> State:
    return _exposure(state, event.patient, event.exposure, reopened=event.reason)


def _reopened(state: State, fact: Fact, event: ev.WindowReopened) -> State:
    return _with(state, reopened=(*state.slots.reopened, event.patient))


def _judged(state: State, fact: Fact, event: ev.WindowJudged) -> State:
    return _with(state, reopened=tuple(one for one in state.slots.reopened if one != event.patient))


def _inputs_changed(state: State, fact: Fact, event: ev.DecisionInputsChanged) -> State:
    changed = ChangedInputs(event.decision, event.patient, event.before, event.now, fact.at)
    return _with(state, changed_inputs=(*state.slots.changed_inputs, changed))


def _deviation(state: State, fact: Fact, event: ev.DeviationRecorded) -> State:
    deviation = Deviation(event.patient, event.rule, event.text, fact.at)
    return _with(state, deviations=(*state.slots.deviations, deviation))


def _task_opened(state: State, fact: Fact, event: ev.TaskOpened) -> State:
    return _with(state, tasks=(*state.slots.tasks, Task(event.task, event.about, event.text, fact.at)))


def _task_closed(state: State, fact: Fact, event: ev.TaskClosed) -> State:
    tasks = tuple(
        replace(task, closed_at=fact.at) if task.number == event.task else task for task in state.slots.tasks
    )
    return _with(state, tasks=tasks)


APPLY: dict[type[Event], Apply] = {
    ev.SlotRequested: _requested,
    ev.SlotWaitlisted: _waitlisted,
    ev.SlotReserved: _reserved,
    ev.SlotConfirmed: _confirmed,
    ev.SlotReleased: _released,
    ev.SeatAdded: _seat_added,
    ev.LevelCleared: _cleared,
    ev.ClearanceRevoked: _revoked,
    ev.SentinelCleared: _sentinel,
    ev.DecisionAcknowledged: _acknowledged,
    ev.EligibilityConfirmed: _eligible,
    ev.StaggerOverridden: _overridden,
    ev.InfusionPermitted: _permitted,
    ev.InfusionCorrected: _corrected,
    ev.RedosingApproved: _redosing,
    ev.PatientReinfused: _reinfused,
    ev.ReinfusionPermitted: _repermitted,
    ev.ReinfusionCorrected: _recorrected,
    ev.ExposureAdjudicated: _exposure_judged,
    ev.ExposureReopened: _exposure_reopened,
    ev.WindowReopened: _reopened,
    ev.WindowJudged: _judged,
    ev.DecisionInputsChanged: _inputs_changed,
    ev.DeviationRecorded: _deviation,
    ev.TaskOpened: _task_opened,
    ev.TaskClosed: _task_closed,
}
