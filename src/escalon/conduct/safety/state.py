"""What is true of safety: cases, clocks and reports."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Case:
    """A serious adverse event.

    ``serious``: criteria of seriousness of investigator and sponsor together; ``fatal``: results in death or is life
    threatening; ``causality``: the sponsor's opinion per product; ``susar``: None until assessed.
    """

    number: int
    patient: str
    record: str
    term: str
    onset: str
    serious: tuple[str, ...]
    fatal: bool
    site_aware_at: datetime
    sponsor_aware_at: datetime
    updated_at: datetime
    version: int = 1
    causality: dict[str, str] = field(default_factory=dict)
    expectedness: dict[str, str] = field(default_factory=dict)
    susar: bool | None = None
    determined_at: datetime | None = None
    narrative: str = ""
    informed_at: tuple[datetime, ...] = ()
    """Every moment new information came, the first one first."""
    assessed_version: int = 0

    @property
    def to_assess(self) -> bool:
        """Tell whether information came after the last assessment."""
        return self.assessed_version < self.version


@dataclass(frozen=True, slots=True)
class Clock:
    """A reporting clock under one version of a rule; open while ``stopped_at`` is None.

    ``case`` is 0 when the clock is for a ``matter``.
    """

    number: int
    case: int
    rule: str
    rule_version: str
    jurisdiction: str
    purpose: str
    started_at: datetime
    due_at: datetime
    stopped_at: datetime | None = None
    stopped_because: str = ""
    late_reason: str | None = None
    matter: int | None = None

    def late(self, at: datetime) -> bool:
        """Tell whether the clock was or is past its due moment, seen at ``at``."""
        return (self.stopped_at or at) > self.due_at


@dataclass(frozen=True, slots=True)
class Report:
    """A report sent under a clock; ``accepted`` None until acknowledged.

    ``acknowledged_at``: when the acknowledgement was recorded; ``answered_at``: when the receiver wrote it.
    ``recipients``: to whom it was sent on; ``read``: who confirmed reading, and when.
    """

    number: int
    case: int
    clock: int
    receiver: str
    content_hash: str
    at: datetime
    accepted: bool | None = None
    acknowledged_at: datetime | None = None
    answered_at: datetime | None = None
    detail: str = ""
    late_reason: str | None = None
    recipients: tuple[str, ...] = ()
    read: dict[str, datetime] = field(default_factory=dict)

    @property
    def unread(self) -> tuple[str, ...]:
        """Recipients who have not confirmed reading."""
        return tuple(one for one in self.recipients if one not in self.read)


@dataclass(frozen=True, slots=True)
class Matter:
    """What is notified apart from a case: an urgent safety measure, a serious breach, a data lock point."""

    number: int
    kind: str
    summary: str
    happened_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Coding:
    """The dictionary code of an event record and the term it was given for."""

    term: str
    llt_code: str
    llt_term: str
    pt_code: str
    pt_term: str
    soc_code: str
    soc_term: str
    version: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Safety:
    """The safety slice of the state."""

    cases: tuple[Case, ...] = ()
    clocks: tuple[Clock, ...] = ()
    reports: tuple[Report, ...] = ()
    matters: tuple[Matter, ...] = ()
    codings: dict[str, Coding] = field(default_factory=dict)
    """Code by ``PATIENT:RECORD``."""

    def coding_of(self, patient: str, record: str) -> Coding | None:
        """Return the code of an event record, or None."""
        return self.codings.get(f"{patient}:{record}")

    def case_of(self, patient: str, record: str) -> Case | None:
        """Return the case of an AE record, or None."""
        return next((one for one in self.cases if (one.patient, one.record) == (patient, record)), None)

    def open_clocks(self) -> tuple[Clock, ...]:
        """Clocks still running, the one due first first."""
        running = [clock for clock in self.clocks if clock.stopped_at is None]
        return tuple(sorted(running, key=lambda clock: (clock.due_at, clock.number)))
