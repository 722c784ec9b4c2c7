"""Adverse events in time: rates per patient-time, onset and resolution, deaths by cause.

Exact interval of a rate: chi-square quantiles over twice the time (Garwood 1936, doi 10.1093/biomet/28.3-4.437).
Resolution is Kaplan-Meier: an event that goes on is censored at the end of follow-up, never taken as resolved.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from scipy.special import chdtri

from escalon.analysis.estimate import check_conf_level
from escalon.analysis.groups import check_columns, group_patients
from escalon.analysis.summary import summarise
from escalon.analysis.survival.curve import kaplan_meier

__all__ = ["deaths", "exposure_adjusted", "onset_and_resolution"]

_YEAR = 365.25


def exposure_adjusted(
    adae: pl.DataFrame,
    adsl: pl.DataFrame,
    follow_up_days: str,
    by: str = "TRT01A",
    where: pl.Expr | None = None,
    population: str | None = "SAFFL",
    levels: Sequence[str] | None = None,
    total: str | None = "Total",
    conf_level: float = 0.95,
) -> pl.DataFrame:
    """Events per patient-year, by group.

    ``follow_up_days`` is the column of ``adsl`` with the days each patient was observed, above 0. Returns group,
    n_population, n_events, patient_years, rate, low, high; no time at risk gives null. Raises ValueError for a
    missing or non-positive follow-up.
    """
    check_conf_level(conf_level)
    people, sizes = group_patients(adsl, by, population, levels, total)
    check_columns("adsl", adsl, [follow_up_days])
    people = people.join(adsl.select("USUBJID", pl.col(follow_up_days).alias("_days")), on="USUBJID")
    wrong = people.filter(pl.col("_days").is_null() | (pl.col("_days") <= 0))
    if wrong.height:
        raise ValueError(
            f"adsl.{follow_up_days} is {wrong['_days'][0]} for {wrong['USUBJID'][0]}: days above 0 are expected"
        )
    events = (adae.filter(where) if where is not None else adae).join(people, on="USUBJID")
    counts = events.group_by("group").agg(n_events=pl.len().cast(pl.Int64))
    years = people.group_by("group").agg(patient_years=pl.col("_days").sum() / _YEAR)
    table = sizes.join(years, on="group", how="left", maintain_order="left")
    table = table.join(counts, on="group", how="left", maintain_order="left")
    rows = [
        (group, n, x or 0, time or 0.0, *_rate(x or 0, time, conf_level))
        for group, n, time, x in table.select(
            "group", "n_population", "patient_years", "n_events"
        ).iter_rows()
    ]
    schema: dict[str, Any] = {"group": pl.String, "n_population": pl.Int64, "n_events": pl.Int64}
    schema |= dict.fromkeys(("patient_years", "rate", "low", "high"), pl.Float64)
    return pl.DataFrame(rows, schema=schema, orient="row")


def _rate(x: int, time: float | None, conf_level: float) -> tuple[float | None, float | None, float | None]:
    if not time:
        return None, None, None
    tail = (1.0 - conf_level) / 2.0
    low = 0.0 if x == 0 else float(chdtri(2 * x, 1.0 - tail)) / 2.0
    return x / time, low / time, float(chdtri(2 * x + 2, tail)) / 2.0 / time


def onset_and_resolution(
    adae: pl.DataFrame,
    adsl: pl.DataFrame,
    onset: str,
    end: str,
    follow_up: str,
    by: str = "TRT01A",
    where: pl.Expr | None = None,
    population: str | None = "SAFFL",
    levels: Sequence[str] | None = None,
    total: str | None = "Total",
) -> pl.DataFrame:
    """First event of each patient: day of onset, and time from onset to resolution.

    ``onset`` and ``end`` (null = goes on) are day columns of ``adae`` on one clock, ``follow_up`` the last day of
    follow-up in ``adsl``. Returns group, n_population, n_patients, onset_median, onset_min, onset_max, n_resolved,
    resolution_median, resolution_low, resolution_high (days, null = not estimable). Raises ValueError for an event
    that ends before it starts or starts after the follow-up.
    """
    people, sizes = group_patients(adsl, by, population, levels, total)
    check_columns("adae", adae, ["USUBJID", onset, end])
    check_columns("adsl", adsl, [follow_up])
    events = (adae.filter(where) if where is not None else adae).filter(pl.col(onset).is_not_null())
    events = events.select("USUBJID", pl.col(onset).alias("_on"), pl.col(end).alias("_end"))
    first = events.sort("_on", "_end", nulls_last=True).unique("USUBJID", keep="first", maintain_order=True)
    known = people.join(first, on="USUBJID").join(
        adsl.select("USUBJID", pl.col(follow_up).alias("_last")), on="USUBJID"
    )
    wrong = known.filter((pl.col("_end") < pl.col("_on")) | (pl.col("_last") < pl.col("_on")))
    if wrong.height:
        row = wrong.row(0, named=True)
        who, day = row["USUBJID"], row["_on"]
        raise ValueError(f"adae: the event of {who} on day {day} ends or leaves follow-up before it starts")
    rows = [_course(group, n, known.filter(pl.col("group") == group)) for group, n in sizes.iter_rows()]
    schema: dict[str, Any] = {"group": pl.String, "n_population": pl.Int64, "n_patients": pl.Int64}
    schema |= dict.fromkeys(("onset_median", "onset_min", "onset_max"), pl.Float64) | {"n_resolved": pl.Int64}
    schema |= dict.fromkeys(("resolution_median", "resolution_low", "resolution_high"), pl.Float64)
    return pl.DataFrame(rows, schema=schema, orient="row")


def _course(group: str, n: int, first: pl.DataFrame) -> tuple[Any, ...]:
    s = summarise(first["_on"].to_list())
    resolved = first["_end"].is_not_null().to_numpy()
    stop = (
        first.select(pl.coalesce("_end", "_last") - pl.col("_on")).to_series().to_numpy().astype(np.float64)
    )
    median = kaplan_meier(stop, resolved).median
    onset = (s.median, s.minimum, s.maximum)
    return (group, n, first.height, *onset, int(resolved.sum()), median.value, median.low, median.high)


def deaths(
    adsl: pl.DataFrame,
    by: str = "TRT01A",
    cause: str = "DTHCAUS",
    population: str | None = "SAFFL",
    levels: Sequence[str] | None = None,
    total: str | None = "Total",
) -> pl.DataFrame:
    """Deaths by cause: ``adsl`` has DTHFL ("Y") and ``cause`` (missing: "Unknown"), most frequent first.

    Returns group, cause (null = any), n_patients, n_population.
    """
    check_columns("adsl", adsl, ["DTHFL", cause])
    people, sizes = group_patients(adsl, by, population, levels, total)
    named = pl.col(cause).cast(pl.String).fill_null("Unknown").alias("cause")
    dead = people.join(adsl.filter(pl.col("DTHFL") == "Y").select("USUBJID", named), on="USUBJID")
    ranks = (
        dead.group_by("cause")
        .agg(_n=pl.col("USUBJID").n_unique())
        .sort(["_n", "cause"], descending=[True, False])
    )
    names = (
        pl.concat([pl.Series("cause", [None], dtype=pl.String), ranks["cause"]])
        .to_frame()
        .with_row_index("_c")
    )
    counts = pl.concat(
        [
            dead.group_by("group", "cause").agg(n_patients=pl.len()),
            dead.group_by("group")
            .agg(n_patients=pl.len())
            .select("group", pl.lit(None, pl.String).alias("cause"), "n_patients"),
        ]
    )
    frame = names.join(sizes.with_row_index("_g"), how="cross")
    table = frame.join(counts, on=["group", "cause"], how="left", nulls_equal=True).sort("_c", "_g")
    return table.select("group", "cause", pl.col("n_patients").fill_null(0).cast(pl.Int64), "n_population")
