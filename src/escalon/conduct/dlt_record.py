"""What the recorded forms say about one patient, put before the study's DLT definition.

Every event carries the worse of the recorded grade and the grade derived from its components or laboratory results
at that time, and the higher of the investigator's and the sponsor's view of its cause. Where the grades differ the
proposal says so: a person decides which one is right.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

from escalon.conduct.derived_grades import PanelGrade, derive_grade, grade_panels, worst_grade
from escalon.conduct.events import DltStatus
from escalon.conduct.opinions import CAUSES, NO_VIEW, SponsorView, judge_relations, judge_serious
from escalon.conduct.state import Patient, Record
from escalon.criteria import dlt
from escalon.criteria.relatedness import is_related
from escalon.protocol import StudyFolder
from escalon.protocol.study import Study

CATEGORY = {"GENERAL": "OTHER", "LABORATORY": "LAB", "TLS": "OTHER"}
CAUSE = {"DISEASE PROGRESSION": "DISEASE", "ADVERSE EVENT": "TOXICITY"}
RELATIONS = {f"AEREL{ending}": cause for ending, cause in CAUSES.items()}
"""Cause by the item of the AE form that asks about it."""
SponsorViews = Mapping[str, SponsorView]
"""The sponsor's view by AE record; see ``opinions.sponsor_views``."""
LIVER_TESTS = {"ALT": "alt_uln", "AST": "ast_uln", "BILI": "bilirubin_uln", "ALP": "alp_uln"}
"""Field of ``LiverPoint`` by the item of the laboratory form."""
RESOLVED = ("RECOVERED/RESOLVED", "RECOVERED/RESOLVED WITH SEQUELAE")


@dataclass(frozen=True, slots=True)
class DltProposal:
    """What the criteria propose for a person to judge.

    Attributes:
        status: proposed status.
        clause: clause met, None unless DLT.
        text: the reasons in words, with the disagreements among the events they rest on.
        disagreements: every event whose derived grade differs from the recorded one, in words.
    """

    status: DltStatus
    clause: str | None
    text: str
    disagreements: tuple[str, ...] = ()


def assess_dlt(
    patient: Patient, folder: StudyFolder, now: datetime, sponsor: SponsorViews | None = None
) -> DltProposal:
    """Return what the study's definition says about ``patient`` as of ``now`` (UTC).

    ``sponsor``: the sponsor's view of the patient's events; None when there is none.
    """
    study = folder.study
    day = 0.0 if patient.infused_at is None else _day(patient, now)
    found = dlt.evaluability(patient_record(patient, study, day, sponsor), study.dlt, day)
    return in_words(found, patient, study)


def in_words(found: dlt.Evaluability, patient: Patient, study: Study) -> DltProposal:
    """Return what the definition found, with the disagreements among the events it rests on."""
    clause = found.clause if found.status == "DLT" else None
    differ = grade_disagreements(patient, study)
    supporting = {row for proposal in found.proposals for row in proposal.evidence}
    words = (*found.reasons, *(text for record, text in differ.items() if record in supporting))
    return DltProposal(DltStatus(found.status), clause, "; ".join(words), tuple(differ.values()))


def grade_disagreements(patient: Patient, study: Study) -> dict[str, str]:
    """Return, by AE record, what to read where the derived grade differs from the recorded one."""
    found = {}
    for record in patient.forms("AE"):
        recorded, best = record.values["AETOXGR"], _derived(patient, study, record)
        if best is not None and best[0] != recorded:
            found[record.record] = (
                f"{record.record} {record.values['AEDECOD']}: recorded grade {recorded}, derived grade {best[0]} "
                f"({best[1]}); the worse counts until it is settled"
            )
    return found


def _derived(patient: Patient, study: Study, record: Record) -> tuple[int, str] | None:
    """Derived grade with its clause: of the components, else the worst of the laboratory results; None without."""
    by_components = derive_grade(record.values)
    panels = _panels(patient, study, record)
    grades = [by_components] if by_components else [panel.grade for panel in panels]
    known = [(grade.grade, grade.clause) for grade in grades if grade.grade is not None]
    return max(known, key=lambda pair: pair[0], default=None)


