"""What the committee and those who prepare its meetings ask for."""

from dataclasses import dataclass
from typing import Literal

from escalon.conduct.act import Command

Subject = Literal["dose", "rp2d"]


@dataclass(frozen=True, slots=True)
class AppointMember(Command):
    """Appoint a registered person to the committee with a ``function`` of the charter, such as chair."""

    person: str
    function: str


@dataclass(frozen=True, slots=True)
class TakeCut(Command):
    """Take a data cut of one part of the study as it stands now."""

    part: str
    purpose: str


@dataclass(frozen=True, slots=True)
class OpenReview(Command):
    """Put a data cut before the committee; ``subject`` is dose or rp2d."""

    cut: int
    subject: Subject


@dataclass(frozen=True, slots=True)
class DeclareInterest(Command):
    """Declare before voting whether the acting member has a conflict of interest, and which."""

    review: int
    conflict: bool
    statement: str


@dataclass(frozen=True, slots=True)
class CastVote(Command):
    """Vote for an action (open, escalate, stay, de_escalate, stop, rp2d) and a 1-based level, with a reason."""

    review: int
    action: str
    dose_level: int | None
    reason: str
