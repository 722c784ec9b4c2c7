"""The content of a data cut, and its hash."""

import hashlib
from typing import Any

from escalon.conduct.canonical import canonical, utc_text
from escalon.conduct.committee.further import further_content
from escalon.conduct.outcomes import BACKFILL_PART
from escalon.conduct.state import Patient, Record, State


def cut_content(state: State, part: str) -> dict[str, Any]:
    """Return what a cut of ``part`` holds: every enrolled patient with the latest version of every record.

    A cut of the escalation holds the backfill patients too, flagged: the committee decides on them as well.
    """
    return {
        "part": part,
        "patients": [
            _patient(one) | further_content(state, one) | backfill_flag(one)
            for one in patients_of(state, part)
        ],
    }


def patients_of(state: State, part: str) -> list[Patient]:
    """Patients a cut of ``part`` is about: those of the part, and backfill patients with the escalation."""
    parts = (part, BACKFILL_PART) if part == "escalation" else (part,)
    return [one for one in state.patients.values() if one.part in parts]


def backfill_flag(patient: Patient) -> dict[str, bool]:
    """The mark of a backfill patient; nothing for the others, whose cuts are older than backfill."""
    return {"backfill": True} if patient.part == BACKFILL_PART else {}


def cut_hash(state: State, part: str) -> str:
    """Return the SHA-256 of the content of a cut of ``part``, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical(cut_content(state, part)).encode()).hexdigest()


def _patient(patient: Patient) -> dict[str, Any]:
    return {
        "patient": patient.patient,
        "site": patient.site,
        "cohort": patient.cohort,
        "replaces": patient.replaces,
        "dose_level": patient.dose_level,
        "regimen": patient.regimen,
        "process": patient.process,
        "infused_at": None if patient.infused_at is None else utc_text(patient.infused_at),
        "dose_fraction": patient.dose_fraction,
        "released": patient.released,
        "dlt": [patient.dlt_status.value, patient.dlt_clause, patient.dlt_reason],
        "records": [_record(record) for record in patient.records.values()],
    }


def _record(record: Record) -> list[Any]:
    return [record.form, record.record, record.version, record.visit, record.entered]
