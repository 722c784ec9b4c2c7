"""Sequences of wishes never over-allocate a seat, exceed what is cleared, break the stagger or change unaudited state.

The oracle (tests/reference/conduct_oracle.py) is written apart from the code; ``python -m tests.long_conduct`` sends
many more.
"""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from escalon.pipeline import open_study
from escalon.protocol import StudyFolder
from tests.conduct_walk import WISHES, Walk
from tests.study_files import BALLI

_OPENED: dict[str, StudyFolder] = {}


def _folder() -> StudyFolder:
    if "balli" not in _OPENED:
        _OPENED["balli"] = open_study(BALLI)
    return _OPENED["balli"]


class ConductMachine(RuleBasedStateMachine):
    """Hypothesis draws the wishes and what they are about."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn = iter(())
        self.walk = Walk(_folder(), self._draw)

    def _draw(self, low: int, high: int) -> int:
        return low + next(self.drawn, 0) % (high - low + 1)

    @initialize()
    def open(self) -> None:
        self.walk.start()

    @rule(
        wish=st.sampled_from(range(len(WISHES))), drawn=st.lists(st.integers(0, 63), min_size=6, max_size=6)
    )
    def send(self, wish: int, drawn: list[int]) -> None:
        self.drawn = iter([wish, *drawn])
        self.walk.step()

    @invariant()
    def nothing_is_violated(self) -> None:
        assert self.walk.violations == []


TestConduct = ConductMachine.TestCase
TestConduct.settings = settings(
    max_examples=25, stateful_step_count=80, deadline=None, suppress_health_check=list(HealthCheck)
)
