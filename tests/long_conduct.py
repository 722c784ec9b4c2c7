"""Random command sequences through conduct, watched by the oracle.

``python -m tests.long_conduct [commands] [seed]`` sends at least that many wishes, in walks of 800.
``python -m tests.long_conduct sequences [number] [seed]`` checks that many sequences: after each wish of a walk of 400
a copy of the trial goes another way for five wishes.
"""

import copy
import random
import sys
import time
from collections import Counter

from escalon.pipeline import open_study
from tests.conduct_walk import Walk
from tests.study_files import BALLI

STEPS = 800
"""Wishes of one walk."""


BRANCHING, BRANCH = 400, 5
"""Wishes of a walk that branches, and of each branch."""


def branch(walk: Walk, draw: random.Random) -> list[str]:
    """Let a copy of the trial go on with other wishes; return what the oracle finds."""
    other = Walk(walk.folder, draw.randint)
    other.state, other.now, other.candidates = walk.state, walk.now, walk.candidates
    other.oracle = copy.deepcopy(walk.oracle)
    for _ in range(BRANCH):
        other.step()
    return other.violations


def sequences(total: int = 100_000, seed: int = 1) -> int:
    """Check ``total`` sequences of wishes; return 1 if the oracle finds anything."""
    folder, began, done, number = open_study(BALLI), time.perf_counter(), 0, 0
    while done < total:
        draw = random.Random(f"{seed}/{number}")
        walk = Walk(folder, draw.randint)
        walk.start()
        for step in range(min(BRANCHING, total - done)):
            walk.step()
            found = walk.violations or branch(walk, random.Random(f"{seed}/{number}/{step}"))
            if found:
                sys.stdout.write(f"walk {number}, wish {step}: {found}\n")
                return 1
            done += 1
        number += 1
        sys.stdout.write(f"\r{done} of {total} sequences")
        sys.stdout.flush()
    sys.stdout.write(f"\r{done} sequences, no violation, {time.perf_counter() - began:.0f} s\n")
    return 0


def main(total: int = 100_000, seed: int = 1) -> int:
    """Send at least ``total`` wishes in walks of 800; return 1 if the oracle finds anything."""
    folder, began, sent, counts = open_study(BALLI), time.perf_counter(), 0, Counter[str]()
    facts = 0
    for number in range((total + STEPS - 1) // STEPS):
        draw = random.Random(f"{seed}/{number}")
        walk = Walk(folder, draw.randint)
        walk.start()
        for _ in range(STEPS):
            walk.step()
            if walk.violations:
                sys.stdout.write(f"walk {number}: {walk.violations}\n")
                return 1
        sent += STEPS
        facts += len(walk.facts)
        counts.update(walk.done)
    took = time.perf_counter() - began
    sys.stdout.write(f"{sent} wishes, {facts} facts, no violation, {took:.0f} s\n")
    for key, count in sorted(counts.items()):
        sys.stdout.write(f"  {key}: {count}\n")
    return 0


if __name__ == "__main__":
    words = sys.argv[1:]
    if words[:1] == ["sequences"]:
        sys.exit(sequences(*(int(word) for word in words[1:])))
    sys.exit(main(*(int(word) for word in words)))
