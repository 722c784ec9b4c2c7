"""From facts to state: ``apply`` adds one fact, ``fold`` adds many, ``cut`` stops at a moment."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from escalon.conduct.act import Event, Signed
from escalon.conduct.state import Fact, State
from escalon.conduct.topic import Apply
from escalon.conduct.topics import TOPICS

_APPLY: dict[type[Event], Apply] = {kind: how for topic in TOPICS for kind, how in topic.apply.items()}


def apply(state: State, fact: Fact) -> State:
    """Return the state after ``fact``; facts are applied in ledger order."""
    after = _APPLY[type(fact.event)](state, fact, fact.event)
    return replace(after, seq=fact.seq, at=fact.at)


def fold(facts: Iterable[Fact], state: State | None = None) -> State:
    """Return the state after all ``facts``, starting from ``state`` (default: nothing has happened)."""
    state = State() if state is None else state
    for fact in facts:
        state = apply(state, fact)
    return state


def cut(facts: Iterable[Fact], moment: datetime) -> State:
    """Return the state as of ``moment`` (UTC, inclusive): the data cut."""
    return fold(fact for fact in facts if fact.at <= moment)


def state_after(state: State, events: Iterable[Event], signed: Signed) -> State:
    """Return the state as it will be once ``events`` of the act ``signed`` are in the ledger."""
    for event in events:
        fact = Fact(state.seq + 1, signed.at, signed.actor.id, signed.actor.role, event)
        state = apply(state, fact)
    return state
