import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from escalon.design import EscalationPlan, enumerate_plan, exact_oc, simulate_oc
from escalon.design.backfill import decide_backfill

P, Q = [0.08, 0.2, 0.4], [0.3, 0.4, 0.5]


def plan(total=18, rule=None, guards=(), titration=False, backfill=None, **more):
    content = {
        "rule": rule or {"kind": "boin", "target": 0.25},
        "levels": 3,
        "cohort_size": 3,
        "max_patients": total,
        "guards": list(guards),
        "titration": titration,
        "backfill": {"cap": 9} if backfill is None else backfill,
    }
    return EscalationPlan.model_validate({**content, **more})


def test_recommendation_names_open_levels():
    answer = plan().recommend("1NNE 2NEN +1NN", pending=[(1, 0.5)])
    assert (answer.action, answer.level, answer.backfill) == ("escalate", 3, (2, 1))
    text = " ".join(answer.reasons)
    assert "Level 1 is open for backfill: 1 with a response, 0 of 5 with a DLT, 6 patients (cap 9)." in text
    assert "Backfill at levels 2, 1, highest first." in text
    lowest = plan(backfill={"cap": 9, "order": "lowest"}).recommend("1NNE 2NEN")
    assert lowest.backfill == (1, 2)


def test_levels_close():
    assert plan().recommend("1NNN 2NNN").backfill == ()  # no response yet
    assert plan(backfill={"need_response": False}).recommend("1NNN 2NNN").backfill == (2, 1)
    assert plan(backfill={"cap": 3}).recommend("1NNE 2NNE").backfill == ()
    # 2 of 6 at level 1: unsafe alone, safe pooled with level 2
    assert 1 in plan().recommend("1NNE 2NNN +1NTT 2NNN").backfill


def test_conflict_is_pooled_and_said():
    answer = plan(total=30).recommend("1NNE 2NNN +1NTT +1TNN")
    assert any("conflict with that decision" in reason for reason in answer.reasons)
    assert "3 of 12" in " ".join(answer.reasons)
    assert answer.level == 2  # .25 lies between the boundaries
    # pooled over levels 1 and 2: 3 of 9, and level 1 alone 3 of 6; no level from there on is safe
    down = plan(total=30).recommend("1NNE 2NNN +1TTT")
    assert (down.action, down.level) == ("de_escalate", 1)


def test_a_lower_level_that_only_stays_conflicts_with_escalation():
    # level 1: 3 of 12 stays, level 2: 0 of 3 escalates; pooled 3 of 15 = .2 lies between the boundaries
    answer = plan(total=30, backfill={"cap": 20}).recommend("1NNE 2NNN +1NTT +1TNN +1NNN")
    assert (answer.action, answer.level) == ("stay", 2)
    # level 1 with 2 of 12 escalates as well: no conflict
    assert plan(total=30).recommend("1NNE 2NNN +1NTT +1NNN +1NNN").level == 3


def test_toxic_backfill_stops_the_trial():
    answer = plan(total=30).recommend("1NNE 2NNN +1TTT +1TTT")
    assert (answer.action, answer.mtd, answer.backfill) == ("stop", None, ())


def test_sample_size_counts_the_escalation_only():
    assert plan(total=6).recommend("1NNE +1NNNN 2NN").action != "stop"
    full = plan(total=6).recommend("1NNE +1NNNN 2NNN")
    assert (full.action, full.mtd) == ("stop", 2)
    assert "all 6 planned patients of the escalation" in full.reasons[-1]


def test_enough_counts_backfill():
    guards = [{"kind": "enough_at_dose", "n": 9}]
    text = "1NNE 2NNT 1NNT +1NNT"  # level 1: 2 of 9, between the boundaries
    assert plan(total=30).recommend(text).action == "stay"
    stopped = plan(total=30, guards=guards).recommend(text)
    assert (stopped.action, stopped.mtd) == ("stop", 1)


def test_without_backfill_it_is_boin():
    guards = [{"kind": "enough_at_dose", "n": 9}]
    exact = exact_oc(plan(guards=guards).model_copy(update={"backfill": None}), P)
    found = simulate_oc(plan(guards=guards, backfill={"cap": 0}), P, 16_000, seed=5, prob_eff=Q)
    for name in (
        "prob_select",
        "prob_none",
        "mean_n",
        "mean_dlt",
        "mean_total_n",
        "prob_early_stop",
        "prob_overdose_60",
    ):
        gap = np.abs(np.asarray(getattr(found, name)) - np.asarray(getattr(exact, name)))
        # 4.5 standard errors over some 20 comparisons; the seed is fixed
        assert np.all(gap <= 4.5 * np.asarray(found.standard_error[name]) + 1e-12), name
    assert found.mean_total_backfill == 0


