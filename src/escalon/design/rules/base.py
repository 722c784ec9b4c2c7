"""What every rule answers. A rule sees counts only: arrays over many states at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from escalon.design.recommendation import LevelEstimate

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

STOP_UNSAFE = -1
"""Proposed index when no level is acceptable: the escalation ends without a maximum tolerated dose."""
STOP_FINISHED = -2
"""Proposed index when the rule itself has finished: the maximum tolerated dose is selected."""
WAIT = -3
"""Proposed index when enrolment pauses until more of the pending patients can be judged."""
LARGEST_TAIL = 511
"""Patients up to which overdose probabilities are tabulated: a table of 2 MB."""


@dataclass(frozen=True)
class States:
    """Many trial states side by side.

    `n`, `y`: shape (states, levels), evaluable patients and patients with a DLT; `current`: shape
    (states,), 0-based level of the last cohort; `last_n`, `last_y`: shape (states,), size and DLTs of
    the last cohort, None when unknown; `pending_level`, `pending_followup`: shape (states, patients),
    0-based level (-1: no patient) and share of the DLT window seen of patients still in their window;
    `lot`: shape (states,), 0-1, the lot drawn where a rule breaks ties at random (None: take the first);
    `uncounted`: shape (states, levels), treated patients who are in no count (None: nobody).
    """

    n: IntArray
    y: IntArray
    current: IntArray
    last_n: IntArray | None = None
    last_y: IntArray | None = None
    pending_level: IntArray | None = None
    pending_followup: FloatArray | None = None
    lot: FloatArray | None = None
    uncounted: IntArray | None = None

    @property
    def pending(self) -> IntArray:
        """Pending patients per level, shape (states, levels)."""
        return self._by_level(np.ones(0)).astype(np.int64)

    @property
    def followup(self) -> FloatArray:
        """Sum over pending patients of the share of the window seen, shape (states, levels)."""
        return self._by_level(self.pending_followup)

    def _by_level(self, values: FloatArray | None) -> FloatArray:
        total = np.zeros(self.n.shape)
        if self.pending_level is None or values is None:
            return total
        for level in range(self.n.shape[1]):
            here = self.pending_level == level
            total[:, level] = np.where(here, values if values.size else 1.0, 0.0).sum(axis=1)
        return total

    @property
    def treated(self) -> IntArray:
        """Patients treated in all, pending ones included, shape (states,)."""
        total = self.n.sum(axis=1)
        if self.pending_level is not None:
            total = total + (self.pending_level >= 0).sum(axis=1)
        if self.uncounted is not None:
            total = total + self.uncounted.sum(axis=1)
        return np.asarray(total)

    @property
    def rows(self) -> IntArray:
        """0..states-1, to pick one level per state."""
        return np.arange(self.current.size)

    @property
    def n_current(self) -> IntArray:
        """Patients at the current level, shape (states,)."""
        return self.n[self.rows, self.current]

    @property
    def y_current(self) -> IntArray:
        """DLTs at the current level, shape (states,)."""
        return self.y[self.rows, self.current]


@dataclass(frozen=True)
class Proposal:
    """A rule's wish before the guards of the plan.

    `level`: shape (states,), 0-based next level, or STOP_UNSAFE, or STOP_FINISHED; `open`: shape
    (states, levels), levels the rule would treat patients at.
    """

    level: IntArray
    open: BoolArray


class Rule(BaseModel):
    """A rule of dose finding. Subclasses are frozen, hashable and named by `kind` in a plan."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str

    @property
    def target_rate(self) -> float:
        """The DLT probability aimed at, 0-1; also the reference of the overdose metrics."""
        raise NotImplementedError

    @property
    def counts_only(self) -> bool:
        """True when the decision depends on counts, so that exact characteristics exist."""
        return True

    @property
    def one_step(self) -> bool:
        """True when the rule never proposes more than one level above the current one."""
        return True

    @property
    def late_onset(self) -> bool:
        """True when the rule makes use of pending patients."""
        return False

    @property
    def efficacy(self) -> bool:
        """True when the rule looks at efficacy as well as toxicity."""
        return False

    @property
    def lots(self) -> tuple[float, ...]:
        """Equally likely lots that show every way the rule can break a tie; empty where none is drawn."""
        return ()

    def reach(self, current: int, levels: int) -> BoolArray:
        """Levels the next patients may be treated at from the 0-based `current` one, shape (levels,)."""
        return np.arange(levels) <= (current + 1 if self.one_step else levels)

    def check_plan(self, guards: tuple[Any, ...], titration: bool) -> None:
        """Raise ValueError when a guard, or titration, makes no sense with this rule."""

    def default_max_patients(self, levels: int) -> int | None:
        """Largest sample size the rule can use by itself, None when the plan must say."""
        return None

    def check(self, levels: int, sizes: set[int]) -> None:
        """Raise ValueError when the rule does not fit a plan.

        `levels`: number of levels; `sizes`: numbers of patients one level can hold after a full cohort.
        """

    def propose(self, states: States, max_n: int) -> Proposal:
        """Next level for every state; `max_n` bounds the patients at one level."""
        raise NotImplementedError

    def select(self, n: IntArray, y: IntArray) -> IntArray:
        """Maximum tolerated dose, 0-based, -1 for none; arrays of shape (states, levels) in."""
        raise NotImplementedError

    def wants_lower(self, states: States) -> BoolArray:
        """States whose counts call for de-escalation, whether or not there is a lower level; shape (states,)."""
        raise NotImplementedError

    def prob_above(self, n: IntArray, y: IntArray, limit: float) -> FloatArray:
        """Posterior P(DLT probability > limit), shape (states, levels)."""
        return beta_prob_above(n, y, limit)

    def estimates(self, n: IntArray, y: IntArray) -> tuple[LevelEstimate, ...]:
        """One entry per level; `n`, `y` of shape (levels,)."""
        return beta_estimates(n, y, self.target_rate)

    def estimates_pending(self, states: States) -> tuple[LevelEstimate, ...]:
        """As `estimates`, of one state whose pending patients the rule may weigh by their follow-up."""
        return self.estimates(states.n[0], states.y[0])

    def explain(self, n: IntArray, y: IntArray, current: int) -> list[str]:
        """Sentences with the numbers the proposal rests on; `current` is 0-based."""
        raise NotImplementedError

    def explain_pending(self, states: States) -> list[str]:
        """Sentences on what pending patients contribute; for rules with `late_onset`, one state."""
        return []

    def summary(self) -> dict[str, Any]:
        """The rule's parameters, plain values, for a printed table."""
        return self.model_dump(mode="json")


