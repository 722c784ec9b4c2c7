"""Restores of a backup that verify what they write and say so in the ledger (OP-1)."""

from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connections, transaction

from escalon.conduct.act import Actor, Refused, Signed
from escalon.conduct.custody.topic import RecordRestore
from escalon.conduct.fold import fold
from escalon.conduct.people.rights import rights_on
from escalon.protocol import StudyFolder
from escalon.store.backup import KEPT, LEFT_OUT, WITH_LEDGER, Backup, read_backup, row_counts
from escalon.store.chain import Entry
from escalon.store.chain_check import Verification
from escalon.store.connection import LedgerUnavailable, connect, disconnect, make_account_tables
from escalon.store.custody import insert_checkpoint
from escalon.store.execute import LedgerWriter
from escalon.store.facts import to_fact
from escalon.store.ledger import study_ids
from escalon.store.rebuild import replace_derived
from escalon.store.rows import insert_entries
from escalon.store.signing import Checkpoint
from escalon.store.verify import verify_ledger

RECORDERS = ("administrator", "sponsor")


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
                _compare_rows(study_id, row_counts(alias, study_id), said)
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
        insert_checkpoint(alias, Checkpoint(**{name: one[name] for name in KEPT}), one["published_to"])
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
