"""Two-stage designs and their inference against enumeration of every trial."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalon.design.expansion import TwoStageDesign, find_simon_designs, infer_two_stage
from tests.reference import expansion_naive as naive


@pytest.mark.parametrize(
    "setting", [(0.1, 0.5, 0.1, 0.2), (0.2, 0.6, 0.1, 0.1), (0.3, 0.8, 0.05, 0.2), (0.05, 0.4, 0.05, 0.1)]
)
def test_search_equals_trying_every_design(setting):
    every = naive.simon_every_design(*setting, nmax=22)
    found = find_simon_designs(*setting, nmax=22)
    least_n = min(n for n, *_ in every)
    minimax = min((en0, r, r1, n1) for n, en0, r1, n1, r in every if n == least_n)
    optimal = min((en0, n, r) for n, en0, _, _, r in every)
    assert found.minimax.n == least_n
    assert found.minimax.en0 == pytest.approx(minimax[0], abs=1e-12)
    assert found.optimal.en0 == pytest.approx(optimal[0], abs=1e-12)
    assert found.optimal.n == optimal[1]
    # q n + (1 - q) EN0 is least at the admissible design whose weights hold q
    for design in found.admissible:
        low, high = design.q
        for q in (low, (low + high) / 2, high):
            least = min(q * n + (1 - q) * en0 for n, en0, *_ in every)
            assert q * design.n + (1 - q) * design.en0 == pytest.approx(least, abs=1e-12)


@given(
    p0=st.floats(0.05, 0.5), gap=st.floats(0.3, 0.45), alpha=st.floats(0.05, 0.2), beta=st.floats(0.1, 0.3)
)
@settings(max_examples=15, deadline=None)
def test_search_leaves_no_design_out(p0, gap, alpha, beta):
    best = naive.simon_best_by_size(p0, p0 + gap, alpha, beta, nmax=26)
    try:
        found = {
            design.n: design.en0 for design in find_simon_designs(p0, p0 + gap, alpha, beta, nmax=26).best
        }
    except ValueError:
        found = {}
    least = float("inf")
    for n, en0 in best.items():
        if en0 < least - 1e-12:
            assert found.pop(n) == pytest.approx(en0, abs=1e-11)
            least = en0
    assert not found


@st.composite
def designs(draw, most=30):
    n = draw(st.integers(2, most))
    n1 = draw(st.integers(1, n - 1))
    r1 = draw(st.integers(0, n1 - 1))
    return TwoStageDesign(r1, n1, draw(st.integers(r1, n - 1)), n)


@given(design=designs(), p=st.floats(0, 1))
@settings(max_examples=100, deadline=None)
def test_characteristics(design, p):
    ends = naive.two_stage_probabilities(design.r1, design.n1, design.n, p)
    assert design.prob_reject(p) == pytest.approx(
        sum(q for (stage, x), q in ends.items() if stage == 2 and x > design.r), abs=1e-12
    )
    pet = sum(q for (stage, _), q in ends.items() if stage == 1)
    assert design.prob_early_stop(p) == pytest.approx(pet, abs=1e-12)
    assert design.mean_n(p) == pytest.approx(design.n1 + (1 - pet) * (design.n - design.n1), abs=1e-10)


@given(design=designs(), p=st.floats(0.02, 0.98))
@settings(max_examples=60, deadline=None)
def test_estimate_is_unbiased(design, p):
    ends = naive.two_stage_probabilities(design.r1, design.n1, design.n, p)
    mean = sum(
        q * infer_two_stage(design, x, design.n1 if stage == 1 else design.n, 0.2).estimate
        for (stage, x), q in ends.items()
    )
    assert mean == pytest.approx(p, abs=1e-10)


@given(design=designs(most=9))
@settings(max_examples=20, deadline=None)
def test_estimate_is_the_conditional_mean_of_one_patient(design):
    for stage, x in naive.two_stage_results(design.r1, design.n1, design.n):
        patients = design.n1 if stage == 1 else design.n
        expected = naive.umvue_by_conditioning(design.r1, design.n1, design.n, stage, x)
        assert infer_two_stage(design, x, patients, 0.2).estimate == pytest.approx(expected, abs=1e-13)


@given(design=designs(most=20), p=st.floats(0.05, 0.95), tail=st.sampled_from([0.025, 0.05, 0.1]))
@settings(max_examples=40, deadline=None)
def test_p_value_and_coverage(design, p, tail):
    ends = naive.two_stage_probabilities(design.r1, design.n1, design.n, p)
    covered = 0.0
    for (stage, x), q in ends.items():
        found = infer_two_stage(design, x, design.n1 if stage == 1 else design.n, p, tail)
        as_high = sum(v for end, v in ends.items() if end >= (stage, x))
        assert found.p_value == pytest.approx(as_high, abs=1e-12)
        covered += q * (found.lower <= p <= found.upper)
    assert covered >= 1 - 2 * tail - 1e-12
