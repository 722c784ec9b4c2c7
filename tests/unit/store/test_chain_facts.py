"""Entries made by hand: what an entry says is what its fact is."""

import json

import pytest

from escalon.conduct.act import Event
from escalon.conduct.encoding import encode
from escalon.conduct.events import SeatReleased
from escalon.store.chain import GENESIS, Entry, Value
from escalon.store.facts import to_fact


def entry_of(event: Event, seq: int) -> Entry:
    """An entry of scheme 2 that holds ``event``; who, when and hashes are beside the point."""
    kind, payload = encode(event)
    at = "2020-01-06T09:00:00.000000+00:00"
    said = ("S", seq, at, "UTC", "x", "X", "sponsor", "", "", kind, "", "", "", "", "{}", "", GENESIS)
    return Entry(*said, new=Value("00" * 32, payload))


def test_the_reason_is_put_back() -> None:
    event = SeatReleased("001", 1, "withdrew")
    entry = entry_of(event, 1)
    assert to_fact(entry).event == event
    assert entry.new is not None
    payload = json.loads(entry.new.text or "")
    del payload["reason"]
    apart = entry._replace(new=Value("00" * 32, json.dumps(payload)), reason=Value("11" * 32, '"withdrew"'))
    assert to_fact(apart).event == event


def test_values_that_are_gone_without_a_redaction_cannot_be_read() -> None:
    entry = entry_of(SeatReleased("001", 1, "withdrew"), 1)
    erased = entry._replace(new=Value(None, None, 2))
    with pytest.raises(ValueError, match="no redaction says"):
        to_fact(erased)
    nothing = entry._replace(new=None)
    with pytest.raises(ValueError, match="not in the ledger"):
        to_fact(nothing)
