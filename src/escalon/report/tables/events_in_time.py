"""Rates per patient-year, onset and resolution of adverse events; deaths by cause."""

import polars as pl

from escalon.report.ard import Cells
from escalon.report.results.events_in_time import EVENTS
from escalon.report.results.groups import TOTAL
from escalon.report.tables.layout import Grid
from escalon.report.wording import DASH, NE, render_count, render_interval, render_number


def render_rates(ard: pl.DataFrame) -> str:
    """Events per patient-year by level."""
    cells = Cells(ard, "events in time")
    columns = {}
    for group in cells.groups:
        years = cells.get("years", group, "any", "rate")
        columns[group] = f"{group} ({render_number(years or 0.0, 1)} years)"
    columns |= {"ci": "Total, 95% CI", "events": "Events"}
    grid = Grid(
        "t-ae-rates",
        "Adverse events per patient-year from the UCART22 infusion on, infused patients",
        "Events",
        columns,
        {},
        [
            "Every event counts; time from the infusion to the last contact, death or end of study. "
            "Interval: exact Poisson, events taken as independent."
        ],
    )
    for name, (title, _) in EVENTS.items():
        found = {group: _rate(cells, group, name) for group in cells.groups}
        ends = [cells.get(end, TOTAL, name, "rate") for end in ("conf.low", "conf.high")]
        found |= {
            "ci": render_interval(*ends, 2),
            "events": f"{int(cells.get('events', TOTAL, name, 'rate') or 0)}",
        }
        grid.add(title, found)
    return grid.render()


def _rate(cells: Cells, group: str, name: str) -> str:
    rate = cells.get("rate", group, name, "rate")
    return DASH if rate is None else render_number(rate, 2)


def render_onset(ard: pl.DataFrame) -> str:
    """First event of each patient: day of onset, and how long it lasted."""
    cells = Cells(ard, "events in time")
    columns = {
        "n": "Patients, n (%)",
        "onset": "Onset, day: median (range)",
        "resolved": "Resolved / patients",
        "median": "Days to resolution: median (95% CI)",
    }
    grid = Grid(
        "t-ae-onset",
        "Onset and resolution of the first event, infused patients, all dose levels",
        "Event",
        columns,
        {},
        [
            "Day 0 is the infusion. Resolution: Kaplan-Meier from onset; an event that goes on at the last contact "
            f"is censored there, never taken as resolved. {NE}: not estimable."
        ],
    )
    for name, (title, _) in EVENTS.items():
        n, size = cells.get("n", TOTAL, name, "onset"), cells.get("N", TOTAL, name, "rate")
        row = {"n": render_count(n, size), "onset": DASH, "resolved": DASH, "median": DASH}
        if n:
            middle, low, high = (cells.get(s, TOTAL, name, "onset") for s in ("median", "min", "max"))
            row["onset"] = f"{render_number(middle, 1)} ({render_number(low, 0)}–{render_number(high, 0)})"
            row["resolved"] = f"{int(cells.get('n', TOTAL, name, 'resolution') or 0)} / {int(n)}"
            found = [cells.get(s, TOTAL, name, "resolution") for s in ("median", "conf.low", "conf.high")]
            row["median"] = f"{render_number(found[0], 1)} ({render_interval(found[1], found[2])})"
        grid.add(title, row)
    return grid.render()


def render_deaths(ard: pl.DataFrame) -> str:
    """Deaths by cause and level."""
    cells = Cells(ard, "deaths")
    sizes = {g: int(cells.get("N", g, "death", "Any cause") or 0) for g in cells.groups}
    grid = Grid(
        "t-deaths",
        "Deaths of infused patients by cause",
        "Cause",
        {group: f"{group} (N = {size})" for group, size in sizes.items()},
        {},
        ["n (%). The cause the investigator gave, at any time to the data cut."],
    )
    for cause in cells.levels("death"):
        row = {g: render_count(cells.get("n", g, "death", cause), sizes[g]) for g in cells.groups}
        grid.add(str(cause).capitalize(), row, indent=cause != "Any cause")
    return grid.render()
