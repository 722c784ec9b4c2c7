import pytest

from escalon.criteria.relatedness import SCALE, combine, is_related
from escalon.virtual.safety_desk import raise_relation


@pytest.mark.parametrize("limiting", [True, False])
@pytest.mark.parametrize("opinion", SCALE)
def test_a_raised_relation_is_at_most_one_step_stronger(opinion: str, limiting: bool) -> None:
    raised = raise_relation(opinion, limiting)
    assert SCALE.index(raised) - SCALE.index(opinion) in (0, 1)
    assert combine("UCART22", opinion, raised).combined == raised
    if limiting:
        assert is_related(raised) is is_related(opinion)


def test_what_is_raised_and_what_stays() -> None:
    assert raise_relation("POSSIBLE", limiting=True) == "PROBABLE"
    assert raise_relation("UNLIKELY", limiting=True) == "UNLIKELY"
    assert raise_relation("UNLIKELY", limiting=False) == "POSSIBLE"
    assert raise_relation("NOT RELATED", limiting=False) == "NOT RELATED"
