from itertools import product
from math import comb

import numpy as np
import pytest

from escalon.design import EscalationPlan, enumerate_plan
from escalon.design.expansion.joint import joint_oc
from escalon.design.expansion.monitoring import Monitor, bop2_bounds, monitor_oc, toxicity_bounds
from escalon.design.expansion.predictive import predictive_probability
from escalon.design.expansion.simon import TwoStageDesign, find_simon_designs


def test_reject_probability_by_brute_force():
    for p in (0.1, 0.35, 0.8):
        chance = sum(
            comb(6, a) * p**a * (1 - p) ** (6 - a) * comb(9, b) * p**b * (1 - p) ** (9 - b)
            for a, b in product(range(7), range(10))
            if a > 1 and a + b > 4
        )
        assert TwoStageDesign(1, 6, 4, 15).prob_reject(p) == pytest.approx(chance, abs=1e-14)


def test_admissible_designs_run_from_minimax_to_optimal():
    designs = find_simon_designs(0.2, 0.4, 0.05, 0.2)
    assert designs.admissible[0].n == designs.minimax.n
    assert designs.admissible[-1].n == designs.optimal.n
    for weight in np.linspace(0, 1, 21):
        best = min(designs.admissible, key=lambda d, w=weight: w * d.n + (1 - w) * d.en0)
        assert best.type1 <= 0.05
        assert best.power >= 0.8


def test_monitor_by_brute_force():
    monitor = bop2_bounds(0.3, [3, 6, 8], 0.7, 1.0)
    p = 0.45
    low = high = mean = 0.0
    for outcome in product((0, 1), repeat=8):
        chance = p ** sum(outcome) * (1 - p) ** (8 - sum(outcome))
        for i, look in enumerate(monitor.looks):
            count = sum(outcome[:look])
            if count <= monitor.stop_le[i] or count >= monitor.stop_ge[i] or look == 8:
                low += chance * (count <= monitor.stop_le[i])
                high += chance * (count >= monitor.stop_ge[i])
                mean += chance * look
                break
    found = monitor_oc(monitor, p)
    assert (found.prob_low, found.prob_high, found.mean_n) == pytest.approx((low, high, mean), abs=1e-13)


def test_toxicity_bounds_stop_at_the_first_crossing():
    # Beta(1, 1): P(p > 0.3 | 2 of 3) = 0.9163, P(p > 0.3 | 3 of 3) = 0.9919
    assert toxicity_bounds(0.3, 0.95, [3]).stop_ge == (3,)
    assert toxicity_bounds(0.3, 0.90, [3]).stop_ge == (2,)


def test_predictive_probability_at_the_end_is_the_verdict():
    assert predictive_probability(30, 40, 40, 0.6, 0.9) == 1
    assert predictive_probability(24, 40, 40, 0.6, 0.9) == 0
    with pytest.raises(ValueError, match="0 <= x <= n <= total"):
        predictive_probability(5, 4, 10, 0.5, 0.9)


PLAN = EscalationPlan.model_validate(
    {"rule": {"kind": "boin", "target": 0.3}, "levels": 2, "cohort_size": 3, "max_patients": 6}
)


def test_joint_toxicity_monitoring_by_brute_force():
    p = [0.2, 0.45]
    ends = enumerate_plan(PLAN)
    monitor = Monitor((6, 8), (-1, -1), (3, 4))
    found = joint_oc(ends, p, toxicity=monitor)
    weight = ends.probabilities(p)
    toxic = np.zeros(2)
    for n, y, mtd, w in zip(ends.n, ends.y, ends.mtd, weight, strict=True):
        if mtd < 0:
            continue
        start, dlts, rate = int(n[mtd]), int(y[mtd]), p[mtd]
        for more in product((0, 1), repeat=8 - start):
            chance = w * rate ** sum(more) * (1 - rate) ** (len(more) - sum(more))
            at_six = dlts + sum(more[: 6 - start]) >= 3
            toxic[mtd] += chance * (at_six or dlts + sum(more) >= 4)
    np.testing.assert_allclose(found.prob_too_toxic, toxic, rtol=0, atol=1e-14)
    assert found.prob_none + found.prob_select.sum() == pytest.approx(1, abs=1e-13)


def test_joint_response_without_carrying_is_a_product():
    p, response = [0.2, 0.45], [0.3, 0.6]
    ends = enumerate_plan(PLAN)
    monitor = bop2_bounds(0.2, [10, 20], 0.8, 1.0)
    found = joint_oc(ends, p, response=monitor, prob_response=response, carry=False)
    select = ends.oc(p).prob_select
    expected = [select[j] * monitor_oc(monitor, response[j]).prob_high for j in range(2)]
    np.testing.assert_allclose(found.prob_effective, expected, rtol=0, atol=1e-14)
    carried = joint_oc(ends, p, response=monitor, prob_response=response)
    assert carried.mean_total_n < found.mean_total_n
    with pytest.raises(ValueError, match="needs prob_response"):
        joint_oc(ends, p, response=monitor)
    with pytest.raises(ValueError, match="either"):
        joint_oc(ends, p)