def _panels(patient: Patient, study: Study, record: Record) -> tuple[PanelGrade, ...]:
    values = record.values
    start = datetime.fromisoformat(values["AESTDTC"])
    end = datetime.fromisoformat(values["AEENDTC"]) if values.get("AEENDTC") else None
    return grade_panels(patient, study, values["AEDECOD"], start, end) or ()


def patient_record(
    patient: Patient, study: Study, day: float, sponsor: SponsorViews | None = None
) -> dlt.PatientRecord:
    """Return the plain facts of ``patient`` as of ``day``; days count from the date of the first infusion.

    Of a patient who was never infused, days count from the first dose of anything: reactions to the lymphodepletion
    are on record too.
    """
    infused = patient.infused_at is not None
    origin, views = _origin(patient), sponsor or {}
    left = _departures(patient) if infused else {}
    return dlt.PatientRecord(
        patient=patient.patient,
        infusion_day=0.0 if infused else None,
        dose_fraction=patient.dose_fraction,
        events=() if origin is None else tuple(_event(patient, study, r, views) for r in patient.forms("AE")),
        counts=tuple(
            dlt.CountPoint(day_at(patient, r.values["LBDTC"]), r.values.get("NEUT"), r.values.get("PLAT"))
            for r in patient.forms("LB")
            if infused
        ),
        marrows=tuple(
            dlt.MarrowPoint(
                day_at(patient, r.values["RSDTC"]), r.values.get("BMCELL"), r.values.get("BMBLAST")
            )
            for r in patient.forms("RS")
            if infused
        ),
        liver=_liver(patient, study) if infused else (),
        assessments_complete=_complete(patient, study, day) if infused else None,
        first_doses=_first_doses(patient),
        **left,
    )


def _event(patient: Patient, study: Study, record: Record, views: SponsorViews) -> dlt.AdverseEvent:
    values, sponsor = record.values, views.get(record.record, NO_VIEW)
    relations = judge_relations(values, sponsor)
    return dlt.AdverseEvent(
        id=record.record,
        term=values["AEDECOD"],
        category=CATEGORY.get(values["AECAT"], values["AECAT"]),
        start_day=day_at(patient, values["AESTDTC"]),
        end_day=day_at(patient, values["AEENDTC"]) if values.get("AEENDTC") else None,
        course=_course(patient, study, record),
        relation={cause: found.combined for cause, found in relations.items() if found.combined is not None},
        controlled=values.get("AECTRL") == "Y",
        laboratory_only=values.get("AELABON") == "Y",
        expected_after_lymphodepletion=values["AEEXPLD"] == "Y",
        responded=values["AEOUT"] in RESOLVED,
        # An exemption: the sponsor alone cannot give it, and his view that the cells did it takes it away.
        due_to_disease=is_related(values["AERELDS"]) and not relations["UCART22"].related,
        steroid_refractory=values.get("GVREFR") == "Y",
        serious=values["AESER"] == "Y" or bool(judge_serious(values, sponsor).holds),
    )


def _course(patient: Patient, study: Study, record: Record) -> tuple[dlt.GradePoint, ...]:
    """Grade over time: at each moment the worse of what was recorded and what the laboratory shows."""
    recorded, start = _recorded_course(patient, record), day_at(patient, record.values["AESTDTC"])
    shown = {start: 0} | {
        day_at(patient, panel.moment): panel.grade.grade or 0 for panel in _panels(patient, study, record)
    }
    days = sorted({*recorded, *shown})
    worst = [(day, max(_holds(recorded, day), _holds(shown, day))) for day in days]
    return tuple(dlt.GradePoint(day, grade) for day, grade in worst)


def _holds(points: dict[float, int], day: float) -> int:
    """The grade in force on ``day``: that of the last point not after it."""
    return points[max(at for at in points if at <= day)]


