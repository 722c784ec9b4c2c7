"""BOIN for combinations of two agents: one step in one agent at a time.

At combination (j, k) with rate q = y/n and lambda_e, lambda_d of BOIN:

    q <= lambda_e   one of (j + 1, k), (j, k + 1)      q >= lambda_d   one of (j - 1, k), (j, k - 1)
    otherwise       stay

whichever has the larger score P(lambda_e < p < lambda_d) + bonus n, p ~ Beta(0.5 + y, 0.5 + n - y) with the counts
y, n there. No open neighbour: stay. A combination with n >= 3 and P(p > target) > elimination, p ~ Beta(1 + y,
1 + n - y), is closed together with all that hold at least its doses of both agents; if it is the lowest one, the
escalation stops without a dose.

MTD: estimates (y + .05)/(n + .1) with weights n + .1 over all combinations are fitted by isotonic regression in
both agents, 1e-5 (j + k) is added, and the treated combination that is not closed with the smallest distance
from the target is selected.

Source: Lin, Yin 2017, Stat Methods Med Res 26:2155-67, doi 10.1177/0962280215594494.

Conventions, with the defaults of the R package BOIN 2.7.2: `bonus` 0.0005 per patient; two equal scores are broken
at random (exact characteristics split the probability, simulation draws a lot, a recommendation names the other
combination and shows the one with more of agent A); `bar_toxic_path` (the package's `next.comb`, on by default)
bars the step to dose j + 1 of A when some (j + 1, 1..k) already has a rate of at least lambda_d, and the step to
dose k + 1 of B likewise; the package's simulation `get.oc.comb` does not, set it to false to reproduce that. Ties in
the selection go to the lower dose of B, then the lower dose of A. A combination is closed by all above a closed one,
where the package's `select.mtd.comb` closes its row and column only.
"""

from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from escalon.design.rules.base import (
    STOP_UNSAFE,
    BoolArray,
    FloatArray,
    IntArray,
    Proposal,
    States,
    beta_prob_above,
    observed,
)
from escalon.design.rules.boin import Boin
from escalon.design.rules.grid import GridRule, neighbours

SLACK = 1e-12
"""Scores that differ by no more are tied."""
TILT = 1e-5


