"""Rolling six: up to six patients at a level without waiting for each cohort.

N enrolled at the level, E evaluable, t with a DLT decide about the next patient:

    t = 0   E 0-2: N <= 5 same level, N = 6 hold      E 3: N = 3 up, N 4-5 same, N = 6 hold
            E 4: N = 4 up, N = 5 same, N = 6 hold     E 5-6: up, or finished when no higher level is open
    t = 1   E 1-5: N <= 5 same, N = 6 hold            E 6: up, or finished
    t >= 2  down one level if it holds fewer than 6 patients, else finished

The maximum tolerated dose is the highest level with 6 patients and at most 1 DLT below the lowest failed one.

Sources: Skolnik, Barrett, Jayaraman, Patel, Adamson 2008, doi 10.1200/JCO.2007.12.7712; the table as in
doi 10.1001/jamanetworkopen.2020.4787, Table 2.

Conventions: a non-evaluable patient is replaced and frees the slot (it appears in no count); patients still
pending at a level with 3 evaluable may not be overtaken (N = 4 or 5 with E = 3 stays). Where no higher level is
open, the level is filled to six before it can be the maximum tolerated dose.
"""

from typing import Literal

import numpy as np
from pydantic import Field

from escalon.design.rules.base import (
    STOP_FINISHED,
    STOP_UNSAFE,
    WAIT,
    IntArray,
    Proposal,
    Rule,
    States,
)


class RollingSix(Rule):
    """Rolling six; see the module."""

    kind: Literal["rolling_six"] = "rolling_six"
    target: float = Field(
        0.3, gt=0, lt=1, description="reference of the overdose metrics; no decision uses it"
    )

    @property
    def target_rate(self) -> float:
        """Reference of the overdose metrics only."""
        return self.target

    @property
    def late_onset(self) -> bool:
        """Pending patients count."""
        return True

    @property
    def counts_only(self) -> bool:
        """What is pending matters."""
        return False

    def default_max_patients(self, levels: int) -> int:
        """Six patients per level."""
        return 6 * levels

    def propose(self, states: States, max_n: int) -> Proposal:
        """The table of the module."""
        rows, current = states.rows, states.current
        evaluable, dlts = states.n_current, states.y_current
        enrolled = evaluable + states.pending[rows, current]
        top = states.n.shape[1] - 1
        closed = np.logical_or.accumulate(states.y >= 2, axis=1)
        above = np.minimum(current + 1, top)
        last = (current == top) | closed[rows, above]
        passed = (dlts == 0) & ((evaluable >= 5) | ((evaluable >= 3) & (enrolled == evaluable)))
        passed |= (dlts == 1) & (evaluable >= 6)
        same = np.where(enrolled >= 6, WAIT, current)
        done = np.where((evaluable >= 6) | ((evaluable >= 5) & (enrolled >= 6)), STOP_FINISHED, same)
        level = np.where(passed, np.where(last, done, above), same)
        below = np.maximum(current - 1, 0)
        held = states.n[rows, below] + states.pending[rows, below]
        down = np.where(held < 6, below, STOP_FINISHED)
        failed = np.where(current == 0, STOP_UNSAFE, down)
        return Proposal(np.where(dlts >= 2, failed, level), ~closed)

    def select(self, n: IntArray, y: IntArray) -> IntArray:
        """Highest level below the lowest failed one with 6 patients and at most 1 DLT."""
        good = ~np.logical_or.accumulate(y >= 2, axis=1) & (n >= 6)
        return np.where(good.any(axis=1), n.shape[1] - 1 - np.argmax(good[:, ::-1], axis=1), -1)

    def explain(self, n: IntArray, y: IntArray, current: int) -> list[str]:
        """Counts."""
        return [
            f"Rolling six, level {current + 1}: {int(n[current])} evaluable, {int(y[current])} with a DLT."
        ]

    def explain_pending(self, states: States) -> list[str]:
        """Pending patients at the current level."""
        d = int(states.current[0])
        pending = int(states.pending[0, d])
        words = self.explain(states.n[0], states.y[0], d)
        return [*words, f"{pending} pending there: {int(states.n[0, d]) + pending} of 6 slots are taken."]
