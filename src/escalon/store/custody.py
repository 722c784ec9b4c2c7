"""Copies of a ledger: checkpoints, exports, backups, restores. Each is read in one consistent view of the database."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connections, transaction

from escalon import __version__
from escalon.conduct.act import Actor, Refused, Signed
from escalon.conduct.custody.topic import RecordRestore
from escalon.conduct.fold import fold
from escalon.conduct.people.rights import rights_on
from escalon.protocol import StudyFolder
from escalon.store.chain import Entry
from escalon.store.chain_check import Verification
from escalon.store.connection import LedgerUnavailable, connect, connect_existing, disconnect
from escalon.store.execute import LedgerWriter
from escalon.store.export import checkpoint_line, export_lines, read_export
from escalon.store.facts import to_fact
from escalon.store.ledger import iterate_entries, study_ids
from escalon.store.rebuild import replace_derived
from escalon.store.rows import insert_entries
from escalon.store.signing import Checkpoint
from escalon.store.study_versions import check_version, kept_texts
from escalon.store.verify import verify_ledger

MANIFEST = "manifest.json"
RECORDERS = ("administrator", "sponsor")


@contextmanager
def consistent(url: str) -> Iterator[str]:
    """Connect to the ledger at ``url`` for reading; everything read inside is of one moment."""
    alias = connect(url, create=False)
    try:
        with transaction.atomic(using=alias):
            if connections[alias].vendor == "postgresql":
                with connections[alias].cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield alias
    finally:
        disconnect(alias)


def only_study(alias: str, study_id: str | None) -> str:
    """Return ``study_id``, or the one study of the ledger; LedgerUnavailable if that is not clear."""
    known = study_ids(alias)
    if study_id is None and len(known) == 1:
        return known[0]
    if study_id not in known:
        raise LedgerUnavailable(f"name one study of the ledger: {', '.join(known) or 'it is empty'}")
    return study_id


def check_ledger(url: str, study_id: str | None = None) -> str:
    """Return the study meant at ``url``; LedgerUnavailable if there is no ledger or that is not clear."""
    with consistent(url) as alias:
        return only_study(alias, study_id)


def head_of(alias: str, study_id: str) -> tuple[int, str]:
    """Return number and hash of the last event of a study."""
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT seq, hash FROM ledger_event WHERE study_id = %s ORDER BY seq DESC LIMIT 1", [study_id]
        )
        seq, head = cursor.fetchone()
    return int(seq), str(head)


def write_checkpoint(
    url: str, key: Ed25519PrivateKey, at: str, study_id: str | None = None, published_to: str = ""
) -> Checkpoint:
    """Sign the head of a study, keep the checkpoint beside the ledger, and return it for other places."""
    alias = connect_existing(url)
    try:
        with transaction.atomic(using=alias):
            study = only_study(alias, study_id)
            seq, head = head_of(alias, study)
            made = Checkpoint(study, seq, head, at).signed_by(key)
            insert_checkpoint(alias, made, published_to)
    finally:
        disconnect(alias)
    return made


def insert_checkpoint(alias: str, checkpoint: Checkpoint, published_to: str) -> None:
    """Add a checkpoint to the table; one of the same event by the same key is there already and stays."""
    with connections[alias].cursor() as cursor:
        key = [checkpoint.study_id, checkpoint.upto_seq, checkpoint.public_key]
        cursor.execute(
            "SELECT 1 FROM ledger_checkpoint WHERE study_id = %s AND upto_seq = %s AND public_key = %s", key
        )
        if cursor.fetchone() is None:
            cursor.execute(
                "INSERT INTO ledger_checkpoint (study_id, upto_seq, public_key, root, at, signature, published_to)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s)",
                [*key, checkpoint.root, checkpoint.at, checkpoint.signature, published_to],
            )


def checkpoints(alias: str, study_id: str) -> list[tuple[Checkpoint, str]]:
    """Return the checkpoints kept beside the ledger with where they were published, in order."""
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT study_id, upto_seq, root, at, public_key, signature, published_to FROM ledger_checkpoint"
            " WHERE study_id = %s ORDER BY upto_seq, public_key",
            [study_id],
        )
        return [
            (Checkpoint(study, seq, root, at, "", public, signature), where)
            for study, seq, root, at, public, signature, where in cursor.fetchall()
        ]


def write_export(
    url: str, out: Path, at: str, key: Ed25519PrivateKey | None = None, study_id: str | None = None
) -> Checkpoint:
    """Write one study as an export with its checkpoint, signed if there is a key; ``out`` appears when complete."""
    with consistent(url) as alias:
        return _export(alias, only_study(alias, study_id), out, at, key)


def _export(alias: str, study_id: str, out: Path, at: str, key: Ed25519PrivateKey | None) -> Checkpoint:
    digest, head, count = hashlib.sha256(), "", 0
    part = out.with_name(out.name + ".part")
    with part.open("w", encoding="utf-8", newline="\n") as file:
        versions = kept_texts(alias, study_id)
        lines = export_lines(study_id, iterate_entries(alias, study_id), at, __version__, versions)
        for line, after in lines:
            count, head = count + bool(after), after
            file.write(line)
            digest.update(line.encode())
        made = Checkpoint(study_id, count, head, at, digest.hexdigest())
        made = made if key is None else made.signed_by(key)
        file.write(checkpoint_line(made))
    part.replace(out)
    return made


def write_backup(url: str, out: Path, at: str, key: Ed25519PrivateKey | None = None) -> dict[str, Any]:
    """Write every study of a ledger to the new folder ``out``, with a manifest of counts and heads; return it.

    ``out`` appears when it is complete.
    """
    if out.exists():
        raise LedgerUnavailable(f"{out} exists already; a backup is a new folder")
    with consistent(url) as alias:
        part = out.with_name(out.name + ".part")
        part.mkdir(parents=True)
        manifest = _fill(alias, part, at, key)
        part.replace(out)
    return manifest


def _fill(alias: str, out: Path, at: str, key: Ed25519PrivateKey | None) -> dict[str, Any]:
    studies: dict[str, Any] = {}
    for study_id in study_ids(alias):
        name = f"{len(studies) + 1}.jsonl"
        made = _export(alias, study_id, out / name, at, key)
        kept = [
            {"published_to": where, **{field: getattr(one, field) for field in _KEPT}}
            for one, where in checkpoints(alias, study_id)
        ]
        studies[study_id] = {
            "file": name,
            "events": made.upto_seq,
            "values": _count(alias, "ledger_value", study_id),
            "head": made.root,
            "sha256": hashlib.sha256((out / name).read_bytes()).hexdigest(),
            "checkpoints": kept,
            "versions": kept_texts(alias, study_id),
        }
    manifest = {"at": at, "software": __version__, "studies": studies}
    (out / MANIFEST).write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return manifest


_KEPT = ("study_id", "upto_seq", "root", "at", "public_key", "signature")


def _count(alias: str, table: str, study_id: str) -> int:
    with connections[alias].cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table} WHERE study_id = %s", [study_id])
        return int(cursor.fetchone()[0])


def read_backup(folder: Path) -> dict[str, tuple[dict[str, Any], list[Entry]]]:
    """Read and verify a backup: per study its manifest and entries; LedgerUnavailable names what is wrong."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LedgerUnavailable(f"{folder}: no backup with a readable {MANIFEST}: {error}") from error
    found: dict[str, tuple[dict[str, Any], list[Entry]]] = {}
    for study_id, said in manifest["studies"].items():
        path = folder / said["file"]
        export = read_export(path, said["head"])
        result = export.verification
        problems = list(result.problems)
        if hashlib.sha256(path.read_bytes()).hexdigest() != said["sha256"]:
            problems.append("the file is not the one the manifest was made of")
        if problems or (result.study_id, result.events) != (study_id, said["events"]):
            raise LedgerUnavailable(f"{path}: the backup does not verify: {'; '.join(problems)}")
        for digest, texts in said["versions"].items():
            check_version(study_id, digest, texts)
        found[study_id] = (said, list(export.entries))
    return found


