"""Facts of a running trial. An event is what has happened: frozen, never changed, replayed to give the state."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from escalon.conduct.act import Event

__all__ = [
    "BackfillSeedRecorded",
    "CohortOpened",
    "CommitteeDecided",
    "DltAdjudicated",
    "DltStatus",
    "DoseAssigned",
    "DoseRecommended",
    "EnrolmentHeld",
    "Event",
    "FormRecorded",
    "HoldLifted",
    "MtdEstimated",
    "PatientEnrolled",
    "PatientInfused",
    "Rp2dDecided",
    "SeatReleased",
    "StudyClosed",
    "StudyOpened",
]


class DltStatus(StrEnum):
    """Status of a patient for the dose decision; a boolean would lose two of the four."""

    PENDING = "PENDING"
    DLT = "DLT"
    NO_DLT = "NO_DLT"
    NOT_EVALUABLE = "NOT_EVALUABLE"


@dataclass(frozen=True, slots=True)
class StudyOpened(Event):
    """The study was opened on one version of its folder; ``study_hash`` and ``plan_hash`` pin it."""

    study_id: str
    study_hash: str
    plan_hash: str
    software: str
    origin: str


@dataclass(frozen=True, slots=True)
class CommitteeDecided(Event):
    """The safety committee's signed decision, apart from the recommendation it had before it.

    ``decision`` is number 1, 2, ...; ``recommendation`` the number of the recommendation seen, or None for the
    first cohort. ``action`` is open, escalate, stay, de_escalate or stop; ``dose_level`` None when stopped.
    ``signatures`` are the numbers of the signatures of ``signers``; ``dissent`` the names and reasons of members
    who voted otherwise; ``exception`` why it is bolder than the rule, None when it is not.
    """

    decision: int
    recommendation: int | None
    action: str
    dose_level: int | None
    reason: str
    signers: tuple[str, ...]
    review: int | None = None
    signatures: tuple[int, ...] = ()
    dissent: tuple[str, ...] = ()
    exception: str | None = None


@dataclass(frozen=True, slots=True)
class CohortOpened(Event):
    """A cohort of ``size`` seats was opened at ``dose_level``."""

    cohort: int
    part: str
    dose_level: int
    size: int


@dataclass(frozen=True, slots=True)
class PatientEnrolled(Event):
    """A patient consented and took a seat of an open cohort."""

    patient: str
    site: str
    part: str
    cohort: int
    consented_on: str
    replaces: str | None


@dataclass(frozen=True, slots=True)
class DoseAssigned(Event):
    """Dose level, lymphodepleting regimen and product process were assigned and locked."""

    patient: str
    dose_level: int
    regimen: str
    process: str


@dataclass(frozen=True, slots=True)
class FormRecorded(Event):
    """One version of one record; the latest version counts, earlier ones stay readable.

    ``origin`` says how it came in: form (a person filled it), import, or rollback of an import.
    """

    patient: str
    form: str
    record: str
    version: int
    visit: str | None
    values: dict[str, Any]
    reason: str | None
    origin: str = "form"


@dataclass(frozen=True, slots=True)
class PatientInfused(Event):
    """First UCART22 infusion: day 0 of the patient. ``dose_fraction`` is given over assigned."""

    patient: str
    infused_at: datetime
    dose_fraction: float


@dataclass(frozen=True, slots=True)
class SeatReleased(Event):
    """A patient left the cohort without an infusion; the seat is free again."""

    patient: str
    cohort: int
    reason: str


@dataclass(frozen=True, slots=True)
class DltAdjudicated(Event):
    """A person's judgement, with the clause the criteria proposed and the reason given."""

    patient: str
    status: DltStatus
    clause: str | None
    reason: str
    proposal: str


@dataclass(frozen=True, slots=True)
class DoseRecommended(Event):
    """What the escalation plan says about the counts of a cut; ``inputs`` are enough to replay it."""

    recommendation: int
    cohort: int
    action: str
    dose_level: int | None
    reasons: tuple[str, ...]
    inputs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BackfillSeedRecorded(Event):
    """The seed from which the level of each backfill place is drawn by lot, see ``slots.backfill``."""

    seed: int


@dataclass(frozen=True, slots=True)
class MtdEstimated(Event):
    """End of escalation: the level the plan selects (None: no level is tolerable), with counts per level."""

    dose_level: int | None
    n: tuple[int, ...]
    y: tuple[int, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Rp2dDecided(Event):
    """The recommended phase 2 dose: a signed decision with its evidence, distinct from the MTD."""

    dose_level: int | None
    reason: str
    evidence: dict[str, Any]
    signers: tuple[str, ...]
    review: int | None = None
    signatures: tuple[int, ...] = ()
    dissent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EnrolmentHeld(Event):
    """A stopping rule was met; nobody whom the hold covers is enrolled or infused until it is lifted.

    ``scope`` is the word of the study; the hold covers ``dose_level`` (0: every level) and above in ``regimen`` and
    ``process`` ('': in all). Without a scope it covers the study.
    """

    hold: int
    rule: str
    reason: str
    scope: str = "study"
    dose_level: int = 0
    regimen: str = ""
    process: str = ""


@dataclass(frozen=True, slots=True)
class HoldLifted(Event):
    """Two people lifted a hold."""

    hold: int
    reason: str
    signers: tuple[str, ...]
    signatures: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StudyClosed(Event):
    """The last patient completed the study."""

    reason: str
