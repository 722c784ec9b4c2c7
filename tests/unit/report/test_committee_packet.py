"""The committee's page shows what the packet holds, who voted and who signed, before and after the decision."""

import pytest

from escalon.conduct import commands as c
from escalon.conduct.committee.completeness import completeness
from escalon.pipeline import render_review
from escalon.protocol import StudyFolder
from escalon.report.terminal_decisions import decision_rows, render_decisions
from tests.act import (
    CHAIR,
    COORDINATOR,
    STATISTICIAN,
    Desk,
    enrol,
    infuse,
    lymphodeplete,
    observe_cohort,
    opened,
    review,
    sign_casebooks,
    vote,
)


@pytest.fixture(scope="module")
def desk(balli: StudyFolder) -> Desk:
    desk = opened(balli)
    observe_cohort(desk, ["001", "002", "003"], dlts=("002",))
    desk.must(STATISTICIAN, c.RequestRecommendation())
    sign_casebooks(desk)
    number = review(desk)
    vote(desk, number, "stay", 1)
    desk.must(CHAIR, c.DecideDose("stay", 1, "one DLT of three", number))
    return desk


def test_the_page_of_a_decided_review(desk: Desk, balli: StudyFolder) -> None:
    page = render_review(desk.facts, balli, 2, "escalation")
    for words in ("Decision 2", "one DLT of three", "Second member", "Sponsor physician", "no conflict"):
        assert words in page
    assert page.count('class="st DLT"') == 1
    assert desk.state.committee.reviews[1].packet_hash in page
    assert page == render_review(desk.facts, balli, 2, "escalation")


def test_a_preview_shows_the_what_if_tree_and_no_meeting(desk: Desk, balli: StudyFolder) -> None:
    fresh = opened(balli)
    enrol(fresh, "001")
    page = render_review(fresh.facts, balli, 0, "escalation")
    assert "preview" in page
    assert "1 patient is pending" in page
    assert "Nobody has voted" not in page


def test_what_is_not_there_is_said(desk: Desk, balli: StudyFolder) -> None:
    with pytest.raises(ValueError, match="no review 7; the ledger holds 2"):
        render_review(desk.facts, balli, 7, "escalation")
    with pytest.raises(ValueError, match="no part 'third'"):
        render_review(desk.facts, balli, 0, "third")


def test_the_list_of_decisions(desk: Desk) -> None:
    rows = decision_rows(desk.state)
    assert [(row["recommended"], row["decided"], row["dose_level"]) for row in rows] == [
        (None, "open", 1),
        ("stay", "stay", 1),
    ]
    assert "Sponsor physician" in render_decisions(rows)
    assert render_decisions([]) == "No decision has been made.\n"


def test_nothing_is_due_after_a_patient_left(balli: StudyFolder) -> None:
    desk = opened(balli)
    enrol(desk, "001")
    assert completeness(desk.state.patients["001"], balli, desk.now).due == 0
    lymphodeplete(desk, "001")
    infuse(desk, "001")
    infused = desk.now
    later = completeness(desk.state.patients["001"], balli, infused.replace(year=infused.year + 1))
    died = {"DSDECOD": "DEATH", "DSSTDTC": infused.date().isoformat(), "DSTERM": "sepsis"}
    desk.must(COORDINATOR, c.RecordForm("001", "DS", "DS-DEATH", died))
    gone = completeness(desk.state.patients["001"], balli, infused.replace(year=infused.year + 1))
    assert gone.due < later.due
    assert gone.recorded <= gone.due
