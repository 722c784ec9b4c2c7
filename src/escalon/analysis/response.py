"""Response rates: at each visit, to date, best overall, and free of measurable residual disease.

Status at the visit and best to date are two tables, never merged. A patient counts once in any numerator. In the
population of the table a visit that was due and has no assessment, or one that could not be evaluated, is no
response; a visit not yet due (after the data cut-off) is left out of numerator and denominator. One marrow never
counts at two visits: a shared assessment has to be left out or is an error.
"""

from collections.abc import Mapping, Sequence

import polars as pl

from escalon.analysis.groups import check_columns, group_patients
from escalon.analysis.proportion import PROPORTION_METHODS, proportion

__all__ = [
    "PROPORTION_METHODS",
    "RESPONDERS",
    "mrd_rates",
    "proportion",
    "response_by_visit",
    "response_categories",
    "response_rates",
]

RESPONDERS = ("CR", "CRi", "MLFS")
"""Numerator that agrees with the published rates of the reference study; a parameter everywhere."""

NOT_EVALUABLE = ("NE", "NE_APLASTIC", "INDETERMINATE")


def response_by_visit(
    adrs: pl.DataFrame,
    adsl: pl.DataFrame,
    visits: Sequence[str],
    by: str = "TRT01A",
    responders: Sequence[str] = RESPONDERS,
    population: str | None = "SAFFL",
    due: pl.DataFrame | None = None,
    to_date: bool = False,
    levels: Sequence[str] | None = None,
    total: str | None = "Total",
    method: str = "clopper-pearson",
    conf_level: float = 0.95,
    flag: str | None = None,
    closes: Mapping[str, int] | None = None,
) -> pl.DataFrame:
    """Response rate at each visit, or (``to_date``) of patients with a response at that visit or an earlier one.

    ``adrs``: USUBJID, AVISIT, AVALC, one row per patient and visit; ``visits`` in time order; ``due``: USUBJID,
    AVISIT of the visits already due (default: all). A responder has AVALC in ``responders``, or "Y" in the column
    ``flag`` where one is named (a response after a transplant may not count). Rows of other visits are ignored,
    unless ``closes`` gives the last day of every visit: then they count to date from their day (column ARDY) on.
    Columns returned: group, AVISIT, n_population, n_due, n_assessed, n_not_evaluable, n_missing, n_responders,
    fraction, low, high; the denominator is n_due. Raises ValueError for two rows of one patient at a visit and,
    where ``adrs`` has SRCSEQ, for one source record at two visits.
    """
    columns = ["USUBJID", "AVISIT", "AVALC", *([flag] if flag else []), *(["ARDY"] if closes else [])]
    check_columns("adrs", adrs, columns)
    people, sizes = group_patients(adsl, by, population, levels, total)
    responds = pl.col("AVALC").is_in(list(responders)) if flag is None else pl.col(flag) == "Y"
    known = adrs.filter(pl.col("AVALC").is_not_null()).with_columns(_responds=responds.fill_null(False))
    seen = known.filter(pl.col("AVISIT").is_in(list(visits)))
    _check_once(seen)
    expected = due if due is not None else people.select("USUBJID").unique().join(_frame(visits), how="cross")
    expected = expected.select("USUBJID", "AVISIT").unique().filter(pl.col("AVISIT").is_in(list(visits)))
    own = seen.select("USUBJID", "AVISIT", "AVALC", "_responds")
    status = expected.join(own, on=["USUBJID", "AVISIT"], how="left").with_columns(
        responder=pl.col("_responds").fill_null(False),
        not_evaluable=pl.col("AVALC").is_in(NOT_EVALUABLE).fill_null(False),
        missing=pl.col("AVALC").is_null(),
    )
    if to_date:
        status = _to_date(status, pl.concat([seen, _placed(known, visits, closes)]), visits)
    counts = status.join(people, on="USUBJID").group_by("group", "AVISIT").agg(
        n_due=pl.len(), n_missing=pl.col("missing").sum(), n_not_evaluable=pl.col("not_evaluable").sum(),
        n_responders=pl.col("responder").sum(),
    )  # fmt: skip
    frame = sizes.with_row_index("_g").join(_frame(visits).with_row_index("_v"), how="cross")
    table = frame.join(counts, on=["group", "AVISIT"], how="left").sort("_g", "_v")
    numbers = ("n_due", "n_missing", "n_not_evaluable", "n_responders")
    table = table.with_columns(pl.col(*numbers).fill_null(0).cast(pl.Int64))
    table = table.with_columns(n_assessed=pl.col("n_due") - pl.col("n_missing"))
    order = (
        "group",
        "AVISIT",
        "n_population",
        "n_due",
        "n_assessed",
        "n_not_evaluable",
        "n_missing",
        "n_responders",
    )
    return _with_rate(table.select(order), "n_responders", "n_due", method, conf_level)


