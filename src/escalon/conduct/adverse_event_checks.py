"""Adverse events as entered: what an entry must not say against itself or against the study.

A grade that differs from the one its components give is no fault of the entry: both are kept and shown. Terms and
grades are checked as far as the catalogue of the study's CTCAE version is held (``criteria.catalogue``).
"""

from datetime import datetime
from typing import Any

from escalon.conduct.derived_grades import COMPONENTS
from escalon.conduct.opinions import SERIOUSNESS
from escalon.criteria.catalogue import check_grade
from escalon.protocol import StudyFolder
from escalon.protocol.study import Grading

HIGHEST = {"GVHD": 4}
"""Highest grade of a category where it is not 5: MAGIC has no grade 5."""


def wrong_event(values: dict[str, Any], folder: StudyFolder) -> str | None:
    """Return what the items of an adverse event say against each other, or against the study's grading."""
    return (
        _wrong_grading(values, folder.study.grading)
        or _wrong_dates(values)
        or _wrong_seriousness(values)
        or _wrong_components(values)
    )


def _wrong_grading(values: dict[str, Any], grading: Grading) -> str | None:
    category, system = values["AECAT"], values["AEGRSYS"]
    name, _, version = system.partition(" ")
    if name == "CTCAE" and version != grading.ctcae:
        return f"AE.AEGRSYS: the study grades by CTCAE {grading.ctcae}, not {version}"
    expected = grading.system_of(category)
    if category in COMPONENTS and system != expected:
        return f"AE.AEGRSYS: {category} is graded by {expected} in this study, not by {system}"
    highest = HIGHEST.get(category, 5)
    if values["AETOXGR"] > highest:
        return f"AE.AETOXGR: {expected} has grades 1 to {highest}; record the death as a CTCAE event of grade 5 as well"
    if name == "CTCAE":
        try:
            check_grade(values["AEDECOD"], values["AETOXGR"], version)
        except ValueError as error:
            item = "AEDECOD" if str(error).startswith("term") else "AETOXGR"
            return f"AE.{item}: {error}"
    return None


def _wrong_dates(values: dict[str, Any]) -> str | None:
    start = datetime.fromisoformat(values["AESTDTC"])
    end = datetime.fromisoformat(values["AEENDTC"]) if values.get("AEENDTC") else None
    if end is not None and end < start:
        return f"AE.AEENDTC: the end {values['AEENDTC']} lies before the onset {values['AESTDTC']}"
    for item in ("AEIMPDTC", "AEGRDTC"):
        moment = datetime.fromisoformat(values[item]) if values.get(item) else None
        if moment is not None and (moment < start or (end is not None and moment > end)):
            return f"AE.{item}: {values[item]} lies outside the event"
    return None


def _wrong_seriousness(values: dict[str, Any]) -> str | None:
    """Serious needs a criterion, and a criterion makes serious; death and grade 5 go together."""
    named = [f"AE{ending}" for ending in SERIOUSNESS if values.get(f"AE{ending}") == "Y"]
    if values["AESER"] == "Y" and not named:
        criteria = ", ".join(f"AE{ending}" for ending in SERIOUSNESS)
        return f"AE.AESER: a serious event meets at least one criterion; answer Y to one of {criteria}"
    if values["AESER"] == "N" and named:
        return f"AE.AESER: {named[0]} is Y, which makes the event serious; AESER must be Y"
    return None


def _wrong_components(values: dict[str, Any]) -> str | None:
    for category, items in COMPONENTS.items():
        strange = [item for item in items if values.get(item) is not None and category != values["AECAT"]]
        if strange:
            return f"AE.{strange[0]}: belongs to events of category {category}, not {values['AECAT']}"
    return None
