import numpy as np
import pytest
from pydantic import ValidationError

from escalon.design import EscalationPlan, enumerate_plan, exact_oc, select_mtd
from escalon.design.rules import CustomTable
from escalon.design.rules.custom_table import read_table_csv


def plan(rule, levels=4, total=18, **more) -> EscalationPlan:
    return EscalationPlan.model_validate(
        {"rule": rule, "levels": levels, "cohort_size": 3, "max_patients": total, **more}
    )


def test_boin_options():
    boin = {"kind": "boin", "target": 0.25}
    assert plan(boin).recommend("1NNN 2NNT").action == "de_escalate"
    assert plan({**boin, "stay_at_one_third": True}).recommend("1NNN 2NNT").action == "stay"
    # 2 of 3 at target 0.25: P(p > target) = 0.949, above 0.90 and not above 0.95
    assert plan(boin).recommend("1NTT").action == "stay"
    strict = plan({**boin, "extra_safe": True}).recommend("1NTT")
    assert (strict.action, strict.mtd) == ("stop", None)
    assert any("extra-safe" in reason for reason in strict.reasons)


@pytest.mark.parametrize("rates", [{"p_saf": 0.4}, {"p_tox": 0.2}, {"p_saf": 0.1, "p_tox": 0.1}])
def test_boin_rates_must_bracket_the_target(rates):
    with pytest.raises(ValidationError, match="p_saf < target < p_tox < 1"):
        plan({"kind": "boin", "target": 0.3, **rates})


@pytest.mark.parametrize("kind", ["mtpi", "mtpi2", "keyboard", "boin", "i3_plus_3"])
def test_more_toxicity_is_never_bolder(kind):
    rule = plan({"kind": kind, "target": 0.3}).rule
    rank = {"E": 3, "S": 2, "D": 1, "DU": 0}
    for n in range(1, 31):
        letters = [rank[rule.letter(n, y)] for y in range(n + 1)]
        assert letters == sorted(letters, reverse=True)


@pytest.mark.parametrize("kind", ["mtpi2", "keyboard", "boin", "i3_plus_3"])
def test_escalation_into_an_eliminated_level_becomes_a_stay(kind):
    answer = plan({"kind": kind, "target": 0.3}).recommend("1NNN 2TTT 1NNN")
    assert (answer.action, answer.level, answer.admissible) == ("stay", 1, (1,))


def test_a_table_equal_to_boin_behaves_as_boin():
    boin = plan({"kind": "boin", "target": 0.3})
    rows = {n: [boin.rule.letter(n, y) for y in range(n + 1)] for n in range(3, 16, 3)}
    copy = plan({"kind": "table", "target": 0.3, "decisions": rows})
    scenario = [0.1, 0.25, 0.4, 0.5]
    first, second = exact_oc(boin, scenario), exact_oc(copy, scenario)
    np.testing.assert_allclose(first.mean_n, second.mean_n, rtol=0, atol=1e-12)
    np.testing.assert_allclose(first.prob_none, second.prob_none, rtol=0, atol=2e-3)
    assert EscalationPlan.model_validate_json(copy.model_dump_json()) == copy


GOOD = {3: "E S D DU", 6: "E E S D DU DU DU", 9: "E E E S D DU DU DU DU DU"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({3: "E S E DU"}, "not monotone: at n = 3, S for 1 DLTs but E for 2"),
        ({3: "E S D"}, "row n = 3 needs 4 decisions"),
        ({3: "E S D X"}, "row n = 3 holds 'X'"),
        ({6: "S S S D DU DU DU"}, "not coherent: E at 0/3, but S at 0/6"),
        ({6: "E E S D D DU DU", 3: "E DU DU DU"}, "elimination not nested: DU at 1/3, but D at 4/6"),
        ({3: "E D D DU", 6: "E E E S S DU DU"}, "not coherent: D at 1/3, but S at 4/6"),
        ({9: "S"}, "row n = 9 needs 10 decisions"),
    ],
)
def test_faulty_tables_are_refused(change, message):
    with pytest.raises(ValidationError, match=message):
        CustomTable.model_validate({"target": 0.3, "decisions": {**GOOD, **change}})


def test_a_table_must_cover_what_the_plan_can_reach():
    with pytest.raises(ValidationError, match="no row for n = 9, which the plan can reach; rows: 3, 6"):
        plan({"kind": "table", "target": 0.3, "decisions": {3: GOOD[3], 6: GOOD[6]}}, total=12)


