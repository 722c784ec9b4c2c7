import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from escalon.design import EscalationPlan, enumerate_plan, exact_oc, select_mtd, simulate_oc
from escalon.design.exact import PlanTooLargeError
from escalon.design.exact_efficacy import enumerate_efficacy
from escalon.design.outcomes import format_outcomes, parse_outcomes
from escalon.design.recommend_efficacy import select_obd
from tests.unit.design.monte_carlo import flat, numbers

P, Q = [0.08, 0.2, 0.4], [0.2, 0.45, 0.5]


def plan(levels=3, total=12, **rule):
    return EscalationPlan.model_validate(
        {
            "rule": {"kind": "boin12", "tox_limit": 0.35, "eff_limit": 0.25, **rule},
            "levels": levels,
            "cohort_size": 3,
            "max_patients": total,
        }
    )


def test_recommendation_says_why():
    answer = plan().recommend("1NEN 2ETB")
    assert (answer.action, answer.level) == ("de_escalate", 1)
    text = " ".join(answer.reasons)
    assert "2 of 3 evaluable patients had a DLT (66.7%), 2 had efficacy" in text
    assert "0.6667 against lambda_e 0.2763 and lambda_d 0.4189" in text
    assert answer.efficacy[1].e == 2
    assert answer.inputs["both"] == [0, 1, 0]


def test_start_and_end():
    first = plan().recommend("")
    assert (first.action, first.level) == ("stay", 1)
    last = plan(total=6).recommend("1NEN 1EEN")
    assert (last.action, last.mtd) == ("stop", 1)
    assert "optimal biological dose: level 1" in last.reasons[-1]


def test_exploration_after_nine():
    # desirable level 1, but 9 patients without toxicity and an untried level 2
    assert plan(total=30).recommend("1EEE 1EEE").level == 1
    answer = plan(total=30).recommend("1EEE 1EEE 1EEE")
    assert answer.level == 2
    assert any("Exploration: 9 patients" in reason for reason in answer.reasons)
    assert plan(total=30, explore_n=12).recommend("1EEE 1EEE 1EEE").level == 1


def test_stops_when_no_level_is_admissible():
    answer = plan(total=30).recommend("1TTT")
    assert (answer.action, answer.level, answer.mtd, answer.admissible) == ("stop", None, None, ())


def test_descend_option():
    # level 1 is futile (0 of 9); level 2 is too toxic to stay
    text = "1NNN 1NNN 1NNN 2ETT"
    assert plan(total=30).recommend(text).level == 1
    assert plan(total=30, descend="admissible").recommend(text).level == 1  # nothing admissible below
    text = "1EEE 2NNN 2NNN 2NNN 3ETT"
    assert plan(total=30).recommend(text).level == 2
    assert plan(total=30, descend="admissible").recommend(text).level == 1


@pytest.mark.parametrize("odds", [1.0, 4.0])
def test_simulation_agrees_with_enumeration(odds):
    exact = exact_oc(plan(), P, Q, odds)
    found = simulate_oc(plan(), P, trials=12_000, seed=3, prob_eff=Q, odds_ratio=odds)
    for name, error in found.standard_error.items():
        gap = np.abs(numbers(found, name) - numbers(exact, name))
        # 4.5 standard errors over some 40 comparisons; the seed is fixed
        assert np.all(gap <= 4.5 * flat(error, found, exact) + 1e-12), name


def test_independent_outcomes_have_one_answer_with_and_without_the_joint_count():
    margins = enumerate_efficacy(plan()).oc(P, Q)
    joint = enumerate_efficacy(plan(), joint=True).oc(P, Q)
    np.testing.assert_allclose(margins.prob_select, joint.prob_select, rtol=0, atol=1e-13)
    with pytest.raises(ValueError, match="odds_ratio: this enumeration"):
        enumerate_efficacy(plan()).oc(P, Q, 2.0)


