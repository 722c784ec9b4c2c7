import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalon.design import Cohort, format_outcomes, parse_outcomes
from escalon.design.outcomes import check_counts


def test_counts_and_current_level():
    outcomes = parse_outcomes("1NNN 2NTN 1NT", 3)
    assert outcomes.n.tolist() == [5, 3, 0]
    assert outcomes.y.tolist() == [1, 1, 0]
    assert outcomes.current_level == 1


def test_nothing_observed():
    outcomes = parse_outcomes("  ", 2)
    assert outcomes.n.tolist() == [0, 0]
    assert outcomes.current_level is None


@given(st.lists(st.tuples(st.integers(1, 12), st.lists(st.booleans(), min_size=1, max_size=6)), max_size=8))
def test_format_then_parse_is_identity(raw):
    cohorts = tuple(Cohort(level, tuple(dlt)) for level, dlt in raw)
    assert parse_outcomes(format_outcomes(cohorts), 12).cohorts == cohorts


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1NNX", "unknown letter X in '1NNX'; use N .no DLT., T .DLT. and U .not evaluable."),
        ("4NNN", "level 4 in '4NNN' is unknown; the plan has levels 1 to 3"),
        ("0NNN", "level 0"),
        ("NNN", "'NNN' is not a cohort"),
        ("1NN2N", "'1NN2N' is not a cohort"),
    ],
)
def test_faulty_text_is_named(text, message):
    with pytest.raises(ValueError, match=message):
        parse_outcomes(text, 3)


@pytest.mark.parametrize(
    ("n", "y", "message"),
    [
        ([3, 3], [0, 4], "4 patients with a DLT at level 2, but only n = 3"),
        ([3], [0], "n: 2 counts expected"),
        ([3, -1], [0, 0], "n: counts must be whole"),
        ([3, 3], [0.5, 0], "y: counts must be whole"),
    ],
)
def test_impossible_counts_are_named(n, y, message):
    with pytest.raises(ValueError, match=message):
        check_counts(n, y, 2)


def test_patients_who_cannot_be_judged_are_kept_apart():
    outcomes = parse_outcomes("1NUNT 2UU", 3)
    assert (outcomes.n.tolist(), outcomes.y.tolist(), outcomes.x.tolist()) == (
        [3, 0, 0],
        [1, 0, 0],
        [1, 2, 0],
    )
    assert outcomes.current_level == 2
    assert parse_outcomes(format_outcomes(outcomes.cohorts), 3) == parse_outcomes("1NNTU 2UU", 3)
