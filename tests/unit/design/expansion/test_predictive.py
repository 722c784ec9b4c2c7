"""Predictive probability: certainty at the end, martingale, refusals."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalon.design.expansion import (
    PredictiveDesign,
    find_predictive_design,
    posterior_probability,
    predictive,
    predictive_probability,
)


@given(n=st.integers(0, 39), p0=st.floats(0.1, 0.9), theta=st.floats(0.5, 0.99), data=st.data())
@settings(max_examples=60, deadline=None)
def test_one_more_patient_leaves_it_unchanged_on_average(n, p0, theta, data):
    x = data.draw(st.integers(0, n))
    a, b = 0.6, 0.4
    here = predictive_probability(x, n, 40, p0, theta, a, b)
    response = (a + x) / (a + b + n)
    after = response * predictive_probability(x + 1, n + 1, 40, p0, theta, a, b) + (
        1 - response
    ) * predictive_probability(x, n + 1, 40, p0, theta, a, b)
    assert here == pytest.approx(after, abs=1e-12)
    assert here <= predictive_probability(min(x + 1, n), n, 40, p0, theta, a, b) + 1e-12


def test_the_end_is_the_verdict():
    assert predictive_probability(30, 40, 40, 0.6, 0.9) == 1
    assert predictive_probability(24, 40, 40, 0.6, 0.9) == 0
    # certain before the end: exactly 1, so that theta_u = 1 never stops
    design = PredictiveDesign(0.2, (20, 40), 0.9, 0.05)
    assert predictive_probability(20, 20, 40, 0.2, 0.9) == 1
    assert design.efficacy == (None, design.needed)


def test_efficacy_stopping():
    design = PredictiveDesign(0.2, (10, 20, 30, 40), 0.9, 0.05, theta_u=0.99)
    for n, low, high in zip(design.looks, design.futility, design.efficacy, strict=True):
        counts = range(n + 1)
        values = [predictive_probability(x, n, 40, 0.2, 0.9, 0.2, 0.8) for x in counts]
        assert low == max((x for x in counts if values[x] < 0.05), default=None)
        assert high == min((x for x in counts if values[x] > 0.99), default=None)
    oc = design.oc(0.5)
    assert oc.prob_early_efficacy > 0.5
    assert sum(oc.prob_efficacy) + sum(oc.prob_futility) == pytest.approx(1, abs=1e-12)


def test_search_keeps_both_errors_and_is_smallest():
    found = find_predictive_design(0.2, 0.5, 0.1, 0.1, first_look=5, step=5)
    assert found.type1 <= 0.1
    assert found.power >= 0.9
    size = found.design.looks[-1]
    with pytest.raises(ValueError, match=f"at most {size - 1} patients"):
        find_predictive_design(0.2, 0.5, 0.1, 0.1, first_look=5, step=5, nmax=size - 1)
    # any theta_t of the interval gives the same boundaries
    low, high = found.theta_t_range
    for theta in (low, np.nextafter(high, 0)):
        again = PredictiveDesign(0.2, found.design.looks, theta, found.design.theta_l)
        assert (again.needed, again.futility) == (found.design.needed, found.design.futility)
    assert PredictiveDesign(0.2, found.design.looks, high, 0.01).needed == found.design.needed + 1
    assert json.dumps(found.to_dict())


def test_search_leaves_nothing_out(monkeypatch):
    # futility stopping brings the type I error of 4 of 16 responses below 0.05; without it 5 of 19 are needed
    setting = (0.1, 0.5, 0.05, 0.1)
    more = {"first_look": 4, "step": 3, "nmax": 16, "theta_l": (0.2,)}
    found = find_predictive_design(*setting, **more)
    assert (found.design.looks[-1], found.design.needed) == (16, 4)
    monkeypatch.setattr(predictive, "_plausible", lambda n, *_: range(1, n - 4))
    monkeypatch.setattr(predictive, "most_power", lambda *_: 1.0)
    assert find_predictive_design(*setting, **more) == found


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((0.0, (10,), 0.9, 0.1), "p0: got 0.0"),
        ((0.2, (10, 5), 0.9, 0.1), "looks\\[1\\]: got 5 after 10"),
        ((0.2, (10,), 1.0, 0.1), "theta_t: got 1.0"),
        ((0.2, (10,), 0.9, 0.5, 0.4), "theta_u: got 0.4; must exceed theta_l = 0.5"),
        ((0.2, (10,), 0.9, 0.1, 1.0, (0, 1)), "prior: got \\(0, 1\\)"),
    ],
)
def test_impossible_designs_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        PredictiveDesign(*arguments)


def test_impossible_counts_are_refused():
    with pytest.raises(ValueError, match="0 <= x <= n <= total"):
        predictive_probability(5, 4, 10, 0.5, 0.9)
    with pytest.raises(ValueError, match="x: got 5; must be at most n = 4"):
        posterior_probability(5, 4, 0.5)
    with pytest.raises(ValueError, match=r"n: got 4\.5; a whole number"):
        posterior_probability(1, 4.5, 0.5)
