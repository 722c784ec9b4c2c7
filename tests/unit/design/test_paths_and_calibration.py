import json

import numpy as np
import pytest

from escalon.design import EscalationPlan, dose_paths, enumerate_plan
from escalon.design.answers import fit_answer, paths_answer, simon_answer, skeleton_answer
from escalon.design.calibrate import (
    compute_indifference,
    compute_skeleton,
    fit_prior_to_quantiles,
    search_parameters,
)
from escalon.design.rules import Blrm, Crm

PLAN = EscalationPlan.model_validate(
    {"rule": {"kind": "boin", "target": 0.3}, "levels": 3, "cohort_size": 3, "max_patients": 9}
)
SCENARIO = [0.1, 0.3, 0.5]


def test_leaves_carry_the_whole_probability():
    tree = dose_paths(PLAN, 3, SCENARIO)
    leaves = [leaf for node in tree for leaf in node.leaves()]
    assert sum(leaf.probability for leaf in leaves) == pytest.approx(1, abs=1e-13)
    assert len(leaves) == enumerate_plan(PLAN).paths_total
    oc = enumerate_plan(PLAN).oc(SCENARIO)
    for level in (1, 2, 3):
        chosen = sum(leaf.probability for leaf in leaves if leaf.mtd == level)
        assert chosen == pytest.approx(oc.prob_select[level - 1], abs=1e-13)


def test_nodes_say_what_recommend_says():
    for node in dose_paths(PLAN, 1, after="1NNN"):
        text = "1NNN 2" + "T" * node.dlts + "N" * (3 - node.dlts)
        answer = PLAN.recommend(text)
        assert (node.action, node.next_level) == (answer.action, answer.level)


def test_bad_paths():
    with pytest.raises(ValueError, match="at least 1"):
        dose_paths(PLAN, 0)
    with pytest.raises(ValueError, match="more than 200000 nodes"):
        dose_paths(PLAN, 12)
    with pytest.raises(ValueError, match="this trial has ended"):
        dose_paths(PLAN, 1, after="1TTT")


def test_a_skeleton_has_the_half_width_it_was_made_for():
    for model in ("empiric", "logistic"):
        skeleton = compute_skeleton(0.06, 0.3, 3, 5, model)
        assert skeleton[2] == pytest.approx(0.3, abs=1e-14)
        rule = Crm(target=0.3, skeleton=skeleton, model=model)
        b = np.linspace(-8, 4, 200_001)
        p = rule.prob_tox(b)
        for k in range(4):
            edge = np.argmin(np.abs(p[:, k] - 0.24))
            assert p[edge, k + 1] == pytest.approx(0.36, abs=1e-4)


def test_indifference_intervals_hold_the_target():
    skeleton = compute_skeleton(0.05, 0.25, 3, 5)
    intervals = compute_indifference(skeleton, 0.25)
    for low, high in intervals[1:-1]:
        assert low == pytest.approx(0.2, abs=0.005)
        assert high == pytest.approx(0.3, abs=0.005)
    assert intervals[0][1] == 1
    assert intervals[-1][0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.3, 0.25, 3, 5), "halfwidth"),
        ((0.05, 1.0, 3, 5), "target"),
        ((0.05, 0.25, 6, 5), "prior_mtd"),
    ],
)
def test_bad_skeletons(arguments, message):
    with pytest.raises(ValueError, match=message):
        compute_skeleton(*arguments)


def test_a_prior_gives_its_own_quantiles_back():
    doses = (5.0, 10.0, 20.0)
    truth = Blrm(doses=doses, ref_dose=10.0, prior_mean=(-1.0, 0.2), prior_sd=(1.2, 0.5))
    zero = np.zeros((1, 3), dtype=int)
    ladder = np.linspace(0.001, 0.999, 999)
    above = np.array([truth.prob_above(zero, zero, float(limit))[0] for limit in ladder])
    wanted = {
        q: [float(np.interp(q, 1 - above[:, j], ladder)) for j in range(3)]
        for q in (0.05, 0.25, 0.5, 0.75, 0.95)
    }
    found = fit_prior_to_quantiles(doses, 10.0, wanted)
    assert found.mean == pytest.approx((-1.0, 0.2), abs=0.02)
    assert found.sd == pytest.approx((1.2, 0.5), abs=0.02)
    assert found.worst < 2e-3


def test_search_ranks_by_the_score():
    found = search_parameters(
        PLAN, {"elimination": [0.8, 0.95], "p_tox": [0.36, 0.42, 0.2]}, [SCENARIO, [0.3, 0.5, 0.6]]
    )
    assert len(found) == 4  # p_tox 0.2 lies below the target and is left out
    scores = [candidate.score for candidate in found]
    assert scores == sorted(scores, reverse=True)
    with pytest.raises(ValueError, match="refuses every combination"):
        search_parameters(PLAN, {"p_tox": [0.1]}, [SCENARIO])


def test_answers_are_plain_json():
    crm = EscalationPlan.model_validate(
        {
            "rule": {"kind": "crm", "target": 0.25, "skeleton": [0.1, 0.25, 0.4]},
            "levels": 3,
            "max_patients": 12,
        }
    )
    blrm = EscalationPlan.model_validate(
        {"rule": {"kind": "blrm", "doses": [1, 2, 4], "ref_dose": 2}, "levels": 3, "max_patients": 12}
    )
    answers = [
        fit_answer(crm, "1NNN 2NT", [1, 1, 1, 0.5, 1]),
        fit_answer(blrm, "1NNN 2NT"),
        paths_answer(PLAN, 2, SCENARIO),
        skeleton_answer(0.05, 0.25, 3, 5),
        simon_answer(0.2, 0.4, 0.05, 0.2, nmax=50),
    ]
    for answer in answers:
        assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert answers[0]["mtd"] in (1, 2, 3)
    assert answers[4]["optimal"]["n1"] == 13
    with pytest.raises(ValueError, match="model: 'guess' is unknown"):
        skeleton_answer(0.05, 0.25, 3, 5, "guess")
