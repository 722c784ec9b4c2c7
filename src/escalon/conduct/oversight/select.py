"""Which rows of the audit trail a selection takes, and what pins the rows a review has looked at."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from escalon.conduct.canonical import canonical
from escalon.conduct.capture.audit import Value
from escalon.conduct.oversight.trail import Row
from escalon.protocol.conduct.oversight import AuditSelection


def selects(selection: AuditSelection, row: Row) -> bool:
    """Tell whether ``selection`` takes ``row``: every field that lists values must list the row's."""
    asked = (
        (selection.patients, row.patient),
        (selection.sites, row.site),
        (selection.forms, row.form),
        (selection.items, row.item),
        (selection.persons, row.person),
        (selection.roles, row.role),
        (selection.kinds, row.kind),
        (selection.origins, row.origin),
    )
    if any(listed and value not in listed for listed, value in asked):
        return False
    if selection.flags and not set(selection.flags) & set(row.flags):
        return False
    return not selection.text or selection.text.casefold() in _searched(row)


def _searched(row: Row) -> str:
    said = (row.record, row.name, row.org, row.reason, value_text(row.old), value_text(row.new))
    return "\n".join(said).casefold()


def value_text(value: Value) -> str:
    """Return a value as one line of text: '' if it was not there; what was left open or is missing says so."""
    if value.kind == "absent":
        return ""
    if value.kind == "null":
        return "(left open)"
    if value.kind == "empty":
        return "(empty text)"
    if value.kind == "missing":
        reason = value.value.get("reason")
        return f"{value.value['missing']}: {reason}" if reason else str(value.value["missing"])
    return value.value if isinstance(value.value, str) else json.dumps(value.value, ensure_ascii=False)


class Pin:
    """A running SHA-256 over the rows of a review: number of the event, item and flags of each.

    The numbers pin the contents, through the hash chain of the ledger; the hash stays the same when a value is
    redacted later.
    """

    def __init__(self) -> None:
        self._hash, self.count = hashlib.sha256(), 0

    def add(self, row: Row) -> None:
        """Take in the next row."""
        said: list[Any] = [row.seq, row.item, list(row.flags)]
        self._hash.update(f"{canonical(said)}\n".encode())
        self.count += 1

    def hexdigest(self) -> str:
        """Return the hash of all rows so far."""
        return self._hash.hexdigest()


def pin(rows: Iterable[Row]) -> tuple[int, str]:
    """Return number and hash of ``rows``."""
    made = Pin()
    for row in rows:
        made.add(row)
    return made.count, made.hexdigest()
