"""What is true of redactions."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Redaction:
    """One redaction: requested, and done once ``confirmed_at`` is set. Who: id and role at that time."""

    number: int
    target_seq: int
    items: tuple[str, ...]
    reason: str
    requested_by: str
    requested_as: str
    requested_at: datetime
    confirmed_by: str = ""
    confirmed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Redactions:
    """The redaction slice of the state; ``redactions[n - 1]`` is number n."""

    redactions: tuple[Redaction, ...] = ()
