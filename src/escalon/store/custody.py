"""Checkpoints and exports of a ledger, each read in one consistent view of the database."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connections, transaction

from escalon import __version__
from escalon.store.connection import LedgerUnavailable, connect, connect_existing, disconnect
from escalon.store.export import checkpoint_line, export_lines
from escalon.store.ledger import iterate_entries, study_ids
from escalon.store.signing import Checkpoint
from escalon.store.study_versions import kept_texts


@contextmanager
def consistent(url: str, *, ledger: bool = True) -> Iterator[str]:
    """Connect to the ledger (False: to accounts) at ``url`` for reading; everything read inside is of one moment."""
    alias = connect(url, create=False, ledger=ledger)
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
        return export_study(alias, only_study(alias, study_id), out, at, key)


def export_study(alias: str, study_id: str, out: Path, at: str, key: Ed25519PrivateKey | None) -> Checkpoint:
    """Write one study as an export, read through ``alias``."""
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
