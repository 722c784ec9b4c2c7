"""Figures of the design report: from its numbers to charts with captions."""

from itertools import pairwise
from math import exp

import numpy as np
import polars as pl

from escalon.report import design_figures as draw
from escalon.report.design_content import DesignContent, MovingDose, prob_right, right_answer
from escalon.report.figures.escalation import draw_characteristics
from escalon.report.pictures.picture import Picture, make_picture
from escalon.report.wording import render_percent


def _target(content: DesignContent) -> str:
    return f"{render_percent(content.plan.rule.target_rate, 0)}%"


def picture_selection(content: DesignContent) -> Picture:
    """Selection probabilities by scenario."""
    rows = []
    for key, found in content.characteristics.items():
        name = content.title(key)
        for index, label in enumerate(content.labels):
            row = {"scenario": name, "level": label, "select": float(found.prob_select[index])}
            rows.append(row | {"truth": float(found.prob_tox[index])})
        rows.append({"scenario": name, "level": "none", "select": found.prob_none, "truth": None})
    frame = pl.DataFrame(rows, schema_overrides={"select": pl.Float64, "truth": pl.Float64})
    caption = (
        "Bars: probability that the level (or none) is selected as MTD. Red ticks: true DLT probability in "
        f"that scenario; the target is {_target(content)}."
    )
    return make_picture(
        "f-selection", "What is selected", caption, draw_characteristics(frame, content.labels)
    )


def picture_allocation(content: DesignContent) -> Picture:
    """Expected patients per level by scenario."""
    rows = []
    for key, found in content.characteristics.items():
        edges = np.concatenate([[0.0], np.cumsum(found.mean_n)])
        for index, label in enumerate(content.labels):
            rows.append(
                {
                    "scenario": content.title(key),
                    "level": label,
                    "order": index,
                    "mean_n": float(found.mean_n[index]),
                    "start": float(edges[index]),
                    "end": float(edges[index + 1]),
                    "mean_dlt": float(found.mean_dlt[index]),
                }
            )
    caption = f"Average number of patients at each level; at most {content.plan.max_total} are treated."
    chart = draw.draw_allocation(pl.DataFrame(rows), content.labels, content.plan.max_total)
    return make_picture("f-allocation", "Who is treated at which level", caption, chart)


def picture_sizes(content: DesignContent) -> Picture:
    """Distribution of the sample size by scenario."""
    rows = [
        {"scenario": content.title(key), "n": n, "probability": p}
        for key, found in content.characteristics.items()
        for n, p in found.n_distribution.items()
    ]
    frame = pl.DataFrame(rows, schema_overrides={"n": pl.Int64, "probability": pl.Float64})
    caption = "Probability that the escalation ends after this many patients."
    return make_picture("f-sizes", "How many patients the escalation takes", caption, draw.draw_sizes(frame))


def picture_moving(content: DesignContent) -> Picture | None:
    """What is selected as the true dose moves."""
    moving = content.moving
    if moving is None:
        return None
    rows = []
    for position, found in zip(moving.positions, moving.results, strict=True):
        chances = [found.prob_none, *map(float, found.prob_select)]
        for order, (answer, p) in enumerate(zip([draw.NONE, *content.labels], chances, strict=True)):
            rows.append({"position": position, "answer": answer, "order": order, "probability": p})
    caption = (
        f"One truth per point of the axis: the DLT probability equals {_target(content)} at that place, and "
        f"the odds of a DLT rise {exp(moving.step):.1f}-fold from level to level, as in the default scenario. "
        "The strip above shows what a perfect trial would select; the more of the area below it has the same "
        "colour, the better."
    )
    chart = draw.draw_moving(
        pl.DataFrame(rows), _right_bands(content, moving), content.labels, _target(content)
    )
    return make_picture("f-moving", "What is selected, wherever the right dose lies", caption, chart)


def _right_bands(content: DesignContent, moving: MovingDose) -> pl.DataFrame:
    """Stretches of the axis with the same right answer."""
    answers = [right_answer(found) for found in moving.results]
    half = (moving.positions[1] - moving.positions[0]) / 2
    starts = [0, *(i for i in range(1, len(answers)) if answers[i] != answers[i - 1]), len(answers)]
    rows = []
    for first, after in pairwise(starts):
        level = answers[first]
        rows.append(
            {
                "low": max(moving.positions[first] - half, moving.positions[0]),
                "high": min(moving.positions[after - 1] + half, moving.positions[-1]),
                "answer": draw.NONE if level is None else content.labels[level - 1],
            }
        )
    return pl.DataFrame(rows)


