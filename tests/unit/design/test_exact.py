import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalon.design import EscalationPlan, PlanTooLargeError, enumerate_plan, exact_oc

MTPI = {"rule": {"kind": "mtpi", "target": 0.3}, "levels": 4, "cohort_size": 3, "max_patients": 18}


def plan(**changes) -> EscalationPlan:
    return EscalationPlan.model_validate({**MTPI, **changes})


@given(st.lists(st.floats(0, 1), min_size=4, max_size=4))
@settings(max_examples=60, deadline=None)
def test_probabilities_sum_to_one(prob_tox):
    ends = enumerate_plan(plan())
    assert ends.probabilities(prob_tox).sum() == pytest.approx(1, abs=1e-12)
    oc = ends.oc(prob_tox)
    assert oc.prob_none + oc.prob_select.sum() == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(oc.mean_dlt, oc.mean_n * np.asarray(prob_tox), rtol=0, atol=1e-11)
    assert sum(oc.n_distribution.values()) == pytest.approx(1, abs=1e-12)


def test_dose_nobody_tolerates_and_dose_everybody_tolerates():
    oc = exact_oc(plan(), [0, 0, 0, 0])
    assert oc.prob_select.tolist() == [0, 0, 0, 1]
    assert oc.mean_n.tolist() == [3, 3, 3, 9]
    oc = exact_oc(plan(), [1, 1, 1, 1])
    assert (oc.prob_none, oc.mean_total_n, oc.prob_early_stop) == (1, 3, 1)


GUARDS = [
    {"kind": "no_skipping"},
    {"kind": "coherent"},
    {"kind": "enough_at_dose", "n": 6},
    {"kind": "overdose_control", "limit": 0.35, "certainty": 0.8},
]


def test_guards_give_the_same_plan_in_any_order():
    scenario = [0.1, 0.2, 0.35, 0.5]
    results = [
        exact_oc(plan(guards=list(order)), scenario).to_dict() for order in itertools.permutations(GUARDS)
    ]
    assert all(result == results[0] for result in results)
    assert results[0]["prob_early_stop"] > 0.5


def test_enough_at_dose_ends_the_escalation_at_a_stay():
    guarded = plan(guards=[{"kind": "enough_at_dose", "n": 6}])
    answer = guarded.recommend("1NNN 2NNT 2NNT")
    assert (answer.action, answer.mtd) == ("stop", 2)
    assert guarded.recommend("1NNT 1NNN").action == "escalate"
    assert exact_oc(guarded, [0.3] * 4).mean_total_n < exact_oc(plan(), [0.3] * 4).mean_total_n


def test_coherent_bars_escalation_after_toxicity():
    # 1 of 6 at level 1 escalates under mTPI; the last cohort had the DLT
    guarded = plan(guards=[{"kind": "coherent"}])
    assert plan().recommend("1NNN 2NNT 1NNT").action == "escalate"
    answer = guarded.recommend("1NNN 2NNT 1NNT")
    assert answer.action == "stay"
    assert any("coherence" in reason for reason in answer.reasons)
    assert guarded.recommend(([6, 3, 0, 0], [1, 1, 0, 0], 1)).action == "escalate"
    assert any("not known" in reason for reason in guarded.recommend(([6, 3, 0, 0], [1, 1, 0, 0], 1)).reasons)


def test_cohorts_of_varying_size_are_followed():
    ends = enumerate_plan(plan(cohort_size=[1, 2, 4], max_patients=17))
    assert set(np.unique(ends.n.sum(axis=1))) <= {1, 3, 7, 11, 15, 17}
    assert ends.probabilities([0.1, 0.2, 0.3, 0.4]).sum() == pytest.approx(1, abs=1e-12)


def test_titration_treats_one_patient_per_level_until_the_first_dlt():
    titrated = plan(titration=True)
    assert exact_oc(titrated, [0, 0, 0, 0]).mean_n.tolist() == [1, 1, 1, 15]
    assert titrated.recommend("1N").level == 2
    answer = titrated.recommend("1N 2T")
    assert (answer.action, answer.level) == ("stay", 2)


def test_a_plan_too_large_says_its_state_count():
    with pytest.raises(
        PlanTooLargeError, match=r"\d+ live states after \d+ of 18 patients, limit 50; use simulation"
    ):
        enumerate_plan(plan(), max_states=50)


@pytest.mark.parametrize(
    ("prob_tox", "message"),
    [
        ([0.1, 0.2], "4 probabilities expected"),
        ([0.1, 0.2, 0.3, 1.2], "level 4 has 1.2"),
        ([0.1, 0.2, 0.3, float("nan")], "level 4"),
    ],
)
def test_bad_scenarios(prob_tox, message):
    with pytest.raises(ValueError, match=message):
        exact_oc(plan(), prob_tox)
