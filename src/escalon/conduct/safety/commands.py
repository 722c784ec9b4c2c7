"""What the safety officer and the medical monitor ask for."""

from dataclasses import dataclass, field
from datetime import datetime

from escalon.conduct.act import Command


@dataclass(frozen=True, slots=True)
class AssessCase(Command):
    """Record the sponsor's assessment of a case.

    ``causality``: relation per product, one of NOT RELATED, UNLIKELY, POSSIBLE, PROBABLE, DEFINITE; ``serious``:
    criteria of seriousness the sponsor adds; ``narrative``: the case in words.
    """

    case: int
    causality: dict[str, str]
    narrative: str
    serious: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class SubmitReport(Command):
    """Record that a report was sent to ``receiver`` under ``clock``; a late one needs ``late_reason``."""

    clock: int
    receiver: str
    content_hash: str
    late_reason: str | None = None


@dataclass(frozen=True, slots=True)
class RecordMatter(Command):
    """Record what has to be notified apart from a case.

    ``kind``: ``urgent_safety_measure`` (at: when it was taken), ``serious_breach`` (at: when the sponsor became aware)
    or ``dsur`` (at: the data lock point, end of that day).
    """

    kind: str
    summary: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DistributeReport(Command):
    """Record that a report was sent on to ``recipients``: ids of persons, or ``committee:NAME``."""

    report: int
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConfirmReading(Command):
    """Confirm that a distributed report was read; ``recipient`` empty: by oneself.

    The safety officer enters the receipt of a committee, which has no account.
    """

    report: int
    recipient: str = ""


@dataclass(frozen=True, slots=True)
class AcknowledgeReport(Command):
    """Record the receiver's acknowledgement.

    ``answered_at``: when the receiver wrote it (ACK.M.4), None: not said; ``content_hash``: SHA-256 of the file.
    """

    report: int
    accepted: bool
    detail: str
    answered_at: datetime | None = None
    content_hash: str = ""


@dataclass(frozen=True, slots=True)
class TermCode:
    """The code of one event: ``term`` as recorded, its lowest level and preferred term and its system organ class."""

    patient: str
    record: str
    term: str
    llt_code: str
    llt_term: str
    pt_code: str
    pt_term: str
    soc_code: str
    soc_term: str


@dataclass(frozen=True, slots=True)
class CodeTerms(Command):
    """Code events by one version of the study's licensed dictionary; ``reason`` is needed where a code changes."""

    version: str
    codes: tuple[TermCode, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CloseClock(Command):
    """Stop a clock without a report, by medical judgement signed as ``clock:N`` with this reason."""

    clock: int
    reason: str