def picture_correct(content: DesignContent) -> Picture | None:
    """Probability of the right answer and of the errors on either side as the true dose moves."""
    moving = content.moving
    if moving is None:
        return None
    rows: list[dict[str, object]] = []
    stretch, before = 0, right_answer(moving.results[0])
    for position, found in zip(moving.positions, moving.results, strict=True):
        level, right = right_answer(found), prob_right(found)
        stretch, before = stretch + (level != before), level
        high = float(found.prob_select[level or 0 :].sum())
        measures = {
            "Right answer": right,
            "Higher than the right dose": high,
            "Lower, or no dose": 1 - right - high,
        }
        rows += [
            {"position": position, "measure": name, "probability": max(p, 0.0), "stretch": stretch}
            for name, p in measures.items()
        ]
    caption = (
        "The same truths; the lines break where the right answer changes. Just there two levels are almost "
        "equally right, and no design can tell them apart: the probability of the one right answer dips."
    )
    chart = draw.draw_correct(pl.DataFrame(rows), content.labels, _target(content))
    return make_picture("f-correct", "Probability of the right answer", caption, chart)


def picture_surface(content: DesignContent) -> Picture | None:
    """Probability of the right answer over place and steepness."""
    moving = content.moving
    if moving is None:
        return None
    positions = moving.positions[::2]
    half = (positions[1] - positions[0]) / 2
    rise = (moving.steps[1] - moving.steps[0]) / 2
    rows = [
        {
            "low": max(x - half, positions[0]),
            "high": min(x + half, positions[-1]),
            "below": exp(s - rise),
            "above": exp(s + rise),
            "probability": float(moving.surface[i, j]),
        }
        for i, s in enumerate(moving.steps)
        for j, x in enumerate(positions)
    ]
    caption = (
        f"{moving.surface.size:,} truths, each exact: where the right dose lies (across) and how steeply "
        "toxicity rises (up). Steep curves are easy, flat ones hard; the dashed line is the steepness of the "
        "default scenario."
    )
    chart = draw.draw_surface(pl.DataFrame(rows), content.labels, _target(content), exp(moving.step))
    return make_picture("f-surface", "Right answer by place and steepness", caption, chart)


def picture_comparison(content: DesignContent) -> Picture | None:
    """Designs side by side."""
    if not content.rivals:
        return None
    panels = {
        "p_right": "P(right answer)",
        "p_over": f"P(MTD above {_target(content)})",
        "n_over": f"Expected patients above {_target(content)}",
        "dlt": "Expected DLTs",
    }
    rows = [
        {
            "scenario": content.title(row.scenario),
            "design": row.plan,
            "p_right": prob_right(row.characteristics),
            "p_over": row.characteristics.prob_select_overdose,
            "n_over": row.characteristics.mean_n_overdose,
            "dlt": row.characteristics.mean_total_dlt,
        }
        for key in content.characteristics
        for row in content.comparison
        if row.scenario == key
    ]
    caption = (
        "A point further right is better in the first panel and worse in the others. The numbers are in the "
        "table below."
    )
    return make_picture(
        "f-comparison",
        "This plan beside the usual designs",
        caption,
        draw.draw_comparison(pl.DataFrame(rows), panels),
    )


def picture_joint(content: DesignContent) -> Picture | None:
    """Where escalation and expansion end."""
    if content.joint is None:
        return None
    rows = []
    for key, found in content.joint.items():
        parts = {label: float(p) for label, p in zip(content.labels, found.prob_complete, strict=True)}
        parts |= {draw.STOPPED: float(found.prob_stop_toxicity.sum()), draw.NONE: found.prob_none}
        edge = 0.0
        for course, p in parts.items():
            rows.append(
                {
                    "scenario": content.title(key),
                    "course": course,
                    "probability": p,
                    "start": edge,
                    "end": edge + p,
                }
            )
            edge += p
    caption = (
        "Coloured: the level is selected and its expansion is completed. Dark: a level is selected, but the "
        "expansion is stopped because its DLT rate is too high."
    )
    return make_picture(
        "f-joint",
        "Escalation and expansion together",
        caption,
        draw.draw_joint(pl.DataFrame(rows), content.labels),
    )
