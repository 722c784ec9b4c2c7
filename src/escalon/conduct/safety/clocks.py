"""Clocks of a case: which start, when they are due, what stops them."""

from collections.abc import Iterable
from datetime import datetime

from escalon.conduct.safety.due import awareness_date, due_at
from escalon.conduct.safety.events import ClockStarted, ClockStopped
from escalon.conduct.safety.state import Case, Clock
from escalon.conduct.state import State
from escalon.protocol import StudyFolder
from escalon.protocol.conduct.safety import Purpose


def start_clocks(
    case: int,
    purpose: Purpose,
    moments: dict[str, datetime],
    folder: StudyFolder,
    first_number: int,
    only: str | None = None,
    matter: int | None = None,
) -> tuple[ClockStarted, ...]:
    """Start the clock of every rule for ``purpose`` whose starting moment is known.

    Args:
        case: number of the case.
        purpose: what the report is for.
        moments: when each possible start of a rule happened (UTC).
        folder: the study.
        first_number: number of the first clock started.
        only: the one jurisdiction to start it in; None: in all of the study.
        matter: number of the matter, when there is no case.
    """
    rules = folder.conduct.safety
    anchor = min(moments.values())
    started: list[ClockStarted] = []
    for rule in rules.rules_for(purpose, awareness_date(anchor, rules.zone)):
        if rule.starts not in moments or only not in (None, rule.jurisdiction):
            continue
        moment = moments[rule.starts]
        started.append(
            ClockStarted(
                first_number + len(started),
                case,
                rule.id,
                rule.version,
                rule.jurisdiction,
                purpose,
                moment,
                due_at(rule, moment, rules.zone),
                matter,
            )
        )
    return tuple(started)


def site_report_clocks(
    case: int, aware: datetime, entered: datetime, folder: StudyFolder, first_number: int
) -> tuple[ClockStarted | ClockStopped, ...]:
    """The site's clock from its awareness; the entry that opens the case is its report and stops it."""
    started = start_clocks(case, "site_sae", {"site_awareness": aware}, folder, first_number)
    stopped = (
        ClockStopped(
            clock.clock, "entered by the site", "entered late by the site" if entered > clock.due_at else None
        )
        for clock in started
    )
    return (*started, *stopped)


def susar_purpose(case: Case) -> Purpose:
    """Return which of the two clocks a SUSAR has."""
    return "susar_fatal" if case.fatal else "susar_other"


def tasks(state: State) -> tuple[Clock, ...]:
    """Open clocks, the strictest first."""
    return state.safety.open_clocks()


def next_number(state: State, events: Iterable[object]) -> int:
    """Return the number of the next clock, after those that ``events`` of the same act start."""
    return len(state.safety.clocks) + 1 + sum(isinstance(event, ClockStarted) for event in events)
