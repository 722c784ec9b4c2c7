import numpy as np
import pytest
from scipy.special import expit, logit

from escalon.design import EscalationPlan, exact_oc, simulate_oc
from escalon.design.rules import Crm, TiteCrm
from escalon.design.rules.base import States
from escalon.design.rules.tite_crm import adaptive_weights

SKELETON = [0.08, 0.16, 0.25, 0.35]
SCENARIO = [0.08, 0.2, 0.35, 0.5]


def plan(kind, cohort=3, total=24, **rule) -> EscalationPlan:
    if kind in ("boin", "tite_boin"):
        rule["target"] = rule.get("target", 0.25)
    if kind in ("crm", "tite_crm"):
        rule = {"target": 0.25, "skeleton": SKELETON, **rule}
    return EscalationPlan.model_validate(
        {
            "rule": {"kind": kind, **rule},
            "levels": 4,
            "cohort_size": cohort,
            "max_patients": None if kind == "rolling_six" else total,
        }
    )


@pytest.mark.parametrize(
    ("dlts", "pending", "threshold", "above", "below"),
    [
        # PMC9260438 Table 1, target 0.20, 9 treated; exact thresholds with 4 decimals
        (1, 3, 0.7731, "escalate", "stay"),
        (1, 4, 2.1506, "escalate", "stay"),
        (2, 1, 0.5198, "stay", "de_escalate"),
        (2, 2, 1.5894, "stay", "de_escalate"),
        (2, 3, 2.6590, "stay", "de_escalate"),
        (2, 4, 3.7286, "stay", "de_escalate"),
    ],
)
def test_tite_boin_thresholds(dlts, pending, threshold, above, below):
    design = plan("tite_boin", target=0.2)
    n, y = [3, 9 - pending, 0, 0], [0, dlts, 0, 0]
    for shift, action in ((1e-4, above), (-1e-4, below)):
        waiting = [(2, (threshold + shift) / pending)] * pending
        assert design.recommend((n, y, 2), waiting).action == action


def test_tite_boin_pauses_when_more_than_half_are_pending():
    answer = plan("tite_boin").recommend("1NNN 2N", [(2, 0.5), (2, 0.1)])
    assert (answer.action, answer.suspend) == ("stay", True)
    assert answer.reasons[-1].startswith("Suspend enrolment at level 2")
    seen = plan("tite_boin").recommend("1NNN 2TT", [(2, 0.5), (2, 0.1), (2, 0.1)])
    assert (seen.action, seen.suspend) == ("de_escalate", False)


@pytest.mark.parametrize(("late", "plain"), [("tite_boin", "boin"), ("tite_crm", "crm")])
@pytest.mark.parametrize("outcomes", ["1NNN", "1NNN 2NTN", "1NNN 2NTT", "1NNN 2NNN 3TTT", "1TTT"])
def test_with_complete_data_the_late_design_is_the_plain_one(late, plain, outcomes):
    one, two = plan(late).recommend(outcomes), plan(plain).recommend(outcomes)
    assert (one.action, one.level, one.mtd) == (two.action, two.level, two.mtd)


def test_tite_crm_weights_single_patients():
    rule = TiteCrm(target=0.25, skeleton=tuple(SKELETON))
    states = States(
        np.array([[3, 2, 0, 0]]),
        np.array([[0, 1, 0, 0]]),
        np.array([1]),
        pending_level=np.array([[1, 2, -1]]),
        pending_followup=np.array([[0.4, 0.1, 0.0]]),
    )
    by_patient = plan("tite_crm").fit([1, 1, 1, 2, 2, 2, 3], [0, 0, 0, 1, 0, 0, 0], [1, 1, 1, 1, 1, 0.4, 0.1])
    np.testing.assert_allclose(rule.late_prob(states)[0], by_patient.prob_tox, rtol=0, atol=1e-12)


