"""What people ask for about slots."""

from dataclasses import dataclass
from datetime import datetime

from escalon.conduct.act import Command
from escalon.conduct.events import DltStatus


@dataclass(frozen=True, slots=True)
class RequestSlot(Command):
    """Ask for a place for a candidate of ``site``: a code, no health data before consent."""

    site: str
    candidate: str
    backfill: bool = False


@dataclass(frozen=True, slots=True)
class ChooseSlot(Command):
    """Give the next free seat to a waiting slot out of turn, with a reason (policy sponsor_choice)."""

    slot: int
    reason: str


@dataclass(frozen=True, slots=True)
class ConfirmSlot(Command):
    """Sign off consent (YYYY-MM-DD) and pre-screening eligibility; the candidate becomes ``patient``."""

    slot: int
    patient: str
    consented_on: str


@dataclass(frozen=True, slots=True)
class ReleaseSlot(Command):
    """Give a slot up: handed back, screen failure, withdrawn."""

    slot: int
    reason: str


@dataclass(frozen=True, slots=True)
class ExpireSlots(Command):
    """Release every reservation whose time is over."""


@dataclass(frozen=True, slots=True)
class ConfirmEligibility(Command):
    """Sign off the full eligibility of a patient, before lymphodepletion."""

    patient: str


@dataclass(frozen=True, slots=True)
class AcknowledgeDecision(Command):
    """State that ``site`` has read a decision of the committee."""

    decision: int
    site: str


@dataclass(frozen=True, slots=True)
class ReviewSentinel(Command):
    """Clear the observation of the first patient of a cohort; signed by who sends it."""

    cohort: int
    reason: str


@dataclass(frozen=True, slots=True)
class ApproveReplacement(Command):
    """Open a seat for a patient who replaces one that cannot be evaluated; signed by who sends it."""

    patient: str
    reason: str


@dataclass(frozen=True, slots=True)
class OverrideStagger(Command):
    """Allow ``patient`` an infusion from ``not_before`` (UTC) on; two different persons sign."""

    patient: str
    not_before: datetime
    reason: str
    signers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClearLevel(Command):
    """Clear a level in another stratum than the one it was decided in; two different persons sign."""

    regimen: str
    process: str
    dose_level: int
    reason: str
    signers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ApproveRedosing(Command):
    """Approve a further infusion of ``patient`` at ``dose_level``; two different persons sign."""

    patient: str
    dose_level: int
    reason: str
    signers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AdjudicateExposure(Command):
    """Judge the DLT window of a further infusion of ``patient``; ``exposure`` is its number, from 2."""

    patient: str
    exposure: int
    status: DltStatus
    reason: str
    clause: str | None = None


@dataclass(frozen=True, slots=True)
class CloseTask(Command):
    """Close a task with what came of it."""

    task: int
    reason: str
