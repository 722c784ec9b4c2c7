"""The facts of redaction survive writing and reading, and all of them are exercised here."""

import pytest

from escalon.conduct.act import Event
from escalon.conduct.encoding import decode, encode
from escalon.conduct.redaction.events import RedactionRequested, ValueRedacted
from escalon.conduct.redaction.topic import TOPIC

EVENTS: list[Event] = [
    RedactionRequested(1, 17, ("reason", "values.AETERM"), "personal data"),
    ValueRedacted(
        1, 17, "FormRecorded", ("reason",), {"reason": {"redacted": 1}, "values": {"AETOXGR": 2}}, "dm", "m"
    ),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_survives_writing_and_reading(event: Event) -> None:
    assert decode(*encode(event)) == event


def test_every_kind_of_event_is_exercised() -> None:
    assert {type(event) for event in EVENTS} == set(TOPIC.apply)
