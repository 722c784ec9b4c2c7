"""Disease assessments read back from RS and LB, and the response of each.

The response is the investigator's, as registered; what the criteria (``criteria.leukemia_response``) make of the
recorded findings stands beside it, and takes its place where the investigator gave none. An assessment on the day
a therapy starts counts as made before it. Assessments on the day of the infusion or before are baseline.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from escalon.criteria.leukemia_response import (
    Assessment,
    BestResponse,
    JudgedAssessment,
    MrdLabel,
    Response,
    best_of_responses,
    judge_course,
    mrd_label,
)
from escalon.datasets.adam.dated_facts import first_after, therapies
from escalon.datasets.adam.sources import Frames, Row, as_date, by_patient, qualifiers
from escalon.datasets.sdtm.lb import ASSESSMENT
from escalon.protocol.study import Study

__all__ = ["INADEQUATE", "PROGRESSIONS", "Assessed", "Course", "read_courses"]

INADEQUATE = ("NE", "NE_APLASTIC")
PROGRESSIONS = ("PD", "RELAPSE")
_LABORATORY = {
    "BMBLAST": "bm_blasts",
    "BMCOUNT": "cells_counted",
    "BMCELL": "cellularity",
    "PBBLAST": "pb_blasts",
    "NEUT": "anc",
    "PLAT": "platelets",
}


@dataclass(frozen=True, slots=True)
class Assessed:
    """One assessment after the infusion: date, day from the infusion, the response that counts, MRD label, what
    the criteria and the investigator say, and its RS record."""

    date: date
    day: int
    response: Response
    mrd: MrdLabel
    derived: str
    investigator: str | None
    rsseq: int

    @property
    def adequate(self) -> bool:
        """Whether the assessment could show or exclude a progression."""
        return self.response.response not in INADEQUATE


@dataclass(frozen=True, slots=True)
class Course:
    """All assessments of an infused patient in order, the best of those read, and the baseline marrow blasts
    (%)."""

    infusion: date
    assessed: tuple[Assessed, ...]
    best: BestResponse
    read: int
    baseline_blasts: float | None
    disease_measured: bool


@dataclass(frozen=True, slots=True)
class _Found:
    date: date
    assessment: Assessment
    investigator: str | None
    rsseq: int
    mrd: Row


def read_courses(sdtm: Frames, study: Study) -> dict[str, Course]:
    """Return the response course of every infused patient by USUBJID."""
    found = _read(sdtm)
    treatments = by_patient(sdtm["EX"])
    stops = {"new_therapy_day": therapies(sdtm, "new_therapy"), "hsct_day": therapies(sdtm, "transplant")}
    courses: dict[str, Course] = {}
    for usubjid, doses in treatments.items():
        infusions = [as_date(row["EXSTDTC"]) for row in doses if row["EXTRT"] == study.cell_kinetics.analyte]
        if not infusions or infusions[0] is None:
            continue
        infusion = infusions[0]
        first = as_date(doses[0]["EXSTDTC"]) or infusion
        ends = {
            name: float((first_therapy.date - infusion).days)
            for name, given in stops.items()
            if (first_therapy := first_after(given.get(usubjid, []), infusion)) is not None
        }
        courses[usubjid] = _course(found.get(usubjid, []), first, infusion, ends, study)
    return courses


def _course(found: list[_Found], first: date, infusion: date, ends: dict[str, Any], study: Study) -> Course:
    before = [f for f in found if f.date <= first] or [f for f in found if f.date < infusion]
    baseline = before[-1].assessment if before else None
    after = [f for f in found if f.date > infusion]
    judged = judge_course(
        [replace(f.assessment, day=float((f.date - infusion).days)) for f in after],
        study.response.criteria_set,
        baseline=baseline,
        judged=[f.investigator for f in after],
    )
    assessed = [_assessed(item, row, infusion) for item, row in zip(after, judged, strict=True)]
    best = best_of_responses(
        [(item.response, True) for item in assessed], orr_numerator=study.response.numerator, **ends
    )
    blasts = None if baseline is None else baseline.bm_blasts
    return Course(infusion, tuple(assessed), best, len(best.responses), blasts, _measured(baseline))


def _assessed(item: _Found, row: JudgedAssessment, infusion: date) -> Assessed:
    label = mrd_label(**item.mrd, response=row.response.response)
    day = (item.date - infusion).days
    return Assessed(item.date, day, row.response, label, row.derived.response, item.investigator, item.rsseq)


def _measured(baseline: Assessment | None) -> bool:
    """Disease was measured at baseline: marrow blasts counted, or extramedullary disease seen."""
    return baseline is not None and (baseline.bm_blasts is not None or baseline.emd == "present")


def _read(sdtm: Frames) -> dict[str, list[_Found]]:
    """Return all assessments by patient in order of date, findings of RS and LB joined by link group."""
    extra = qualifiers(sdtm["SUPPRS"])
    results: dict[tuple[str, str], dict[str, Row]] = {}
    for row in sdtm["LB"].filter(LBCAT=ASSESSMENT).iter_rows(named=True):
        results.setdefault((row["USUBJID"], row["LBLNKGRP"]), {})[row["LBTESTCD"]] = row
    groups: dict[tuple[str, str], dict[str, Row]] = {}
    for row in sdtm["RS"].drop_nulls("RSLNKGRP").iter_rows(named=True):
        groups.setdefault((row["USUBJID"], row["RSLNKGRP"]), {})[row["RSTESTCD"]] = row
    found: dict[str, list[_Found]] = {}
    for (usubjid, link), tests in groups.items():
        overall = tests["OVRLRESP"]
        given = extra.get((usubjid, str(overall["RSSEQ"])), {})
        item = _one(overall, tests, results.get((usubjid, link), {}), given)
        found.setdefault(usubjid, []).append(item)
    for items in found.values():
        items.sort(key=lambda item: (item.date, item.rsseq))
    return found


def _one(overall: Row, tests: dict[str, Row], results: dict[str, Row], given: Row) -> _Found:
    findings: dict[str, Any] = {
        field: results[code]["LBSTRESN"] for code, field in _LABORATORY.items() if code in results
    }
    emd, cns = tests.get("EMD", {}).get("RSSTRESC"), tests.get("CNSSTAT", {}).get("RSSTRESC")
    findings["emd"] = None if emd is None else emd.lower()
    findings["cns"] = cns
    findings["platelet_transfusion_7d"] = given.get("PLTTRANS") == "Y"
    findings["gcsf_7d"] = given.get("GCSF") == "Y"
    mrd = _mrd(results.get("MRD"))
    findings["mrd"] = 0.0 if mrd["detected"] is False else mrd["value"]
    findings["mrd_sensitivity"], findings["mrd_method"] = mrd["sensitivity"], mrd["method"]
    day = as_date(overall["RSDTC"])
    assert day is not None, "the form requires the date of an assessment"
    return _Found(day, Assessment(**findings), overall["RSSTRESC"], overall["RSSEQ"], mrd)


def _mrd(row: Row | None) -> Row:
    if row is None or row["LBSTRESC"] is None:
        return {"value": None, "sensitivity": None, "detected": None, "method": None}
    sensitivity = None if row["LBLLOD"] is None else float(row["LBLLOD"])
    return {
        "value": row["LBSTRESN"],
        "sensitivity": sensitivity,
        "detected": row["LBSTRESC"] != "NOT DETECTED",
        "method": row["LBMETHOD"],
    }
