"""A further infusion of a patient: an exposure of its own, approved, spaced and watched by rules of its own."""

from datetime import datetime, timedelta
from typing import Any

from escalon.conduct import events as core
from escalon.conduct.act import Event, Outcome, Refused, Signed
from escalon.conduct.events import DltStatus
from escalon.conduct.slots import commands as c
from escalon.conduct.slots import events as ev
from escalon.conduct.slots.approval import redosing_object, refuse_unsigned
from escalon.conduct.slots.clearance import refuse_level
from escalon.conduct.slots.state import Exposure
from escalon.conduct.state import Patient, State
from escalon.protocol import StudyFolder


def exposures(state: State, patient: str) -> tuple[Exposure, ...]:
    """Return all exposures of a patient, the first infusion as number 1, approved ones not yet given included."""
    known = state.patients[patient]
    first = Exposure(patient, 1, known.dose_level or 0, known.infused_at, known.dose_fraction)
    further = tuple(one for one in state.slots.exposures if one.patient == patient)
    return (*([first] if known.infused_at is not None else []), *further)


def approve_redosing(
    state: State, signed: Signed, command: c.ApproveRedosing, folder: StudyFolder
) -> Outcome:
    """Approve the next exposure of a patient; the level must be cleared in the patient's stratum."""
    rules = folder.conduct.slots.redosing
    if rules is None:
        return Refused("PH-13 redosing", "this study gives the cells once")
    patient = state.patients.get(command.patient)
    if patient is None or patient.infused_at is None:
        return Refused("PH-13 redosing", f"{command.patient} was not infused; there is nothing to repeat")
    if not 1 <= command.dose_level <= len(folder.study.dose_levels) or not command.reason.strip():
        return Refused("PH-13 redosing", "a further infusion needs a dose level of the study and a reason")
    known = exposures(state, command.patient)
    refused = _refuse_next(patient, known, rules.most_exposures) or refuse_level(
        state, command.dose_level, patient.regimen or "", patient.process or ""
    )
    if refused is not None:
        return refused
    about = redosing_object(command.patient, command.dose_level, command.reason)
    refused = refuse_unsigned(state, "PH-13 signatures", about, command.signers, 2)
    if refused is not None:
        return refused
    return (
        ev.RedosingApproved(
            command.patient, len(known) + 1, command.dose_level, command.reason, command.signers
        ),
    )


def _refuse_next(patient: Patient, known: tuple[Exposure, ...], most: int) -> Refused | None:
    if known[-1].infused_at is None:
        return Refused(
            "PH-13 redosing", f"exposure {known[-1].exposure} of {patient.patient} is approved and open"
        )
    if len(known) >= most:
        return Refused("PH-13 redosing", f"{patient.patient} had {len(known)} of at most {most} infusions")
    if patient.dlt_status is not DltStatus.NO_DLT:
        return Refused(
            "PH-13 redosing",
            f"{patient.patient} is {patient.dlt_status}; only who had no DLT is infused again",
        )
    return None


def refuse_reinfusion(
    state: State, patient: Patient, moment: datetime, planned: Any, folder: StudyFolder
) -> Refused | None:
    """Refuse a further infusion at ``moment`` that is not approved, too early or of another dose."""
    held = [
        hold
        for hold in state.holds
        if hold.at <= moment and (hold.lifted_at is None or moment < hold.lifted_at)
    ]
    if held:
        return Refused("hold", f"treatment is held ({held[0].rule}): {held[0].reason}")
    rules = folder.conduct.slots.redosing
    known = exposures(state, patient.patient)
    if rules is None or known[-1].infused_at is not None:
        return Refused("PH-13 redosing", f"no further infusion of {patient.patient} is approved")
    refused = refuse_level(state, known[-1].dose_level, patient.regimen or "", patient.process or "")
    if refused is not None:
        return refused
    assigned = folder.study.dose_level(known[-1].dose_level)
    if planned != assigned.dose:
        return Refused("dose-lock", f"exposure {known[-1].exposure} is {assigned.dose:g} {assigned.unit}")
    last = known[-2].infused_at
    assert last is not None
    earliest = last + timedelta(days=rules.days_between)
    if moment < earliest:
        return Refused(
            "stagger",
            f"infusion {known[-1].exposure} of {patient.patient} from {earliest:%d %b %Y %H:%M} UTC on",
        )
    return None


def reinfused(state: State, events: tuple[Event, ...], cells: str) -> tuple[Event, ...]:
    """Return the exposure that a new record of ``cells`` starts; ``state`` is the one before the act."""
    started: list[Event] = []
    for event in events:
        if not isinstance(event, core.FormRecorded) or event.version > 1 or event.form != "EX":
            continue
        patient = state.patients[event.patient]
        if event.values["EXTRT"] != cells or patient.infused_at is None:
            continue
        number = exposures(state, event.patient)[-1].exposure
        moment = datetime.fromisoformat(event.values["EXSTDTC"])
        fraction = event.values["EXDOSE"] / event.values["EXPDOSE"]
        started.append(ev.PatientReinfused(event.patient, number, moment, fraction))
    return tuple(started)
