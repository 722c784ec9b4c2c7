"""Recommendations and decisions as a table for the terminal."""

from typing import Any

from rich.table import Table

from escalon.conduct.state import Decision, State
from escalon.report.terminal_text import table_text


def decision_rows(state: State) -> list[dict[str, Any]]:
    """Return one row per decision, in order."""
    return [_row(state, decision) for decision in state.decisions]


def _row(state: State, decision: Decision) -> dict[str, Any]:
    seen = None if decision.recommendation is None else state.recommendations[decision.recommendation - 1]
    return {
        "decision": decision.number,
        "at": decision.at.isoformat(timespec="minutes"),
        "recommendation": decision.recommendation,
        "recommended": None if seen is None else seen.action,
        "recommended_level": None if seen is None else seen.dose_level,
        "decided": decision.action,
        "dose_level": decision.dose_level,
        "reason": decision.reason,
        "review": decision.review,
        "signed_by": list(decision.signers),
        "dissent": list(decision.dissent),
        "exception": decision.exception,
    }


def render_decisions(rows: list[dict[str, Any]]) -> str:
    """Return the table as text; one sentence when there is none."""
    if not rows:
        return "No decision has been made.\n"
    table = Table(title="Decisions", title_justify="left", box=None, pad_edge=False)
    for name in ("No.", "Date", "The rule said", "Decided", "Signed by", "Dissent"):
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(
            str(row["decision"]),
            row["at"][:10],
            _words(row["recommended"], row["recommended_level"]),
            _words(row["decided"], row["dose_level"]) + (" (exception)" if row["exception"] else ""),
            ", ".join(row["signed_by"]),
            "; ".join(row["dissent"]) or "none",
        )
    return table_text(table)


def _words(action: str | None, level: int | None) -> str:
    if action is None:
        return "-"
    return action.replace("_", "-") + ("" if level is None else f", level {level}")
