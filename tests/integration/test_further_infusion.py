"""A trial with further infusions through the whole store, on each database: from the approval to the decision.

The reference study gives the cells once, since the rules of BALLI-01 on further infusions are not public; here it is
allowed, and every step a coordinator, a monitor and the committee take is one command to the writer of the ledger.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from escalon.conduct import commands as c
from escalon.conduct.committee.packet import build_packet
from escalon.conduct.fold import fold
from escalon.conduct.replay import replay_recommendation, replay_reviews
from escalon.conduct.slots.cohort_state import cohort_status
from escalon.conduct.slots.events import DltStatus
from escalon.pipeline import render_review
from escalon.report.calendar_feed import calendar_entries
from escalon.store.execute import LedgerWriter
from escalon.store.ledger import read_facts
from escalon.store.rebuild import rebuild
from escalon.store.snapshot import read_state, write_snapshot
from escalon.store.verify import verify_ledger
from tests.act import CHAIR, COORDINATOR, STATISTICIAN, Desk, panel, review, sign_casebooks, vote
from tests.databases import ask, fresh_url
from tests.unit.conduct.test_slots_exposures import again, approve, cells, judge, observed, redosing, toxic


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with fresh_url(request.param, tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def desk() -> Desk:
    """Three patients judged without a DLT, 001 infused again, corrected, judged, re-opened by a late event; decided."""
    desk = observed(redosing(window_days=21), 3)
    again(desk, EXLOT="L-2")
    given = desk.now
    desk.now += timedelta(days=4)
    desk.must(COORDINATOR, cells(desk, moment=given + timedelta(hours=2), EXLOT="L-2"))
    desk.now += timedelta(days=18)
    desk.must(COORDINATOR, c.RecordForm("001", "LB", "LB-2-D21", panel(desk)))
    judge(desk, DltStatus.NO_DLT)
    toxic(desk, AESTDTC=(given + timedelta(days=9)).isoformat())
    desk.must(STATISTICIAN, c.RequestRecommendation())
    sign_casebooks(desk)
    number = review(desk)
    judge(desk, DltStatus.DLT, "5")
    vote(desk, number, "escalate", 2)
    desk.must(CHAIR, c.DecideDose("escalate", 2, "first infusions without DLT", number))
    return desk


def test_the_store_keeps_and_finds_again_what_happened(url: str, desk: Desk) -> None:
    with LedgerWriter(url, desk.folder) as writer, writer.batch():
        for signed in desk.sent:
            assert not isinstance(writer.execute(signed), c.Refused)
    facts = read_facts(url)
    assert fold(facts) == desk.state
    assert ask(url, "SELECT patient, exposure, dose_level FROM further_infusion") == [("001", 2, 1)]
    write_snapshot(url, "BALLI-01")
    assert read_state(url, "BALLI-01") == desk.state
    assert rebuild(url, check=True) == ()
    assert all(one.holds for one in verify_ledger(url))
    assert replay_recommendation(facts, 1, desk.folder).same
    checks = replay_reviews(facts, 1, desk.folder)
    assert checks
    assert all(check.same for check in checks)


def test_first_infusions_decide_and_the_committee_sees_the_others_beside_them(desk: Desk) -> None:
    assert desk.state.recommendations[0].inputs["n"] == [3, 0, 0, 0]
    assert desk.state.recommendations[0].inputs["y"] == [0, 0, 0, 0]
    cut = desk.state.committee.cuts[-1]
    shown = fold(fact for fact in desk.facts if fact.seq <= cut.seq)
    (row,) = build_packet(shown, desk.folder, cut)["further_infusions"]
    told = {name: row[name] for name in ("patient", "exposure", "dlt_status", "window", "counts", "lot")}
    assert told == {
        "patient": "001",
        "exposure": 2,
        "dlt_status": "PENDING",
        "window": "re-opened",
        "counts": False,
        "lot": "L-2",
    }
    page = render_review(desk.facts, desk.folder, 2, "escalation")
    assert "Further infusions, each with a window of its own" in page
    assert "re-opened; day 22, window of 21 days" in page
    status = cohort_status(desk.state, 1, desk.folder, desk.now)
    assert status.further == (
        "001, infusion 2, level 1: ended by DLT (evaluable), day 22, window of 21 days; outside the escalation counts",
    )
    assert cohort_status(desk.state, 2, desk.folder, desk.now).further == ()


def test_the_site_finds_the_window_and_the_earliest_further_infusion_in_its_calendar() -> None:
    desk = observed(redosing(), 1)
    approve(desk)
    titles = {entry.title: entry for entry in calendar_entries(desk.state, desk.folder, "01")}
    assert titles["Earliest infusion 2 01-001"].moment == desk.now
    desk.must(COORDINATOR, cells(desk))
    titles = {entry.title: entry for entry in calendar_entries(desk.state, desk.folder, "01")}
    end = titles["End of DLT window 01-001, infusion 2"]
    assert end.moment == desk.now + timedelta(days=28)
