"""Patients: a seat, a dose, a judgement on DLT. The dose lock and the stagger live here."""

from datetime import date

from escalon.conduct import commands as c
from escalon.conduct import events as ev
from escalon.conduct.act import Outcome
from escalon.conduct.cohorts import awaiting_replacement, free_seats
from escalon.conduct.dlt_record import assess_dlt
from escalon.conduct.doses import rp2d_counts
from escalon.conduct.events import DltStatus
from escalon.conduct.state import Patient, State
from escalon.design.expansion.monitoring import prob_rate_above
from escalon.protocol import StudyFolder


def enrol_patient(state: State, signed: c.Signed, command: c.EnrolPatient, folder: StudyFolder) -> Outcome:
    """Give a consented patient a seat of the open cohort."""
    refused = _refuse_seat(state, signed, command)
    if refused is not None:
        return refused
    cohort = state.cohort
    assert cohort is not None
    replaces = awaiting_replacement(state, cohort)
    return (
        ev.PatientEnrolled(
            command.patient, command.site, cohort.part, cohort.cohort, command.consented_on, replaces
        ),
    )


def _refuse_seat(state: State, signed: c.Signed, command: c.EnrolPatient) -> c.Refused | None:
    if state.open_holds:
        hold = state.open_holds[0]
        return c.Refused("hold", f"enrolment is held ({hold.rule}): {hold.reason}")
    cohort = state.cohort
    if cohort is None or cohort.decided:
        return c.Refused("cohort-open", "no cohort is open")
    if free_seats(state, cohort) < 1:
        return c.Refused("cohort-full", f"cohort {cohort.cohort} has no free seat")
    if command.patient in state.patients:
        return c.Refused("patient", f"patient {command.patient} is enrolled already")
    if signed.actor.site != command.site:
        return c.Refused("site", f"{signed.actor.name} works at site {signed.actor.site}, not {command.site}")
    try:
        consented = date.fromisoformat(command.consented_on)
    except ValueError:
        return c.Refused("consent", f"{command.consented_on!r} is not a date as YYYY-MM-DD")
    if consented > signed.at.date():
        return c.Refused("consent", "consent comes before enrolment")
    return None


def assign_dose(state: State, signed: c.Signed, command: c.AssignDose, folder: StudyFolder) -> Outcome:
    """Lock level, regimen and process: the level of the open cohort, the regimen and process in use."""
    patient = state.patients.get(command.patient)
    if patient is None or patient.released is not None:
        return c.Refused("patient", f"patient {command.patient} has no seat")
    if patient.dose_level is not None:
        return c.Refused("dose-lock", f"patient {command.patient} is assigned to level {patient.dose_level}")
    cleared = next(cohort for cohort in state.cohorts if cohort.cohort == patient.cohort).dose_level
    if command.dose_level != cleared:
        return c.Refused("dose-lock", f"cohort {patient.cohort} is open at level {cleared} only")
    day = patient.enrolled_at.date()
    regimen, process = folder.study.regimen_on(day).id, folder.study.process_on(day)
    if command.regimen != regimen:
        return c.Refused("dose-lock", f"patients enrolled on {day} receive the regimen {regimen}")
    if command.process != process:
        return c.Refused("dose-lock", f"on {day} cells come from process {process}")
    return (ev.DoseAssigned(command.patient, command.dose_level, command.regimen, command.process),)


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
    proposal = assess_dlt(patient, folder, signed.at)
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
