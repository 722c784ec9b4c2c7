"""What has happened to data beside their recording: queries, verification, confirmation, freeze, lock, versions."""

from dataclasses import dataclass

from escalon.conduct.act import Event


@dataclass(frozen=True, slots=True)
class QueryOpened(Event):
    """The site is asked about a record; ``check`` names the edit check that asked, '' when a person did."""

    query: int
    patient: str
    record: str
    item: str
    text: str
    check: str


@dataclass(frozen=True, slots=True)
class QueryAnswered(Event):
    """The site answered."""

    query: int
    text: str


@dataclass(frozen=True, slots=True)
class QueryClosed(Event):
    """The answer was accepted, or the check that asked finds nothing any more."""

    query: int
    reason: str


@dataclass(frozen=True, slots=True)
class QueryReopened(Event):
    """The site is asked again."""

    query: int
    reason: str


@dataclass(frozen=True, slots=True)
class CheckOverridden(Event):
    """What a soft check finds in this version is right as it is, for this reason (DC-1)."""

    patient: str
    record: str
    version: int
    check: str
    reason: str


@dataclass(frozen=True, slots=True)
class SourceVerified(Event):
    """These items of this version agree with the source."""

    patient: str
    record: str
    version: int
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CriticalConfirmed(Event):
    """A second person confirmed these items of this version."""

    patient: str
    record: str
    version: int
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MarksWithdrawn(Event):
    """These items changed in this version; their verification or confirmation holds no longer."""

    patient: str
    record: str
    version: int
    verified: tuple[str, ...]
    confirmed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordsFrozen(Event):
    """These records are not changed until they are unfrozen."""

    patient: str
    records: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class RecordsUnfrozen(Event):
    """These records may be changed again."""

    patient: str
    records: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class CasebookLocked(Event):
    """A patient's data are closed; ``content_hash`` is that of the casebook as it was signed."""

    patient: str
    content_hash: str
    reason: str


@dataclass(frozen=True, slots=True)
class CasebookUnlocked(Event):
    """A patient's data are open again."""

    patient: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """Entries of a file by what they do: ``rows`` = new + changed + unchanged, one for each record.

    ``lines`` are the rows of the file they come from; 0 in ledgers written when a row was a record.
    """

    rows: int
    new: int
    changed: int
    unchanged: int
    lines: int = 0


@dataclass(frozen=True, slots=True)
class ImportedRecord:
    """A version of a record that an import, or its rollback, wrote."""

    patient: str
    record: str
    version: int


@dataclass(frozen=True, slots=True)
class ImportStaged(Event):
    """A file was checked and can be imported; ``checksum`` is the SHA-256 of its text in UTF-8."""

    number: int
    file: str
    mapping: str
    form: str
    checksum: str
    counts: ImportCounts


@dataclass(frozen=True, slots=True)
class ImportApplied(Event):
    """All rows of a staged file became versions of records, in this act."""

    number: int
    checksum: str
    counts: ImportCounts
    records: tuple[ImportedRecord, ...]


@dataclass(frozen=True, slots=True)
class ImportRolledBack(Event):
    """The versions of an import were replaced by those before it, in this act; all of them stay readable."""

    number: int
    reason: str
    records: tuple[ImportedRecord, ...]
    kept: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StudyAmended(Event):
    """From here on the study runs on another version of its folder; ``changes`` says in words what differs."""

    study_hash: str
    plan_hash: str
    replaces: str
    reason: str
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PatientVersionSet(Event):
    """The version of the study folder a patient consented to, where it is not the one in force, or consented anew."""

    patient: str
    study_hash: str
    consented_on: str
