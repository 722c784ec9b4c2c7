"""A recommendation is rebuilt from its cut byte for byte, and a changed fact or plan is noticed."""

from dataclasses import replace

import pytest

from escalon.conduct import commands as c
from escalon.conduct.events import DltAdjudicated, DltStatus
from escalon.conduct.replay import replay_recommendation
from escalon.conduct.state import Fact
from escalon.protocol import StudyFolder
from tests.act import CHAIR, STATISTICIAN, TWO, observe_cohort, opened


@pytest.fixture
def facts(balli: StudyFolder, monkeypatch: pytest.MonkeyPatch) -> list[Fact]:
    kept: list[Fact] = []
    import tests.act as act

    original = act.apply

    def keep(state, fact):  # type: ignore[no-untyped-def]
        kept.append(fact)
        return original(state, fact)

    monkeypatch.setattr(act, "apply", keep)
    desk = opened(balli)
    observe_cohort(desk, ["001", "002", "003"], dlts=("002",))
    desk.must(STATISTICIAN, c.RequestRecommendation())
    desk.must(CHAIR, c.DecideDose("stay", 1, "as recommended", TWO))
    return kept


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


def test_an_unknown_number_and_another_folder_are_errors(facts: list[Fact], balli: StudyFolder) -> None:
    with pytest.raises(ValueError, match="the ledger holds 1"):
        replay_recommendation(facts, 2, balli)
    with pytest.raises(ValueError, match="not the version"):
        replay_recommendation(facts, 1, replace(balli, hash="0" * 64))
