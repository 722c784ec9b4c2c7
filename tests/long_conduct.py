"""Random command sequences through conduct, watched by the oracles.

``python -m tests.long_conduct wishes [number] [--seed S]`` sends at least that many wishes, in walks of 800.
``python -m tests.long_conduct sequences [number] [--seed S]`` checks that many sequences: after each wish of a walk of
400 a copy of the trial goes another way for five wishes.

The walks go round the variants and starts of ``walk_studies`` (``--study NAME``: one variant). ``--processes N`` shares
them among N processes; the same seed gives the same walks however many there are. ``--until HH:MM`` (UTC) begins no
walk after that moment and reports what was done. ``--log FILE`` keeps the totals by kind of wish and outcome, written
anew after each walk. Exits with 1 when the oracles find anything.
"""

import argparse
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing import Pool
from pathlib import Path

from tests.walk_studies import STARTS, VARIANTS, walk_of

STEPS = 800
"""Wishes of one walk that does not branch."""
BRANCHING, BRANCH = 400, 5
"""Wishes of a walk that branches, and of each branch."""
BAR = 30


@dataclass
class Result:
    """What came of one walk, or of many: sequences, wishes by kind and outcome, facts by kind, violations."""

    sequences: int = 0
    wishes: Counter[str] = field(default_factory=Counter)
    facts: Counter[str] = field(default_factory=Counter)
    studies: Counter[str] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)

    def add(self, other: "Result") -> None:
        """Take in what came of another walk."""
        self.sequences += other.sequences
        self.wishes.update(other.wishes)
        self.facts.update(other.facts)
        self.studies.update(other.studies)
        self.found += other.found


@dataclass(frozen=True)
class Order:
    """One walk: its number, how many wishes, in which variant and start, and whether it branches."""

    number: int
    steps: int
    study: str
    start: int
    branches: bool


def orders(total: int, names: list[str], *, branches: bool) -> Iterator[Order]:
    """The walks that make up ``total``: round the starts, and round the variants for each."""
    number, length = 0, BRANCHING if branches else STEPS
    while total > 0:
        steps = min(length, total) if branches else length
        start = number // len(names) % STARTS
        yield Order(number, steps, names[number % len(names)], start, branches)
        number, total = number + 1, total - steps


def go(order: Order, seed: int, until: datetime | None = None) -> Result:
    """Take one walk, if it is not yet ``until``; stop at the first violation."""
    result = Result()
    if until is not None and datetime.now(UTC) >= until:
        return result
    walk = walk_of(order.study, order.start, random.Random(f"{seed}/{order.number}").randint)
    for step in range(order.steps):
        walk.step()
        found = list(walk.violations)
        if order.branches and not found:
            other = walk.copied(random.Random(f"{seed}/{order.number}/{step}").randint)
            for _ in range(BRANCH):
                other.step()
            result.wishes.update(other.done)
            result.facts.update(type(fact.event).__name__ for fact in other.facts)
            found = other.violations
        result.sequences += 1
        if found:
            where = f"walk {order.number} ({order.study}, start {order.start}), wish {step}"
            result.found.append(f"{where}: {'; '.join(found)}")
            break
    result.wishes.update(walk.done)
    result.facts.update(type(fact.event).__name__ for fact in walk.facts)
    result.studies[order.study] += result.sequences
    return result


def results(
    todo: Iterable[Order], seed: int, processes: int, until: datetime | None = None
) -> Iterator[Result]:
    """Take all walks, in this process or in several."""
    take = partial(go, seed=seed, until=until)
    if processes == 1:
        yield from map(take, todo)
        return
    with Pool(processes) as pool:
        yield from pool.imap_unordered(take, todo)


def bar(done: int, total: int, began: float) -> str:
    """A line that shows how far it is, how fast, and how long it takes."""
    share = min(done / total, 1.0)
    speed = done / max(time.perf_counter() - began, 1e-9)
    left = (total - done) / speed if speed else 0.0
    filled = int(share * BAR)
    return f"\r[{'#' * filled}{'.' * (BAR - filled)}] {done}/{total}, {speed:.0f}/s, {max(left, 0) / 60:.0f} min left "


def report(total: Result, command: str, took: float) -> str:
    """Totals as text: what was asked, what was found, wishes by kind and outcome, facts by kind."""
    sent = sum(total.wishes.values())
    found = "no violation" if not total.found else f"{len(total.found)} VIOLATIONS"
    checked = f"{total.sequences} sequences, " if total.sequences != sent else ""
    lines = [
        f"{command} (commit {_commit()})",
        f"{checked}{sent} wishes, {sum(total.facts.values())} facts, {found}, {took:.0f} s",
        *total.found,
        *(f"  study {name}: {count}" for name, count in sorted(total.studies.items())),
        *(f"  {name}: {count}" for name, count in sorted(total.wishes.items())),
        *(f"  fact {name}: {count}" for name, count in sorted(total.facts.items())),
    ]
    return "\n".join(lines) + "\n"


def _commit() -> str:
    asked = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() or "unknown"


def _moment(text: str) -> datetime:
    """``HH:MM`` (UTC) today, or tomorrow when that is more than twelve hours ago; one just over allows no walk."""
    now = datetime.now(UTC)
    asked = datetime.strptime(text, "%H:%M").replace(tzinfo=UTC)
    moment = now.replace(hour=asked.hour, minute=asked.minute, second=0, microsecond=0)
    return moment if moment > now - timedelta(hours=12) else moment + timedelta(days=1)


def read_words(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.long_conduct", description=__doc__)
    parser.add_argument("kind", choices=("wishes", "sequences"))
    parser.add_argument("number", type=int, nargs="?", default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1, choices=range(1, (os.cpu_count() or 1) + 1))
    parser.add_argument("--study", choices=sorted(VARIANTS))
    parser.add_argument("--until", type=_moment, metavar="HH:MM")
    parser.add_argument("--log", type=Path)
    return parser.parse_args(words)


def main(words: list[str]) -> int:
    """Take the walks; return 1 if the oracles find anything."""
    asked = read_words(words)
    names = [asked.study] if asked.study else list(VARIANTS)
    branches = asked.kind == "sequences"
    todo = orders(asked.number, names, branches=branches)
    total, began, command = Result(), time.perf_counter(), "python -m tests.long_conduct " + " ".join(words)
    text = ""
    for result in results(todo, asked.seed, asked.processes, asked.until):
        total.add(result)
        text = report(total, command, time.perf_counter() - began)
        if asked.log is not None:
            asked.log.write_text(text, encoding="utf-8")
        sys.stdout.write(bar(total.sequences, asked.number, began))
        sys.stdout.flush()
        if total.found:
            break
    sys.stdout.write("\n" + text)
    return 1 if total.found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
