"""Marrow blasts over time and their best change, patient by patient."""

import altair as alt
import polars as pl

from escalon.report.theme import GREY, INK, RESPONSE_COLOURS

WIDTH = 960
CAP = 100.0
"""Changes above this percentage are drawn at it, with a mark of their own: a rise has no upper end."""


def _colour(frame: pl.DataFrame) -> alt.Color:
    found = set(frame["response"].to_list())
    order = [status for status in RESPONSE_COLOURS if status in found]
    return alt.Color(
        "response:N",
        scale=alt.Scale(domain=order, range=[_ink(RESPONSE_COLOURS[status]) for status in order]),
        legend=alt.Legend(title="Best response", orient="top", direction="horizontal", columns=0),
    )


def _ink(colour: str) -> str:
    """White marks would not be seen on the page."""
    return GREY if colour == "#FFFFFF" else colour


def _change(title: str) -> alt.Y:
    axis = alt.Axis(
        title=title, values=[-100, -75, -50, -25, 0, 25, 50, 75, 100], labelExpr="datum.value + '%'"
    )
    return alt.Y("shown:Q", scale=alt.Scale(domain=[-100, CAP], nice=False), axis=axis)


def draw_spider(points: pl.DataFrame, months: float) -> alt.LayerChart:
    """One line per patient from the baseline at 0.

    ``points``: patient, month, change (percent of the baseline), response; ``months``: end of the axis.
    """
    frame = points.with_columns(shown=pl.col("change").clip(upper_bound=CAP), above=pl.col("change") > CAP)
    first = float(frame["month"].min() or 0.0)  # type: ignore[arg-type]
    ticks = [m for m in range(0, 61, 1 if months <= 12 else 3) if m <= months]
    x = alt.X(
        "month:Q",
        scale=alt.Scale(domain=[min(first, 0.0), months], nice=False),
        axis=alt.Axis(title="Months since the first UCART22 infusion", values=ticks, grid=False),
    )
    y, colour = _change("Marrow blasts, change from baseline"), _colour(frame)
    base = alt.Chart(frame)
    lines = base.mark_line(strokeWidth=1.4, opacity=0.8).encode(
        x=x, y=y, color=colour, detail="patient:N", order="month:Q"
    )
    shape = alt.condition("datum.above", alt.value("triangle-up"), alt.value("circle"))
    marks = base.mark_point(filled=True, size=34, opacity=1).encode(x=x, y=y, color=colour, shape=shape)
    return alt.layer(_zero(), lines, marks).properties(width=WIDTH - 80, height=280)


def draw_waterfall(bars: pl.DataFrame) -> alt.LayerChart:
    """One bar per patient, the worst change first.

    ``bars``: patient, change (percent), label (the number where the bar is cut or has no height, else empty), response.
    """
    frame = bars.with_columns(shown=pl.col("change").clip(upper_bound=CAP))
    x = alt.X(
        "patient:N",
        sort=bars["patient"].to_list(),
        axis=alt.Axis(title=None, labelAngle=-90, ticks=False, labelFontSize=10),
    )
    columns = (
        alt.Chart(frame)
        .mark_bar(stroke=INK, strokeWidth=0.3)
        .encode(x=x, y=_change("Best change of marrow blasts"), color=_colour(frame))
    )
    names = alt.Chart(frame).mark_text(dy=-7, fontSize=10, color=INK).encode(x=x, y="shown:Q", text="label:N")
    width = min(WIDTH - 80, 26 * max(bars.height, 8))
    return alt.layer(_zero(), columns, names).properties(width=width, height=260)


def _zero() -> alt.Chart:
    return alt.Chart(pl.DataFrame({"shown": [0.0]})).mark_rule(color=INK, strokeWidth=0.8).encode(y="shown:Q")
