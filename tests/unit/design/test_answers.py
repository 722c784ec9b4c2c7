import json
import subprocess
import sys

import pytest

from escalon.design import EscalationPlan, exact_oc
from escalon.design.answers import mtd_answer, next_answer, oc_answer, table_answer

PLAN = EscalationPlan.model_validate(
    {"rule": {"kind": "mtpi", "target": 0.3}, "levels": 3, "cohort_size": 3, "max_patients": 12}
)


def test_answers_are_plain_json():
    answers = [
        table_answer(PLAN),
        next_answer(PLAN, "1NNN 2NTN", [(2, 0.5)]),
        oc_answer(PLAN, [0.1, 0.2, 0.4]),
        mtd_answer(PLAN, [3, 6, 3], [0, 1, 2]),
    ]
    for answer in answers:
        assert json.loads(json.dumps(answer, allow_nan=False)) == answer


def test_table_rows():
    row = table_answer(PLAN)["rows"][2]
    assert row == {
        "n": 3,
        "decisions": ["E", "S", "D", "DU"],
        "escalate_le": 0,
        "deescalate_ge": 2,
        "eliminate_ge": 3,
    }


def test_next_and_mtd():
    assert next_answer(PLAN, "1NNN")["action"] == "escalate"
    assert mtd_answer(PLAN, [3, 6, 3], [0, 1, 2])["level"] == 2


def test_unknown_method():
    with pytest.raises(ValueError, match="method: 'guess' is unknown"):
        oc_answer(PLAN, [0.1, 0.2, 0.4], method="guess")


@pytest.mark.parametrize(
    "rule", [{"kind": "boin", "target": 0.3, "extra_safe": True}, {"kind": "mtpi", "target": 0.3}]
)
@pytest.mark.parametrize("missing", [None, {"kind": "replace", "probability": 0.1}])
def test_one_answer_without_compiled_code_is_the_compiled_one(rule, missing):
    plan = EscalationPlan.model_validate(
        {"rule": rule, "levels": 5, "cohort_size": [1, 3], "max_patients": 16, "non_evaluable": missing}
    )
    truth = [0.05, 0.1, 0.25, 0.35, 0.5]
    asked, compiled = oc_answer(plan, truth), exact_oc(plan, truth).to_dict()
    assert set(asked) == set(compiled)
    for name in ("prob_select", "prob_none", "mean_n", "mean_dlt", "prob_overdose_60", "prob_overdose_80"):
        # sums of some thousand terms in another order
        assert asked[name] == pytest.approx(compiled[name], abs=1e-12)
    assert asked["n_distribution"] == pytest.approx(compiled["n_distribution"], abs=1e-12)
    assert asked["states"] == compiled["states"]


def test_one_small_answer_does_not_wait_for_the_compiler():
    code = (
        "import sys; from escalon.design import EscalationPlan; from escalon.design.answers import oc_answer; "
        "plan = EscalationPlan.model_validate({'rule': {'kind': 'boin', 'target': 0.3}, 'levels': 6, "
        "'max_patients': 30}); oc_answer(plan, [.05, .1, .2, .3, .4, .5]); print('numba' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
