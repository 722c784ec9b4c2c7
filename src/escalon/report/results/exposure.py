"""Parameters of CLLS52 and UCART22 as results."""

from collections.abc import Mapping

import polars as pl

from escalon.analysis.summary import summarise
from escalon.conduct.state import State
from escalon.protocol.study import Study
from escalon.report.ard import Rows
from escalon.report.results.groups import TOTAL, derive_people, level_labels

ORDER = (
    "CMAX",
    "TMAX",
    "AUC0_28",
    "AUC0_56",
    "AUC0_84",
    "AUCLST",
    "AUCIFO",
    "AUCPEO",
    "TAT",
    "CDAY0",
    "TLST",
    "LAMZHL",
    "CLO",
    "VZO",
    "ARAUC",
    "ARCMAX",
    "EXPRATE",
    "DOUBLING",
    "CONTRHL",
    "PERSDAYS",
)


def derive_parameters(adam: Mapping[str, pl.DataFrame], state: State, study: Study) -> pl.DataFrame:
    """Summary of the parameters of ``ORDER``, by level and in total; missing values are counted, by reason."""
    rows = Rows("parameters", "LEVEL", "ANALYTE")
    people = derive_people(adam).select("USUBJID", "LEVEL")
    frame = adam["ADPP"].drop("LEVEL", strict=False).join(people, on="USUBJID")
    for analyte in (study.pharmacokinetics.analyte, study.cell_kinetics.analyte):
        own = frame.filter(pl.col("ANALYTE") == analyte)
        present = set(own["PARAMCD"].to_list())
        for code in (code for code in ORDER if code in present):
            values = own.filter(pl.col("PARAMCD") == code)
            unit = values["AVALU"].drop_nulls().first() if values["AVALU"].count() else None
            for label in (*level_labels(study), TOTAL):
                members = values if label == TOTAL else values.filter(pl.col("LEVEL") == label)
                _add(rows, analyte, code, label, members["AVAL"].to_list(), unit)
            why = values.filter(pl.col("AVAL").is_null())["REASON"].fill_null("no reason recorded")
            for reason, n in (
                why.value_counts().sort(["count", "REASON"], descending=[True, False]).iter_rows()
            ):
                rows.add(code, reason, "not calculated", {"n": n}, TOTAL, analyte)
    return rows.frame()


def _add(
    rows: Rows, analyte: str, code: str, label: str, values: list[float | None], unit: str | None
) -> None:
    found = summarise(values)
    stats = {
        "n": found.n,
        "missing": found.n_missing,
        "mean": found.mean,
        "sd": found.sd,
        "geo_mean": found.geo_mean,
        "geo_cv": found.geo_cv,
        "median": found.median,
        "min": found.minimum,
        "max": found.maximum,
    }
    reason = "; ".join(sorted(set(found.reasons.values()))) or None
    rows.add(code, None, "continuous", stats, label, analyte, unit=unit, reason=reason)
