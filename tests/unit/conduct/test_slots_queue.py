"""The queue: order, expiry, hand-back, promotion in the same act, acknowledgement before the next reservation."""

from datetime import timedelta

import pytest

from escalon.conduct import commands as c
from escalon.conduct.act import Event
from escalon.conduct.slots import commands as slots
from escalon.conduct.slots import events as ev
from escalon.conduct.slots.queue import queue, slot_stage
from escalon.conduct.slots.seat_rows import seat_rows
from escalon.conduct.slots.state import Slots
from escalon.protocol import StudyFolder, load_study
from tests.act import (
    COORDINATOR,
    COORDINATOR_2,
    DATA_MANAGER,
    INVESTIGATOR,
    SPONSOR,
    Desk,
    acknowledge,
    adverse_event,
    enrol,
    infuse,
    lymphodeplete,
    opened,
)
from tests.study_files import balli_files


def with_slots(before: str, after: str) -> StudyFolder:
    """The reference study with one line of its slots changed."""
    files = balli_files()
    assert before in files["conduct.yaml"]
    return load_study({**files, "conduct.yaml": files["conduct.yaml"].replace(before, after)})


def ask(desk: Desk, site: str, count: int) -> list[int]:
    """Ask for ``count`` slots at ``site``; return their numbers."""
    numbers = []
    for _ in range(count):
        number = len(desk.state.slots.slots) + 1
        sender = COORDINATOR if site == "01" else COORDINATOR_2
        desk.must(sender, slots.RequestSlot(site, f"C-{number}"))
        numbers.append(number)
    return numbers


def ready(folder: StudyFolder) -> Desk:
    desk = opened(folder)
    acknowledge(desk)
    acknowledge(desk, COORDINATOR_2)
    return desk


def kinds(events: tuple[Event, ...]) -> list[str]:
    return [type(event).__name__ for event in events]


def seats(state: Slots) -> list[int | None]:
    return [slot.seat if slot.holds_seat else None for slot in state.slots]


def test_seats_go_in_order_of_request_and_the_rest_waits(balli: StudyFolder) -> None:
    desk = ready(balli)
    ask(desk, "01", 2)
    ask(desk, "02", 1)
    events = desk.must(COORDINATOR, slots.RequestSlot("01", "C-4"))
    assert events == (ev.SlotRequested(4, "01", "C-4"), ev.SlotWaitlisted(4, 1))
    ask(desk, "02", 1)
    assert [(place.position, place.slot, place.site) for place in queue(desk.state)] == [
        (1, 4, "01"),
        (2, 5, "02"),
    ]
    assert seats(desk.state.slots) == [1, 2, 3, None, None]


def test_a_slot_handed_back_goes_to_the_next_in_the_same_act(balli: StudyFolder) -> None:
    desk = ready(balli)
    ask(desk, "01", 5)
    events = desk.must(COORDINATOR, slots.ReleaseSlot(2, "handed back"))
    assert kinds(events) == ["SlotReleased", "SlotReserved"]
    assert (events[1].slot, events[1].seat) == (4, 2)  # type: ignore[attr-defined]
    history = [(str(step.status), step.reason) for step in desk.state.slots.slots[1].history]
    assert history == [("requested", ""), ("reserved", "first in the queue"), ("released", "handed back")]


def test_an_expired_reservation_is_refused_and_released_by_the_next_act(balli: StudyFolder) -> None:
    desk = ready(balli)
    ask(desk, "01", 4)
    desk.now += timedelta(hours=168)
    today = desk.now.date().isoformat()
    assert desk.refused(INVESTIGATOR, slots.ConfirmSlot(1, "001", today)).rule == "PH-3 expired"
    events = desk.must(DATA_MANAGER, slots.ExpireSlots())
    assert kinds(events) == ["SlotReleased"] * 3 + ["SlotReserved"]
    assert desk.refused(DATA_MANAGER, slots.ExpireSlots()).rule == "PH-3 expired"


def test_one_hour_before_its_end_a_reservation_holds(balli: StudyFolder) -> None:
    desk = ready(balli)
    ask(desk, "01", 1)
    desk.now += timedelta(hours=167)
    desk.must(INVESTIGATOR, slots.ConfirmSlot(1, "001", desk.now.date().isoformat()))
    assert slot_stage(desk.state, desk.state.slots.slots[0]) == "confirmed"


