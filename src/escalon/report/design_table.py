"""The decision table as a picture: patients at the level across, DLTs down, one coloured letter per cell."""

from collections.abc import Sequence
from html import escape
from typing import Any

from escalon.report.tables.layout import Grid
from escalon.report.wording import DASH

WORDS = {
    "E": "Escalate to the next level",
    "S": "Stay at this level",
    "D": "De-escalate to the level below",
    "DU": "De-escalate; this level and all above are closed",
    "STOP": "Stop the escalation",
}


def shown_columns(answer: dict[str, Any], most: int | None = None) -> list[dict[str, Any]]:
    """Rows of `table_answer` up to `most` patients at the level; all without it."""
    return [row for row in answer["rows"] if most is None or row["n"] <= most]


def render_picture_table(answer: dict[str, Any], cohort: int | None, most: int | None = None) -> str:
    """HTML of the picture table; columns of complete cohorts (`cohort`, None to mark none) are set off.

    Numbers of DLTs from which every column says DU share one row.
    """
    columns = shown_columns(answer, most)
    last = _last_row(columns)
    heads = "".join(f'<th scope="col"{_full(row["n"], cohort)}>{row["n"]}</th>' for row in columns)
    top = max(len(row["decisions"]) for row in columns) - 1
    body = []
    for y in range(last + 1):
        name = f"{y} or more" if y == last and last < top else str(y)
        cells = "".join(_cell(row, y, cohort) for row in columns)
        body.append(f'<tr><th scope="row">{name}</th>{cells}</tr>')
    return (
        '<div class="table picture" id="d-table" tabindex="0"><table class="decisions">'
        "<caption>What to do after a cohort</caption><thead>"
        '<tr><td rowspan="2" class="corner">Patients with a DLT at this level</td>'
        f'<th scope="colgroup" colspan="{len(columns)}">Evaluable patients at this level</th></tr>'
        f"<tr>{heads}</tr></thead><tbody>{''.join(body)}</tbody></table></div>{_legend(columns)}"
    )


def _last_row(columns: Sequence[dict[str, Any]]) -> int:
    """Number of DLTs from which on every cell that exists says DU, and some cell exists there."""
    top = max(len(row["decisions"]) for row in columns) - 1
    last = top
    while last > 0 and all(letter == "DU" for row in columns for letter in row["decisions"][last - 1 :]):
        last -= 1
    return last


def _full(n: int, cohort: int | None) -> str:
    return ' class="full"' if cohort and n % cohort == 0 else ""


def _cell(row: dict[str, Any], y: int, cohort: int | None) -> str:
    """One decision; a cell with more DLTs than patients is empty."""
    if y >= len(row["decisions"]):
        return '<td class="void"></td>'
    letter = row["decisions"][y]
    full = " full" if not cohort or row["n"] % cohort == 0 else ""
    said = f"{y} of {row['n']}: {WORDS.get(letter, letter)}"
    return f'<td class="do-{letter}{full}" title="{escape(said)}">{letter}</td>'


def _legend(columns: Sequence[dict[str, Any]]) -> str:
    used = {letter for row in columns for letter in row["decisions"]}
    parts = [
        f'<li><span class="swatch do-{letter}">{letter}</span> {words}</li>'
        for letter, words in WORDS.items()
        if letter in used
    ]
    return f'<ul class="legend">{"".join(parts)}</ul>'


def render_boundaries(answer: dict[str, Any], most: int | None = None) -> str:
    """The same table as limits: the number of DLTs at which each decision begins."""
    columns = shown_columns(answer, most)
    grid = Grid(
        "t-boundaries",
        "The same as limits on the number of DLTs at the level",
        "Evaluable patients at the level",
        {f"n{row['n']}": str(row["n"]) for row in columns},
        {},
        ["A dash: no number of DLTs leads to this decision."],
    )
    grid.add("Escalate if at most", {f"n{row['n']}": _number(row["escalate_le"]) for row in columns})
    grid.add("Stay if", {f"n{row['n']}": _stay(row["decisions"]) for row in columns})
    grid.add("De-escalate if at least", {f"n{row['n']}": _number(row["deescalate_ge"]) for row in columns})
    grid.add("… and close it if at least", {f"n{row['n']}": _number(row["eliminate_ge"]) for row in columns})
    return grid.render()


def _number(value: int | None) -> str:
    return DASH if value is None else str(value)


def _stay(decisions: Sequence[str]) -> str:
    found = [y for y, letter in enumerate(decisions) if letter == "S"]
    if not found:
        return DASH
    return str(found[0]) if len(found) == 1 else f"{found[0]}–{found[-1]}"


def render_table_csv(answer: dict[str, Any]) -> str:
    """CSV with a line per number of patients and a column per number of DLTs; cells beyond it stay empty.

    A plan of kind ``table`` reads this format back.
    """
    rows = answer["rows"]
    top = max(row["n"] for row in rows)
    lines = [",".join(["n", *map(str, range(top + 1))])]
    for row in rows:
        cells = [*row["decisions"], *[""] * (top + 1 - len(row["decisions"]))]
        lines.append(",".join([str(row["n"]), *cells]))
    return "\n".join(lines) + "\n"
