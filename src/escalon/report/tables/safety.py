"""Adverse event tables and the listing of serious adverse events."""

from collections.abc import Mapping

import polars as pl

from escalon.protocol.study import Grading
from escalon.report.ard import Cells
from escalon.report.results.groups import TOTAL
from escalon.report.results.safety import GROUPINGS, SETS
from escalon.report.tables.layout import Grid
from escalon.report.wording import DASH, render_count, render_date

VIEW_TITLES = {
    "ld": "Adverse events from the first lymphodepletion dose on, patients who started lymphodepletion",
    "inf": "Adverse events from the UCART22 infusion on, infused patients",
}
AESI_NAMES: Mapping[str, str] = {
    "CRS": "Cytokine release syndrome (ASTCT)",
    "ICANS": "Neurotoxicity, ICANS (ASTCT)",
    "GVHD": "Graft-versus-host disease (MAGIC)",
    "INFECTION": "Infection",
    "INFUSION REACTION": "Infusion reaction",
    "CYTOPENIA": "Cytopenia (any duration)",
    "IEC-HS": "IEC-HS",
    "TLS": "Tumour lysis syndrome",
}


def _headings(cells: Cells, variable: str) -> dict[str, str]:
    """Group names with their sizes."""
    sizes = {}
    for group in cells.groups:
        size = cells.get("N", group, variable, cells.levels(variable)[0])
        sizes[group] = f"{group} (N = {int(size or 0)})"
    return sizes


def render_overview(ard: pl.DataFrame, view: str, column: str | None = None) -> str:
    """Patients with at least one event of each kind, by dose level or by a ``column`` of GROUPINGS."""
    cells = Cells(ard, f"ae_overview_{view}" + (f"_{column}" if column else ""))
    columns = _headings(cells, "any") if cells.groups else {}
    grid = Grid(
        f"t-ae-overview-{view}" + (f"-{column.lower()}" if column else ""),
        VIEW_TITLES[view] + (f", by {GROUPINGS[column]}" if column else ""),
        "Patients with at least one, n (%)",
        columns | {"events": "Events, all"},
        {},
        [
            "Related: the stronger of the investigator's and the sponsor's judgement is possible, probable or "
            "definite. Lymphodepletion: any of CLLS52, fludarabine and cyclophosphamide. A patient counts once per "
            "row; an event may be related to both."
        ],
    )
    for key, event_set in SETS.items():
        row = {}
        for group in cells.groups:
            row[group] = render_count(
                cells.get("n", group, key, event_set.label), cells.get("N", group, key, event_set.label)
            )
        row["events"] = f"{int(cells.get('events', TOTAL, key, event_set.label) or 0)}"
        grid.add(event_set.label, row, indent="_" in key and not key.startswith("related"))
    return grid.render()


def render_groupings(ard: pl.DataFrame, grading: Grading) -> str:
    """Overviews and terms by regimen and by process, one table after the other."""
    parts = []
    for column, name in GROUPINGS.items():
        parts += [render_overview(ard, view, column) for view in VIEW_TITLES]
        caption = f"Adverse events from the first lymphodepletion dose on, by {name}, class and term"
        parts.append(
            render_terms(ard, f"ae_terms_{column}", caption, f"t-ae-terms-{column.lower()}", grading)
        )
    return "\n".join(parts)


def render_terms(ard: pl.DataFrame, analysis: str, caption: str, ident: str, grading: Grading) -> str:
    """Class and term by level: all grades, and grade 3 or higher; the note names the study's criteria."""
    cells = Cells(ard, analysis)
    shown = [group for group in cells.groups if any(cells.get("N", group, v) for v in cells.variables)]
    columns, spanners = {}, {}
    for group in shown:
        size = max(
            int(cells.get("N", group, v, level) or 0) for v in cells.variables for level in cells.levels(v)
        )
        columns |= {f"{group} all": "All", f"{group} g3": "≥3"}
        spanners[f"{group} (N = {size})"] = [f"{group} all", f"{group} g3"]
    notes = [
        "n (%) of patients, each once per row at the highest grade. All: any grade; ≥3: highest grade 3 or more. "
        f"CTCAE {grading.ctcae}; CRS by {grading.crs}, ICANS by {grading.icans}, acute GvHD by {grading.gvhd}, "
        f"{grading.iec_hs}."
    ]
    grid = Grid(ident, caption, "System organ class / term", columns, spanners, notes)
    for variable in cells.variables:
        for level in cells.levels(variable):
            row = {}
            for group in shown:
                total = cells.get("N", group, variable, level)
                row[f"{group} all"] = render_count(cells.get("n", group, variable, level), total)
                row[f"{group} g3"] = render_count(cells.get("n.grade3+", group, variable, level), total)
            name = level or ("Any adverse event" if variable == "Any" else variable)
            grid.add(name, row, indent=level is not None)
    return grid.render()


