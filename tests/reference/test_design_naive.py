"""The package against naive second implementations."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalon.design import EscalationPlan, decision_table, exact_oc, select_mtd
from tests.reference import naive_design as naive


def mtpi(target=0.3, e1=0.05, e2=0.05, levels=3, total=15) -> EscalationPlan:
    rule = {"kind": "mtpi", "target": target, "epsilon_1": e1, "epsilon_2": e2}
    return EscalationPlan.model_validate(
        {"rule": rule, "levels": levels, "cohort_size": 3, "max_patients": total}
    )


@pytest.mark.parametrize("variant", ["A", "B", "C"])
@pytest.mark.parametrize("prob_tox", [[0.1, 0.25, 0.4], [0.3, 0.31, 0.7, 0.9], [0.0, 0.5, 1.0]])
def test_three_plus_three(variant, prob_tox):
    plan = EscalationPlan.model_validate(
        {"rule": {"kind": "three_plus_three", "variant": variant}, "levels": len(prob_tox)}
    )
    oc = exact_oc(plan, prob_tox)
    expected = naive.ThreePlusThreeStory(variant, len(prob_tox), prob_tox).select
    levels = [None, *range(1, len(prob_tox) + 1)]
    np.testing.assert_allclose(
        [oc.prob_none, *oc.prob_select], [expected.get(level, 0.0) for level in levels], rtol=0, atol=1e-13
    )


@given(
    target=st.floats(0.12, 0.5),
    e1=st.floats(0.01, 0.1),
    e2=st.floats(0.01, 0.1),
    n=st.integers(1, 20),
    data=st.data(),
)
@settings(max_examples=200, deadline=None)
def test_mtpi_letter(target, e1, e2, n, data):
    y = data.draw(st.integers(0, n))
    plan = mtpi(target, e1, e2, total=21)
    assert decision_table(plan, n).decisions[n][y] == naive.mtpi_letter(n, y, target, e1, e2, 0.95)


@pytest.mark.parametrize("prob_tox", [[0.05, 0.3, 0.5], [0.4, 0.5, 0.6], [0.02, 0.05, 0.1]])
def test_mtpi_exact_equals_every_path(prob_tox):
    select, mean_n = naive.mtpi_trial(3, 3, 15, 0.3, 0.05, 0.05, 0.95, prob_tox)
    oc = exact_oc(mtpi(), prob_tox)
    np.testing.assert_allclose(
        [oc.prob_none, *oc.prob_select], [select.get(k, 0.0) for k in (None, 1, 2, 3)], rtol=0, atol=1e-13
    )
    np.testing.assert_allclose(oc.mean_n, mean_n, rtol=0, atol=1e-12)


@given(
    st.lists(
        st.integers(0, 9).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), min_size=3, max_size=3
    )
)
@settings(max_examples=300, deadline=None)
def test_mtpi_mtd(counts):
    n, y = [c[0] for c in counts], [c[1] for c in counts]
    assert select_mtd(mtpi(total=30), n, y) == naive.mtpi_mtd(n, y, 0.3, 0.95)


def interval(kind, target, **more) -> EscalationPlan:
    return EscalationPlan.model_validate(
        {"rule": {"kind": kind, "target": target, **more}, "levels": 3, "cohort_size": 3, "max_patients": 30}
    )


@given(target=st.floats(0.1, 0.5), n=st.integers(1, 24), data=st.data())
@settings(max_examples=200, deadline=None)
def test_boin_boundaries_are_the_likelihood_crossings(target, n, data):
    y = data.draw(st.integers(0, n))
    move = interval("boin", target, elimination=1.0).rule.letter(n, y)
    assert move == naive.boin_letter(n, y, target)


@given(target=st.floats(0.1, 0.5), half=st.floats(0.02, 0.09), n=st.integers(1, 20), data=st.data())
@settings(max_examples=200, deadline=None)
def test_keys(target, half, n, data):
    y = data.draw(st.integers(0, n))
    keyboard = interval("keyboard", target, half_width=half, elimination=1.0).rule.letter(n, y)
    mtpi2 = interval("mtpi2", target, epsilon_1=half, epsilon_2=half, elimination=1.0).rule.letter(n, y)
    assert keyboard == naive.key_letter(n, y, target - half, target + half, highest=True)
    assert mtpi2 == naive.key_letter(n, y, target - half, target + half, highest=False)


@pytest.mark.parametrize("percent", [15, 20, 25, 30, 33, 40])
def test_i3_plus_3_at_interval_ends_in_exact_fractions(percent):
    rule = interval("i3_plus_3", percent / 100, elimination=1.0).rule
    target, half = Fraction(percent, 100), Fraction(1, 20)
    for n in range(1, 31):
        found = [rule.letter(n, y) for y in range(n + 1)]
        assert found == [naive.i3_letter(n, y, target, half, half) for y in range(n + 1)]