def restore_backup(folder: Path, url: str, head: str | None = None) -> dict[str, dict[str, Any]]:
    """Write a verified backup into an empty ledger and verify it again there; return its manifest per study.

    Args:
        folder: what ``write_backup`` wrote.
        url: a ledger without events; it is created.
        head: hash of an event that a place outside knows (a checkpoint, a receipt); it must be in the backup.

    Raises:
        LedgerUnavailable: the backup does not verify, the ledger is not empty, or what was written differs.
    """
    studies = read_backup(folder)
    if head is not None and not any(entry.hash == head for _, rows in studies.values() for entry in rows):
        raise LedgerUnavailable(f"the backup holds no event with the hash {head}: its tail is missing")
    alias = connect(url, create=True)
    try:
        with transaction.atomic(using=alias):
            if study_ids(alias):
                raise LedgerUnavailable(f"{url}: a backup is restored into an empty ledger only")
            for study_id, (said, entries) in studies.items():
                insert_entries(alias, entries)
                for one in said["checkpoints"]:
                    kept = Checkpoint(**{name: one[name] for name in _KEPT})
                    insert_checkpoint(alias, kept, one["published_to"])
                _insert_versions(alias, study_id, said["versions"])
                counted = {"events": "ledger_event", "values": "ledger_value"}
                for name, table in counted.items():
                    if _count(alias, table, study_id) != said[name]:
                        raise LedgerUnavailable(f"{study_id}: the restored {name} are not {said[name]}")
            replace_derived(alias)
    finally:
        disconnect(alias)
    return {study_id: said for study_id, (said, _) in studies.items()}


