"""What a version of the event dictionary means for each event, as a table for the terminal."""

from collections.abc import Sequence
from typing import Any

from escalon.conduct.safety.coding import Impact
from escalon.report.terminal_safety import _table
from escalon.report.terminal_text import table_text


def impact_rows(found: Sequence[Impact]) -> list[dict[str, Any]]:
    """Return one row per event."""
    return [
        {
            "patient": one.patient,
            "record": one.record,
            "term": one.term,
            "standing": one.standing,
            "version_before": one.before.version if one.before else None,
            "before": _place(one.before) if one.before else None,
            "after": _place(one.after) if one.after else None,
        }
        for one in found
    ]


def _place(code: Any) -> dict[str, str]:
    names = ("llt_code", "llt_term", "pt_code", "pt_term", "soc_code", "soc_term")
    return {name: getattr(code, name) for name in names}


def render_impact(rows: list[dict[str, Any]], version: str) -> str:
    """Return the events whose standing is not ``same`` as text; one sentence when there is none."""
    shown = [row for row in rows if row["standing"] != "same"]
    if not shown:
        return f"No code changes with version {version}.\n"
    table = _table(f"Version {version}", "Patient", "Record", "Event", "Standing", "Before", "After")
    for row in shown:
        table.add_row(
            row["patient"],
            row["record"],
            row["term"],
            row["standing"],
            _words(row["before"]),
            _words(row["after"]),
        )
    return table_text(table)


def _words(place: dict[str, str] | None) -> str:
    return f"{place['pt_term']} ({place['soc_term']})" if place else ""
