"""What is true of people: sites, persons, roles with their dates, electronic signatures."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Site:
    """A site; ``approved`` holds the versions of the study folder it may work on and since when."""

    site: str
    name: str
    country: str
    timezone: str
    registered_at: datetime
    approved: dict[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Grant:
    """One grant of a role: when it was given, from and until when it is valid, when it was ended and why."""

    person: str
    role: str
    site: str
    valid_from: datetime
    valid_until: datetime | None
    trained_until: datetime | None
    granted_at: datetime
    granted_by: str
    ended_at: datetime | None = None
    ended_because: str = ""

    def known(self, at: datetime) -> bool:
        """Tell whether the grant stood at ``at``, whatever its dates."""
        return self.granted_at <= at and (self.ended_at is None or at < self.ended_at)

    def delegated(self, at: datetime) -> bool:
        """Tell whether ``at`` lies within the delegation."""
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)

    def trained(self, at: datetime) -> bool:
        """Tell whether the training is valid at ``at``."""
        return self.trained_until is None or at < self.trained_until


@dataclass(frozen=True, slots=True)
class Person:
    """A person, all grants ever given and, when it was checked, how the identity was proved."""

    person: str
    name: str
    organisation: str
    registered_at: datetime
    identity: str | None = None
    identity_at: datetime | None = None
    deactivated_at: datetime | None = None
    deactivated_because: str = ""
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature; ``invalidated_at`` is None while it is valid; ``site`` is the one the signer acted for."""

    number: int
    object_ref: str
    signer: str
    name: str
    role: str
    meaning: str
    content_hash: str
    authenticated: str
    at: datetime
    site: str = ""
    invalidated_at: datetime | None = None
    invalidated_because: str = ""


@dataclass(frozen=True, slots=True)
class SigningPeriod:
    """A continuous period of signing: its first signature, and the last so far."""

    since: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class People:
    """The people slice of the state.

    ``signing`` holds the running period of each person who has one; ``failures`` the failed logins in a row ('' for
    unknown accounts); ``displayed`` for each person the last hash of each object displayed.
    """

    sites: dict[str, Site] = field(default_factory=dict)
    persons: dict[str, Person] = field(default_factory=dict)
    signatures: tuple[Signature, ...] = ()
    signing: dict[str, SigningPeriod] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    displayed: dict[str, dict[str, str]] = field(default_factory=dict)
