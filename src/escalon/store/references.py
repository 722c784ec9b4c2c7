"""Which object an event is about, as text of opaque ids: ``form:003:AE-1``, ``patient:003``, ``event:17``."""

from typing import Any

REFERENCES: dict[str, str] = {
    "FormRecorded": "form:{patient}:{record}",
    "PatientEnrolled": "patient:{patient}",
    "DoseAssigned": "dose:{patient}",
    "PatientInfused": "infusion:{patient}",
    "SeatReleased": "patient:{patient}",
    "DltAdjudicated": "dlt:{patient}",
    "ReinfusionPermitted": "infusion:{patient}:{exposure}",
    "ReinfusionCorrected": "infusion:{patient}:{exposure}",
    "ExposureAdjudicated": "dlt:{patient}:{exposure}",
    "ExposureReopened": "dlt:{patient}:{exposure}",
    "TermCoded": "coding:{patient}:{record}",
    "SignatureGiven": "{object_ref}",
    "ValueRedacted": "event:{target_seq}",
    "RedactionRequested": "event:{target_seq}",
}
# First fields of an event that are ids of the study; any other first field may be free text and is left out.
IDENTIFIERS = frozenset(
    (
        "access",
        "case",
        "clearance",
        "clock",
        "cohort",
        "cut",
        "decision",
        "grant",
        "hold",
        "object_ref",
        "patient",
        "person",
        "query",
        "recommendation",
        "record",
        "redaction",
        "review",
        "signature",
        "site",
        "slot",
        "study_id",
        "vote",
    )
)


def object_ref(kind: str, values: dict[str, Any]) -> str:
    """Return the reference of the object that an event of ``kind`` with the fields ``values`` is about.

    A kind without an entry of its own is referred to by its first field when that is an id, else by its kind.
    """
    template = REFERENCES.get(kind)
    if template is not None:
        return template.format_map(values)
    first = next(iter(values), "")
    return f"{first}:{values[first]}" if first in IDENTIFIERS else kind
