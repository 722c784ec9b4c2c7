"""What people ask for about people: sites, persons, roles with their dates, signatures."""

from dataclasses import dataclass
from datetime import datetime

from escalon.conduct.act import Command


@dataclass(frozen=True, slots=True)
class RegisterSite(Command):
    """Add a site; ``country`` as ISO 3166 alpha-3, ``timezone`` as IANA name (Europe/Paris)."""

    site: str
    name: str
    country: str
    timezone: str


@dataclass(frozen=True, slots=True)
class ApproveVersion(Command):
    """Record that a site has its approvals for a version of the study folder (its hash)."""

    site: str
    study_hash: str


@dataclass(frozen=True, slots=True)
class RegisterPerson(Command):
    """Add a person; the id is never used again for anybody else. ``name`` is the printed name."""

    person: str
    name: str
    organisation: str


@dataclass(frozen=True, slots=True)
class VerifyIdentity(Command):
    """Record that the person's identity was checked, and how; needed before the first signature."""

    person: str
    method: str


@dataclass(frozen=True, slots=True)
class GrantRole(Command):
    """Give a person a role at a site ('' for the whole study), or give it again with new dates.

    Attributes:
        valid_from: from this moment (inclusive) the delegation holds.
        valid_until: up to this moment (exclusive); None: until it is revoked.
        trained_until: up to this moment (exclusive) the training for the role is valid; must be given.
    """

    person: str
    role: str
    site: str
    valid_from: datetime
    valid_until: datetime | None = None
    trained_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RevokeRole(Command):
    """Take a role at a site away."""

    person: str
    role: str
    site: str
    reason: str


@dataclass(frozen=True, slots=True)
class DeactivatePerson(Command):
    """End all rights of a person; the person and everything signed stay."""

    person: str
    reason: str


@dataclass(frozen=True, slots=True)
class RecordSecurityEvent(Command):
    """Record a login, a failed one, a lock-out ... (``kind`` is one of ``security.KINDS``)."""

    kind: str
    person: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class GiveSignature(Command):
    """Sign an object: ``content_hash`` is that of what was shown (``signatures.content_hash``)."""

    object_ref: str
    meaning: str
    content_hash: str


@dataclass(frozen=True, slots=True)
class ShowObject(Command):
    """Record that a form or casebook was displayed to who acts, in the version of this hash."""

    object_ref: str
    content_hash: str


@dataclass(frozen=True, slots=True)
class SignBatch(Command):
    """Sign several forms or casebooks in one act; each was displayed to the signer in its latest version."""

    objects: tuple[str, ...]
    meaning: str
