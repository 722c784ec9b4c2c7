"""Forms: checked against the study's case report forms, versioned, and read for what they set in motion."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from escalon.conduct import commands as c
from escalon.conduct import events as ev
from escalon.conduct.act import Outcome
from escalon.conduct.adverse_event_checks import wrong_event
from escalon.conduct.capture.edit_checks import check_entry, refuse_entry, soft_events
from escalon.conduct.capture.ownership import refuse_owner
from escalon.conduct.capture.versions import folder_of, patient_version
from escalon.conduct.monitoring import held_by
from escalon.conduct.slots.exposures import CELLS, level_of_record
from escalon.conduct.state import Patient, Record, State
from escalon.protocol import StudyFolder


def record_form(
    state: State, signed: c.Signed, command: c.RecordForm, folder: StudyFolder, origin: str = "form"
) -> Outcome:
    """Record a new form or a new version of one, with what follows from it; ``origin`` as in ``FormRecorded``."""
    patient = state.patients.get(command.patient)
    if patient is None:
        return c.Refused("patient", f"there is no patient {command.patient}")
    if patient_version(state, command.patient) not in (None, folder.hash, *folder.earlier):
        return c.Refused(
            "DC-11 version", f"the version patient {command.patient} consented to is not at hand"
        )
    version = folder_of(state, folder, command.patient)
    before = patient.records.get(command.record)
    refused = _refuse_form(patient, before, signed, command, version)
    if refused is not None:
        return refused
    form = version.forms[command.form]
    checked = check_entry(_as_dosed(state, patient, command), command, form, version)
    entered = {} if before is None else before.entered
    refused = refuse_owner(form, entered, command.values, signed.actor.role) or refuse_entry(checked, command)
    if refused is not None:
        return refused
    number = 1 if before is None else before.version + 1
    recorded = ev.FormRecorded(
        command.patient,
        command.form,
        command.record,
        number,
        command.visit,
        command.values,
        command.reason,
        origin,
    )
    asked = soft_events(state, command, number, checked, form)
    return (recorded, *asked, *_consequences(state, patient, command, folder))


def _as_dosed(state: State, patient: Patient, command: c.RecordForm) -> Patient:
    """The patient at the level of the exposure that a record of cells is about: a further one may have another."""
    if command.form != "EX" or command.values.get("EXTRT") != CELLS:
        return patient
    return replace(patient, dose_level=level_of_record(state, patient.patient, command.record))


def _refuse_form(
    patient: Patient, before: Record | None, signed: c.Signed, command: c.RecordForm, folder: StudyFolder
) -> c.Refused | None:
    form = folder.forms.get(command.form)
    if form is None:
        return c.Refused("form", f"the study has no form {command.form}")
    if signed.actor.site not in ("", patient.site):
        return c.Refused("site", f"patient {patient.patient} belongs to site {patient.site}")
    problems = form.check(command.values, None if before is None else before.entered)
    if problems:
        return c.Refused("form-check", "; ".join(problems))
    if command.visit is not None and command.visit not in {visit.id for visit in folder.study.visits}:
        return c.Refused("visit", f"the study has no visit {command.visit}")
    wrong = wrong_event(command.values, folder) if command.form == "AE" else None
    if wrong is not None:
        return c.Refused("form-check", wrong)
    if before is None:
        if not form.repeats and patient.forms(command.form):
            return c.Refused("form-once", f"{command.form} is filled once for a patient")
        return None
    if before.form != command.form:
        return c.Refused("record", f"record {command.record} is a {before.form} form")
    if not (command.reason or "").strip():
        return c.Refused("reason", "a change of a recorded form needs a reason")
    return None


def _consequences(
    state: State, patient: Patient, command: c.RecordForm, folder: StudyFolder
) -> tuple[ev.Event, ...]:
    values = command.values
    if command.form == "EX" and values["EXTRT"] == CELLS and patient.infused_at is None:
        return (_infused(patient, values),)
    if command.form == "DS" and values["DSDECOD"] == "NOT INFUSED" and patient.released is None:
        return (ev.SeatReleased(patient.patient, patient.cohort, values.get("DSTERM") or "not infused"),)
    if command.form == "AE":
        return held_by(state, patient.patient, values, folder)
    return ()


def _infused(patient: Patient, values: dict[str, Any]) -> ev.PatientInfused:
    moment = datetime.fromisoformat(values["EXSTDTC"])
    return ev.PatientInfused(patient.patient, moment, values["EXDOSE"] / values["EXPDOSE"])
