"""BF-BOIN against the plain implementation in backfill_naive."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalon.design import EscalationPlan, select_mtd
from escalon.design.backfill import UNSAFE, Backfill, decide_backfill, open_for_backfill
from escalon.design.simulate_backfill import simulate_backfill_trials
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


@pytest.mark.parametrize("count_backfill", [True, False])
@pytest.mark.parametrize("accrual", [1.0, 4.0])
def test_trials_event_by_event(accrual, count_backfill):
    p, q, trials = [0.1, 0.25, 0.3, 0.4, 0.5], [0.4, 0.4, 0.5, 0.5, 0.6], 150
    guards = [{"kind": "enough_at_dose", "n": 9}]
    design = plan(0.25).model_copy(
        update={
            "guards": with_guards(guards),
            "max_patients": 18,
            "backfill": Backfill(cap=12, counts_in_escalation=count_backfill),
        }
    )

    def draw(rows):
        return [np.random.Generator(np.random.Philox(key=k)).random((rows, trials)) for k in range(5)]

    found = simulate_backfill_trials(design, np.array(p), np.array(q), draw, accrual, False)
    uniforms = draw(400)
    for i in range(trials):
        counted, stop, end = naive.run_trial(
            p, q, [part[:, i] for part in uniforms[:4]], 0.25, 3, 18, 12, 9, accrual, count_backfill
        )
        n = [sum(level == j for level, _, _ in counted) for j in range(5)]
        y = [sum(level == j and dlt for level, dlt, _ in counted) for j in range(5)]
        extra = [sum(level == j and backfill for level, _, backfill in counted) for j in range(5)]
        assert (found.n[i].tolist(), found.y[i].tolist(), found.backfill[i].tolist()) == (n, y, extra), i
        assert found.duration[i] == pytest.approx(end, abs=1e-12)
        assert (found.mtd[i] == -1) or stop != "unsafe"
        deciding = [(level, dlt) for level, dlt, backfill in counted if count_backfill or not backfill]
        own_n = [sum(level == j for level, _ in deciding) for j in range(5)]
        own_y = [sum(level == j and dlt for level, dlt in deciding) for j in range(5)]
        selected = -1 if stop == "unsafe" else (select_mtd(design, own_n, own_y) or 0) - 1
        assert int(found.mtd[i]) == selected


def with_guards(guards):
    content = plan(0.25).model_dump() | {"guards": guards}
    return EscalationPlan.model_validate(content).guards
