"""The dose lock looks again at the infusion: clearance, holds of that moment, the time between two infusions."""

from dataclasses import replace
from datetime import timedelta

from escalon.conduct import commands as c
from escalon.conduct import events as core
from escalon.conduct.act import Refused
from escalon.conduct.slots import commands as slots
from escalon.conduct.slots.approval import override_object, redosing_object
from escalon.conduct.slots.events import InfusionPermitted
from escalon.conduct.slots.queue import expires_at
from escalon.protocol import StudyFolder
from tests.act import (
    CHAIR,
    COORDINATOR,
    MONITOR,
    PHYSICIAN,
    T0,
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

START = T0


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
    about = redosing_object("001", 2, 1, "cells lost")
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


def infusion_on(desk: Desk, patient: str, days: float) -> c.RecordForm:
    """An entry of the first infusion of ``patient`` so many days after the start of the tests' first infusion."""
    moment = START + timedelta(days=days)
    return c.RecordForm(patient, "EX", "EX-CELLS-1", exposure(desk, "UCART22", moment, 1e5, 1e5))


def three_conditioned(folder: StudyFolder, days: float) -> Desk:
    """001 infused at START, the sentinel reviewed, 002 and 003 conditioned; now ``days`` after START."""
    desk = opened(folder)
    acknowledge(desk)
    for patient in ("001", "002", "003"):
        enrol(desk, patient)
        lymphodeplete(desk, patient)
    assert desk.now == START
    desk.must(COORDINATOR, infusion_on(desk, "001", 0))
    desk.now += timedelta(days=14)
    review_sentinel(desk, 1)
    desk.now = START + timedelta(days=days)
    return desk


def test_an_infusion_entered_after_a_later_one_is_judged_by_its_own_moment(balli: StudyFolder) -> None:
    desk = three_conditioned(balli, 30)
    desk.must(COORDINATOR, infusion_on(desk, "003", 30))
    refused = desk.refused(COORDINATOR, infusion_on(desk, "002", 13))
    assert refused.rule == "stagger"
    assert "01-001 infused" in refused.reason
    events = desk.must(COORDINATOR, infusion_on(desk, "002", 15))
    assert [one.infused_at for one in events if isinstance(one, core.PatientInfused)] == [
        START + timedelta(days=15)
    ]
    assert desk.state.slots.deviations == ()


def test_an_infusion_entered_late_shows_that_a_later_one_broke_the_stagger(balli: StudyFolder) -> None:
    desk = three_conditioned(balli, 20)
    desk.must(COORDINATOR, infusion_on(desk, "003", 20))
    assert desk.state.slots.deviations == ()
    desk.must(COORDINATOR, infusion_on(desk, "002", 15))
    (deviation,) = desk.state.slots.deviations
    assert (deviation.patient, deviation.rule) == ("003", "INV-6 stagger")
    assert "the observation of 01-002" in deviation.text


def test_two_infusions_at_one_moment_break_the_stagger(balli: StudyFolder) -> None:
    desk = three_conditioned(balli, 20)
    desk.must(COORDINATOR, infusion_on(desk, "003", 20))
    assert desk.refused(COORDINATOR, infusion_on(desk, "002", 20)).rule == "stagger"


def test_a_dlt_recorded_after_an_infusion_does_not_refuse_its_entry(balli: StudyFolder) -> None:
    desk = three_conditioned(balli, 16)
    toxic = {**adverse_event(desk), "AESTDTC": (START + timedelta(days=10)).isoformat()}
    desk.must(COORDINATOR, c.RecordForm("001", "AE", "AE-1", toxic))
    desk.now += timedelta(days=1)
    refused = desk.refused(COORDINATOR, infusion_on(desk, "002", 16.5))
    assert "[ST-6]" in refused.reason
    desk.must(COORDINATOR, infusion_on(desk, "002", 15))


def test_a_correction_to_before_the_override_is_a_deviation(balli: StudyFolder) -> None:
    desk = opened(balli)
    acknowledge(desk)
    for patient in ("001", "002"):
        enrol(desk, patient)
        lymphodeplete(desk, patient)
    desk.must(COORDINATOR, infusion_on(desk, "001", 0))
    desk.now = START + timedelta(days=8)
    for signer in (MONITOR, CHAIR):
        give(desk, signer, *override_object("002", desk.now.isoformat(), "cells expire"))
    override = slots.OverrideStagger("002", desk.now, "cells expire", (MONITOR.id, CHAIR.id))
    desk.must(MONITOR, override)
    desk.now += timedelta(days=2)
    desk.must(COORDINATOR, infusion_on(desk, "002", 10))
    for days, found in ((9, 0), (8, 0), (7.5, 1)):
        values = infusion_on(desk, "002", days).values
        desk.must(COORDINATOR, c.RecordForm("002", "EX", "EX-CELLS-1", values, None, "clock"))
        assert len(desk.state.slots.deviations) == found
    assert desk.state.slots.deviations[0].patient == "002"


def test_the_first_infusion_of_a_cohort_may_be_entered_last(balli: StudyFolder) -> None:
    desk = opened(balli)
    acknowledge(desk)
    for patient in ("001", "002"):
        enrol(desk, patient)
        lymphodeplete(desk, patient)
    desk.now = START + timedelta(days=6)
    desk.must(COORDINATOR, infusion_on(desk, "002", 6))
    events = desk.must(COORDINATOR, infusion_on(desk, "001", 1))
    (permitted,) = [one for one in events if isinstance(one, InfusionPermitted)]
    assert not permitted.sentinel
    assert [one.patient for one in desk.state.slots.deviations] == ["002"]
