"""The packet: everything the committee has before it, as plain values, the same for the same cut."""

import hashlib
from dataclasses import asdict
from datetime import datetime
from typing import Any

from escalon.conduct.actions import action_name
from escalon.conduct.canonical import canonical, utc_text
from escalon.conduct.capture.marks import marks_on
from escalon.conduct.capture.queries import open_queries
from escalon.conduct.cohorts import counts
from escalon.conduct.committee.completeness import completeness
from escalon.conduct.committee.cut import backfill_flag, patients_of
from escalon.conduct.committee.further import further_infusions
from escalon.conduct.committee.state import DataCut
from escalon.conduct.committee.what_if import what_if
from escalon.conduct.derived_grades import worst_grade
from escalon.conduct.evidence import peak
from escalon.conduct.holds import scope_words
from escalon.conduct.outcomes import ask_again, judged_backfill, pending_backfill
from escalon.conduct.people.signatures import casebook_ref, valid_signatures
from escalon.conduct.proposals import propose_dlt
from escalon.conduct.slots.backfill import backfill_levels
from escalon.conduct.state import Cohort, Patient, Recommendation, State
from escalon.design import decision_table
from escalon.protocol import StudyFolder

SPECIAL_INTEREST = ("CRS", "ICANS", "GVHD", "INFECTION", "CYTOPENIA", "IEC-HS")


def build_packet(state: State, folder: StudyFolder, cut: DataCut) -> dict[str, Any]:
    """Return the packet on ``cut``; ``state`` must hold the records of the cut (its hash tells)."""
    part, at = cut.part, cut.at
    patients = patients_of(state, part)
    cohort = state.cohort
    shown = cohort if cohort is not None and cohort.part == part else None
    further = further_infusions(state, folder, part, at)
    packet = {
        "study": state.study_id,
        "study_hash": state.study_hash,
        "cut_at": utc_text(at),
        "cut": cut.number,
        "cut_seq": cut.seq,
        "cut_hash": cut.content_hash,
        "part": part,
        "cohort": None if shown is None else _cohort(shown),
        "patients": [
            _patient(state, patient, folder, at) | _quality(state, patient) | backfill_flag(patient)
            for patient in patients
        ],
        "adverse_events": [row for patient in patients for row in _events(patient)],
        "deaths": [row for patient in patients for row in _deaths(patient)],
        "holds": [
            {"hold": hold.number, "rule": hold.rule, "reason": hold.reason, "open": hold.lifted_at is None}
            | ({} if hold.scope == "study" else {"scope": scope_words(hold)})
            for hold in state.holds
        ],
        "deviations": [
            {"patient": one.patient, "rule": one.rule, "text": one.text} for one in state.slots.deviations
        ],
        "recommendation": _recommendation(state, folder, part),
        "allowed": _allowed(state, folder, part),
        "decision_table": _table(folder) if part == "escalation" else [],
        "what_if": [asdict(branch) for branch in what_if(state, folder)] if part == "escalation" else [],
        **({"further_infusions": further} if further else {}),
    }
    if part == "escalation" and folder.study.escalation.backfill is not None:
        packet["backfill"] = _backfill(state, folder)
    return packet


