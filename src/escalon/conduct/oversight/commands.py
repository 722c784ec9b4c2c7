"""What people ask for in oversight: reviews of the audit trail and of access, a right in an emergency, its review."""

from dataclasses import dataclass

from escalon.conduct.act import Command
from escalon.conduct.people.commands import GiveSignature, SignBatch


@dataclass(frozen=True, slots=True)
class RightNamed:
    """A role of a person at a site ('' for the whole study)."""

    person: str
    role: str
    site: str


@dataclass(frozen=True, slots=True)
class RecordAuditReview(Command):
    """Sign a review of the audit trail: the rows that a definition takes of events ``from_seq`` to ``to_seq``.

    Attributes:
        definition: id of the review in the study's rules.
        from_seq, to_seq: numbers of the first and the last event looked at (both inclusive).
        rows: how many rows were shown.
        trail_hash: what pins them; see ``select.pin``.
        findings: what was found; '' for nothing.
        conclusion: what follows from it.
    """

    definition: str
    from_seq: int
    to_seq: int
    rows: int
    trail_hash: str
    findings: str
    conclusion: str


@dataclass(frozen=True, slots=True)
class ReviewAccess(Command):
    """Sign the table of all rights as they are; those of ``revoke`` end with it, the others are confirmed."""

    content_hash: str
    revoke: tuple[RightNamed, ...]
    conclusion: str


@dataclass(frozen=True, slots=True)
class BreakGlass(Command):
    """Take a role for some hours in an emergency; it is told at once and reviewed afterwards."""

    role: str
    site: str
    reason: str
    hours: float


@dataclass(frozen=True, slots=True)
class ReviewBreakGlass(Command):
    """Sign the review of what was done under an emergency right; by another person than who took it."""

    access: int
    conclusion: str


@dataclass(frozen=True, slots=True)
class RecordNoticeSent(Command):
    """Record that a notice left, and by which means."""

    notice: int
    means: str


AUTHENTICATED = (
    GiveSignature,
    SignBatch,
    RecordAuditReview,
    ReviewAccess,
    BreakGlass,
    ReviewBreakGlass,
)
"""Acts for which the password or the second factor is given anew; a session alone is not enough."""
