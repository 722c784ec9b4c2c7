"""The DLT windows of patients at a data cut: how far each has come, and what was judged."""

import altair as alt
import polars as pl

from escalon.report.theme import DLT_COLOURS, GREY, INK, LIGHT

STATUS = {"DLT": "DLT", "NO_DLT": "No DLT", "NOT_EVALUABLE": "Not evaluable", "PENDING": "Pending"}
ROW = 22


def draw_windows(patients: pl.DataFrame, window_days: int) -> alt.LayerChart:
    """One bar a patient from the infusion to the cut, at most to the end of the window.

    Parameters: ``patients`` patient (shown, with its level), day (days since the infusion), status (a key of STATUS).
    """
    frame = patients.with_columns(
        seen=pl.min_horizontal(pl.col("day"), pl.lit(window_days)),
        end=pl.lit(window_days),
        word=pl.col("status").replace_strict(STATUS),
    )
    y = alt.Y("patient:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False, labelPadding=6))
    x = alt.Scale(domain=[0, window_days])
    base = alt.Chart(frame)
    whole = base.mark_bar(color=LIGHT, size=12).encode(y=y, x=alt.X("zero:Q", scale=x), x2="end:Q")
    whole = whole.transform_calculate(zero="0")
    seen = (
        base.mark_bar(size=12, stroke=GREY, strokeWidth=0.5)
        .transform_calculate(zero="0")
        .encode(
            y=y,
            x=alt.X(
                "zero:Q",
                scale=x,
                title="Days after the infusion",
                axis=alt.Axis(values=list(range(0, window_days + 1, 7))),
            ),
            x2="seen:Q",
            color=alt.Color(
                "word:N",
                title=None,
                scale=alt.Scale(domain=list(DLT_COLOURS), range=list(DLT_COLOURS.values())),
                legend=alt.Legend(orient="top"),
            ),
        )
    )
    label = base.mark_text(align="left", dx=4, fontSize=10, color=INK).encode(
        y=y, x=alt.X("seen:Q", scale=x), text="day:Q"
    )
    return alt.layer(whole, seen, label).properties(width=620, height=ROW * max(patients.height, 1))
