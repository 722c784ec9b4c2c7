"""Facts of safety reporting."""

from dataclasses import dataclass
from datetime import datetime

from escalon.conduct.act import Event


@dataclass(frozen=True, slots=True)
class CaseOpened(Event):
    """An adverse event became known as serious: case number ``case``."""

    case: int
    patient: str
    record: str
    term: str
    onset: str
    serious: tuple[str, ...]
    fatal: bool
    site_aware_at: datetime


@dataclass(frozen=True, slots=True)
class CaseUpdated(Event):
    """A later version of the record of a case; ``changes`` says in words what is new."""

    case: int
    version: int
    term: str
    serious: tuple[str, ...]
    fatal: bool
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaseAssessed(Event):
    """The sponsor's assessment: causality and expectedness per product with reasons, and whether it is a SUSAR."""

    case: int
    causality: dict[str, str]
    serious: tuple[str, ...]
    expectedness: dict[str, str]
    susar: bool
    reasons: tuple[str, ...]
    narrative: str


@dataclass(frozen=True, slots=True)
class ClockStarted(Event):
    """A reporting clock runs; rule and version are pinned. ``case`` is 0 when it is for a ``matter``."""

    clock: int
    case: int
    rule: str
    rule_version: str
    jurisdiction: str
    purpose: str
    started_at: datetime
    due_at: datetime
    matter: int | None = None


@dataclass(frozen=True, slots=True)
class ClockStopped(Event):
    """A clock stopped; ``late_reason`` is given when it was past due."""

    clock: int
    because: str
    late_reason: str | None


@dataclass(frozen=True, slots=True)
class ReportSubmitted(Event):
    """A report was sent; ``content_hash`` is the SHA-256 of the file sent."""

    report: int
    case: int
    clock: int
    receiver: str
    content_hash: str


@dataclass(frozen=True, slots=True)
class ReportAcknowledged(Event):
    """The receiver accepted or rejected a report; see ``commands.AcknowledgeReport``."""

    report: int
    accepted: bool
    detail: str
    answered_at: datetime | None = None
    content_hash: str = ""


@dataclass(frozen=True, slots=True)
class ClockReopened(Event):
    """The task of a clock is open again because its report was rejected; the due moment stays."""

    clock: int
    because: str


@dataclass(frozen=True, slots=True)
class MatterRecorded(Event):
    """Something to notify apart from a case happened at ``happened_at``; see ``commands.RecordMatter``."""

    matter: int
    kind: str
    summary: str
    happened_at: datetime


@dataclass(frozen=True, slots=True)
class ReportDistributed(Event):
    """A report was sent on to investigators and ethics committees."""

    report: int
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportRead(Event):
    """A recipient confirmed to have read a report."""

    report: int
    recipient: str


@dataclass(frozen=True, slots=True)
class TermCoded(Event):
    """An event was coded by ``version`` of the dictionary; see ``commands.TermCode``."""

    patient: str
    record: str
    term: str
    llt_code: str
    llt_term: str
    pt_code: str
    pt_term: str
    soc_code: str
    soc_term: str
    version: str
    reason: str
