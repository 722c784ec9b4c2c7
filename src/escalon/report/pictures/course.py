"""Marrow blasts: the course of each patient, and the best change."""

import polars as pl

from escalon.analysis.response_figures import spider_rows, waterfall_rows
from escalon.conduct.state import State
from escalon.protocol.study import Study
from escalon.report.figures import course
from escalon.report.pictures.efficacy import NOT_SEEN, SWIM
from escalon.report.pictures.picture import Adam, Picture, make_picture
from escalon.report.results.groups import derive_people
from escalon.report.results.marrow import derive_marrow
from escalon.report.wording import count_of


def _infused(adam: Adam) -> pl.DataFrame:
    """Infused patients with the name and the best response a figure shows."""
    best = adam["ADRS"].filter(pl.col("PARAMCD") == "BOR").select("USUBJID", "AVALC")
    status = pl.col("AVALC").replace_strict(SWIM, default=None, return_dtype=pl.String).fill_null(NOT_SEEN)
    people = derive_people(adam).filter(pl.col("SAFFL") == "Y")
    joined = people.join(best, on="USUBJID", how="left", maintain_order="left")
    return joined.with_columns(patient=pl.col("SUBJID") + "  " + pl.col("LEVEL"), response=status)


def picture_spider(adam: Adam, state: State, study: Study) -> Picture:
    """Change of the marrow blasts over time."""
    people = _infused(adam)
    rows = spider_rows(derive_marrow(people, adam)).filter(pl.col("PCHG").is_not_null())
    points = rows.join(
        people.select("USUBJID", "patient", "response"), on="USUBJID", maintain_order="left"
    ).select(
        "patient", "response", change=pl.col("PCHG"), month=pl.col("ADY") / study.time_to_event.days_per_month
    )
    chart = None
    if points.height:
        months = max(3.0, float(points["month"].max()) + 0.3)  # type: ignore[arg-type]
        chart = course.draw_spider(points, months)
    caption = (
        "Blasts in marrow in percent of the last value before the infusion, at every assessment with a marrow. "
        f"Triangles: a rise above {course.CAP:.0f}%, drawn at that height."
    )
    return make_picture("f-spider", "Marrow blasts over time", caption, chart)


def picture_waterfall(adam: Adam, state: State, study: Study) -> Picture:
    """Best change of the marrow blasts."""
    people = _infused(adam)
    found = waterfall_rows(derive_marrow(people, adam))
    known = people.select("USUBJID", "patient", "response").join(found, on="USUBJID", how="left")
    drawn = known.filter(pl.col("PCHG").is_not_null()).sort(["PCHG", "patient"], descending=[True, False])
    label = pl.when(pl.col("PCHG") > course.CAP).then(
        pl.col("PCHG").round(0).cast(pl.Int64).cast(pl.String) + "%"
    )
    bars = drawn.select("patient", "response", change="PCHG", label=label.otherwise(pl.lit("")))
    without = (
        known.filter(pl.col("PCHG").is_null())["REASON"].fill_null("no assessment").value_counts(sort=True)
    )
    reasons = "; ".join(f"{why} ({count_of(n, 'patient')})" for why, n in without.sort("REASON").iter_rows())
    caption = (
        "Lowest blasts in marrow after the infusion, in percent of the last value before it; worst change first. "
        f"Bars above {course.CAP:.0f}% are cut and carry their number. "
        + (f"Not shown: {reasons}." if reasons else "Every infused patient is shown.")
    )
    chart = course.draw_waterfall(bars) if bars.height else None
    return make_picture("f-waterfall", "Best change of the marrow blasts", caption, chart)