def packet_hash(packet: dict[str, Any]) -> str:
    """Return the SHA-256 of a packet, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical(packet).encode()).hexdigest()


def _cohort(cohort: Cohort) -> dict[str, Any]:
    return {
        "cohort": cohort.cohort,
        "dose_level": cohort.dose_level,
        "size": cohort.size,
        "opened_at": utc_text(cohort.opened_at),
        "patients": list(cohort.patients),
    }


def _patient(state: State, patient: Patient, folder: StudyFolder, at: datetime) -> dict[str, Any]:
    forms = completeness(patient, folder, at)
    proposal = propose_dlt(state, patient.patient, folder, at)
    infused = patient.infused_at
    return {
        "patient": patient.patient,
        "site": patient.site,
        "cohort": patient.cohort,
        "dose_level": patient.dose_level,
        "regimen": patient.regimen,
        "process": patient.process,
        "infused_at": None if infused is None else utc_text(infused),
        "day": None if infused is None else (at.date() - infused.date()).days,
        "dose_fraction": patient.dose_fraction,
        "exposure": _exposure(patient),
        "released": patient.released,
        "dlt_status": patient.dlt_status.value,
        "dlt_clause": patient.dlt_clause,
        "dlt_reason": patient.dlt_reason,
        "proposal": proposal.text,
        "proposed_status": proposal.status.value,
        "forms_due": forms.due,
        "forms_recorded": forms.recorded,
        "missing": list(forms.missing),
    }


def _quality(state: State, patient: Patient) -> dict[str, Any]:
    """What stands between the entered data and a decision on them: queries, verification, signature."""
    signed = valid_signatures(state, casebook_ref(patient.patient))
    verified = sum(bool(marks_on(state, patient.patient, record).verified) for record in patient.records)
    return {
        "open_queries": len(open_queries(state, patient.patient)),
        "records": len(patient.records),
        "records_verified": verified,
        "casebook_signed": any(one.role == "investigator" for one in signed),
        "cell_peak": peak(patient, "UCART22"),
    }


def _allowed(state: State, folder: StudyFolder, part: str) -> list[dict[str, Any]]:
    """The decisions the committee can take without an exception: at most as bold as the rule, or stopping."""
    if part != "escalation" or state.mtd is not None:
        return []
    if not state.decisions:
        return [{"action": "open", "dose_level": folder.study.escalation.start_level}]
    decided = {decision.recommendation for decision in state.decisions}
    waiting = [one for one in state.recommendations if one.number not in decided]
    if not waiting:
        return []
    last = waiting[-1]
    stop = {"action": "stop", "dose_level": None}
    if last.action == "stop" or last.dose_level is None:
        return [stop]
    current = last.inputs["current_level"]
    levels = [
        {"action": action_name(current, level), "dose_level": level}
        for level in range(last.dose_level, 0, -1)
    ]
    return [*levels, stop]


def _exposure(patient: Patient) -> dict[str, list[float]]:
    """Doses given of each product, in the order they were recorded."""
    given: dict[str, list[float]] = {}
    for record in patient.forms("EX"):
        given.setdefault(record.values["EXTRT"], []).append(record.values["EXDOSE"])
    return given


def _events(patient: Patient) -> list[dict[str, Any]]:
    """Adverse events of grade 3 or higher (the worse of recorded and derived), serious or of special interest."""
    return [
        {
            "patient": patient.patient,
            "record": record.record,
            "term": record.values["AEDECOD"],
            "category": record.values["AECAT"],
            "grade": record.values["AETOXGR"],
            "worst_grade": worst_grade(record.values),
            "serious": record.values["AESER"],
            "start": record.values["AESTDTC"],
            "end": record.values.get("AEENDTC"),
            "outcome": record.values["AEOUT"],
            "related_to_cells": record.values["AERELUC"],
        }
        for record in patient.forms("AE")
        if worst_grade(record.values) >= 3
        or record.values["AESER"] == "Y"
        or record.values["AECAT"] in SPECIAL_INTEREST
    ]


def _deaths(patient: Patient) -> list[dict[str, Any]]:
    """Deaths as the patient left the study and as the outcome of an event: a death may be entered on either first."""
    left = [
        {
            "patient": patient.patient,
            "term": record.values.get("DTHCAUS") or "cause not recorded",
            "date": record.values["DSSTDTC"],
        }
        for record in patient.forms("DS")
        if record.values["DSDECOD"] == "DEATH"
    ]
    events = [
        {"patient": patient.patient, "term": record.values["AEDECOD"], "date": record.values.get("AEENDTC")}
        for record in patient.forms("AE")
        if record.values["AESDTH"] == "Y"
    ]
    return [*left, *events]


def _recommendation(state: State, folder: StudyFolder, part: str) -> dict[str, Any] | None:
    if part != "escalation" or not state.recommendations:
        return None
    last: Recommendation = state.recommendations[-1]
    answer = ask_again(folder.study.escalation, last.inputs)
    return {
        "recommendation": last.number,
        "action": last.action,
        "dose_level": last.dose_level,
        "reasons": list(last.reasons),
        "n": list(last.inputs["n"]),
        "y": list(last.inputs["y"]),
        "estimates": [
            {
                "level": row.level,
                "estimate": _round(row.estimate),
                "lower": _round(row.lower),
                "upper": _round(row.upper),
                "prob_above_target": _round(row.prob_above_target),
            }
            for row in answer.estimates
        ],
    }


def _backfill(state: State, folder: StudyFolder) -> dict[str, Any]:
    """The backfill rule of the plan, and who stands under it at the cut."""
    plan = folder.study.escalation
    assert plan.backfill is not None
    n, y = counts(judged_backfill(state), plan.levels)
    return {
        **plan.backfill.model_dump(mode="json"),
        "seed": state.backfill_seed,
        "n": list(n),
        "y": list(y),
        "pending": [[one.patient, one.dose_level] for one in pending_backfill(state)],
        "open": [] if state.mtd is not None else list(backfill_levels(state, folder)),
    }


def _round(value: float | None) -> float | None:
    """Six decimals: enough to read, and the same on every machine that runs this software."""
    return None if value is None else round(float(value), 6)


def _table(folder: StudyFolder) -> list[dict[str, Any]]:
    """Rows of the decision table; none for rules whose decision needs more than the counts at one level."""
    try:
        table = decision_table(folder.study.escalation)
    except ValueError:
        return []
    return [{"n": n, "decisions": list(letters)} for n, letters in table.decisions.items()]
