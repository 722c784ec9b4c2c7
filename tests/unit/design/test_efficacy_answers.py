import json

import pytest

from escalon.design import EscalationPlan, dose_paths
from escalon.design.answers import mtd_answer, next_answer, oc_answer

BOIN12 = EscalationPlan.model_validate(
    {"rule": {"kind": "boin12", "tox_limit": 0.35, "eff_limit": 0.25}, "levels": 2, "max_patients": 9}
)
BACKFILL = EscalationPlan.model_validate(
    {"rule": {"kind": "boin", "target": 0.25}, "levels": 2, "max_patients": 9, "backfill": {"cap": 6}}
)


def plain(answer):
    return json.loads(json.dumps(answer, allow_nan=False))


def test_recommendations_are_plain_values():
    assert plain(next_answer(BOIN12, "1NEB"))["efficacy"][0]["e"] == 2
    assert plain(next_answer(BACKFILL, "1NEN 2NNN"))["backfill"] == [1]


def test_characteristics_are_plain_values():
    exact = plain(oc_answer(BOIN12, [0.1, 0.3], prob_eff=[0.3, 0.5]))
    simulated = plain(oc_answer(BOIN12, [0.1, 0.3], "simulate", 200, 1, prob_eff=[0.3, 0.5]))
    assert set(exact) == set(simulated)
    assert exact["best_level"] == 2
    # level 1 violates the efficacy limit: no utility
    assert plain(oc_answer(BOIN12, [0.1, 0.3], prob_eff=[0.1, 0.5]))["true_utility"][0] is None
    filled = plain(oc_answer(BACKFILL, [0.1, 0.3], "simulate", 200, 1, prob_eff=[0.3, 0.5], accrual=3))
    assert filled["mean_total_backfill"] > 0


def test_final_dose():
    assert mtd_answer(BOIN12, [6, 3], [0, 1], [2, 2])["level"] in (1, 2)
    with pytest.raises(ValueError, match="responses are needed"):
        mtd_answer(BOIN12, [6, 3], [0, 1])


@pytest.mark.parametrize(("plan", "what"), [(BOIN12, "rule boin12"), (BACKFILL, "backfill")])
def test_paths_are_refused(plan, what):
    with pytest.raises(ValueError, match=f"paths: {what} needs more"):
        dose_paths(plan, 1)


def test_exact_backfill_is_refused():
    with pytest.raises(ValueError, match="simulate this plan"):
        oc_answer(BACKFILL, [0.1, 0.3])
