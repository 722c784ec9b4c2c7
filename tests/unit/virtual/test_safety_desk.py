import pytest

from escalon.criteria.relatedness import SCALE, combine, is_related
from escalon.virtual.safety_desk import raise_relation


@pytest.mark.parametrize("opinion", SCALE)
def test_a_raised_relation_is_at_most_one_step_stronger_and_makes_nothing_related(opinion: str) -> None:
    raised = raise_relation(opinion)
    assert SCALE.index(raised) - SCALE.index(opinion) in (0, 1)
    assert is_related(raised) is is_related(opinion)
    assert combine("UCART22", opinion, raised).combined == raised


def test_what_is_raised_and_what_stays() -> None:
    assert raise_relation("POSSIBLE") == "PROBABLE"
    assert raise_relation("UNLIKELY") == "UNLIKELY"
