"""The escalation as pictures: who was treated at which level with what outcome, and what the plan made of it."""

import textwrap
from collections.abc import Sequence

import altair as alt
import polars as pl

from escalon.report.theme import BLACK, BLUE, DLT_COLOURS, GREY, INK, ORANGE, VERMILLION

WIDTH = 960
STRIP = {"Rule": 0, "Committee": 1}


def draw_history(
    patients: pl.DataFrame, cohorts: pl.DataFrame, notes: pl.DataFrame, labels: Sequence[str]
) -> alt.VConcatChart:
    """Patients in order of infusion by dose level, cohort by cohort, with recommendation and decision above.

    Parameters: ``patients`` order (1, 2, ...), number (printed), level (label), status; ``cohorts`` low, high (edges in
    units of order), cohort, part, shade (0 or 1); ``notes`` x, row (Rule or Committee), line1, line2, differs
    (boolean);
    ``labels`` dose levels, lowest first.
    """
    last = float(patients["order"].max() or 1) + 0.5  # type: ignore[arg-type]
    x = alt.X("order:Q", scale=alt.Scale(domain=[0.5, last], nice=False, zero=False))
    hidden = alt.X("order:Q", axis=None, scale=alt.Scale(domain=[0.5, last], nice=False, zero=False))
    return alt.vconcat(
        _decisions(cohorts, notes, hidden, last), _patients(patients, cohorts, x, labels), spacing=4
    ).resolve_scale(x="shared", color="independent")


def _bands(cohorts: pl.DataFrame) -> alt.Chart:
    """Cohorts as alternating bands; the expansion has its own colour."""
    shades = pl.when(pl.col("part") == "expansion").then(pl.lit("#FFF4DC"))
    shades = shades.when(pl.col("shade") == 1).then(pl.lit("#F1F4F7")).otherwise(pl.lit("#FFFFFF"))
    return (
        alt.Chart(cohorts.with_columns(fill=shades))
        .mark_rect(stroke="#D3D8DE", strokeWidth=0.6)
        .encode(x=alt.X("low:Q"), x2="high:Q", color=alt.Color("fill:N", scale=None))
    )


def _decisions(cohorts: pl.DataFrame, notes: pl.DataFrame, x: alt.X, last: float) -> alt.LayerChart:
    y = alt.Y(
        "row:N",
        sort=["Cohort", *STRIP],
        axis=alt.Axis(title=None, domain=False, ticks=False, labelFontWeight="bold", labelPadding=6),
        scale=alt.Scale(domain=["Cohort", *STRIP]),
    )
    names = cohorts.with_columns(order=(pl.col("low") + pl.col("high")) / 2, row=pl.lit("Cohort"))
    titles = alt.Chart(names).mark_text(fontSize=10.5, color=INK).encode(x=x, y=y, text="name:N")
    differs = alt.condition("datum.differs", alt.value(VERMILLION), alt.value(INK))
    weight = {"fontSize": 10}
    first = alt.Chart(notes).mark_text(dy=-6, **weight).encode(x=x, y=y, text="line1:N", color=differs)
    second = (
        alt.Chart(notes)
        .mark_text(dy=6, fontWeight="bold", **weight)
        .encode(x=x, y=y, text="line2:N", color=differs)
    )
    bands = _bands(cohorts).encode(
        x=alt.X("low:Q", axis=None, scale=alt.Scale(domain=[0.5, last], nice=False))
    )
    return alt.layer(bands, titles, first, second).properties(width=WIDTH, height=104)


def _patients(
    patients: pl.DataFrame, cohorts: pl.DataFrame, x: alt.X, labels: Sequence[str]
) -> alt.LayerChart:
    values = patients["order"].to_list()
    shown = {str(order): number for order, number in patients.select("order", "number").iter_rows()}
    names = alt.Axis(
        title="Patient, in order of UCART22 infusion",
        values=values,
        labelExpr=f"{_lookup(shown)}[datum.value]",
        grid=False,
        labelAngle=-90,
        labelFontSize=10,
        labelOverlap=False,
        tickCount=len(values),
        ticks=False,
    )
    y = alt.Y(
        "level:N",
        sort=list(reversed(labels)),
        scale=alt.Scale(domain=list(reversed(labels))),
        axis=alt.Axis(title="Dose level", grid=True, ticks=False, labelFontWeight="bold", labelPadding=6),
    )
    legend = alt.Legend(
        title=None, orient="bottom", direction="horizontal", symbolSize=130, symbolType="square"
    )
    order = list(DLT_COLOURS)
    shapes = ["square", "circle", "circle", "diamond"]
    points = (
        alt.Chart(patients)
        .mark_point(filled=True, size=190, opacity=1, stroke=BLACK, strokeWidth=0.8)
        .encode(
            x=x.axis(names),
            y=y,
            color=alt.Color(
                "status:N",
                scale=alt.Scale(domain=order, range=[DLT_COLOURS[s] for s in order]),
                legend=legend,
            ),
            shape=alt.Shape("status:N", scale=alt.Scale(domain=order, range=shapes), legend=None),
        )
    )
    letters = (
        alt.Chart(patients)
        .mark_text(fontSize=9.5, fontWeight="bold", dy=0.5)
        .encode(
            x=x.axis(names),
            y=y,
            text="letter:N",
            color=alt.condition("datum.status == 'DLT'", alt.value("#FFFFFF"), alt.value(INK)),
        )
    )
    bands = _bands(cohorts).encode(x=alt.X("low:Q", axis=names))
    return alt.layer(bands, points, letters).properties(width=WIDTH, height=46 * max(len(labels), 2))


