"""ADAE: adverse events with analysis dates, recorded and derived grades, emergence, relation and expectedness.

Related means possible or above in the higher view of investigator and sponsor. TRTEMUC, TRTEMCL, TRTEMFLU and TRTEMCY:
the event starts, or gets worse, on or after the patient's own first dose of that product (a moment is compared as a
moment, a date as a date). TRTEMFL is that of the cells, LDEMFL any of the others. ARDY counts days from the infusion,
day 0.

ATOXGRN is the recorded grade, ADRVGR the one derived from the components or, for terms with a laboratory rule, from
the results taken during the event; AWORSTGR is the worse of the two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import polars as pl

from escalon.conduct.derived_grades import derive_grade
from escalon.conduct.opinions import CAUSES, PRODUCTS, SponsorView, judge_relations, judge_serious
from escalon.criteria.relatedness import Relatedness
from escalon.criteria.result import Grade
from escalon.criteria.seriousness import ReferenceSafetyInformation, judge_emergence, judge_expectedness
from escalon.datasets.adam.sources import (
    Frames,
    Row,
    as_date,
    as_moment,
    by_patient,
    days_between,
    finish,
    qualifiers,
)
from escalon.datasets.spec import load_spec
from escalon.protocol.study import Study

__all__ = ["derive_adae"]

SPECIAL = ("CRS", "ICANS", "GVHD", "INFECTION", "INFUSION REACTION", "IEC-HS", "TLS", "CYTOPENIA")
"""Categories of special interest (assumption of the platform)."""
EMERGENT = {"UC": "TRTEMUC", "CL": "TRTEMCL", "FL": "TRTEMFLU", "CY": "TRTEMCY"}
"""Flag of emergence by the ending of the product's items."""
REFERENCED = ("UC", "CL")
"""Products with a reference safety information of their own."""
TEXT = 200


@dataclass(frozen=True, slots=True)
class _Context:
    """What the events of all patients are read against."""

    study: Study
    references: tuple[ReferenceSafetyInformation, ...]
    laboratory: Mapping[str, Sequence[Row]]
    laboratory_terms: frozenset[str]


