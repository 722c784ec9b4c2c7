"""Simon designs: search, refusals, inference."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalon.design.expansion import (
    SimonDesign,
    TwoStageDesign,
    find_simon_designs,
    infer_two_stage,
    simon_answer,
)


@given(
    p0=st.floats(0.05, 0.5),
    gap=st.floats(0.2, 0.4),
    alpha=st.sampled_from([0.05, 0.1]),
    beta=st.sampled_from([0.1, 0.2]),
)
@settings(max_examples=30, deadline=None)
def test_designs_keep_their_promises(p0, gap, alpha, beta):
    found = find_simon_designs(p0, p0 + gap, alpha, beta, nmax=None)
    assert found.proven
    for design in found.best:
        assert design.type1 <= alpha + 1e-12
        assert design.power >= 1 - beta - 1e-12
    sizes = [design.n for design in found.best]
    means = [design.en0 for design in found.best]
    assert sizes == sorted(set(sizes))
    assert means == sorted(set(means), reverse=True)
    for design in found.admissible:
        low, high = design.q
        assert low < high
        for q in (low, (low + high) / 2, high):
            loss = q * design.n + (1 - q) * design.en0
            assert loss == pytest.approx(min(q * d.n + (1 - q) * d.en0 for d in found.best), abs=1e-10)
    assert found.admissible[0].n == found.minimax.n
    assert found.admissible[-1].n == found.optimal.n
    assert found.admissible[0].q[1] == 1
    assert found.admissible[-1].q[0] == 0


@pytest.mark.parametrize("setting", [(0.1, 0.3, 0.1, 0.1), (0.3, 0.5, 0.05, 0.2), (0.05, 0.25, 0.05, 0.1)])
def test_a_wider_search_finds_nothing_better(setting):
    found = find_simon_designs(*setting)
    assert found.optimal == find_simon_designs(*setting, nmax=150).optimal
    # within one patient less the optimum is another one
    assert find_simon_designs(*setting, nmax=found.optimal.n - 1).optimal.en0 > found.optimal.en0


def test_answer_is_plain():
    answer = simon_answer(0.2, 0.4, 0.05, 0.2)
    assert json.loads(json.dumps(answer)) == answer
    assert [design["n"] for design in answer["admissible"]] == [33, 38, 43]
    assert {"r1", "n1", "r", "n", "en0", "pet0"} <= set(answer["optimal"])


def test_search_is_fast():
    find_simon_designs(0.2, 0.4, 0.05, 0.2)
    start = time.process_time()
    find_simon_designs(0.2, 0.4, 0.05, 0.2)
    assert time.process_time() - start < 0.2  # about 0.02 s on an idle machine


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ((0.0, 0.4, 0.05, 0.2), "p0: got 0.0"),
        ((0.4, 0.4, 0.05, 0.2), "p1: got 0.4; must exceed p0 = 0.4"),
        ((0.2, 1.4, 0.05, 0.2), "p1: got 1.4"),
        ((0.2, 0.4, float("nan"), 0.2), "alpha: got nan"),
        ((0.2, 0.4, 0.5, 0.5), "alpha \\+ beta must stay below 1"),
        ((0.2, 0.21, 0.05, 0.2, None), "p1 is too close to p0"),
        ((0.2, 0.4, 0.05, 0.2, 20), "no two-stage design with n <= 20"),
        ((0.2, 0.4, 0.05, 0.2, 1), "nmax: got 1; must be at least 2"),
        ((0.2, 0.4, 0.05, "x"), "beta: got 'x'"),
    ],
)
def test_impossible_searches_are_refused(setting, words):
    with pytest.raises(ValueError, match=words):
        find_simon_designs(*setting)


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((3, 3, 5, 10), "r1: got 3; must be at most n1 - 1 = 2"),
        ((3, 13, 2, 43), "r: got 2"),
        ((0, 5, 1, 5), "n1"),
    ],
)
def test_impossible_designs_are_refused(numbers, words):
    with pytest.raises(ValueError, match=words):
        TwoStageDesign(*numbers)


DESIGN = TwoStageDesign(3, 13, 12, 43)


@pytest.mark.parametrize(
    ("responses", "patients", "words"),
    [
        (3, 20, "ends with n1 = 13 or n = 43"),
        (4, 13, "exceed r1 = 3; the trial goes on"),
        (3, 43, "reached with more than r1 = 3"),
        (44, 43, "responses: got 44; must be at most patients = 43"),
    ],
)
def test_impossible_results_are_refused(responses, patients, words):
    with pytest.raises(ValueError, match=words):
        infer_two_stage(DESIGN, responses, patients, 0.2)


def test_other_refusals_of_the_inference():
    with pytest.raises(ValueError, match=r"tail: got 0\.5"):
        infer_two_stage(DESIGN, 13, 43, 0.2, tail=0.5)
    with pytest.raises(ValueError, match="choose 'exact' or 'koyama_chen'"):
        infer_two_stage(DESIGN, 13, 43, 0.2, method="wald")
    with pytest.raises(ValueError, match="no limits after 0 responses"):
        infer_two_stage(DESIGN, 0, 13, 0.2, method="koyama_chen")


def test_interval_agrees_with_the_decision():
    design = find_simon_designs(0.2, 0.4, 0.05, 0.2).optimal
    assert isinstance(design, SimonDesign)
    for responses in range(4, 44):
        found = infer_two_stage(design, responses, 43, 0.2, tail=0.05)
        assert found.reject == (found.p_value <= 0.05) == (found.lower >= 0.2)
        shorter = infer_two_stage(design, responses, 43, 0.2, tail=0.05, method="koyama_chen")
        assert shorter.lower == found.lower
        assert shorter.upper <= found.upper
        assert found.lower < found.estimate < found.upper or responses == 43
