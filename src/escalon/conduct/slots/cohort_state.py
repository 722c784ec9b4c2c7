"""The state of a cohort, computed from facts: nobody clicks it forward. Holds are an overlay."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from escalon.conduct.events import DltStatus
from escalon.conduct.holds import cohort_holds, scope_words
from escalon.conduct.slots.exposure_rows import exposure_rows
from escalon.conduct.slots.queue import site_not_ready
from escalon.conduct.slots.seat_rows import SeatRow, seat_rows
from escalon.conduct.slots.stagger import candidates, infused_in_order, sentinel_cleared
from escalon.conduct.state import Cohort, Decision, Hold, Patient, State
from escalon.protocol import StudyFolder


class CohortPhase(StrEnum):
    """The states of a cohort, in their usual order."""

    PLANNED = "planned"
    SENTINEL = "open (sentinel)"
    STAGGER = "open (stagger)"
    FULL = "full"
    OBSERVING = "observing"
    READY = "ready for review"
    DECIDED = "decided"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class CohortStatus:
    """Where a cohort stands.

    Attributes:
        phase: see above.
        action: of the decision on it; None before one.
        reasons: why it stands there, and what it waits for.
        holds: open holds, as words; the phase below them stays what it is.
        further: further infusions of its patients with their windows, as words; they do not move the phase.
    """

    phase: CohortPhase
    action: str | None
    reasons: tuple[str, ...]
    holds: tuple[str, ...]
    further: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The state in words, hold included."""
        name = f"{self.phase} ({self.action})" if self.phase is CohortPhase.DECIDED else str(self.phase)
        return f"{name}, on hold" if self.holds else name


def cohort_status(state: State, cohort: int, folder: StudyFolder, at: datetime) -> CohortStatus:
    """Return where cohort number ``cohort`` stands on what is known at ``at`` (UTC); one not opened is planned."""
    found = next((one for one in state.cohorts if one.cohort == cohort), None)
    held = state.open_holds if found is None else cohort_holds(state, found, at, folder)
    holds = tuple(_hold_words(hold) for hold in held)
    if found is None:
        return CohortStatus(CohortPhase.PLANNED, None, ("no signed decision has opened it",), holds)
    further = tuple(row.text for row in exposure_rows(state, folder, at, cohort=cohort))
    decision = decision_on(state, found)
    if found.decided and decision is not None:
        phase, reason = _after_decision(state, found, decision)
        return CohortStatus(phase, decision.action, (reason,), holds, further)
    phase, reasons = _open_phase(state, found, folder, at)
    return CohortStatus(phase, None, reasons, holds, further)


def _hold_words(hold: Hold) -> str:
    scope = "" if hold.scope == "study" else f" ({scope_words(hold)})"
    return f"{hold.rule}{scope}: {hold.reason}"


def decision_on(state: State, cohort: Cohort) -> Decision | None:
    """Return the decision that was made on a cohort; None if it awaits one."""
    about = {rec.number: rec.cohort for rec in state.recommendations}
    return next(
        (
            one
            for one in state.decisions
            if one.recommendation is not None and about[one.recommendation] == cohort.cohort
        ),
        None,
    )


def _after_decision(state: State, cohort: Cohort, decision: Decision) -> tuple[CohortPhase, str]:
    following = next((one for one in state.cohorts if one.cohort > cohort.cohort), None)
    if following is not None:
        reason = (
            f"decision {decision.number} opened cohort {following.cohort} at level {following.dose_level}"
        )
        return CohortPhase.CLOSED, reason
    if decision.action == "stop" and state.mtd is not None:
        return CohortPhase.CLOSED, f"decision {decision.number} ended the escalation"
    return CohortPhase.DECIDED, f"decision {decision.number} ({decision.action}) is not executed yet"


def _open_phase(
    state: State, cohort: Cohort, folder: StudyFolder, at: datetime
) -> tuple[CohortPhase, tuple[str, ...]]:
    rows = seat_rows(state, cohort)
    dosed = sum(_infused(state, row) for row in rows)
    if dosed == 0 and not _any_site_ready(state, folder):
        return CohortPhase.PLANNED, ("no site with an approved version has acknowledged the decision",)
    free = sum(row.free for row in rows)
    counted = f"{dosed} of {len(rows)} seats dosed, {free} free"
    if dosed < len(rows) and _waits_for_sentinel(state, cohort, folder):
        return CohortPhase.SENTINEL, (
            counted,
            *_sentinel_words(state, cohort),
            *candidates(state, cohort, folder, at),
        )
    uncommitted = [row for row in rows if row.slot is None or row.slot.patient is None]
    if uncommitted:
        return CohortPhase.STAGGER, (counted, f"{len(uncommitted)} seats not committed")
    if dosed < len(rows):
        return CohortPhase.FULL, (counted, "every seat is committed; the last dose is not given yet")
    waiting = _pending(state, cohort)
    if waiting:
        return CohortPhase.OBSERVING, tuple(f"{one.patient} is pending" for one in waiting)
    return CohortPhase.READY, ("every patient is judged",)


def _infused(state: State, row: SeatRow) -> bool:
    patient = state.patients.get(row.slot.patient or "") if row.slot is not None else None
    return patient is not None and patient.infused_at is not None


def _any_site_ready(state: State, folder: StudyFolder) -> bool:
    sites = {*state.people.sites, *(one.site for one in state.slots.acknowledged)}
    return any(site_not_ready(state, site, folder) is None for site in sites)


def _waits_for_sentinel(state: State, cohort: Cohort, folder: StudyFolder) -> bool:
    wanted = cohort.part == "escalation" and folder.conduct.slots.sentinel_review
    return wanted and sentinel_cleared(state, cohort) is None


def _sentinel_words(state: State, cohort: Cohort) -> tuple[str, ...]:
    infused = infused_in_order(state, cohort)
    if not infused:
        return ("the first patient is not infused yet",)
    return (f"the review of the first patient, {infused[0].patient}, is not signed",)


def _pending(state: State, cohort: Cohort) -> list[Patient]:
    return [
        patient
        for patient in (state.patients[name] for name in cohort.patients)
        if patient.dlt_status is DltStatus.PENDING or patient.patient in state.slots.reopened
    ]
