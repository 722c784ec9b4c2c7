"""Patients who cannot be judged in full: exact against brute force and simulation, and in conduct."""

import itertools

import numpy as np
import pytest

from escalon.design import EscalationPlan, dose_paths, enumerate_plan, exact_oc, simulate_oc

SCENARIO = [0.1, 0.3, 0.5]
CRM = {"kind": "crm", "target": 0.3, "skeleton": [0.1, 0.3, 0.5]}
RULES = [{"kind": "boin", "target": 0.3}, {"kind": "three_plus_three"}, CRM]
REPLACE = {"kind": "replace", "probability": 0.25}
WEIGHT = {"kind": "weight", "probability": 0.25, "weight": 0.5}


def plan(rule=RULES[0], total=9, **more) -> EscalationPlan:
    return EscalationPlan.model_validate(
        {"rule": rule, "levels": 3, "cohort_size": 3, "max_patients": total, **more}
    )


def weighted_by_hand(design: EscalationPlan, p: list[float], q: float) -> dict[str, np.ndarray]:
    """Every sequence of patient results, through the live recommendation alone."""
    totals = {"select": np.zeros(4), "n": np.zeros(3), "y": np.zeros(3), "x": np.zeros(3)}

    def follow(text: str, level: int, treated: int, chance: float) -> None:
        for letters in itertools.combinations_with_replacement("NTU", 3):
            t, x = letters.count("T"), letters.count("U")
            ways = len(set(itertools.permutations(letters)))
            here = chance * ways * p[level - 1] ** t * (1 - p[level - 1]) ** (3 - t)
            here *= q**x * (1 - q) ** (3 - t - x)
            now = f"{text} {level}{''.join(letters)}"
            answer = design.recommend(now)
            if answer.action != "stop":
                follow(now, answer.level, treated + 3, here)
                continue
            totals["select"][answer.mtd or 0] += here
            for cohort in now.split():
                j = int(cohort[0]) - 1
                totals["n"][j] += 3 * here
                totals["y"][j] += cohort.count("T") * here
                totals["x"][j] += cohort.count("U") * here

    follow("", 1, 0, 1.0)
    return totals


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["kind"])
def test_weighted_patients_equal_the_sum_over_all_sequences(rule):
    design = plan(rule, non_evaluable=WEIGHT)
    found, oc = weighted_by_hand(design, SCENARIO, 0.25), exact_oc(design, SCENARIO)
    np.testing.assert_allclose([oc.prob_none, *oc.prob_select], found["select"], rtol=0, atol=1e-13)
    np.testing.assert_allclose(oc.mean_n, found["n"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(oc.mean_dlt, found["y"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(oc.mean_non_evaluable, found["x"], rtol=0, atol=1e-12)


def test_replaced_patients_equal_single_patients_enrolled_one_by_one():
    """One level, two evaluable patients: N, T or U each time; U is followed until 60 in a row."""
    design = EscalationPlan.model_validate(
        {"rule": RULES[0], "levels": 1, "cohort_size": 2, "max_patients": 2, "non_evaluable": REPLACE}
    )
    p, q, dlts, replaced = 0.3, 0.25, 0.0, 0.0
    for before in itertools.product(range(60), repeat=2):
        chance = np.prod([((1 - p) * q) ** k for k in before])
        replaced += chance * sum(before) * (p + (1 - p) * (1 - q)) ** 2
        dlts += chance * 2 * p * (p + (1 - p) * (1 - q))
    oc = exact_oc(design, [p])
    assert oc.mean_dlt[0] == pytest.approx(dlts, abs=1e-12)
    assert oc.mean_non_evaluable[0] == pytest.approx(replaced, abs=1e-12)


@pytest.mark.parametrize("option", [REPLACE, WEIGHT], ids=lambda option: option["kind"])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["kind"])
def test_simulation_agrees_with_enumeration(rule, option):
    design = plan(rule, 15, non_evaluable=option, guards=[{"kind": "coherent"}])
    exact, found = exact_oc(design, SCENARIO), simulate_oc(design, SCENARIO, trials=12_000, seed=5)
    for field in ("prob_select", "prob_none", "mean_n", "mean_dlt", "mean_non_evaluable", "prob_early_stop"):
        error = np.asarray(found.standard_error[field])
        gap = np.abs(np.asarray(getattr(found, field)) - np.asarray(getattr(exact, field)))
        # 4.5 standard errors over some 80 comparisons; the seed is fixed
        assert np.all(gap <= 4.5 * error + 1e-12), (field, gap / error)


@pytest.mark.parametrize("option", [REPLACE, WEIGHT], ids=lambda option: option["kind"])
def test_nobody_missing_changes_nothing(option):
    none = exact_oc(plan(), SCENARIO)
    found = exact_oc(plan(non_evaluable={**option, "probability": 0}), SCENARIO)
    np.testing.assert_allclose(found.prob_select, none.prob_select, rtol=0, atol=1e-14)
    np.testing.assert_allclose(found.mean_n, none.mean_n, rtol=0, atol=1e-13)


@pytest.mark.parametrize("option", [REPLACE, WEIGHT], ids=lambda option: option["kind"])
def test_gradient_is_the_limit_of_differences(option):
    ends, step = enumerate_plan(plan(non_evaluable=option)), 1e-5
    slope = ends.gradient(SCENARIO)["prob_select"]
    for j in range(3):
        up, down = (np.array(SCENARIO) + sign * step * np.eye(3)[j] for sign in (1, -1))
        difference = (ends.oc(up).prob_select - ends.oc(down).prob_select) / (2 * step)
        # error of the second order in the step
        np.testing.assert_allclose(slope[:, j], difference, rtol=0, atol=1e-8)


def test_an_interim_state_with_weighted_patients_averages_to_the_whole():
    design = plan(non_evaluable=WEIGHT)
    p, q = SCENARIO[0], 0.25
    total = np.zeros(3)
    for letters in itertools.product("NTU", repeat=3):
        chance = np.prod([{"T": p, "U": (1 - p) * q, "N": (1 - p) * (1 - q)}[letter] for letter in letters])
        text = "1" + "".join(letters)
        answer = design.recommend(text)
        if answer.action != "stop":
            total += chance * enumerate_plan(design, after=text).oc(SCENARIO).prob_select
    np.testing.assert_allclose(total, exact_oc(design, SCENARIO).prob_select, rtol=0, atol=1e-13)


def test_replaced_patients_leave_conduct_as_it_is():
    design = plan(non_evaluable=REPLACE)
    answer = design.recommend("1NNUN 2NU")
    assert (answer.inputs["n"], answer.level) == ([3, 1, 0], design.recommend("1NNN 2N").level)
    assert any(
        "Level 2: 1 patient without DLT" in reason and "replaced" in reason for reason in answer.reasons
    )
    assert plan().recommend("1NNUN 2NU").level == answer.level
    empty = plan(CRM).recommend("1NNN 2UUU")
    assert (empty.action, empty.level) == ("stay", 2)
    assert any("no evaluable patient" in reason for reason in empty.reasons)


def test_weighted_patients_fill_cohorts_and_count_in_part():
    design = plan({"kind": "three_plus_three"}, 18, non_evaluable=WEIGHT)
    answer = design.recommend("1NUU")
    assert (answer.inputs["n"], answer.action) == ([2, 0, 0], "stay")
    assert any("counted as 1" in reason for reason in answer.reasons)
    assert design.recommend("1NNU 1UNN").action == "stay"  # 5 of the 6 needed
    assert design.recommend("1NNU 1UNN 1NNN").action == "escalate"
    assert plan(non_evaluable=WEIGHT).recommend("1UUU 1UUU 1UUU").action == "stop"  # 9 treated of 9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"non_evaluable": {"kind": "replace", "weight": 0.5}}, "a replaced patient has none"),
        ({"non_evaluable": {"kind": "weight", "weight": 1.0}}, "weight"),
        ({"non_evaluable": {"kind": "replace", "probability": 1.0}}, "probability"),
        ({"rule": {"kind": "tite_boin", "target": 0.3}, "non_evaluable": WEIGHT}, "weighs follow-up itself"),
    ],
)
def test_bad_plans(change, message):
    with pytest.raises(ValueError, match=message):
        plan(**change)


def test_what_cannot_be_answered_says_so():
    late = plan({"kind": "tite_boin", "target": 0.3}, non_evaluable=REPLACE)
    with pytest.raises(ValueError, match="calendar time"):
        simulate_oc(late, SCENARIO, trials=10)
    with pytest.raises(ValueError, match="weighted patients"):
        dose_paths(plan(non_evaluable=WEIGHT), 1, SCENARIO)
    nodes = dose_paths(plan(non_evaluable=REPLACE), 1, SCENARIO)
    assert sum(node.probability for node in nodes) == pytest.approx(1, abs=1e-14)
    assert plan().hash != plan(non_evaluable=REPLACE).hash
