"""Charts of the design report: allocation, sample size, the moving dose, comparison, expansion."""

import textwrap
from collections.abc import Mapping, Sequence

import altair as alt
import polars as pl

from escalon.report.theme import BLACK, BLUE, GREEN, GREY, INK, ORANGE, PURPLE, VERMILLION, level_scale

WIDTH = 960
NONE = "No dose"
STOPPED = "Stopped for toxicity"
DESIGN_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, BLACK)
DESIGN_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross")


def _rows(scenarios: Sequence[str], wide: int = 30) -> alt.Y:
    """Scenarios down the side in their order, long titles broken."""
    lookup = {title: textwrap.wrap(title, wide) for title in scenarios}
    return alt.Y(
        "scenario:N",
        sort=list(scenarios),
        axis=alt.Axis(
            title=None,
            labelExpr=f"({lookup!r})[datum.value]",
            labelLimit=240,
            ticks=False,
            domain=False,
            grid=True,
            tickBand="extent",
        ),
    )


def _ink(labels: Sequence[str], column: str) -> dict[str, object]:
    """White letters on the dark colours of the levels, black on the others."""
    dark = [label for index, label in enumerate(labels) if index in (1, 3, 6) or label == STOPPED]
    return alt.condition(f"indexof({dark!r}, datum.{column}) >= 0", alt.value("#FFFFFF"), alt.value(BLACK))


def _legend() -> alt.Legend:
    return alt.Legend(title=None, orient="top", direction="horizontal", columns=0, symbolSize=110)


def draw_allocation(patients: pl.DataFrame, labels: Sequence[str], most: int) -> alt.LayerChart:
    """Expected patients per level, one bar per scenario; the number stands inside where there is room.

    `patients`: scenario, level, order (0, 1, ...), mean_n, start, end (running sums), mean_dlt.
    """
    scenarios = patients["scenario"].unique(maintain_order=True).to_list()
    x = alt.X(
        "start:Q",
        scale=alt.Scale(domain=[0, most], nice=False),
        axis=alt.Axis(title="Expected patients", tickCount=12),
    )
    y = _rows(scenarios)
    base = alt.Chart(patients)
    bars = base.mark_bar(height={"band": 0.72}, stroke="#FFFFFF", strokeWidth=1).encode(
        x=x, x2="end:Q", y=y, color=alt.Color("level:N", scale=level_scale(labels), legend=_legend())
    )
    inside = (
        base.transform_filter("datum.mean_n >= 0.9")
        .transform_calculate(middle="(datum.start + datum.end) / 2", said="format(datum.mean_n, '.1f')")
        .mark_text(fontSize=11, fontWeight="bold")
        .encode(x=alt.X("middle:Q"), y=y, text="said:N", color=_ink(labels, "level"))
    )
    ends = patients.group_by("scenario", maintain_order=True).agg(
        pl.col("end").max(), pl.col("mean_dlt").sum().alias("dlt")
    )
    total = (
        alt.Chart(ends)
        .transform_calculate(
            said="format(datum.end, '.1f') + ' patients, ' + format(datum.dlt, '.1f') + ' DLTs'"
        )
        .mark_text(align="left", dx=7, fontSize=11, color=INK)
        .encode(x="end:Q", y=y, text="said:N")
    )
    return alt.layer(bars, inside, total).properties(width=WIDTH - 240, height=40 * len(scenarios))


