"""Populations, disposition and baseline."""

import polars as pl

from escalon.report.ard import Cells
from escalon.report.results.disposition import CATEGORIES, CONTINUOUS, POPULATIONS
from escalon.report.results.groups import TOTAL
from escalon.report.tables.layout import Grid
from escalon.report.wording import DASH, render_count, render_significant

VALUES = {
    "Y": "Yes",
    "N": "No",
    "F": "Female",
    "M": "Male",
    "FRA": "France",
    "GBR": "United Kingdom",
    "USA": "United States",
}
END_NAMES = {"COMPLETED": "Completed Month 24", "ONGOING": "Ongoing", "DISCONTINUED": "Ended early"}


def render_disposition(ard: pl.DataFrame) -> str:
    """Patients in each population and how participation ended."""
    cells = Cells(ard, "disposition")
    columns = {group: group for group in cells.groups}
    grid = Grid(
        "t-disposition",
        "Populations and disposition by dose level",
        "Patients, n (%)",
        columns,
        {},
        [
            "Level given, or level assigned when there was no infusion. Populations: share of "
            "enrolled; the rows below them: share of infused."
        ],
    )
    for flag, title in POPULATIONS.items():
        grid.add(title, _counts(cells, "population", flag), "Populations")
    for why in cells.levels("not DLT-evaluable"):
        grid.add(str(why), _counts(cells, "not DLT-evaluable", why), "Not DLT-evaluable: reason")
    for status, title in END_NAMES.items():
        grid.add(title, _counts(cells, "end of study", status), "Infused patients")
    for variable, title in (
        ("died", "Died"),
        ("transplant", "Allogeneic transplant after UCART22"),
        ("new therapy", "New anti-leukemic therapy"),
    ):
        grid.add(title, _counts(cells, variable, None), "Infused patients")
    return grid.render()


def _counts(cells: Cells, variable: str, level: str | None) -> dict[str, str]:
    return {
        group: render_count(cells.get("n", group, variable, level), cells.get("N", group, variable, level))
        for group in cells.groups
    }


def render_baseline(ard: pl.DataFrame) -> str:
    """Who the infused patients were."""
    cells = Cells(ard, "baseline")
    columns = {group: f"{group} (N = {int(cells.get('N', group, 'infused') or 0)})" for group in cells.groups}
    grid = Grid(
        "t-baseline",
        "Baseline characteristics, infused patients",
        "Characteristic",
        columns,
        {},
        ["Median (range) or n (%)."],
    )
    for name, (title, unit) in CONTINUOUS.items():
        row = {}
        for group in cells.groups:
            middle, low, high = (cells.get(stat, group, name) for stat in ("median", "min", "max"))
            shown = f"{render_significant(middle)} ({render_significant(low)}–{render_significant(high)})"
            row[group] = DASH if middle is None else shown
        grid.add(f"{title}, {unit}", row, "Median (range)")
    for name, title in CATEGORIES.items():
        for value in cells.levels(name):
            if cells.get("n", TOTAL, name, value):
                grid.add(VALUES.get(str(value), str(value)), _counts(cells, name, value), title)
    return grid.render()
