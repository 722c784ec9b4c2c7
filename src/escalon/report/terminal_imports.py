"""Imports in the terminal: what stands in the file beside what was recorded, as a table."""

import hashlib

from escalon.conduct.capture.events import ImportRolledBack
from escalon.conduct.capture.import_plan import Agreement, Plan
from escalon.conduct.state import State


def render_import(
    file: str, text: str, mapping: str, plan: Plan, outcome: str, read_back: Agreement | None = None
) -> str:
    """Return the reconciliation of a file: checksum, rows in the file, accepted and refused, records, read back.

    Args:
        file, text: name and content.
        mapping: id of the mapping.
        plan: what the file does.
        outcome: what came of it, for the first line.
        read_back: the answers of the file beside the records after they were written.
    """
    counts = plan.counts
    refused = bool(plan.problems)
    rows = [
        ("file", file),
        ("SHA-256", hashlib.sha256(text.encode()).hexdigest()),
        ("mapping", mapping),
        ("rows in the file", f"{counts.lines}" + (f", and {plan.blank} blank" if plan.blank else "")),
        ("rows accepted", f"{plan.accepted}"),
        ("rows refused", f"{plan.refused}"),
        ("records new", f"{counts.new}"),
        ("records changed", f"{counts.changed}"),
        ("records unchanged", f"{counts.unchanged}"),
        ("versions written", "0" if refused or read_back is None else f"{len(plan.records)}"),
    ]
    if read_back is not None:
        agree = "all as in the file" if not read_back.differing else f"{len(read_back.differing)} DIFFER"
        rows.append(("answers read back", f"{read_back.answers}, {agree}"))
    return _table(outcome, rows)


def render_undo(state: State, undone: ImportRolledBack) -> str:
    """Return what was taken back: records that have their earlier version again, are empty, or were kept."""
    known = state.capture.imports[undone.number - 1]
    empty = [one for one in undone.records if state.patients[one.patient].records[one.record].withdrawn]
    rows = [
        ("file", known.file),
        ("SHA-256", known.checksum),
        ("records of the import", f"{len(known.records)}"),
        ("earlier version again", f"{len({(o.patient, o.record) for o in undone.records}) - len(empty)}"),
        ("withdrawn", f"{len(empty)}"),
        ("kept as changed since", ", ".join(undone.kept) or "0"),
    ]
    return _table(f"import {undone.number} is taken back", rows)


def _table(title: str, rows: list[tuple[str, str]]) -> str:
    width = max(len(name) for name, _ in rows)
    return "\n".join([title, *(f"  {name:<{width}}  {value}" for name, value in rows)])
