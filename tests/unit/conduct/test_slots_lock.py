"""The dose lock looks again at the infusion: clearance, holds of that moment, the time between two infusions."""

from dataclasses import replace
from datetime import timedelta

from escalon.conduct import commands as c
from escalon.conduct import events as core
from escalon.conduct.act import Refused
from escalon.conduct.slots import commands as slots
from escalon.conduct.slots.approval import redosing_object
from escalon.conduct.slots.queue import expires_at
from escalon.protocol import StudyFolder
from tests.act import (
    CHAIR,
    COORDINATOR,
    MONITOR,
    PHYSICIAN,
    Desk,
    acknowledge,
    adverse_event,
    enrol,
    exposure,
    give,
    infuse,
    lymphodeplete,
    observe_cohort,
    opened,
    review_sentinel,
)
from tests.unit.conduct.test_slots_queue import with_slots


def lift(desk: Desk) -> None:
    """Two persons sign that the first open hold ends."""
    hold = desk.state.open_holds[0].number
    for signer in (CHAIR, PHYSICIAN):
        give(desk, signer, f"hold:{hold}", {"hold": hold, "reason": "unrelated"})
    desk.must(CHAIR, c.LiftHold(hold, "unrelated"))


def die(desk: Desk, patient: str) -> None:
    fatal = adverse_event(desk, AETOXGR=5, AESDTH="Y", AEOUT="FATAL", AERELUC="NOT RELATED")
    desk.must(COORDINATOR, c.RecordForm(patient, "AE", "AE-1", fatal))


def test_a_clearance_taken_back_after_the_assignment_stops_the_infusion(balli: StudyFolder) -> None:
    desk = opened(balli)
    enrol(desk, "001")
    lymphodeplete(desk, "001")
    taken_back = tuple(replace(one, revoked_at=desk.now) for one in desk.state.slots.clearances)
    desk.state = replace(desk.state, slots=replace(desk.state.slots, clearances=taken_back))
    refused = infuse(desk, "001")
    assert isinstance(refused, Refused)
    assert refused.rule == "dose-lock"


def test_an_infusion_before_a_hold_is_entered_during_it_or_after_its_end(balli: StudyFolder) -> None:
    desk = opened(balli)
    acknowledge(desk)
    for patient in ("001", "002"):
        enrol(desk, patient)
        lymphodeplete(desk, patient)
    desk.now += timedelta(days=5)
    assert not isinstance(infuse(desk, "001"), Refused)
    desk.now += timedelta(days=15)
    review_sentinel(desk, 1)
    moment = desk.now
    desk.now += timedelta(days=1)
    die(desk, "001")
    held_from = desk.now
    desk.now += timedelta(days=2)
    lift(desk)
    during = exposure(desk, "UCART22", held_from + timedelta(hours=1), 1e5, 1e5)
    refused = desk.refused(COORDINATOR, c.RecordForm("002", "EX", "EX-CELLS-1", during))
    assert refused.rule == "hold"
    before = exposure(desk, "UCART22", moment, 1e5, 1e5)
    events = desk.must(COORDINATOR, c.RecordForm("002", "EX", "EX-CELLS-1", before))
    assert [one.infused_at for one in events if isinstance(one, core.PatientInfused)] == [moment]


def test_a_further_infusion_waits_its_days_and_for_the_end_of_a_hold() -> None:
    rules = (
        "redosing: {most_exposures: !assumption 2, days_between: !assumption 60, window_days: !assumption 28}"
    )
    desk = opened(with_slots("redosing: !assumption null", rules))
    observe_cohort(desk, ["001", "002"])
    about = redosing_object("001", 1, "cells lost")
    for signer in (CHAIR, MONITOR):
        give(desk, signer, *about)
    desk.must(CHAIR, slots.ApproveRedosing("001", 1, "cells lost", (CHAIR.id, MONITOR.id)))
    first = desk.state.patients["001"].infused_at
    assert first is not None

    def again() -> c.RecordForm:
        return c.RecordForm("001", "EX", "EX-CELLS-2", exposure(desk, "UCART22", desk.now, 1e5, 1e5))

    desk.now = first + timedelta(days=60) - timedelta(minutes=1)
    assert desk.refused(COORDINATOR, again()).rule == "stagger"
    desk.now += timedelta(minutes=1)
    die(desk, "002")
    assert desk.refused(COORDINATOR, again()).rule == "hold"
    lift(desk)
    assert not isinstance(desk.send(COORDINATOR, again()), Refused)


def test_a_reservation_begins_anew_when_a_hold_ends(balli: StudyFolder) -> None:
    desk = opened(balli)
    observe_cohort(desk, ["001"])
    acknowledge(desk)
    desk.must(COORDINATOR, slots.RequestSlot("01", "C-1"))
    slot = desk.state.slots.slots[-1]
    die(desk, "001")
    desk.now += timedelta(days=3)
    lift(desk)
    lasts = timedelta(hours=balli.conduct.slots.reservation_hours)
    assert expires_at(desk.state, slot, balli) == desk.now + lasts
