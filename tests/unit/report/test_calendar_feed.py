"""The feed of a site parses, says what conduct says and when, and holds coded ids only."""

from datetime import timedelta
from pathlib import Path

import pytest
from icalendar import Calendar
from typer.testing import CliRunner

from escalon.cli import app
from escalon.conduct.slots.commands import RequestSlot
from escalon.protocol import StudyFolder
from escalon.report.calendar_feed import calendar_entries, render_calendar
from escalon.store.execute import LedgerWriter
from tests.act import COORDINATOR, Desk, enrol, infuse, lymphodeplete, opened
from tests.study_files import BALLI


@pytest.fixture
def desk(balli: StudyFolder) -> Desk:
    """001 infused, 002 waiting for the sentinel, a reservation for a third candidate."""
    desk = opened(balli)
    enrol(desk, "001")
    enrol(desk, "002")
    lymphodeplete(desk, "001")
    desk.now += timedelta(days=6)
    infuse(desk, "001")
    desk.must(COORDINATOR, RequestSlot("01", "C-003"))
    return desk


def test_the_feed_read_back_says_what_conduct_says(desk: Desk) -> None:
    feed = Calendar.from_ical(render_calendar(desk.state, desk.folder, "01"))
    events = {str(event["SUMMARY"]): event for event in feed.walk("VEVENT")}
    assert set(events) == {
        "Reservation of slot 3 ends",
        "Earliest lymphodepletion 01-002",
        "Earliest infusion 01-002",
        "End of DLT window 01-001",
    }
    infused = desk.state.patients["001"].infused_at
    assert infused is not None
    next_one = events["Earliest infusion 01-002"]
    assert next_one["DTSTART"].dt == infused + timedelta(days=14)
    assert str(next_one["STATUS"]) == "TENTATIVE"
    assert "because 01-001 infused 12 Jan 2020 04:00; sentinel 14 d" in str(next_one["DESCRIPTION"])
    assert events["Earliest lymphodepletion 01-002"]["DTSTART"].dt == infused + timedelta(days=14 - 6)
    assert events["End of DLT window 01-001"]["DTSTART"].dt == infused + timedelta(days=28)
    assert events["Reservation of slot 3 ends"]["DTSTART"].dt == desk.now + timedelta(hours=168)
    assert len({str(event["UID"]) for event in events.values()}) == len(events)


def test_the_same_ledger_gives_the_same_bytes_and_no_name(desk: Desk) -> None:
    feed = render_calendar(desk.state, desk.folder, "01")
    assert feed == render_calendar(desk.state, desk.folder, "01")
    for person in desk.state.people.persons.values():
        assert person.name.encode() not in feed or person.name == "Monitor"


def test_another_site_sees_nothing_of_it_and_an_unknown_one_is_an_error(desk: Desk) -> None:
    assert calendar_entries(desk.state, desk.folder, "02") == ()
    with pytest.raises(ValueError, match="01, 02"):
        calendar_entries(desk.state, desk.folder, "09")


def test_the_command_writes_the_file(desk: Desk, tmp_path: Path) -> None:
    ledger, out = str(tmp_path / "ledger.db"), tmp_path / "site.ics"
    with LedgerWriter(ledger, desk.folder) as writer:
        for signed in desk.sent:
            writer.execute(signed)
    arguments = ["calendar", ledger, "--study", str(BALLI), "--site", "01", "--out", str(out)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "4 entries" in result.output
    assert out.read_bytes() == render_calendar(desk.state, desk.folder, "01")
    wrong = CliRunner().invoke(app, [*arguments[:5], "09", "--out", str(tmp_path / "no.ics")])
    assert wrong.exit_code == 2
    assert not (tmp_path / "no.ics").exists()