class BoinCombination(GridRule):
    """BOIN for two agents; see the module."""

    kind: Literal["boin_combination"] = "boin_combination"
    target: float = Field(gt=0, lt=1, description="target DLT probability, 0-1")
    p_saf: float | None = Field(
        None, gt=0, lt=1, description="underdosing rate; default 0.6 times the target"
    )
    p_tox: float | None = Field(None, gt=0, lt=1, description="overdosing rate; default 1.4 times the target")
    elimination: float = Field(0.95, gt=0, le=1, description="posterior certainty that closes a combination")
    elimination_min_n: int = Field(3, ge=1, description="patients needed before a combination is closed")
    bonus: float = Field(0.0005, ge=0, description="added to the score per patient already treated there")
    bar_toxic_path: bool = Field(True, description="no step towards a dose already toxic in combination")

    @model_validator(mode="after")
    def _check_rates(self) -> "BoinCombination":
        _ = self.interval
        return self

    @property
    def interval(self) -> Boin:
        """The BOIN rule of the target: its lambda_e and lambda_d."""
        return Boin.model_validate({"target": self.target, "p_saf": self.p_saf, "p_tox": self.p_tox})

    @property
    def target_rate(self) -> float:
        """The target."""
        return self.target

    @property
    def lots(self) -> tuple[float, ...]:
        """Two equal scores: one lot for each."""
        return (0.25, 0.75)

    def known_guards(self) -> tuple[str, ...]:
        """Coherence fits as well: an escalation is always a higher level."""
        return ("coherent", "enough_at_dose", "too_toxic")

    def closed(self, n: IntArray, y: IntArray) -> BoolArray:
        """Combinations out for safety, shape (states, levels)."""
        toxic = (n >= self.elimination_min_n) & (beta_prob_above(n, y, self.target) > self.elimination)
        return self.close_above(toxic)

    def score(self, n: IntArray, y: IntArray) -> FloatArray:
        """P(lambda_e < p < lambda_d) + bonus n, elementwise."""
        inside = beta_prob_above(n, y, self.interval.lambda_e, 0.5, 0.5) - beta_prob_above(
            n, y, self.interval.lambda_d, 0.5, 0.5
        )
        return np.asarray(inside + self.bonus * n)

    def barred(self, n: IntArray, y: IntArray) -> tuple[BoolArray, BoolArray]:
        """Steps up barred by `bar_toxic_path`, by the combination they lead to: in A, in B; (states, levels)."""
        toxic = (n > 0) & (y >= n * self.interval.lambda_d)
        grid = toxic.reshape(-1, self.rows, self.columns)
        in_a, in_b = (np.logical_or.accumulate(grid, axis=axis).reshape(n.shape) for axis in (2, 1))
        return in_a, in_b

    def options(self, states: States) -> tuple[IntArray, FloatArray]:
        """The combinations one step away that q calls for, in A and in B, and their scores; (states, 2).

        Score -1: not possible. All scores -1: stay.
        """
        n, y, d, rows = states.n, states.y, states.current, states.rows
        q = states.y_current / np.maximum(states.n_current, 1)
        up, down = q <= self.interval.lambda_e, q >= self.interval.lambda_d
        shape = (self.rows, self.columns)
        to = np.where(up[:, None], neighbours(*shape, 1)[d], neighbours(*shape, -1)[d])
        there = np.maximum(to, 0)
        closed, score = self.closed(n, y), self.score(n, y)
        possible = (to >= 0) & (up | down)[:, None] & ~closed[rows[:, None], there]
        if self.bar_toxic_path:
            barred = np.stack([bar[rows, there[:, i]] for i, bar in enumerate(self.barred(n, y))], axis=1)
            possible &= ~(up[:, None] & barred)
        return there, np.where(possible, score[rows[:, None], there], -1.0)

    def propose(self, states: States, max_n: int) -> Proposal:
        """See the module; `states.lot` breaks ties, without it agent A moves."""
        to, score = self.options(states)
        best = np.argmax(score, axis=1)
        tied = np.abs(score[:, 0] - score[:, 1]) <= SLACK
        second = np.zeros(tied.shape, dtype=bool) if states.lot is None else states.lot >= 0.5
        pick = np.where(tied, second.astype(np.int64), best)
        level = np.where(score.max(axis=1) < 0, states.current, to[states.rows, pick])
        closed = self.closed(states.n, states.y)
        return Proposal(np.where(closed[:, 0], STOP_UNSAFE, level), ~closed)

    def select(self, n: IntArray, y: IntArray) -> IntArray:
        """Isotonic regression in both agents."""
        fit = self.isotonic(np.asarray((y + 0.05) / (n + 0.1)), np.asarray(n + 0.1))
        j, k = np.divmod(np.arange(n.shape[1]), self.columns)
        gap = np.abs(fit + TILT * (j + k + 2) - self.target)
        eligible = (n > 0) & ~self.closed(n, y)
        gap = np.where(eligible, gap, np.inf)
        order = np.lexsort((j, k))
        tied = (gap <= gap.min(axis=1, keepdims=True) + 1e-9)[:, order]
        return np.asarray(np.where(eligible.any(axis=1), order[np.argmax(tied, axis=1)], -1))

    def explain(self, n: IntArray, y: IntArray, current: int) -> list[str]:
        """Counts, boundaries, the neighbours' scores, ties."""
        q = y[current] / n[current]
        low, high = self.interval.lambda_e, self.interval.lambda_d
        words = [
            observed(n, y, current),
            f"{self.name(current).capitalize()}: rate {q:.4f} against lambda_e {low:.4f} (one agent up at or below) "
            f"and lambda_d {high:.4f} (one agent down at or above).",
        ]
        if self.closed(n[None, :], y[None, :])[0, 0]:
            return [*words, "The lowest combination is too toxic: stop."]
        if low < q < high:
            return words
        to, score = (part[0] for part in self.options(States(n[None, :], y[None, :], np.array([current]))))
        for agent, level, value in zip("AB", to, score, strict=True):
            if value >= 0:
                words.append(
                    f"Agent {agent}: {self.name(int(level))} has score {value:.4f}, P(DLT probability between the "
                    f"boundaries) + {self.bonus:g} per patient there."
                )
            else:
                words.append(f"Agent {agent}: no open step.")
        if score.max() >= 0 and abs(score[0] - score[1]) <= SLACK:
            words.append(
                f"Both scores are equal: the design draws lots between {self.name(int(to[0]))} and "
                f"{self.name(int(to[1]))}; the first is shown."
            )
        return words
