"""The grade of an adverse event derived from what its form stores, beside the grade the investigator recorded.

CRS and ICANS (ASTCT), acute GvHD (MAGIC) and IEC-HS are graded from the components on the form; terms with a
laboratory rule in the study's CTCAE version from the panels taken during the event. Other CTCAE terms are graded by
judgement and have no derived grade. A component that was not recorded is never read as absent: the grade is then
None, with the reason.

Where the two grades differ, neither is changed: the worse one counts (rule of the platform, an assumption) and both
are shown.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from escalon.conduct.state import Patient
from escalon.criteria.astct import NOT_ASSESSED, grade_crs, grade_icans
from escalon.criteria.ctcae import grade_lab
from escalon.criteria.iec_hs import grade_iec_hs
from escalon.criteria.magic import grade_gvhd
from escalon.criteria.result import Grade
from escalon.protocol.study import Study

__all__ = ["COMPONENTS", "PanelGrade", "derive_grade", "grade_panels", "worst_grade"]

COMPONENTS: Mapping[str, tuple[str, ...]] = {
    "CRS": (
        "CRSTEMP", "CRSATTR", "CRSSUPP", "CRSHYPO", "CRSPRESS", "CRSVASO", "CRSPDOSE", "CRSOXY", "CRSFLOW", "CRSFIO2",
    ),
    "ICANS": ("ICESCORE", "ICCONSC", "ICSEIZ", "ICSEIZMN", "ICMOTOR", "ICEDEMA", "ICOTHER", "ICDIFF"),
    "GVHD": ("GVSKIN", "GVLIVER", "GVUGI", "GVLGI", "GVREFR"),
    "IEC-HS": ("HSDIAG", "HSSEVER", "HSFERR", "HSFIBR", "HSTRIG", "HSHEMO", "HSSPLEEN"),
}  # fmt: skip
"""Items of the AE form that belong to one category of events, and to no other."""


def derive_grade(values: Mapping[str, Any]) -> Grade | None:
    """Return the grade the components in ``values`` give; None for a category without components.

    ``values`` are items of the AE form by name; numbers may stand as text, as in supplemental qualifiers.

    Raises:
        ValueError: for a component out of its range.

    Example:
        >>> derive_grade({"AECAT": "GVHD", "GVSKIN": 2, "GVLIVER": 0, "GVUGI": 0, "GVLGI": 1}).grade
        2
    """
    grade = _BY_CATEGORY.get(values["AECAT"])
    return None if grade is None else grade(values)


def worst_grade(values: Mapping[str, Any]) -> int:
    """Return the worse of the recorded grade and the one derived from the components, 1 to 5."""
    derived = derive_grade(values)
    return max(int(values["AETOXGR"]), (derived.grade if derived else None) or 0)


def _crs(values: Mapping[str, Any]) -> Grade:
    hypotension = values.get("CRSHYPO")
    return grade_crs(
        temperature=_number(values, "CRSTEMP"),
        fever_attributed=_yes(values, "CRSATTR"),
        vasopressors=_whole(values, "CRSPRESS"),
        vasopressin=values.get("CRSVASO") == "Y",
        hypotension=NOT_ASSESSED if hypotension is None else hypotension == "Y",
        oxygen=_code(values, "CRSOXY"),
        oxygen_flow=_number(values, "CRSFLOW"),
        suppressed_fever=values.get("CRSSUPP") == "Y",
        death=_fatal(values),
    )


def _icans(values: Mapping[str, Any]) -> Grade:
    other = values.get("ICOTHER")
    return grade_icans(
        ice=_whole(values, "ICESCORE"),
        consciousness=_code(values, "ICCONSC"),
        seizure=_code(values, "ICSEIZ"),
        motor=_code(values, "ICMOTOR"),
        edema=_code(values, "ICEDEMA"),
        seizure_minutes=_number(values, "ICSEIZMN"),
        not_attributable=() if other in (None, "NONE") else (str(other).lower(),),
        death=_fatal(values),
    )


def _gvhd(values: Mapping[str, Any]) -> Grade:
    return grade_gvhd(
        skin=_whole(values, "GVSKIN"),
        liver=_whole(values, "GVLIVER"),
        upper_gi=_whole(values, "GVUGI"),
        lower_gi=_whole(values, "GVLGI"),
    )


def _iec_hs(values: Mapping[str, Any]) -> Grade:
    severity = values.get("HSSEVER")
    return grade_iec_hs(
        diagnosed=_yes(values, "HSDIAG"),
        severity=None if severity is None else str(severity).lower(),
        death=_fatal(values),
    )


_BY_CATEGORY: Mapping[str, Callable[[Mapping[str, Any]], Grade]] = {
    "CRS": _crs,
    "ICANS": _icans,
    "GVHD": _gvhd,
    "IEC-HS": _iec_hs,
}


def _number(values: Mapping[str, Any], item: str) -> float | None:
    value = values.get(item)
    return None if value is None else float(value)


def _whole(values: Mapping[str, Any], item: str) -> int | None:
    value = values.get(item)
    return None if value is None else int(value)


def _yes(values: Mapping[str, Any], item: str) -> bool | None:
    value = values.get(item)
    return None if value is None else value == "Y"


def _code(values: Mapping[str, Any], item: str) -> str:
    """The criteria's code of a choice; an empty item was not assessed, which is not the same as none."""
    value = values.get(item)
    return NOT_ASSESSED if value is None else str(value).lower()


def _fatal(values: Mapping[str, Any]) -> bool:
    return values.get("AESDTH") == "Y" or values.get("AEOUT") == "FATAL"


@dataclass(frozen=True, slots=True)
class PanelGrade:
    """Grade of one laboratory result: the moment it was taken (UTC) and the record it stands in."""

    moment: datetime
    record: str
    grade: Grade


def grade_panels(
    patient: Patient, study: Study, term: str, start: datetime, end: datetime | None
) -> tuple[PanelGrade, ...] | None:
    """Grade the results taken from ``start`` to ``end`` (None: ongoing) by the laboratory rule of ``term``.

    Returns:
        Grades in order of time, an empty tuple when no result was taken in that time; None when the term has no
        laboratory rule in the study's version, or its test is not on the panel.
    """
    row = study.grading.laboratory_terms().get(term)
    if row is None:
        return None
    sex = next((record.values["SEX"] for record in patient.forms("DM")), None)
    limits = next((r.limits(sex) for r in study.reference_ranges if r.item == row.item), (None, None))
    results = sorted(
        (datetime.fromisoformat(record.values["LBDTC"]), record.record, float(record.values[row.item]))
        for record in patient.forms("LB")
        if record.values.get(row.item) is not None
    )
    first = min((datetime.fromisoformat(r.values["EXSTDTC"]) for r in patient.forms("EX")), default=None)
    baseline = [value for moment, _, value in results if first is None or moment <= first]
    known = (row.unit, *limits, baseline[-1] if baseline else None, study.grading.ctcae)
    return tuple(
        PanelGrade(moment, record, _grade_value(term, value, *known))
        for moment, record, value in results
        if start <= moment and (end is None or moment <= end)
    )


@lru_cache(maxsize=20_000)
def _grade_value(
    term: str,
    value: float,
    unit: str,
    lower: float | None,
    upper: float | None,
    baseline: float | None,
    version: str,
) -> Grade:
    """The same result is read at every review of the patient; it is graded once."""
    return grade_lab(term, value, unit, lower, upper, baseline, version=version)
