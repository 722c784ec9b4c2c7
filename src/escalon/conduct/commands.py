"""What people ask for. A command is a wish; ``decide`` turns it into events or refuses it with a reason."""

from dataclasses import dataclass, field
from typing import Any

from escalon.conduct.act import Actor, Command, Refused, Signed
from escalon.conduct.events import DltStatus

__all__ = [
    "Actor",
    "AdjudicateDlt",
    "AssignDose",
    "CloseStudy",
    "Command",
    "DecideDose",
    "DecideRp2d",
    "EnrolPatient",
    "LiftHold",
    "OpenExpansion",
    "OpenStudy",
    "RecordBackfillSeed",
    "RecordForm",
    "Refused",
    "RequestRecommendation",
    "Signed",
]


@dataclass(frozen=True, slots=True)
class OpenStudy(Command):
    """Open the study on this version of its folder."""

    study_hash: str
    software: str
    origin: str


@dataclass(frozen=True, slots=True)
class DecideDose(Command):
    """Execute what the committee voted for and signed in ``review``.

    ``action``: open (first cohort), escalate, stay, de_escalate or stop; ``dose_level`` is 1-based, None to stop.
    ``exception`` gives the reason for a decision bolder than the rule, which two more persons have signed.
    """

    action: str
    dose_level: int | None
    reason: str
    review: int
    exception: str | None = None


@dataclass(frozen=True, slots=True)
class OpenExpansion(Command):
    """Open the expansion part at the recommended phase 2 dose; two persons have signed ``expansion:rp2d``."""


@dataclass(frozen=True, slots=True)
class EnrolPatient(Command):
    """Take a seat of the open cohort for a consented patient (``consented_on`` as YYYY-MM-DD)."""

    patient: str
    site: str
    consented_on: str


@dataclass(frozen=True, slots=True)
class AssignDose(Command):
    """Assign and lock dose level, lymphodepleting regimen and product process."""

    patient: str
    dose_level: int
    regimen: str
    process: str


@dataclass(frozen=True, slots=True)
class RecordForm(Command):
    """Record a form; ``record`` is its key, unique per patient. A change needs a ``reason``.

    ``overrides`` gives, for ids of soft checks, why their finding is right as it is; without it a query is opened.
    """

    patient: str
    form: str
    record: str
    values: dict[str, Any] = field(default_factory=dict)
    visit: str | None = None
    reason: str | None = None
    overrides: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AdjudicateDlt(Command):
    """Record a person's judgement of a patient's DLT status."""

    patient: str
    status: DltStatus
    reason: str
    clause: str | None = None


@dataclass(frozen=True, slots=True)
class RequestRecommendation(Command):
    """Ask the escalation plan for its recommendation on what is adjudicated now."""


@dataclass(frozen=True, slots=True)
class RecordBackfillSeed(Command):
    """Record the seed from which the levels of backfill places are drawn by lot; a whole number from 0."""

    seed: int


@dataclass(frozen=True, slots=True)
class DecideRp2d(Command):
    """Record the recommended phase 2 dose voted for in ``review``, with its evidence; None: no level."""

    dose_level: int | None
    reason: str
    evidence: dict[str, Any]
    review: int


@dataclass(frozen=True, slots=True)
class LiftHold(Command):
    """Lift the hold of that number; two persons have signed ``hold:N`` with this reason."""

    hold: int
    reason: str


@dataclass(frozen=True, slots=True)
class CloseStudy(Command):
    """Close the study."""

    reason: str
