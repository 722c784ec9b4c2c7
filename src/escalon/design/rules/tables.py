"""Rules that read the counts at the current level from a table."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from escalon.design.mtd import Selection, pava_selection, select_from_counts
from escalon.design.rules.base import (
    STOP_UNSAFE,
    BoolArray,
    IntArray,
    Proposal,
    Rule,
    States,
    beta_prob_above,
    observed,
)

ESCALATE, STAY, DE_ESCALATE = 1, 0, -1


@dataclass(frozen=True)
class Table:
    """A rule's decisions for y of n patients at the current level; every array is indexed [n, y].

    `decision`: ESCALATE, STAY or DE_ESCALATE; `eliminate`: the level and all above are left for good;
    `closed`: escalation into a level with these counts is barred; `stop_lowest`: stop, if this is the
    lowest level. Entries with y > n are never read.
    """

    decision: NDArray[np.int8]
    eliminate: BoolArray
    closed: BoolArray
    stop_lowest: BoolArray


class TableRule(Rule):
    """A rule that moves one level up or down by the counts at the current level alone."""

    target: float = Field(gt=0, lt=1, description="target DLT probability, 0-1")

    @property
    def target_rate(self) -> float:
        """The target."""
        return self.target

    def build_table(self, max_n: int) -> Table:
        """Decisions for every n from 0 to `max_n`."""
        raise NotImplementedError

    def table(self, max_n: int) -> Table:
        """`build_table`, remembered."""
        return _table(self, max_n)

    def selection(self, max_n: int) -> Selection:
        """How the maximum tolerated dose is selected, by counts at each level; remembered."""
        return _selection(self, max_n)

    def build_selection(self, max_n: int) -> Selection:
        """The conventions of `BOIN::select.mtd`: see `pava_selection`."""
        return pava_selection(self.target, self.table(max_n).eliminate)

    def select(self, n: IntArray, y: IntArray) -> IntArray:
        """Isotonic regression with this rule's conventions."""
        return select_from_counts(self.selection(max(int(n.max()), 1)), n, y)

    def wants_lower(self, states: States) -> BoolArray:
        """De-escalation by the counts at the current level."""
        table = self.table(int(states.n.max()))
        n, y = states.n_current, states.y_current
        return np.asarray((table.decision[n, y] == DE_ESCALATE) | table.eliminate[n, y])

    def propose(self, states: States, max_n: int) -> Proposal:
        """One level up, down, or the same; a barred escalation becomes a stay."""
        table = self.table(max_n)
        n, y, current = states.n_current, states.y_current, states.current
        top = states.n.shape[1] - 1
        closed = np.logical_or.accumulate(table.closed[states.n, states.y], axis=1)
        eliminated = table.eliminate[n, y]
        move = np.where(eliminated, DE_ESCALATE, table.decision[n, y]).astype(np.int64)
        above = np.minimum(current + 1, top)
        barred = (move == ESCALATE) & ((current == top) | closed[states.rows, above])
        level = np.maximum(np.where(barred, current, current + move), 0)
        stop = (current == 0) & (eliminated | table.stop_lowest[n, y])
        return Proposal(np.where(stop, STOP_UNSAFE, level), ~closed)

    def table_entry(self, n: IntArray, y: IntArray, current: int) -> str:
        """The decision for the counts at the current level, and what the ends of the range make of it."""
        nd, yd = int(n[current]), int(y[current])
        letter = self.letter(nd, yd)
        words = {"E": "escalate", "S": "stay", "D": "de-escalate", "DU": "de-escalate and never return"}[
            letter
        ]
        if letter == "DU" and current == 0:
            words = "the lowest level is eliminated: stop"
        elif self.table(nd).stop_lowest[nd, yd] and current == 0:
            words = "the lowest level meets the extra-safe stopping limit: stop"
        elif letter == "D" and current == 0:
            words += ", but there is no lower level"
        elif letter == "E" and current == n.size - 1:
            words += ", but there is no higher level"
        return f"Table entry for {yd} of {nd}: {words}."

    def letter(self, n: int, y: int) -> str:
        """E, S, D or DU (de-escalate and never return) for y of n patients."""
        table = self.table(n)
        if table.eliminate[n, y]:
            return "DU"
        return {ESCALATE: "E", STAY: "S", DE_ESCALATE: "D"}[int(table.decision[n, y])]


def beta_explanation(
    rule: TableRule, n: IntArray, y: IntArray, current: int, elimination: float, words: str
) -> list[str]:
    """Counts, the rule's own sentence, the overdose probability and the table entry."""
    nd, yd = n[current], y[current]
    unsafe = float(beta_prob_above(nd, yd, rule.target))
    compare = "above" if unsafe > elimination else "not above"
    return [
        observed(n, y, current),
        words,
        f"P(DLT probability > {rule.target:.2f}) = {unsafe:.3f}, {compare} the elimination limit "
        f"{elimination:.2f}.",
        rule.table_entry(n, y, current),
    ]


@lru_cache(maxsize=64)
def _selection(rule: TableRule, max_n: int) -> Selection:
    return rule.build_selection(max_n)


@lru_cache(maxsize=64)
def _table(rule: TableRule, max_n: int) -> Table:
    return rule.build_table(max_n)


def triangle(max_n: int) -> tuple[IntArray, IntArray]:
    """n down the rows and min(y, n) along the columns, both of shape (max_n + 1, max_n + 1)."""
    n, y = np.meshgrid(np.arange(max_n + 1), np.arange(max_n + 1), indexing="ij")
    return n, np.minimum(y, n)