def draw_sizes(sizes: pl.DataFrame) -> alt.VConcatChart:
    """Probability of each sample size, a panel per scenario. `sizes`: scenario, n, probability."""
    scenarios = sizes["scenario"].unique(maintain_order=True).to_list()
    shown = sizes["n"].unique().sort().to_list()
    per_row = min(len(scenarios), 5) or 1
    width = int((WIDTH - 60 - 22 * (per_row - 1)) / per_row)
    top = float(sizes["probability"].max() or 1.0)  # type: ignore[arg-type]
    panels = []
    for index, name in enumerate(scenarios):
        first = index % per_row == 0
        axis = alt.Axis(
            title="Probability" if first else None,
            format="%",
            tickCount=5,
            labels=first,
            ticks=first,
            domain=first,
        )
        x = alt.X(
            "n:O",
            scale=alt.Scale(domain=shown),
            axis=alt.Axis(title="Patients", labelAngle=0, labelOverlap=True),
        )
        y = alt.Y("probability:Q", scale=alt.Scale(domain=[0, top]), axis=axis)
        heading = alt.Title(textwrap.wrap(name, max(width // 7, 12)), fontSize=11, fontWeight="normal")
        chart = alt.Chart(sizes.filter(pl.col("scenario") == name)).mark_bar(color=BLUE, opacity=0.85)
        panels.append(chart.encode(x=x, y=y).properties(width=width, height=130, title=heading))
    lines = [alt.hconcat(*panels[k : k + per_row], spacing=14) for k in range(0, len(panels), per_row)]
    return alt.vconcat(*lines)


def _positions(labels: Sequence[str], title: str | None, column: str = "position") -> alt.X:
    """Axis of the true dose in `column`: levels by name, one step beyond either end."""
    names = {0: f"below {labels[0]}", len(labels) + 1: f"above {labels[-1]}"}
    names |= {number: label for number, label in enumerate(labels, start=1)}
    axis = alt.Axis(
        title=title,
        values=list(range(len(labels) + 2)),
        labelExpr=f"({names!r})[datum.value]",
        labels=title is not None,
        grid=True,
        labelFlush=True,
    )
    return alt.X(f"{column}:Q", scale=alt.Scale(domain=[0, len(labels) + 1], nice=False), axis=axis)


def _strip(right: pl.DataFrame, labels: Sequence[str], scale: alt.Scale) -> alt.LayerChart:
    """The right answer along the axis of the true dose."""
    strip = alt.Chart(right).encode(
        x=alt.X("low:Q", scale=alt.Scale(domain=[0, len(labels) + 1], nice=False), axis=None)
    )
    boxes = strip.mark_rect(stroke="#FFFFFF", strokeWidth=2).encode(
        x2="high:Q", color=alt.Color("answer:N", scale=scale, legend=None)
    )
    names = (
        alt.Chart(right)
        .transform_calculate(middle="(datum.low + datum.high) / 2")
        .mark_text(fontSize=11, fontWeight="bold")
        .encode(x="middle:Q", text="answer:N", color=_ink(labels, "answer"))
    )
    return alt.layer(boxes, names).properties(
        width=WIDTH - 70, height=24, title=alt.Title("Right answer", fontSize=11, fontWeight="normal")
    )


def draw_moving(
    chances: pl.DataFrame, right: pl.DataFrame, labels: Sequence[str], target: str
) -> alt.VConcatChart:
    """What is selected as the dose that meets the target moves along the levels.

    `chances`: position, answer (level label or `NONE`), order, probability; `right`: low, high (positions), answer.
    """
    answers = [NONE, *labels]
    base_scale = level_scale(labels)
    scale = alt.Scale(domain=answers, range=["#C9CED5", *base_scale.range])
    colour = alt.Color("answer:N", scale=scale, sort=answers, legend=_legend())
    title = f"Dose level at which the true DLT probability is exactly {target}"
    top = _strip(right, labels, scale)
    areas = (
        alt.Chart(chances)
        .mark_area(stroke="#FFFFFF", strokeWidth=1, opacity=0.9)
        .encode(
            x=_positions(labels, title),
            y=alt.Y(
                "probability:Q",
                stack="zero",
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(title="Probability of selection", format="%", tickCount=5),
            ),
            color=colour,
            order=alt.Order("order:Q"),
        )
        .properties(width=WIDTH - 70, height=230)
    )
    return alt.vconcat(top, areas, spacing=6).resolve_scale(x="independent", color="independent")


def draw_correct(lines: pl.DataFrame, labels: Sequence[str], target: str) -> alt.Chart:
    """Probability of the right answer, of too high a dose, of too low a dose.

    `lines`: position, measure, probability, stretch (number of the stretch with one right answer: lines break there).
    """
    measures = lines["measure"].unique(maintain_order=True).to_list()
    scale = alt.Scale(domain=measures, range=[BLUE, VERMILLION, GREY][: len(measures)])
    dashes = alt.Scale(domain=measures, range=[[1, 0], [6, 3], [2, 3]][: len(measures)])
    legend = alt.Legend(
        title=None, orient="top", direction="horizontal", columns=0, symbolStrokeWidth=3, labelLimit=420
    )
    return (
        alt.Chart(lines)
        .mark_line(strokeWidth=2.4)
        .encode(
            x=_positions(labels, f"Dose level at which the true DLT probability is exactly {target}"),
            y=alt.Y(
                "probability:Q",
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(title="Probability", format="%", tickCount=5),
            ),
            color=alt.Color("measure:N", scale=scale, sort=measures, legend=legend),
            detail="stretch:N",
            strokeDash=alt.StrokeDash("measure:N", scale=dashes, sort=measures, legend=legend),
        )
        .properties(width=WIDTH - 70, height=190)
    )


def draw_surface(cells: pl.DataFrame, labels: Sequence[str], target: str, own: float) -> alt.LayerChart:
    """Probability of the right answer by place and steepness. `cells`: low, high, below, above, probability.

    `own`: odds ratio per level of the default scenario, drawn as a line.
    """
    x = _positions(labels, f"Dose level at which the true DLT probability is exactly {target}", "low")
    ticks = [1.5, 2, 3, 4, 6, 8, 10, 12]
    y = alt.Y(
        "below:Q",
        scale=alt.Scale(
            type="log", nice=False, domain=[float(cells["below"].min()), float(cells["above"].max())]
        ),  # type: ignore[arg-type]
        axis=alt.Axis(
            title="Odds of a DLT from level to level, times", values=ticks, format="~g", grid=False
        ),
    )
    colour = alt.Color(
        "probability:Q",
        scale=alt.Scale(scheme="viridis", domain=[0, 1]),
        legend=alt.Legend(title="P(right answer)", format="%", orient="right", gradientLength=200),
    )
    boxes = alt.Chart(cells).mark_rect().encode(x=x, x2="high:Q", y=y, y2="above:Q", color=colour)
    mark = pl.DataFrame({"below": [own], "said": ["default scenario"]})
    line = alt.Chart(mark).mark_rule(color="#FFFFFF", strokeDash=[6, 4], strokeWidth=1.6).encode(y="below:Q")
    name = (
        alt.Chart(mark)
        .mark_text(align="left", dx=6, dy=-7, color="#FFFFFF", fontSize=11, fontWeight="bold")
        .encode(x=alt.value(0), y="below:Q", text="said:N")
    )
    return alt.layer(boxes, line, name).properties(width=WIDTH - 170, height=230)


def draw_comparison(values: pl.DataFrame, panels: Mapping[str, str]) -> alt.HConcatChart:
    """A point per design and scenario, one panel per measure.

    `values`: scenario, design, and a column per key of `panels`, whose value is
    its heading; columns whose name starts with `p_` are probabilities.
    """
    scenarios = values["scenario"].unique(maintain_order=True).to_list()
    designs = values["design"].unique(maintain_order=True).to_list()
    colour = alt.Color(
        "design:N",
        sort=designs,
        scale=alt.Scale(domain=designs, range=list(DESIGN_COLOURS)),
        legend=_legend(),
    )
    shape = alt.Shape(
        "design:N", sort=designs, scale=alt.Scale(domain=designs, range=list(DESIGN_SHAPES)), legend=_legend()
    )
    offset = alt.YOffset("design:N", sort=designs, scale=alt.Scale(domain=designs, paddingOuter=0.9))
    bare = alt.Axis(title=None, labels=False, ticks=False, domain=False, grid=True, tickBand="extent")
    points = (
        alt.Chart(values)
        .mark_point(filled=True, size=75, opacity=0.95, stroke="#FFFFFF", strokeWidth=0.5)
        .encode(y=alt.Y("scenario:N", sort=scenarios, axis=bare), color=colour, shape=shape, yOffset=offset)
        .properties(width=168, height=74 * len(scenarios))
    )
    charts = []
    for key, heading in panels.items():
        share = key.startswith("p_")
        axis = alt.Axis(title=None, format="%" if share else "~r", tickCount=5)
        scale = alt.Scale(domain=[0, 1]) if share else alt.Scale(zero=True)
        chart = points.encode(x=alt.X(f"{key}:Q", scale=scale, axis=axis))
        charts.append(
            chart.properties(title=alt.Title(textwrap.wrap(heading, 26), fontSize=11, fontWeight="bold"))
        )
    charts[0] = charts[0].encode(y=_rows(scenarios, 26))
    return alt.hconcat(*charts, spacing=20)


def draw_joint(courses: pl.DataFrame, labels: Sequence[str]) -> alt.LayerChart:
    """Where escalation and expansion end, one bar per scenario.

    `courses`: scenario, course (label of the level with a completed expansion, `STOPPED` or `NONE`), probability,
    start, end (running sums).
    """
    scenarios = courses["scenario"].unique(maintain_order=True).to_list()
    domain = [*labels, STOPPED, NONE]
    scale = alt.Scale(domain=domain, range=[*level_scale(labels).range, INK, "#C9CED5"])
    y = _rows(scenarios)
    x = alt.X("start:Q", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(title="Probability", format="%"))
    base = alt.Chart(courses)
    bars = base.mark_bar(height={"band": 0.72}, stroke="#FFFFFF", strokeWidth=1).encode(
        x=x, x2="end:Q", y=y, color=alt.Color("course:N", scale=scale, sort=domain, legend=_legend())
    )
    inside = (
        base.transform_filter("datum.probability >= 0.05")
        .transform_calculate(middle="(datum.start + datum.end) / 2", said="format(datum.probability, '.0%')")
        .mark_text(fontSize=11, fontWeight="bold")
        .encode(x="middle:Q", y=y, text="said:N", color=_ink([*labels, STOPPED], "course"))
    )
    return alt.layer(bars, inside).properties(width=WIDTH - 240, height=40 * len(scenarios))
