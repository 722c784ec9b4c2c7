"""What a study says about people: roles that exclude each other, sessions, passwords, signatures, lock-out.

The defaults are the platform's own choices where no regulation gives a number; a study may be stricter.
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from escalon.protocol.conduct.model import Model

Role = Literal[
    "coordinator",
    "investigator",
    "monitor",
    "medical_monitor",
    "statistician",
    "committee_member",
    "data_manager",
    "safety_officer",
    "inspector",
    "administrator",
    "sponsor",
    "pharmacologist",
]
ROLES: tuple[Role, ...] = (
    "coordinator",
    "investigator",
    "monitor",
    "medical_monitor",
    "statistician",
    "committee_member",
    "data_manager",
    "safety_officer",
    "inspector",
    "administrator",
    "sponsor",
    "pharmacologist",
)
SITE_ROLES: tuple[Role, ...] = ("coordinator", "investigator")
"""Roles held at one site and nowhere else."""
EITHER_ROLES: tuple[Role, ...] = ("monitor", "inspector")
"""Roles held at one site or, with no site named, at all; the other roles know no site."""


class ExclusiveRoles(Model):
    """Roles one person never holds at the same time (AC-3)."""

    id: str
    role: Role
    not_with: tuple[Role, ...] = Field(min_length=1)
    reason: str = Field(description="sentence shown when a grant is refused")


class SeparateActs(Model):
    """Two acts on the same object that two different persons do (AC-3)."""

    id: str
    first: str = Field(description="what the first person did, as a word for the message")
    second: str = Field(description="what that person may not do as well")
    alone: bool = Field(
        default=False, description="the person may take part in the second act, only not be the only one"
    )


class Meaning(Model):
    """What a signature can mean (SG-2)."""

    text: str = Field(description="sentence shown with the signature")
    roles: tuple[Role, ...] = Field(default=(), description="who may sign so; empty: every role that signs")


class Session(Model):
    """Limits of a session (AC-9)."""

    idle_minutes: int = Field(default=15, ge=1, le=30, description="minutes without an act of the person")
    absolute_hours: float = Field(default=12, gt=0, le=24, description="hours from login, whatever happens")


class Password(Model):
    """What a password must be (AC-6): long, not common, no rule about kinds of characters."""

    min_length: int = Field(default=12, ge=12, description="characters, with a second factor")
    min_length_alone: int = Field(default=15, ge=15, description="characters, without a second factor")
    expires_days: int | None = Field(default=None, ge=1, description="days; null: does not expire")
    invitation_hours: int = Field(default=72, ge=1, description="hours a link to set a password is good for")


class Lockout(Model):
    """When failed logins lock an account (AC-7)."""

    failures: int = Field(default=5, ge=1, le=10, description="failed logins in a row")
    minutes: int = Field(default=30, ge=1, description="minutes the account stays locked")


DATA_ROLES: tuple[Role, ...] = tuple(role for role in ROLES if role != "administrator")


def _exclusive() -> tuple[ExclusiveRoles, ...]:
    return (
        ExclusiveRoles(
            id="administrator-no-data",
            role="administrator",
            not_with=DATA_ROLES,
            reason="who administers accounts and rights takes no part in the data and decisions of the study",
        ),
        ExclusiveRoles(
            id="inspector-reads",
            role="inspector",
            not_with=tuple(role for role in ROLES if role != "inspector"),
            reason="who inspects the trial takes no part in it",
        ),
    )


def _separate() -> tuple[SeparateActs, ...]:
    return (
        SeparateActs(id="slot", first="requested the slot", second="approve it"),
        SeparateActs(id="dlt-chair", first="assessed the DLTs", second="decide on the dose", alone=True),
        SeparateActs(id="identity", first="is the person", second="check the own identity"),
    )


def _meanings() -> dict[str, Meaning]:
    return {
        "authored": Meaning(text="I am the author of this record"),
        "reviewed": Meaning(text="I have reviewed this record"),
        "approved": Meaning(text="I approve this"),
        "responsibility": Meaning(
            text="I take responsibility for these data as investigator", roles=("investigator",)
        ),
        "adjudicated": Meaning(text="I have adjudicated this", roles=("medical_monitor", "committee_member")),
        "dissent": Meaning(text="I took part and do not agree", roles=("committee_member",)),
        "exception": Meaning(
            text="I approve this as an exception to the rule", roles=("committee_member", "sponsor")
        ),
    }


class AccessRules(Model):
    """Who may act when, how persons log in and what signatures mean."""

    exclusive_roles: tuple[ExclusiveRoles, ...] = Field(default_factory=_exclusive)
    separate_acts: tuple[SeparateActs, ...] = Field(default_factory=_separate)
    identity_methods: tuple[str, ...] = Field(
        default=("identity document, in person", "identity document, by video", "known to the employer"),
        min_length=1,
        description="how a person's identity is checked before the first signature (SG-7)",
    )
    meanings: dict[str, Meaning] = Field(default_factory=_meanings, min_length=1)
    sign_with_second_factor: bool = Field(
        default=False, description="the first signature of a period needs password and second factor (SG-12)"
    )
    session: Session = Field(default_factory=Session)
    password: Password = Field(default_factory=Password)
    lockout: Lockout = Field(default_factory=Lockout)

    @model_validator(mode="after")
    def _ids_once(self) -> Self:
        for rows in (self.exclusive_roles, self.separate_acts):
            ids = [row.id for row in rows]
            if len(set(ids)) != len(ids):
                raise ValueError("access: an id stands twice; each id is used once")
        return self

    def separation(self, rule: str) -> SeparateActs | None:
        """Return the separation called ``rule``; None when the study does not ask for it."""
        return next((row for row in self.separate_acts if row.id == rule), None)
