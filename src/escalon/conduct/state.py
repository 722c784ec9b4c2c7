"""The fold of all events: what is true now. The fold up to a moment is a data cut; nothing else says 'as of'."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from escalon.conduct.act import Event
from escalon.conduct.capture.state import Capture
from escalon.conduct.committee.state import Committee
from escalon.conduct.events import DltStatus
from escalon.conduct.oversight.state import Oversight
from escalon.conduct.people.state import People
from escalon.conduct.redaction.state import Redactions
from escalon.conduct.safety.state import Safety
from escalon.conduct.slots.state import Slots


@dataclass(frozen=True, slots=True)
class Record:
    """The latest version of one form record; ``before`` is the version it replaced.

    ``values`` are the answers, with None for what is missing; ``entered`` has the missing codes as well. ``seq`` is
    the ledger number of the event that wrote it; ``by``, ``role`` and ``reason`` say who wrote it and why; ``origin``
    how it came in, as in ``FormRecorded``.
    """

    patient: str
    form: str
    record: str
    version: int
    visit: str | None
    values: dict[str, Any]
    recorded_at: datetime
    seq: int
    before: "Record | None" = None
    entered: dict[str, Any] = field(default_factory=dict)
    by: str = ""
    role: str = ""
    reason: str | None = None
    origin: str = "form"

    @property
    def withdrawn(self) -> bool:
        """Whether the import that brought the record was rolled back: its earlier versions are all that is left."""
        return self.origin == "rollback" and not self.entered

    def versions(self) -> "tuple[Record, ...]":
        """All versions, the first one first."""
        return (*self.before.versions(), self) if self.before else (self,)


@dataclass(frozen=True, slots=True)
class Adjudication:
    """One judgement of a patient's DLT status; the last one counts."""

    status: DltStatus
    at: datetime
    by: str
    seq: int


@dataclass(frozen=True, slots=True)
class Patient:
    """One enrolled patient. ``dose_level`` is 1-based; ``infused_at`` is the first UCART22 infusion (UTC)."""

    patient: str
    site: str
    part: str
    cohort: int
    consented_on: str
    replaces: str | None
    enrolled_at: datetime
    dose_level: int | None = None
    regimen: str | None = None
    process: str | None = None
    infused_at: datetime | None = None
    dose_fraction: float | None = None
    released: str | None = None
    dlt_status: DltStatus = DltStatus.PENDING
    dlt_clause: str | None = None
    dlt_reason: str | None = None
    dlt_adjudicated_at: datetime | None = None
    dlt_adjudicated_by: str | None = None
    records: dict[str, Record] = field(default_factory=dict)
    adjudications: tuple[Adjudication, ...] = ()

    def forms(self, form: str) -> tuple[Record, ...]:
        """Return the records of one form in the order they were first recorded; withdrawn ones are left out."""
        return tuple(
            record for record in self.records.values() if record.form == form and not record.withdrawn
        )


@dataclass(frozen=True, slots=True)
class Cohort:
    """A cohort and who sits in it; ``patients`` leaves out released seats."""

    cohort: int
    part: str
    dose_level: int
    size: int
    opened_at: datetime
    patients: tuple[str, ...] = ()
    decided: bool = False


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What the plan recommended, when, on which counts."""

    number: int
    cohort: int
    action: str
    dose_level: int | None
    reasons: tuple[str, ...]
    inputs: dict[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """What the committee decided, with the recommendation it had before it."""

    number: int
    recommendation: int | None
    action: str
    dose_level: int | None
    reason: str
    signers: tuple[str, ...]
    at: datetime
    review: int | None = None
    signatures: tuple[int, ...] = ()
    dissent: tuple[str, ...] = ()
    exception: str | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold on enrolment; open while ``lifted_at`` is None. Its scope is that of ``EnrolmentHeld``."""

    number: int
    rule: str
    reason: str
    at: datetime
    lifted_at: datetime | None = None
    scope: str = "study"
    dose_level: int = 0
    regimen: str = ""
    process: str = ""


@dataclass(frozen=True, slots=True)
class Mtd:
    """The maximum tolerated dose the plan selected; ``dose_level`` None when there is none."""

    dose_level: int | None
    n: tuple[int, ...]
    y: tuple[int, ...]
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Rp2d:
    """The recommended phase 2 dose as decided."""

    dose_level: int | None
    reason: str
    evidence: dict[str, Any]
    signers: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class State:
    """Everything the events say, and the ledger number of the last one."""

    study_id: str | None = None
    study_hash: str | None = None
    plan_hash: str | None = None
    origin: str | None = None
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    patients: dict[str, Patient] = field(default_factory=dict)
    cohorts: tuple[Cohort, ...] = ()
    recommendations: tuple[Recommendation, ...] = ()
    decisions: tuple[Decision, ...] = ()
    holds: tuple[Hold, ...] = ()
    mtd: Mtd | None = None
    rp2d: Rp2d | None = None
    backfill_seed: int | None = None
    people: People = field(default_factory=People)
    capture: Capture = field(default_factory=Capture)
    slots: Slots = field(default_factory=Slots)
    committee: Committee = field(default_factory=Committee)
    safety: Safety = field(default_factory=Safety)
    redaction: Redactions = field(default_factory=Redactions)
    oversight: Oversight = field(default_factory=Oversight)
    seq: int = 0
    at: datetime | None = None

    @property
    def cohort(self) -> Cohort | None:
        """The cohort opened last, or None before the first."""
        return self.cohorts[-1] if self.cohorts else None

    @property
    def open_holds(self) -> tuple[Hold, ...]:
        """Holds not lifted yet."""
        return tuple(hold for hold in self.holds if hold.lifted_at is None)


@dataclass(frozen=True, slots=True)
class Fact:
    """An event in its place: ledger number, UTC moment and who acted."""

    seq: int
    at: datetime
    actor_id: str
    actor_role: str
    event: Event
