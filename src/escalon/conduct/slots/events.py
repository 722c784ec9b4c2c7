"""Facts of slots: the queue, seats, clearances, acknowledgements, stagger, exposures, and what a late change means."""

from dataclasses import dataclass
from datetime import datetime

from escalon.conduct.act import Event
from escalon.conduct.events import DltStatus


@dataclass(frozen=True, slots=True)
class SlotRequested(Event):
    """A site asked for a place, for a candidate known by a code only; ``backfill``: for a place below."""

    slot: int
    site: str
    candidate: str
    backfill: bool = False


@dataclass(frozen=True, slots=True)
class SlotWaitlisted(Event):
    """No seat was free for the request; ``position`` in the queue at that moment, from 1."""

    slot: int
    position: int


@dataclass(frozen=True, slots=True)
class SlotReserved(Event):
    """A seat was locked for the slot until ``expires_at``; cohort 0 holds the backfill seats.

    ``dose_level`` is that of the seat, 1-based; ``reason`` says why it was this slot's turn.
    """

    slot: int
    cohort: int
    seat: int
    expires_at: datetime
    dose_level: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SlotConfirmed(Event):
    """The candidate consented, passed pre-screening by an investigator's sign-off, and is a coded patient."""

    slot: int
    patient: str
    consented_on: str = ""


@dataclass(frozen=True, slots=True)
class SlotReleased(Event):
    """The slot was given up: expired, handed back, screen failure, withdrawn, not infused."""

    slot: int
    reason: str


@dataclass(frozen=True, slots=True)
class SeatAdded(Event):
    """A replacement was approved: a new seat of the cohort, linked to the one patient it replaces."""

    cohort: int
    seat: int
    replaces: str
    reason: str
    signers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LevelCleared(Event):
    """A signed decision cleared levels up to ``dose_level`` in one stratum: regimen and product process."""

    clearance: int
    regimen: str
    process: str
    dose_level: int
    decision: int


@dataclass(frozen=True, slots=True)
class ClearanceRevoked(Event):
    """A later decision took a clearance back."""

    clearance: int
    decision: int
    reason: str


@dataclass(frozen=True, slots=True)
class SentinelCleared(Event):
    """The observation of the first patient of a cohort was reviewed; the next may be infused."""

    cohort: int
    patient: str
    reason: str
    signers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DecisionAcknowledged(Event):
    """A site has read a decision of the committee."""

    decision: int
    site: str


@dataclass(frozen=True, slots=True)
class EligibilityConfirmed(Event):
    """The full eligibility of a patient was signed off; lymphodepletion may start."""

    patient: str
    by: str


@dataclass(frozen=True, slots=True)
class StaggerOverridden(Event):
    """Two people allowed an infusion before the stagger would; ``instead_of`` is what the rules gave then."""

    patient: str
    not_before: datetime
    instead_of: datetime
    reason: str
    signers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InfusionPermitted(Event):
    """On what a first infusion was permitted when it was recorded (INV-6, INV-7).

    ``earliest_at`` is what the rules gave without an override (None: no rule gave a moment), ``rule`` the one that
    decided, ``signers`` those of the override if there is one. ``sentinel`` tells whether the cohort waits for the
    review of its first patient; cohort 0 holds the backfill patients.
    """

    patient: str
    cohort: int
    infused_at: datetime
    earliest_at: datetime | None
    rule: str
    sentinel: bool
    signers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InfusionCorrected(Event):
    """The record of a first infusion was corrected; clocks run from the corrected moment."""

    patient: str
    infused_at: datetime
    dose_fraction: float


@dataclass(frozen=True, slots=True)
class RedosingApproved(Event):
    """A further infusion of a patient was approved; ``exposure`` is its number, from 2."""

    patient: str
    exposure: int
    dose_level: int
    reason: str
    signers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PatientReinfused(Event):
    """A further infusion: an exposure of its own, with the number that was approved.

    ``record`` is the form that says so; ``cells_given`` is in the unit of the dose levels, ``lot`` of the product.
    A ledger written before these were kept has None and "".
    """

    patient: str
    exposure: int
    infused_at: datetime
    dose_fraction: float
    record: str = ""
    cells_given: float | None = None
    lot: str = ""


@dataclass(frozen=True, slots=True)
class ReinfusionPermitted(Event):
    """On what a further infusion was permitted when it was recorded: its earliest moment and its stratum."""

    patient: str
    exposure: int
    infused_at: datetime
    earliest_at: datetime
    rule: str
    dose_level: int
    regimen: str
    process: str


@dataclass(frozen=True, slots=True)
class ReinfusionCorrected(Event):
    """The record of a further infusion was corrected; its clocks run from the corrected moment."""

    patient: str
    exposure: int
    infused_at: datetime
    dose_fraction: float
    cells_given: float
    lot: str


@dataclass(frozen=True, slots=True)
class ExposureAdjudicated(Event):
    """A person's judgement of the window of a further infusion.

    ``counts`` pins what the study said then: whether a DLT enters the escalation counts at the level of the exposure.
    """

    patient: str
    exposure: int
    status: DltStatus
    clause: str | None
    reason: str
    proposal: str
    counts: bool


@dataclass(frozen=True, slots=True)
class ExposureReopened(Event):
    """What is recorded no longer says what was adjudicated of a further infusion; it is pending until judged again."""

    patient: str
    exposure: int
    reason: str


@dataclass(frozen=True, slots=True)
class WindowReopened(Event):
    """What is recorded no longer says what was adjudicated; the patient is pending until judged again."""

    patient: str
    reason: str


@dataclass(frozen=True, slots=True)
class WindowJudged(Event):
    """A re-opened patient was adjudicated again."""

    patient: str


@dataclass(frozen=True, slots=True)
class DecisionInputsChanged(Event):
    """A decision was made on a DLT status that has changed since; the decision itself stays as it was."""

    decision: int
    patient: str
    before: str
    now: str


@dataclass(frozen=True, slots=True)
class DeviationRecorded(Event):
    """What happened broke a rule that was kept by what was known then, or was broken knowingly."""

    patient: str
    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class TaskOpened(Event):
    """Somebody has to look at something: ``about`` names it, e.g. ``decision:3``."""

    task: int
    about: str
    text: str


@dataclass(frozen=True, slots=True)
class TaskClosed(Event):
    """A task was done."""

    task: int
    reason: str
