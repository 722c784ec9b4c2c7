"""The difference between two versions of a study, as a table a committee can read."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from escalon.protocol.amendments import Difference


def diff_answer(differences: Sequence[Difference], destroyed: Sequence[str]) -> dict[str, Any]:
    """Return the difference as plain data: every change, and what speaks against adopting the version."""
    return {
        "changes": [
            {
                "area": one.area,
                "where": one.where,
                "change": one.change,
                "before": one.before,
                "after": one.after,
            }
            for one in differences
        ],
        "refused_because": list(destroyed),
    }


def print_diff(differences: Sequence[Difference], destroyed: Sequence[str]) -> None:
    """Print one row a change; then what speaks against adopting the version."""
    console = Console()
    if not differences:
        console.print("The two versions say the same.")
    else:
        table = Table("Area", "What", "Change", "Before", "After", title=f"{len(differences)} changes")
        for one in differences:
            table.add_row(one.area, one.where, one.change, _cell(one.before), _cell(one.after))
        console.print(table)
    for rule in destroyed:
        console.print(f"Cannot be adopted: {rule}", style="bold", markup=False)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_cell(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
