"""Response by visit, patient courses, survival curves."""

from collections.abc import Sequence

import altair as alt
import polars as pl

from escalon.report.theme import BLACK, BLUE, GREY, INK, ORANGE, PURPLE, RESPONSE_COLOURS

WIDTH = 960
GROUP_COLOURS = (ORANGE, BLUE)
MARKS = {
    "Transplant": ("triangle-up", PURPLE),
    "New therapy": ("diamond", ORANGE),
    "Death": ("cross", BLACK),
    "Alive at last contact": ("triangle-right", INK),
}


def draw_response(rates: pl.DataFrame, visits: Sequence[str], groups: Sequence[str]) -> alt.LayerChart:
    """Response at each visit with its interval, and response to date as an open mark.

    ``rates``: visit, group, kind (at visit, to date), p, low, high (fractions).
    """
    x = alt.X(
        "visit:N",
        sort=list(visits),
        scale=alt.Scale(domain=list(visits)),
        axis=alt.Axis(title=None, labelAngle=0, grid=False),
    )
    offset = alt.XOffset("slot:N", sort=[f"{g} {k}" for g in groups for k in ("at visit", "to date")])
    frame = rates.with_columns(slot=pl.col("group") + " " + pl.col("kind"))
    scale = alt.Scale(domain=list(groups), range=list(GROUP_COLOURS[-len(groups) :]))
    legend = alt.Legend(
        title=None, orient="top", direction="horizontal", symbolType="stroke", symbolStrokeWidth=3
    )
    colour = alt.Color("group:N", scale=scale, legend=legend)
    axis = alt.Axis(title="Response rate (95% CI)", format="%", tickCount=6)
    base = alt.Chart(frame).encode(x=x, xOffset=offset, color=colour)
    bars = base.mark_rule(strokeWidth=1.6).encode(
        y=alt.Y("low:Q", scale=alt.Scale(domain=[0, 1]), axis=axis),
        y2="high:Q",
        strokeDash=alt.condition("datum.kind == 'to date'", alt.value([3, 2]), alt.value([1, 0])),
    )
    points = base.mark_point(size=70, opacity=1, strokeWidth=1.6).encode(
        y="p:Q",
        fill=alt.condition(
            "datum.kind == 'to date'", alt.value("#FFFFFF"), alt.Fill("group:N", scale=scale, legend=None)
        ),
        shape=alt.Shape(
            "kind:N", scale=alt.Scale(domain=["at visit", "to date"], range=["circle", "square"]), legend=None
        ),
    )
    return (
        alt.layer(bars, points)
        .resolve_scale(shape="independent", fill="independent")
        .properties(width=WIDTH - 40, height=260)
    )


def draw_swimmer(
    bars: pl.DataFrame, marks: pl.DataFrame, patients: Sequence[str], months: float
) -> alt.LayerChart:
    """One lane per patient: response status over time since the infusion, and what happened on the way.

    ``bars``: patient, start, end (months from the infusion), response; ``marks``: patient, month, kind (keys
    of ``MARKS``);
    ``patients`` lanes from top to bottom.
    """
    y = alt.Y(
        "patient:N",
        sort=list(patients),
        scale=alt.Scale(domain=list(patients), paddingInner=0.25),
        axis=alt.Axis(
            title=None, ticks=False, domain=False, labelFontSize=10.5, labelPadding=6, labelLimit=220
        ),
    )
    ticks = [month for month in range(0, 61, 3) if month <= months + 0.01]
    x = alt.X(
        "start:Q",
        scale=alt.Scale(domain=[0, months], nice=False),
        axis=alt.Axis(title="Months since the first UCART22 infusion", values=ticks),
    )
    found = set(bars["response"].to_list())
    order = [status for status in RESPONSE_COLOURS if status in found]
    lanes = (
        alt.Chart(bars)
        .mark_bar(stroke="#7C8590", strokeWidth=0.6)
        .encode(
            x=x,
            x2="end:Q",
            y=y,
            color=alt.Color(
                "response:N",
                scale=alt.Scale(domain=order, range=[RESPONSE_COLOURS[r] for r in order]),
                legend=alt.Legend(
                    title="Status", orient="top", direction="horizontal", columns=0, symbolStrokeColor=GREY
                ),
            ),
        )
    )
    kinds = [kind for kind in MARKS if kind in set(marks["kind"].to_list())]
    symbols = (
        alt.Chart(marks)
        .mark_point(filled=True, size=75, opacity=1, stroke="#FFFFFF", strokeWidth=0.8, clip=False)
        .encode(
            x=alt.X("month:Q"),
            y=y,
            shape=alt.Shape(
                "kind:N",
                scale=alt.Scale(domain=kinds, range=[MARKS[k][0] for k in kinds]),
                legend=alt.Legend(title="Event", orient="top", direction="horizontal", columns=0),
            ),
            fill=alt.Fill("kind:N", scale=alt.Scale(domain=kinds, range=[MARKS[k][1] for k in kinds])),
        )
    )
    return (
        alt.layer(lanes, symbols)
        .resolve_scale(color="independent", shape="independent", fill="independent")
        .properties(width=WIDTH - 130, height=17 * len(patients))
    )


