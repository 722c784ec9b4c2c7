"""What a study says about oversight: how the audit trail is marked and reviewed, and when access is reviewed.

The numbers are the platform's own choices, no regulation gives them; a study may set its own.
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from escalon.protocol.conduct.model import Model
from escalon.protocol.conduct.people import Role

Flag = Literal["after_adjudication", "after_signature", "near_cut", "late_entry", "after_lock"]
FLAGS: dict[Flag, str] = {
    "after_adjudication": "changed after an adjudication",
    "after_signature": "changed after a signature",
    "near_cut": "changed near a data cut-off",
    "late_entry": "entered late",
    "after_lock": "changed after the casebook was locked",
}
"""Flag of a row of the audit trail to what it means (AT-9)."""


class AuditSelection(Model):
    """Rows of the audit trail: of each field one of the values listed; a field without values takes every row."""

    patients: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    kinds: tuple[str, ...] = Field(default=(), description="kinds of event, such as FormRecorded")
    origins: tuple[str, ...] = Field(default=(), description="ui, api, import, system or virtual")
    flags: tuple[Flag, ...] = Field(default=(), description="rows that carry at least one of these")
    text: str = Field(default="", description="part of any value, reason or name; case does not matter")


class AuditReviewDefinition(Model):
    """A saved risk-based review of the audit trail: which rows, by whom, how often."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    title: str = Field(min_length=1)
    select: AuditSelection
    every_days: int = Field(default=30, ge=1, le=366, description="days from one review to the next")
    roles: tuple[Role, ...] = Field(default=("data_manager",), min_length=1, description="who may review")


def _reviews() -> tuple[AuditReviewDefinition, ...]:
    changes: tuple[Flag, ...] = ("after_adjudication", "after_signature", "near_cut", "after_lock")
    rights = ("RoleGranted", "RoleRevoked", "PersonDeactivated", "BreakGlassOpened")
    return (
        AuditReviewDefinition(
            id="critical-changes",
            title="Changes of data that were judged, signed, cut or locked",
            select=AuditSelection(flags=changes),
            roles=("data_manager", "medical_monitor"),
        ),
        AuditReviewDefinition(
            id="late-entries", title="Data entered late", select=AuditSelection(flags=("late_entry",))
        ),
        AuditReviewDefinition(
            id="rights",
            title="Rights given and taken",
            select=AuditSelection(kinds=rights),
            roles=("sponsor",),
        ),
    )


class BreakGlassRules(Model):
    """Temporary rights in an emergency (AC-12)."""

    hours: float = Field(default=24, gt=0, le=168, description="longest time a temporary right lasts")
    roles: tuple[Role, ...] = Field(
        default=("investigator", "coordinator", "medical_monitor", "safety_officer"),
        description="roles that can be taken in an emergency; empty: none",
    )
    review_days: int = Field(default=7, ge=1, description="days until its use must have been reviewed")


class OversightRules(Model):
    """Marks and reviews of the audit trail, reviews of access, and emergencies."""

    near_cut_days: float = Field(
        default=3, ge=0, description="days before and after a cut that count as near"
    )
    late_entry_days: float = Field(
        default=10, ge=0, description="days from what happened to its first entry; more is late"
    )
    occurred: dict[str, str] = Field(
        default_factory=dict,
        description="form to the item that says when it happened; otherwise its first date",
    )
    audit_reviews: tuple[AuditReviewDefinition, ...] = Field(default_factory=_reviews)
    access_review_days: int = Field(
        default=90, ge=1, le=366, description="days from one signed review of access to the next"
    )
    break_glass: BreakGlassRules = Field(default_factory=BreakGlassRules)
    security_contacts: tuple[str, ...] = Field(
        default=(), description="addresses that get notice of lock-outs and emergencies at once (AC-7)"
    )
    failed_logins: int = Field(
        default=3, ge=2, description="failed logins in a row that are told to the security contacts"
    )

    @model_validator(mode="after")
    def _ids_once(self) -> Self:
        ids = [one.id for one in self.audit_reviews]
        if len(set(ids)) != len(ids):
            raise ValueError("oversight: an id of audit_reviews stands twice; each id is used once")
        return self

    def audit_review(self, name: str) -> AuditReviewDefinition | None:
        """Return the definition called ``name``; None if the study has none."""
        return next((one for one in self.audit_reviews if one.id == name), None)