def test_tite_crm_pause():
    design = plan("tite_crm", min_followup=0.5)
    assert design.recommend("1NNN 2N", [(2, 0.4)]).suspend
    assert not design.recommend("1NNN 2N", [(2, 0.6)]).suspend


def test_adaptive_weights():
    # two DLT times at 0.2 and 0.6: three parts of weight 1/3 each
    found = adaptive_weights([0.1, 0.2, 0.4, 0.8, 1.0], [0.6, 0.2])
    assert found == pytest.approx([1 / 6, 1 / 3, 1 / 2, 5 / 6, 1.0])
    assert adaptive_weights([0.3], []) == [0.3]
    with pytest.raises(ValueError, match="dlt_times"):
        adaptive_weights([0.3], [1.2])


# enrolled, evaluable, DLTs -> next (JAMA Netw Open 2020, Table 2): up, same, hold, down
ROLLING = [
    *((n, e, 0, "same" if n <= 5 else "hold") for n in range(1, 7) for e in range(min(n, 2) + 1)),
    *((n, 3, 0, {3: "up", 4: "same", 5: "same", 6: "hold"}[n]) for n in range(3, 7)),
    *((n, 4, 0, {4: "up", 5: "same", 6: "hold"}[n]) for n in range(4, 7)),
    (5, 5, 0, "up"),
    (6, 5, 0, "up"),
    (6, 6, 0, "up"),
    *((n, e, 1, "same" if n <= 5 else "hold") for n in range(1, 7) for e in range(1, min(n, 5) + 1)),
    (6, 6, 1, "up"),
    *((n, e, 2, "down") for n in range(2, 7) for e in range(2, n + 1)),
]


@pytest.mark.parametrize(("enrolled", "evaluable", "dlts", "expected"), ROLLING)
def test_rolling_six_table(enrolled, evaluable, dlts, expected):
    waiting = [(2, 0.3)] * (enrolled - evaluable)
    answer = plan("rolling_six", 1).recommend(
        ([3, evaluable, 0, 0], [0, dlts, 0, 0], 2 if evaluable else 1), waiting
    )
    found = {"escalate": "up", "de_escalate": "down"}.get(answer.action, "hold" if answer.suspend else "same")
    if evaluable == 0:
        # nobody judged at level 2 yet: the counts still point to level 1, whose 3 of 3 without DLT say go up
        assert (answer.action, answer.level) == ("escalate", 2)
    else:
        assert found == expected


def test_rolling_six_fills_its_candidate_to_six():
    design = plan("rolling_six", 1)
    assert design.recommend("1NNN 2NTT 1N").level == 1
    answer = design.recommend("1NNN 2NTT 1NNT")
    assert (answer.action, answer.mtd) == ("stop", 1)
    assert design.recommend("1NNN 2NNN 3NNN 4NNN").level == 4
    assert design.recommend("1TT").action == "stop"


@pytest.mark.parametrize("kind", ["tite_boin", "tite_crm", "rolling_six"])
def test_late_designs_are_simulated_not_enumerated(kind):
    design = plan(kind, 3 if kind == "tite_boin" else 1)
    with pytest.raises(ValueError, match="does not decide from counts alone; simulate it"):
        exact_oc(design, SCENARIO)
    one = simulate_oc(design, SCENARIO, trials=400, seed=2, accrual=3)
    two = simulate_oc(design, SCENARIO, trials=400, seed=2, accrual=3, workers=2)
    assert one.to_dict() == two.to_dict()
    assert one.prob_none + one.prob_select.sum() == pytest.approx(1)
    np.testing.assert_allclose(one.mean_n.sum(), one.mean_total_n)
    fast = simulate_oc(design, SCENARIO, trials=400, seed=2, accrual=9)
    assert 0 < fast.mean_duration < one.mean_duration


