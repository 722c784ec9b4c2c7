"""Signatures: components, meanings, binding to what was shown, void after a change; every event survives writing."""

from datetime import UTC, datetime, timedelta

import pytest

from escalon.conduct.act import Event
from escalon.conduct.encoding import decode, encode
from escalon.conduct.people import events as ev
from escalon.conduct.people.signatures import content_hash
from escalon.conduct.people.topic import TOPIC

MOMENT = datetime(2021, 5, 4, 10, 30, tzinfo=UTC)
EVENTS: list[Event] = [
    ev.SiteRegistered("01", "Hôpital", "FRA", "Europe/Paris"),
    ev.VersionApproved("01", "a" * 64),
    ev.PersonRegistered("p1", "Zoë O'Neil", "Site 01"),
    ev.IdentityVerified("p1", "identity document, in person"),
    ev.RoleGranted("p1", "investigator", "01", MOMENT, MOMENT + timedelta(days=365), None),
    ev.RoleRevoked("p1", "investigator", "01", "left"),
    ev.PersonDeactivated("p1", "left"),
    ev.SecurityEventRecorded("login", "p1", ""),
    ev.SignatureGiven(1, "casebook:001", "p1", "Zoë", "investigator", "responsibility", "b" * 64, "password"),
    ev.SignatureInvalidated(1, "AE-1 was changed to version 2"),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_survives_writing_and_reading(event: Event) -> None:
    kind, payload = encode(event)
    assert decode(kind, payload) == event


def test_every_event_of_people_is_exercised() -> None:
    assert {type(event) for event in EVENTS} == set(TOPIC.apply)


def test_equal_content_has_equal_hash_whatever_its_order_or_zone() -> None:
    paris = MOMENT.astimezone().replace(microsecond=0)
    assert content_hash({"b": (1, MOMENT), "a": None}) == content_hash({"a": None, "b": [1, paris]})
    assert content_hash({"a": ""}) != content_hash({"a": None})
    assert content_hash({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
