"""ADSL: one record per enrolled patient, with populations, baseline, dose, DLT status and end of study.

TRT01P and TRT01A are the label of the assigned dose level, planned and given; a patient who was not infused
has no TRT01A. A reduced dose stays at its level and is told by DOSEFR, so that tables agree with the counts
the escalation decided on. "Early" death, for the response-evaluable set, is one before so many response
visits were missed that follow-up would be broken (``missed_visits``).
"""

from datetime import date, timedelta

import polars as pl

from escalon.analysis.populations import derive_populations
from escalon.datasets.adam.assessments import Course, read_courses
from escalon.datasets.adam.dated_facts import deaths, first_after, last_alive, therapies
from escalon.datasets.adam.sources import Frames, Row, as_date, as_moment, by_patient, qualifiers
from escalon.datasets.spec import conform, load_spec
from escalon.protocol.study import Study

__all__ = ["derive_adsl"]

_FROM_DM = ("STUDYID", "USUBJID", "SUBJID", "SITEID", "AGE", "AGEU", "SEX", "RACE", "ETHNIC", "COUNTRY")
_FROM_SUPP = ("PART", "LDREGI", "PROCESS", "DLTSTAT", "DLTCLS", "DLTREAS")
_STUDY_ENDS = ("COMPLETED", "DEATH", "LOST TO FOLLOW-UP", "WITHDRAWAL BY SUBJECT", "NOT INFUSED")
_ALIASES = {"LDSTDT": "LDSDT", "CARTDT": "INFDT"}


def derive_adsl(sdtm: Frames, study: Study) -> pl.DataFrame:
    """Return ADSL from SDTM: DM, SUPPDM, EX, VS, RS, MH, PC, PR, CM, DS and SS."""
    sources = {name: by_patient(sdtm[name]) for name in ("EX", "VS", "RS", "PC", "DS", "MH")}
    trial, history = qualifiers(sdtm["SUPPDM"]), qualifiers(sdtm["SUPPMH"])
    causes = qualifiers(sdtm["SUPPDS"])
    courses, died, alive = read_courses(sdtm, study), deaths(sdtm), last_alive(sdtm)
    later = {"SCTDT": therapies(sdtm, "transplant"), "NEWTRTDT": therapies(sdtm, "new_therapy")}
    rows: list[Row] = []
    for dm in sdtm["DM"].iter_rows(named=True):
        usubjid = dm["USUBJID"]
        own = {name: rows_of.get(usubjid, []) for name, rows_of in sources.items()}
        row = {name: dm[name] for name in _FROM_DM}
        row |= _trial(trial.get((usubjid, ""), {}), study)
        row |= _dates(dm, own["EX"], study) | _baseline(own)
        row |= _history(own["MH"], {seq: v for (u, seq), v in history.items() if u == usubjid})
        row |= _concentrations(own["PC"], row["INFDTM"], study)
        row |= _status(own["DS"], died[usubjid].date if usubjid in died else None)
        row["DTHCAUS"] = next((causes[key]["DTHCAUS"] for key in causes if key[0] == usubjid), None)
        row["LSTALVDT"] = alive[usubjid].date if usubjid in alive else None
        row |= _response(courses.get(usubjid), row, study)
        for name, given in later.items():
            first = first_after(given.get(usubjid, []), row["INFDT"])
            row[name] = None if first is None else first.date
        row["TRT01A"] = row["TRT01P"] if row["INFDT"] else None
        row["TRT01AN"] = row["TRT01PN"] if row["INFDT"] else None
        rows.append(row)
    return _populations(rows)


def _populations(rows: list[Row]) -> pl.DataFrame:
    spec = load_spec("adam")["ADSL"]
    frame = conform(rows, spec)
    named = frame.with_columns(pl.col(name).alias(alias) for alias, name in _ALIASES.items())
    return conform(derive_populations(named).drop(*_ALIASES), spec).sort("USUBJID")


def _trial(values: Row, study: Study) -> Row:
    row: Row = {name: values.get(name) for name in _FROM_SUPP}
    row["COHORT"] = int(values["COHORT"])
    level = values.get("DOSELVL")
    row["DOSELVL"] = row["TRT01PN"] = None if level is None else int(level)
    row["TRT01P"] = None if level is None else study.dose_level(int(level)).label
    row["DOSEFR"] = None if values.get("DOSEFR") is None else float(values["DOSEFR"])
    row["ENRLDT"] = as_date(values.get("ENRLDTC"))
    row["DLTFL"] = {"DLT": "Y", "NO_DLT": "N"}.get(values.get("DLTSTAT", ""))
    return row


