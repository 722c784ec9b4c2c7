"""Beta-binomial monitoring: boundaries, several rules, refusals."""

import json

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from escalon.design.expansion import (
    Monitor,
    MonitoringRule,
    independent_cells,
    monitor_oc,
    monitoring_oc,
    prob_rate_above,
    stopping_boundaries,
)

DLT = MonitoringRule("DLT", "toxicity", 0.25, 0.95)
GVHD = MonitoringRule("GvHD", "toxicity", 0.15, 0.9, prior=(0.5, 0.5))
DEATH = MonitoringRule("death", "toxicity", 0.05, 0.8, prior=(0.1, 1.9), min_n=3)
ORR = MonitoringRule("low ORR", "futility", 0.2, 0.95, endpoint="ORR")
ORR_HIGH = MonitoringRule("high ORR", "efficacy", 0.4, 0.95, endpoint="ORR")
LOOKS = (3, 6, 9, 12, 16)


@given(
    kind=st.sampled_from(["toxicity", "futility", "efficacy"]),
    limit=st.floats(0.05, 0.9),
    certainty=st.floats(0.5, 0.99),
    a=st.floats(0.1, 3),
    b=st.floats(0.1, 3),
    n=st.integers(1, 25),
)
@settings(max_examples=80, deadline=None)
def test_boundary_is_where_the_probability_crosses(kind, limit, certainty, a, b, n):
    best = 1 if kind == "futility" else 0
    above = prob_rate_above(1, best, limit, (a, b))
    assume(
        (1 - above if kind == "futility" else above) < certainty - 1e-12
    )  # else refused: the prior alone stops
    rule = MonitoringRule("r", kind, limit, certainty, (a, b))
    count = rule.boundary(n)
    for y in range(n + 1):
        above = prob_rate_above(n, y, limit, (a, b))
        probability = 1 - above if kind == "futility" else above
        assume(abs(probability - certainty) > 1e-12)  # 1 - above is not exact
        stops = count is not None and (y <= count if kind == "futility" else y >= count)
        assert stops == (probability > certainty)


def test_stops_only_from_min_n():
    assert DEATH.boundary(2) is None
    assert DEATH.boundary(3) == 1
    assert stopping_boundaries([DLT, ORR], (3, 9)) == {"DLT": (3, 5), "low ORR": (None, None)}
    assert ORR.boundary(12) is None
    assert ORR.boundary(13) == 0  # 1 - 0.8^14 = 0.956


@given(rates=st.fixed_dictionaries({"DLT": st.floats(0, 1), "GvHD": st.floats(0, 1), "ORR": st.floats(0, 1)}))
@settings(max_examples=25, deadline=None)
def test_independent_endpoints_agree_with_the_joint_recursion(rates):
    rules = [DLT, GVHD, ORR, ORR_HIGH]
    apart = monitoring_oc(rules, LOOKS, rates)
    together = monitoring_oc(rules, LOOKS, rates, independent_cells(list(rates.values())))
    np.testing.assert_allclose(apart.prob_stop, together.prob_stop, rtol=0, atol=1e-12)
    assert apart.mean_n == pytest.approx(together.mean_n, abs=1e-11)
    for name, chance in apart.prob_fired.items():
        assert chance == pytest.approx(together.prob_fired[name], abs=1e-12)
    assert sum(apart.n_distribution.values()) == pytest.approx(1, abs=1e-12)
    assert (
        max(apart.prob_fired.values())
        <= apart.prob_any_stop + 1e-12
        <= sum(apart.prob_fired.values()) + 1e-11
    )


def test_more_rules_stop_more():
    rates = {"DLT": 0.25, "GvHD": 0.15, "death": 0.05}
    chances = [
        monitoring_oc(rules, LOOKS, rates).prob_any_stop for rules in ([DLT], [DLT, GVHD], [DLT, GVHD, DEATH])
    ]
    assert chances == sorted(chances)
    assert chances[0] < chances[2]


def test_association_changes_the_chance_of_a_stop():
    rates = {"DLT": 0.25, "GvHD": 0.15}
    linked = np.array([[0.75, 0.0], [0.10, 0.15]])  # GvHD only together with a DLT
    apart = monitoring_oc([DLT, GVHD], LOOKS, rates)
    found = monitoring_oc([DLT, GVHD], LOOKS, rates, linked)
    assert found.prob_any_stop < apart.prob_any_stop
    assert found.mean_events == {"DLT": 0.25 * found.mean_n, "GvHD": 0.15 * found.mean_n}


def test_certain_and_impossible_events():
    never = monitoring_oc([DLT], LOOKS, {"DLT": 0.0})
    assert never.prob_any_stop == 0
    assert never.n_distribution[16] == 1
    always = monitoring_oc([DLT], LOOKS, {"DLT": 1.0})
    assert always.prob_stop == (1, 0, 0, 0, 0)
    assert always.mean_n == 3
    assert json.dumps(always.to_dict())


def test_counts_given_directly():
    looks = (3, 6, 9, 12, 16)
    high = tuple(DLT.boundary(n) for n in looks)
    found = monitor_oc(Monitor(looks, (-1,) * 5, high), 0.3)
    expected = monitoring_oc([DLT], looks, {"DLT": 0.3})
    np.testing.assert_allclose(found.stop_high, expected.prob_stop, rtol=0, atol=1e-13)
    assert found.mean_n == pytest.approx(expected.mean_n, abs=1e-12)
    assert found.prob_low == 0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: MonitoringRule("r", "safety", 0.2, 0.9), "kind: got 'safety'"),
        (lambda: MonitoringRule("GvHD", "toxicity", 1.0, 0.9), "GvHD.limit: got 1.0"),
        (lambda: MonitoringRule("GvHD", "toxicity", 0.2, 95), "GvHD.certainty: got 95"),
        (lambda: MonitoringRule("r", "toxicity", 0.2, 0.9, (1, -1)), "r.prior: got \\(1, -1\\)"),
        (
            lambda: MonitoringRule("death", "toxicity", 0.05, 0.8),
            "stops after 0 events in 1 patients, on its prior",
        ),
        (lambda: prob_rate_above(3, 4, 0.25), "y: got 4; must be at most n = 3"),
        (lambda: prob_rate_above(3, -1, 0.25), "y: got -1; must be at least 0"),
        (lambda: monitoring_oc([], LOOKS, {}), "rules: got none"),
        (lambda: monitoring_oc([DLT, DLT], LOOKS, {"DLT": 0.2}), "two rules are called 'DLT'"),
        (lambda: monitoring_oc([ORR], LOOKS, {"DLT": 0.2}), "no rate for 'ORR'; given are DLT"),
        (lambda: monitoring_oc([DLT], LOOKS, {"DLT": 1.2}), "rates\\[DLT\\]: got 1.2"),
        (lambda: monitoring_oc([DLT], (3, 2), {"DLT": 0.2}), "looks\\[1\\]: got 2 after 3"),
        (lambda: monitoring_oc([DLT], LOOKS, {"DLT": 0.2}, np.ones(3) / 3), "cells: shape \\(2,\\) expected"),
        (lambda: monitoring_oc([DLT], LOOKS, {"DLT": 0.2}, np.array([0.7, 0.2])), "add up to 1"),
        (lambda: monitoring_oc([DLT], LOOKS, {"DLT": 0.2}, np.array([0.7, 0.3])), "give DLT the rate 0.3"),
        (lambda: Monitor((3, 6), (-1,), (3, 4)), "one entry per look"),
        (lambda: Monitor((3,), (2,), (2,)), "must exceed stop_le = 2"),
    ],
)
def test_impossible_monitoring_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
