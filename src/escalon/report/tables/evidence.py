"""What the recommended phase 2 dose rests on: what the committee had before it, and where the study stands now."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import polars as pl

from escalon.conduct.state import State
from escalon.protocol.study import Study
from escalon.report.ard import Cells
from escalon.report.results.groups import TOTAL
from escalon.report.results.safety import SETS
from escalon.report.tables.layout import Grid
from escalon.report.wording import (
    DASH,
    render_count,
    render_date,
    render_interval,
    render_number,
    render_percent,
    render_significant,
    render_unit,
)


def render_evidence(ard: pl.DataFrame, study: Study) -> str:
    """Toxicity, response, exposure per dose level at the data cut of the report."""
    both = Cells(ard, "dlt all")
    levels = [level.label for level in study.dose_levels if both.get("treated", level.label, "DLT")]
    grid = Grid(
        "t-evidence",
        "Evidence by dose level at the data cut of this report (both parts of the study)",
        "Evidence",
        {label: label for label in levels},
        {},
        [
            "n (%) of infused patients unless a denominator is printed. Geometric mean (CV, %) [n] for exposure."
        ],
    )
    grid.add("Infused", {label: f"{int(both.get('treated', label, 'DLT') or 0)}" for label in levels})
    grid.add("DLT / evaluable (95% CI, %)", {label: _dlt(both, label) for label in levels})
    mtd = Cells(ard, "mtd")
    grid.add(
        "Isotonic DLT estimate, escalation, %",
        {label: render_percent(mtd.get("isotonic", label, "DLT")) for label in levels},
    )
    overview = Cells(ard, "ae_overview_inf")
    for key in ("grade3", "related_ucart22", "grade3_ucart22", "serious_ucart22", "fatal"):
        title = SETS[key].label
        cells = {
            label: render_count(overview.get("n", label, key, title), overview.get("N", label, key, title))
            for label in levels
        }
        grid.add(
            f"{title} adverse event"
            if key in ("grade3", "fatal")
            else f"Adverse event: {title[0].lower()}{title[1:]}",
            cells,
        )
    special = Cells(ard, "aesi infused")
    for variable in special.variables:
        if variable in ("CRS", "ICANS", "GVHD", "INFECTION"):
            cells = {
                label: render_count(
                    special.get("n.grade3+", label, variable), special.get("N", label, variable)
                )
                for label in levels
            }
            grid.add(f"{variable if variable != 'INFECTION' else 'Infection'} grade 3 or higher", cells)
    response = Cells(ard, "response")
    grid.add(
        "Best overall response, escalation part (95% CI, %)",
        {label: _orr(response, f"Escalation {label}") for label in levels},
    )
    for analyte, code, title in (
        (study.cell_kinetics.analyte, "CMAX", "UCART22 Cmax"),
        (study.cell_kinetics.analyte, "PERSDAYS", "UCART22 persistence"),
        (study.pharmacokinetics.analyte, "AUC0_28", "CLLS52 AUC to Day 28"),
    ):
        own = ard.filter(pl.col("group2_level") == analyte).with_columns(group2_level=pl.lit(None, pl.String))
        cells = Cells(own, "parameters")
        unit = render_unit(cells.unit("n", TOTAL, code))
        grid.add(
            f"{title}, {unit}" if unit else title, {label: _mean(cells, label, code) for label in levels}
        )
    return grid.render()


def _dlt(cells: Cells, label: str) -> str:
    n, y = int(cells.get("N", label, "DLT") or 0), int(cells.get("n", label, "DLT") or 0)
    if n == 0:
        return DASH
    low, high = (cells.get(stat, label, "DLT") for stat in ("conf.low", "conf.high"))
    return f"{y}/{n} ({render_interval(low, high, 0, 100)})"


def _orr(cells: Cells, group: str) -> str:
    n, total = cells.get("n", group, "best rate", "ORR"), cells.get("N", group, "best rate", "ORR")
    if not total:
        return DASH
    low, high = (cells.get(stat, group, "best rate", "ORR") for stat in ("conf.low", "conf.high"))
    return f"{int(n or 0)}/{int(total)} ({render_interval(low, high, 0, 100)})"


def _mean(cells: Cells, label: str, code: str) -> str:
    mean, cv, n = (cells.get(stat, label, code) for stat in ("geo_mean", "geo_cv", "n"))
    return (
        f"{render_significant(mean)} ({render_number(cv, 0)}) [{int(n)}]" if n and mean is not None else DASH
    )


ABBREVIATIONS = {
    "ae",
    "auc",
    "clls52",
    "crs",
    "dlt",
    "gvhd",
    "icans",
    "mtd",
    "orr",
    "pk",
    "rp2d",
    "sae",
    "ucart22",
}


def render_signed(state: State, study: Study) -> str:
    """The evidence stored with the signed decision, levels side by side; empty when there is none per level."""
    labels = {str(level.level): level.label for level in study.dose_levels}
    grid = Grid("t-signed", "Evidence before the committee, by dose level", "Evidence", labels)
    tabled = _per_level(state, study)
    single = [
        item for item, value in tabled.items() if not any(isinstance(v, Mapping) for v in value.values())
    ]
    for item in sorted(tabled, key=lambda name: name not in single):
        value = tabled[item]
        parts = {name for found in value.values() if isinstance(found, Mapping) for name in found}
        if not parts:
            grid.add(
                _title(item), {level: _plain(found) for level, found in value.items()}, "One value per level"
            )
        for name in _order(value) if parts else ():
            cells = {
                level: _plain(found.get(name)) for level, found in value.items() if isinstance(found, Mapping)
            }
            grid.add(_title(name), cells, _title(item))
    return grid.render() if grid.rows else ""


def list_evidence(state: State, study: Study) -> list[tuple[str, str]]:
    """The rest of that evidence, as name and text."""
    if state.rp2d is None:
        return []
    tabled = _per_level(state, study)
    return [(_title(key), _plain(value)) for key, value in state.rp2d.evidence.items() if key not in tabled]


def _per_level(state: State, study: Study) -> dict[str, dict[str, Any]]:
    """Items whose values are given per dose level, keyed by the level's number as text."""
    if state.rp2d is None:
        return {}
    levels = {str(level.level) for level in study.dose_levels}
    return {
        item: {str(level): found for level, found in value.items()}
        for item, value in state.rp2d.evidence.items()
        if isinstance(value, Mapping) and value and {str(level) for level in value} <= levels
    }


def _order(value: Mapping[str, Any]) -> list[str]:
    return list(
        dict.fromkeys(name for found in value.values() if isinstance(found, Mapping) for name in found)
    )


def _title(key: object) -> str:
    """A key in words; abbreviations of the field in capitals."""
    words = [
        word.upper() if word.lower() in ABBREVIATIONS else word for word in str(key).replace("_", " ").split()
    ]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def _plain(value: Any) -> str:
    """A stored value in words: a dash for none, moments as dates, nested values written out."""
    if value is None:
        return DASH
    if isinstance(value, Mapping):
        return "; ".join(f"{_title(key)}: {_plain(part)}" for key, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_plain(part) for part in value)
    if isinstance(value, str):
        return _moment(value)
    return render_significant(value) if isinstance(value, float) else str(value)


def _moment(text: str) -> str:
    """An ISO moment or day as a date; any other text as it is."""
    try:
        return render_date(datetime.fromisoformat(text)) if len(text) >= 10 else text
    except ValueError:
        return text
