"""The one place where a wish becomes a fact: ``decide(state, signed, folder)`` gives events or a refusal. Pure."""

from collections.abc import Callable
from typing import Any

from escalon.conduct import commands as c
from escalon.conduct import doses, records, seats
from escalon.conduct import events as ev
from escalon.conduct.roles import ALLOWED, may
from escalon.conduct.state import State
from escalon.protocol import StudyFolder

Outcome = tuple[ev.Event, ...] | c.Refused


def decide(state: State, signed: c.Signed, folder: StudyFolder) -> Outcome:
    """Return the events that ``signed.command`` causes in ``state``, or why it is refused.

    Args:
        state: the fold of everything so far.
        signed: the command, who sends it and when (UTC).
        folder: the study; its hash must be the one the study was opened on.

    Returns:
        One or more events, all of one act; or ``Refused`` with the rule and a sentence.
    """
    refused = _refuse_act(state, signed, folder)
    if refused is not None:
        return refused
    outcome: Outcome = _DECIDE[type(signed.command)](state, signed, signed.command, folder)
    return outcome


def _refuse_act(state: State, signed: c.Signed, folder: StudyFolder) -> c.Refused | None:
    command = signed.command
    name = type(command).__name__
    if not may(signed.actor.role, command):
        allowed = ", ".join(ALLOWED.get(type(command), ())) or "nobody"
        return c.Refused("role", f"{name} is for {allowed}; {signed.actor.name} acts as {signed.actor.role}")
    if signed.at.tzinfo is None:
        return c.Refused("clock", "the moment of an act needs a time zone")
    if state.at is not None and signed.at < state.at:
        return c.Refused("clock", f"time does not run backwards: {signed.at} lies before {state.at}")
    if isinstance(command, c.OpenStudy):
        return None
    if state.opened_at is None:
        return c.Refused("study-open", f"{name} needs an open study")
    if state.closed_at is not None:
        return c.Refused("study-open", f"the study was closed at {state.closed_at}")
    if state.study_hash != folder.hash:
        return c.Refused("study-version", "the study folder is not the version the study was opened on")
    return None


def _open_study(state: State, signed: c.Signed, command: c.OpenStudy, folder: StudyFolder) -> Outcome:
    if state.opened_at is not None:
        return c.Refused("study-open", f"the study was opened at {state.opened_at}")
    if command.study_hash != folder.hash:
        return c.Refused("study-version", "the hash given is not that of the study folder")
    identity = folder.study.identity.study_id
    return (
        ev.StudyOpened(identity, folder.hash, folder.study.escalation.hash, command.software, command.origin),
    )


def _close_study(state: State, signed: c.Signed, command: c.CloseStudy, folder: StudyFolder) -> Outcome:
    return (ev.StudyClosed(command.reason),)


_DECIDE: dict[type, Callable[[State, c.Signed, Any, StudyFolder], Outcome]] = {
    c.OpenStudy: _open_study,
    c.DecideDose: doses.decide_dose,
    c.OpenExpansion: doses.open_expansion,
    c.EnrolPatient: seats.enrol_patient,
    c.AssignDose: seats.assign_dose,
    c.RecordForm: records.record_form,
    c.AdjudicateDlt: seats.adjudicate_dlt,
    c.RequestRecommendation: doses.request_recommendation,
    c.DecideRp2d: doses.decide_rp2d,
    c.LiftHold: doses.lift_hold,
    c.CloseStudy: _close_study,
}
