"""Escalation and expansion together: identities, limits, refusals."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalon.design import EscalationPlan, enumerate_plan
from escalon.design.expansion import ExpansionPlan, MonitoringRule, joint_oc, monitoring_oc
from escalon.design.expansion.joint import joint_cells

DLT = MonitoringRule("DLT", "toxicity", 0.3, 0.9)
LOW = MonitoringRule("low ORR", "futility", 0.2, 0.9, min_n=5)
HIGH = MonitoringRule("high ORR", "efficacy", 0.2, 0.9)


def escalation(rule=None, levels=3, total=15) -> EscalationPlan:
    rule = rule or {"kind": "boin", "target": 0.3}
    return EscalationPlan.model_validate(
        {"rule": rule, "levels": levels, "cohort_size": 3, "max_patients": total}
    )


ENDS = enumerate_plan(escalation())
rates = st.lists(st.floats(0, 1), min_size=3, max_size=3)


@given(p=rates, q=rates, odds=st.floats(0.1, 10), carry=st.booleans(), early=st.booleans())
@settings(max_examples=30, deadline=None)
def test_identities(p, q, odds, carry, early):
    plan = ExpansionPlan(8, DLT, LOW, HIGH, looks=(2, 5, 8), carry=carry, success_early=early)
    found = joint_oc(ENDS, plan, p, q, odds)
    alone = ENDS.oc(p)
    np.testing.assert_allclose(found.prob_select, alone.prob_select, rtol=0, atol=1e-11)
    assert found.prob_none == pytest.approx(alone.prob_none, abs=1e-12)
    parts = found.prob_stop_toxicity + found.prob_stop_futility + found.prob_success + found.prob_complete
    np.testing.assert_allclose(parts, found.prob_select, rtol=0, atol=1e-12)
    assert sum(found.n_distribution.values()) == pytest.approx(1, abs=1e-11)
    assert sum(n * w for n, w in found.n_distribution.items()) == pytest.approx(found.mean_total_n, abs=1e-9)
    assert sum(m * w for m, w in found.expansion_distribution.items()) == pytest.approx(
        found.mean_n_expansion, abs=1e-10
    )
    np.testing.assert_allclose(found.mean_dlt, found.mean_n * np.array(p), rtol=0, atol=1e-9)
    assert found.mean_total_n == pytest.approx(alone.mean_total_n + found.mean_n_expansion, abs=1e-9)
    assert np.all(found.prob_not_opened >= 0)
    assert carry or not found.prob_not_opened.any()


def test_without_carrying_the_expansion_is_a_trial_of_its_own():
    p = [0.1, 0.3, 0.5]
    plan = ExpansionPlan(12, DLT, looks=(3, 6, 9, 12), carry=False)
    found = joint_oc(ENDS, plan, p)
    select = ENDS.oc(p).prob_select
    for j in range(3):
        alone = monitoring_oc([DLT], (3, 6, 9, 12), {"DLT": p[j]})
        assert found.prob_stop_toxicity[j] == pytest.approx(select[j] * alone.prob_any_stop, abs=1e-13)
    assert found.mean_response is None


def test_carried_patients_count():
    p = [0.1, 0.3, 0.5]
    carried = joint_oc(ENDS, ExpansionPlan(12, DLT), p)
    fresh = joint_oc(ENDS, ExpansionPlan(12, DLT, carry=False), p)
    # a level is selected after few DLTs, so the carried patients speak for it
    assert carried.prob_stop_toxicity.sum() < fresh.prob_stop_toxicity.sum()
    unchecked = joint_oc(ENDS, ExpansionPlan(12, DLT, check_at_start=False), p)
    assert unchecked.mean_n_expansion >= carried.mean_n_expansion
    assert not unchecked.prob_not_opened.any()


def test_extremes():
    nothing = joint_oc(ENDS, ExpansionPlan(10), [0.1, 0.3, 0.5])
    np.testing.assert_allclose(nothing.prob_complete, nothing.prob_select, rtol=0, atol=1e-14)
    assert nothing.prob_early_stop == 0
    safe = joint_oc(ENDS, ExpansionPlan(10, DLT, success=HIGH), [0, 0, 0], [1, 1, 1])
    assert safe.prob_success[2] == pytest.approx(1, abs=1e-13)
    assert safe.mean_response[2] == pytest.approx(safe.mean_n[2], abs=1e-10)
    deadly = joint_oc(ENDS, ExpansionPlan(10, DLT), [1, 1, 1])
    assert deadly.prob_none == pytest.approx(1, abs=1e-13)
    assert deadly.expansion_distribution == {0: pytest.approx(1, abs=1e-13)}


def test_association_keeps_the_margins():
    for odds in (0.2, 1.0, 5.0):
        cells = joint_cells(0.3, 0.6, odds)
        assert cells.sum() == pytest.approx(1, abs=1e-14)
        assert cells[1].sum() == pytest.approx(0.3, abs=1e-14)
        assert cells[:, 1].sum() == pytest.approx(0.6, abs=1e-14)
        assert cells[1, 1] * cells[0, 0] == pytest.approx(odds * cells[0, 1] * cells[1, 0], abs=1e-13)


def test_conditional_on_an_interim_state():
    plan = escalation()
    ends = enumerate_plan(plan, after="1NNN 2NNT")
    found = joint_oc(ends, ExpansionPlan(6, DLT), [0.1, 0.3, 0.5])
    assert found.prob_select.sum() + found.prob_none == pytest.approx(1, abs=1e-12)
    assert min(found.n_distribution) >= 6
    assert found.mean_dlt[1] == pytest.approx(1 + (found.mean_n[1] - 3) * 0.3, abs=1e-12)


def test_plain_values():
    found = joint_oc(ENDS, ExpansionPlan(6, DLT, LOW, HIGH), [0.1, 0.3, 0.5], [0.2, 0.3, 0.4])
    assert json.loads(json.dumps(found.to_dict()))["prob_none"] == found.prob_none


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ExpansionPlan(0), "patients: got 0; must be at least 1"),
        (lambda: ExpansionPlan(6, toxicity=LOW), "toxicity: got a rule of kind 'futility'"),
        (
            lambda: ExpansionPlan(6, success=DLT),
            "success: got a rule of kind 'toxicity'; 'efficacy' is needed",
        ),
        (
            lambda: ExpansionPlan(6, DLT, looks=(2, 4)),
            "looks: the last look is at 4; must be at patients = 6",
        ),
        (lambda: ExpansionPlan(6, DLT, looks=(4, 2, 6)), "looks\\[1\\]: got 2 after 4"),
        (lambda: joint_oc(ENDS, ExpansionPlan(6), [0.1, 0.2]), "prob_tox: 3 probabilities expected"),
        (lambda: joint_oc(ENDS, ExpansionPlan(6, DLT, LOW), [0.1, 0.2, 0.3]), "prob_response: needed by"),
        (
            lambda: joint_oc(ENDS, ExpansionPlan(6, DLT, LOW), [0.1, 0.2, 0.3], [0.1, 0.2, 1.3]),
            "prob_response: level 3 has 1.3; response probabilities",
        ),
        (lambda: joint_oc(ENDS, ExpansionPlan(6), [0.1, 0.2, 0.3], odds_ratio=0), "odds_ratio: got 0"),
    ],
)
def test_impossible_expansions_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
