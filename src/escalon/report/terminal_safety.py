"""Cases and open reporting tasks as tables a safety officer reads at the terminal."""

from datetime import datetime, timedelta
from typing import Any

from rich.table import Table

from escalon.conduct.safety.state import Case, Clock
from escalon.conduct.state import State
from escalon.report.terminal_text import table_text

PURPOSES = {
    "site_sae": "site to sponsor",
    "susar_fatal": "SUSAR, fatal or life-threatening",
    "susar_other": "SUSAR",
    "complete_report": "complete report after the 7-day one",
    "upgrade": "became fatal or life-threatening",
    "follow_up": "new information",
    "urgent_safety_measure": "urgent safety measure",
    "serious_breach": "serious breach",
    "dsur": "annual safety report",
}


def case_rows(state: State) -> list[dict[str, Any]]:
    """Return one row per case, in order of their numbers."""
    return [_case_row(state, case) for case in state.safety.cases]


def _case_row(state: State, case: Case) -> dict[str, Any]:
    own = [clock for clock in state.safety.clocks if clock.case == case.number]
    return {
        "case": case.number,
        "patient": case.patient,
        "record": case.record,
        "version": case.version,
        "term": case.term,
        "onset": case.onset,
        "serious": list(case.serious),
        "causality": case.causality,
        "expectedness": case.expectedness,
        "susar": case.susar,
        "to_assess": case.to_assess,
        "site_aware_at": case.site_aware_at.isoformat(),
        "sponsor_aware_at": case.sponsor_aware_at.isoformat(),
        "informed_at": [moment.isoformat() for moment in case.informed_at],
        "determined_at": case.determined_at.isoformat() if case.determined_at else None,
        "open_clocks": [clock.number for clock in own if clock.stopped_at is None],
        "reports": [report.number for report in state.safety.reports if report.case == case.number],
    }


def clock_rows(state: State, at: datetime) -> list[dict[str, Any]]:
    """Return the open tasks as of ``at``, the one due first first."""
    return [_clock_row(state, clock, at) for clock in state.safety.open_clocks()]


def _clock_row(state: State, clock: Clock, at: datetime) -> dict[str, Any]:
    if clock.case:
        case = state.safety.cases[clock.case - 1]
        about = f"case {case.number}, patient {case.patient}: {case.term}"
    else:
        matter = state.safety.matters[(clock.matter or 1) - 1]
        about = f"matter {matter.number}: {matter.summary}"
    return {
        "clock": clock.number,
        "about": about,
        "purpose": clock.purpose,
        "task": PURPOSES[clock.purpose],
        "jurisdiction": clock.jurisdiction,
        "rule": clock.rule,
        "rule_version": clock.rule_version,
        "started_at": clock.started_at.isoformat(),
        "due_at": clock.due_at.isoformat(),
        "late": clock.late(at),
        "countdown": countdown(clock.due_at - at),
    }


def countdown(left: timedelta) -> str:
    """Say how long there is left, or how late it is.

    >>> countdown(timedelta(days=2, hours=3)), countdown(timedelta(minutes=30)), countdown(-timedelta(days=1))
    ('2 days 3 h left', '0 h 30 min left', 'late by 1 day 0 h')
    """
    hours, minutes = divmod(int(abs(left).total_seconds()) // 60, 60)
    days, hours = divmod(hours, 24)
    length = f"{days} day{'s' if days != 1 else ''} {hours} h" if days else f"{hours} h {minutes} min"
    return f"late by {length}" if left < timedelta() else f"{length} left"


def render_cases(rows: list[dict[str, Any]]) -> str:
    """Return the cases as text; one sentence when there is none."""
    if not rows:
        return "No case has been opened.\n"
    table = _table(
        "Serious adverse events", "No.", "Patient", "Event", "Onset", "Serious", "SUSAR", "Open", "Sent"
    )
    for row in rows:
        serious = ", ".join(code.replace("_", " ").lower() for code in row["serious"])
        word = {None: "", True: "yes", False: "no"}[row["susar"]]
        table.add_row(
            str(row["case"]),
            row["patient"],
            row["term"],
            row["onset"][:10],
            serious,
            f"{word}, to assess".removeprefix(", ") if row["to_assess"] else word,
            str(len(row["open_clocks"]) or ""),
            str(len(row["reports"]) or ""),
        )
    return table_text(table)


def render_clocks(rows: list[dict[str, Any]], at: datetime) -> str:
    """Return the open tasks as text; one sentence when there is none."""
    when = f"{at:%d %b %Y %H:%M} UTC"
    if not rows:
        return f"No report is due as of {when}.\n"
    table = _table(f"Open tasks as of {when}", "Clock", "Due (UTC)", "Countdown", "Where", "What", "About")
    for row in rows:
        due = datetime.fromisoformat(row["due_at"])
        table.add_row(
            str(row["clock"]),
            f"{due:%d %b %Y %H:%M}",
            row["countdown"],
            row["jurisdiction"],
            row["task"],
            row["about"],
        )
    late = sum(row["late"] for row in rows)
    return f"{table_text(table)}{len(rows)} open, {late} late\n"


def _table(title: str, *names: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    return table
