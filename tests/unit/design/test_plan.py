import json

import pytest
from pydantic import ValidationError

from escalon.design import EscalationPlan, PendingPatient

MTPI = {"rule": {"kind": "mtpi", "target": 0.3}, "levels": 4, "cohort_size": 3, "max_patients": 24}


def plan(**changes) -> EscalationPlan:
    return EscalationPlan.model_validate({**MTPI, **changes})


def test_hash_is_stable_and_blind_to_the_order_of_guards():
    guards = [{"kind": "no_skipping"}, {"kind": "coherent"}, {"kind": "enough_at_dose", "n": 12}]
    first, second = plan(guards=guards), plan(guards=guards[::-1])
    assert first.hash == second.hash
    assert plan().hash == EscalationPlan.model_validate_json(plan().model_dump_json()).hash
    assert plan().hash == "e39d6fef7ce6dc12d5262b12b74ffbcb552b918d24882e8ec18a8933a6595926"
    assert plan(levels=5).hash != plan().hash


def test_round_trip_through_json():
    original = plan(guards=[{"kind": "enough_at_dose", "n": 9}], cohort_size=[1, 1, 3])
    assert EscalationPlan.model_validate(json.loads(original.model_dump_json())) == original


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rule": {"kind": "mtpi", "target": 0}}, "greater than 0"),
        ({"rule": {"kind": "mtpi", "target": 1}}, "less than 1"),
        ({"rule": {"kind": "mtpi", "target": 0.3, "nonsense": 1}}, "nonsense"),
        ({"rule": {"kind": "guess"}}, "guess"),
        ({"rule": {"kind": "mtpi", "target": 0.04}}, "must lie inside"),
        ({"start_level": 5}, "start_level: 5 exceeds"),
        ({"max_patients": None}, "max_patients: required"),
        ({"max_patients": 2}, "does not hold the first cohort"),
        ({"cohort_size": 0}, "cohort_size"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_plans_are_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        plan(**changes)


@pytest.mark.parametrize(
    ("outcomes", "action", "level"),
    [
        ("", "stay", 1),
        ("1NNN", "escalate", 2),
        ("1NNT", "stay", 1),
        ("1NTT", "stay", 1),
        ("1TTT", "stop", None),
        ("1NNN 2NTN", "stay", 2),
        ("1NNN 2NTT", "de_escalate", 1),
        ("1NNN 2TTT", "de_escalate", 1),
        ("1NNN 2TTT 1NNN", "stay", 1),
        ("1NNN 2NNN 3NNN 4NNN", "stay", 4),
        ("1NNN 2NN", "escalate", 3),
    ],
)
def test_mtpi_recommends(outcomes, action, level):
    answer = plan().recommend(outcomes)
    assert (answer.action, answer.level) == (action, level)
    assert all(reason.endswith(".") for reason in answer.reasons)


def test_elimination_closes_the_level_for_good():
    answer = plan().recommend("1NNN 2TTT 1NNN")
    assert answer.admissible == (1,)
    assert "Closed by the rule: levels 2, 3, 4." in answer.reasons


def test_an_unfinished_cohort_is_named_with_what_its_completion_would_say():
    reasons = " ".join(plan().recommend("1NNN 2NN").reasons)
    assert "The cohort of 3 at level 2 holds 2 so far" in reasons
    assert "0 DLTs: escalate (level 3); 1 DLT: stay (level 2)" in reasons
    assert "holds" not in " ".join(plan().recommend("1NNN 2NNN").reasons)
    assert "holds 2 so far" in " ".join(plan().recommend(([3, 2, 0, 0], [0, 0, 0, 0], 2)).reasons)


def test_pending_patients_do_not_count_but_are_told():
    answer = plan().recommend("1NNN 2N", pending=[(2, 0.5), PendingPatient(2, 0.1)])
    text = " ".join(answer.reasons)
    assert "2 patients at level 2 still in the DLT window, not counted" in text
    assert "1 DLT: stay (level 2); 2 DLTs: de-escalate (level 1)" in text
    with pytest.raises(ValueError, match="followup must lie in"):
        plan().recommend("1NNN", pending=[(2, 1.5)])
    with pytest.raises(ValueError, match="level 9 is unknown"):
        plan().recommend("1NNN", pending=[(9, 0.5)])


def test_a_full_trial_stops_with_its_mtd():
    answer = plan(max_patients=9).recommend("1NNN 2NNT 2NNN")
    assert (answer.action, answer.level, answer.mtd) == ("stop", None, 2)
    assert answer.reasons[-1] == "Stop: all 9 planned patients are treated; maximum tolerated dose: level 2."


def test_a_toxic_lowest_level_stops_without_mtd():
    answer = plan().recommend("1TTT")
    assert (answer.mtd, answer.admissible) == (None, ())


def test_counts_and_string_agree():
    by_text = plan().recommend("1NNN 2NTN")
    by_counts = plan().recommend(([3, 3, 0, 0], [0, 1, 0, 0], 2))
    assert (by_text.action, by_text.level, by_text.estimates) == (
        by_counts.action,
        by_counts.level,
        by_counts.estimates,
    )
    with pytest.raises(ValueError, match="no patient was treated at level 3"):
        plan().recommend(([3, 3, 0, 0], [0, 1, 0, 0], 3))


def test_inputs_carry_the_counts_and_the_plan():
    inputs = plan().recommend("1NNN 2NTN").inputs
    assert inputs["n"] == [3, 3, 0, 0]
    assert inputs["y"] == [0, 1, 0, 0]
    assert inputs["plan"] == plan().hash


def test_estimates_hold_the_beta_interval():
    level_two = plan().recommend("1NNN 2NTN").estimates[1]
    assert level_two.rate == pytest.approx(1 / 3)
    assert level_two.estimate == pytest.approx(2 / 5)
    # Beta(2, 3): quantiles from the polynomial cdf 6x^2 - 8x^3 + 3x^4
    for quantile, probability in ((level_two.lower, 0.025), (level_two.upper, 0.975)):
        x = quantile
        assert 6 * x**2 - 8 * x**3 + 3 * x**4 == pytest.approx(probability, abs=1e-9)


@pytest.mark.parametrize(
    ("variant", "outcomes", "action", "level", "mtd"),
    [
        ("A", "1NNN 2NN", "stay", 2, None),
        ("A", "1NNN 2NTT", "stop", None, 1),
        ("B", "1NNN 2NTT", "de_escalate", 1, None),
        ("B", "1NNN 2NTT 1NNT", "stop", None, 1),
        ("B", "1NNN 2NTT 1NTT", "stop", None, None),
        ("B", "1NNN 2NNN 3NNN 4NNN", "stop", None, 4),
        ("C", "1NNN 2NNN 3NNN 4NNN", "stay", 4, None),
        ("C", "1NNN 2NNN 3NNN 4NNN 4NNT", "stop", None, 4),
        ("B", "1NNT", "stay", 1, None),
        ("B", "1NT", "stay", 1, None),
        ("B", "1TT", "stop", None, None),
    ],
)
def test_three_plus_three_recommends(variant, outcomes, action, level, mtd):
    design = EscalationPlan.model_validate(
        {"rule": {"kind": "three_plus_three", "variant": variant}, "levels": 4}
    )
    answer = design.recommend(outcomes)
    assert (answer.action, answer.level, answer.mtd) == (action, level, mtd)
