"""The DLT window of each infusion: where it stands, whether it can be evaluated, and why.

The window of a patient is that of the first infusion; a further one has a window and a judgement of its own.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from escalon.conduct.dlt_record import DltProposal
from escalon.conduct.events import DltStatus
from escalon.conduct.exposure_record import propose_exposure
from escalon.conduct.proposals import propose_dlt
from escalon.conduct.slots.state import Exposure
from escalon.conduct.state import Patient, State
from escalon.protocol import StudyFolder


class WindowState(StrEnum):
    """Where a DLT window stands."""

    NOT_STARTED = "not started"
    RUNNING = "running"
    COMPLETED = "completed"
    ENDED_BY_DLT = "ended by DLT"
    TRUNCATED = "truncated"
    REOPENED = "re-opened"


class Evaluability(StrEnum):
    """Whether an infusion can be evaluated; every one that was given is exactly one of the last three."""

    OUTSIDE = "outside the DLT set"
    EVALUABLE = "evaluable"
    NOT_EVALUABLE = "not evaluable"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Window:
    """The DLT window of one infusion.

    Attributes:
        state, evaluability: see the enumerations.
        dlt: True or False once evaluable, None before.
        day: whole days since the infusion, None without one.
        adjudicated: a person has judged, and nothing recorded since says otherwise.
        candidate: the criteria propose a DLT that nobody has judged.
        reasons: in words, from the criteria and from the judgement.
    """

    state: WindowState
    evaluability: Evaluability
    dlt: bool | None
    day: int | None
    adjudicated: bool
    candidate: bool
    reasons: tuple[str, ...]


_JUDGED = {
    DltStatus.DLT: (WindowState.ENDED_BY_DLT, Evaluability.EVALUABLE, True),
    DltStatus.NO_DLT: (WindowState.COMPLETED, Evaluability.EVALUABLE, False),
    DltStatus.NOT_EVALUABLE: (WindowState.TRUNCATED, Evaluability.NOT_EVALUABLE, None),
}


def dlt_window(state: State, patient: Patient, folder: StudyFolder, at: datetime) -> Window:
    """Return the window of ``patient`` on what is known at ``at`` (UTC)."""
    if patient.infused_at is None:
        reason = "no infusion recorded" if patient.released is None else f"left before it: {patient.released}"
        return Window(WindowState.NOT_STARTED, Evaluability.OUTSIDE, None, None, False, False, (reason,))
    day = (at.date() - patient.infused_at.date()).days
    proposal = propose_dlt(state, patient.patient, folder, at)
    if patient.patient in state.slots.reopened:
        candidate = proposal.status is DltStatus.DLT
        again = (f"judged {patient.dlt_status}, to be judged again", proposal.text)
        return Window(WindowState.REOPENED, Evaluability.PENDING, None, day, False, candidate, again)
    if patient.dlt_status is not DltStatus.PENDING:
        return _judged(patient.dlt_status, patient.dlt_clause, patient.dlt_reason, day)
    return _proposed(proposal, day)


def exposure_window(state: State, exposure: Exposure, folder: StudyFolder, at: datetime) -> Window:
    """Return the window of one exposure on what is known at ``at`` (UTC); that of number 1 is the patient's."""
    if exposure.exposure == 1:
        return dlt_window(state, state.patients[exposure.patient], folder, at)
    if exposure.infused_at is None:
        reason = "approved, not given"
        return Window(WindowState.NOT_STARTED, Evaluability.OUTSIDE, None, None, False, False, (reason,))
    day = (at.date() - exposure.infused_at.date()).days
    judged = exposure.judged
    if judged is not None and not exposure.reopened:
        return _judged(judged.status, judged.clause, judged.reason, day)
    proposal = propose_exposure(state, exposure, folder, at)
    if judged is not None:
        candidate = proposal.status is DltStatus.DLT
        again = (f"judged {judged.status}, to be judged again", proposal.text)
        return Window(WindowState.REOPENED, Evaluability.PENDING, None, day, False, candidate, again)
    return _proposed(proposal, day)


def _judged(status: DltStatus, clause: str | None, reason: str | None, day: int) -> Window:
    """A person has judged, and nothing recorded since says otherwise."""
    window, evaluability, dlt = _JUDGED[status]
    reasons = tuple(part for part in (clause and f"clause {clause}", reason) if part)
    return Window(window, evaluability, dlt, day, True, False, reasons)


def _proposed(proposal: DltProposal, day: int) -> Window:
    """Nobody has judged: what the facts and the pinned definition say; a proposed DLT stays pending."""
    if proposal.status in (DltStatus.PENDING, DltStatus.DLT):
        candidate = proposal.status is DltStatus.DLT
        return Window(
            WindowState.RUNNING, Evaluability.PENDING, None, day, False, candidate, (proposal.text,)
        )
    window, evaluability, dlt = _JUDGED[proposal.status]
    return Window(window, evaluability, dlt, day, False, False, (proposal.text, "not adjudicated yet"))
