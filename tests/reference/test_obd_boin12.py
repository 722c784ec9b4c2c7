"""BOIN12 against the plain implementation in obd_boin12."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalon.design import EscalationPlan, exact_oc
from escalon.design.decide import UNSAFE, decide
from escalon.design.rules import Boin12
from escalon.design.rules.efficacy import EfficacyStates
from tests.reference import obd_boin12 as naive

LIMITS = {"tox_limit": 0.35, "eff_limit": 0.25}
UNEVEN = (100, 30, 50, 0)


@st.composite
def states(draw, levels=4):
    """Counts per level without gaps below the highest tried level, and a current level."""
    tried = draw(st.integers(1, levels))
    rows = []
    for j in range(levels):
        cells = draw(st.tuples(*[st.integers(0, 4)] * 4)) if j < tried else (0, 0, 0, 0)
        cells = (1, *cells[1:]) if j < tried and sum(cells) == 0 else cells
        both, only_tox, only_eff, _ = cells
        rows.append((sum(cells), both + only_tox, both + only_eff, both))
    n, y, e, b = (list(part) for part in zip(*rows, strict=True))
    return n, y, e, b, draw(st.integers(0, tried - 1))


@given(states(), st.sampled_from([naive.U, UNEVEN]))
@settings(max_examples=150, deadline=None)
def test_next_level_and_selection(state, utilities):
    n, y, e, b, d = state
    plan = EscalationPlan.model_validate(
        {"rule": {"kind": "boin12", **LIMITS, "utilities": utilities}, "levels": 4, "max_patients": 100}
    )
    found = EfficacyStates(
        *(np.array([part]) for part in (n, y)), np.array([d]), e=np.array([e]), both=np.array([b])
    )
    decision = decide(plan, found)
    expected = naive.next_level(n, y, e, b, d, 0.35, 0.25, utilities)
    assert (None if decision.stop[0] == UNSAFE else int(decision.level[0])) == expected
    chosen = int(plan.rule.select_obd(found)[0])
    assert (None if chosen < 0 else chosen) == naive.select(n, y, e, b, 0.35, 0.25, utilities)


@given(st.integers(0, 12).flatmap(lambda n: st.tuples(st.just(n), *[st.integers(0, n)] * 2)))
@settings(max_examples=50, deadline=None)
def test_desirability(counts):
    n, y, e = counts
    rule = Boin12(**LIMITS)
    both = max(0, y + e - n)
    found = rule.desirability(*(np.array(v) for v in (n, y, e, both)))
    assert float(found) == pytest.approx(naive.desirability(n, y, e, both, 0.35, 0.25), abs=1e-13)


@pytest.mark.parametrize(("odds", "utilities", "total"), [(1.0, naive.U, 8), (3.0, UNEVEN, 6)])
def test_exact_characteristics_equal_the_tree_of_all_paths(odds, utilities, total):
    p, q = [0.1, 0.3, 0.45], [0.2, 0.4, 0.5]
    plan = EscalationPlan.model_validate(
        {
            "rule": {"kind": "boin12", **LIMITS, "utilities": utilities, "n_star": 6},
            "levels": 3,
            "cohort_size": 2,
            "max_patients": total,
        }
    )
    oc = exact_oc(plan, p, q, odds)
    pq = []
    for a, b in zip(p, q, strict=True):  # the root of the odds ratio equation by bisection
        low, high = max(0.0, a + b - 1), min(a, b)
        for _ in range(200):
            middle = (low + high) / 2
            ratio = middle * (1 - a - b + middle) - odds * (a - middle) * (b - middle)
            low, high = (middle, high) if ratio < 0 else (low, middle)
        pq.append(middle)
    selected, mean_n = naive.outcome_tree(3, 2, total, p, q, pq, 0.35, 0.25, utilities)
    np.testing.assert_allclose([*oc.prob_select, oc.prob_none], selected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(oc.mean_n, mean_n, rtol=0, atol=1e-11)
    assert sum(oc.n_distribution.values()) == pytest.approx(1, abs=1e-12)