def render_grades(
    ard: pl.DataFrame, analysis: str, caption: str, ident: str, names: Mapping[str, str] | None = None
) -> str:
    """All levels together: patients by highest grade."""
    cells = Cells(ard, analysis)
    grades = {f"n.grade{grade}": f"Grade {grade}" for grade in range(1, 6)}
    grid = Grid(
        ident, caption, "System organ class / term", {"n": "Any grade"} | grades, {}, ["n (%) of patients."]
    )
    for variable in cells.variables:
        for level in cells.levels(variable):
            total = cells.get("N", TOTAL, variable, level)
            row = {}
            for key in ("n", *grades):
                row[key] = render_count(cells.get(key, TOTAL, variable, level) or 0, total)
            name = level or ("Any event" if variable == "Any" else (names or {}).get(variable, variable))
            grid.add(name, row, indent=level is not None)
    return grid.render()


def render_special(ard: pl.DataFrame) -> str:
    """Events of special interest by level: all grades and grade 3 or higher."""
    cells = Cells(ard, "aesi")
    columns, spanners = {}, {}
    for group in (group for group in cells.groups if any(cells.get("N", group, v) for v in cells.variables)):
        size = max(int(cells.get("N", group, v) or 0) for v in cells.variables)
        columns |= {f"{group} all": "All", f"{group} g3": "≥3"}
        spanners[f"{group} (N = {size})"] = [f"{group} all", f"{group} g3"]
    grid = Grid(
        "t-aesi",
        "Adverse events of special interest by dose level",
        "Event",
        columns,
        spanners,
        ["n (%) of patients."],
    )
    for variable in cells.variables:
        row = {}
        for key in columns:
            group, kind = key.rsplit(" ", 1)
            stat = "n" if kind == "all" else "n.grade3+"
            row[key] = render_count(cells.get(stat, group, variable), cells.get("N", group, variable))
        grid.add(
            "Any of these" if variable == "Any" else AESI_NAMES.get(variable, variable.capitalize()), row
        )
    return grid.render()


def render_serious(adae: pl.DataFrame) -> str:
    """Listing of serious adverse events in order of patient and onset."""
    grid = Grid(
        "t-sae",
        "Serious adverse events, listing",
        "Patient",
        {
            "level": "Level",
            "term": "Term",
            "grade": "Grade",
            "day": "Onset day",
            "onset": "Onset",
            "days": "Duration, d",
            "uc": "UCART22",
            "ld": "Lympho-depletion",
            "outcome": "Outcome",
        },
        {"Related to": ["uc", "ld"]},
        ["Onset day: days from the UCART22 infusion (Day 0); negative before it."],
        ["level", "term", "onset", "uc", "ld", "outcome"],
    )
    serious = adae.filter(pl.col("ANYSER") == "Y").sort("USUBJID", "ASTDT", "AEDECOD", nulls_last=True)
    for row in serious.iter_rows(named=True):
        grid.add(
            row["USUBJID"],
            {
                "level": row["TRT01A"] or "not infused",
                "term": row["AEDECOD"],
                "grade": str(row["ATOXGRN"]),
                "day": DASH if row["ARDY"] is None else f"{row['ARDY']:.0f}".replace("-", "−"),
                "onset": render_date(row["ASTDT"]),
                "days": "ongoing" if row["AENDT"] is None else f"{row['AEDUR'] or 0:.0f}",
                "uc": "Yes" if row["RELUC"] == "Y" else "No",
                "ld": "Yes" if row["RELLD"] == "Y" else "No",
                "outcome": (row["AEOUT"] or DASH).split("/")[0].capitalize(),
            },
        )
    return grid.render()