def derive_adae(sdtm: Frames, adsl: pl.DataFrame, adlb: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Return ADAE: every record of AE with the keys of ADSL."""
    extra = qualifiers(sdtm["SUPPAE"])
    doses = by_patient(sdtm["EX"])
    people = {row["USUBJID"]: row for row in adsl.iter_rows(named=True)}
    kept = [name for name in sdtm["AE"].columns if name in load_spec("adam")["ADAE"].schema]
    graded = by_patient(adlb.filter(pl.col("ATOXTERM").is_not_null()))
    context = _Context(study, study.safety_references, graded, frozenset(study.grading.laboratory_terms()))
    rows = []
    for ae in sdtm["AE"].iter_rows(named=True):
        usubjid = ae["USUBJID"]
        given = extra.get((usubjid, str(ae["AESEQ"])), {})
        row = {name: ae[name] for name in kept} | _timing(ae, people[usubjid])
        row |= _grade(ae | given, context) | _emergence(ae, given, doses.get(usubjid, []))
        judged = _judge(ae, given)
        rows.append(row | _relation(ae, given, judged) | _expectedness(row, judged, context))
    return finish("ADAE", rows, adsl, ("AESEQ",))


def _emergence(ae: Row, given: Row, doses: Sequence[Row]) -> Row:
    firsts = {
        product: min((row["EXSTDTC"] for row in doses if row["EXTRT"] == product), default=None)
        for product in PRODUCTS.values()
    }
    texts = {"onset": ae["AESTDTC"], "worse": given.get("AEGRDTC"), **firsts}
    days = _on_one_axis(texts)
    found = judge_emergence(days["onset"], {name: days[name] for name in firsts}, days["worse"])
    flags: Row = {
        EMERGENT[ending]: "Y" if found[product].holds else "N" for ending, product in PRODUCTS.items()
    }
    others = [flags[name] for name in flags if name != EMERGENT["UC"]]
    return flags | {"TRTEMFL": flags[EMERGENT["UC"]], "LDEMFL": "Y" if "Y" in others else "N"}


def _on_one_axis(texts: Mapping[str, str | None]) -> dict[str, float | None]:
    """ISO texts as days on one axis: moments to the second, unless one of them is only a date."""
    known = {name: text for name, text in texts.items() if text is not None}
    if any(len(text) <= 10 for text in known.values()):
        days = {name: float(date.fromisoformat(text[:10]).toordinal()) for name, text in known.items()}
    else:
        moments = {name: datetime.fromisoformat(text).replace(tzinfo=UTC) for name, text in known.items()}
        days = {name: moment.timestamp() / 86400 for name, moment in moments.items()}
    return {name: days.get(name) for name in texts}


def _timing(ae: Row, person: Row) -> Row:
    start, end = as_date(ae["AESTDTC"]), as_date(ae["AEENDTC"])
    days = days_between(start, end)
    return {
        "ASTDT": start,
        "ASTDTM": as_moment(ae["AESTDTC"]),
        "AENDT": end,
        "AENDTM": as_moment(ae["AEENDTC"]),
        "ASTDY": ae["AESTDY"],
        "AENDY": ae["AEENDY"],
        "ARDY": days_between(person["INFDT"], start),
        "AEDUR": None if days is None else float(days + 1),
    }


def _grade(event: Row, context: _Context) -> Row:
    """The recorded grade, the derived one with clause and reasons, and whether they agree."""
    recorded = int(event["AETOXGR"])
    derived = derive_grade(event) or _by_laboratory(event, context)
    row: Row = {"ATOXGRN": recorded, "AEGRSYS": event.get("AEGRSYS"), "AWORSTGR": recorded}
    if derived is None:
        return row
    return row | {
        "ADRVGR": derived.grade,
        "ADRVSYS": f"{derived.system} {derived.version}",
        "ADRVCLS": derived.clause[:TEXT],
        "ADRVRS": "; ".join(derived.reasons)[:TEXT] or None,
        "ADRVAGFL": None if derived.grade is None else "Y" if derived.grade == recorded else "N",
        "AWORSTGR": max(recorded, derived.grade or 0),
    }


def _by_laboratory(event: Row, context: _Context) -> Grade | None:
    """The worst grade of the results taken during the event; None for a term without a laboratory rule."""
    term, version = event["AEDECOD"], context.study.grading.ctcae
    if term not in context.laboratory_terms:
        return None
    start, end = as_moment(event["AESTDTC"]), as_moment(event["AEENDTC"])
    taken = [
        row
        for row in context.laboratory.get(event["USUBJID"], [])
        if row["ATOXTERM"] == term
        and row["ADTM"] is not None
        and (start is None or row["ADTM"] >= start)
        and (end is None or row["ADTM"] <= end)
    ]
    known = [row for row in taken if row["ATOXGR"] is not None]
    if not known:
        why = taken[0]["REASON"] if taken else "no result of this test was taken during the event"
        return Grade(None, "not gradable", (why,), "CTCAE", version)
    worst = max(known, key=lambda row: row["ATOXGR"])
    value = f"{worst['AVAL']:g} {worst['AVALU']} on {worst['ADT'].isoformat()}"
    return Grade(
        worst["ATOXGR"],
        f"worst of {len(known)} results: {value}",
        (f"LBSEQ {worst['SRCSEQ']}",),
        "CTCAE",
        version,
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """Both views of one event, joined."""

    relations: Mapping[str, Relatedness]
    serious: bool
    assessed: bool


def _judge(ae: Row, given: Row) -> _Judged:
    own = ae | given | {"AERELUC": ae["AEREL"]}
    causality = {
        cause: given[f"SREL{ending}"] for ending, cause in CAUSES.items() if given.get(f"SREL{ending}")
    }
    serious = tuple(code for code in (given.get("SSERCRIT") or "").split(", ") if code)
    sponsor = SponsorView(causality, serious)
    either = ae["AESER"] == "Y" or bool(judge_serious(own, sponsor).holds)
    return _Judged(judge_relations(own, sponsor), either, bool(causality))


def _relation(ae: Row, given: Row, judged: _Judged) -> Row:
    row: Row = {
        f"REL{ending}": None
        if cause not in judged.relations
        else "Y"
        if judged.relations[cause].related
        else "N"
        for ending, cause in CAUSES.items()
    }
    row |= {f"SREL{ending}": given.get(f"SREL{ending}") for ending in PRODUCTS}
    views = judged.relations.values()
    differ = any(one.sponsor is not None and one.sponsor != one.investigator for one in views)
    row["RELDIFFL"] = None if not judged.assessed else "Y" if differ else "N"
    row["RELLD"] = "Y" if "Y" in (row["RELCL"], row["RELFL"], row["RELCY"]) else "N"
    special = ae["AECAT"] in SPECIAL
    return row | {
        "AERELDS": given.get("AERELDS"),
        "AEEXPLD": given.get("AEEXPLD"),
        "ANYSER": "Y" if judged.serious else "N",
        "AESIFL": "Y" if special else "N",
        "AESICAT": ae["AECAT"] if special else None,
        "SRCDOM": "AE",
        "SRCSEQ": ae["AESEQ"],
    }


def _expectedness(row: Row, judged: _Judged, context: _Context) -> Row:
    """Expected or not for each product with a reference, at the worse grade, by the version in force at onset."""
    suspected, found = False, {}
    for ending in REFERENCED:
        product = PRODUCTS[ending]
        answer = judge_expectedness(
            row["AEDECOD"], row["AWORSTGR"], product, row["ASTDT"], context.references
        )
        found[f"EXP{ending}"] = "Y" if answer.holds else "N"
        found[f"EXP{ending}RS"] = "; ".join((answer.clause, *answer.reasons))[:TEXT]
        suspected = suspected or (not answer.holds and judged.relations[product].related)
    return found | {"SUSARFL": "Y" if judged.serious and suspected else "N"}