@pytest.mark.parametrize(("late", "plain"), [("tite_boin", "boin"), ("tite_crm", "crm")])
def test_slow_accrual_is_the_design_without_pending_patients(late, plain):
    slow = simulate_oc(plan(late), SCENARIO, trials=1000, seed=4, accrual=0.5, fixed_arrivals=True)
    same = simulate_oc(plan(plain), SCENARIO, trials=1000, seed=4)
    # evenly spaced by two windows: nobody is ever pending, and both designs meet the same patients
    np.testing.assert_array_equal(slow.prob_select, same.prob_select)
    np.testing.assert_array_equal(slow.mean_n, same.mean_n)


def test_bad_accrual():
    with pytest.raises(ValueError, match="accrual"):
        simulate_oc(plan("tite_boin"), SCENARIO, trials=10, accrual=0)


def test_late_rules_carry_their_plain_options():
    assert isinstance(plan("tite_crm").rule, Crm)
    with pytest.raises(ValueError, match="must increase"):
        plan("tite_crm", skeleton=[0.1, 0.1, 0.2, 0.3])


def test_duration_counts_windows():
    # nobody has a DLT: 6 patients half a window apart, the last followed for one window
    design = plan("tite_crm", 1, total=6)
    found = simulate_oc(design, [0, 0, 0, 0], trials=5, seed=1, accrual=2, fixed_arrivals=True)
    assert found.mean_duration == pytest.approx(2.5 + 1)
    assert found.standard_error["mean_duration"] == pytest.approx(0, abs=1e-9)


def test_a_pause_ends_with_the_news_it_waited_for():
    # cohorts of 3 at once: after each, all are pending, so enrolment waits one whole window
    design = plan("tite_boin", 3, total=9)
    found = simulate_oc(design, [0, 0, 0, 0], trials=5, seed=1, accrual=1e6, fixed_arrivals=True)
    assert found.mean_duration == pytest.approx(3, abs=1e-4)


@pytest.mark.parametrize("model", ["empiric", "logistic"])
def test_tite_crm_estimates_hold_the_pending_patients(model):
    """Against the posterior on a fine lattice of b, integrated by plain sums."""
    design = plan("tite_crm", model=model)
    answer = design.recommend("1NNN 2NNT", pending=[(2, 0.5), (3, 0.25)])
    b = np.linspace(-6, 6, 150_001)
    skeleton = np.array(SKELETON)
    slope = np.exp(b)[:, None]
    p = skeleton**slope if model == "empiric" else expit(3 + slope * (logit(skeleton) - 3))
    density = np.exp(-(b**2) / 2 / 1.34) * (1 - p[:, 0]) ** 3 * (1 - p[:, 1]) ** 2 * p[:, 1]
    density *= (1 - 0.5 * p[:, 1]) * (1 - 0.25 * p[:, 2])
    density /= density.sum()
    share = np.cumsum(density)
    ends = [int(np.searchsorted(share, q)) for q in (0.975, 0.025)]
    for j, row in enumerate(answer.estimates):
        # the lattice of b is 8e-5 wide, that of the intervals 2.5e-3
        assert row.prob_above_target == pytest.approx(density[p[:, j] > 0.25].sum(), abs=1e-4)
        assert (row.lower, row.upper) == pytest.approx(tuple(p[end, j] for end in ends), abs=2e-4)


def test_rolling_six_does_not_go_down_to_a_level_that_is_full():
    answer = plan("rolling_six", 1).recommend("1NNNNNT 2TT")
    assert (answer.action, answer.level, answer.mtd) == ("stop", None, 1)
    assert plan("rolling_six", 1).recommend("1NNN 2TT").level == 1


def test_tite_boin_goes_on_with_exactly_half_pending():
    answer = plan("tite_boin").recommend("1NNN 2NN", pending=[(2, 0.9), (2, 0.9)])
    assert not answer.suspend
    assert plan("tite_boin").recommend("1NNN 2NN", pending=[(2, 0.9)] * 3).suspend
