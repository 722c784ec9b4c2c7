"""One measured figure, and how to measure it."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One line of the table. `peers`: other programs and their published times for the same question, in the same
    unit; they were not measured in this run."""

    what: str
    measured: float
    limit: float
    unit: str
    peers: tuple[tuple[str, float], ...] = ()

    @property
    def ratio(self) -> float:
        return self.measured / self.limit

    @property
    def against_peers(self) -> dict[str, float]:
        """How many times as long each peer takes."""
        return {name: time / self.measured for name, time in self.peers}

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio, "against_peers": self.against_peers}


def best_of(action: Callable[[], object], repeats: int = 5) -> float:
    """Seconds of the fastest of ``repeats`` calls, after one warm-up."""
    action()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)
