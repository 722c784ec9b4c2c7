"""What the recorded forms say about one patient, put before the study's DLT definition."""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

from escalon.conduct.events import DltStatus
from escalon.conduct.state import Patient, Record
from escalon.criteria import dlt
from escalon.criteria.relatedness import is_related
from escalon.protocol import StudyFolder
from escalon.protocol.study import Study

CATEGORY = {"GENERAL": "OTHER", "LABORATORY": "LAB", "TLS": "OTHER"}
CAUSE = {"DISEASE PROGRESSION": "DISEASE", "ADVERSE EVENT": "TOXICITY"}
RELATIONS = {
    "AERELUC": "UCART22",
    "AERELCL": "CLLS52",
    "AERELFL": "FLUDARABINE",
    "AERELCY": "CYCLOPHOSPHAMIDE",
    "AERELDS": "DISEASE",
}
RESOLVED = ("RECOVERED/RESOLVED", "RECOVERED/RESOLVED WITH SEQUELAE")


@dataclass(frozen=True, slots=True)
class DltProposal:
    """What the criteria propose for a person to judge: status, clause (None unless DLT) and words."""

    status: DltStatus
    clause: str | None
    text: str


def assess_dlt(patient: Patient, folder: StudyFolder, now: datetime) -> DltProposal:
    """Return what the study's definition says about ``patient`` as of ``now`` (UTC)."""
    study = folder.study
    day = 0.0 if patient.infused_at is None else _day(patient, now)
    found = dlt.evaluability(patient_record(patient, study, day), study.dlt, day)
    clause = found.clause if found.status == "DLT" else None
    return DltProposal(DltStatus(found.status), clause, "; ".join(found.reasons))


def patient_record(patient: Patient, study: Study, day: float) -> dlt.PatientRecord:
    """Return the plain facts of ``patient`` as of ``day``; days count from the date of the first infusion."""
    infused = patient.infused_at is not None
    left = _departures(patient) if infused else {}
    return dlt.PatientRecord(
        patient=patient.patient,
        infusion_day=0.0 if infused else None,
        dose_fraction=patient.dose_fraction,
        events=tuple(_event(patient, record) for record in patient.forms("AE")) if infused else (),
        counts=tuple(
            dlt.CountPoint(_at(patient, r.values["LBDTC"]), r.values.get("NEUT"), r.values.get("PLAT"))
            for r in patient.forms("LB")
            if infused
        ),
        marrows=tuple(
            dlt.MarrowPoint(_at(patient, r.values["RSDTC"]), r.values.get("BMCELL"), r.values.get("BMBLAST"))
            for r in patient.forms("RS")
            if infused
        ),
        liver=_liver(patient, study) if infused else (),
        assessments_complete=_complete(patient, study, day) if infused else None,
        **left,
    )


def _event(patient: Patient, record: Record) -> dlt.AdverseEvent:
    values = record.values
    relation = {product: values[item] for item, product in RELATIONS.items()}
    return dlt.AdverseEvent(
        id=record.record,
        term=values["AEDECOD"],
        category=CATEGORY.get(values["AECAT"], values["AECAT"]),
        start_day=_at(patient, values["AESTDTC"]),
        end_day=_at(patient, values["AEENDTC"]) if values.get("AEENDTC") else None,
        course=_course(patient, record),
        relation=relation,
        controlled=values.get("AECTRL") == "Y",
        laboratory_only=values.get("AELABON") == "Y",
        expected_after_lymphodepletion=values["AEEXPLD"] == "Y",
        responded=values["AEOUT"] in RESOLVED,
        due_to_disease=is_related(values["AERELDS"]) and not is_related(values["AERELUC"]),
        steroid_refractory=values.get("GVREFR") == "Y",
        serious=values["AESER"] == "Y",
    )


def _course(patient: Patient, record: Record) -> tuple[dlt.GradePoint, ...]:
    """Grade over time, from every version of the record: each worst grade from its own date on.

    A version without a date of its worst grade speaks of the onset; a later version for the same moment replaces
    the earlier one. The recorded improvement ends a grade above 2.
    """
    points: dict[float, int] = {}
    for version in record.versions():
        moment = version.values.get("AEGRDTC") or version.values["AESTDTC"]
        points[_at(patient, moment)] = version.values["AETOXGR"]
    start = _at(patient, record.values["AESTDTC"])
    if start not in points:  # worse later, and what came first was never recorded: one grade lower
        points[start] = max(min(points.values()) - 1, 1)
    points = {day: grade for day, grade in sorted(points.items()) if day >= start}
    if record.values.get("AEIMPDTC"):
        improved = _at(patient, record.values["AEIMPDTC"])
        running = [grade for day, grade in points.items() if day <= improved]
        if running and 2 < running[-1] < 5:
            points[improved] = 2
    return tuple(dlt.GradePoint(day, grade) for day, grade in sorted(points.items()))


def _liver(patient: Patient, study: Study) -> tuple[dlt.LiverPoint, ...]:
    sex = next((record.values["SEX"] for record in patient.forms("DM")), None)
    upper = {row.item: row.limits(sex)[1] for row in study.reference_ranges}
    points = []
    for record in patient.forms("LB"):
        alt, bilirubin = record.values.get("ALT"), record.values.get("BILI")
        points.append(
            dlt.LiverPoint(
                _at(patient, record.values["LBDTC"]),
                alt_uln=_ratio(alt, upper.get("ALT")),
                bilirubin_uln=_ratio(bilirubin, upper.get("BILI")),
            )
        )
    return tuple(points)


def _ratio(value: float | None, limit: float | None) -> float | None:
    return None if value is None or limit is None else value / limit


def _departures(patient: Patient) -> dict[str, Any]:
    left: dict[str, Any] = {}
    for record in patient.forms("DS"):
        day = _at(patient, record.values["DSSTDTC"])
        if record.values["DSDECOD"] == "DEATH":
            left["death_day"] = day
            left["death_cause"] = CAUSE.get(record.values.get("DTHCAUS") or "", "OTHER")
        elif record.values["DSDECOD"] in ("WITHDRAWAL BY SUBJECT", "LOST TO FOLLOW-UP"):
            left["withdrawal_day"] = day
    therapies = [
        _at(patient, record.values["CMSTDTC"])
        for record in patient.forms("CM")
        if record.values["CMCAT"] == "NEW ANTI-LEUKEMIC THERAPY"
    ]
    if therapies:
        left["new_therapy_day"] = min(therapies)
    return left


def _complete(patient: Patient, study: Study, day: float) -> bool | None:
    """The key safety assessment, a laboratory panel at the last visit of the window: done, missed, or still open."""
    last = next(visit for visit in study.visits if visit.day == study.dlt.window_days)
    if any(record.visit == last.id for record in patient.forms("LB")):
        return True
    return None if day < last.window[1] + 1 else False


def _at(patient: Patient, moment: str) -> float:
    parsed = datetime.fromisoformat(moment)
    return _day(patient, parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC))


def _day(patient: Patient, moment: datetime) -> float:
    """Days, with hours as fractions, from midnight of the infusion date: day 0 is the whole of that date."""
    assert patient.infused_at is not None
    midnight = datetime.combine(patient.infused_at.astimezone(UTC).date(), time(), UTC)
    return (moment.astimezone(UTC) - midnight).total_seconds() / 86400