def test_a_table_is_read_from_csv():
    text = "n,0,1,2,3,4,5,6\n3,E,S,D,DU\n6,e,E,S,D,DU,DU,DU\n"
    assert read_table_csv(text) == {3: ("E", "S", "D", "DU"), 6: ("E", "E", "S", "D", "DU", "DU", "DU")}
    with pytest.raises(ValueError, match="line 2: 'x' is not a number of patients"):
        read_table_csv("n,0,1\nx,E,S\n")
    with pytest.raises(ValueError, match="line 3: a second row for n = 1"):
        read_table_csv("n,0,1\n1,E,S\n1,E,S\n")


RULES = [
    {"kind": "boin", "target": 0.3, "bound_mtd": True, "extra_safe": True},
    {"kind": "mtpi", "target": 0.25},
    {"kind": "keyboard", "target": 0.2},
    {"kind": "mtpi2", "target": 0.3},
    {"kind": "i3_plus_3", "target": 0.3},
]
GUARDS = [
    [],
    [{"kind": "coherent"}, {"kind": "no_skipping"}],
    [{"kind": "enough_at_dose", "n": 9}, {"kind": "coherent", "after": "target_rate"}],
    [{"kind": "enough_at_dose", "n": 9, "when": "recommended"}],
]


@pytest.mark.parametrize("guards", GUARDS, ids=len)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["kind"])
def test_compiled_walk_equals_the_plain_one(rule, guards):
    design = plan(rule, 5, 18, guards=guards, start_level=2).model_copy(update={"cohort_size": (1, 2, 3)})
    fast, plain = enumerate_plan(design), enumerate_plan(design, compiled=False)
    assert fast.terminal_states == plain.terminal_states
    one, two = (np.lexsort(np.c_[ends.n, ends.y, ends.stop].T) for ends in (fast, plain))
    for name in ("n", "y", "stop", "mtd", "paths"):
        np.testing.assert_array_equal(getattr(fast, name)[one], getattr(plain, name)[two])
    np.testing.assert_allclose(fast.coefficient[one], plain.coefficient[two], rtol=1e-12)


@pytest.mark.parametrize("compiled", [True, False])
def test_conditional_characteristics_average_to_the_whole(compiled):
    design = plan({"kind": "boin", "target": 0.3})
    scenario = np.array([0.1, 0.25, 0.4, 0.5])
    whole = exact_oc(design, scenario)
    parts = np.zeros(4)
    for dlts, text in enumerate(("1NNN", "1NNT", "1NTT")):
        chance = [0.9**3, 3 * 0.1 * 0.9**2, 3 * 0.01 * 0.9][dlts]
        parts += chance * enumerate_plan(design, after=text, compiled=compiled).oc(scenario).prob_select
    np.testing.assert_allclose(parts, whole.prob_select, rtol=0, atol=1e-14)
    with pytest.raises(ValueError, match="this trial has ended: no level is acceptable"):
        enumerate_plan(design, after="1TTT", compiled=compiled)


def test_gradients_match_differences():
    ends = enumerate_plan(plan({"kind": "boin", "target": 0.3}))
    scenario = np.array([0.1, 0.25, 0.4, 0.5])
    gradient = ends.gradient(scenario)
    for level in range(4):
        step = np.zeros(4)
        step[level] = 1e-5
        up, down = ends.oc(scenario + step), ends.oc(scenario - step)
        for name in ("prob_select", "mean_n", "mean_dlt"):
            slope = (getattr(up, name) - getattr(down, name)) / 2e-5
            np.testing.assert_allclose(gradient[name][:, level], slope, rtol=0, atol=1e-7)
        assert gradient["prob_none"][level] == pytest.approx((up.prob_none - down.prob_none) / 2e-5, abs=1e-7)
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        ends.gradient([0.0, 0.1, 0.2, 0.3])


def test_levels_tied_exactly_at_the_target_go_to_the_higher_one():
    # posterior means 0.2, 3/10, 3/10: pooled sums put the tied fits a rounding error above the target
    design = plan({"kind": "mtpi", "target": 0.3}, levels=3, total=19)
    assert select_mtd(design, [3, 8, 8], [0, 2, 2]) == 3
    # both above the target: the lower one
    assert select_mtd(design, [3, 3, 3], [1, 1, 1]) == 1


def test_tied_keys_part_mtpi2_and_keyboard():
    # target key (0.3, 0.5): after 1 of 2 the posterior Beta(2, 2) is as strong on (0.5, 0.7)
    assert plan({"kind": "mtpi2", "target": 0.4, "epsilon_1": 0.1, "epsilon_2": 0.1}).rule.letter(2, 1) == "S"
    assert plan({"kind": "keyboard", "target": 0.4, "half_width": 0.1}).rule.letter(2, 1) == "D"
