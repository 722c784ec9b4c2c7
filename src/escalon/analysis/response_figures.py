"""Rows behind the response figures: waterfall, spider and swimmer. A picture draws them and computes nothing.

Change of the marrow blasts is in percent of the baseline, the last value at or before day 0; with a baseline of 0
it does not exist and the row says so.
"""

from collections.abc import Sequence

import polars as pl

from escalon.analysis.groups import check_columns

__all__ = ["spider_rows", "swimmer_rows", "waterfall_rows"]


def spider_rows(blasts: pl.DataFrame) -> pl.DataFrame:
    """Percent change from baseline over time.

    ``blasts`` has USUBJID, ADY (day, 0 = infusion) and AVAL (percent, 0 to 100).

    Returns USUBJID, ADY, AVAL, BASE, PCHG, REASON (null where there is a change), from the baseline on.
    """
    check_columns("blasts", blasts, ["USUBJID", "ADY", "AVAL"])
    values = blasts.filter(pl.col("AVAL").is_not_null()).sort("USUBJID", "ADY")
    bad = values.filter((pl.col("AVAL") < 0) | (pl.col("AVAL") > 100))
    if bad.height:
        raise ValueError(
            f"blasts.AVAL is {bad['AVAL'][0]} for {bad['USUBJID'][0]}: a percentage from 0 to 100 is expected"
        )
    base = (
        values.filter(pl.col("ADY") <= 0)
        .group_by("USUBJID")
        .agg(BASE=pl.col("AVAL").last(), _at=pl.col("ADY").last())
    )
    joined = values.join(base, on="USUBJID", how="left").filter(
        (pl.col("ADY") >= pl.col("_at")) | pl.col("_at").is_null()
    )
    no_base = pl.when(pl.col("BASE").is_null()).then(pl.lit("no baseline value"))
    reason = no_base.when(pl.col("BASE") == 0).then(pl.lit("the baseline is 0"))
    change = pl.when(pl.col("BASE") > 0).then(100 * (pl.col("AVAL") - pl.col("BASE")) / pl.col("BASE"))
    return joined.select("USUBJID", "ADY", "AVAL", "BASE", change.alias("PCHG"), reason.alias("REASON"))


def waterfall_rows(blasts: pl.DataFrame) -> pl.DataFrame:
    """Best change of each patient after day 0, from the worst to the best.

    Patients without one last, with the reason.
    """
    rows = spider_rows(blasts)
    after = rows.filter((pl.col("ADY") > 0) & pl.col("PCHG").is_not_null())
    best = after.group_by("USUBJID").agg(PCHG=pl.col("PCHG").min())
    reason = rows.group_by("USUBJID").agg(REASON=pl.col("REASON").first())
    everyone = (
        blasts.select("USUBJID")
        .unique()
        .join(reason, on="USUBJID", how="left")
        .join(best, on="USUBJID", how="left")
    )
    why = pl.when(pl.col("PCHG").is_null()).then(pl.col("REASON").fill_null("no value after the infusion"))
    return everyone.with_columns(REASON=why).select("USUBJID", "PCHG", "REASON").sort(
        ["PCHG", "USUBJID"], descending=[True, False], nulls_last=True
    )  # fmt: skip


def swimmer_rows(
    adsl: pl.DataFrame, assessments: pl.DataFrame, ends: pl.DataFrame, final: Sequence[str] = ()
) -> pl.DataFrame:
    """Segments of a swimmer plot: stretches of one status, from the assessment that found it on.

    ``adsl``: USUBJID (order kept); ``assessments``: USUBJID, ADY, AVALC; ``ends``: USUBJID, ADY of the last day
    known alive or of death, and DEATH "Y"/"N"; ``final``: statuses that stay once found. Returns USUBJID, START,
    END (days), AVALC (null before the first assessment), DEATH on the last segment. A patient without end raises
    ValueError, and so does an end before an assessment.
    """
    check_columns("assessments", assessments, ["USUBJID", "ADY", "AVALC"])
    check_columns("ends", ends, ["USUBJID", "ADY", "DEATH"])
    last = {u: (day, death) for u, day, death in ends.select("USUBJID", "ADY", "DEATH").iter_rows()}
    seen: dict[str, list[tuple[float, str | None]]] = {}
    ordered = assessments.select("USUBJID", "ADY", "AVALC").sort("ADY", maintain_order=True)
    for u, day, status in ordered.iter_rows():
        if day > 0:
            seen.setdefault(u, []).append((float(day), status))
    rows = []
    for u in adsl["USUBJID"].to_list():
        if u not in last:
            raise ValueError(f"ends has no row for {u}: every patient needs the last day of follow-up")
        end, death = float(last[u][0]), last[u][1]
        own = seen.get(u, [])
        if own and own[-1][0] > end:
            raise ValueError(
                f"{u}: an assessment on day {own[-1][0]:g} lies after the end of follow-up on day {end:g}"
            )
        points = _stretches(own, final)
        stops = [p[0] for p in points[1:]] + [end]
        for (start, status), stop in zip(points, stops, strict=True):
            rows.append((u, start, stop, status, death if start == points[-1][0] else None))
    schema = {
        "USUBJID": pl.String,
        "START": pl.Float64,
        "END": pl.Float64,
        "AVALC": pl.String,
        "DEATH": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _stretches(
    seen: Sequence[tuple[float, str | None]], final: Sequence[str]
) -> list[tuple[float, str | None]]:
    """Where the status changes, from day 0 without one; nothing follows a final status."""
    points: list[tuple[float, str | None]] = [(0.0, None)]
    for day, status in seen:
        if status != points[-1][1] and points[-1][1] not in final:
            points.append((day, status))
    return points
