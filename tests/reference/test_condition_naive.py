"""Conditions answer as the second implementation does, and answer for whatever a record holds."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from escalon.protocol.forms_conditions import Answers, Condition, holds
from tests.reference.condition_naive import truth

NUMBERS = st.integers(-3, 3) | st.sampled_from([-0.5, 0.25, 1.5])
TIMES = st.sampled_from(
    [
        "2021",
        "2021-03",
        "2021-03-04",
        "2021-03-05",
        "2022-01",
        "2021-03-04T10:00:00+00:00",
        "2021-03-04T11:00:00+02:00",
    ]
)
ANSWERS = (
    st.none() | NUMBERS | TIMES | st.sampled_from(["CRS", "Y", "", {"missing": "ND"}, {"missing": "UNK"}])
)
NAMES = st.sampled_from(["A", "B", "C"])
RECORD = st.dictionaries(NAMES, ANSWERS)
OTHERS = st.lists(st.tuples(st.sampled_from(["VS", "LB"]), st.sampled_from([None, "D0"]), RECORD), max_size=3)
PICKS = st.sampled_from(["first", "latest", "lowest", "highest"])
SOURCES: st.SearchStrategy[dict[str, Any]] = (
    st.fixed_dictionaries({"item": NAMES})
    | st.fixed_dictionaries(
        {"item": NAMES, "form": st.just("VS"), "pick": PICKS}, optional={"visit": st.just("D0")}
    )
    | st.fixed_dictionaries({"patient": st.sampled_from(["consented_on", "assigned_dose"])})
    | st.fixed_dictionaries(
        {"times": st.lists(NUMBERS | st.fixed_dictionaries({"item": NAMES}), min_size=1, max_size=3)}
    )
)
PLAIN = (
    st.fixed_dictionaries({"is": st.lists(st.sampled_from(["CRS", "Y", 1, 2]), min_size=1)})
    | st.fixed_dictionaries({"is_not": st.sampled_from(["CRS", "Y", 1])})
    | st.fixed_dictionaries({"given": st.booleans()})
    | st.fixed_dictionaries({"missing": st.lists(st.sampled_from(["ND", "UNK"]), min_size=1)})
    | st.sampled_from(["less_than", "at_most", "at_least", "more_than"]).flatmap(
        lambda name: st.fixed_dictionaries({name: NUMBERS | SOURCES})
    )
    | st.sampled_from(["before", "not_before", "after", "not_after"]).flatmap(
        lambda name: st.fixed_dictionaries({name: TIMES | SOURCES})
    )
    | st.fixed_dictionaries({"differs_from": NUMBERS | SOURCES, "by_more_than": st.sampled_from([0, 0.5])})
)
CONDITIONS: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.builds(lambda source, relation: {**source, **relation}, SOURCES, PLAIN),
    lambda inner: (
        st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)})
        | st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)})
        | st.fixed_dictionaries({"not": inner})
    ),
    max_leaves=6,
)
PATIENT = st.fixed_dictionaries({}, optional={"consented_on": TIMES, "assigned_dose": NUMBERS})


@settings(max_examples=400)
@given(CONDITIONS, RECORD, OTHERS, PATIENT)
def test_both_implementations_agree(
    spec: dict[str, Any], record: dict[str, Any], others: list[Any], patient: dict[str, Any]
) -> None:
    condition = Condition.model_validate(spec)
    assert holds(condition, Answers(record, others, patient)) is truth(spec, record, others, patient)


WHATEVER = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | TIMES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner, max_size=2),
    max_leaves=4,
)


@given(CONDITIONS, st.dictionaries(NAMES, WHATEVER), st.dictionaries(NAMES, WHATEVER))
def test_every_condition_has_an_answer_for_every_record(
    spec: dict[str, Any], record: dict[str, Any], other: dict[str, Any]
) -> None:
    condition = Condition.model_validate(spec)
    answers = Answers(
        record, [("VS", "D0", other)], {"consented_on": other.get("A"), "assigned_dose": other.get("B")}
    )
    assert holds(condition, answers) in (True, False, None)
    assert isinstance(condition.words(), str)
