"""What is true of slots: the queue, seats, clearances, acknowledgements, overrides, exposures and tasks."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from escalon.conduct.events import DltStatus


class Status(StrEnum):
    """Where a slot stands; screening and dosed follow from the patient, see ``queue.slot_stage``."""

    REQUESTED = "requested"
    WAITLISTED = "waitlisted"
    RESERVED = "reserved"
    CONFIRMED = "confirmed"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Step:
    """One entry in the history of a slot; ``seq`` is the ledger number of the fact behind it."""

    seq: int
    at: datetime
    status: Status
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Slot:
    """A claim on a seat. ``cohort`` 0 is backfill; cohort and seat stay known after a release."""

    number: int
    site: str
    candidate: str
    requested_at: datetime
    requested_by: str
    backfill: bool = False
    status: Status = Status.REQUESTED
    cohort: int | None = None
    seat: int | None = None
    dose_level: int | None = None
    expires_at: datetime | None = None
    patient: str | None = None
    consented_on: str | None = None
    history: tuple[Step, ...] = ()

    @property
    def holds_seat(self) -> bool:
        """True while the seat is nobody else's."""
        return self.status in (Status.RESERVED, Status.CONFIRMED)

    @property
    def waits(self) -> bool:
        """True while it stands in the queue."""
        return self.status in (Status.REQUESTED, Status.WAITLISTED)


@dataclass(frozen=True, slots=True)
class AddedSeat:
    """A replacement seat and the one patient it replaces."""

    cohort: int
    seat: int
    replaces: str


@dataclass(frozen=True, slots=True)
class Clearance:
    """Levels up to ``dose_level`` are cleared in the stratum by ``decision``, until revoked."""

    number: int
    regimen: str
    process: str
    dose_level: int
    decision: int
    at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SentinelReview:
    """The signed review of the first patient of a cohort."""

    cohort: int
    patient: str
    at: datetime
    signers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A site read a decision."""

    decision: int
    site: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Override:
    """Two people allowed ``patient`` an infusion from ``not_before`` on."""

    patient: str
    not_before: datetime
    signers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a person judged of the window of a further infusion; ``counts`` as in ``ExposureAdjudicated``."""

    status: DltStatus
    clause: str | None
    reason: str
    counts: bool
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Exposure:
    """One infusion of a patient; number 1 is the first. A further one is approved before it is given.

    Attributes:
        infused_at: actual moment (UTC); None while it is approved and not given.
        dose_fraction: given over planned.
        record: the form record of the infusion.
        cells_given: in the unit of the dose levels.
        lot: of the product, "" when none is recorded.
        approved_at: None for the first one.
        judged: of a further one; the first is judged in ``Patient``.
        reopened: why it has to be judged again; "" if it has not.
    """

    patient: str
    exposure: int
    dose_level: int
    infused_at: datetime | None = None
    dose_fraction: float | None = None
    record: str = ""
    cells_given: float | None = None
    lot: str = ""
    approved_at: datetime | None = None
    judged: Judgement | None = None
    reopened: str = ""


@dataclass(frozen=True, slots=True)
class Deviation:
    """A rule that was broken, with what is known about it."""

    patient: str
    rule: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ChangedInputs:
    """A decision whose inputs changed after it was made."""

    decision: int
    patient: str
    before: str
    now: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Task:
    """Something somebody has to look at; open while ``closed_at`` is None."""

    number: int
    about: str
    text: str
    at: datetime
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Slots:
    """The slots slice of the state. ``slots[n - 1]`` is slot n."""

    slots: tuple[Slot, ...] = ()
    seats_added: tuple[AddedSeat, ...] = ()
    clearances: tuple[Clearance, ...] = ()
    sentinels: tuple[SentinelReview, ...] = ()
    acknowledged: tuple[Acknowledgement, ...] = ()
    eligible: tuple[str, ...] = ()
    overrides: tuple[Override, ...] = ()
    exposures: tuple[Exposure, ...] = ()
    reopened: tuple[str, ...] = ()
    changed_inputs: tuple[ChangedInputs, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    tasks: tuple[Task, ...] = ()

    def of_patient(self, patient: str) -> Slot | None:
        """The slot confirmed for ``patient``, released or not; None without one."""
        return next((slot for slot in reversed(self.slots) if slot.patient == patient), None)

    def cleared_up_to(self, regimen: str, process: str) -> int:
        """The highest level cleared in a stratum by a clearance not revoked; 0 when none is."""
        return max(
            (
                one.dose_level
                for one in self.clearances
                if (one.regimen, one.process) == (regimen, process) and one.revoked_at is None
            ),
            default=0,
        )

    def acknowledged_at(self, decision: int, site: str) -> datetime | None:
        """When ``site`` acknowledged ``decision``; None if it has not."""
        return next(
            (one.at for one in self.acknowledged if (one.decision, one.site) == (decision, site)), None
        )
