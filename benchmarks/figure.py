"""One measured figure, and how to measure it."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    what: str
    measured: float
    limit: float
    unit: str

    @property
    def ratio(self) -> float:
        return self.measured / self.limit

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio}


def best_of(action: Callable[[], object], repeats: int = 5) -> float:
    """Seconds of the fastest of ``repeats`` calls, after one warm-up."""
    action()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)
