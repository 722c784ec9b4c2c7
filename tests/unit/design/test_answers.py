import json

import pytest

from escalon.design import EscalationPlan
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
