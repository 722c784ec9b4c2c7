"""What people ask for. A command is a wish; ``decide`` turns it into events or refuses it with a reason."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from escalon.conduct.events import DltStatus


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: id, printed name, role (see ``roles``) and site ('' for the sponsor)."""

    id: str
    name: str
    role: str
    site: str = ""


@dataclass(frozen=True, slots=True)
class OpenStudy:
    """Open the study on this version of its folder."""

    study_hash: str
    software: str
    origin: str


@dataclass(frozen=True, slots=True)
class DecideDose:
    """Record the committee's signed decision and execute it.

    ``action``: open (first cohort), escalate, stay, de_escalate or stop; ``dose_level`` is 1-based, None to stop.
    """

    action: str
    dose_level: int | None
    reason: str
    signers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OpenExpansion:
    """Open the expansion part at the recommended phase 2 dose."""

    signers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EnrolPatient:
    """Take a seat of the open cohort for a consented patient (``consented_on`` as YYYY-MM-DD)."""

    patient: str
    site: str
    consented_on: str


@dataclass(frozen=True, slots=True)
class AssignDose:
    """Assign and lock dose level, lymphodepleting regimen and product process."""

    patient: str
    dose_level: int
    regimen: str
    process: str


@dataclass(frozen=True, slots=True)
class RecordForm:
    """Record a form; ``record`` is its key, unique per patient. A change needs a ``reason``."""

    patient: str
    form: str
    record: str
    values: dict[str, Any] = field(default_factory=dict)
    visit: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class AdjudicateDlt:
    """Record a person's judgement of a patient's DLT status."""

    patient: str
    status: DltStatus
    reason: str
    clause: str | None = None


@dataclass(frozen=True, slots=True)
class RequestRecommendation:
    """Ask the escalation plan for its recommendation on what is adjudicated now."""


@dataclass(frozen=True, slots=True)
class DecideRp2d:
    """Record the recommended phase 2 dose with its evidence; None when no level is recommended."""

    dose_level: int | None
    reason: str
    evidence: dict[str, Any]
    signers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LiftHold:
    """Lift the hold of that number; needs two signers."""

    hold: int
    reason: str
    signers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CloseStudy:
    """Close the study."""

    reason: str


Command = (
    OpenStudy
    | DecideDose
    | OpenExpansion
    | EnrolPatient
    | AssignDose
    | RecordForm
    | AdjudicateDlt
    | RequestRecommendation
    | DecideRp2d
    | LiftHold
    | CloseStudy
)


@dataclass(frozen=True, slots=True)
class Signed:
    """A command with who sent it and when (UTC)."""

    command: Command
    actor: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """A command that was not carried out: the rule it breaks, and a sentence a coordinator understands."""

    rule: str
    reason: str
