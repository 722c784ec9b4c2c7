"""Entries to facts: what the text of an entry means. No Django."""

import json
from datetime import datetime
from typing import Any

from escalon.conduct.encoding import decode, from_values
from escalon.conduct.redaction.marker import unmarked
from escalon.conduct.state import Fact
from escalon.store.chain import Entry


def to_fact(entry: Entry) -> Fact:
    """Return the fact an entry records; redacted items read as ``Redacted``."""
    old = entry.scheme == 1
    event = decode(entry.kind, entry.payload) if old else from_values(entry.kind, payload_values(entry))
    return Fact(entry.seq, datetime.fromisoformat(entry.at), entry.actor_id, entry.role, event)


def payload_values(entry: Entry) -> dict[str, Any]:
    """Return the fields of an event of scheme 2, the reason put back, redacted items marked.

    Raises:
        ValueError: the values are not there and no redaction says what to read instead.
    """
    if entry.redacted:
        if not entry.replacement:
            raise ValueError("its values are gone and no redaction says what to read instead")
        values: dict[str, Any] = unmarked(json.loads(entry.replacement))
        return values
    if entry.new is None or entry.new.text is None:
        raise ValueError("its values are not in the ledger")
    values = json.loads(entry.new.text)
    if entry.reason is not None and entry.reason.text is not None:
        values["reason"] = json.loads(entry.reason.text)
    return values
