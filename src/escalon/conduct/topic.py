"""A topic of conduct: its commands, events and rules in one declaration. ``topics`` lists them all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from escalon.conduct.act import Command, Event, Outcome, Refused, Signed
from escalon.conduct.state import Fact, State
from escalon.protocol import StudyFolder

Decide = Callable[[State, Signed, Any, StudyFolder], Outcome]
Apply = Callable[[State, Fact, Any], State]
Guard = Callable[[State, Signed, StudyFolder], Refused | None]
React = Callable[[State, tuple[Event, ...], Signed, StudyFolder], tuple[Event, ...]]


@dataclass(frozen=True, slots=True)
class Topic:
    """What one topic adds to conduct.

    Attributes:
        name: of the topic and of its folder.
        decide: handler of each command, ``(state, signed, command, folder)`` to events or a refusal.
        allowed: the roles that may send each command; the same commands as ``decide``.
        apply: how each event changes the state.
        guard: looks at every command of every topic before its handler does, and may refuse it.
        react: what follows by itself from the events of an act (``state`` is the one before them); its events
            join the same act. Topics react in the order of ``topics.TOPICS`` and see what earlier ones added.
        after_closure: the commands that are carried out when the study is closed, too.
    """

    name: str
    decide: Mapping[type[Command], Decide] = field(default_factory=dict)
    allowed: Mapping[type[Command], tuple[str, ...]] = field(default_factory=dict)
    apply: Mapping[type[Event], Apply] = field(default_factory=dict)
    guard: Guard | None = None
    react: React | None = None
    after_closure: frozenset[type[Command]] = frozenset()
