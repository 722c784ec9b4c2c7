import numpy as np
import pytest
from pydantic import ValidationError

from escalon.design import EscalationPlan, exact_oc, simulate_oc
from escalon.design.rules import Crm

CRM = {"kind": "crm", "target": 0.25, "skeleton": [0.08, 0.16, 0.25, 0.35, 0.46]}


def plan(rule=CRM, **more) -> EscalationPlan:
    return EscalationPlan.model_validate(
        {"rule": rule, "levels": 5, "cohort_size": 3, "max_patients": 18, **more}
    )


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"skeleton": [0.1, 0.2, 0.2, 0.3, 0.4]}, "must increase; value 3, 0.2, is not above value 2, 0.2"),
        ({"skeleton": [0.0, 0.2, 0.25, 0.3, 0.4]}, "value 1 is 0.0; every value must lie inside"),
        ({"skeleton": [0.1, 0.2]}, "5 values expected, one per level; got 2"),
        ({"prior_sd": 0}, "greater than 0"),
    ],
)
def test_bad_rules(rule, message):
    with pytest.raises(ValidationError, match=message):
        plan({**CRM, **rule})


def test_guards_limit_the_model():
    free = plan().recommend("1NNN")
    held = plan(guards=[{"kind": "no_skipping"}]).recommend("1NNN")
    assert free.level == 5
    assert held.level == 2
    assert any("no skipping" in reason for reason in held.reasons)
    assert held.admissible == (1, 2)


def test_no_data_returns_the_skeleton():
    rule = plan().rule
    zero = np.zeros((1, 5), dtype=int)
    np.testing.assert_allclose(rule.levels_prob(zero, zero)[0], CRM["skeleton"], rtol=0, atol=1e-12)


def test_more_dlts_never_raise_the_level():
    rule = plan().rule
    n = np.tile([3, 6, 9, 3, 0], (10, 1))
    y = np.array([[0, 0, k, 0, 0] for k in range(10)])
    levels = rule.select(n, y)
    assert list(levels) == sorted(levels, reverse=True)


def test_counts_and_patients_agree():
    fit = plan().fit(levels=[1, 1, 1, 2, 2, 2], tox=[0, 0, 0, 0, 1, 0])
    n, y = np.array([[3, 3, 0, 0, 0]]), np.array([[0, 1, 0, 0, 0]])
    np.testing.assert_allclose(fit.prob_tox, plan().rule.levels_prob(n, y)[0], rtol=0, atol=1e-13)


def test_weights_pull_towards_less_information():
    full = plan().fit([3, 3, 3], [0, 0, 0])
    half = plan().fit([3, 3, 3], [0, 0, 0], [0.5, 0.5, 0.5])
    none = plan().fit([3, 3, 3], [0, 0, 0], [0, 0, 0])
    assert full.prob_tox[2] < half.prob_tox[2] < none.prob_tox[2]
    assert none.prob_tox == pytest.approx(CRM["skeleton"], abs=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 6], [0, 0]), "levels: 1 to 5 expected"),
        (([1, 2], [0, 2]), "tox: 0 or 1 expected"),
        (([1, 2], [0]), "one entry per patient"),
        (([1], [0], [1.5]), "weights: values from 0 to 1"),
    ],
)
def test_bad_patients(arguments, message):
    with pytest.raises(ValueError, match=message):
        plan().fit(*arguments)


def test_a_rule_without_model_has_no_fit():
    with pytest.raises(ValueError, match="rule boin has no model"):
        plan({"kind": "boin", "target": 0.3}).fit([1], [0])


def test_simulation_agrees_with_enumeration():
    design = plan(guards=[{"kind": "no_skipping"}, {"kind": "coherent"}])
    scenario = [0.1, 0.2, 0.3, 0.4, 0.5]
    exact, found = exact_oc(design, scenario), simulate_oc(design, scenario, trials=4000, seed=5)
    gap = np.abs(found.prob_select - exact.prob_select)
    assert np.all(gap <= 4.5 * np.array(found.standard_error["prob_select"]) + 1e-12)


@pytest.mark.parametrize("rows", [1, 500])
def test_ties_go_to_the_lower_level_however_many_rows(rows):
    rule = Crm(target=0.25, skeleton=(0.1, 0.2, 0.3))
    # 0.125 and 0.375 lie at the same distance from 0.25, to the last bit
    assert rule.closest(np.tile([0.125, 0.375, 0.5], (rows, 1))).tolist() == [0] * rows
    assert rule.closest(np.tile([0.0, 0.125, 0.375], (rows, 1))).tolist() == [1] * rows
