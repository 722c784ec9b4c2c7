"""BF-BOIN against the plain implementation in backfill_naive."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from escalon.design import EscalationPlan
from escalon.design.backfill import UNSAFE, decide_backfill, open_for_backfill
from tests.reference import backfill_naive as naive

LEVEL = st.integers(1, 14).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, min(n, 7))))


def plan(target):
    return EscalationPlan.model_validate(
        {"rule": {"kind": "boin", "target": target}, "levels": 5, "max_patients": 30, "backfill": {"cap": 12}}
    )


@given(st.lists(LEVEL, min_size=2, max_size=5), st.data(), st.sampled_from([0.2, 0.25, 0.3]))
@settings(max_examples=400, deadline=None)
def test_next_level_and_open_levels(tried, data, target):
    counts = tried + [(0, 0)] * (5 - len(tried))
    n, y = ([count[i] for count in counts] for i in (0, 1))
    d = data.draw(st.integers(0, len(tried) - 1))
    arrays = np.array([n]), np.array([y])
    decision = decide_backfill(plan(target), *arrays, np.array([d]))
    found = None if decision.stop[0] == UNSAFE else int(decision.level[0])
    assert found == naive.next_level(n, y, d, target)
    responded = data.draw(st.lists(st.booleans(), min_size=5, max_size=5))
    held = [
        k + extra
        for k, extra in zip(n, data.draw(st.lists(st.integers(0, 3), min_size=5, max_size=5)), strict=True)
    ]
    ready = open_for_backfill(plan(target), *arrays, np.array([held]), np.array([responded]), np.array([d]))
    assert np.flatnonzero(ready[0]).tolist() == naive.open_levels(n, y, held, responded, d, target, 12)