def _lookup(values: dict[str, str]) -> str:
    """A Vega object literal."""
    return "{" + ",".join(f"'{key}':'{value}'" for key, value in values.items()) + "}"


def draw_mtd(
    estimates: pl.DataFrame, labels: Sequence[str], target: float, selected: str | None
) -> alt.LayerChart:
    """Posterior mean with its interval, observed rate and isotonic estimate per level against the target.

    ``estimates``: level, rate, estimate, low, high, isotonic (fractions; null where the level was not tried),
    counts (text).
    """
    x = alt.X(
        "level:N",
        sort=list(labels),
        scale=alt.Scale(domain=list(labels)),
        axis=alt.Axis(title="Dose level", labelAngle=0),
    )
    percent = alt.Axis(title="DLT probability", format="%", tickCount=6)
    y = alt.Y("estimate:Q", scale=alt.Scale(domain=[0, 1]), axis=percent)
    base = alt.Chart(estimates).transform_filter("isValid(datum.estimate)")
    band = base.mark_rule(strokeWidth=2, color=BLUE).encode(x=x, y=alt.Y("low:Q", axis=percent), y2="high:Q")
    mean = base.mark_point(filled=True, size=170, color=BLUE, opacity=1).encode(x=x, y=y)
    line = base.mark_line(color=ORANGE, strokeWidth=2).encode(x=x, y="isotonic:Q")
    fitted = base.mark_point(shape="diamond", filled=True, size=60, color=ORANGE, opacity=1).encode(
        x=x, y="isotonic:Q"
    )
    rate = base.mark_point(shape="cross", size=60, color=BLACK, filled=True, opacity=1).encode(
        x=x, y="rate:Q"
    )
    aim = (
        alt.Chart(pl.DataFrame({"target": [target]}))
        .mark_rule(strokeDash=[5, 4], color=VERMILLION)
        .encode(y="target:Q")
    )
    said = pl.DataFrame({"target": [target], "text": [f"target {target:.0%}"]})
    label = (
        alt.Chart(said)
        .mark_text(align="left", color=VERMILLION, fontSize=11)
        .encode(x=alt.value(446), y="target:Q", text="text:N")
    )
    counts = (
        alt.Chart(estimates).mark_text(fontSize=11, color=INK).encode(x=x, y=alt.value(8), text="counts:N")
    )
    chosen = pl.DataFrame({"level": [selected] if selected else []}, schema={"level": pl.String})
    mark = (
        alt.Chart(chosen)
        .mark_text(fontSize=11, fontWeight="bold", color=INK, text="MTD")
        .encode(x=x, y=alt.value(24))
    )
    return alt.layer(aim, band, line, mean, fitted, rate, label, counts, mark).properties(
        width=440, height=280
    )


def draw_characteristics(selection: pl.DataFrame, labels: Sequence[str]) -> alt.VConcatChart:
    """Probability of selection per level, one panel per scenario; the tick is the true DLT probability.

    ``selection``: scenario, level (labels and ``none``), select, truth (fractions; truth null for none).
    """
    scenarios = selection["scenario"].unique(maintain_order=True).to_list()
    per_row = min(len(scenarios), 5) or 1
    width = int((WIDTH - 60 - 22 * (per_row - 1)) / per_row)
    panels = [
        _panel(selection.filter(pl.col("scenario") == name), name, labels, width, first=index % per_row == 0)
        for index, name in enumerate(scenarios)
    ]
    lines = [
        alt.hconcat(*panels[start : start + per_row], spacing=14) for start in range(0, len(panels), per_row)
    ]
    return alt.vconcat(*lines)


def _panel(
    selection: pl.DataFrame, title: str, labels: Sequence[str], width: int, first: bool
) -> alt.LayerChart:
    """One scenario; only the first panel of a line names the axis."""
    x = alt.X("level:N", sort=[*labels, "none"], axis=alt.Axis(title=None, labelAngle=0))
    axis = alt.Axis(
        title="Probability" if first else None,
        format="%",
        tickCount=5,
        labels=first,
        ticks=first,
        domain=first,
    )
    colour = alt.condition("datum.level == 'none'", alt.value(GREY), alt.value(BLUE))
    base = alt.Chart(selection)
    bars = base.mark_bar(opacity=0.85).encode(
        x=x, y=alt.Y("select:Q", scale=alt.Scale(domain=[0, 1]), axis=axis), color=colour
    )
    truth = base.mark_tick(color=VERMILLION, thickness=3, size=22).encode(x=x, y="truth:Q")
    heading = alt.Title(textwrap.wrap(title, max(width // 7, 12)), fontSize=11, fontWeight="normal")
    return alt.layer(bars, truth).properties(width=width, height=150, title=heading)