def _recorded_course(patient: Patient, record: Record) -> dict[float, int]:
    """Grade by day, from every version of the record: each worst grade from its own date on.

    Each version counts with the worse of its recorded grade and the one its components give. A version without a
    date of its worst grade speaks of the onset; a later version for the same moment replaces the earlier one. The
    recorded improvement ends a grade above 2.
    """
    points: dict[float, int] = {}
    for version in record.versions():
        moment = version.values.get("AEGRDTC") or version.values["AESTDTC"]
        points[day_at(patient, moment)] = worst_grade(version.values)
    start = day_at(patient, record.values["AESTDTC"])
    if start not in points:  # worse later, and what came first was never recorded: one grade lower
        points[start] = max(min(points.values()) - 1, 1)
    points = {day: grade for day, grade in sorted(points.items()) if day >= start}
    if record.values.get("AEIMPDTC"):
        improved = day_at(patient, record.values["AEIMPDTC"])
        running = [grade for day, grade in points.items() if day <= improved]
        if running and 2 < running[-1] < 5:
            points[improved] = 2
    return points


def _liver(patient: Patient, study: Study) -> tuple[dlt.LiverPoint, ...]:
    """Liver tests as multiples of the upper limit; those taken on Day 0 before the cells still show the start."""
    assert patient.infused_at is not None
    infused = _day(patient, patient.infused_at)
    sex = next((record.values["SEX"] for record in patient.forms("DM")), None)
    upper = {row.item: row.limits(sex)[1] for row in study.reference_ranges}
    points = []
    for record in patient.forms("LB"):
        found: dict[str, Any] = {
            field: _ratio(record.values.get(item), upper.get(item)) for item, field in LIVER_TESTS.items()
        }
        if any(ratio is not None for ratio in found.values()):
            day = day_at(patient, record.values["LBDTC"])
            points.append(dlt.LiverPoint(day, **found, before_infusion=day < infused))
    return tuple(points)


def _ratio(value: float | None, limit: float | None) -> float | None:
    return None if value is None or limit is None else value / limit


def _departures(patient: Patient) -> dict[str, Any]:
    left: dict[str, Any] = {}
    for record in patient.forms("DS"):
        day = day_at(patient, record.values["DSSTDTC"])
        if record.values["DSDECOD"] == "DEATH":
            left["death_day"] = day
            left["death_cause"] = CAUSE.get(record.values.get("DTHCAUS") or "", "OTHER")
        elif record.values["DSDECOD"] in ("WITHDRAWAL BY SUBJECT", "LOST TO FOLLOW-UP"):
            left["withdrawal_day"] = day
    therapies = [
        day_at(patient, record.values["CMSTDTC"])
        for record in patient.forms("CM")
        if record.values["CMCAT"] == "NEW ANTI-LEUKEMIC THERAPY"
    ]
    if therapies:
        left["new_therapy_day"] = min(therapies)
    return left


def _first_doses(patient: Patient) -> dict[str, float]:
    """Day of the first dose of each product given."""
    given: dict[str, float] = {}
    for record in patient.forms("EX"):
        product, day = record.values["EXTRT"], day_at(patient, record.values["EXSTDTC"])
        given[product] = min(day, given.get(product, day))
    return given


def _complete(patient: Patient, study: Study, day: float) -> bool | None:
    """The key safety assessment, a laboratory panel at the last visit of the window: done, missed, or still open."""
    last = next(visit for visit in study.visits if visit.day == study.dlt.window_days)
    if any(record.visit == last.id for record in patient.forms("LB")):
        return True
    return None if day < last.window[1] + 1 else False


def day_at(patient: Patient, moment: str | datetime) -> float:
    """Return days from midnight (UTC) of the date of the first infusion of ``patient``, hours as fractions."""
    parsed = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return _day(patient, parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC))


def _day(patient: Patient, moment: datetime) -> float:
    """Days, with hours as fractions, from midnight of the date the days count from: day 0 is the whole of it."""
    origin = _origin(patient)
    assert origin is not None
    midnight = datetime.combine(origin.astimezone(UTC).date(), time(), UTC)
    return (moment.astimezone(UTC) - midnight).total_seconds() / 86400


def _origin(patient: Patient) -> datetime | None:
    """First infusion, else the first dose of anything; None before any treatment."""
    if patient.infused_at is not None:
        return patient.infused_at
    return min((datetime.fromisoformat(r.values["EXSTDTC"]) for r in patient.forms("EX")), default=None)
