"""Facts survive writing and reading; a cut is the fold up to a moment; every command has a role."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from escalon.conduct import commands as c
from escalon.conduct import events as ev
from escalon.conduct.canonical import canonical
from escalon.conduct.core import TOPIC as CORE
from escalon.conduct.encoding import decode, encode
from escalon.conduct.fold import cut, fold
from escalon.conduct.roles import ALLOWED, may
from escalon.conduct.state import Fact
from escalon.conduct.topics import TOPICS

MOMENT = datetime(2021, 5, 4, 10, 30, tzinfo=UTC)
EVENTS: list[ev.Event] = [
    ev.StudyOpened("S-1", "a" * 64, "b" * 64, "0.1", "test"),
    ev.CommitteeDecided(1, None, "open", 1, "start", ("A", "B")),
    ev.CohortOpened(1, "escalation", 1, 3),
    ev.PatientEnrolled("001", "01", "escalation", 1, "2021-05-01", None),
    ev.DoseAssigned("001", 1, "FC", "P1"),
    ev.FormRecorded("001", "VS", "VS-1", 1, None, {"WEIGHT": 71.5, "NOTE": 'é "<&>" \U0001f9ec'}, None),
    ev.PatientInfused("001", MOMENT, 0.95),
    ev.DltAdjudicated("001", ev.DltStatus.DLT, "2", "CRS grade 4", "DLT by clause 2"),
    ev.DoseRecommended(1, 1, "stop", None, ("because",), {"n": [3, 0], "y": [3, 0], "current_level": 1}),
    ev.BackfillSeedRecorded(20260101),
    ev.MtdEstimated(None, (3, 0), (3, 0), "none"),
    ev.Rp2dDecided(None, "none", {"data cut-off": "x"}, ("A", "B")),
    ev.EnrolmentHeld(1, "related-death", "one"),
    ev.HoldLifted(1, "seen", ("A", "B")),
    ev.SeatReleased("001", 1, "withdrawn"),
    ev.StudyClosed("over"),
]


def facts() -> list[Fact]:
    return [
        Fact(i, MOMENT + timedelta(hours=i), "x", "sponsor", event) for i, event in enumerate(EVENTS, start=1)
    ]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_survives_writing_and_reading(event: ev.Event) -> None:
    kind, payload = encode(event)
    assert decode(kind, payload) == event
    assert payload.isascii()


def test_every_kind_of_event_is_exercised() -> None:
    assert {type(event) for event in EVENTS} == set(CORE.apply)


def test_equal_content_has_one_spelling() -> None:
    assert canonical({"b": 1, "a": [None, True]}) == '{"a":[null,true],"b":1}'
    paris = timezone(timedelta(hours=2))
    same = ev.PatientInfused("001", MOMENT.astimezone(paris), 0.95)
    assert encode(same) == encode(ev.PatientInfused("001", MOMENT, 0.95))


def test_no_number_that_json_cannot_hold_and_no_time_without_zone() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        encode(ev.PatientInfused("001", MOMENT, float("nan")))
    with pytest.raises(ValueError, match="no time zone"):
        encode(ev.PatientInfused("001", MOMENT.replace(tzinfo=None), 1.0))


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown event kind"):
        decode("PatientCured", "{}")


def test_the_fold_holds_what_the_events_say() -> None:
    state = fold(facts())
    patient = state.patients["001"]
    assert (patient.dose_level, patient.dlt_status, patient.released) == (1, ev.DltStatus.DLT, "withdrawn")
    assert patient.infused_at == MOMENT
    assert state.cohorts[0].patients == ()
    assert state.open_holds == ()
    assert state.closed_at == MOMENT + timedelta(hours=16)
    assert state.seq == len(EVENTS)


def test_a_cut_is_the_fold_up_to_a_moment() -> None:
    all_facts = facts()
    for fact in all_facts:
        assert cut(all_facts, fact.at) == fold(all_facts[: fact.seq])


def test_every_command_names_the_roles_that_may_send_it() -> None:
    assert set(ALLOWED) == {command for topic in TOPICS for command in topic.decide}
    assert all(ALLOWED.values())
    assert not may("inspector", c.RequestRecommendation())
    assert may("statistician", c.RequestRecommendation())