def test_same_answer_whatever_the_workers():
    one = simulate_oc(plan(), P, trials=9_000, seed=5, prob_eff=Q, workers=1)
    many = simulate_oc(plan(), P, trials=9_000, seed=5, prob_eff=Q, workers=3)
    assert one.to_dict() == many.to_dict()


@given(
    p=st.lists(st.floats(0, 1), min_size=2, max_size=2), q=st.lists(st.floats(0, 1), min_size=2, max_size=2)
)
@settings(max_examples=25, deadline=None)
def test_probabilities_sum_to_one(p, q):
    oc = enumerate_efficacy(plan(levels=2, total=9)).oc(p, q)
    assert oc.prob_select.sum() + oc.prob_none == pytest.approx(1, abs=1e-12)
    assert oc.mean_total_n == pytest.approx(sum(n * w for n, w in oc.n_distribution.items()), abs=1e-10)
    assert oc.mean_total_responses == pytest.approx(float(oc.mean_n @ np.array(q)), abs=1e-10)


@given(
    st.lists(
        st.tuples(
            st.integers(1, 9),
            st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=5),
            st.booleans(),
        ),
        max_size=6,
    )
)
def test_outcome_strings_with_efficacy_round_trip(raw):
    letters = {(False, False): "N", (True, False): "T", (False, True): "E", (True, True): "B"}
    text = " ".join(f"{'+' if b else ''}{level}{''.join(letters[p] for p in ps)}" for level, ps, b in raw)
    assert format_outcomes(parse_outcomes(text, 9, efficacy=True).cohorts) == text


def test_more_toxicity_never_leads_higher():
    levels = [plan(total=30).recommend(f"1EEN 2{text}").level for text in ("EEE", "EEB", "EBB", "BBB")]
    assert levels == sorted(levels, reverse=True)


def test_selection_from_counts():
    assert select_obd(plan(), [6, 6, 0], [0, 1, 0], [1, 4, 0]) == 2
    assert select_obd(plan(), [6, 6, 0], [6, 6, 0], [1, 4, 0]) is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plan().recommend("1NXN"), "unknown letter X.*E \\(efficacy\\)"),
        (lambda: plan().recommend(([3, 0, 0], [0, 0, 0], 1)), "needs efficacy"),
        (lambda: plan().recommend("1NNN +1N"), "no backfill"),
        (lambda: simulate_oc(plan(), P), "prob_eff: rule boin12 needs"),
        (lambda: simulate_oc(plan(), P, prob_eff=[0.1]), "prob_eff: 3 probabilities"),
        (lambda: simulate_oc(plan(), P, prob_eff=[0.1, 0.2, 1.2]), "prob_eff: level 3 has 1.2"),
        (lambda: simulate_oc(plan(), P, prob_eff=Q, odds_ratio=0), "odds_ratio"),
        (lambda: exact_oc(plan(), P), "prob_eff"),
        (lambda: enumerate_plan(plan()), "enumerate_efficacy"),
        (lambda: select_mtd(plan(), [3, 0, 0], [0, 0, 0]), "responses are needed"),
        (
            lambda: select_obd(plan(), [3, 0, 0], [0, 0, 0], [4, 0, 0]),
            "e: 4 patients with efficacy at level 1",
        ),
        (lambda: select_obd(plan(), [3, 0, 0], [1, 0, 0], [1, 0, 0], [2, 0, 0]), "both: 2 patients"),
        (
            lambda: plan().rule.model_copy(update={"utilities": (100, 30, 50, 0)}).rds_table((0, 3)),
            "utilities",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tox_limit": 0}, "tox_limit"),
        ({"eff_limit": 1}, "eff_limit"),
        ({"utilities": (40, 100, 60, 0)}, "utilities: efficacy without toxicity must be best"),
        ({"p_saf": 0.5}, "p_saf < target"),
    ],
)
def test_bad_rule_is_named(change, message):
    with pytest.raises(ValidationError, match=message):
        plan(**change)


def test_too_large_to_enumerate():
    with pytest.raises(PlanTooLargeError, match="use simulation"):
        enumerate_efficacy(plan(), max_states=10)
