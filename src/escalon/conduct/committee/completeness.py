"""Which forms were due by a moment, and which of them are recorded."""

from dataclasses import dataclass
from datetime import datetime

from escalon.conduct.state import Patient
from escalon.protocol import StudyFolder


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
    """Count the forms of all visits whose window had closed for ``patient`` by ``at``; none before the infusion."""
    if patient.infused_at is None:
        return Completeness(0, ())
    day = (at.date() - patient.infused_at.date()).days
    recorded = {(record.visit, record.form) for record in patient.records.values()}
    due = [(visit.id, form) for visit in folder.study.visits if visit.window[1] < day for form in visit.forms]
    missing = tuple(f"{visit} {form}" for visit, form in due if (visit, form) not in recorded)
    return Completeness(len(due), missing)
