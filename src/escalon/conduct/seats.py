"""Patients: a seat, a dose, a judgement on DLT. Slots, clearances and the stagger are the topic ``slots``."""

from escalon.conduct import commands as c
from escalon.conduct import events as ev
from escalon.conduct.act import Outcome
from escalon.conduct.doses import rp2d_counts
from escalon.conduct.events import DltStatus
from escalon.conduct.holds import Place, place_on, refuse_held, slot_level
from escalon.conduct.proposals import propose_dlt
from escalon.conduct.slots.backfill import PART, refuse_closed_level
from escalon.conduct.slots.clearance import refuse_level
from escalon.conduct.slots.queue import site_not_ready
from escalon.conduct.slots.requests import refuse_consent
from escalon.conduct.slots.seat_rows import BACKFILL, replaced_by, seat_rows
from escalon.conduct.slots.state import Status
from escalon.conduct.state import Cohort, Patient, State
from escalon.design.expansion.monitoring import prob_rate_above
from escalon.protocol import StudyFolder


def enrol_patient(state: State, signed: c.Signed, command: c.EnrolPatient, folder: StudyFolder) -> Outcome:
    """Seat a consented patient on the confirmed slot of that patient and site."""
    refused = _refuse_seat(state, signed, command, folder)
    if refused is not None:
        return refused
    slot = state.slots.of_patient(command.patient)
    assert slot is not None
    assert slot.cohort is not None
    part, replaces = PART, None
    if slot.cohort != BACKFILL:
        part = state.cohorts[slot.cohort - 1].part
        replaces = replaced_by(state, slot)
    return (
        ev.PatientEnrolled(command.patient, command.site, part, slot.cohort, command.consented_on, replaces),
    )


def _refuse_seat(
    state: State, signed: c.Signed, command: c.EnrolPatient, folder: StudyFolder
) -> c.Refused | None:
    slot = state.slots.of_patient(command.patient)
    level = 0 if slot is None else slot_level(state, slot)
    held = refuse_held(state, place_on(level, signed.at, folder))
    if held is not None:
        return held
    cohort = state.cohort
    if cohort is None or cohort.decided:
        return c.Refused("cohort-open", "no cohort is open")
    if command.patient in state.patients:
        return c.Refused("patient", f"patient {command.patient} is enrolled already")
    if signed.actor.site != command.site:
        return c.Refused("site", f"{signed.actor.name} works at site {signed.actor.site}, not {command.site}")
    refused = refuse_consent(command.consented_on, signed)
    return refused if refused is not None else _refuse_slot(state, command, cohort)


def _refuse_slot(state: State, command: c.EnrolPatient, cohort: Cohort) -> c.Refused | None:
    """No seat without a slot confirmed for this very patient and site."""
    slot = state.slots.of_patient(command.patient)
    if slot is None or slot.status is not Status.CONFIRMED:
        if not any(row.free for row in seat_rows(state, cohort)):
            return c.Refused("cohort-full", f"cohort {cohort.cohort} has no free seat")
        return c.Refused("DC-9 slot", f"no slot is confirmed for patient {command.patient}; request one")
    if slot.site != command.site:
        return c.Refused("site", f"the slot of patient {command.patient} belongs to site {slot.site}")
    if slot.cohort not in (BACKFILL, cohort.cohort):
        return c.Refused("cohort-open", f"cohort {slot.cohort}, in which the slot lies, is not open any more")
    if slot.consented_on != command.consented_on:
        return c.Refused(
            "consent",
            f"the slot was confirmed with consent of {slot.consented_on}, not {command.consented_on}",
        )
    return None


def assign_dose(state: State, signed: c.Signed, command: c.AssignDose, folder: StudyFolder) -> Outcome:
    """Lock level, regimen and process: open now, cleared by a decision in this stratum, at a site that may."""
    patient = state.patients.get(command.patient)
    if patient is None or patient.released is not None:
        return c.Refused("patient", f"patient {command.patient} has no seat")
    if patient.dose_level is not None:
        return c.Refused("dose-lock", f"patient {command.patient} is assigned to level {patient.dose_level}")
    refused = (
        _refuse_level(state, patient, command, folder, signed)
        or _refuse_stratum(patient, command, folder)
        or refuse_level(state, command.dose_level, command.regimen, command.process)
        or _refuse_now(state, patient, signed, command, folder)
    )
    if refused is not None:
        return refused
    return (ev.DoseAssigned(command.patient, command.dose_level, command.regimen, command.process),)


