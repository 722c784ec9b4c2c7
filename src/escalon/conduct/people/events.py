"""What has happened to people: sites, persons, roles with their dates, signatures."""

from dataclasses import dataclass
from datetime import datetime

from escalon.conduct.act import Event


@dataclass(frozen=True, slots=True)
class SiteRegistered(Event):
    """A site takes part."""

    site: str
    name: str
    country: str
    timezone: str


@dataclass(frozen=True, slots=True)
class VersionApproved(Event):
    """A site may work on this version of the study folder."""

    site: str
    study_hash: str


@dataclass(frozen=True, slots=True)
class PersonRegistered(Event):
    """A person is known by this id, for ever."""

    person: str
    name: str
    organisation: str


@dataclass(frozen=True, slots=True)
class IdentityVerified(Event):
    """The identity of a person was checked."""

    person: str
    method: str


@dataclass(frozen=True, slots=True)
class RoleGranted(Event):
    """A person holds a role; a grant of the same role at the same site before it ends now.

    ``valid_until`` None: until revoked; ``trained_until`` None: of the person who opened the study only.
    """

    person: str
    role: str
    site: str
    valid_from: datetime
    valid_until: datetime | None
    trained_until: datetime | None


@dataclass(frozen=True, slots=True)
class RoleRevoked(Event):
    """A person holds a role no longer."""

    person: str
    role: str
    site: str
    reason: str


@dataclass(frozen=True, slots=True)
class PersonDeactivated(Event):
    """A person holds no role any more and cannot come back under this id."""

    person: str
    reason: str


@dataclass(frozen=True, slots=True)
class SecurityEventRecorded(Event):
    """Something happened to accounts or access; ``person`` is '' when the account is unknown."""

    kind: str
    person: str
    detail: str


@dataclass(frozen=True, slots=True)
class SignatureGiven(Event):
    """A person signed; name and role are those of that moment, ``authenticated`` says how it was proved."""

    signature: int
    object_ref: str
    signer: str
    name: str
    role: str
    meaning: str
    content_hash: str
    authenticated: str = "session"
    site: str = ""


@dataclass(frozen=True, slots=True)
class ObjectDisplayed(Event):
    """A form or casebook was displayed to a person in the version of this hash."""

    object_ref: str
    person: str
    content_hash: str


@dataclass(frozen=True, slots=True)
class SignatureInvalidated(Event):
    """What was signed has changed since; the signature is history, signing again restores it."""

    signature: int
    reason: str
