"""What sites are told of the queue: predicted openings by hand, and service per site against numpy."""

import json
import shutil
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from escalon.cli import app
from escalon.conduct import commands as c
from escalon.conduct.slots import commands as slots
from escalon.conduct.slots.fairness import fairness
from escalon.conduct.slots.prediction import predict
from escalon.protocol import StudyFolder
from escalon.store.execute import LedgerWriter
from tests.act import (
    COORDINATOR,
    COORDINATOR_2,
    Desk,
    acknowledge,
    adverse_event,
    enrol,
    infuse,
    lymphodeplete,
    opened,
)
from tests.study_files import BALLI


@pytest.fixture
def desk(balli: StudyFolder) -> Desk:
    """001 infused, 002 seated, the third seat reserved; three candidates wait, the last at site 02."""
    desk = opened(balli)
    enrol(desk, "001")
    enrol(desk, "002")
    lymphodeplete(desk, "001")
    desk.now += timedelta(days=6)
    assert not isinstance(infuse(desk, "001"), c.Refused)
    for code in ("C-3", "C-4", "C-5"):
        desk.now += timedelta(hours=5)
        desk.must(COORDINATOR, slots.RequestSlot("01", code))
    acknowledge(desk, COORDINATOR_2)
    desk.must(COORDINATOR_2, slots.RequestSlot("02", "C-6"))
    return desk


def test_the_next_cohort_opens_between_the_earliest_and_the_latest(desk: Desk) -> None:
    study, hours = desk.folder.study, desk.folder.conduct.slots.reservation_hours
    first = desk.state.patients["001"].infused_at
    assert first is not None
    found = predict(desk.state, desk.folder, desk.now)
    assert [(one.place.position, one.place.candidate) for one in found] == [
        (1, "C-4"),
        (2, "C-5"),
        (3, "C-6"),
    ]
    second = first + timedelta(days=study.stagger.after_first_days)
    third = second + timedelta(days=study.stagger.after_next_days)
    over = third + timedelta(days=study.dlt.window_days)
    assert found[1].earliest == found[2].earliest == over
    expires = desk.state.slots.slots[2].expires_at
    assert expires is not None
    assert expires < over
    assert found[0].earliest == expires  # the one reservation may end unconfirmed
    full = timedelta(hours=hours) + timedelta(days=-study.regimen_on(desk.now.date()).first_day)
    second += full
    third = second + timedelta(days=study.stagger.after_next_days) + full
    latest = third + timedelta(days=study.dlt.window_days + desk.folder.conduct.slots.decision_days)
    assert {one.latest for one in found} == {latest}


def test_a_fourth_in_the_line_waits_for_one_more_cohort(desk: Desk) -> None:
    desk.must(COORDINATOR, slots.RequestSlot("01", "C-7"))
    found = predict(desk.state, desk.folder, desk.now)
    assert found[3].why == "the cohort after 2 decisions"
    assert found[3].earliest is not None
    assert found[2].earliest is not None
    study = desk.folder.study
    cohort = timedelta(
        days=study.stagger.after_first_days + study.stagger.after_next_days + study.dlt.window_days
    )
    assert found[3].earliest == found[2].earliest + cohort


def test_during_a_hold_a_free_place_has_no_latest_moment(desk: Desk) -> None:
    died = {"AETOXGR": 5, "AESDTH": "Y", "AEOUT": "FATAL", "AERELUC": "NOT RELATED"}
    desk.must(COORDINATOR, c.RecordForm("001", "AE", "AE-1", adverse_event(desk, **died)))
    desk.must(COORDINATOR, slots.ReleaseSlot(3, "handed back"))
    first = predict(desk.state, desk.folder, desk.now)[0]
    assert (first.earliest, first.latest) == (desk.now, None)
    assert first.why == "a place is free; hold 1 (death, the whole study) has to be lifted"


def test_service_per_site_counts_every_end_of_a_request(desk: Desk) -> None:
    refused = desk.refused(COORDINATOR, slots.ReleaseSlot(4, "expired: not confirmed by whom"))
    assert refused.rule == "PH-3 reason"
    desk.must(COORDINATOR, slots.ReleaseSlot(4, "handed back"))
    desk.must(
        COORDINATOR, slots.RequestSlot("01", "C-8"), days=8
    )  # the reservation of slot 3 is over by then
    one, two = fairness(desk.state)
    assert (one.site, one.requests, one.reserved, one.confirmed) == ("01", 6, 4, 2)
    assert (one.released, one.expired, one.waiting, one.gone_unserved) == (1, 1, 1, 1)
    waits = [
        (next(s.at for s in slot.history if s.status == "reserved") - slot.requested_at) / timedelta(hours=1)
        for slot in desk.state.slots.slots
        if slot.site == "01" and any(s.status == "reserved" for s in slot.history)
    ]
    assert max(waits) > 0
    expected = [round(float(np.percentile(waits, share)), 2) for share in (50, 25, 75)]
    assert [one.wait_median, one.wait_lower, one.wait_upper] == expected
    assert (two.requests, two.reserved, two.waiting, two.wait_median) == (1, 0, 1, None)


def test_the_commands_show_codes_and_moments_only(desk: Desk, tmp_path: Path) -> None:
    ledger = str(tmp_path / "ledger.db")
    with LedgerWriter(ledger, desk.folder) as writer:
        for signed in desk.sent:
            writer.execute(signed)
    arguments = [ledger, "--study", str(BALLI)]
    seen = CliRunner().invoke(app, ["queue", *arguments, "--site", "02"])
    assert seen.exit_code == 0, seen.output
    assert "C-6" in seen.output
    assert "C-4" not in seen.output
    assert "Assumed, earliest:" in seen.output
    unknown = CliRunner().invoke(app, ["queue", *arguments, "--site", "99"])
    assert unknown.exit_code == 2
    assert "--site 99: the ledger knows sites 01, 02" in " ".join(unknown.output.split())
    told = json.loads(CliRunner().invoke(app, ["queue", *arguments, "--json"]).output)
    assert set(told["waiting"][0]) == {
        "position", "slot", "site", "candidate", "backfill", "since", "line", "earliest", "latest", "why"
    }  # fmt: skip
    assert [row["slot"] for row in told["reserved"]] == [3]
    served = json.loads(CliRunner().invoke(app, ["fairness", *arguments, "--json"]).output)
    assert [row["requests"] for row in served["sites"]] == [5, 1]
    assert CliRunner().invoke(app, ["fairness", *arguments]).output.splitlines()[1].startswith("01")
    # Without a folder the version the ledger keeps is used, also once the folder says something else.
    for command in (
        ["queue"],
        ["fairness"],
        ["calendar", "--site", "01", "--out", str(tmp_path / "kept.ics")],
    ):
        kept = CliRunner().invoke(app, [command[0], ledger, *command[1:]])
        named = CliRunner().invoke(app, [*command, *arguments])
        assert kept.exit_code == 0, kept.output
        assert kept.output == named.output
    changed = tmp_path / "changed"
    shutil.copytree(BALLI, changed)
    study = changed / "study.yaml"
    study.write_text(study.read_text().replace("within_days: 30,", "within_days: 31,", 1))
    refused = CliRunner().invoke(app, ["queue", ledger, "--study", str(changed)])
    assert refused.exit_code == 2
    assert "without --study that version is used" in " ".join(refused.output.split())
