import numpy as np
import pytest
from pydantic import ValidationError

from escalon.design import EscalationPlan, enumerate_plan

BLRM = {
    "kind": "blrm",
    "doses": [10, 20, 40, 60],
    "ref_dose": 40,
    "prior_mean": [-1.1, 0.0],
    "prior_sd": [1.5, 0.8],
}


def plan(rule=BLRM, total=12, **more) -> EscalationPlan:
    return EscalationPlan.model_validate(
        {"rule": rule, "levels": 4, "cohort_size": 3, "max_patients": total, **more}
    )


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"doses": [10, 20, 40]}, "4 values expected, one per level; got 3"),
        ({"doses": [10, 20, 20, 40]}, "doses: must increase"),
        ({"doses": [-1, 20, 30, 40]}, "above 0"),
        ({"target_interval": [0.4, 0.2]}, "0 < lower < upper < 1"),
        ({"prior_sd": [0, 1]}, "above 0"),
        ({"mixture": [{"weight": 0.5, "mean": [0, 0], "sd": [1, 1]}]}, "weights must sum to 1"),
    ],
)
def test_bad_rules(rule, message):
    with pytest.raises(ValidationError, match=message):
        plan({**BLRM, **rule})


def test_overdose_control_bars_levels():
    answer = plan().recommend("1NNN 2NTT")
    over, _ = plan().rule.intervals(np.array([[3, 3, 0, 0]]), np.array([[0, 2, 0, 0]]))
    assert answer.admissible == tuple(int(j) + 1 for j in np.flatnonzero(over[0] < 0.25))
    assert 3 not in answer.admissible
    assert plan().recommend("1TTT").action == "stop"


def test_increment_cap():
    assert plan().recommend("1NNN").level == 3
    assert plan({**BLRM, "max_increment": 1.0}).recommend("1NNN").level == 2


def test_finished_with_enough_patients():
    rule = {**BLRM, "stop_enough_n": 6}
    answer = plan(rule).recommend("1NNN 2NNT 2NNT")
    assert (answer.action, answer.mtd) == ("stop", 2)
    rule = {**BLRM, "stop_min_n": 6, "stop_prob_target": 0.3}
    assert plan(rule).recommend("1NNN 2NNT 2NNT").action == "stop"
    assert plan({**rule, "stop_prob_target": 0.9}).recommend("1NNN 2NNT 2NNT").action == "stay"


def test_a_mixture_of_equal_parts_is_the_single_prior():
    part = {"mean": [-1.1, 0.0], "sd": [1.5, 0.8]}
    mixed = plan({**BLRM, "mixture": [{"weight": 0.3, **part}, {"weight": 0.7, **part}]})
    arguments = ([1, 1, 2, 2, 3], [0, 0, 0, 1, 1])
    one, two = plan().fit(*arguments), mixed.fit(*arguments)
    assert one.prob_tox == pytest.approx(two.prob_tox, abs=1e-12)
    assert one.prob_overdose == pytest.approx(two.prob_overdose, abs=1e-12)


def test_a_mixture_weighs_its_parts_by_their_marginal_likelihood():
    low = {"mean": [-4.0, 0.0], "sd": [0.3, 0.3]}
    high = {"mean": [1.0, 0.0], "sd": [0.3, 0.3]}
    mixed = plan({**BLRM, "mixture": [{"weight": 0.5, **low}, {"weight": 0.5, **high}]})
    safe, toxic = mixed.fit([3] * 8, [0] * 8), mixed.fit([3] * 8, [1] * 8)
    assert safe.estimate[0] < -3.5
    assert toxic.estimate[0] > 0.5


def test_interval_holds_its_mass():
    rule = plan().rule
    n, y = np.array([3, 6, 3, 0]), np.array([0, 1, 1, 0])
    for estimate in rule.estimates(n, y):
        outside = rule.prob_above(n[None], y[None], estimate.upper)[0, estimate.level - 1]
        inside = rule.prob_above(n[None], y[None], estimate.lower)[0, estimate.level - 1] - outside
        assert inside == pytest.approx(0.95, abs=2e-3)  # the interval is interpolated on a ladder


def test_exact_characteristics_sum_to_one():
    ends = enumerate_plan(plan(guards=[{"kind": "no_skipping"}]))
    oc = ends.oc([0.1, 0.2, 0.35, 0.5])
    assert oc.prob_none + oc.prob_select.sum() == pytest.approx(1, abs=1e-12)


def test_logistic2_chooses_the_nearest():
    rule = {key: value for key, value in BLRM.items() if key != "kind"}
    design = plan({"kind": "logistic2", "target": 0.25, **rule})
    answer = design.fit([1, 1, 1, 2, 2, 2], [0, 0, 0, 0, 0, 1])
    assert answer.mtd == int(np.argmin(np.abs(np.array(answer.prob_tox) - 0.25))) + 1
    assert design.recommend("1NNN 2NNT").level == answer.mtd
    plug = plan({"kind": "logistic2", "target": 0.25, "estimate": "plug_in", **rule})
    fit = plug.fit([1, 1, 1, 2, 2, 2], [0, 0, 0, 0, 0, 1])
    a, b = fit.estimate
    expected = 1 / (1 + np.exp(-(a + np.exp(b) * np.log(np.array([10, 20, 40, 60]) / 40))))
    assert fit.prob_tox == pytest.approx(expected, abs=1e-12)


def test_the_feasibility_bound_itself_is_not_admissible():
    rule = plan().rule
    over = np.array([[0.1, 0.2499, 0.25, 0.26], [0.3, 0.4, 0.5, 0.6]])
    target = np.array([[0.1, 0.2, 0.9, 0.95], [0.9, 0.9, 0.9, 0.9]])
    everywhere = np.ones((2, 4), dtype=bool)
    assert rule.pick(over, target, everywhere).tolist() == [1, -1]
    highest = plan({**BLRM, "choose": "highest"}).rule
    assert highest.pick(over, target[:, ::-1], everywhere).tolist() == [1, -1]


def test_increment_limits_the_next_dose():
    """Doses 10, 20, 50, 65: from 10 at most 20 with an increment of 1, at most 50 with one of 4."""
    for increment, highest in ((1.0, 2), (0.99, 1), (4.0, 3), (5.5, 4)):
        design = EscalationPlan.model_validate(
            {
                "rule": {
                    "kind": "blrm",
                    "doses": [10, 20, 50, 65],
                    "ref_dose": 50,
                    "prior_mean": [-3, 0],
                    "prior_sd": [0.5, 0.3],
                    "choose": "highest",
                    "max_increment": increment,
                },
                "levels": 4,
                "max_patients": 30,
            }
        )
        assert design.recommend("1NNN").level == highest
