"""Exact operating characteristics: every reachable state once, then any scenario is one product.

A rule driven by counts is Markov in the state (n per level, y per level, current level). Paths that meet
in a state are merged; the state keeps c = sum over its paths of the product of binomial coefficients
C(cohort size, DLTs). Then P(state | p) = c prod p_j^y_j (1 - p_j)^(n_j - y_j) for every scenario p.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING

import numpy as np

from escalon.design.decide import GO_ON, UNSAFE, decide, next_cohort
from escalon.design.operating_characteristics import OperatingCharacteristics, check_prob_tox
from escalon.design.rules.base import FloatArray, IntArray, States

if TYPE_CHECKING:
    from escalon.design.plan import EscalationPlan

MAX_STATES = 4_000_000
"""Live states at one moment beyond which a plan is refused (about 2 GB with 7 levels)."""


class PlanTooLargeError(ValueError):
    """The plan has too many states to enumerate; it can be simulated."""


@dataclass(frozen=True)
class _Live:
    """States not yet ended: counts, 0-based level of the next cohort, coefficient, number of paths."""

    n: IntArray
    y: IntArray
    level: IntArray
    coefficient: FloatArray
    paths: FloatArray

    @classmethod
    def concatenate(cls, parts: "Sequence[_Live]") -> "_Live":
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__annotations__))

    def take(self, keep: IntArray) -> "_Live":
        return _Live(self.n[keep], self.y[keep], self.level[keep], self.coefficient[keep], self.paths[keep])


@dataclass(frozen=True)
class Enumeration:
    """Every way a plan can end.

    `n`, `y`: shape (terminal states, levels); `stop`: why it ended (see `decide`); `mtd`: selected 0-based
    level, -1 for none; `coefficient`, `paths`: shape (terminal states,); `planned`: the full sample size;
    `paths_total`: distinct outcome paths.
    """

    n: IntArray
    y: IntArray
    stop: IntArray
    mtd: IntArray
    coefficient: FloatArray
    paths: FloatArray
    planned: int
    target: float

    @property
    def levels(self) -> int:
        """Number of levels."""
        return int(self.n.shape[1])

    @property
    def terminal_states(self) -> int:
        """Distinct ends, by counts."""
        return int(self.coefficient.size)

    @property
    def paths_total(self) -> int:
        """Distinct paths: sequences of the number of DLTs per cohort."""
        return round(float(self.paths.sum()))

    def probabilities(self, prob_tox: Sequence[float] | FloatArray) -> FloatArray:
        """P(terminal state) under the scenario, shape (terminal states,); sums to 1."""
        p = check_prob_tox(prob_tox, self.levels)
        with np.errstate(divide="ignore"):
            log_p, log_q = (np.maximum(np.log(part), -1e4) for part in (p, 1 - p))
        exponent = self.y @ log_p + (self.n - self.y) @ log_q
        return np.asarray(self.coefficient * np.exp(exponent))

    def oc(self, prob_tox: Sequence[float] | FloatArray) -> OperatingCharacteristics:
        """Characteristics under the scenario `prob_tox` (shape (levels,), 0-1).

        Raises ValueError for a scenario of the wrong length or outside 0-1.
        """
        p = check_prob_tox(prob_tox, self.levels)
        weight = self.probabilities(p)
        select = np.bincount(self.mtd + 1, weights=weight, minlength=self.levels + 1).astype(np.float64)
        total = self.n.sum(axis=1)
        sizes = np.bincount(total, weights=weight, minlength=self.planned + 1)
        above = p > self.target
        over = self.n[:, above].sum(axis=1)
        mean_n, mean_dlt = weight @ self.n, weight @ self.y
        closest = int(np.argmin(np.abs(p - self.target)))
        return OperatingCharacteristics(
            prob_tox=p,
            prob_select=select[1:],
            prob_none=float(select[0]),
            mean_n=mean_n,
            mean_dlt=mean_dlt,
            mean_total_n=float(mean_n.sum()),
            mean_total_dlt=float(mean_dlt.sum()),
            n_distribution={int(k): float(sizes[k]) for k in np.flatnonzero(sizes)},
            prob_early_stop=float(sizes[: self.planned].sum()),
            prob_overdose_60=float(weight[over > 0.6 * self.planned + 1e-9].sum()),
            prob_overdose_80=float(weight[over > 0.8 * self.planned + 1e-9].sum()),
            prob_select_correct=float(select[1 + closest]),
            prob_select_overdose=float(select[1:][above].sum()),
            mean_n_overdose=float(mean_n[above].sum()),
            target=self.target,
            method="exact",
            states=self.terminal_states,
        )


def exact_oc(plan: "EscalationPlan", prob_tox: Sequence[float] | FloatArray) -> OperatingCharacteristics:
    """Exact operating characteristics of a plan under one scenario.

    For many scenarios call `enumerate_plan` once and `.oc` for each. Raises ValueError for a bad
    scenario, PlanTooLargeError when the plan has too many states.

    >>> from escalon.design import EscalationPlan
    >>> rule = {"kind": "three_plus_three", "variant": "A"}
    >>> plan = EscalationPlan.model_validate({"rule": rule, "levels": 3})
    >>> round(exact_oc(plan, [0.1, 0.25, 0.4]).prob_none, 6)
    0.093853
    """
    check_prob_tox(prob_tox, plan.levels)
    return enumerate_plan(plan).oc(prob_tox)


def enumerate_plan(plan: "EscalationPlan", max_states: int = MAX_STATES) -> Enumeration:
    """All ends of a plan with their coefficients, from the start.

    Raises PlanTooLargeError, before memory runs short, with the number of states reached.
    """
    if not plan.rule.counts_only:
        raise ValueError(f"rule {plan.rule.kind} does not decide from counts alone; simulate it instead")
    zero = np.zeros((1, plan.levels), dtype=np.int64)
    start = _Live(zero, zero.copy(), np.array([plan.start_level - 1]), np.ones(1), np.ones(1))
    waiting: dict[int, list[_Live]] = {0: [start]}
    ends: list[tuple[_Live, IntArray]] = []
    while waiting:
        total = min(waiting)
        live = _merge(_Live.concatenate(waiting.pop(total)), plan.max_total)
        _check_size(plan, live.level.size, total, max_states)
        cohort = next_cohort(plan, States(live.n, live.y, live.level), live.level)
        for size in np.unique(cohort):
            for after in _after_cohort(plan, live.take(np.flatnonzero(cohort == size)), int(size), ends):
                waiting.setdefault(total + int(size), []).append(after)
    return _collect(plan, ends)


def _check_size(plan: "EscalationPlan", states: int, treated: int, max_states: int) -> None:
    if states > max_states:
        raise PlanTooLargeError(
            f"plan too large to enumerate: {states} live states after {treated} of {plan.max_total} "
            f"patients, limit {max_states}; use simulation instead"
        )


def _after_cohort(
    plan: "EscalationPlan", live: _Live, size: int, ends: list[tuple[_Live, IntArray]]
) -> list[_Live]:
    """Every outcome of one more cohort of `size`; ended states go to `ends`, the others are returned."""
    rows = np.arange(live.level.size)
    result = []
    for dlts in range(size + 1):
        n, y = live.n.copy(), live.y.copy()
        n[rows, live.level] += size
        y[rows, live.level] += dlts
        last = (np.full(rows.size, size), np.full(rows.size, dlts))
        decision = decide(plan, States(n, y, live.level, *last))
        after = _Live(n, y, decision.level, live.coefficient * comb(size, dlts), live.paths)
        over = decision.stop != GO_ON
        ended = np.flatnonzero(over)
        if ended.size:
            ends.append((after.take(ended), decision.stop[ended]))
        result.append(after.take(np.flatnonzero(~over)))
    return [part for part in result if part.level.size]


def _keys(n: IntArray, y: IntArray, extra: IntArray, max_total: int) -> list[IntArray]:
    """(n, y, extra) packed into as few 63-bit words as they need."""
    bits = max(int(max_total).bit_length(), 1)
    words, used = [extra.astype(np.int64)], 5
    for j in range(n.shape[1]):
        if used + 2 * bits > 63:
            words.append(np.zeros_like(words[0]))
            used = 0
        words[-1] = (words[-1] << (2 * bits)) | (n[:, j] << bits) | y[:, j]
        used += 2 * bits
    return words


def _groups(words: list[IntArray]) -> tuple[IntArray, IntArray]:
    """Sorting order and the start of each group of equal keys within it."""
    order = np.argsort(words[0], kind="stable") if len(words) == 1 else np.lexsort(words)
    differs = np.zeros(order.size, dtype=bool)
    differs[0] = True
    for word in words:
        ordered = word[order]
        differs[1:] |= ordered[1:] != ordered[:-1]
    return order, np.flatnonzero(differs)


def _merge(live: _Live, max_total: int) -> _Live:
    order, first = _groups(_keys(live.n, live.y, live.level, max_total))
    kept = live.take(order[first])
    return _Live(
        kept.n,
        kept.y,
        kept.level,
        np.add.reduceat(live.coefficient[order], first),
        np.add.reduceat(live.paths[order], first),
    )


def _collect(plan: "EscalationPlan", ends: list[tuple[_Live, IntArray]]) -> Enumeration:
    everything = _Live.concatenate([live for live, _ in ends])
    stop = np.concatenate([reasons for _, reasons in ends])
    keyed = _Live(everything.n, everything.y, stop, everything.coefficient, everything.paths)
    merged = _merge(keyed, plan.max_total)
    mtd = plan.rule.select(merged.n, merged.y)
    mtd = np.where(merged.level == UNSAFE, -1, mtd)
    return Enumeration(
        n=merged.n,
        y=merged.y,
        stop=merged.level,
        mtd=mtd,
        coefficient=merged.coefficient,
        paths=merged.paths,
        planned=plan.max_total,
        target=plan.rule.target_rate,
    )
