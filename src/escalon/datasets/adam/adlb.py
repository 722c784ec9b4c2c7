"""ADLB: laboratory panels by visit with baseline, normal range and CTCAE grade of the study's version.

Grades come from ``criteria.ctcae`` on the value, the limits of LB and the baseline; parameters without a
CTCAE term have none. Of a disease assessment the counts that no panel has enter too (blasts in marrow and blood,
marrow cells and cellularity); its neutrophils and platelets stay in LB, so that no parameter mixes the two. Of several
results of a parameter at a visit, ANL01FL marks the one nearest to its day (at equal distance the later).
"""

from functools import cache

import numpy as np
import polars as pl

from escalon.criteria.ctcae import grade_labs
from escalon.datasets.adam.sources import KEYS, Frames
from escalon.datasets.sdtm.lb import ASSESSMENT
from escalon.datasets.sdtm.subject import UNSCHEDULED
from escalon.datasets.spec import conform, load_spec, load_table
from escalon.protocol.study import Study

__all__ = ["derive_adlb"]

_COPIED = {
    "LBTESTCD": "PARAMCD",
    "LBCAT": "PARCAT1",
    "LBSTRESN": "AVAL",
    "LBSTRESU": "AVALU",
    "LBDY": "ADY",
    "LBSTNRLO": "ANRLO",
    "LBSTNRHI": "ANRHI",
    "LBNRIND": "ANRIND",
    "LBLOBXFL": "ABLFL",
    "LBSEQ": "SRCSEQ",
}


@cache
def _codes() -> dict[str, str]:
    """Test code of each item of the laboratory form."""
    return {row["form_item"]: row["testcd"] for row in load_table("laboratory.csv")}


@cache
def _assessed() -> tuple[str, ...]:
    """Tests of a disease assessment that no laboratory panel has."""
    panel = set(_codes().values())
    return tuple(row["testcd"] for row in load_table("assessment.csv") if row["testcd"] not in panel)


def _terms(study: Study) -> dict[str, str]:
    """CTCAE term of each test in the study's version; tests without one are left out."""
    return {_codes()[row.item]: term for term, row in study.grading.laboratory_terms().items()}


def derive_adlb(sdtm: Frames, adsl: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Return ADLB: every panel result of LB, and what only disease assessments count."""
    spec = load_spec("adam")["ADLB"]
    entering = (pl.col("LBCAT") != ASSESSMENT) | pl.col("LBTESTCD").is_in(_assessed())
    frame = (
        sdtm["LB"]
        .filter(entering)
        .rename(_COPIED)
        .join(adsl.select(*KEYS, "INFDT").drop("STUDYID"), on="USUBJID")
    )
    moment = pl.col("LBDTC").str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False, time_unit="us")
    unit = pl.when(pl.col("AVALU").is_not_null()).then(" (" + pl.col("AVALU") + ")").otherwise(pl.lit(""))
    frame = frame.with_columns(
        PARAM=pl.col("LBTEST") + unit,
        ADT=pl.col("LBDTC").str.slice(0, 10).str.to_date(),
        ADTM=moment.dt.replace_time_zone("UTC"),
        SRCDOM=pl.lit("LB"),
        SRCVAR=pl.lit("LBSTRESN"),
    )
    frame = frame.with_columns(ARDY=(pl.col("ADT") - pl.col("INFDT")).dt.total_days())
    frame = _visits(frame, study)
    frame = _baseline(frame)
    frame = _grades(frame, study)
    columns = [name for name in frame.columns if name in spec.schema]
    return conform(frame.select(columns), spec).sort("USUBJID", "PARAMCD", "ADT", "SRCSEQ")


def _visits(frame: pl.DataFrame, study: Study) -> pl.DataFrame:
    visits = pl.DataFrame(
        {
            "AVISITN": [float(place) for place in range(1, len(study.visits) + 1)],
            "AVISIT": [visit.id for visit in study.visits],
            "_day": [visit.day for visit in study.visits],
        }
    )
    frame = frame.rename({"VISITNUM": "AVISITN"}).join(visits, on="AVISITN", how="left")
    distance = (pl.col("ARDY") - pl.col("_day")).abs()
    order = pl.struct(distance.fill_null(0), -pl.col("SRCSEQ")).rank("ordinal")
    first = order.over("USUBJID", "PARAMCD", "AVISITN") == 1
    return frame.with_columns(
        AVISIT=pl.col("AVISIT").fill_null(UNSCHEDULED),
        ANL01FL=pl.when(first & pl.col("AVISITN").is_not_null()).then(pl.lit("Y")),
    )


def _baseline(frame: pl.DataFrame) -> pl.DataFrame:
    base = frame.filter(ABLFL="Y").select("USUBJID", "PARAMCD", BASE="AVAL")
    frame = frame.join(base, on=["USUBJID", "PARAMCD"], how="left", maintain_order="left")
    return frame.with_columns(
        CHG=pl.when(pl.col("ABLFL").is_null() & (pl.col("ADY") > 0)).then(pl.col("AVAL") - pl.col("BASE"))
    )


def _grades(frame: pl.DataFrame, study: Study) -> pl.DataFrame:
    terms, version = _terms(study), study.grading.ctcae
    grade: list[int | None] = [None] * frame.height
    reason: list[str | None] = [None] * frame.height
    for code, term in terms.items():
        places = np.flatnonzero((frame["PARAMCD"] == code).to_numpy())
        for unit in frame[places]["AVALU"].unique().sort() if places.size else ():
            own = places[(frame[places]["AVALU"] == unit).to_numpy()]
            part = frame[own]
            numbers = [part[name].cast(pl.Float64).to_numpy() for name in ("AVAL", "ANRLO", "ANRHI", "BASE")]
            found = grade_labs(term, numbers[0], unit, *numbers[1:], version=version)
            for place, value, why in zip(own, found.grade, found.reason, strict=True):
                grade[place] = None if value < 0 else int(value)
                reason[place] = why or None
    return frame.with_columns(
        pl.Series("ATOXGR", grade, dtype=pl.Int64),
        pl.Series("REASON", reason, dtype=pl.String),
        ATOXTERM=pl.col("PARAMCD").replace_strict(terms, default=None, return_dtype=pl.String),
        ATOXVER=pl.lit(f"CTCAE {version}"),
    )
