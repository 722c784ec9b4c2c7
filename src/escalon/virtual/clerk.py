"""The clerk of a virtual trial: a calendar worked off in order of time, and a desk to which commands are sent."""

import heapq
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, time
from typing import Any, Protocol

from escalon.conduct.act import Actor, Command, Event, Refused, Signed
from escalon.conduct.canonical import content_hash
from escalon.conduct.oversight.commands import AUTHENTICATED
from escalon.conduct.people.commands import GiveSignature
from escalon.conduct.state import State

Act = Callable[[datetime], None]
Listener = Callable[[datetime, Any], None]
Witness = Callable[[State, Signed, tuple[Event, ...]], None]
"""Told of each act that was carried out: the state before it, the act, its events."""


class Desk(Protocol):
    """What the virtual trial needs of a ledger: carry out commands, show the state, join a day's work."""

    state: State

    def execute(self, signed: Signed) -> tuple[Event, ...] | Refused:
        """Carry out one command."""

    def batch(self) -> AbstractContextManager[None]:
        """Join several commands."""


class Progress(Protocol):
    """Told after each simulated day: moment, things done and things known to come."""

    def __call__(self, moment: datetime, done: int, to_come: int) -> None:
        """Take note."""


class VirtualRunError(RuntimeError):
    """The simulated people sent a command that conduct refuses: a fault of the simulation, never of the data."""


class Clerk:
    """Keeps the calendar, sends commands, and tells who listens what came of them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._calendar: list[tuple[datetime, int, Act, bool]] = []
        self._order = 0
        self._done = self._to_come = 0
        self._listeners: dict[type[Event], list[Listener]] = {}
        self._witnesses: list[Witness] = []

    @property
    def state(self) -> State:
        """The state of the trial as of now."""
        return self._desk.state

    @property
    def busy(self) -> bool:
        """True while something is left to do, apart from what goes on beside the trial."""
        return self._to_come > 0

    @property
    def last_entry(self) -> datetime | None:
        """The last moment in the calendar, apart from what goes on beside the trial."""
        return max((entry[0] for entry in self._calendar if not entry[3]), default=None)

    def listen(self, kind: type[Event], listener: Listener) -> None:
        """Call ``listener(now, event)`` after every event of ``kind``; ``Event`` is every event."""
        self._listeners.setdefault(kind, []).append(listener)

    def witness(self, told: Witness) -> None:
        """Call ``told`` after every act, in the order of the ledger and before who listens to its events."""
        self._witnesses.append(told)

    def at(self, moment: datetime, act: Act, *, beside: bool = False) -> None:
        """Do ``act`` at ``moment``; of the same moment, what was entered first comes first.

        What is done ``beside`` the trial, as a monthly review, neither keeps the study open nor moves its end.
        """
        self._order += 1
        self._to_come += not beside
        heapq.heappush(self._calendar, (moment, self._order, act, beside))

    def send(self, now: datetime, actor: Actor, command: Command) -> tuple[Event, ...]:
        """Send a command that has to succeed.

        Raises:
            VirtualRunError: conduct refuses it.
        """
        how = "password+otp" if isinstance(command, AUTHENTICATED) else "session"
        before, signed = self._desk.state, Signed(command, actor, now, how)
        outcome = self._desk.execute(signed)
        if isinstance(outcome, Refused):
            raise VirtualRunError(f"{now:%d %b %Y}: {command} was refused ({outcome.rule}): {outcome.reason}")
        for witness in self._witnesses:
            witness(before, signed, outcome)
        for event in outcome:
            for listener in (*self._listeners.get(type(event), ()), *self._listeners.get(Event, ())):
                listener(now, event)
        return outcome

    def approve(self, now: datetime, actor: Actor, signed: tuple[str, dict[str, Any]]) -> None:
        """Let ``actor`` sign an object with its content as approved."""
        self.send(now, actor, GiveSignature(signed[0], "approved", content_hash(signed[1])))

    def work(self, progress: Progress | None) -> State:
        """Work off the calendar, a day in one transaction, and return the final state."""
        while self.busy:
            day = self._calendar[0][0].date()
            with self._desk.batch():
                self._work_day(day)
            if progress is not None:
                progress(datetime.combine(day, time(), UTC), self._done, self._to_come)
        return self._desk.state

    def _work_day(self, day: date) -> None:
        while self.busy and self._calendar[0][0].date() == day:
            moment, _, act, beside = heapq.heappop(self._calendar)
            self._to_come -= not beside
            act(moment)
            self._done += not beside