def draw_survival(
    curve: pl.DataFrame,
    marks: pl.DataFrame,
    risk: pl.DataFrame,
    title: str,
    groups: Sequence[str],
    ticks: Sequence[int],
) -> alt.VConcatChart:
    """Survival curves with bands and censoring marks, numbers at risk below on the same axis.

    ``curve``: group, month, survival, low, high; ``marks``: group, month, survival; ``risk``: group, month, n.
    """
    colour = alt.Color(
        "group:N",
        scale=alt.Scale(domain=list(groups), range=list(GROUP_COLOURS[-len(groups) :])),
        legend=alt.Legend(
            title=None,
            orient="top",
            direction="horizontal",
            symbolType="stroke",
            symbolStrokeWidth=3,
            symbolOpacity=1,
        ),
    )
    end = max(float(max(ticks)), float(curve["month"].max() or 0)) + 0.5  # type: ignore[arg-type]
    scale = alt.Scale(domain=[0, end], nice=False)
    axis = alt.Axis(title="Months", values=list(ticks), grid=False)
    x = alt.X("month:Q", scale=scale, axis=axis)
    y = alt.Y(
        "survival:Q", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(title=title, format="%", tickCount=6)
    )
    band = (
        alt.Chart(curve)
        .transform_filter("isValid(datum.low)")
        .mark_area(interpolate="step-after", opacity=0.13)
        .encode(x=x, y=alt.Y("low:Q", scale=alt.Scale(domain=[0, 1])), y2="high:Q", color=colour)
    )
    line = (
        alt.Chart(curve)
        .mark_line(interpolate="step-after", strokeWidth=2.2)
        .encode(x=x, y=y, color=colour, order="month:Q")
    )
    ticks_up = (
        alt.Chart(marks)
        .mark_tick(orient="vertical", thickness=1.5, size=11, opacity=1)
        .encode(x=x, y=y, color=colour)
    )
    half = (
        alt.Chart(pl.DataFrame({"y": [0.5]}))
        .mark_rule(strokeDash=[3, 3], color=GREY, strokeWidth=1)
        .encode(y="y:Q")
    )
    upper = alt.layer(half, band, line, ticks_up).properties(width=WIDTH - 190, height=250)
    counts = (
        alt.Chart(risk)
        .mark_text(fontSize=11)
        .encode(
            x=alt.X("month:Q", scale=scale, axis=None),
            y=alt.Y(
                "group:N",
                sort=list(groups),
                axis=alt.Axis(
                    title=None, domain=False, ticks=False, grid=False, labelPadding=22, labelLimit=180
                ),
            ),
            text="n:Q",
            color=alt.Color(
                "group:N",
                scale=alt.Scale(domain=list(groups), range=list(GROUP_COLOURS[-len(groups) :])),
                legend=None,
            ),
        )
        .properties(
            width=WIDTH - 190, height=20 * len(groups), title=alt.Title("Patients at risk", fontSize=11)
        )
    )
    return alt.vconcat(upper, counts, spacing=6).resolve_scale(x="shared", color="independent")
