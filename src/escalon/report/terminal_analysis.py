"""Survival and pharmacokinetic answers in the terminal."""

from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table


def print_km(answer: dict[str, Any]) -> None:
    """Print Kaplan-Meier estimates: one row per group, then landmarks and the log-rank test."""
    console = Console()
    grid = Table(box=box.SIMPLE_HEAD)
    for name in ("group", "patients", "events", "median", "interval", "follow-up"):
        grid.add_column(name, justify="left" if name == "group" else "right")
    for row in answer["groups"]:
        median = row["median"]
        follow_up = _number(row["follow_up"]["value"])
        grid.add_row(
            row["group"],
            str(row["n"]),
            str(row["events"]),
            _number(median["value"]),
            _interval(median),
            follow_up,
        )
    console.print(grid)
    for row in answer["groups"]:
        for landmark in row["at"]:
            console.print(
                f"{row['group']}, at {landmark['time']:g}: {_number(landmark['value'])} ({_interval(landmark)}), "
                f"{landmark['n_at_risk']} at risk",
                highlight=False,
            )
    test = answer["log_rank"]
    if test is not None and test["p_value"] is not None:
        console.print(
            f"Log-rank: chi-squared {test['chi2']:.4f}, {test['df']} df, p = {test['p_value']:.4g}",
            highlight=False,
        )
    percent = 100 * answer["conf_level"]
    console.print(
        f"Intervals: {percent:g} %, {answer['conf_type']}; plateau rule {answer['quantile_rule']}; NE not estimable",
        highlight=False,
    )


def print_nca(answer: dict[str, Any]) -> None:
    """Print parameters: one table per subject, with the reason where a value is missing."""
    console = Console()
    for row in answer["subjects"]:
        grid = Table(box=box.SIMPLE_HEAD, title=f"Subject {row['subject']}", title_justify="left")
        for name in ("code", "parameter", "value", "unit", "note"):
            grid.add_column(name, justify="right" if name == "value" else "left")
        for item in row["parameters"]:
            value = "NC" if item["value"] is None else f"{item['value']:.6g}"
            note = item["reason"] or item["flag"] or _range(item)
            grid.add_row(item["code"], item["name"], value, item["unit"] or "", note)
        console.print(grid)
        for note in row["notes"]:
            console.print(f"  {note}", highlight=False)
    console.print(f"Method: {answer['method']}", highlight=False)


def _range(item: dict[str, Any]) -> str:
    return "" if item["end"] is None else f"{item['start']:g} to {item['end']:g}"


def _interval(estimate: dict[str, Any]) -> str:
    return f"{_number(estimate['low'])} to {_number(estimate['high'])}"


def _number(value: float | None) -> str:
    return "NE" if value is None else f"{value:.4g}"
