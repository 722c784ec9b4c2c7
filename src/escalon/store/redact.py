"""What redaction does in the database: give the decision its target, then destroy salt and value."""

import json
from collections.abc import Iterable
from dataclasses import replace

from django.db import connections

from escalon.conduct.act import Signed
from escalon.conduct.redaction.commands import ConfirmRedaction, RedactValue, Target
from escalon.conduct.state import State
from escalon.store.chain import NEW, REASON, Entry
from escalon.store.rows import replacements, select_entries

REDACTION = "ValueRedacted"
# Commands decided on what the ledger holds, and not on the state alone.
READING = (RedactValue, ConfirmRedaction)


def with_target(alias: str, study_id: str, state: State, signed: Signed) -> Signed:
    """Return ``signed``; a command of redaction with the event it is about, as the ledger holds it."""
    command = signed.command
    if isinstance(command, RedactValue):
        seq: int | None = command.target_seq
    elif isinstance(command, ConfirmRedaction):
        known = {one.number: one.target_seq for one in state.redaction.redactions}
        seq = known.get(command.redaction)
    else:
        return signed
    target = _target(alias, study_id, seq) if seq is not None else None
    return replace(signed, command=replace(command, target=target))


def _target(alias: str, study_id: str, seq: int) -> Target | None:
    entry = next(select_entries(alias, study_id, seq - 1), None)
    if entry is None or entry.seq != seq:
        return None
    if entry.scheme == 1 or entry.new is None:
        return Target(entry.kind, {}, False)
    if entry.redacted:
        return Target(entry.kind, json.loads(replacements(alias, study_id)[seq]), True)
    payload = json.loads(entry.new.text or "{}")
    if entry.reason is not None:
        payload["reason"] = json.loads(entry.reason.text or "null")
    return Target(entry.kind, payload, True)


def erase(alias: str, entries: Iterable[Entry]) -> bool:
    """Destroy what the redactions among ``entries`` say, in their transaction; tell whether there was one."""
    erased = False
    for entry in entries:
        if entry.kind == REDACTION and entry.new is not None:
            said = json.loads(entry.new.text or "{}")
            sides = {REASON if item == "reason" else NEW for item in said["items"]}
            for side in sorted(sides):
                _erase(alias, entry, said["target_seq"], side)
            erased = True
    return erased


def _erase(alias: str, entry: Entry, target_seq: int, side: str) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "UPDATE ledger_value SET salt = NULL, value = NULL, redacted_by_seq = %s"
            " WHERE study_id = %s AND seq = %s AND side = %s AND value IS NOT NULL",
            [entry.seq, entry.study_id, target_seq, side],
        )
        cursor.execute("DELETE FROM ledger_snapshot WHERE study_id = %s", [entry.study_id])


def clear_traces(alias: str) -> None:
    """Overwrite what SQLite still keeps in its write-ahead file; PostgreSQL needs VACUUM by its owner."""
    connection = connections[alias]
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
