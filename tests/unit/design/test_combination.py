import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from escalon.design import EscalationPlan, enumerate_plan, exact_oc, select_mtd, simulate_oc
from tests.unit.design.monte_carlo import flat, numbers

TRUTH = [0.1, 0.2, 0.35, 0.2, 0.35, 0.55]


def plan(rows=2, columns=3, total=15, guards=(), levels=None, titration=False, **rule):
    return EscalationPlan.model_validate(
        {
            "rule": {"kind": "boin_combination", "target": 0.3, "rows": rows, "columns": columns, **rule},
            "levels": levels or rows * columns,
            "cohort_size": 3,
            "max_patients": total,
            "guards": list(guards),
            "titration": titration,
        }
    )


def test_recommendation_says_why():
    answer = plan().recommend("1NNN")
    assert (answer.action, answer.level) == ("escalate", 4)
    text = " ".join(answer.reasons)
    assert "(one agent up at or below)" in text
    assert "Agent A: level 4 (A2 with B1) has score" in text
    assert "draws lots between level 4 (A2 with B1) and level 2 (A1 with B2); the first is shown" in text
    assert answer.admissible == (1, 2, 4)


def test_patients_break_a_tie():
    # level 2 has patients, so its score differs from that of level 4
    answer = plan().recommend("1NNN 2NNT 1NNN")
    assert not any("draws lots" in reason for reason in answer.reasons)


def test_down_and_stop():
    assert plan().recommend("1NNN 4NTT").action == "de_escalate"
    assert plan().recommend("1NNN 4NTT").level == 1
    answer = plan().recommend("1TTT")
    assert (answer.action, answer.mtd) == ("stop", None)


def test_toxic_path_is_barred():
    # (2, 1) had 2 of 3: from (1, 2) agent A must not go up to (2, 2)
    text = "1NNN 4NTT 1NNN 2NNN"
    assert plan(total=30).recommend(text).level == 3
    options = {plan(total=30, bar_toxic_path=False).recommend(text).level}
    assert options == {5}


def test_elimination_closes_everything_above():
    rule = plan(3, 3).rule
    n, y = np.zeros((1, 9), int), np.zeros((1, 9), int)
    n[0, 4], y[0, 4] = 3, 3
    assert np.flatnonzero(rule.closed(n, y)[0]).tolist() == [4, 5, 7, 8]


@pytest.mark.parametrize("guards", [(), ({"kind": "enough_at_dose", "n": 6}, {"kind": "coherent"})])
def test_simulation_agrees_with_enumeration(guards):
    exact = exact_oc(plan(guards=guards), TRUTH)
    found = simulate_oc(plan(guards=guards), TRUTH, trials=12_000, seed=4)
    for field, error in found.standard_error.items():
        gap = np.abs(numbers(found, field) - numbers(exact, field))
        # 4.5 standard errors over some 60 comparisons; the seed is fixed
        assert np.all(gap <= 4.5 * flat(error, found, exact) + 1e-12), field


def test_same_answer_whatever_the_workers():
    one = simulate_oc(plan(), TRUTH, trials=5_000, seed=2, workers=1)
    assert one.to_dict() == simulate_oc(plan(), TRUTH, trials=5_000, seed=2, workers=3).to_dict()


def test_agents_can_change_places():
    """With the agents exchanged every number follows; ties are split evenly, so nothing prefers one agent."""
    one = exact_oc(plan(2, 3), TRUTH)
    turned = exact_oc(plan(3, 2), np.reshape(TRUTH, (2, 3)).T.ravel())
    np.testing.assert_allclose(one.mean_n.reshape(2, 3).T.ravel(), turned.mean_n, rtol=0, atol=1e-11)


@given(p=st.lists(st.floats(0, 1), min_size=4, max_size=4))
@settings(max_examples=25, deadline=None)
def test_probabilities_sum_to_one(p):
    oc = ENDS.oc(p)
    assert oc.prob_select.sum() + oc.prob_none == pytest.approx(1, abs=1e-12)


ENDS = enumerate_plan(plan(2, 2, 12))


@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.floats(0, 1)).map(lambda c: (c[0], round(c[0] * c[1]))),
        min_size=6,
        max_size=6,
    )
)
def test_isotonic_fit_is_monotone_and_keeps_the_mean(counts):
    n, y = (np.array([[count[i] for count in counts]], dtype=float) for i in (0, 1))
    fit = plan().rule.isotonic(y / n, n)
    grid = fit[0].reshape(2, 3)
    assert np.all(np.diff(grid, axis=0) >= -1e-12)
    assert np.all(np.diff(grid, axis=1) >= -1e-12)
    assert float((fit * n).sum()) == pytest.approx(float(y.sum()), abs=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"levels": 5}, "levels: 2 x 3 combinations make 6 levels; got 5"),
        ({"guards": [{"kind": "no_skipping"}]}, "guards: no_skipping orders levels on one line"),
        (
            {"guards": [{"kind": "overdose_control", "limit": 0.3, "certainty": 0.9}]},
            "guards: overdose_control",
        ),
        ({"titration": True}, "titration: not possible"),
        ({"rows": 1, "columns": 1, "levels": 1}, "at least two combinations"),
        ({"p_tox": 0.2}, "p_saf < target < p_tox"),
        ({"target": 1}, "target"),
    ],
)
def test_bad_plan_is_named(change, message):
    with pytest.raises(ValidationError, match=message):
        plan(**change)


def test_selection():
    assert select_mtd(plan(), [3, 6, 0, 6, 6, 0], [0, 1, 0, 1, 4, 0]) in (2, 4)
    assert select_mtd(plan(), [3, 0, 0, 0, 0, 0], [3, 0, 0, 0, 0, 0]) is None
