"""A recommendation is rebuilt from its cut byte for byte, and a changed fact or plan is noticed."""

from dataclasses import replace

import pytest

from escalon.conduct import commands as c
from escalon.conduct.capture.commands import AmendStudy
from escalon.conduct.events import DltAdjudicated, DltStatus, FormRecorded
from escalon.conduct.fold import fold
from escalon.conduct.people.commands import ApproveVersion
from escalon.conduct.replay import replay_recommendation, replay_reviews
from escalon.conduct.state import Fact
from escalon.protocol import StudyFolder, load_study
from escalon.protocol.amendments import succeed
from tests.act import SPONSOR, STATISTICIAN, Desk, acknowledge, meet, observe_cohort, opened
from tests.study_files import balli_files


@pytest.fixture(scope="module")
def facts(balli: StudyFolder) -> list[Fact]:
    desk = opened(balli)
    observe_cohort(desk, ["001", "002", "003"], dlts=("002",))
    desk.must(STATISTICIAN, c.RequestRecommendation())
    meet(desk, "stay", 1)
    return desk.facts


def test_the_same_facts_give_the_same_bytes(facts: list[Fact], balli: StudyFolder) -> None:
    replay = replay_recommendation(facts, 1, balli)
    assert replay.same
    assert '"action":"stay"' in replay.recorded


def test_a_changed_fact_is_noticed(facts: list[Fact], balli: StudyFolder) -> None:
    changed = [
        replace(fact, event=replace(fact.event, status=DltStatus.NO_DLT))
        if isinstance(fact.event, DltAdjudicated)
        else fact
        for fact in facts
    ]
    replay = replay_recommendation(changed, 1, balli)
    assert not replay.same
    assert '"action":"escalate"' in replay.replayed


def test_cut_and_packet_are_made_again_with_their_hashes(facts: list[Fact], balli: StudyFolder) -> None:
    checks = replay_reviews(facts, 1, balli)
    assert [check.what for check in checks] == ["data cut 2", "packet of review 2"]
    assert all(check.same for check in checks)


def test_an_altered_record_changes_the_hash_of_the_cut(facts: list[Fact], balli: StudyFolder) -> None:
    altered = [
        replace(fact, event=replace(fact.event, values={**fact.event.values, "NEUT": 9.9}))
        if isinstance(fact.event, FormRecorded) and fact.event.record == "LB-D28"
        else fact
        for fact in facts
    ]
    assert not replay_reviews(altered, 1, balli)[0].same


def test_an_unknown_number_and_another_folder_are_errors(facts: list[Fact], balli: StudyFolder) -> None:
    with pytest.raises(ValueError, match="the ledger holds 1"):
        replay_recommendation(facts, 2, balli)
    with pytest.raises(ValueError, match="not the version"):
        replay_recommendation(facts, 1, replace(balli, hash="0" * 64))


def test_each_recommendation_is_replayed_on_the_version_of_its_cut(
    facts: list[Fact], balli: StudyFolder
) -> None:
    """A second cohort, on an amended plan and other forms; either version may be the one that is given."""
    files = balli_files()
    files["study.yaml"] = files["study.yaml"].replace(
        "epsilon_1: !assumption 0.05", "epsilon_1: !assumption 0.04"
    )
    files["forms/vs.yaml"] = files["forms/vs.yaml"].replace("range: [25, 250]", "range: [20, 250]")
    amended = succeed(load_study(files), balli)
    assert amended.study.escalation != balli.study.escalation
    desk = Desk(amended)
    desk.state, desk.facts, desk.now = fold(facts), list(facts), facts[-1].at
    desk.must(SPONSOR, AmendStudy(amended.hash, "narrower interval"))
    for site in ("01", "02"):
        desk.must(SPONSOR, ApproveVersion(site, amended.hash))
    acknowledge(desk)
    observe_cohort(desk, ["004", "005", "006"])
    desk.must(STATISTICIAN, c.RequestRecommendation())
    meet(desk, desk.state.recommendations[-1].action, desk.state.recommendations[-1].dose_level)
    before = replace(balli, earlier={amended.hash: amended})
    for given in (amended, before):
        for number in (1, 2):
            assert replay_recommendation(desk.facts, number, given).same
            checks = replay_reviews(desk.facts, number, given)
            assert checks
            assert all(check.same for check in checks)
    assert not replay_reviews(desk.facts, 1, replace(amended, hash=balli.hash, earlier={}))[1].same
    with pytest.raises(ValueError, match="not the version"):
        replay_reviews(desk.facts, 1, replace(amended, earlier={}))
