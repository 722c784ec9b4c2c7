"""Run all benchmarks and print their figures against the limit each one states: ``make bench``.

A benchmark module ``bench_*.py`` has a function ``figures()`` that yields ``Figure`` rows. A figure is a ratio where a
peer or an older way can be timed in the same run, and a time against a limit otherwise. Where a peer's time is
published, it stands in the same line with the ratio to ours.
"""

import importlib
import json
import pkgutil
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

import benchmarks
from benchmarks.figure import Figure


def collect() -> list[Figure]:
    names = sorted(m.name for m in pkgutil.iter_modules(benchmarks.__path__) if m.name.startswith("bench_"))
    rows: list[Figure] = []
    with Console(stderr=True).status("") as status:
        for name in names:
            status.update(name)
            rows += importlib.import_module(f"benchmarks.{name}").figures()
    return rows


def main() -> None:
    rows = collect()
    grid = Table(box=box.SIMPLE_HEAD)
    for title in ("what", "measured", "limit", "share of limit", "against peers (published times)"):
        grid.add_column(title, justify="left" if title[0] in "wa" else "right")
    for row in rows:
        peers = [f"{row.against_peers[name]:,.0f} x {name} ({time:g} {row.unit})" for name, time in row.peers]
        grid.add_row(
            row.what,
            f"{row.measured:.4g} {row.unit}",
            f"{row.limit:g} {row.unit}",
            f"{row.ratio:.2f}",
            "\n".join(peers),
        )
    Console().print(grid)
    out = Path("build") / "bench.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps([row.as_dict() for row in rows], indent=2) + "\n")


if __name__ == "__main__":
    main()
