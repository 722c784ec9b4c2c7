"""Cumulative incidence with competing risks, and events of special interest by grade."""

from collections.abc import Sequence

import altair as alt
import polars as pl

from escalon.report.theme import BLACK, INK, PURPLE, VERMILLION

WIDTH = 960
CAUSE_COLOURS = (VERMILLION, BLACK, PURPLE)
GRADE_COLOURS = ("#F6D9B8", "#F0B27A", "#E67E22", "#B03A2E", "#5B1A18")


def draw_incidence(
    curves: pl.DataFrame, panels: Sequence[str], causes: Sequence[str], months: float
) -> alt.HConcatChart:
    """One panel per group, one step line per cause.

    ``curves``: panel, cause, month, incidence (fraction).
    """
    ticks = [m for m in range(0, 61, 1 if months <= 8 else 3) if m <= months]
    colour = alt.Color(
        "cause:N",
        scale=alt.Scale(domain=list(causes), range=list(CAUSE_COLOURS)),
        legend=alt.Legend(
            title=None,
            orient="top",
            direction="horizontal",
            symbolType="stroke",
            symbolStrokeWidth=3,
            columns=0,
        ),
    )
    charts = []
    for panel in panels:
        lines = (
            alt.Chart(curves.filter(pl.col("panel") == panel))
            .mark_line(interpolate="step-after", strokeWidth=2.2)
            .encode(
                x=alt.X(
                    "month:Q",
                    scale=alt.Scale(domain=[0, months], nice=False),
                    axis=alt.Axis(title="Months from the first response", values=ticks, grid=False),
                ),
                y=alt.Y(
                    "incidence:Q",
                    scale=alt.Scale(domain=[0, 1]),
                    axis=alt.Axis(title="Cumulative incidence", format="%", tickCount=6),
                ),
                color=colour,
                order="month:Q",
            )
        )
        width = (WIDTH - 90 * len(panels)) // len(panels)
        charts.append(lines.properties(width=width, height=230, title=alt.Title(panel)))
    return alt.hconcat(*charts, spacing=30)


def draw_special(bars: pl.DataFrame, groups: Sequence[str], kinds: Sequence[str]) -> alt.FacetChart:
    """Share of the patients of each dose level with an event, split by their highest grade.

    ``bars``: kind, group, grade (1 to 5), share (fraction), n; every kind and group has at least one row.
    """
    grades = [1, 2, 3, 4, 5]
    chart = (
        alt.Chart(bars)
        .mark_bar(stroke=INK, strokeWidth=0.3)
        .encode(
            x=alt.X(
                "share:Q", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", title=None, tickCount=4)
            ),
            y=alt.Y(
                "group:N", sort=list(groups), scale=alt.Scale(domain=list(groups)), axis=alt.Axis(title=None)
            ),
            color=alt.Color(
                "grade:O",
                scale=alt.Scale(domain=grades, range=list(GRADE_COLOURS)),
                legend=alt.Legend(title="Highest grade", orient="top", direction="horizontal"),
            ),
            order="grade:Q",
        )
        .properties(width=WIDTH // 3 - 70, height=18 * len(groups))
    )
    header = alt.Header(
        labelFontSize=11, labelFontWeight="bold", labelColor=INK, title=None, labelAnchor="start"
    )
    return chart.facet(facet=alt.Facet("kind:N", sort=list(kinds), header=header), columns=3, spacing=24)