def _refuse_level(
    state: State, patient: Patient, command: c.AssignDose, folder: StudyFolder, signed: c.Signed
) -> c.Refused | None:
    if patient.cohort == BACKFILL:
        slot = state.slots.of_patient(patient.patient)
        given = slot.dose_level if slot is not None else None
        if command.dose_level != given:
            return c.Refused("dose-lock", f"the backfill place of {patient.patient} is at level {given} only")
        return refuse_closed_level(state, command.dose_level, folder, signed.at)
    cohort = state.cohorts[patient.cohort - 1]
    if cohort.decided:
        return c.Refused("dose-lock", f"cohort {cohort.cohort} is decided and not open any more")
    if command.dose_level != cohort.dose_level:
        return c.Refused("dose-lock", f"cohort {patient.cohort} is open at level {cohort.dose_level} only")
    return None


def _refuse_stratum(patient: Patient, command: c.AssignDose, folder: StudyFolder) -> c.Refused | None:
    day = patient.enrolled_at.date()
    regimen, process = folder.study.regimen_on(day).id, folder.study.process_on(day) or ""
    if command.regimen != regimen:
        return c.Refused("dose-lock", f"patients enrolled on {day} receive the regimen {regimen}")
    if command.process != process:
        return c.Refused("dose-lock", f"on {day} cells come from process {process}")
    return None


def _refuse_now(
    state: State, patient: Patient, signed: c.Signed, command: c.AssignDose, folder: StudyFolder
) -> c.Refused | None:
    """Nothing is assigned during a hold, at another site, or where the decision was not read."""
    if signed.actor.site != patient.site:
        return c.Refused("site", f"patient {patient.patient} belongs to site {patient.site}")
    held = refuse_held(state, Place(command.dose_level, command.regimen, command.process))
    if held is not None:
        return held
    return site_not_ready(state, patient.site, folder)


def adjudicate_dlt(state: State, signed: c.Signed, command: c.AdjudicateDlt, folder: StudyFolder) -> Outcome:
    """Record a person's judgement beside what the criteria propose; only the impossible is refused."""
    patient = state.patients.get(command.patient)
    if patient is None:
        return c.Refused("patient", f"there is no patient {command.patient}")
    if not command.reason.strip():
        return c.Refused("reason", "an adjudication needs a reason")
    refused = _refuse_status(patient, command, signed, folder)
    if refused is not None:
        return refused
    proposal = propose_dlt(state, command.patient, folder, signed.at)
    judged = ev.DltAdjudicated(command.patient, command.status, command.clause, command.reason, proposal.text)
    if patient.part == "expansion" and command.status is DltStatus.DLT:
        return (judged, *_hold_expansion(state, command.patient, folder))
    return (judged,)


def _refuse_status(
    patient: Patient, command: c.AdjudicateDlt, signed: c.Signed, folder: StudyFolder
) -> c.Refused | None:
    status = command.status
    if status is DltStatus.PENDING:
        return c.Refused("dlt-status", "pending is what nobody has judged yet; it is no judgement")
    if patient.infused_at is None:
        if status is not DltStatus.NOT_EVALUABLE:
            return c.Refused("dlt-status", f"{patient.patient} was not infused and is not evaluable")
        return None
    if status is DltStatus.DLT and not command.clause:
        return c.Refused("dlt-clause", "a DLT names the clause of the definition it meets")
    day = (signed.at.date() - patient.infused_at.date()).days
    window = folder.study.dlt.window_days
    if status is DltStatus.NO_DLT and day < window:
        return c.Refused("dlt-window", f"day {day}: the DLT window is open until day {window}")
    return None


def _hold_expansion(state: State, judged: str, folder: StudyFolder) -> tuple[ev.Event, ...]:
    """Hold enrolment when the DLT rate at the RP2D, with this DLT counted, is too high with enough certainty."""
    rules = folder.study.expansion_monitoring
    n, y = rp2d_counts(state, folder)
    already = state.patients[judged].dlt_status
    n += already not in (DltStatus.DLT, DltStatus.NO_DLT)
    y += already is not DltStatus.DLT
    probability = prob_rate_above(n, y, rules.max_dlt_rate, rules.prior)
    if probability <= rules.certainty or any(hold.rule == "expansion-dlt" for hold in state.open_holds):
        return ()
    reason = (
        f"{y} DLTs in {n} evaluable patients at the RP2D: "
        f"P(DLT rate > {rules.max_dlt_rate:g}) = {probability:.3f} > {rules.certainty:g}"
    )
    return (ev.EnrolmentHeld(len(state.holds) + 1, "expansion-dlt", reason),)
