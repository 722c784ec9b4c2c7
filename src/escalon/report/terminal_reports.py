"""Reports sent and the calendar of the yearly report, as tables a safety officer reads at the terminal."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from escalon.conduct.safety.lock_points import Period
from escalon.conduct.safety.state import Report
from escalon.conduct.state import State
from escalon.report.terminal_safety import PURPOSES, _table
from escalon.report.terminal_text import table_text


def report_rows(state: State) -> list[dict[str, Any]]:
    """Return one row per report with every time that is kept apart (SF-4) and the receipts (SF-10)."""
    return [_report_row(state, report) for report in state.safety.reports]


def _report_row(state: State, report: Report) -> dict[str, Any]:
    clock = state.safety.clocks[report.clock - 1]
    case = state.safety.cases[report.case - 1] if report.case else None
    matter = state.safety.matters[clock.matter - 1] if clock.matter else None
    return {
        "report": report.number,
        "case": report.case or None,
        "matter": clock.matter,
        "about": f"case {case.number}: {case.term}" if case else f"matter {clock.matter}: {_said(matter)}",
        "task": PURPOSES[clock.purpose],
        "receiver": report.receiver,
        "content_hash": report.content_hash,
        "onset": case.onset if case else None,
        "site_aware_at": _iso(case.site_aware_at if case else None),
        "sponsor_aware_at": _iso(case.sponsor_aware_at if case else None),
        "clock_started_at": _iso(clock.started_at),
        "due_at": _iso(clock.due_at),
        "sent_at": _iso(report.at),
        "late": report.at > clock.due_at,
        "late_reason": report.late_reason,
        "accepted": report.accepted,
        "answered_at": _iso(report.answered_at),
        "acknowledged_at": _iso(report.acknowledged_at),
        "detail": report.detail,
        "read": {name: at.isoformat() for name, at in report.read.items()},
        "unread": list(report.unread),
    }


def _said(matter: Any) -> str:
    return matter.summary if matter is not None else ""


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def render_reports(rows: list[dict[str, Any]]) -> str:
    """Return the reports as text; one sentence when there is none."""
    if not rows:
        return "No report has been sent.\n"
    table = _table(
        "Reports sent", "No.", "About", "What", "To", "Sent (UTC)", "In time", "Answer", "Read", "Unread"
    )
    for row in rows:
        table.add_row(
            str(row["report"]),
            row["about"],
            row["task"],
            row["receiver"],
            f"{datetime.fromisoformat(row['sent_at']):%d %b %Y %H:%M}",
            "late" if row["late"] else "yes",
            {None: "none yet", True: "accepted", False: "rejected"}[row["accepted"]],
            str(len(row["read"]) or ""),
            ", ".join(row["unread"]),
        )
    waiting = sum(row["accepted"] is None for row in rows)
    unread = sum(bool(row["unread"]) for row in rows)
    return f"{table_text(table)}{len(rows)} sent, {waiting} without an answer, {unread} not read by all\n"


def period_rows(periods: Sequence[Period], today: date) -> list[dict[str, Any]]:
    """Return one row per period of the calendar, as of ``today``."""
    return [
        {
            "period": one.number if one.planned else None,
            "start": one.start.isoformat(),
            "lock_point": one.lock_point.isoformat(),
            "due": {name: day.isoformat() for name, day in one.due.items()},
            "status": one.status(today),
            "matter": one.matter.number if one.matter else None,
            "open_clocks": [clock.number for clock in one.clocks if clock.stopped_at is None],
        }
        for one in periods
    ]


def render_periods(rows: list[dict[str, Any]]) -> str:
    """Return the calendar as text."""
    table = _table("Yearly safety report", "Year", "From", "Data lock point", "Due", "Status")
    for row in rows:
        table.add_row(
            str(row["period"] or "-"),
            _day(row["start"]),
            _day(row["lock_point"]),
            ", ".join(f"{name} {_day(day)}" for name, day in row["due"].items()) or "no rule",
            row["status"],
        )
    return table_text(table)


def _day(text: str) -> str:
    return f"{date.fromisoformat(text):%d %b %Y}"
