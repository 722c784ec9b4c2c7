"""Concentrations of CLLS52, UCART22 transgene, host lymphocytes, and how exposure relates to weight and expansion."""

from collections.abc import Sequence
from math import ceil, floor, log10

import altair as alt
import polars as pl

from escalon.report.theme import BLUE, GREY, INK, ORANGE, VERMILLION

WIDTH = 960


def draw_profiles(
    samples: pl.DataFrame,
    unit: str,
    groups: Sequence[str],
    colours: Sequence[str],
    lines: Sequence[tuple[float, str]],
    days: tuple[float, float],
) -> alt.LayerChart:
    """One line per patient on a log scale; values below quantification as open marks at half the limit.

    ``samples``: patient, day, value (> 0), below (boolean), group; ``lines``: level and label of horizontal lines;
    ``days``: first and last day shown.
    """
    legend = alt.Legend(
        title=None,
        orient="top",
        direction="horizontal",
        symbolType="stroke",
        symbolStrokeWidth=3,
        symbolOpacity=1,
    )
    colour = alt.Color("group:N", scale=alt.Scale(domain=list(groups), range=list(colours)), legend=legend)
    values = [day for day in range(-14, 400, 7) if days[0] <= day <= days[1]]
    x = alt.X(
        "day:Q",
        scale=alt.Scale(domain=list(days), nice=False),
        axis=alt.Axis(title="Days from the UCART22 infusion (Day 0)", values=values, grid=False),
    )
    low, high = _decades(samples, lines)
    y = alt.Y(
        "value:Q",
        scale=alt.Scale(type="log", domain=[low, high], nice=False),
        axis=alt.Axis(title=unit, labelExpr="format(datum.value, ',~r')", values=_ticks(low, high)),
    )
    base = alt.Chart(samples)
    tracks = base.mark_line(strokeWidth=1.1, opacity=0.6).encode(
        x=x, y=y, detail="patient:N", color=colour, order="day:Q"
    )
    seen = (
        base.transform_filter("!datum.below")
        .mark_point(filled=True, size=13, opacity=0.75)
        .encode(x=x, y=y, color=colour)
    )
    under = (
        base.transform_filter("datum.below")
        .mark_point(size=16, opacity=0.8, fill="#FFFFFF", strokeWidth=0.9)
        .encode(x=x, y=y, color=colour)
    )
    frame = pl.DataFrame(
        {"value": [v for v, _ in lines], "text": [t for _, t in lines]},
        schema={"value": pl.Float64, "text": pl.String},
    )
    rules = alt.Chart(frame).mark_rule(strokeDash=[6, 4], strokeWidth=1.2, color=VERMILLION).encode(y=y)
    names = (
        alt.Chart(frame)
        .mark_text(align="right", dy=-6, fontSize=10.5, color=VERMILLION, fontWeight="bold")
        .encode(x=alt.value(WIDTH - 62), y=y, text="text:N")
    )
    infusion = (
        alt.Chart(pl.DataFrame({"day": [0.0]}))
        .mark_rule(color=GREY, strokeWidth=1, strokeDash=[2, 2])
        .encode(x=x)
    )
    return alt.layer(infusion, tracks, seen, under, rules, names).properties(width=WIDTH - 60, height=300)


def _decades(samples: pl.DataFrame, lines: Sequence[tuple[float, str]]) -> tuple[float, float]:
    """Whole or half decades around everything shown."""
    shown = [*samples["value"].to_list(), *(level for level, _ in lines)] or [1.0]
    low, high = min(shown), max(shown)
    steps = [m * 10.0**p for p in range(-6, 9) for m in (1, 3)]
    below = [step for step in steps if step <= low * 0.95] or steps[:1]
    above = [step for step in steps if step >= high * 1.05] or steps[-1:]
    return below[-1], above[0]


def _ticks(low: float, high: float) -> list[float]:
    """Powers of ten inside the axis; with their threefold where there are few."""
    factors = (1, 3) if high / low < 3000 else (1,)
    return [m * 10.0**p for p in range(-6, 9) for m in factors if low <= m * 10.0**p <= high * 1.0001]


def draw_relations(points: pl.DataFrame, groups: Sequence[str], units: tuple[str, str]) -> alt.HConcatChart:
    """Two panels: CLLS52 exposure against body weight, and UCART22 peak against CLLS52 exposure.

    ``points``: weight (kg), auc, peak, group; ``units`` of auc and peak.
    """
    legend = alt.Legend(title=None, orient="top", direction="horizontal")
    colour = alt.Color("group:N", scale=alt.Scale(domain=list(groups), range=[BLUE, ORANGE]), legend=legend)
    shape = alt.Shape(
        "group:N", scale=alt.Scale(domain=list(groups), range=["circle", "triangle-up"]), legend=legend
    )
    base = alt.Chart(points).mark_point(filled=True, size=60, opacity=0.85, stroke=INK, strokeWidth=0.4)
    auc = f"CLLS52 AUC to Day 28, {units[0]}"
    peaks = [value for value in points["peak"].drop_nulls().to_list() if value > 0] or [1.0]
    low, high = 10.0 ** floor(log10(min(peaks))), 10.0 ** ceil(log10(max(peaks)))
    decades = alt.Scale(type="log", domain=[low, max(high, low * 10)], nice=False)
    number = "format(datum.value, ',~r')"
    left = base.encode(
        x=alt.X("weight:Q", scale=alt.Scale(zero=False), axis=alt.Axis(title="Body weight, kg", tickCount=6)),
        y=alt.Y("auc:Q", scale=alt.Scale(zero=True), axis=alt.Axis(title=auc)),
        color=colour,
        shape=shape,
    ).properties(width=400, height=240)
    right = (
        base.transform_filter("isValid(datum.peak) && datum.peak > 0")
        .encode(
            x=alt.X("auc:Q", scale=alt.Scale(zero=True), axis=alt.Axis(title=auc, tickCount=6)),
            y=alt.Y(
                "peak:Q",
                scale=decades,
                axis=alt.Axis(
                    title=f"UCART22 Cmax, {units[1]}",
                    labelExpr=number,
                    values=_ticks(low, max(high, low * 10)),
                ),
            ),
            color=colour,
            shape=shape,
        )
        .properties(width=400, height=240)
    )
    return alt.hconcat(left, right, spacing=40)
