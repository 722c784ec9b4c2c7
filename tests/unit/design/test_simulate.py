import numpy as np
import pytest

from escalon.design import EscalationPlan, exact_oc, simulate_oc
from escalon.design.simulate import BLOCK, draw_uniforms, simulate_trials

SCENARIO = [0.08, 0.2, 0.35, 0.5]
PLANS = {
    "boin": {"rule": {"kind": "boin", "target": 0.3}, "max_patients": 24},
    "mtpi": {"rule": {"kind": "mtpi", "target": 0.3}, "max_patients": 20, "guards": [{"kind": "coherent"}]},
    "titration": {"rule": {"kind": "boin", "target": 0.3}, "max_patients": 18, "titration": True},
    "three": {"rule": {"kind": "three_plus_three"}},
}


def plan(name: str) -> EscalationPlan:
    return EscalationPlan.model_validate({"levels": 4, "cohort_size": 3, **PLANS[name]})


@pytest.mark.parametrize("name", PLANS)
def test_simulation_agrees_with_enumeration(name):
    exact = exact_oc(plan(name), SCENARIO)
    found = simulate_oc(plan(name), SCENARIO, trials=20_000, seed=3)
    for field in ("prob_select", "prob_none", "mean_n", "mean_dlt", "mean_total_n", "prob_overdose_60"):
        error = np.asarray(found.standard_error[field])
        gap = np.abs(np.asarray(getattr(found, field)) - np.asarray(getattr(exact, field)))
        # 4.5 standard errors over some 60 comparisons; the seed is fixed
        assert np.all(gap <= 4.5 * error + 1e-12), (field, gap / error)


def test_same_seed_same_numbers_whatever_the_workers():
    one = simulate_oc(plan("boin"), SCENARIO, trials=10_000, seed=9, workers=1)
    two = simulate_oc(plan("boin"), SCENARIO, trials=10_000, seed=9, workers=3)
    assert one.to_dict() == two.to_dict()
    other = simulate_oc(plan("boin"), SCENARIO, trials=10_000, seed=10)
    assert one.to_dict() != other.to_dict()


def test_designs_meet_the_same_patients():
    short, long = draw_uniforms(5, 2, 10, 100), draw_uniforms(5, 2, 30, BLOCK)
    np.testing.assert_array_equal(short, long[:10, :100])


def test_compiled_trials_equal_plain_trials():
    design = plan("boin")
    uniforms = draw_uniforms(1, 0, 24, 500)
    walked = simulate_trials(design, np.array(SCENARIO), uniforms)
    # a titrated plan never takes the compiled walk; a masking guard that never binds forces the plain one
    idle = [{"kind": "overdose_control", "limit": 0.999, "certainty": 0.999}]
    plain = simulate_trials(
        design.model_copy(update={"guards": with_guards(idle)}), np.array(SCENARIO), uniforms
    )
    for field in ("n", "y", "mtd"):
        np.testing.assert_array_equal(getattr(walked, field), getattr(plain, field))


def with_guards(guards):
    return EscalationPlan.model_validate({"levels": 4, **PLANS["boin"], "guards": guards}).guards


@pytest.mark.parametrize(
    ("change", "message"),
    [({"trials": 0}, "trials"), ({"seed": -1}, "seed"), ({"prob_tox": [0.1]}, "prob_tox")],
)
def test_bad_input(change, message):
    with pytest.raises(ValueError, match=message):
        simulate_oc(**{"plan": plan("boin"), "prob_tox": SCENARIO, **change})
