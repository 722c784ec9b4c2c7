"""The feed of a site parses, says what conduct says and when, and holds coded ids only."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from icalendar import Calendar
from typer.testing import CliRunner

from escalon.cli import app
from escalon.conduct import commands as c
from escalon.conduct.slots.commands import RequestSlot
from escalon.protocol import StudyFolder
from escalon.report.calendar_feed import calendar_entries, render_calendar
from escalon.store.execute import LedgerWriter
from tests.act import COORDINATOR, Desk, adverse_event, enrol, infuse, lymphodeplete, opened
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


def written(desk: Desk, folder: Path) -> str:
    """The acts of ``desk`` in a ledger file."""
    ledger = str(folder / "ledger.db")
    with LedgerWriter(ledger, desk.folder) as writer:
        for signed in desk.sent:
            writer.execute(signed)
    return ledger


def test_the_feed_as_it_stood_is_the_one_written_then(balli: StudyFolder, tmp_path: Path) -> None:
    early = opened(balli)
    enrol(early, "001")
    then, moment = render_calendar(early.state, balli, "01"), early.now
    lymphodeplete(early, "001")  # at the same moment: the feed as of it holds that as well
    with_drug = render_calendar(early.state, balli, "01")
    early.now += timedelta(days=6)
    infuse(early, "001")
    ledger, out = written(early, tmp_path), tmp_path / "site.ics"
    base = ["calendar", ledger, "--study", str(BALLI), "--site", "01", "--out", str(out)]
    result = CliRunner().invoke(app, [*base, "--at", (moment + timedelta(days=1)).isoformat()])
    assert result.exit_code == 0, result.output
    assert "as of event" in result.output
    assert out.read_bytes() == with_drug
    assert with_drug not in (then, render_calendar(early.state, balli, "01"))
    assert b"C-001" not in out.read_bytes()
    for wrong, words in (
        ("soon", "no moment"),
        ("2020-02-01T12:00", "needs its zone"),
        ("2019-01-01T00:00Z", "nothing had happened yet"),
    ):
        out.unlink(missing_ok=True)
        refused = CliRunner().invoke(app, [*base, "--at", wrong])
        assert refused.exit_code == 2
        assert words in refused.output
        assert not out.exists()


def test_holds_are_listed_with_scope_time_and_reason(desk: Desk, tmp_path: Path) -> None:
    values = adverse_event(desk, AETOXGR=5, AESDTH="Y", AEOUT="FATAL", AERELUC="NOT RELATED")
    desk.must(COORDINATOR, c.RecordForm("001", "AE", "AE-1", values))
    ledger = written(desk, tmp_path)
    told = CliRunner().invoke(app, ["holds", ledger])
    assert told.exit_code == 0, told.output
    assert told.output.startswith("hold 1 (death), open: the whole study, since 12 Jan 2020 09:00 UTC;")
    rows = json.loads(CliRunner().invoke(app, ["holds", ledger, "--json"]).output)["holds"]
    assert [(row["cause"], row["held"], row["lifted"]) for row in rows] == [
        ("death", "the whole study", None)
    ]
    before = CliRunner().invoke(app, ["holds", ledger, "--at", "2020-01-10T00:00Z"])
    assert before.output == "nothing is held\n"
