"""What people ask for about data: queries, source verification, second-person confirmation, freeze, lock, versions."""

from dataclasses import dataclass

from escalon.conduct.act import Command


@dataclass(frozen=True, slots=True)
class OpenQuery(Command):
    """Ask the site about a record, or about one ``item`` of it ('' for the whole record)."""

    patient: str
    record: str
    item: str
    text: str


@dataclass(frozen=True, slots=True)
class AnswerQuery(Command):
    """Answer a query; the data are corrected apart from it, by recording the form again."""

    patient: str
    query: int
    text: str


@dataclass(frozen=True, slots=True)
class CloseQuery(Command):
    """Accept the answer; the role that asked closes."""

    patient: str
    query: int
    reason: str


@dataclass(frozen=True, slots=True)
class ReopenQuery(Command):
    """Ask again after an answer or a closure, with the reason."""

    patient: str
    query: int
    reason: str


@dataclass(frozen=True, slots=True)
class VerifySource(Command):
    """State that these items of the record's latest version agree with the source; () means all answered items."""

    patient: str
    record: str
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConfirmCritical(Command):
    """Confirm critical items of the latest version as a second person; () means all critical ones (DC-2)."""

    patient: str
    record: str
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FreezeRecords(Command):
    """Stop changes of these records; () means all the patient has now."""

    patient: str
    records: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class UnfreezeRecords(Command):
    """Allow changes of frozen records again; () means all."""

    patient: str
    records: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class LockCasebook(Command):
    """Close a patient's data: nothing is added or changed until it is unlocked."""

    patient: str
    reason: str


@dataclass(frozen=True, slots=True)
class UnlockCasebook(Command):
    """Open a locked casebook again, with the reason."""

    patient: str
    reason: str


@dataclass(frozen=True, slots=True)
class StageImport(Command):
    """Check a CSV file of the study's ``mapping`` row by row, and keep its checksum and counts (DC-7)."""

    file: str
    mapping: str
    text: str


@dataclass(frozen=True, slots=True)
class ApplyImport(Command):
    """Record all rows of a staged file, given again; ``reason`` is for earlier records that it changes."""

    number: int
    text: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RollbackImport(Command):
    """Take an import back as a whole; ``keep`` names PATIENT:RECORD changed since by a person, which stay so."""

    number: int
    reason: str
    keep: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AmendStudy(Command):
    """Go over to another version of the study folder; the folder given with the act is that version."""

    study_hash: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reconsent(Command):
    """Record that a patient consented to a later version (``consented_on`` as YYYY-MM-DD)."""

    patient: str
    study_hash: str
    consented_on: str
