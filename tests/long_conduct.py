"""Random command sequences through conduct, watched by the oracle.

``python -m tests.long_conduct [commands] [seed]`` sends at least that many wishes, in walks of 800.
"""

import random
import sys
import time
from collections import Counter

from escalon.pipeline import open_study
from tests.conduct_walk import Walk
from tests.study_files import BALLI

STEPS = 800
"""Wishes of one walk."""


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
    sys.exit(main(*(int(word) for word in sys.argv[1:])))
