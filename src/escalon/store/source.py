"""A ledger wherever it is: database URL, file, folder of a run, or export. Entries and study versions of one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from escalon.protocol import StudyFolder
from escalon.store.chain import Entry
from escalon.store.connection import LedgerUnavailable
from escalon.store.custody import consistent, only_study
from escalon.store.export import is_export, read_export
from escalon.store.ledger import read_entries
from escalon.store.study_versions import kept_versions, load_version

RUN_LEDGER = "ledger.db"


@dataclass(frozen=True, slots=True)
class Source:
    """One study as it was read: its entries in order (redacted ones with what to read instead) and its versions."""

    study_id: str
    entries: list[Entry]
    versions: Mapping[str, StudyFolder]

    def folder(self, given: StudyFolder | None = None) -> StudyFolder:
        """Return ``given``, or a version kept, with every other version kept as its earlier ones.

        Raises:
            LedgerUnavailable: there is none.
        """
        if given is None and not self.versions:
            raise LedgerUnavailable(
                "the ledger keeps no version of its study; name the study folder with --study"
            )
        first = given if given is not None else next(iter(self.versions.values()))
        others = {digest: one for digest, one in self.versions.items() if digest != first.hash}
        return replace(first, earlier={**first.earlier, **others})


def read_source(where: str, study_id: str | None = None) -> Source:
    """Read one study.

    Args:
        where: database URL, ledger file, folder of a run (its ``ledger.db``), or a file that ``escalon export`` wrote.
        study_id: the study, if there are several.

    Raises:
        LedgerUnavailable: nothing to read there, or an export that does not verify.
    """
    path = Path(where)
    if is_export(path):
        return _read_export(path, study_id)
    url = str(path / RUN_LEDGER) if path.is_dir() else where
    with consistent(url) as alias:
        study = only_study(alias, study_id)
        return Source(study, read_entries(alias, study), kept_versions(alias, study))


def _read_export(path: Path, study_id: str | None) -> Source:
    export = read_export(path)
    said = export.verification
    if not said.holds:
        raise LedgerUnavailable(f"{path}: the export does not verify: {'; '.join(said.problems)}")
    if study_id not in (None, said.study_id):
        raise LedgerUnavailable(f"{path} is an export of {said.study_id}, not of {study_id}")
    versions = {
        digest: load_version(said.study_id, digest, texts) for digest, texts in export.versions.items()
    }
    return Source(said.study_id, list(export.entries), versions)
