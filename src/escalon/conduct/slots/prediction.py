"""When a place may open for those who wait: the earliest and the latest moment, with what was assumed.

Earliest: the remaining seats of the open cohort are dosed one after the other as soon as the stagger permits, the last
DLT window ends after its days, and the committee decides at once; or, if that is sooner, the reservations before it
are given up. Latest: each remaining seat uses up the hours of its reservation and the lead of the lymphodepletion
before its infusion, every observation runs full, and the committee takes ``decision_days``. Both assume that the
escalation goes on, that nobody has to be replaced and that no hold begins.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from escalon.conduct.cohorts import escalation_counts
from escalon.conduct.holds import holds_on, place_on, scope_words
from escalon.conduct.slots.queue import Place, expires_at, free_places, queue, site_not_ready
from escalon.conduct.slots.seat_rows import BACKFILL, seat_rows
from escalon.conduct.slots.stagger import observed_until
from escalon.conduct.slots.state import Status
from escalon.conduct.state import Cohort, State
from escalon.protocol import StudyFolder

ASSUMED = (
    "earliest: every remaining infusion as soon as the stagger permits, the committee decides at once",
    "latest: reservations and lymphodepletion run full before each infusion, and the committee takes its days",
    "both: the escalation goes on, nobody is replaced, no hold begins; places follow the order of requests",
)


@dataclass(frozen=True, slots=True)
class Opening:
    """What is predicted for one who waits; ``line`` is the position among those who want the same kind of place."""

    place: Place
    line: int
    earliest: datetime | None
    latest: datetime | None
    why: str


def predict(state: State, folder: StudyFolder, at: datetime) -> tuple[Opening, ...]:
    """Return a prediction for everybody in the queue, in its order, on what is known at ``at`` (UTC)."""
    found, lines = [], {False: 0, True: 0}
    for place in queue(state):
        lines[place.backfill] += 1
        line = lines[place.backfill]
        found.append(Opening(place, line, *_opening(state, folder, at, place, line)))
    return tuple(found)


def _opening(
    state: State, folder: StudyFolder, at: datetime, place: Place, line: int
) -> tuple[datetime | None, datetime | None, str]:
    free = [one for one in free_places(state, folder, at) if (one[0] == BACKFILL) == place.backfill]
    if len(free) >= line:
        return at, None, f"a place is free; {_obstacle(state, folder, at, place, free[line - 1][2])}"
    if place.backfill:
        return (
            None,
            None,
            "no level is open for backfill; one opens by the rule of the plan, not by the calendar",
        )
    given_up = _given_up(state, folder, line)
    if state.cohort is None or state.cohort.part != "escalation" or state.cohort.decided:
        return given_up, None, "no further cohort is planned; a place opens only when one is given up"
    rounds = _rounds(state, folder, state.cohort, line - len(free))
    if rounds is None:
        return given_up, None, "the plan has no place left; one opens only when a place is given up"
    early, late = (_end(state, folder, state.cohort, at, rounds, latest) for latest in (False, True))
    earliest = early if given_up is None else min(early, given_up)
    why = "the next cohort" if rounds == 1 else f"the cohort after {rounds} decisions"
    return earliest, late, why if earliest == early else f"{why}, or a reservation that ends unconfirmed"


def _obstacle(state: State, folder: StudyFolder, at: datetime, place: Place, level: int) -> str:
    held = holds_on(state, place_on(level, at, folder))
    if held:
        return f"hold {held[0].number} ({held[0].rule}, {scope_words(held[0])}) has to be lifted"
    refused = site_not_ready(state, place.site, folder)
    return refused.reason if refused is not None else "the sponsor chooses whose turn it is"


def _given_up(state: State, folder: StudyFolder, line: int) -> datetime | None:
    """When so many reservations of the cohort will have ended, if none of them is confirmed."""
    ends = sorted(
        end
        for slot in state.slots.slots
        if slot.status is Status.RESERVED and slot.cohort != BACKFILL
        if (end := expires_at(state, slot, folder)) is not None
    )
    return ends[line - 1] if len(ends) >= line else None


def _rounds(state: State, folder: StudyFolder, cohort: Cohort, line: int) -> int | None:
    """After how many decisions a seat is left for this position; None when the plan ends before."""
    plan = folder.study.escalation
    opened = sum(one.part == "escalation" for one in state.cohorts)
    open_seats = cohort.size - sum(
        state.patients[name].dlt_status in ("DLT", "NO_DLT") for name in cohort.patients
    )
    left = plan.max_total - sum(escalation_counts(state, plan.levels)[0]) - max(open_seats, 0)
    for rounds in range(1, plan.max_total + 1):
        size = min(plan.cohort_sizes[min(opened + rounds - 1, len(plan.cohort_sizes) - 1)], left)
        if size <= 0:
            return None
        if line <= size:
            return rounds
        line, left = line - size, left - size
    return None


def _end(
    state: State, folder: StudyFolder, cohort: Cohort, at: datetime, rounds: int, latest: bool
) -> datetime:
    """When the cohort, and further full ones up to ``rounds`` in all, have been decided on."""
    patients = [state.patients[name] for name in cohort.patients]
    infused = sorted(one.infused_at for one in patients if one.infused_at is not None)
    seats = len(seat_rows(state, cohort))
    end = _decided(folder, infused, seats - len(infused), at, latest)
    plan = folder.study.escalation
    opened = sum(one.part == "escalation" for one in state.cohorts)
    for ahead in range(1, rounds):
        size = plan.cohort_sizes[min(opened + ahead - 1, len(plan.cohort_sizes) - 1)]
        end = _decided(folder, [], size, end, latest)
    return end


def _decided(
    folder: StudyFolder, infused: list[datetime], missing: int, at: datetime, latest: bool
) -> datetime:
    """When a cohort is decided on: observations in order, ``missing`` infusions from ``at`` on, the last window."""
    study, rules = folder.study, folder.conduct.slots
    before = timedelta(0)
    if latest:
        lead = timedelta(days=-min(study.regimen_on(at.date()).first_day, 0))
        before = timedelta(hours=rules.reservation_hours) + lead
    moments = list(infused)
    for _ in range(missing):
        free = [
            observed_until(
                one, study.stagger.after_next_days if k else study.stagger.after_first_days, "UTC", folder
            )
            for k, one in enumerate(moments)
        ]
        moments.append(max([at, *free]) + before)
    end = max([at, *(one + timedelta(days=study.dlt.window_days) for one in moments)])
    return end + timedelta(days=rules.decision_days) if latest else end
