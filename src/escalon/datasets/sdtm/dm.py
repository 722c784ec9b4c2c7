"""DM and SUPPDM: who the patients are, and what the trial decided about each."""

import polars as pl

from escalon.conduct.state import Patient, State
from escalon.datasets.sdtm.subject import Row, Subject, frame, render_iso, subjects
from escalon.datasets.sdtm.supplemental import supplement
from escalon.protocol.study import Study

__all__ = ["derive_dm", "derive_suppdm"]

QUALIFIERS = {
    "PART": ("Part of the Study", "Assigned"),
    "COHORT": ("Cohort Number", "Assigned"),
    "REPLACES": ("Patient Replaced by this Patient", "Assigned"),
    "ENRLDTC": ("Date/Time of Enrollment", "Assigned"),
    "DOSELVL": ("Assigned Dose Level", "Assigned"),
    "LDREGI": ("Lymphodepleting Regimen", "Assigned"),
    "PROCESS": ("Manufacturing Process of the Cells", "Assigned"),
    "DOSEFR": ("Fraction of the Assigned Dose Given", "Derived"),
    "RELEASED": ("Reason the Seat was Released", "Collected"),
    "DLTSTAT": ("Dose-Limiting Toxicity Status", "Assigned"),
    "DLTCLS": ("Dose-Limiting Toxicity Clause", "Assigned"),
    "DLTREAS": ("Reason for the DLT Status", "Assigned"),
    "DLTDTC": ("Date/Time of DLT Adjudication", "Assigned"),
}
DEMOGRAPHICS = ("AGE", "SEX", "RACE", "ETHNIC", "COUNTRY")
_END = ("COMPLETED", "LOST TO FOLLOW-UP", "WITHDRAWAL BY SUBJECT", "DEATH")


def derive_dm(state: State, study: Study) -> pl.DataFrame:
    """Return DM: one record per enrolled patient."""
    return frame("DM", [_row(subject, study) for subject in subjects(state, study)])


def derive_suppdm(state: State, study: Study) -> pl.DataFrame:
    """Return SUPPDM: part, cohort, dose level, regimen, process and the DLT judgement, as recorded by the
    trial."""
    rows = [_row(subject, study) | _qualifiers(subject.patient) for subject in subjects(state, study)]
    return supplement("DM", rows, QUALIFIERS, ("DLTSTAT", "DLTCLS", "DLTREAS"))


def death_date(patient: Patient) -> str | None:
    """Return the date of death: disposition first, then survival status, then the end of a fatal adverse
    event."""
    disposition = [r.values["DSSTDTC"] for r in patient.forms("DS") if r.values["DSDECOD"] == "DEATH"]
    status = [r.values["SSDTC"] for r in patient.forms("SS") if r.values["SSORRES"] == "DEAD"]
    fatal = [r.values.get("AEENDTC") for r in patient.forms("AE") if r.values["AEOUT"] == "FATAL"]
    for found in (disposition, status, [moment for moment in fatal if moment]):
        if found:
            return (render_iso(min(found)) or "")[:10]
    return None


def _row(subject: Subject, study: Study) -> Row:
    patient = subject.patient
    row = subject.row("DM")
    row["SUBJID"], row["SITEID"] = patient.patient, patient.site
    row["RFSTDTC"] = row["RFXSTDTC"] = subject.first_dose
    row["RFXENDTC"] = subject.last_dose
    row["RFENDTC"] = row["RFPENDTC"] = _participation_end(patient)
    row["RFICDTC"] = render_iso(patient.consented_on)
    row["DTHDTC"] = death_date(patient)
    row["DTHFL"] = None if row["DTHDTC"] is None else "Y"
    for record in patient.forms("DM"):
        row |= {name: record.values.get(name) for name in DEMOGRAPHICS}
    row["AGEU"] = None if row.get("AGE") is None else "YEARS"
    return row | _arm(subject, study)


def _participation_end(patient: Patient) -> str | None:
    ends = [r.values["DSSTDTC"] for r in patient.forms("DS") if r.values["DSDECOD"] in _END]
    return max(ends, default=None)


def _arm(subject: Subject, study: Study) -> Row:
    patient = subject.patient
    if patient.dose_level is None:
        return {"ARMNRS": "NOT ASSIGNED"}
    label = study.dose_level(patient.dose_level).label
    code = f"{label}-{patient.regimen}" if patient.regimen else label
    name = f"UCART22 {label}" + (f" after {patient.regimen}" if patient.regimen else "")
    planned: Row = {"ARMCD": code, "ARM": name}
    if subject.first_dose is None:
        return planned | {"ARMNRS": "ASSIGNED, NOT TREATED"}
    return planned | {"ACTARMCD": code, "ACTARM": name}


def _qualifiers(patient: Patient) -> Row:
    return {
        "_PART": patient.part.upper(),
        "_COHORT": patient.cohort,
        "_REPLACES": patient.replaces,
        "_ENRLDTC": render_iso(patient.enrolled_at),
        "_DOSELVL": patient.dose_level,
        "_LDREGI": patient.regimen,
        "_PROCESS": patient.process,
        "_DOSEFR": patient.dose_fraction,
        "_RELEASED": patient.released,
        "_DLTSTAT": patient.dlt_status.value,
        "_DLTCLS": patient.dlt_clause,
        "_DLTREAS": patient.dlt_reason,
        "_DLTDTC": None if patient.dlt_adjudicated_at is None else render_iso(patient.dlt_adjudicated_at),
    }
