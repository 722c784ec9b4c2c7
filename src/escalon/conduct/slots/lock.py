"""The dose lock and the order of acts, checked again whenever something is given; a guard over every act.

Consent before screening data, a confirmed slot before a seat, full eligibility before lymphodepletion, an open and
cleared level before the dose, the stagger before the infusion. Holds and stagger are judged at the moment of the
infusion, not of its entry, so that what happened can be entered later.
"""

from datetime import datetime

from escalon.conduct import commands as core
from escalon.conduct.act import Refused, Signed
from escalon.conduct.holds import place_of, refuse_held
from escalon.conduct.slots.clearance import refuse_level
from escalon.conduct.slots.exposure_changes import refuse_order, refuse_uncounted
from escalon.conduct.slots.exposures import CELLS
from escalon.conduct.slots.redosing import refuse_reinfusion, refuse_repeated_lymphodepletion
from escalon.conduct.slots.seat_rows import BACKFILL
from escalon.conduct.slots.stagger import earliest_infusion, local
from escalon.conduct.state import Cohort, Patient, Record, State
from escalon.protocol import StudyFolder

ELIGIBLE = "ELIGIBILITY CRITERIA MET"


def guard(state: State, signed: Signed, folder: StudyFolder) -> Refused | None:
    """Refuse a treatment that is not permitted; every other act passes."""
    command = signed.command
    if isinstance(command, core.RequestRecommendation):
        return refuse_uncounted(state, folder, signed.at)
    if not isinstance(command, core.RecordForm) or command.form != "EX":
        return None
    patient = state.patients.get(command.patient)
    if patient is None or not _readable(command):
        return None  # the handler says what is missing
    before = patient.records.get(command.record)
    if before is not None:
        return _refuse_change(state, patient, before, command, signed.at)
    if patient.dose_level is None:
        return Refused("dose-lock", f"patient {patient.patient} has no assigned dose")
    moment = datetime.fromisoformat(command.values["EXSTDTC"])
    refused = _refuse_ahead(moment, signed.at)
    if refused is not None:
        return refused
    if command.values["EXTRT"] != CELLS:
        return refuse_lymphodepletion(state, patient, moment, folder, signed.at)
    return _refuse_cells(state, patient, moment, command, folder, signed.at)


def _readable(command: core.RecordForm) -> bool:
    try:
        datetime.fromisoformat(command.values["EXSTDTC"])
    except (KeyError, TypeError, ValueError):
        return False
    return isinstance(command.values.get("EXTRT"), str)


def _refuse_ahead(moment: datetime, at: datetime) -> Refused | None:
    if moment.tzinfo is None or moment > at:
        return Refused("clock", f"{moment.isoformat()} lies ahead or has no time zone; enter what was given")
    return None


def _refuse_change(
    state: State, patient: Patient, before: Record, command: core.RecordForm, at: datetime
) -> Refused | None:
    """A correction may change time and amount; what was given stays what it was, in the order it was given."""
    if (before.values.get("EXTRT") == CELLS) != (command.values["EXTRT"] == CELLS):
        return Refused(
            "INV-8", f"record {before.record} of {patient.patient} cannot change between cells and drug"
        )
    if command.values["EXTRT"] != CELLS:
        return None
    moment = datetime.fromisoformat(command.values["EXSTDTC"])
    return _refuse_ahead(moment, at) or refuse_order(state, patient, before, moment)


def eligible(state: State, patient: Patient) -> bool:
    """Tell whether the full eligibility of ``patient`` was signed off, by command or by form."""
    by_form = any(record.values.get("DSDECOD") == ELIGIBLE for record in patient.forms("DS"))
    return by_form or patient.patient in state.slots.eligible


def refuse_lymphodepletion(
    state: State, patient: Patient, moment: datetime, folder: StudyFolder, at: datetime
) -> Refused | None:
    """Refuse a lymphodepleting dose at ``moment``: not seated, not eligible, held, or too early for the infusion."""
    if patient.infused_at is not None:
        return refuse_repeated_lymphodepletion(state, patient, moment, folder, at)
    if patient.forms("EX"):
        return None  # a course begun is completed: half a conditioning exposes the patient for nothing
    refused = _refuse_seat(state, patient, moment)
    if refused is not None:
        return refused
    if not eligible(state, patient):
        return Refused(
            "DC-9 eligibility",
            f"the full eligibility of {patient.patient} is signed off before lymphodepletion",
        )
    earliest = earliest_infusion(state, patient, folder, at, moment)
    if earliest.lymphodepletion is not None and moment < earliest.lymphodepletion:
        shown = local(earliest.lymphodepletion, earliest.zone, zone_name=True)
        return Refused(
            "stagger",
            f"lymphodepletion of {earliest.patient} starts {shown} at the earliest: {earliest.text}",
        )
    return None


def refuse_infusion(
    state: State, patient: Patient, moment: datetime, folder: StudyFolder, at: datetime
) -> Refused | None:
    """Refuse a first infusion at ``moment`` as far as seat, holds, clearance and stagger go."""
    refused = _refuse_seat(state, patient, moment)
    if refused is not None:
        return refused
    assert patient.dose_level is not None
    refused = refuse_level(state, patient.dose_level, patient.regimen or "", patient.process or "")
    if refused is not None:
        return refused
    earliest = earliest_infusion(state, patient, folder, at, moment)
    if earliest.moment is not None and moment < earliest.moment:
        return Refused("stagger", earliest.dated)
    # an open hold was judged at the moment of the infusion already
    waits = [reason for reason in earliest.waits_for if "[ST-3]" not in reason]
    if waits:
        return Refused("stagger", f"no infusion of {earliest.patient} yet: {'; '.join(waits)}")
    return None


def _refuse_seat(state: State, patient: Patient, moment: datetime) -> Refused | None:
    refused = refuse_held(state, place_of(state, patient), moment, "treatment")
    if refused is not None:
        return refused
    slot = state.slots.of_patient(patient.patient)
    if slot is None or not slot.holds_seat or patient.released is not None:
        return Refused("DC-9 slot", f"patient {patient.patient} holds no seat")
    cohort = cohort_of(state, patient)
    if cohort is not None and cohort.decided:
        return Refused("INV-5 cohort", f"cohort {cohort.cohort} is decided; nobody is treated in it any more")
    return None


def cohort_of(state: State, patient: Patient) -> Cohort | None:
    """Return the cohort of ``patient``; None for a backfill patient."""
    if patient.cohort == BACKFILL:
        return None
    return next(cohort for cohort in state.cohorts if cohort.cohort == patient.cohort)


def _refuse_cells(
    state: State,
    patient: Patient,
    moment: datetime,
    command: core.RecordForm,
    folder: StudyFolder,
    at: datetime,
) -> Refused | None:
    assert patient.dose_level is not None
    if patient.infused_at is not None:
        return refuse_reinfusion(state, patient, moment, command.values.get("EXPDOSE"), folder, at)
    if not any(record.values["EXTRT"] != CELLS for record in patient.forms("EX")):
        return Refused("lymphodepletion", "the infusion follows a recorded lymphodepletion")
    assigned = folder.study.dose_level(patient.dose_level)
    if command.values.get("EXPDOSE") != assigned.dose:
        return Refused("dose-lock", f"{patient.patient} is assigned {assigned.dose:g} {assigned.unit}")
    return refuse_infusion(state, patient, moment, folder, at)
