"""Backups of a ledger with its accounts, and restores that verify what they write and say so in the ledger (OP-1)."""

import hashlib
from contextlib import ExitStack
from dataclasses import dataclass
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
from escalon.store.connection import LedgerUnavailable, connect, disconnect, make_account_tables
from escalon.store.custody import checkpoints, consistent, export_study, insert_checkpoint
from escalon.store.execute import LedgerWriter
from escalon.store.export import read_export
from escalon.store.facts import to_fact
from escalon.store.ledger import study_ids
from escalon.store.manifest import read_manifest, write_manifest
from escalon.store.projections import TABLES
from escalon.store.rebuild import replace_derived
from escalon.store.rows import insert_entries
from escalon.store.signing import Checkpoint
from escalon.store.study_versions import check_version, kept_texts
from escalon.store.verify import verify_ledger

RECORDERS = ("administrator", "sponsor")
ACCOUNTS = "accounts.jsonl"
WITH_LEDGER, LEFT_OUT = "ledger", "none"
"""Where accounts are: in the database of the ledger, or not wanted; anything else is the URL of their database."""
_KEPT = ("study_id", "upto_seq", "root", "at", "public_key", "signature")
_TABLES = ("ledger_event", "ledger_value", "ledger_checkpoint", "study_version", *TABLES)


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup as it was read and verified: its manifest, the entries of each study, the accounts as text."""

    manifest: dict[str, Any]
    entries: dict[str, list[Entry]]
    accounts: str | None

    @property
    def studies(self) -> dict[str, dict[str, Any]]:
        """What the manifest says of each study."""
        found: dict[str, dict[str, Any]] = self.manifest["studies"]
        return found


def write_backup(
    url: str, out: Path, at: str, key: Ed25519PrivateKey | None = None, accounts: str = WITH_LEDGER
) -> dict[str, Any]:
    """Write every study of a ledger, and its accounts, to the new folder ``out``; return the manifest.

    Args:
        url: the ledger.
        out: a folder that is not there; it appears when it is complete.
        at: now (UTC text).
        key: signs the exports and the manifest.
        accounts: ``ledger`` (they are in its database, if it has any), ``none`` (left out) or the URL of their
            database.
    """
    if out.exists():
        raise LedgerUnavailable(f"{out} exists already; a backup is a new folder")
    with consistent(url) as alias:
        part = out.with_name(out.name + ".part")
        part.mkdir(parents=True, mode=0o700)
        studies = {
            study_id: _write_study(alias, study_id, part, f"{number}.jsonl", at, key)
            for number, study_id in enumerate(study_ids(alias), 1)
        }
        said = _write_accounts(alias, part, accounts)
        content = {"at": at, "software": __version__, "studies": studies, "accounts": said}
        manifest = write_manifest(part, content, key)
        part.replace(out)
    return manifest


def _write_study(
    alias: str, study_id: str, out: Path, name: str, at: str, key: Ed25519PrivateKey | None
) -> dict[str, Any]:
    made = export_study(alias, study_id, out / name, at, key)
    kept = [
        {"published_to": where, **{field: getattr(one, field) for field in _KEPT}}
        for one, where in checkpoints(alias, study_id)
    ]
    rows = _counts(alias, study_id)
    return {
        "file": name,
        "events": made.upto_seq,
        "values": rows.get("ledger_value", 0),
        "head": made.root,
        "sha256": hashlib.sha256((out / name).read_bytes()).hexdigest(),
        "checkpoints": kept,
        "versions": kept_texts(alias, study_id),
        "rows": rows,
    }


def _write_accounts(alias: str, out: Path, accounts: str) -> dict[str, Any]:
    from escalon.store.accounts.copy import has_accounts, write_accounts

    if accounts == LEFT_OUT:
        return {"left_out": "as asked for"}
    with ExitStack() as stack:
        where = alias if accounts == WITH_LEDGER else stack.enter_context(consistent(accounts, ledger=False))
        if not has_accounts(where):
            if accounts == WITH_LEDGER:
                return {"left_out": "the database of the ledger holds none"}
            raise LedgerUnavailable(f"{accounts}: there are no accounts in this database")
        rows = write_accounts(where, out / ACCOUNTS)
    return {
        "file": ACCOUNTS,
        "sha256": hashlib.sha256((out / ACCOUNTS).read_bytes()).hexdigest(),
        "rows": rows,
    }


def _counts(alias: str, study_id: str) -> dict[str, int]:
    """Return the rows of a study by table; a table that an old ledger has not is left out."""
    there = connections[alias].introspection.table_names()
    found: dict[str, int] = {}
    with connections[alias].cursor() as cursor:
        for table in (table for table in _TABLES if table in there):
            cursor.execute(f"SELECT count(*) FROM {table} WHERE study_id = %s", [study_id])
            found[table] = int(cursor.fetchone()[0])
    return found


def read_backup(folder: Path, key: str | None = None) -> Backup:
    """Read and verify a backup; ``key`` is the public key its manifest must be signed with.

    Raises:
        LedgerUnavailable: it names what is wrong.
    """
    try:
        manifest = read_manifest(folder, key)
    except ValueError as error:
        raise LedgerUnavailable(str(error)) from error
    signer = manifest.get("public_key") or None
    entries = {
        study_id: _read_study(folder, study_id, said, signer)
        for study_id, said in manifest["studies"].items()
    }
    return Backup(manifest, entries, _read_accounts(folder, manifest.get("accounts", {})))


def _read_study(folder: Path, study_id: str, said: dict[str, Any], signer: str | None) -> list[Entry]:
    path = folder / said["file"]
    export = read_export(path, said["head"], signer)
    result, problems = export.verification, list(export.verification.problems)
    if hashlib.sha256(path.read_bytes()).hexdigest() != said["sha256"]:
        problems.append("the file is not the one the manifest was made of")
    if problems or (result.study_id, result.events) != (study_id, said["events"]):
        raise LedgerUnavailable(f"{path}: the backup does not verify: {'; '.join(problems)}")
    for digest, texts in said["versions"].items():
        check_version(study_id, digest, texts)
    return list(export.entries)


def _read_accounts(folder: Path, said: dict[str, Any]) -> str | None:
    if "file" not in said:
        return None
    path = folder / said["file"]
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LedgerUnavailable(f"{path}: the accounts of the backup cannot be read: {error}") from error
    if hashlib.sha256(content).hexdigest() != said["sha256"]:
        raise LedgerUnavailable(f"{path}: the accounts are not those the manifest was made of")
    return content.decode()


def restore_backup(
    backup: Backup, url: str, at: datetime, head: str | None = None, accounts: str = WITH_LEDGER
) -> None:
    """Write a verified backup into an empty ledger, compare row counts, and rebuild the derived tables.

    Args:
        backup: what ``read_backup`` returned.
        url: a ledger without events; it is created.
        at: now, by the clock of the server; links to set a password that were open end then.
        head: hash of an event that a place outside knows (a checkpoint, a receipt); it must be in the backup.
        accounts: where they go, as in ``write_backup``.

    Raises:
        LedgerUnavailable: the ledger is not empty, or what was written differs; then nothing is written.
    """
    if head is not None and _number_of(backup, head) == 0:
        raise LedgerUnavailable(f"the backup holds no event with the hash {head}: its tail is missing")
    wanted = backup.accounts is not None and accounts != LEFT_OUT
    alias = connect(url, create=True)
    other = alias if accounts in (WITH_LEDGER, LEFT_OUT) else connect(accounts, create=True)
    try:
        if wanted:
            make_account_tables(other)
        with ExitStack() as both:
            for one in dict.fromkeys((alias, other)):
                both.enter_context(transaction.atomic(using=one))
            if study_ids(alias):
                raise LedgerUnavailable(f"{url}: a backup is restored into an empty ledger only")
            for study_id, said in backup.studies.items():
                _insert_study(alias, study_id, said, backup.entries[study_id])
            replace_derived(alias)
            for study_id, said in backup.studies.items():
                _compare_rows(study_id, _counts(alias, study_id), said)
            if wanted:
                _insert_accounts(other, backup, at)
    finally:
        for one in dict.fromkeys((alias, other)):
            disconnect(one)


def _number_of(backup: Backup, head: str) -> int:
    """Return the number of the event with a hash, 0 if there is none."""
    every = (entry for entries in backup.entries.values() for entry in entries)
    return next((entry.seq for entry in every if entry.hash == head), 0)


def _insert_study(alias: str, study_id: str, said: dict[str, Any], entries: list[Entry]) -> None:
    insert_entries(alias, entries)
    for one in said["checkpoints"]:
        insert_checkpoint(alias, Checkpoint(**{name: one[name] for name in _KEPT}), one["published_to"])
    with connections[alias].cursor() as cursor:
        for digest, texts in said["versions"].items():
            cursor.execute(
                "INSERT INTO study_version (study_id, hash, texts) VALUES (%s, %s, %s)",
                [study_id, digest, texts],
            )


def _compare_rows(study_id: str, now: dict[str, int], said: dict[str, Any]) -> None:
    """A backup of an earlier release counted events and values only."""
    then = {**said.get("rows", {}), "ledger_event": said["events"], "ledger_value": said["values"]}
    for table, count in then.items():
        if now.get(table) != count:
            raise LedgerUnavailable(
                f"{study_id}: the restored rows of {table} are {now.get(table)}, not {count}"
            )


def _insert_accounts(alias: str, backup: Backup, at: datetime) -> None:
    from escalon.store.accounts.copy import insert_accounts

    try:
        insert_accounts(alias, backup.accounts or "", at)
    except ValueError as error:
        raise LedgerUnavailable(str(error)) from error


def _check_recorder(backup: Backup, folder: Path, study: StudyFolder, by: str, at: datetime) -> None:
    """Refuse before anything is written: another study, or a person without the right to record a restore."""
    study_id = study.study.identity.study_id
    if study_id not in backup.studies:
        raise LedgerUnavailable(f"{folder}: the backup is of {', '.join(backup.studies)}, not of {study_id}")
    state = fold(to_fact(entry) for entry in backup.entries[study_id])
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
    *,
    key: str | None = None,
    accounts: str = WITH_LEDGER,
) -> tuple[Verification, ...]:
    """Restore a backup, write into the ledger that it was restored, and verify the whole.

    Args:
        folder: what ``write_backup`` wrote.
        url: an empty ledger.
        study: the study folder whose ledger records the restore.
        by: id of a registered administrator or sponsor.
        reason: why.
        at: now, by the clock of the server.
        head: hash of an event known outside; the event of the restore names it and its number.
        key: public key the manifest and its exports must be signed with.
        accounts: as in ``restore_backup``.

    Raises:
        LedgerUnavailable: the backup does not verify, see ``restore_backup``; or the person may not record it, by what
            the backup says.
    """
    backup = read_backup(folder, key)
    _check_recorder(backup, folder, study, by, at)
    restore_backup(backup, url, at, head, accounts)
    said = backup.studies[study.study.identity.study_id]
    with LedgerWriter(url, study) as writer:
        person = writer.state.people.persons.get(by)
        roles = [grant.role for grant in person.grants] if person is not None else []
        role = next((one for one in roles if one in RECORDERS), "sponsor")
        actor = Actor(by, person.name if person is not None else by, role)
        command = RecordRestore(
            backup.manifest["at"],
            said["events"],
            said["head"],
            head or "",
            reason,
            0 if head is None else _number_of(backup, head),
            backup.manifest.get("public_key", ""),
            _account_rows(backup, accounts),
        )
        outcome = writer.execute(Signed(command, actor, at))
        if isinstance(outcome, Refused):
            raise LedgerUnavailable(
                f"{url}: restored and verified, but not recorded ({outcome.rule}): {outcome.reason}"
            )
    return verify_ledger(url)


def _account_rows(backup: Backup, accounts: str) -> int | None:
    """Return how many accounts were restored; None if they were left out."""
    if backup.accounts is None or accounts == LEFT_OUT:
        return None
    return int(backup.manifest["accounts"]["rows"]["accounts_account"])
