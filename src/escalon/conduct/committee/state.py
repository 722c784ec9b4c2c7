"""What is true of the committee: members, data cuts, reviews with interests and votes."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DataCut:
    """A data cut: the state of ``part`` after event ``seq``."""

    number: int
    part: str
    purpose: str
    seq: int
    content_hash: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Interest:
    """Whether a member has a conflict of interest, in the member's words."""

    conflict: bool
    statement: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Vote:
    """What a member voted for."""

    action: str
    dose_level: int | None
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Review:
    """One review; ``decided`` once its decision is a fact."""

    number: int
    cut: int
    subject: str
    recommendation: int | None
    packet_hash: str
    at: datetime
    interests: dict[str, Interest] = field(default_factory=dict)
    votes: dict[str, Vote] = field(default_factory=dict)
    decided: bool = False


@dataclass(frozen=True, slots=True)
class Committee:
    """The committee slice of the state; ``members`` maps persons to their functions."""

    members: dict[str, str] = field(default_factory=dict)
    cuts: tuple[DataCut, ...] = ()
    reviews: tuple[Review, ...] = ()

    def review(self, number: int) -> Review | None:
        """Return review ``number``, or None."""
        return self.reviews[number - 1] if 1 <= number <= len(self.reviews) else None
