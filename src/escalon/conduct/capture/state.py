"""What is true of data beside the records: queries, marks on items, freeze, lock, versions of the study."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class QueryStatus(StrEnum):
    """Where a query stands."""

    OPEN = "OPEN"
    ANSWERED = "ANSWERED"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class Said:
    """One turn of a query: who did what, with which words, when."""

    act: str
    by: str
    role: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Query:
    """A question to the site; ``check`` is the edit check that asked, or ''."""

    query: int
    patient: str
    record: str
    item: str
    check: str
    role: str
    status: QueryStatus
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """Who verified or confirmed an item, in which version, when."""

    by: str
    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Marks:
    """Marks on the items of a record that hold now, and the reasons why soft checks were overridden."""

    verified: dict[str, Mark] = field(default_factory=dict)
    confirmed: dict[str, Mark] = field(default_factory=dict)
    overridden: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lock:
    """A locked casebook: by whom, when, why, on which content."""

    by: str
    at: datetime
    reason: str
    content_hash: str


@dataclass(frozen=True, slots=True)
class Amendment:
    """A change of version: from, to, when, why."""

    replaces: str
    study_hash: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Import:
    """A file that was staged; ``records`` are PATIENT, RECORD and version written, once it was applied."""

    number: int
    file: str
    mapping: str
    form: str
    checksum: str
    rows: int
    staged_by: str
    staged_at: datetime
    applied_at: datetime | None = None
    records: tuple[tuple[str, str, int], ...] = ()
    rolled_back_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Capture:
    """The capture slice of the state; ``marks`` by patient and record, the others by patient."""

    queries: tuple[Query, ...] = ()
    marks: dict[str, dict[str, Marks]] = field(default_factory=dict)
    frozen: dict[str, frozenset[str]] = field(default_factory=dict)
    locked: dict[str, Lock] = field(default_factory=dict)
    amendments: tuple[Amendment, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    imports: tuple[Import, ...] = ()
