"""Backups of a ledger with its accounts: written, signed, and read back with every hash compared (OP-1)."""

import hashlib
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connections

from escalon import __version__
from escalon.store.chain import Entry
from escalon.store.connection import LedgerUnavailable
from escalon.store.custody import checkpoints, consistent, export_study
from escalon.store.export import read_export
from escalon.store.ledger import study_ids
from escalon.store.manifest import read_manifest, write_manifest
from escalon.store.projections import TABLES
from escalon.store.study_versions import check_version, kept_texts

ACCOUNTS = "accounts.jsonl"
WITH_LEDGER, LEFT_OUT = "ledger", "none"
"""Where accounts are: in the database of the ledger, or not wanted; anything else is the URL of their database."""
KEPT = ("study_id", "upto_seq", "root", "at", "public_key", "signature")
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
        {"published_to": where, **{field: getattr(one, field) for field in KEPT}}
        for one, where in checkpoints(alias, study_id)
    ]
    rows = row_counts(alias, study_id)
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


def row_counts(alias: str, study_id: str) -> dict[str, int]:
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
