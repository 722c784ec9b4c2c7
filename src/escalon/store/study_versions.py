"""Versions of the study beside its ledger: the texts of each, by hash, so that no folder outside is needed.

A version is kept in the transaction of the event that names it (StudyOpened, StudyAmended) and never changed. Its
hash is in that event, so the chain vouches for it: a version that does not load to its hash is refused.
"""

import json
from collections.abc import Iterable
from dataclasses import replace

from django.db import connections

from escalon.conduct.capture.events import StudyAmended
from escalon.conduct.events import Event, StudyOpened
from escalon.protocol import StudyFolder, StudyFolderError, load_study
from escalon.store.connection import LedgerUnavailable, connect, disconnect
from escalon.store.export import is_version


def keep_version(alias: str, folder: StudyFolder, events: Iterable[Event]) -> None:
    """Keep ``folder`` if one of ``events`` puts the study on it; a version kept before stays as it is."""
    if not any(isinstance(event, StudyOpened | StudyAmended) for event in events):
        return
    study_id = folder.study.identity.study_id
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM study_version WHERE study_id = %s AND hash = %s", [study_id, folder.hash]
        )
        if cursor.fetchone() is None:
            texts = json.dumps(dict(folder.texts), sort_keys=True)
            cursor.execute(
                "INSERT INTO study_version (study_id, hash, texts) VALUES (%s, %s, %s)",
                [study_id, folder.hash, texts],
            )


def kept_versions(alias: str, study_id: str) -> dict[str, StudyFolder]:
    """Return the versions kept for ``study_id`` by hash.

    Raises:
        LedgerUnavailable: a kept version is not what its hash says.
    """
    texts = kept_texts(alias, study_id)
    return {digest: load_version(study_id, digest, text) for digest, text in texts.items()}


def kept_texts(alias: str, study_id: str) -> dict[str, str]:
    """Return the texts of the versions kept for ``study_id`` by hash, as they stand there; none in an old ledger."""
    if "study_version" not in connections[alias].introspection.table_names():
        return {}
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT hash, texts FROM study_version WHERE study_id = %s ORDER BY hash", [study_id])
        return dict(cursor.fetchall())


def check_version(study_id: str, digest: str, texts: str) -> dict[str, str]:
    """Return the texts of a kept version; LedgerUnavailable if they are not what ``digest`` says."""
    if not is_version(digest, texts):
        raise LedgerUnavailable(f"the version {digest[:12]} kept for {study_id} is not what its hash says")
    files: dict[str, str] = json.loads(texts)
    return files


def load_version(study_id: str, digest: str, texts: str) -> StudyFolder:
    """Return the version written as ``texts``.

    Raises:
        LedgerUnavailable: it is not what ``digest`` says, or this software cannot read it (the first fault is named).
    """
    files = check_version(study_id, digest, texts)
    try:
        return load_study(files)
    except StudyFolderError as error:
        raise LedgerUnavailable(
            f"the version {digest[:12]} kept for {study_id} is unchanged, but this software cannot read it: "
            f"{error.faults[0]}; use the software the study ran on"
        ) from error


def with_kept(alias: str, folder: StudyFolder) -> StudyFolder:
    """Return ``folder`` with the other versions kept for its study as its earlier ones."""
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM study_version WHERE study_id = %s AND hash <> %s",
            [folder.study.identity.study_id, folder.hash],
        )
        (others,) = cursor.fetchone()
    if not others:
        return folder
    kept = kept_versions(alias, folder.study.identity.study_id)
    earlier = {digest: version for digest, version in kept.items() if digest != folder.hash}
    return replace(folder, earlier={**folder.earlier, **earlier})


def read_versions(url: str, study_id: str) -> dict[str, StudyFolder]:
    """Return the versions kept in the ledger at ``url`` by hash."""
    alias = connect(url, create=False)
    try:
        return kept_versions(alias, study_id)
    finally:
        disconnect(alias)


def all_versions(url: str, folder: StudyFolder | None = None) -> StudyFolder:
    """Return a version of the study with every other one kept in the ledger at ``url`` as its earlier versions.

    Args:
        url: a ledger of one study.
        folder: the version to return; without it one the ledger keeps, whichever.

    Raises:
        LedgerUnavailable: no ledger, one of several studies or of another study, or no version to return.
    """
    alias = connect(url, create=False)
    try:
        kept: dict[str, StudyFolder] = {}
        if "study_version" in connections[alias].introspection.table_names():
            with connections[alias].cursor() as cursor:
                cursor.execute("SELECT DISTINCT study_id FROM study_version ORDER BY study_id")
                known = [study_id for (study_id,) in cursor.fetchall()]
            if len(known) > 1:
                raise LedgerUnavailable(f"{url} holds several studies: {', '.join(known)}")
            kept = kept_versions(alias, known[0]) if known else {}
    finally:
        disconnect(alias)
    if folder is None and not kept:
        raise LedgerUnavailable(f"{url} keeps no version of its study; name the study folder with --study")
    first = folder if folder is not None else next(iter(kept.values()))
    others = {digest: version for digest, version in kept.items() if digest != first.hash}
    return replace(first, earlier={**first.earlier, **others})