def beta_prob_above(n: IntArray, y: IntArray, limit: float, a: float = 1.0, b: float = 1.0) -> FloatArray:
    """P(p > limit) for p ~ Beta(a + y, b + n - y), elementwise.

    With the uniform prior (a = b = 1) and whole counts this is P(Binomial(n + 1, limit) <= y), read from a table.
    """
    counts = np.asarray(n)
    if a == b == 1 and counts.size > 1 and counts.dtype.kind == "i" and np.asarray(y).dtype.kind == "i":
        largest = int(counts.max())
        if largest <= LARGEST_TAIL:
            return np.asarray(_binomial_tails(max(32, 1 << largest.bit_length()), limit)[counts, y])
    from scipy.special import betaincc

    return np.asarray(betaincc(a + y, b + n - y, limit), dtype=np.float64)


@lru_cache(maxsize=64)
def _binomial_tails(largest: int, p: float) -> FloatArray:
    """[n, y] = P(Binomial(n + 1, p) <= y) for n and y from 0 to `largest`, by sums of positive terms only."""
    n, y, choose = _binomials(largest)
    powers = np.arange(largest + 2)
    mass = choose * (p**powers)[y] * ((1 - p) ** powers)[np.maximum(n - y, 0)]
    return np.asarray(np.minimum(np.cumsum(mass, axis=1), 1.0))


@lru_cache(maxsize=8)
def _binomials(largest: int) -> tuple[IntArray, IntArray, FloatArray]:
    """n from 1 to `largest` + 1 down the rows, y from 0 to `largest` along the columns, and n over y."""
    n, y = np.meshgrid(np.arange(1, largest + 2), np.arange(largest + 1), indexing="ij")
    choose = np.zeros(n.shape)
    choose[0, :2] = 1.0
    for row in range(1, largest + 1):
        choose[row] = choose[row - 1]
        choose[row, 1:] += choose[row - 1, :-1]
    return n, y, choose


def beta_estimates(
    n: IntArray, y: IntArray, target: float, a: float = 1.0, b: float = 1.0
) -> tuple[LevelEstimate, ...]:
    """Posterior mean and 95% equal-tailed interval of Beta(a + y, b + n - y) per level, where n > 0."""
    above = beta_prob_above(n, y, target, a, b)
    lower, upper = beta_interval(n, y, a, b)
    result = []
    for j in range(n.size):
        nj, yj = int(n[j]), int(y[j])
        if nj == 0:
            result.append(LevelEstimate(j + 1, 0, 0, None, None, None, None, None))
            continue
        mean, low, high = (a + yj) / (a + b + nj), float(lower[j]), float(upper[j])
        result.append(LevelEstimate(j + 1, nj, yj, yj / nj, mean, low, high, float(above[j])))
    return tuple(result)


def beta_interval(n: IntArray, y: IntArray, a: float = 1.0, b: float = 1.0) -> tuple[FloatArray, FloatArray]:
    """Equal-tailed 95% interval of Beta(a + y, b + n - y), elementwise."""
    from scipy.special import betaincinv

    low, high = (np.asarray(betaincinv(a + y, b + n - y, q), dtype=np.float64) for q in (0.025, 0.975))
    return low, high


def check_target_interval(interval: tuple[float, float]) -> None:
    """Raise ValueError unless 0 < lower < upper < 1."""
    low, high = interval
    if not 0 < low < high < 1:
        raise ValueError(f"target_interval: 0 < lower < upper < 1 is required; got {interval}")


def level_estimates(
    n: IntArray,
    y: IntArray,
    estimate: FloatArray,
    lower: Sequence[float] | FloatArray,
    upper: Sequence[float] | FloatArray,
    above: FloatArray,
) -> tuple[LevelEstimate, ...]:
    """One entry per level from a model's answers, all of shape (levels,)."""
    return tuple(
        LevelEstimate(
            j + 1, int(n[j]), int(y[j]), float(y[j] / n[j]) if n[j] else None,
            float(estimate[j]), float(lower[j]), float(upper[j]), float(above[j]),
        )
        for j in range(n.size)
    )  # fmt: skip


def observed(n: IntArray, y: IntArray, current: int) -> str:
    """The sentence every explanation starts with."""
    nd, yd = int(n[current]), int(y[current])
    return f"Level {current + 1}: {yd} of {nd} evaluable patients had a DLT ({yd / nd:.1%})."
