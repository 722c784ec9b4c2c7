"""What has happened in oversight."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from escalon.conduct.act import Event
from escalon.conduct.oversight.commands import RightNamed


@dataclass(frozen=True, slots=True)
class AuditReviewed(Event):
    """Review number ``audit_review`` of the trail; ``selection`` is the definition's as it was then."""

    audit_review: int
    definition: str
    selection: dict[str, Any]
    from_seq: int
    to_seq: int
    rows: int
    trail_hash: str
    findings: str
    conclusion: str
    signature: int


@dataclass(frozen=True, slots=True)
class AccessReviewed(Event):
    """The table of ``rights`` rights was looked at; those of ``revoke`` ended, the others were confirmed."""

    access_review: int
    content_hash: str
    rights: int
    revoke: tuple[RightNamed, ...]
    conclusion: str
    signature: int


@dataclass(frozen=True, slots=True)
class BreakGlassOpened(Event):
    """A person took a role in an emergency, up to ``until`` (exclusive); must be reviewed before ``review_due``."""

    access: int
    person: str
    role: str
    site: str
    reason: str
    until: datetime
    review_due: datetime


@dataclass(frozen=True, slots=True)
class BreakGlassReviewed(Event):
    """Another person has looked at what was done under an emergency right."""

    access: int
    conclusion: str
    signature: int


@dataclass(frozen=True, slots=True)
class NoticeRaised(Event):
    """Somebody has to be told at once: ``to`` are addresses, or ids of persons whose account has one."""

    notice: int
    subject: str
    text: str
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoticeSent(Event):
    """A notice left."""

    notice: int
    means: str