def _insert_versions(alias: str, study_id: str, versions: dict[str, str]) -> None:
    with connections[alias].cursor() as cursor:
        for digest, texts in versions.items():
            cursor.execute(
                "INSERT INTO study_version (study_id, hash, texts) VALUES (%s, %s, %s)",
                [study_id, digest, texts],
            )


def _check_recorder(folder: Path, study: StudyFolder, by: str, at: datetime) -> None:
    """Refuse before anything is written: another study, or a person without the right to record a restore."""
    study_id = study.study.identity.study_id
    studies = read_backup(folder)
    if study_id not in studies:
        raise LedgerUnavailable(f"{folder}: the backup is of {', '.join(studies)}, not of {study_id}")
    state = fold(to_fact(entry) for entry in studies[study_id][1])
    held = {right.role for right in rights_on(state, by, at)}
    if held.isdisjoint(RECORDERS):
        raise LedgerUnavailable(f"{by} is no {' or '.join(RECORDERS)} at this time and may not restore")


def restore_and_record(
    folder: Path,
    url: str,
    study: StudyFolder,
    by: str,
    reason: str,
    at: datetime,
    head: str | None = None,
) -> tuple[Verification, ...]:
    """Restore a backup, write into the ledger that it was restored, and verify the whole.

    Args:
        folder: what ``write_backup`` wrote.
        url: an empty ledger.
        study: the study folder whose ledger records the restore.
        by: id of a registered administrator or sponsor.
        reason: why.
        at: now, by the clock of the server.
        head: hash of an event known outside.

    Raises:
        LedgerUnavailable: see ``restore_backup``; or the person may not record it, by what the backup says.
    """
    _check_recorder(folder, study, by, at)
    said = restore_backup(folder, url, head)[study.study.identity.study_id]
    made = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["at"]
    with LedgerWriter(url, study) as writer:
        person = writer.state.people.persons.get(by)
        roles = [grant.role for grant in person.grants] if person is not None else []
        role = next((one for one in roles if one in RECORDERS), "sponsor")
        actor = Actor(by, person.name if person is not None else by, role)
        command = RecordRestore(made, said["events"], said["head"], head or "", reason)
        outcome = writer.execute(Signed(command, actor, at))
        if isinstance(outcome, Refused):
            raise LedgerUnavailable(
                f"{url}: restored and verified, but not recorded ({outcome.rule}): {outcome.reason}"
            )
    return verify_ledger(url)
