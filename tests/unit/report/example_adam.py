"""ADaM frames for the patients of ``example``: plausible shapes, no model."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl

from tests.unit.report.example import make_fates, make_generator, make_patient
from tests.unit.report.example_course import LABELS, Course, infusion, keys
from tests.unit.report.example_findings import make_adlb, make_adpc, make_adpp

VISITS = {
    "D28": 28,
    "D56": 56,
    "D84": 84,
    "M3": 91,
    "M6": 183,
    "M9": 274,
    "M12": 365,
    "M15": 457,
    "M18": 548,
    "M21": 639,
    "M24": 731,
}
EVENTS = (
    ("Cytokine release syndrome", "Immune system disorders", "CRS", 3, 0.45, (0.5, 0.35, 0.12, 0.03), "UC"),
    (
        "Immune effector cell-associated neurotoxicity syndrome",
        "Nervous system disorders",
        "ICANS",
        6,
        0.12,
        (0.7, 0.2, 0.1, 0),
        "UC",
    ),
    ("Graft versus host disease", "Immune system disorders", "GVHD", 24, 0.08, (0.6, 0.3, 0.1, 0), "UC"),
    (
        "Febrile neutropenia",
        "Blood and lymphatic system disorders",
        "CYTOPENIA",
        2,
        0.45,
        (0, 0, 0.9, 0.1),
        "LD",
    ),
    ("Platelet count decreased", "Investigations", "CYTOPENIA", -2, 0.6, (0.1, 0.2, 0.3, 0.4), "LD"),
    ("Neutrophil count decreased", "Investigations", "CYTOPENIA", -1, 0.7, (0, 0.1, 0.3, 0.6), "LD"),
    (
        "Cytomegalovirus infection",
        "Infections and infestations",
        "INFECTION",
        30,
        0.25,
        (0.2, 0.5, 0.3, 0),
        "LD",
    ),
    ("Sepsis", "Infections and infestations", "INFECTION", 15, 0.12, (0, 0, 0.4, 0.6), "LD"),
    ("Nausea", "Gastrointestinal disorders", "GENERAL", -3, 0.5, (0.6, 0.35, 0.05, 0), "LD"),
    (
        "Infusion related reaction",
        "Injury, poisoning and procedural complications",
        "INFUSION REACTION",
        -4,
        0.3,
        (0.5, 0.4, 0.1, 0),
        "LD",
    ),
    ("Headache", "Nervous system disorders", "GENERAL", 5, 0.3, (0.7, 0.3, 0, 0), "NO"),
)


def make_adsl(courses: Iterable[Course]) -> pl.DataFrame:
    """One row per enrolled patient."""
    rows = []
    for course in courses:
        fate, zero = course.fate, infusion(course.fate)
        infused = fate.infused is not None
        flag = "Y" if infused else "N"
        relation = {"N": ("Y", None), "T": ("Y", None), "E": ("N", "Left before Day 28 without DLT")}
        evaluable, why = relation.get(fate.code, ("N", "Not infused"))
        rows.append(
            keys(fate)
            | {
                "STUDYID": "BALLI-01",
                "SUBJID": fate.patient,
                "SITEID": make_patient(fate).site,
                "AGE": course.age,
                "SEX": "F" if int(course.weight) % 2 else "M",
                "RACE": "WHITE",
                "ETHNIC": "NOT HISPANIC OR LATINO",
                "COUNTRY": "USA",
                "WEIGHTBL": course.weight,
                "HEIGHTBL": 170.0,
                "TRT01P": LABELS[fate.level],
                "TRT01PN": fate.level,
                "TRT01AN": fate.level if infused else None,
                "ICDT": zero - timedelta(days=16),
                "LDSDT": zero - timedelta(days=5),
                "TRTSDT": zero - timedelta(days=5),
                "INFDT": zero if infused else None,
                "DOSEFR": 0.98 if infused else None,
                "ENRLFL": "Y",
                "DLTEVLFL": evaluable,
                "DLTEVLRS": why,
                "SAFRS": None if infused else "no UCART22 infusion",
                "RSPEVLFL": flag,
                "RSPEVLRS": None if infused else "no UCART22 infusion",
                "PKFL": "Y" if fate.cohort > 2 else "N",
                "PKRS": None if fate.cohort > 2 else "no CLLS52 dose",
                "CKFL": flag,
                "DLTSTAT": make_patient(fate).dlt_status.value,
                "DLTFL": "Y" if fate.code == "T" else "N",
                "DLTCLS": "2" if fate.code == "T" else None,
                "PRIORLIN": 3,
                "PRIORSCT": "N",
                "PRIORCD": "Y",
                "BLASTBL": float(20 + course.age % 60),
                "DTHFL": "Y" if course.dead and infused else "N",
                "DTHDT": zero + timedelta(days=course.death) if course.dead and infused else None,
                "DTHCAUS": "DISEASE PROGRESSION" if course.dead and infused else None,
                "EOSSTT": "DISCONTINUED" if course.dead or not infused else "COMPLETED",
                "EOSDT": zero + timedelta(days=course.last),
                "LSTALVDT": zero + timedelta(days=course.last),
                "SCTDT": zero + timedelta(days=course.hsct) if course.hsct else None,
                "NEWTRTDT": zero + timedelta(days=course.newtrt) if course.newtrt else None,
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None)


def make_adae(courses: Iterable[Course], rng: np.random.Generator) -> pl.DataFrame:
    """Adverse events with relations and flags."""
    rows: list[dict[str, Any]] = []
    for course in courses:
        zero = infusion(course.fate)
        for sequence, (term, system, category, day, chance, grades, kind) in enumerate(EVENTS, start=1):
            onset = day + int(rng.integers(0, 4))
            grade = int(rng.choice([1, 2, 3, 4], p=grades))
            if rng.random() > chance or (course.fate.infused is None and onset >= 0):
                continue
            if term == "Sepsis" and course.death == 24:
                grade = 5
            uc, ld = ("Y" if kind == "UC" else "N"), ("Y" if kind == "LD" else "N")
            serious = "Y" if grade >= 4 or (category in ("CRS", "INFECTION") and grade == 3) else "N"
            start = zero + timedelta(days=onset)
            rows.append(
                keys(course.fate)
                | {
                    "AESEQ": sequence,
                    "AETERM": term.lower(),
                    "AEDECOD": term,
                    "AEBODSYS": system,
                    "AECAT": category,
                    "AESER": serious,
                    "ANYSER": serious,
                    "AESDTH": "Y" if grade == 5 else "N",
                    "AEOUT": "FATAL" if grade == 5 else "RECOVERED/RESOLVED",
                    "ATOXGRN": grade,
                    "AETOXGR": str(grade),
                    "ASTDT": start,
                    "AENDT": start + timedelta(days=4 + sequence),
                    "ASTDY": onset + 6,
                    "ARDY": onset,
                    "TRTEMFL": "Y" if onset >= 0 else "N",
                    "LDEMFL": "Y" if onset >= -5 else "N",
                    "RELUC": uc,
                    "RELLD": ld,
                    "RELCL": ld,
                    "RELFL": ld,
                    "RELCY": ld,
                    **_derived(category, grade),
                    "AESICAT": category if category not in ("GENERAL", "CYTOPENIA") else None,
                    "AEDUR": 5 + sequence,
                    "SRCSEQ": sequence,
                }
            )
    return pl.DataFrame(rows, infer_schema_length=None)


def _derived(category: str, grade: int) -> dict[str, Any]:
    """A derived grade for CRS and ICANS; CRS of grade 2 is derived one higher, ICANS of grade 3 is not gradable."""
    if category not in ("CRS", "ICANS"):
        return dict.fromkeys(("ADRVGR", "ADRVSYS", "ADRVCLS", "ADRVRS", "ADRVAGFL")) | {"AWORSTGR": grade}
    missing = (category, grade) == ("ICANS", 3)
    derived = None if missing else grade + ((category, grade) == ("CRS", 2))
    return {
        "ADRVGR": derived,
        "ADRVSYS": f"ASTCT {category} 2019",
        "ADRVCLS": "not gradable" if missing else "one vasopressor, with or without vasopressin",
        "ADRVRS": "ICE score not done" if missing else None,
        "ADRVAGFL": None if missing else "Y" if derived == grade else "N",
        "AWORSTGR": max(grade, derived or 0),
    }


def make_adicaht(courses: Iterable[Course]) -> pl.DataFrame:
    """Hematotoxicity grades, four rows for each infused patient."""
    rows = [
        keys(course.fate)
        | {"PARAMCD": code, "AVAL": None if place == 3 and number % 3 == 0 else float((number + place) % 5)}
        for number, course in enumerate(courses)
        if course.fate.infused is not None
        for place, code in enumerate(("ICAHTE", "ICAHTL", "TICAHTE", "TICAHTL"))
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def response_at(course: Course, day: int) -> str:
    """Response the example gives on a day."""
    if course.responds:
        if day >= course.relapse:
            return "RELAPSE"
        if day < 40 and int(course.fate.patient) % 3 == 0:
            return "PR"
        return "MLFS" if day < 40 and course.best != "CR" else course.best
    return "NR" if day < course.relapse else "PD"


def make_adrs(courses: Iterable[Course]) -> pl.DataFrame:
    """Response per visit, best overall response and MRD."""
    rows: list[dict[str, Any]] = []
    for course in courses:
        if course.fate.infused is None:
            continue
        zero, stopped, sequence = infusion(course.fate), False, 0
        for number, (visit, day) in enumerate(VISITS.items(), start=1):
            if stopped or day > course.last or (visit == "M3" and int(course.fate.patient) % 4):
                continue
            sequence += 1
            value = response_at(course, day)
            stopped = value in ("PD", "RELAPSE")
            row = keys(course.fate) | {
                "PARAMCD": "OVRLRESP",
                "PARAM": "Overall response",
                "AVALC": value,
                "AVAL": None,
                "ADT": zero + timedelta(days=day),
                "ARDY": day,
                "AVISIT": visit,
                "AVISITN": number,
                "ANL01FL": "Y",
                "RESPFL": "Y" if value in ("CR", "CRi", "MLFS") else "N",
                "SRCDOM": "RS",
                "SRCSEQ": sequence,
            }
            mrd = "NEGATIVE" if value == "CR" else "POSITIVE" if number % 5 else "NOT_EVALUABLE"
            rows.append(row | {"MRD": mrd})
        if sequence:
            best = course.best if any(r["RESPFL"] == "Y" for r in rows[-sequence:]) else "NR"
            rows.append(
                rows[-1]
                | {
                    "PARAMCD": "BOR",
                    "PARAM": "Best overall response",
                    "AVALC": best,
                    "AVISIT": None,
                    "RESPFL": "Y" if best != "NR" else "N",
                }
            )
    return pl.DataFrame(rows, infer_schema_length=None, schema_overrides={"AVAL": pl.Float64})


RULES = {"Allogeneic transplant as competing event": "TRANSPLANT_EVENT"}


def make_adtte(courses: Iterable[Course]) -> pl.DataFrame:
    """Time-to-event rows in days."""
    rows: list[dict[str, Any]] = []
    for course in courses:
        if course.fate.infused is None:
            continue
        first = next((d for d in VISITS.values() if response_at(course, d) in ("CR", "CRi", "MLFS")), None)
        stop = min(course.relapse, course.death)
        if course.hsct and course.hsct < stop:
            ends = (course.hsct - 10, 3, None, "Last adequate assessment before the transplant")
        elif stop <= 731:
            ends = (stop, 0, "PROGRESSION" if stop == course.relapse else "DEATH", None)
        else:
            ends = (731, 1, None, "Month 24")
        died = (
            course.last,
            0 if course.dead else 1,
            "DEATH" if course.dead else None,
            None if course.dead else "Alive",
        )
        plain = (min(stop, 731), 0 if stop <= 731 else 1, "PROGRESSION", None)
        entries = [("PFS", 5, ends), ("OS", 5, died), ("PFSS", 5, plain), ("PFSI", 0, ends), ("OSI", 0, died)]
        if course.responds and first is not None and first < ends[0] + 1:
            cut = course.hsct and course.hsct < stop
            competing = (course.hsct, 0, "Allogeneic transplant as competing event", None) if cut else plain
            entries += [("DOR", -first, ends), ("DORS", -first, plain), ("DORC", -first, competing)]
        for code, shift, (day, cnsr, event, censor) in entries:
            days = float(max(day + shift, 0))
            rows.append(
                keys(course.fate)
                | {
                    "PARAMCD": code,
                    "AVAL": days,
                    "AVALM": days / 30.4375,
                    "AVALU": "DAYS",
                    "CNSR": cnsr,
                    "EVNTDESC": event,
                    "CNSDTDSC": censor,
                    "ADT": infusion(course.fate) + timedelta(days=day),
                    "RULEID": RULES.get(event, "LAST_ASSESSMENT" if cnsr else event),
                    "SENTENCE": f"{code} on a day, {days:g} days: {event or censor} (RULE, RS.RSDTC RSSEQ 1)",
                }
            )
    return pl.DataFrame(rows, infer_schema_length=None)


def make_adam() -> dict[str, pl.DataFrame]:
    """All frames, keyed as the pipeline keys them."""
    rng = make_generator()
    courses = [Course(fate, rng) for fate in make_fates()]
    return {
        "ADSL": make_adsl(courses),
        "ADAE": make_adae(courses, rng),
        "ADRS": make_adrs(courses),
        "ADTTE": make_adtte(courses),
        "ADPC": make_adpc(courses, rng),
        "ADPP": make_adpp(courses, rng),
        "ADLB": make_adlb(courses, rng),
        "ADICAHT": make_adicaht(courses),
    }