def _frame(visits: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame({"AVISIT": list(visits)}, schema={"AVISIT": pl.String})


def _check_once(seen: pl.DataFrame) -> None:
    twice = seen.filter(pl.struct("USUBJID", "AVISIT").is_duplicated())
    if twice.height:
        row = twice.row(0, named=True)
        raise ValueError(
            f"adrs has two rows for {row['USUBJID']} at {row['AVISIT']}: one assessment per visit is expected"
        )
    if "SRCSEQ" in seen.columns:
        known = seen.filter(pl.col("SRCSEQ").is_not_null())
        shared = known.filter(pl.struct("USUBJID", "SRCSEQ").is_duplicated())
        if shared.height:
            row = shared.row(0, named=True)
            raise ValueError(
                f"adrs counts record {row['SRCSEQ']} of {row['USUBJID']} at two visits: keep it at one (SHAREDFL)"
            )


def _placed(known: pl.DataFrame, visits: Sequence[str], closes: Mapping[str, int] | None) -> pl.DataFrame:
    """Rows of no visit, each at the first visit that closes on its day or later; none without ``closes``."""
    if closes is None:
        return known.clear()
    place = pl.lit(None, dtype=pl.String)
    for visit in reversed(visits):
        place = pl.when(pl.col("ARDY") <= closes[visit]).then(pl.lit(visit)).otherwise(place)
    others = known.filter(~pl.col("AVISIT").is_in(list(visits)).fill_null(False))
    return others.with_columns(AVISIT=place).drop_nulls("AVISIT")


def _to_date(status: pl.DataFrame, seen: pl.DataFrame, visits: Sequence[str]) -> pl.DataFrame:
    """Replace the status by: a response at this visit or before; assessed at all by then."""
    place = {v: i for i, v in enumerate(visits)}
    number = pl.col("AVISIT").replace_strict(place, return_dtype=pl.Int64)
    response = seen.filter("_responds")
    evaluated = seen.filter(~pl.col("AVALC").is_in(NOT_EVALUABLE))
    first = [
        f.with_columns(number.alias(n)).group_by("USUBJID").agg(pl.col(n).min())
        for f, n in ((response, "_response"), (evaluated, "_evaluated"), (seen, "_seen"))
    ]
    for found in first:
        status = status.join(found, on="USUBJID", how="left")
    by_then = {n: (pl.col(n) <= number).fill_null(False) for n in ("_response", "_evaluated", "_seen")}
    return status.with_columns(
        responder=by_then["_response"],
        missing=~by_then["_seen"],
        not_evaluable=by_then["_seen"] & ~by_then["_evaluated"],
    )


def response_rates(
    best: pl.DataFrame,
    adsl: pl.DataFrame,
    by: str = "TRT01A",
    responders: Sequence[str] = RESPONDERS,
    population: str | None = "SAFFL",
    levels: Sequence[str] | None = None,
    total: str | None = "Total",
    method: str = "clopper-pearson",
    conf_level: float = 0.95,
) -> pl.DataFrame:
    """Overall response rate: ``best`` has USUBJID and AVALC, one row per patient; who has none is not a responder.

    Returns group, n_population, n_responders, n_without, fraction, low, high.
    """
    status, sizes = _best(best, adsl, by, population, levels, total)
    counts = status.group_by("group").agg(
        n_responders=pl.col("AVALC").is_in(list(responders)).sum().cast(pl.Int64),
        n_without=pl.col("AVALC").is_null().sum().cast(pl.Int64),
    )
    table = sizes.join(counts, on="group", how="left", maintain_order="left")
    table = table.with_columns(pl.col("n_responders", "n_without").fill_null(0))
    return _with_rate(table, "n_responders", "n_population", method, conf_level)


def response_categories(
    best: pl.DataFrame,
    adsl: pl.DataFrame,
    categories: Sequence[str],
    by: str = "TRT01A",
    population: str | None = "SAFFL",
    levels: Sequence[str] | None = None,
    total: str | None = "Total",
) -> pl.DataFrame:
    """Patients of each best response, in the order of ``categories``, then "Missing".

    Returns group, category, n_patients, n_population, fraction. ValueError for a response ``categories`` does not name.
    """
    status, sizes = _best(best, adsl, by, population, levels, total)
    unknown = sorted(set(status["AVALC"].drop_nulls().to_list()) - set(categories))
    if unknown:
        raise ValueError(f"best.AVALC holds {unknown[0]!r}, which categories does not name")
    names = pl.DataFrame({"category": [*categories, "Missing"]}).with_row_index("_c")
    counts = status.group_by("group", pl.col("AVALC").fill_null("Missing").alias("category")).agg(
        n_patients=pl.len()
    )
    table = (
        sizes.with_row_index("_g").join(names, how="cross").join(counts, on=["group", "category"], how="left")
    )
    table = table.sort("_g", "_c").with_columns(pl.col("n_patients").fill_null(0).cast(pl.Int64))
    fraction = pl.when(pl.col("n_population") > 0).then(pl.col("n_patients") / pl.col("n_population"))
    return table.select("group", "category", "n_patients", "n_population", fraction.alias("fraction"))


def mrd_rates(
    best: pl.DataFrame,
    adsl: pl.DataFrame,
    by: str = "TRT01A",
    responders: Sequence[str] = RESPONDERS,
    population: str | None = "SAFFL",
    levels: Sequence[str] | None = None,
    total: str | None = "Total",
    method: str = "clopper-pearson",
    conf_level: float = 0.95,
) -> pl.DataFrame:
    """Responders without measurable residual disease, among responders: ``best`` has USUBJID, AVALC and MRD.

    MRD is NEGATIVE, POSITIVE or anything else (not known); unknown counts as not negative. Returns group,
    n_responders, n_mrd_known, n_mrd_negative, fraction, low, high.
    """
    check_columns("best", best, ["MRD"])
    status, sizes = _best(best, adsl, by, population, levels, total)
    inside = status.filter(pl.col("AVALC").is_in(list(responders)))
    counts = inside.group_by("group").agg(
        n_responders=pl.len().cast(pl.Int64),
        n_mrd_known=pl.col("MRD").is_in(["NEGATIVE", "POSITIVE"]).sum().cast(pl.Int64),
        n_mrd_negative=(pl.col("MRD") == "NEGATIVE").sum().cast(pl.Int64),
    )
    table = sizes.select("group").join(counts, on="group", how="left", maintain_order="left")
    table = table.with_columns(pl.col("n_responders", "n_mrd_known", "n_mrd_negative").fill_null(0))
    return _with_rate(table, "n_mrd_negative", "n_responders", method, conf_level)


def _best(
    best: pl.DataFrame,
    adsl: pl.DataFrame,
    by: str,
    population: str | None,
    levels: Sequence[str] | None,
    total: str | None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Every patient of the population with the best response, null where there is none."""
    check_columns("best", best, ["USUBJID", "AVALC"])
    twice = best.filter(pl.col("USUBJID").is_duplicated())
    if twice.height:
        raise ValueError(
            f"best has more than one row for {twice['USUBJID'][0]}: one best response per patient is expected"
        )
    people, sizes = group_patients(adsl, by, population, levels, total)
    columns = [c for c in ("USUBJID", "AVALC", "MRD") if c in best.columns]
    return people.join(best.select(columns), on="USUBJID", how="left"), sizes


def _with_rate(table: pl.DataFrame, x: str, n: str, method: str, conf_level: float) -> pl.DataFrame:
    found = [proportion(a, b, method, conf_level) for a, b in table.select(x, n).iter_rows()]
    return table.with_columns(
        pl.Series("fraction", [e.value for e in found], dtype=pl.Float64),
        pl.Series("low", [e.low for e in found], dtype=pl.Float64),
        pl.Series("high", [e.high for e in found], dtype=pl.Float64),
    )