def test_no_reservation_before_the_site_read_the_decision(balli: StudyFolder) -> None:
    desk = opened(balli)
    assert kinds(desk.must(COORDINATOR, slots.RequestSlot("01", "C-1"))) == [
        "SlotRequested",
        "SlotWaitlisted",
    ]
    events = desk.must(COORDINATOR, slots.AcknowledgeDecision(1, "01"))
    assert kinds(events) == ["DecisionAcknowledged", "SlotReserved"]


def test_round_robin_serves_the_site_served_longest_ago() -> None:
    desk = opened(with_slots("policy: !assumption fifo", "policy: !assumption site_round_robin"))
    acknowledge(desk, COORDINATOR_2)
    ask(desk, "01", 3)
    ask(desk, "02", 1)
    assert desk.state.slots.slots[3].seat == 1
    acknowledge(desk)
    assert seats(desk.state.slots) == [2, 3, None, 1]
    ask(desk, "02", 1)
    desk.must(COORDINATOR, slots.ReleaseSlot(1, "handed back"))
    assert desk.state.slots.slots[4].holds_seat
    assert not desk.state.slots.slots[2].holds_seat


def test_the_sponsor_chooses_with_a_reason_where_the_study_says_so() -> None:
    desk = ready(with_slots("policy: !assumption fifo", "policy: !assumption sponsor_choice"))
    ask(desk, "01", 2)
    assert seats(desk.state.slots) == [None, None]
    assert desk.refused(SPONSOR, slots.ChooseSlot(2, " ")).rule == "PH-3 reason"
    desk.must(SPONSOR, slots.ChooseSlot(2, "rapidly progressing"))
    assert seats(desk.state.slots) == [None, 1]
    assert desk.state.slots.slots[1].history[-1].reason == "chosen: rapidly progressing"


@pytest.mark.parametrize(
    ("command", "rule"),
    [
        (slots.RequestSlot("01", "Mary Smith"), "PH-3 candidate"),
        (slots.RequestSlot("01", "C-1"), "INV-2"),
        (slots.RequestSlot("01", "C-9", backfill=True), "PH-11 backfill"),
        (slots.ReleaseSlot(7, "x"), "PH-3 slot"),
        (slots.ReleaseSlot(1, ""), "PH-3 reason"),
        (slots.AcknowledgeDecision(2, "01"), "PH-15 acknowledgement"),
    ],
)
def test_what_breaks_a_rule_is_refused_with_it(balli: StudyFolder, command: c.Command, rule: str) -> None:
    desk = ready(balli)
    ask(desk, "01", 1)
    before = desk.state
    assert desk.refused(COORDINATOR, command).rule == rule
    assert desk.state == before


def test_who_requested_does_not_confirm_and_consent_is_not_of_tomorrow(balli: StudyFolder) -> None:
    desk = ready(balli)
    desk.must(INVESTIGATOR, slots.RequestSlot("01", "C-1"))
    today = desk.now.date().isoformat()
    assert desk.refused(INVESTIGATOR, slots.ConfirmSlot(1, "001", today)).rule == "AC-3 slot"
    ask(desk, "01", 1)
    tomorrow = (desk.now.date() + timedelta(days=1)).isoformat()
    assert desk.refused(INVESTIGATOR, slots.ConfirmSlot(2, "001", tomorrow)).rule == "consent"
    desk.must(INVESTIGATOR, slots.ConfirmSlot(2, "001", today))
    assert desk.refused(COORDINATOR, c.EnrolPatient("001", "01", "2020-01-01")).rule == "consent"


def test_a_hold_stops_reservations_and_their_clock(balli: StudyFolder) -> None:
    desk = ready(balli)
    enrol(desk, "001")
    lymphodeplete(desk, "001")
    infuse(desk, "001")
    (number,) = ask(desk, "01", 1)
    fatal = adverse_event(desk, AETOXGR=5, AESDTH="Y", AEOUT="FATAL")
    desk.must(COORDINATOR, c.RecordForm("001", "AE", "AE-1", fatal), days=1)
    (waiting,) = ask(desk, "01", 1)
    assert desk.state.slots.slots[waiting - 1].seat is None
    desk.now += timedelta(days=30)
    today = desk.now.date().isoformat()
    assert desk.refused(INVESTIGATOR, slots.ConfirmSlot(number, "002", today)).rule == "hold"
    assert desk.state.slots.slots[number - 1].holds_seat
    cohort = desk.state.cohort
    assert cohort is not None
    assert [row.free for row in seat_rows(desk.state, cohort)] == [False, False, True]
