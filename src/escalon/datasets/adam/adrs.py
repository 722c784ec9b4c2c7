"""ADRS: the investigator's response at each assessment and best overall response, beside the study's criteria.

PARAMCD OVRLRESP has one record per assessment after the infusion, at the visit the no-double-counting rule
gives it (else UNSCHEDULED); under the policy ``shared`` an assessment may stand at a second, empty visit,
flagged SHAREDFL. ANL01FL marks the records used by visit and to date (all of them); ANL02FL those read for
best response, each assessment once: reading stops after relapse or progression and at a transplant or new
therapy. RESPFL: response of the study's numerator that counts at the visit, before any progression and before what
the study names in ``visit_status_ends_at``. BOR is the best of those read.
"""

from collections.abc import Mapping
from datetime import timedelta

import polars as pl

from escalon.criteria.leukemia_response import VisitAssignment, VisitWindow, assign_visits
from escalon.datasets.adam.assessments import PROGRESSIONS, Assessed, Course, read_courses
from escalon.datasets.adam.sources import Frames, Row, finish
from escalon.datasets.sdtm.subject import UNSCHEDULED
from escalon.protocol.study import Study

__all__ = ["RESPONSE_ORDER", "derive_adrs"]

_BEST_FIRST = ("CR", "CRh", "CRi", "MLFS", "PR", "NR", "INDETERMINATE", "PD", "RELAPSE", "NE", "NE_APLASTIC")
RESPONSE_ORDER: Mapping[str, int] = {code: place for place, code in enumerate(_BEST_FIRST, 1)}
"""AVAL of each response, best first."""


def derive_adrs(sdtm: Frames, adsl: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Return ADRS: OVRLRESP and BOR of every infused patient."""
    windows = [VisitWindow(v.id, v.day, v.window[0], v.window[1]) for v in study.response_visits]
    people = {row["USUBJID"]: row for row in adsl.iter_rows(named=True)}
    rows: list[Row] = []
    for usubjid, course in read_courses(sdtm, study).items():
        given = assign_visits([item.day for item in course.assessed], windows, study.response.overlap_policy)
        for place, (item, assignment) in enumerate(zip(course.assessed, given, strict=True)):
            row = _assessment(item, place < course.read, study) | {"USUBJID": usubjid}
            row["RESPFL"] = "Y" if _counts_at_visit(item, course, people[usubjid], study) else "N"
            row["ADY"] = _study_day(item, people[usubjid]["TRTSDT"])
            rows += _at_visits(row, assignment, study)
        rows.append(_best(course, study) | {"USUBJID": usubjid})
    return finish("ADRS", rows, adsl, ("PARAMCD", "ADT", "AVISITN"))


def _study_day(item: Assessed, start: object) -> int:
    # Infused patients have a first dose; the assessment follows the infusion.
    return (item.date - start).days + 1  # type: ignore[operator,no-any-return]


def _counts_at_visit(item: Assessed, course: Course, person: Row, study: Study) -> bool:
    """A response of the numerator before any progression and before what ends the status at a visit."""
    if item.response.response not in study.response.numerator:
        return False
    if any(past.response.response in PROGRESSIONS and past.day < item.day for past in course.assessed):
        return False
    dates = {"new_therapy": person["NEWTRTDT"], "transplant": person["SCTDT"]}
    ends = [dates[name] for name in study.response.visit_status_ends_at if dates[name] is not None]
    return all(item.date <= end for end in ends)


def _assessment(item: Assessed, read: bool, study: Study) -> Row:
    response = item.response.response
    agree = None if item.investigator is None else ("Y" if item.investigator == item.derived else "N")
    return {
        "PARAMCD": "OVRLRESP",
        "PARAM": "Overall Response at Assessment",
        "AVALC": response,
        "AVAL": RESPONSE_ORDER[response],
        "ADT": item.date,
        "ARDY": item.day,
        "ANL02FL": "Y" if read else "N",
        "ADEQFL": "Y" if item.adequate else "N",
        "MRD": None if item.mrd.trial == "NOT_REPORTED" else item.mrd.trial,
        "DRVRESP": item.derived,
        "AGREEFL": agree,
        "CRITSET": study.response.criteria_set,
        "REASON": "; ".join(dict.fromkeys((item.response.clause, *item.response.reasons)))[:200],
        "SRCDOM": "RS",
        "SRCVAR": "RSDTC",
        "SRCSEQ": item.rsseq,
    }


def _at_visits(row: Row, given: VisitAssignment, study: Study) -> list[Row]:
    own = {"AVISIT": UNSCHEDULED, "AVISITN": None, "SHAREDFL": "N", "ANL01FL": "Y"}
    if given.visit is not None:
        own |= _visit(given.visit, study)
    rows = [row | own]
    if given.shared_visit is not None:
        # The same assessment again: never read twice for best response.
        again = {"SHAREDFL": "Y", "ANL02FL": "N"}
        rows.append(row | own | _visit(given.shared_visit, study) | again)
    return rows


def _visit(visit_id: str, study: Study) -> Row:
    number = next(place for place, visit in enumerate(study.visits, 1) if visit.id == visit_id)
    return {"AVISIT": visit_id, "AVISITN": float(number)}


def _best(course: Course, study: Study) -> Row:
    best = course.best
    first = None if best.first_day is None else int(best.first_day)
    read = course.assessed[: course.read]
    source = next((item for item in read if item.day == first), None)
    labels = {item.mrd.trial for item in read}
    known = [label for label in ("NEGATIVE", "POSITIVE", "NOT_EVALUABLE") if label in labels]
    return {
        "PARAMCD": "BOR",
        "PARAM": "Best Overall Response",
        "AVALC": best.response,
        "AVAL": RESPONSE_ORDER[best.response],
        "ADT": None if first is None else course.infusion + timedelta(days=first),
        "ARDY": first,
        "ANL01FL": "Y",
        "ANL02FL": "Y",
        "RESPFL": "Y" if best.responder else "N",
        "CONFFL": "Y" if best.confirmed else "N",
        "MRD": known[0] if known else None,
        "CRITSET": study.response.criteria_set,
        "REASON": "; ".join((best.clause, *best.reasons))[:200],
        "SRCDOM": "RS" if source else None,
        "SRCVAR": "RSDTC" if source else None,
        "SRCSEQ": source.rsseq if source else None,
    }
