"""CLLS52 exposure against lymphocytes, expansion of UCART22, and response: rank correlations, for exploration."""

from collections.abc import Mapping

import polars as pl

from escalon.analysis.pk import exposure_response, nca
from escalon.conduct.state import State
from escalon.protocol.study import Study
from escalon.report.ard import Rows
from escalon.report.results.groups import derive_people

EXPOSURES: Mapping[str, str] = {
    "AUC0_28": "AUC to Day 28",
    "AUC0_56": "AUC to Day 56",
    "CDAY0": "Concentration at Day 0",
    "TAT": "Time above the lympholytic level",
}
OUTCOMES: Mapping[str, str] = {
    "LYMAUC": "Lymphocytes, area Day 0 to 28",
    "CMAX": "UCART22 Cmax",
    "CELLAUC": "UCART22 AUC to Day 28",
    "RESPONSE": "Best response counts (1 yes, 0 no)",
}
LAST_DAY = 28


def derive_exposed(adam: Mapping[str, pl.DataFrame], study: Study) -> pl.DataFrame:
    """One row per infused patient with CLLS52: the columns of ``EXPOSURES`` and ``OUTCOMES``, null where unknown."""
    people = derive_people(adam).filter((pl.col("SAFFL") == "Y") & (pl.col("PKFL") == "Y")).select("USUBJID")
    product, cells = study.pharmacokinetics.analyte, study.cell_kinetics.analyte
    for name in EXPOSURES:
        people = _with_parameter(people, adam, product, name, name)
    people = people.join(_lymphocytes(adam["ADLB"]), on="USUBJID", how="left", maintain_order="left")
    people = _with_parameter(people, adam, cells, "CMAX", "CMAX")
    people = _with_parameter(people, adam, cells, "AUC0_28", "CELLAUC")
    best = adam["ADRS"].filter((pl.col("PARAMCD") == "BOR") & (pl.col("RESPFL") == "Y"))["USUBJID"].to_list()
    return people.with_columns(RESPONSE=pl.col("USUBJID").is_in(best).cast(pl.Float64))


def _with_parameter(
    people: pl.DataFrame, adam: Mapping[str, pl.DataFrame], analyte: str, code: str, name: str
) -> pl.DataFrame:
    own = adam["ADPP"].filter((pl.col("ANALYTE") == analyte) & (pl.col("PARAMCD") == code))
    values = own.select("USUBJID", pl.col("AVAL").alias(name))
    return people.join(values, on="USUBJID", how="left", maintain_order="left")


def _lymphocytes(adlb: pl.DataFrame) -> pl.DataFrame:
    """Area of the counts from the infusion to day 28; none where they stop before it."""
    counts = adlb.filter((pl.col("PARAMCD") == "LYM") & (pl.col("ARDY") >= 0) & pl.col("AVAL").is_not_null())
    daily = counts.group_by("USUBJID", "ARDY").agg(pl.col("AVAL").mean()).sort("USUBJID", "ARDY")
    rows = []
    for (who,), own in daily.group_by("USUBJID", maintain_order=True):
        span = (0.0, float(LAST_DAY))
        result = nca(own["ARDY"], own["AVAL"], method="linear", partial=[span], tail="all")
        area = result.value("AUCINT", span) if float(own["ARDY"].max()) >= LAST_DAY else None  # type: ignore[arg-type]
        rows.append((who, area))
    schema = {"USUBJID": pl.String, "LYMAUC": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def derive_relations(adam: Mapping[str, pl.DataFrame], state: State, study: Study) -> pl.DataFrame:
    """Spearman correlation of every exposure with every outcome."""
    rows = Rows("relations", "EXPOSURE")
    table = exposure_response(derive_exposed(adam, study), tuple(EXPOSURES), tuple(OUTCOMES))
    for row in table.iter_rows(named=True):
        stats = {
            "n": row["n"], "rho": row["correlation"], "conf.low": row["low"], "conf.high": row["high"],
        }  # fmt: skip
        rows.add(row["outcome"], None, "rank correlation", stats, row["exposure"], reason=row["reason"])
    return rows.frame()
