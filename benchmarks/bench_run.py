"""The demonstration run: wall time and memory of a fresh process, and how fast the help appears."""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure, best_of

ROOT = Path(__file__).parents[1]
ESCALON = [sys.executable, "-c", "from escalon.cli import main; main()"]


def figures() -> Iterator[Figure]:
    yield Figure("escalon --help", best_of(lambda: _escalon("--help")), 0.5, "s")
    with tempfile.TemporaryDirectory() as scratch:
        start = os.times().elapsed
        _escalon(
            "run", str(ROOT / "studies" / "balli-01"), "--seed", "1", "--out", f"{scratch}/run", "--json"
        )
        yield Figure("escalon run studies/balli-01", os.times().elapsed - start, 40, "s")
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
    yield Figure("memory of the run", memory, 1.5, "GB")


def _escalon(*arguments: str) -> None:
    subprocess.run([*ESCALON, *arguments], check=True, capture_output=True)
