"""Seats and doses are guarded by the database itself; derived tables are compared with the ledger."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from escalon.conduct import commands as c
from escalon.conduct import events as core
from escalon.conduct.act import Event
from escalon.conduct.slots import events as slots
from escalon.protocol import StudyFolder
from escalon.store.connection import LedgerUnavailable, connect, disconnect
from escalon.store.execute import LedgerWriter
from escalon.store.projections import TABLES, project
from escalon.store.rebuild import rebuild
from tests.act import T0, lymphodeplete
from tests.act import infuse as act_infuse
from tests.databases import ask
from tests.unit.store.acts import after_story, commands
from tests.unit.store.test_chain_facts import entry_of

CLEARED = "INSERT INTO clearance VALUES ('S', 1, 'FC', 'P1', 2, 1, 0, 1)"
ASSIGN = "INSERT INTO dose_assignment VALUES ('S', '{patient}', {level}, '{regimen}', '{process}', 1, {cleared}, 1)"
REFUSED = "dose lock|dose_lock|dose_assignment|FOREIGN KEY"


def tables(url: str) -> None:
    disconnect(connect(url, create=True))


def assign(url: str, patient: str, **changes: object) -> None:
    said = {"level": 2, "regimen": "FC", "process": "P1", "cleared": 2, **changes}
    ask(url, ASSIGN.format(patient=patient, **said))


def test_the_database_refuses_a_dose_that_no_clearance_covers(url: str) -> None:
    tables(url)
    ask(url, CLEARED)
    assign(url, "001")
    for wrong in (
        {"level": 3},
        {"level": 3, "cleared": 3},
        {"level": 0},
        {"regimen": "FCA"},
        {"process": "P2"},
    ):
        with pytest.raises(Exception, match=REFUSED):
            assign(url, "002", **wrong)
    ask(url, "UPDATE clearance SET revoked = 1")
    with pytest.raises(Exception, match="dose lock"):
        assign(url, "003")
    with pytest.raises(Exception, match=REFUSED):
        ask(url, "UPDATE dose_assignment SET dose_level = 3, cleared_level = 3")
    assert ask(url, "SELECT patient, dose_level FROM dose_assignment") == [("001", 2)]


def test_the_database_refuses_two_slots_of_a_seat_and_two_seats_of_a_patient(url: str) -> None:
    tables(url)
    for seat in (1, 2):
        ask(url, f"INSERT INTO seat VALUES ('S', 1, {seat}, 1)")
    slot = "INSERT INTO slot VALUES ('S', {}, '01', '{}', 1, {}, {}, 1)"
    ask(url, slot.format(1, "reserved", 1, "NULL"))
    for status in ("reserved", "confirmed", "dosed"):
        with pytest.raises(Exception, match=r"slot_one_per_seat|UNIQUE"):
            ask(url, slot.format(2, status, 1, "'001'"))
    ask(url, "UPDATE slot SET status = 'confirmed', patient = '001'")
    with pytest.raises(Exception, match=r"slot_one_per_patient|UNIQUE"):
        ask(url, slot.format(2, "confirmed", 2, "'001'"))
    with pytest.raises(Exception, match="slot_has_seat"):
        ask(url, slot.format(3, "reserved", "NULL", "NULL"))
    with pytest.raises(Exception, match="slot_has_patient"):
        ask(url, slot.format(3, "dosed", 2, "NULL"))
    with pytest.raises(Exception, match="slot_status"):
        ask(url, slot.format(3, "sold", 2, "NULL"))
    ask(url, "UPDATE slot SET status = 'released'")
    ask(url, slot.format(4, "reserved", 1, "NULL"))


def test_the_database_refuses_a_slot_on_a_seat_that_is_not_there(url: str) -> None:
    """Also on a connection to SQLite that did not switch foreign keys on, as this one."""
    tables(url)
    ask(url, "INSERT INTO seat VALUES ('S', 1, 1, 1)")
    slot = "INSERT INTO slot VALUES ('S', {}, '01', 'reserved', {}, {}, NULL, 1)"
    ask(url, slot.format(1, 1, 1))
    for wrong in (
        slot.format(2, 1, 2),
        slot.format(2, 2, 1),
        "UPDATE slot SET seat = 2",
        "DELETE FROM seat",
        "UPDATE seat SET seat = 2",
    ):
        with pytest.raises(Exception, match=r"slot_seat_known|slot_study_id_cohort_seat_fkey|foreign key"):
            ask(url, wrong)
    assert ask(url, "SELECT cohort, seat FROM seat") == [(1, 1)]
    ask(url, "DELETE FROM slot")
    ask(url, "DELETE FROM seat")


EARLY, LATE = "2020-01-06T09:00:00.000000+00:00", "2020-01-20T09:00:00.000000+00:00"


def infuse(url: str, patient: str, **changes: object) -> None:
    said = {"at": LATE, "earliest": EARLY, "first": None, "second": None, "sentinel": 1, "cleared": None}
    said |= changes
    ask(url, "INSERT INTO infusion VALUES ('S', ?, 1, ?, ?, ?, ?, ?, ?, 1)", patient, *said.values())


def test_the_database_refuses_an_infusion_before_its_time(url: str) -> None:
    """INV-6: unless two different persons signed the override."""
    tables(url)
    early = {"at": EARLY, "earliest": LATE, "sentinel": 0}
    for wrong in (
        {},
        {"first": "a"},
        {"second": "b"},
        {"first": "a", "second": "a"},
        {"at": "2020-02-01", "first": "a", "second": "b"},
    ):
        with pytest.raises(Exception, match=r"infusion_(not_early|two_signers|moments)"):
            infuse(url, "001", **{**early, **wrong})
    infuse(url, "001", **early, first="a", second="b")
    infuse(url, "002", at=EARLY, sentinel=0)
    with pytest.raises(Exception, match="infusion_not_early"):
        ask(url, "UPDATE infusion SET earliest_at = ? WHERE patient = '002'", LATE)


def test_the_database_refuses_a_second_patient_before_the_sentinel_is_cleared(url: str) -> None:
    """INV-7: one until then; who says that it was cleared is asked for the review."""
    tables(url)
    infuse(url, "001")
    with pytest.raises(Exception, match=r"infusion_one_sentinel|UNIQUE"):
        infuse(url, "002")
    with pytest.raises(Exception, match="infusion_cleared"):
        infuse(url, "002", cleared=1)
    infuse(url, "003", first="a", second="b")
    ask(url, "INSERT INTO sentinel_clearance VALUES ('S', 1, '001', 1)")
    infuse(url, "002", cleared=1)
    infuse(url, "004", cleared=1)
    with pytest.raises(Exception, match="infusion_cleared"):
        infuse(url, "005", cleared=2)
    assert ask(url, "SELECT count(*) FROM infusion") == [(4,)]


def test_infusions_of_a_cohort_become_rows(url: str, balli: StudyFolder) -> None:
    desk = after_story(balli)
    for patient in ("001", "002"):
        lymphodeplete(desk, patient)
        desk.now += timedelta(days=5)
        assert not isinstance(act_infuse(desk, patient), c.Refused)
        desk.now += timedelta(days=15)
    with LedgerWriter(url, balli) as writer, writer.batch():
        for signed in desk.sent:
            assert not isinstance(writer.execute(signed), c.Refused)
    first, second = ask(
        url, "SELECT patient, sentinel, cleared, infused_at, earliest_at FROM infusion ORDER BY 1"
    )
    assert first[:3] == ("001", 1, None)
    assert second[:3] == ("002", 1, 1)
    apart = datetime.fromisoformat(second[4]) - datetime.fromisoformat(first[3])
    assert apart == timedelta(days=balli.study.stagger.after_first_days)
    assert rebuild(url, check=True) == ()


def happened(alias: str, *events: Event) -> None:
    for seq, event in enumerate(events, start=1):
        project(alias, [entry_of(event, seq)], [event])


def test_events_become_rows(tmp_path: Path) -> None:
    path = str(tmp_path / "ledger.db")
    alias = connect(path, create=True)
    happened(
        alias,
        core.CohortOpened(1, "escalation", 1, 1),
        slots.LevelCleared(1, "FC", "P1", 1, 1),
        slots.LevelCleared(2, "FC", "P1", 2, 2),
        slots.ClearanceRevoked(2, 3, "toxic"),
        slots.SlotRequested(1, "01", "A"),
        slots.SlotWaitlisted(1, 1),
        slots.SlotReserved(1, 1, 1, T0, 1),
        slots.SlotConfirmed(1, "001"),
        core.DoseAssigned("001", 1, "FC", "P1"),
        core.PatientInfused("001", T0, 1.0),
        slots.SlotRequested(2, "01", "B"),
        slots.SlotReserved(2, 0, 1, T0, 1),
        slots.SlotReleased(2, "expired"),
        slots.SeatAdded(1, 2, "001", "replacement", ("m",)),
    )
    for level, regimen in ((2, "FC"), (1, "FCA")):
        with pytest.raises(Exception, match=REFUSED):
            happened(alias, core.DoseAssigned("002", level, regimen, "P1"))
    disconnect(alias)
    assert ask(path, "SELECT clearance, dose_level, revoked FROM clearance") == [(1, 1, 0), (2, 2, 1)]
    assert ask(path, "SELECT cohort, seat FROM seat ORDER BY cohort, seat") == [(0, 1), (1, 1), (1, 2)]
    assert ask(path, "SELECT slot, status, cohort, seat, patient FROM slot") == [
        (1, "dosed", 1, 1, "001"),
        (2, "released", 0, 1, None),
    ]
    assert ask(path, "SELECT patient, dose_level, clearance FROM dose_assignment") == [("001", 1, 1)]


def test_a_row_changed_without_an_event_is_reported_and_rebuilt(url: str, balli: StudyFolder) -> None:
    with LedgerWriter(url, balli) as writer:
        for signed in commands(balli):
            assert not isinstance(writer.execute(signed), c.Refused)
    assert rebuild(url, check=True) == ()
    before = {table: ask(url, f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in TABLES}
    assert before["seat"]
    ask(url, "INSERT INTO seat VALUES ('BALLI-01', 1, 99, 1)")
    found = rebuild(url, check=True)
    assert {(one.table, "99" in one.row) for one in found} == {("seat", True)}
    assert rebuild(url, check=True) == found
    assert rebuild(url, check=False) == found
    assert {table: ask(url, f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in TABLES} == before
    if url.startswith("postgresql"):
        ask(url, "INSERT INTO seat VALUES ('BALLI-01', 1, 98, 1)")
        ask(url, "DELETE FROM seat WHERE seat = 98")
        assert {"98" in one.row for one in rebuild(url, check=True)} >= {True}
        assert [one.what.split(" at ")[0] for one in rebuild(url, check=True)][-1].startswith(
            "delete by role"
        )
    else:
        assert rebuild(url, check=True) == ()


def test_no_ledger_is_made_by_looking_for_differences(tmp_path: Path) -> None:
    missing = tmp_path / "typed-wrong.db"
    with pytest.raises(LedgerUnavailable, match="there is no ledger at this path"):
        rebuild(str(missing), check=True)
    assert not missing.exists()
