"""The cohort board says where each cohort stands, who holds which seat and what is awaited."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from escalon.cli import app
from escalon.conduct import commands as c
from escalon.conduct.slots.commands import RequestSlot
from escalon.protocol import StudyFolder
from escalon.report.terminal_cohorts import cohort_rows, render_cohorts
from escalon.store.execute import LedgerWriter
from tests.act import (
    COORDINATOR,
    STATISTICIAN,
    Desk,
    adverse_event,
    enrol,
    infuse,
    lymphodeplete,
    meet,
    observe_cohort,
    opened,
)


@pytest.fixture
def desk(balli: StudyFolder) -> Desk:
    """001 infused, 002 seated, one seat reserved."""
    desk = opened(balli)
    for patient in ("001", "002"):
        enrol(desk, patient)
    lymphodeplete(desk, "001")
    desk.now += timedelta(days=6)
    assert not isinstance(infuse(desk, "001"), c.Refused)
    desk.must(COORDINATOR, RequestSlot("01", "C-3"))
    return desk


def board(desk: Desk) -> str:
    return render_cohorts(cohort_rows(desk.state, desk.folder, desk.now), desk.state, desk.now)


def test_seats_windows_and_what_is_awaited(desk: Desk) -> None:
    (cohort,) = cohort_rows(desk.state, desk.folder, desk.now)
    assert (cohort["cohort"], cohort["phase"], cohort["over"]) == (1, "open (sentinel)", False)
    first, second, third = cohort["seats"]
    assert (first["patient"], first["status"], first["window"]["state"]) == ("001", "dosed", "running")
    assert first["window"]["evaluability"] == "pending"
    assert first["next"] == "the window runs"
    assert (second["patient"], second["infused"]) == ("002", None)
    assert "the review of the first patient, 01-001, is not signed [ST-5]" in second["next"]
    assert (third["status"], third["site"], third["patient"]) == ("reserved", "01", None)
    shown = " ".join(board(desk).split())
    assert "Cohort 1, level 1: open (sentinel)" in shown
    assert "running, day 0; pending" in shown
    assert max(map(len, board(desk).splitlines())) <= 120


def test_a_hold_is_shown_and_a_proposed_dlt_waits_for_a_judge(desk: Desk) -> None:
    death = adverse_event(desk, AETOXGR=5, AESDTH="Y", AEOUT="FATAL")
    desk.must(COORDINATOR, c.RecordForm("001", "AE", "AE-1", death), days=2)
    (cohort,) = cohort_rows(desk.state, desk.folder, desk.now)
    assert desk.state.open_holds
    assert cohort["state"].endswith(", on hold")
    assert cohort["seats"][0]["window"]["candidate"] is True
    assert cohort["seats"][0]["next"] == "a DLT is proposed; somebody has to judge it"
    assert desk.state.open_holds[0].reason in " ".join(board(desk).split())


def test_a_cohort_that_is_over_says_what_followed(balli: StudyFolder) -> None:
    desk = opened(balli)
    observe_cohort(desk, ["001", "002", "003"])
    (ready,) = cohort_rows(desk.state, desk.folder, desk.now)
    assert ready["phase"] == "ready for review"
    assert {seat["window"]["state"] for seat in ready["seats"]} == {"completed"}
    assert {seat["next"] for seat in ready["seats"]} == {None}
    desk.must(STATISTICIAN, c.RequestRecommendation())
    meet(desk, "escalate", 2)
    first, second = cohort_rows(desk.state, desk.folder, desk.now)
    assert (first["phase"], first["over"]) == ("closed", True)
    assert first["reasons"][0].endswith("opened cohort 2 at level 2")
    assert [seat["status"] for seat in second["seats"]] == ["free"] * 3
    rows = cohort_rows(desk.state, desk.folder, desk.now)
    assert "Cohort 1, level 1" not in render_cohorts(rows, desk.state, desk.now)
    assert "Cohort 1, level 1" in render_cohorts(rows, desk.state, desk.now, everything=True)
    assert "Cohort 2, level 2" not in render_cohorts(rows, desk.state, desk.now, only=1)


def test_the_command_shows_it_now_and_then(desk: Desk, tmp_path: Path) -> None:
    ledger = str(tmp_path / "ledger.db")
    with LedgerWriter(ledger, desk.folder) as writer:
        for signed in desk.sent:
            writer.execute(signed)
    told = json.loads(CliRunner().invoke(app, ["cohorts", ledger, "--json"]).output)
    assert told["cohorts"] == cohort_rows(desk.state, desk.folder, desk.state.at or desk.now)
    assert told["event"] == desk.state.seq
    before = (desk.now - timedelta(days=3)).isoformat()
    then = json.loads(CliRunner().invoke(app, ["cohorts", ledger, "--at", before, "--json"]).output)
    assert {seat["infused"] for seat in then["cohorts"][0]["seats"]} == {None}
    wrong = CliRunner().invoke(app, ["cohorts", ledger, "--cohort", "9"])
    assert wrong.exit_code == 2
    assert "--cohort 9: the ledger holds cohorts [1]" in " ".join(wrong.output.split())
