"""The audit trail for people, as a table, and for machines, as plain values of one row each."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from escalon.conduct.capture.audit import Value
from escalon.conduct.oversight.due import Due
from escalon.conduct.oversight.select import value_text
from escalon.conduct.oversight.trail import Row
from escalon.protocol.conduct.oversight import FLAGS
from escalon.report.terminal_text import table_text

COLUMNS = (
    "seq",
    "at",
    "tz",
    "person",
    "name",
    "role",
    "organisation",
    "acting_for",
    "origin",
    "kind",
    "site",
    "patient",
    "form",
    "record",
    "visit",
    "version",
    "item",
    "old_kind",
    "old",
    "new_kind",
    "new",
    "reason",
    "flags",
    "reviews",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def audit_json(row: Row, reviews: tuple[int, ...]) -> dict[str, Any]:
    """Return a row with typed values, for JSON; ``reviews`` are the numbers of the reviews that covered it."""
    return {**_said(row), **_typed("old", row.old), **_typed("new", row.new)} | {
        "flags": list(row.flags),
        "reviews": list(reviews),
    }


def audit_csv(row: Row, reviews: tuple[int, ...]) -> dict[str, Any]:
    """Return a row as flat text, for CSV; typed text that a spreadsheet would run as a formula is quoted."""
    made = {
        **_said(row),
        "old_kind": row.old.kind,
        "old": value_text(row.old),
        "new_kind": row.new.kind,
        "new": value_text(row.new),
        "flags": " ".join(row.flags),
        "reviews": " ".join(map(str, reviews)),
    }
    return {name: _harmless(made[name]) for name in COLUMNS}


def _harmless(value: Any) -> Any:
    number = isinstance(value, str) and value[:1] in "+-" and value[1:].replace(".", "", 1).isdecimal()
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) and not number else value


def _said(row: Row) -> dict[str, Any]:
    return {
        "seq": row.seq,
        "at": row.at.isoformat(),
        "tz": row.tz,
        "person": row.person,
        "name": row.name,
        "role": row.role,
        "organisation": row.org,
        "acting_for": row.acting_for,
        "origin": row.origin,
        "kind": row.kind,
        "site": row.site,
        "patient": row.patient,
        "form": row.form,
        "record": row.record,
        "visit": row.visit,
        "version": row.version,
        "item": row.item,
        "reason": row.reason,
    }


def _typed(name: str, value: Value) -> dict[str, Any]:
    return {f"{name}_kind": value.kind, name: value.value}


def render_audit(rows: Sequence[tuple[Row, tuple[int, ...]]], matched: int, unreviewed: int) -> str:
    """Return the last rows as a table with how many there are in all, and how many wait for a review."""
    if not matched:
        return "No event matches.\n"
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("Event", "When (UTC)", "Who", "What", "Before", "After", "Reason", "Flags, review"):
        table.add_column(name, overflow="fold")
    above = 0
    for row, reviews in rows:
        cells = _cells(row, reviews)
        if row.seq == above:  # further items of the same event
            cells = ("", "", "", *cells[3:6], "", "")
        above = row.seq
        table.add_row(*(Text(cell) for cell in cells))
    left = matched - len(rows)
    hidden = f" ({left} earlier ones are not shown: --last 0 shows all)" if left else ""
    closing = f"{matched} rows{hidden}; {unreviewed} of them not reviewed yet"
    return f"{table_text(table, 160)}{closing}\n"


def _cells(row: Row, reviews: tuple[int, ...]) -> tuple[str, ...]:
    who = f"{row.person} ({row.role.replace('_', ' ')}{' ' + row.acting_for if row.acting_for else ''})"
    flags = "; ".join(FLAGS[flag] for flag in row.flags)
    seen = f"review {', '.join(map(str, reviews))}" if reviews else "not reviewed"
    return (
        str(row.seq),
        f"{row.at:%Y-%m-%d %H:%M}",
        who,
        _what(row),
        _short(row.old),
        _short(row.new),
        row.reason,
        f"{flags}; {seen}" if flags else seen,
    )


def _what(row: Row) -> str:
    if row.form:
        return f"{row.patient} {row.record} v{row.version} {row.item}"
    return f"{row.patient} {row.kind}".strip()


def _short(value: Value) -> str:
    """An item's value as it is; of an event its fields, short enough to read."""
    if value.kind == "value" and isinstance(value.value, dict):
        said = "; ".join(
            f"{name} {_word(one)}" for name, one in value.value.items() if one not in (None, "", [])
        )
        return said if len(said) <= 120 else f"{said[:117]}..."
    return value_text(value)


def _word(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        value = ", ".join(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"{text[:12]}..." if len(text) == 64 and text.isalnum() else text


def render_due(rows: Sequence[Due], at: datetime) -> str:
    """Return the reviews to come as a table, overdue ones named so."""
    if not rows:
        return "No review is due.\n"
    table = Table(
        title=f"Reviews, as of {at:%Y-%m-%d %H:%M} UTC", title_justify="left", box=None, pad_edge=False
    )
    for name in ("Due", "", "Review", "By", "Last", "To do"):
        table.add_column(name, overflow="fold")
    for row in rows:
        late = (at - row.due).days
        state = Text(f"OVERDUE by {late} days" if row.overdue(at) else "", style="bold red")
        last = f"{row.last:%Y-%m-%d}" if row.last else "never"
        roles = ", ".join(role.replace("_", " ") for role in row.roles)
        table.add_row(f"{row.due:%Y-%m-%d}", state, f"{row.name}: {row.title}", roles, last, row.to_do)
    return table_text(table, 140)


class ReadingProgress:
    """A bar on standard error while a ledger is read; quiet where standard error is no terminal."""

    def __init__(self, quiet: bool = False) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("Reading the ledger"),
            BarColumn(bar_width=40),
            TextColumn("{task.completed} of {task.total} events"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=quiet or not console.is_terminal,
        )
        self._task = self._progress.add_task("", total=None)

    def __enter__(self) -> "ReadingProgress":
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def told(self, done: int, total: int) -> None:
        """Show how many events have been read."""
        self._progress.update(self._task, completed=done, total=total)
