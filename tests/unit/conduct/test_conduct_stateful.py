"""Sequences of wishes never over-allocate a seat, exceed what is cleared, break the stagger or change unaudited state.

Nor do they infuse anybody again without approval, too early or in a hold, take a seat for backfill, or let a hold
freeze what it does not cover. The oracles in tests/reference (conduct, further, backfill_places, audit_acts) are
written apart from the code; ``python -m tests.long_conduct`` sends many more.
"""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.walk_studies import STARTS, VARIANTS, walk_of, wishes_of

MOST_WISHES = max(len(wishes_of(name)) for name in VARIANTS)


class ConductMachine(RuleBasedStateMachine):
    """Hypothesis draws the variant of the study, where to begin, the wishes and what they are about."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn = iter(())

    def _draw(self, low: int, high: int) -> int:
        return low + next(self.drawn, 0) % (high - low + 1)

    @initialize(name=st.sampled_from(list(VARIANTS)), start=st.integers(0, STARTS - 1))
    def open(self, name: str, start: int) -> None:
        self.walk = walk_of(name, start, self._draw)

    @rule(wish=st.integers(0, MOST_WISHES - 1), drawn=st.lists(st.integers(0, 63), min_size=6, max_size=6))
    def send(self, wish: int, drawn: list[int]) -> None:
        self.drawn = iter([wish, *drawn])
        self.walk.step()

    @invariant()
    def nothing_is_violated(self) -> None:
        assert not hasattr(self, "walk") or self.walk.violations == []


TestConduct = ConductMachine.TestCase
TestConduct.settings = settings(
    max_examples=22, stateful_step_count=80, deadline=None, suppress_health_check=list(HealthCheck)
)
