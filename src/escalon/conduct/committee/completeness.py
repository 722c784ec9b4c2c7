"""Which forms were due by a moment, and which of them are recorded."""

from dataclasses import dataclass
from datetime import date, datetime

from escalon.conduct.state import Patient
from escalon.protocol import StudyFolder

LEAVING = ("DEATH", "LOST TO FOLLOW-UP", "WITHDRAWAL BY SUBJECT")


@dataclass(frozen=True, slots=True)
class Completeness:
    """Forms ``due`` for a patient and those ``missing``, as ``VISIT FORM``."""

    due: int
    missing: tuple[str, ...]

    @property
    def recorded(self) -> int:
        """Number of due forms that are recorded."""
        return self.due - len(self.missing)


def completeness(patient: Patient, folder: StudyFolder, at: datetime) -> Completeness:
    """Count the forms of all visits whose window had closed for ``patient`` by ``at``.

    Nothing is due before the infusion, nor of a visit whose window closed after the patient died or left.
    """
    if patient.infused_at is None:
        return Completeness(0, ())
    end = min([at.date(), *_left_on(patient)])
    day = (end - patient.infused_at.date()).days
    recorded = {(record.visit, record.form) for record in patient.records.values() if not record.withdrawn}
    due = [(visit.id, form) for visit in folder.study.visits if visit.window[1] < day for form in visit.forms]
    missing = tuple(f"{visit} {form}" for visit, form in due if (visit, form) not in recorded)
    return Completeness(len(due), missing)


def _left_on(patient: Patient) -> list[date]:
    return [
        date.fromisoformat(record.values["DSSTDTC"][:10])
        for record in patient.forms("DS")
        if record.values["DSDECOD"] in LEAVING
    ]
