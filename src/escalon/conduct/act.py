"""An act: who asks for what and when, and how it can end. Commands and events of every topic build on these."""

from dataclasses import dataclass
from datetime import datetime


class Command:
    """What a person asks for; ``decide`` turns it into events or refuses it with a reason."""

    __slots__ = ()


class Event:
    """What has happened: frozen, never changed, replayed to give the state."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: id, printed name, role (see ``roles``) and site ('' for the sponsor)."""

    id: str
    name: str
    role: str
    site: str = ""


@dataclass(frozen=True, slots=True)
class Signed:
    """A command with who sent it and when (UTC); ``authenticated`` is a key of ``people.security.COMPONENTS``."""

    command: Command
    actor: Actor
    at: datetime
    authenticated: str = "session"


@dataclass(frozen=True, slots=True)
class Refused:
    """A command that was not carried out: the rule it breaks, and a sentence a coordinator understands."""

    rule: str
    reason: str


Outcome = tuple[Event, ...] | Refused