def _dates(dm: Row, doses: list[Row], study: Study) -> Row:
    def first(keep: tuple[str, ...]) -> str | None:
        return min((row["EXSTDTC"] for row in doses if row["EXTRT"] in keep), default=None)

    depleting = tuple(product.name for product in study.products if product.role == "lymphodepletion")
    infusion = first((study.cell_kinetics.analyte,))
    return {
        "ICDT": as_date(dm["RFICDTC"]),
        "LDSDT": as_date(first(depleting)),
        "CLLSDT": as_date(first((study.pharmacokinetics.analyte,))),
        "TRTSDT": as_date(dm["RFXSTDTC"]),
        "TRTEDT": as_date(dm["RFXENDTC"]),
        "INFDT": as_date(infusion),
        "INFDTM": as_moment(infusion),
    }


def _baseline(own: dict[str, list[Row]]) -> Row:
    """Weight, height and ECOG last seen on or before the first dose."""
    found = {row["VSTESTCD"]: row["VSSTRESN"] for row in own["VS"] if row["VSLOBXFL"] == "Y"}
    ecog = [row["RSSTRESN"] for row in own["RS"] if row["RSLOBXFL"] == "Y" and row["RSTESTCD"] == "ECOG101"]
    return {
        "WEIGHTBL": found.get("WEIGHT"),
        "HEIGHTBL": found.get("HEIGHT"),
        "ECOGBL": int(ecog[0]) if ecog else None,
    }


def _history(records: list[Row], values: dict[str, Row]) -> Row:
    found = values.get(str(records[0]["MHSEQ"]), {}) if records else {}
    return {
        "PRIORLIN": int(found["PRIORLIN"]) if "PRIORLIN" in found else None,
        "PRIORSCT": found.get("PRIORSCT"),
        "PRIORCD": found.get("PRIORCD"),
        "CD22PCT": float(found["CD22PCT"]) if "CD22PCT" in found else None,
    }


def _concentrations(samples: list[Row], infused: object, study: Study) -> Row:
    """Quantifiable CLLS52 samples after the first dose; UCART22 samples with any result after the
    infusion."""
    drug = [
        row
        for row in samples
        if row["PCTESTCD"] == study.pharmacokinetics.analyte
        and row["PCSTRESN"] is not None
        and row["PCRFTDTC"] is not None
        and row["PCDTC"] >= row["PCRFTDTC"]
    ]
    cells = [
        row
        for row in samples
        if row["PCTESTCD"] == study.cell_kinetics.analyte
        and row["PCSTRESC"] is not None
        and infused is not None
        and row["PCDTC"] > row["PCRFTDTC"]
    ]
    return {"NPKCONC": len(drug), "NCKCONC": len(cells)}


def _status(disposition: list[Row], death: date | None) -> Row:
    """End of study: the last disposition event counts, a release without infusion only when nothing else
    ended it."""
    ends = [(row["DSSTDTC"], row["DSDECOD"]) for row in disposition if row["DSDECOD"] in _STUDY_ENDS]
    final = [end for end in ends if end[1] != "NOT INFUSED"] or ends
    status: Row = {"DTHFL": "Y" if death else "N", "DTHDT": death, "EOSSTT": "ONGOING"}
    if death and not any(end[1] == "COMPLETED" for end in final):
        return status | {"EOSSTT": "DISCONTINUED", "EOSDT": death, "DCSREAS": "DEATH"}
    if not final:
        return status
    day, term = max(final)
    if term == "COMPLETED":
        return status | {"EOSSTT": "COMPLETED", "EOSDT": as_date(day)}
    return status | {"EOSSTT": "DISCONTINUED", "EOSDT": as_date(day), "DCSREAS": term}


def _response(course: Course | None, row: Row, study: Study) -> Row:
    if course is None:
        return {"BLDISFL": "N", "RSPASSFL": "N", "BLASTBL": None}
    last = study.response_visits[: study.time_to_event.missed_visits][-1].window[1]
    death = row["DTHDT"]
    early = death is not None and death <= course.infusion + timedelta(days=last)
    assessed = any(item.adequate for item in course.assessed)
    return {
        "BLDISFL": "Y" if course.disease_measured else "N",
        "RSPASSFL": "Y" if assessed or early else "N",
        "BLASTBL": course.baseline_blasts,
    }
