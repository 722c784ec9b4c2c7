"""What is true of oversight: reviews of the trail and of access, emergency rights, notices."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class AuditReview:
    """A signed review of the audit trail; its range is inclusive at both ends."""

    number: int
    definition: str
    selection: dict[str, Any]
    from_seq: int
    to_seq: int
    rows: int
    trail_hash: str
    findings: str
    conclusion: str
    by: str
    at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class AccessReview:
    """A signed review of all rights."""

    number: int
    content_hash: str
    rights: int
    revoked: int
    conclusion: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Emergency:
    """A right taken in an emergency; ``reviewed_at`` is None until another person has looked at its use."""

    number: int
    person: str
    role: str
    site: str
    reason: str
    opened_at: datetime
    until: datetime
    review_due: datetime
    reviewed_by: str = ""
    reviewed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice; ``sent_at`` is None while it waits."""

    number: int
    subject: str
    text: str
    to: tuple[str, ...]
    at: datetime
    sent_at: datetime | None = None
    means: str = ""


@dataclass(frozen=True, slots=True)
class Oversight:
    """The oversight slice of the state; number n stands at place n - 1."""

    audit_reviews: tuple[AuditReview, ...] = ()
    access_reviews: tuple[AccessReview, ...] = ()
    emergencies: tuple[Emergency, ...] = ()
    notices: tuple[Notice, ...] = ()
