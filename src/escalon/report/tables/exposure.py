"""Parameters of CLLS52 and UCART22."""

import polars as pl

from escalon.protocol.pk_choices import PkChoices
from escalon.report.ard import Cells
from escalon.report.results.groups import TOTAL
from escalon.report.results.relations import EXPOSURES, OUTCOMES
from escalon.report.tables.layout import Grid
from escalon.report.wording import (
    PARAMETER_NAMES,
    render_date,
    render_interval,
    render_number,
    render_significant,
    render_unit,
)


def render_parameters(ard: pl.DataFrame, analyte: str, ident: str, caption: str, notes: list[str]) -> str:
    """One row per parameter over all levels: geometric mean, CV, median, range."""
    cells = Cells(
        ard.filter(pl.col("group2_level") == analyte).with_columns(group2_level=pl.lit(None, pl.String)),
        "parameters",
    )
    columns = {
        "unit": "Unit",
        "n": "n (missing)",
        "geo": "Geometric mean",
        "cv": "Geometric CV, %",
        "median": "Median",
        "range": "Range",
        "why": "Missing because (patients)",
    }
    grid = Grid(ident, caption, "Parameter", columns, {}, notes, ["unit", "why"])
    for code in cells.variables:
        n, missing = cells.get("n", TOTAL, code), cells.get("missing", TOTAL, code)
        low, high = cells.get("min", TOTAL, code), cells.get("max", TOTAL, code)
        why = [(reason, cells.get("n", TOTAL, code, reason)) for reason in cells.levels(code) if reason]
        grid.add(
            PARAMETER_NAMES.get(code, code),
            {
                "unit": render_unit(cells.unit("median", TOTAL, code)),
                "n": f"{int(n or 0)} ({int(missing or 0)})",
                "geo": render_significant(cells.get("geo_mean", TOTAL, code)),
                "cv": render_number(cells.get("geo_cv", TOTAL, code), 1),
                "median": render_significant(cells.get("median", TOTAL, code)),
                "range": f"{render_significant(low)} – {render_significant(high)}"
                if n
                else render_interval(None, None),
                "why": "; ".join(f"{reason} ({int(count or 0)})" for reason, count in why),
            },
        )
    return grid.render()


def render_by_level(ard: pl.DataFrame, analyte: str, ident: str, caption: str) -> str:
    """Geometric mean and CV by dose level."""
    cells = Cells(
        ard.filter(pl.col("group2_level") == analyte).with_columns(group2_level=pl.lit(None, pl.String)),
        "parameters",
    )
    groups = [g for g in cells.groups if any(cells.get("n", g, code) for code in cells.variables)]
    grid = Grid(
        ident, caption, "Parameter", {g: g for g in groups}, {}, ["Geometric mean (geometric CV, %) [n]."]
    )
    for code in cells.variables:
        unit = render_unit(cells.unit("median", TOTAL, code))
        row = {}
        for group in groups:
            mean, cv, n = (cells.get(stat, group, code) for stat in ("geo_mean", "geo_cv", "n"))
            row[group] = f"{render_significant(mean)} ({render_number(cv, 0)}) [{int(n or 0)}]" if n else "–"
        grid.add(
            f"{PARAMETER_NAMES.get(code, code)}, {unit}" if unit else PARAMETER_NAMES.get(code, code), row
        )
    return grid.render()


def render_choices(choices: PkChoices) -> str:
    """What a person chose in a profile: samples of the terminal slope, and samples taken out."""
    grid = Grid(
        "t-pk-choices",
        "Choices of a person in the concentration profiles",
        "Patient",
        {
            "analyte": "Analyte",
            "use": "Choice",
            "hours": "Samples, h",
            "why": "Reason",
            "who": "By",
            "when": "On",
        },
        {},
        [
            "Hours from the first dose of the product. They are replayed on every analysis; everything else follows "
            "the rules."
        ],
        ["analyte", "use", "hours", "why", "who", "when"],
    )
    if not choices.choices:
        return '<p id="t-pk-choices">No person chose samples or took any out: every profile follows the rules.</p>'
    for one in choices.choices:
        row = {
            "analyte": one.analyte,
            "use": "terminal slope" if one.use == "slope" else "taken out",
            "hours": ", ".join(f"{hour:g}" for hour in one.hours),
            "why": one.reason,
            "who": one.user,
            "when": render_date(one.decided_at),
        }
        grid.add(one.patient, row)
    return grid.render()


def render_relations(ard: pl.DataFrame, analyte: str) -> str:
    """Rank correlations of exposure with lymphocytes, expansion and response."""
    cells = Cells(ard, "relations")
    grid = Grid(
        "t-relations",
        f"{analyte} exposure against lymphocytes, expansion and response",
        "Exposure",
        {"n": "n", "rho": "Spearman correlation", "ci": "95% CI"},
        {},
        [
            "Infused patients with CLLS52. Exploratory: no adjustment for weight, dose level or multiplicity. Interval "
            "of Bonett and Wright; NE: not estimable (fewer than four pairs, or one of the two the same for all)."
        ],
    )
    for outcome, title in OUTCOMES.items():
        for exposure, name in EXPOSURES.items():
            n, rho = cells.get("n", exposure, outcome), cells.get("rho", exposure, outcome)
            low, high = cells.get("conf.low", exposure, outcome), cells.get("conf.high", exposure, outcome)
            row = {"n": f"{int(n or 0)}", "rho": render_number(rho, 2), "ci": render_interval(low, high, 2)}
            grid.add(name, row, title)
    return grid.render()
