import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from escalon.design import EscalationPlan, enumerate_plan, exact_oc, select_mtd, simulate_oc
from escalon.design.exact import PlanTooLargeError
from escalon.design.rules.blrm_combination import _model
from escalon.design.rules.blrm_combination_posterior import Resolution, fit_combination
from tests.unit.design.monte_carlo import flat, numbers


def plan(total=12, size=3, guards=(), levels=None, titration=False, **rule):
    content = {
        "kind": "blrm_combination",
        "doses_a": (10, 20),
        "doses_b": (50, 100),
        "ref_dose_a": 20,
        "ref_dose_b": 100,
        "prior_mean_a": (-2.2, 0),
        "prior_mean_b": (-2.2, 0),
        "prior_sd_a": (1.5, 0.7),
        "prior_sd_b": (1.5, 0.7),
        "prior_interaction": (0, 0.7),
        **rule,
    }
    count = len(content["doses_a"]) * len(content["doses_b"])
    return EscalationPlan.model_validate(
        {
            "rule": content,
            "levels": levels or count,
            "cohort_size": size,
            "max_patients": total,
            "guards": list(guards),
            "titration": titration,
        }
    )


def test_recommendation_says_why():
    answer = plan().recommend("1NNN")
    assert answer.action == "escalate"
    assert answer.level in (2, 3)
    text = " ".join(answer.reasons)
    assert "Two-agent BLRM: P(DLT probability in (0.20, 0.35]) / P(above 0.35): level 1 (A1 with B1)" in text
    assert "level 4" not in text  # both agents up is out of reach
    assert 4 not in answer.admissible
    assert answer.estimates[0].estimate < answer.estimates[3].estimate


def test_toxicity_leads_down_and_out():
    up = plan(total=30).recommend("1NNN 2NNN")
    down = plan(total=30).recommend("1NNN 2NTT")
    assert up.level > down.level
    stopped = plan(total=30).recommend("1TTT")
    assert (stopped.action, stopped.mtd) == ("stop", None)


def test_equal_agents_are_exchangeable():
    rule = plan(doses_b=(10, 20), ref_dose_b=20).rule
    one = rule.posterior(np.array([3, 3, 0, 0]), np.array([0, 1, 0, 0]))
    two = rule.posterior(np.array([3, 0, 3, 0]), np.array([0, 0, 1, 0]))
    order = [0, 2, 1, 3]
    np.testing.assert_allclose(one.prob_tox[order], two.prob_tox, rtol=0, atol=1e-4)
    np.testing.assert_allclose(one.above[:, order], two.above, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    "counts", [([3, 6, 3, 0], [0, 2, 1, 0]), ([12, 0, 0, 12], [0, 0, 0, 6]), ([0, 0, 0, 0], [0] * 4)]
)
def test_stated_accuracy(counts):
    model, (n, y) = _model(plan().rule), (np.array(part) for part in counts)
    plain, fine = (
        fit_combination(model, n, y, (0.2, 0.35), (0, 1, 3), resolution)
        for resolution in (Resolution(), Resolution(outer=0.7, radius=4.9, inner=0.35, reach=7))
    )
    seen = [0, 1, 3]
    np.testing.assert_allclose(plain.prob_tox[seen], fine.prob_tox[seen], rtol=0, atol=1e-3)
    np.testing.assert_allclose(plain.above[:, seen], fine.above[:, seen], rtol=0, atol=1e-3)


@given(
    st.lists(
        st.integers(0, 6).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), min_size=4, max_size=4
    )
)
@settings(max_examples=5, deadline=None)
def test_posterior_is_sane(counts):
    n, y = (np.array([count[i] for count in counts]) for i in (0, 1))
    levels = np.array([0, 3])
    found = plan().rule.posterior(n, y, levels)
    assert np.all((found.prob_tox[levels] > 0) & (found.prob_tox[levels] < 1))
    assert np.all(found.above[0, levels] >= found.above[1, levels])
    toxic = np.array([3, 0, 0, 0])
    more = plan().rule.posterior(n + toxic, y + toxic, levels[:1])
    assert more.prob_tox[0] > found.prob_tox[0] - 1e-3


def test_simulation_agrees_with_enumeration():
    design = plan(total=4, size=2)
    truth = [0.1, 0.25, 0.25, 0.45]
    exact = exact_oc(design, truth)
    found = simulate_oc(design, truth, trials=10_000, seed=3)
    for name, error in found.standard_error.items():
        gap = np.abs(numbers(found, name) - numbers(exact, name))
        # 4.5 standard errors over some 40 comparisons; the seed is fixed
        assert np.all(gap <= 4.5 * flat(error, found, exact) + 1e-12), name
    assert found.to_dict() == simulate_oc(design, truth, trials=10_000, seed=3, workers=2).to_dict()


def test_too_large_to_enumerate():
    with pytest.raises(PlanTooLargeError, match="use simulation"):
        enumerate_plan(plan(total=6, size=2), max_states=1)


def test_intervals_of_treated_and_untried_levels():
    """Against quantiles found by bisection of the posterior probability itself."""
    rule, n, y = plan().rule, np.array([3, 6, 0, 0]), np.array([0, 2, 0, 0])
    rows = rule.estimates(n, y)
    assert rows[0].upper < rows[2].upper < rows[3].upper
    for row, end, q in ((rows[1], rows[1].upper, 0.975), (rows[3], rows[3].lower, 0.025)):
        low, high = 0.0, 1.0
        for _ in range(9):
            middle = (low + high) / 2
            above = fit_combination(_model(rule), n, y, (middle,), (row.level - 1,), Resolution()).above[
                0, row.level - 1
            ]
            low, high = (middle, high) if above > 1 - q else (low, middle)
        assert end == pytest.approx(middle, abs=0.01)
        assert row.lower < row.estimate < row.upper


def test_selection():
    assert select_mtd(plan(), [3, 6, 3, 0], [0, 1, 0, 0]) in (2, 3)
    assert select_mtd(plan(), [3, 0, 0, 0], [3, 0, 0, 0]) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"doses_a": (20, 10)}, "doses_a: doses must be above 0 and increase"),
        ({"doses_b": (0, 10)}, "doses_b"),
        ({"levels": 3}, "levels: 2 x 2 combinations make 4"),
        ({"rows": 3}, "rows: 2 doses are given in doses_a; got 3"),
        ({"prior_sd_a": (0, 1)}, "prior_sd_a"),
        ({"prior_interaction": (0, 0)}, "prior_interaction"),
        ({"target_interval": (0.4, 0.3)}, "target_interval"),
        ({"guards": [{"kind": "coherent"}]}, "guards: coherent"),
        ({"titration": True}, "titration"),
    ],
)
def test_bad_plan_is_named(change, message):
    with pytest.raises(ValidationError, match=message):
        plan(**change)
