"""The one place where a wish becomes a fact: ``decide(state, signed, folder)`` gives events or a refusal. Pure."""

from datetime import UTC, datetime

from escalon.conduct import commands as c
from escalon.conduct.act import Command, Event, Outcome, Refused, Signed
from escalon.conduct.capture.commands import AmendStudy
from escalon.conduct.roles import ALLOWED, may, meaning_of
from escalon.conduct.state import State
from escalon.conduct.topic import Decide
from escalon.conduct.topics import TOPICS
from escalon.protocol import StudyFolder

_DECIDE: dict[type[Command], Decide] = {
    command: handler for topic in TOPICS for command, handler in topic.decide.items()
}

_AFTER_CLOSURE = frozenset(command for topic in TOPICS for command in topic.after_closure)


def decide(state: State, signed: Signed, folder: StudyFolder) -> Outcome:
    """Return the events that ``signed.command`` causes in ``state``, or why it is refused.

    Args:
        state: the fold of everything so far.
        signed: the command, who sends it and when (UTC).
        folder: the study; its hash must be the one the study was opened on.

    Returns:
        One or more events, all of one act; or ``Refused`` with the rule and a sentence.
    """
    refused = _refuse_act(state, signed, folder) or _guarded(state, signed, folder)
    if refused is not None:
        return refused
    outcome = _DECIDE[type(signed.command)](state, signed, signed.command, folder)
    return outcome if isinstance(outcome, Refused) else _with_reactions(state, signed, outcome, folder)


def _guarded(state: State, signed: Signed, folder: StudyFolder) -> Refused | None:
    for topic in TOPICS:
        refused = topic.guard(state, signed, folder) if topic.guard is not None else None
        if refused is not None:
            return refused
    return None


def _with_reactions(
    state: State, signed: Signed, events: tuple[Event, ...], folder: StudyFolder
) -> tuple[Event, ...]:
    for topic in TOPICS:
        if topic.react is not None:
            events = (*events, *topic.react(state, events, signed, folder))
    return events


def _refuse_act(state: State, signed: Signed, folder: StudyFolder) -> Refused | None:
    command = signed.command
    if not may(signed.actor.role, command):
        allowed = ", ".join(ALLOWED.get(type(command), ())) or "nobody"
        role = signed.actor.role
        acts = f"{signed.actor.name} acts as {role}".replace("_", " ")
        return Refused(
            "role", f"{meaning_of(type(command))}: that is for {allowed.replace('_', ' ')}; {acts}"
        )
    if signed.at.tzinfo is None:
        return Refused("clock", "the moment of an act needs a time zone")
    if state.at is not None and signed.at < state.at:
        return Refused(
            "clock", f"time does not run backwards: {_shown(signed.at)} lies before {_shown(state.at)}"
        )
    if isinstance(command, c.OpenStudy):
        return None
    if state.opened_at is None:
        return Refused("study-open", f"{meaning_of(type(command))}: the study is not open yet")
    if state.closed_at is not None and type(command) not in _AFTER_CLOSURE:
        return Refused("study-open", f"the study was closed on {_shown(state.closed_at)}")
    if state.study_hash != folder.hash and not isinstance(command, AmendStudy):
        return Refused("study-version", "the study folder is not the version the study was opened on")
    return None


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%d %b %Y %H:%M:%S} UTC"