def test_backfill_adds_patients_below():
    with_it = simulate_oc(plan(), P, 3_000, seed=5, prob_eff=Q, accrual=3)
    without = simulate_oc(plan(backfill={"cap": 0}), P, 3_000, seed=5, prob_eff=Q, accrual=3)
    assert with_it.mean_total_n > without.mean_total_n + 2
    assert with_it.mean_backfill[-1] < with_it.mean_backfill[0]
    np.testing.assert_allclose(with_it.mean_dlt / with_it.mean_n, P, atol=0.04)
    assert set(with_it.standard_error) >= {
        "mean_backfill",
        "mean_total_backfill",
        "mean_duration",
        "prob_select",
    }


@pytest.mark.parametrize("order", ["highest", "lowest", "random"])
def test_same_answer_whatever_the_workers(order):
    design = plan(backfill={"cap": 9, "order": order})
    one, many = (simulate_oc(design, P, 5_000, seed=8, prob_eff=Q, accrual=4, workers=w) for w in (1, 3))
    assert one.to_dict() == many.to_dict()


def test_long_trials_get_more_arrivals():
    """Slow accrual needs few arrivals, fast accrual many; both end."""
    slow, fast = (simulate_oc(plan(), P, 200, seed=1, prob_eff=Q, accrual=a) for a in (0.2, 40.0))
    assert slow.mean_duration > fast.mean_duration
    assert slow.mean_total_backfill < fast.mean_total_backfill


@given(
    st.lists(st.floats(0, 1), min_size=3, max_size=3),
    st.lists(st.floats(0, 1), min_size=3, max_size=3),
    st.integers(0, 5),
)
@settings(max_examples=15, deadline=None)
def test_caps_and_totals(p, q, cap):
    oc = simulate_oc(plan(total=9, backfill={"cap": cap}), p, 60, seed=2, prob_eff=q, accrual=6)
    assert oc.prob_select.sum() + oc.prob_none == pytest.approx(1)
    assert oc.mean_backfill.max() <= cap
    assert max(oc.n_distribution) <= 9 + 3 * cap


def test_hash_of_a_plan_without_backfill_is_unchanged():
    bare = plan().model_copy(update={"backfill": None})
    assert bare.hash != plan().hash
    assert EscalationPlan.model_validate(bare.model_dump(exclude={"backfill"})).hash == bare.hash


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rule": {"kind": "mtpi", "target": 0.3}}, "backfill: only with rule boin; got mtpi"),
        ({"guards": [{"kind": "coherent"}]}, "backfill: only guard enough_at_dose fits; got coherent"),
        ({"titration": True}, "backfill: not together with titration"),
        ({"backfill": {"cap": -1}}, "cap"),
        ({"backfill": {"order": "middle"}}, "order"),
    ],
)
def test_bad_plan_is_named(change, message):
    with pytest.raises(ValidationError, match=message):
        plan(**change)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plan().recommend(([3, 0, 0], [0, 0, 0], 1)), "with backfill a string"),
        (lambda: plan().recommend("1NNX"), "unknown letter X"),
        (lambda: simulate_oc(plan(), P), "prob_eff: backfill needs"),
        (lambda: simulate_oc(plan(), P, prob_eff=[0.1, 0.2, 1.2]), "prob_eff: level 3 has 1.2"),
        (lambda: simulate_oc(plan(), P, prob_eff=Q, accrual=0), "accrual"),
        (lambda: enumerate_plan(plan()), "simulate this plan"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_highest_conflicting_level_is_where_pooling_starts():
    """Levels 1 and 2 both conflict with the wish to escalate from 3: pooled over 2 and 3 it is 2 of 12, escalate;
    over all three it would be 5 of 18, stay."""
    found = decide_backfill(
        plan(levels=5), np.array([[6, 6, 6, 0, 0]]), np.array([[3, 2, 0, 0, 0]]), np.array([2])
    )
    assert (int(found.conflict[0]), int(found.level[0])) == (1, 3)


def test_a_plan_may_leave_backfill_out_of_the_decision_and_says_so():
    apart = plan(backfill={"cap": 9, "counts_in_escalation": False})
    answer = apart.recommend("1NNE 2NNN +1TTT")
    assert (answer.action, answer.level) == ("escalate", 3)
    assert "Backfill patients are not counted in this decision, as the plan says." in answer.reasons
    assert 1 not in answer.backfill  # which levels are open rests on all: 3 of 6 had a DLT at level 1
    together = plan().recommend("1NNE 2NNN +1TTT")
    assert (together.action, together.level) == ("de_escalate", 1)


def test_the_hash_of_a_plan_that_counts_backfill_is_older_than_the_option():
    said = plan(backfill={"cap": 9, "counts_in_escalation": True})
    assert said.hash == plan().hash != plan(backfill={"cap": 9, "counts_in_escalation": False}).hash
    content = plan().model_dump(mode="json")
    assert content["backfill"].pop("counts_in_escalation") is True
