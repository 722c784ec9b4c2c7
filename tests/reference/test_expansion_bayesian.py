"""Bayesian expansion designs and the joint characteristics against enumeration of every trial."""

from functools import cache

import numpy as np
import pytest

from escalon.design import EscalationPlan, enumerate_plan
from escalon.design.expansion import (
    Bop2Design,
    ExpansionPlan,
    MonitoringRule,
    joint_oc,
    monitoring_oc,
    predictive_probability,
    prob_rate_above,
)
from tests.reference import expansion_naive as naive


@pytest.mark.parametrize(
    ("n", "y", "limit", "prior"), [(6, 4, 0.25, (1, 1)), (9, 0, 0.1, (0.2, 0.8)), (3, 3, 0.6, (2, 3))]
)
def test_posterior(n, y, limit, prior):
    expected = naive.beta_above(limit, prior[0] + y, prior[1] + n - y)
    assert prob_rate_above(n, y, limit, prior) == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize(
    ("kind", "null", "truth", "looks", "parameters"),
    [
        ("binary", (0.3,), (0.45,), (3, 6, 9), (0.7, 1.0, 1.5)),
        ("nested", (0.15, 0.15, 0.7), (0.3, 0.2, 0.5), (3, 5, 8), (0.8, 0.3, 2.0)),
        ("co_primary", (0.1, 0.1, 0.2, 0.6), (0.2, 0.2, 0.1, 0.5), (2, 4, 6), (0.7, 0.8, 1.0)),
        ("efficacy_toxicity", (0.15, 0.3, 0.15, 0.4), (0.1, 0.6, 0.05, 0.25), (2, 4, 6), (0.5, 0.8, 0.9)),
    ],
)
def test_bop2(kind, null, truth, looks, parameters):
    found = Bop2Design(kind, null, looks, *parameters).oc(truth)
    success, futility, size = naive.bop2_story(kind, null, looks, *parameters, truth)
    assert found.prob_success == pytest.approx(success, abs=1e-12)
    assert sum(found.prob_futility) == pytest.approx(futility, abs=1e-12)
    assert found.mean_n == pytest.approx(size, abs=1e-11)
    assert 0 < found.prob_early_stop < 1


@pytest.mark.parametrize(("x", "n"), [(0, 0), (2, 5), (4, 8), (7, 10)])
def test_predictive_probability(x, n):
    expected = naive.predictive_by_drawing(x, n, 14, 0.35, 0.8, 0.6, 0.9)
    assert predictive_probability(x, n, 14, 0.35, 0.8, 0.6, 0.9) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("associated", [False, True])
def test_monitoring_of_three_rules(associated):
    rules = [
        MonitoringRule("DLT", "toxicity", 0.3, 0.8),
        MonitoringRule("low", "futility", 0.5, 0.85, (0.5, 0.5), endpoint="ORR"),
        MonitoringRule("high", "efficacy", 0.4, 0.9, endpoint="ORR"),
    ]
    plain = [
        (0, "toxicity", 0.3, 0.8, 1, 1),
        (1, "futility", 0.5, 0.85, 0.5, 0.5),
        (1, "efficacy", 0.4, 0.9, 1, 1),
    ]
    looks = (2, 3, 5, 7)
    cells = np.array([[0.35, 0.35], [0.25, 0.05]]) if associated else np.outer([0.7, 0.3], [0.6, 0.4])
    found = monitoring_oc(rules, looks, {"DLT": 0.3, "ORR": 0.4}, cells if associated else None)
    stop, fired = naive.monitoring_story(plain, looks, {move: cells[move] for move in np.ndindex(2, 2)})
    np.testing.assert_allclose(found.prob_stop, stop, rtol=0, atol=1e-13)
    np.testing.assert_allclose(list(found.prob_fired.values()), fired, rtol=0, atol=1e-13)
    assert found.mean_n == pytest.approx(
        sum(n * p for n, p in zip(looks, stop, strict=True)) + looks[-1] * (1 - sum(stop)), abs=1e-12
    )


PLAN = EscalationPlan.model_validate(
    {"rule": {"kind": "boin", "target": 0.3}, "levels": 2, "cohort_size": 2, "max_patients": 6}
)
TOXIC = MonitoringRule("DLT", "toxicity", 0.3, 0.7)
LOW = MonitoringRule("low", "futility", 0.4, 0.7, min_n=3)
HIGH = MonitoringRule("high", "efficacy", 0.3, 0.8, min_n=3)


@cache
def above(n, y, limit):
    return naive.beta_above(limit, 1 + y, 1 + n - y)


def reason_of(n, y, x, last, early):
    if n >= 1 and above(n, y, 0.3) > 0.7:
        return "toxic"
    if n >= 3 and above(n, x, 0.3) > 0.8 and (last or early):
        return "success"
    if n >= 3 and 1 - above(n, x, 0.4) > 0.7:
        return "futile"
    return "complete" if last else None


@pytest.mark.parametrize("carry", [True, False])
@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize("odds", [1.0, 4.0])
def test_joint_characteristics(carry, early, odds):
    p, q, further = [0.2, 0.45], [0.3, 0.6], (2, 4)
    found = enumerate_plan(PLAN)
    plan = ExpansionPlan(4, TOXIC, LOW, HIGH, further, carry, success_early=early)
    answer = joint_oc(found, plan, p, q, odds)
    ends = zip(found.n.tolist(), found.y.tolist(), found.mtd.tolist(), found.probabilities(p), strict=True)
    reasons, sizes, closed = naive.joint_story(
        ends,
        further,
        [naive.fourfold(p[j], q[j], odds) for j in range(2)],
        lambda n, y, x, last: reason_of(n, y, x, last, early),
        carry,
    )
    for name, values in (
        ("toxic", answer.prob_stop_toxicity),
        ("futile", answer.prob_stop_futility),
        ("success", answer.prob_success),
        ("complete", answer.prob_complete),
    ):
        expected = [reasons.get((j, name), 0.0) for j in range(2)]
        np.testing.assert_allclose(values, expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(
        answer.prob_not_opened, [closed.get(j, 0.0) for j in range(2)], rtol=0, atol=1e-12
    )
    assert answer.prob_none == pytest.approx(reasons[-1, "none"], abs=1e-13)
    for n in set(sizes) | set(answer.n_distribution):
        assert answer.n_distribution.get(n, 0.0) == pytest.approx(sizes.get(n, 0.0), abs=1e-12)
    assert min(answer.prob_stop_toxicity.sum(), answer.prob_success.sum()) > 0.01
