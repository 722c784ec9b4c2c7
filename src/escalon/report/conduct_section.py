"""How the trial was run: decisions, people, data, slots, safety and reviews, counted from the ledger's state."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from escalon.conduct.capture.state import QueryStatus
from escalon.conduct.safety.state import Clock
from escalon.conduct.slots.state import Status
from escalon.conduct.state import State
from escalon.protocol import StudyFolder

PURPOSES = {
    "site_sae": "Serious event, site to sponsor",
    "susar_fatal": "SUSAR, fatal or life threatening",
    "complete_report": "Complete report after it",
    "susar_other": "SUSAR, other",
    "upgrade": "Became fatal or life threatening",
    "follow_up": "New information",
    "dsur": "Yearly report",
    "urgent_safety_measure": "Urgent safety measure",
    "serious_breach": "Serious breach",
}


@dataclass(frozen=True, slots=True)
class Card:
    """A number with what it counts and a line of detail."""

    label: str
    value: str
    detail: str


def conduct_cards(state: State) -> tuple[Card, ...]:
    """Return the counts a reader looks for first."""
    people, capture, safety = state.people, state.capture, state.safety
    void = sum(one.invalidated_at is not None for one in people.signatures)
    dissent = sum(len(decision.dissent) for decision in state.decisions)
    exceptions = sum(decision.exception is not None for decision in state.decisions)
    waits = [
        (step.at - slot.requested_at) / timedelta(days=1)
        for slot in state.slots.slots
        for step in [next((one for one in slot.history if one.status is Status.RESERVED), None)]
        if step is not None
    ]
    late = sum(clock.late(state.at) for clock in safety.clocks if state.at is not None)
    susars = sum(bool(case.susar) for case in safety.cases)
    unsettled = sum(query.status is not QueryStatus.CLOSED for query in capture.queries)
    return (
        Card(
            "Decisions",
            str(len(state.decisions)),
            f"{dissent} votes against, {exceptions} exceptions to the rule",
        ),
        Card("Electronic signatures", str(len(people.signatures)), f"{void} became void by a later change"),
        Card("Sites, persons", f"{len(people.sites)}, {len(people.persons)}", "registered, with dated roles"),
        Card("Slots requested", str(len(state.slots.slots)), _wait(waits)),
        Card("Queries", str(len(capture.queries)), f"{unsettled} not closed"),
        Card("Casebooks locked", str(len(capture.locked)), f"of {len(state.patients)} patients"),
        Card("Deviations", str(len(state.slots.deviations)), "rules broken and recorded as such"),
        Card(
            "Serious cases",
            str(len(safety.cases)),
            f"{susars} SUSARs; {late} of {len(safety.clocks)} clocks late",
        ),
        *_oversight_cards(state),
    )


def _oversight_cards(state: State) -> tuple[Card, ...]:
    oversight = state.oversight
    rows = sum(one.rows for one in oversight.audit_reviews)
    revoked = sum(one.revoked for one in oversight.access_reviews)
    reviewed = sum(one.reviewed_at is not None for one in oversight.emergencies)
    waiting = sum(one.sent_at is None for one in oversight.notices)
    reports = state.safety.reports
    rejected = sum(one.accepted is False for one in reports)
    return (
        Card("Reviews of the audit trail", str(len(oversight.audit_reviews)), f"signed, on {rows} rows"),
        Card("Reviews of access", str(len(oversight.access_reviews)), f"signed; {revoked} rights taken away"),
        Card(
            "Emergency rights, notices",
            f"{len(oversight.emergencies)}, {len(oversight.notices)}",
            f"{reviewed} reviewed by another person; {waiting} not sent",
        ),
        Card("Safety reports sent", str(len(reports)), f"{rejected} rejected, their tasks opened again"),
    )


def review_rows(state: State, folder: StudyFolder) -> list[dict[str, Any]]:
    """Return the signed reviews of each kind: how many, how far apart, on how many rows, up to which event.

    ``longest`` is the longest time without one in days, from the opening of the study to its closure or the last fact;
    None before the opening. A review of access is of all rights; its ``rows`` are those of the last one.
    """
    oversight, found = state.oversight, []
    for rule in folder.conduct.oversight.audit_reviews:
        done = [one for one in oversight.audit_reviews if one.definition == rule.id]
        found.append(
            {
                **_rhythm(state, [one.at for one in done], rule.every_days),
                "title": rule.title,
                "rows": sum(one.rows for one in done),
                "upto": max((one.to_seq for one in done), default=0),
            }
        )
    rights = oversight.access_reviews
    found.append(
        {
            **_rhythm(state, [one.at for one in rights], folder.conduct.oversight.access_review_days),
            "title": "All rights as they are",
            "rows": rights[-1].rights if rights else 0,
            "upto": None,
        }
    )
    return found


def _rhythm(state: State, done: Sequence[datetime], days: int) -> dict[str, Any]:
    """How often and when it was done, and the longest time without it."""
    end = state.closed_at or state.at
    longest = None
    if state.opened_at is not None and end is not None:
        moments = [state.opened_at, *(one for one in done if one <= end), end]
        longest = max(later - earlier for earlier, later in pairwise(moments)) / timedelta(days=1)
    return {
        "every": days,
        "signed": len(done),
        "longest": longest,
        "late": longest is not None and longest > days,
        "last": done[-1] if done else None,
    }


def _wait(days: Sequence[float]) -> str:
    if not days:
        return "none was reserved"
    ordered = sorted(days)
    return f"median wait {ordered[len(ordered) // 2]:.0f} days, longest {ordered[-1]:.0f}"


def clock_rows(state: State) -> list[dict[str, Any]]:
    """Return the reporting clocks by purpose and jurisdiction: started, met, late, running."""
    groups: dict[tuple[str, str], list[Clock]] = {}
    for clock in state.safety.clocks:
        groups.setdefault((clock.purpose, clock.jurisdiction), []).append(clock)
    at = state.at
    assert at is not None or not groups
    rows = []
    order = list(PURPOSES)
    for (purpose, jurisdiction), clocks in sorted(
        groups.items(), key=lambda one: (order.index(one[0][0]), one[0][1])
    ):
        counted = Counter(
            "late" if clock.late(at) else "running" if clock.stopped_at is None else "met"  # type: ignore[arg-type]
            for clock in clocks
        )
        rows.append(
            {
                "purpose": PURPOSES.get(purpose, purpose),
                "jurisdiction": jurisdiction,
                "started": len(clocks),
                "met": counted["met"],
                "late": counted["late"],
                "running": counted["running"],
            }
        )
    return rows


def hold_rows(state: State) -> list[dict[str, Any]]:
    """Return every hold on enrolment with how long it lasted, in days; None while it is open."""
    return [
        {
            "number": hold.number,
            "rule": hold.rule,
            "reason": hold.reason,
            "at": hold.at,
            "lifted_at": hold.lifted_at,
            "days": None if hold.lifted_at is None else (hold.lifted_at - hold.at) / timedelta(days=1),
        }
        for hold in state.holds
    ]
