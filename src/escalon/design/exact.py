"""Exact operating characteristics: every reachable state once, then any scenario is one product.

A rule driven by counts is Markov in the state (n per level, y per level, current level). Paths that meet
in a state are merged; the state keeps c = sum over its paths of the product of binomial coefficients
C(cohort size, DLTs). Then P(state | p) = c prod p_j^y_j (1 - p_j)^(n_j - y_j) for every scenario p.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from math import comb
from typing import TYPE_CHECKING

import numpy as np

from escalon.design.counts_keys import group_rows, pack_counts
from escalon.design.decide import GO_ON, REASONS, UNSAFE, decide, next_cohort
from escalon.design.non_evaluable import REPLACE, NonEvaluable
from escalon.design.operating_characteristics import OperatingCharacteristics, build_oc, check_prob_tox
from escalon.design.outcomes import Outcomes
from escalon.design.recommend import Counts, situation_of
from escalon.design.rules.base import FloatArray, IntArray, States
from escalon.design.table_engine import Ends, can_walk, enumerate_walk, fits_two_words, table_walk

if TYPE_CHECKING:
    from escalon.design.plan import EscalationPlan

MAX_STATES = 4_000_000
"""Live states of the compiled walk, with cohorts of 3, beyond which a plan is refused: about 2 GB with 7 levels. Twice
as many may have ended. The general walk holds more per state and stops at an eighth; larger cohorts, with more
children per state, stop earlier."""


class PlanTooLargeError(ValueError):
    """The plan has too many states to enumerate; it can be simulated."""


@dataclass(frozen=True)
class _Live:
    """States not yet ended: treated patients, DLTs, 0-based level of the next cohort, coefficient, number of paths.

    `x`: weighted patients among `n`, shape (states, levels), or (states, 0) in a plan without any.
    """

    n: IntArray
    y: IntArray
    x: IntArray
    level: IntArray
    coefficient: FloatArray
    paths: FloatArray

    @classmethod
    def concatenate(cls, parts: "Sequence[_Live]") -> "_Live":
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__annotations__))

    def take(self, keep: IntArray) -> "_Live":
        return _Live(*(getattr(self, name)[keep] for name in self.__annotations__))

    def states(self, plan: "EscalationPlan") -> States:
        """What the rule is shown."""
        if not self.x.shape[1]:
            return States(self.n, self.y, self.level)
        uncounted = self.x - plan.missing.counted(self.x)
        return States(self.n - uncounted, self.y, self.level, uncounted=uncounted)


@dataclass(frozen=True)
class Enumeration:
    """Every way a plan can end.

    `n`, `y`: shape (terminal states, levels); `stop`: why it ended (see `decide`); `mtd`: selected 0-based
    level, -1 for none; `coefficient`, `paths`: shape (terminal states,); `planned`: the full sample size;
    `start_n`, `start_y`: counts per level at the start of the enumeration; `missing`: what becomes of patients who
    cannot be judged in full; `x`: how many of `n` are weighted ones, None where nobody is.
    """

    n: IntArray
    y: IntArray
    stop: IntArray
    mtd: IntArray
    coefficient: FloatArray
    paths: FloatArray
    planned: int
    target: float
    start_n: IntArray
    start_y: IntArray
    missing: NonEvaluable = REPLACE
    x: IntArray | None = None

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

    @cached_property
    def _exponents(self) -> FloatArray:
        """DLTs and patients without DLT per level since the start, shape (terminal states, 2 levels)."""
        since_n, since_y = self.n - self.start_n, self.y - self.start_y
        return np.concatenate([since_y, since_n - since_y], axis=1).astype(np.float64)

    @cached_property
    def _patients(self) -> FloatArray:
        return self.n.astype(np.float64)

    def probabilities(self, prob_tox: Sequence[float] | FloatArray) -> FloatArray:
        """P(terminal state) under the scenario, shape (terminal states,); sums to 1."""
        p = self.missing.evaluable_rate(check_prob_tox(prob_tox, self.levels))
        with np.errstate(divide="ignore"):
            logs = np.maximum(np.log(np.concatenate([p, 1 - p])), -1e4)
        return np.asarray(self.coefficient * np.exp(self._exponents @ logs))

    def oc(self, prob_tox: Sequence[float] | FloatArray, compiled: bool = True) -> OperatingCharacteristics:
        """Characteristics under the scenario `prob_tox` (shape (levels,), 0-1).

        `compiled`: by compiled loops, quicker once they are loaded; the result is the same to 1e-14 without.
        Raises ValueError for a scenario of the wrong length or outside 0-1.
        """
        p = check_prob_tox(prob_tox, self.levels)
        rate = self.missing.evaluable_rate(p)
        sums = self._sum_compiled if compiled else self._sum_arrays
        select, sizes, above, mean_n = sums(p, rate, (p > self.target).astype(np.int64))
        patients = np.arange(self.planned + 1)
        return build_oc(
            prob_tox=p,
            target=self.target,
            planned=self.planned,
            prob_select=select[1:],
            prob_none=float(select[0]),
            mean_n=mean_n,
            mean_dlt=self.start_y + (mean_n - self.start_n) * rate,
            sizes=sizes,
            overdose_60=float(above[patients > 0.6 * self.planned + 1e-9].sum()),
            overdose_80=float(above[patients > 0.8 * self.planned + 1e-9].sum()),
            method="exact",
            states=self.terminal_states,
            mean_non_evaluable=self._mean_missing(p, mean_n),
        )

    def _mean_missing(self, p: FloatArray, mean_n: FloatArray) -> FloatArray | None:
        if self.x is not None:
            return np.asarray(self.probabilities(p) @ self.x)
        if not self.missing.probability:
            return None
        return np.asarray((mean_n - self.start_n) * self.missing.replaced_per_patient(p))

    def _sum_compiled(self, p: FloatArray, rate: FloatArray, counted: IntArray) -> tuple[FloatArray, ...]:
        """Probabilities of each selection (none first), size and number above the target; mean patients."""
        from escalon.design import kernels

        select, mean_n = np.zeros(self.levels + 1), np.zeros(self.levels)
        sizes, above = np.zeros(self.planned + 1), np.zeros(self.planned + 1)
        kernels.sum_terminal_states(
            self.n, self.y, self.mtd, self.coefficient, self._chances(rate), counted,
            select, sizes, above, mean_n,
        )  # fmt: skip
        return select, sizes, above, mean_n

    def _sum_arrays(self, p: FloatArray, rate: FloatArray, counted: IntArray) -> tuple[FloatArray, ...]:
        """As `_sum_compiled`, for a single question in a process that has not loaded the compiled loops."""
        chance = self.probabilities(p)

        def by(groups: IntArray, count: int) -> FloatArray:
            return np.asarray(np.bincount(groups, chance, count), dtype=np.float64)

        sizes = by(self.n.sum(axis=1), self.planned + 1)
        above = by(self.n @ counted, self.planned + 1)
        return by(self.mtd + 1, self.levels + 1), sizes, above, chance @ self._patients

    def _chances(self, p: FloatArray) -> FloatArray:
        """[level, n, y]: p^DLTs (1 - p)^others since the start; 0 for counts no path reaches."""
        from escalon.design import kernels

        size = self._most + 1
        chances = np.zeros((self.levels, size, size))
        kernels.fill_chances(p, self.start_n, self.start_y, chances)
        return chances

    @cached_property
    def _most(self) -> int:
        return int(self.n.max())

    def gradient(self, prob_tox: Sequence[float] | FloatArray) -> dict[str, FloatArray]:
        """Derivatives with respect to `prob_tox`, exact.

        Returns `prob_none`, shape (levels,), and `prob_select`, `mean_n`, `mean_dlt`, shape (levels,
        levels): row = result, column = level whose probability moves. Raises ValueError unless every
        probability lies strictly between 0 and 1.
        """
        p = check_prob_tox(prob_tox, self.levels)
        if np.any((p <= 0) | (p >= 1)):
            raise ValueError("prob_tox: derivatives need probabilities strictly between 0 and 1")
        weight, rate = self.probabilities(p), self.missing.evaluable_rate(p)
        dlts, free = self._exponents[:, : self.levels], self._exponents[:, self.levels :]
        slope = weight[:, None] * (dlts / rate - free / (1 - rate)) * self.missing.slope(p)
        select = np.zeros((self.levels + 1, self.levels))
        np.add.at(select, self.mtd + 1, slope)
        mean_n = self._patients.T @ slope
        return {
            "prob_none": select[0],
            "prob_select": select[1:],
            "mean_n": mean_n,
            "mean_dlt": self.y.T @ slope,
        }


def exact_oc(
    plan: "EscalationPlan",
    prob_tox: Sequence[float] | FloatArray,
    prob_eff: Sequence[float] | FloatArray | None = None,
    odds_ratio: float = 1.0,
) -> OperatingCharacteristics:
    """Exact operating characteristics of a plan under one scenario.

    For many scenarios call `enumerate_plan` once and `.oc` for each. Rules that look at efficacy need `prob_eff`,
    and `odds_ratio` where it is associated with toxicity; for many scenarios of such a rule call
    `exact_efficacy.enumerate_efficacy`. Raises ValueError for a bad
    scenario, PlanTooLargeError when the plan has too many states.

    >>> from escalon.design import EscalationPlan
    >>> rule = {"kind": "three_plus_three", "variant": "A"}
    >>> plan = EscalationPlan.model_validate({"rule": rule, "levels": 3})
    >>> round(exact_oc(plan, [0.1, 0.25, 0.4]).prob_none, 6)
    0.093853
    """
    check_prob_tox(prob_tox, plan.levels)
    if plan.rule.efficacy:
        from escalon.design.efficacy_characteristics import check_efficacy_scenario
        from escalon.design.exact_efficacy import enumerate_efficacy

        check_efficacy_scenario(plan, prob_tox, prob_eff, odds_ratio)
        return enumerate_efficacy(plan, abs(odds_ratio - 1) > 1e-12).oc(prob_tox, prob_eff, odds_ratio)
    return enumerate_plan(plan).oc(prob_tox)


def enumerate_plan(
    plan: "EscalationPlan",
    after: str | Outcomes | Counts | None = None,
    max_states: int | None = None,
    compiled: bool = True,
) -> Enumeration:
    """All ends of a plan with their coefficients.

    `after`: start from this interim state (as `plan.recommend` takes it) instead of the beginning; the
    characteristics are then conditional on it. `compiled`: use the compiled walk where the plan allows
    it; the result is the same without. Raises PlanTooLargeError, before memory runs short, with the number
    of states reached; ValueError for a rule that needs more than counts, or a trial that has ended.
    """
    if plan.rule.efficacy:
        raise ValueError(
            f"rule {plan.rule.kind} looks at efficacy too: use exact_efficacy.enumerate_efficacy"
        )
    if plan.backfill is not None:
        raise ValueError("backfill depends on arrival times; simulate this plan instead")
    if not plan.rule.counts_only:
        raise ValueError(f"rule {plan.rule.kind} does not decide from counts alone; simulate it instead")
    start = _start(plan, after)
    walks = compiled and can_walk(plan) and fits_two_words(plan)
    check = partial(_check_size, plan, _limit(plan, walks) if max_states is None else max_states)
    walk = partial(enumerate_walk, table_walk(plan), start.states(plan)) if walks else None
    found = walk(check) if walk else _enumerate_any(plan, start, check)
    return Enumeration(
        **found.__dict__,
        planned=plan.max_total,
        target=plan.rule.target_rate,
        start_n=start.n[0],
        start_y=start.y[0],
        missing=plan.missing,
    )


def _start(plan: "EscalationPlan", after: str | Outcomes | Counts | None) -> _Live:
    """The one state in which the next cohort is about to be treated."""
    zero = np.zeros((1, plan.levels), dtype=np.int64)
    nobody = zero if plan.weighted else zero[:, :0]
    first = _Live(zero, zero.copy(), nobody, np.array([plan.start_level - 1]), np.ones(1), np.ones(1))
    if after is None:
        return first
    situation = situation_of(plan, after)
    states = situation.states()
    if not states.treated.any():
        return first
    decision = decide(plan, states)
    if decision.stop[0] != GO_ON:
        raise ValueError(f"after: this trial has ended: {REASONS[int(decision.stop[0])]}")
    x = zero[:, :0] if situation.x is None else situation.x[None, :]
    n = states.n if states.uncounted is None else states.n + states.uncounted
    return _Live(n, states.y, x, decision.level, np.ones(1), np.ones(1))


def _enumerate_any(plan: "EscalationPlan", first: _Live, check: Callable[[int, int, int], None]) -> Ends:
    """Layer by layer with `decide`, for any rule."""
    waiting: dict[int, list[_Live]] = {int(first.n.sum()): [first]}
    ends: list[tuple[_Live, IntArray]] = []
    while waiting:
        total = min(waiting)
        live = _merge(_Live.concatenate(waiting.pop(total)), plan.max_total)
        check(live.level.size, sum(part.level.size for part, _ in ends), total)
        cohort = next_cohort(plan, live.states(plan), live.level)
        for size in np.unique(cohort):
            for after in _after_cohort(plan, live.take(np.flatnonzero(cohort == size)), int(size), ends):
                waiting.setdefault(total + int(size), []).append(after)
    return _collect(plan, ends)


def _limit(plan: "EscalationPlan", walks: bool) -> int:
    """Live states within memory, and within the patience the rule asks for."""
    children = _ways(plan, max(plan.cohort_sizes)).shape[0] * max(len(plan.rule.lots), 1)
    within_memory: int = MAX_STATES // (1 if walks else 8) * 4 // max(children, 4)
    return min(within_memory, int(getattr(plan.rule, "enumerable_states", within_memory)))


def _check_size(plan: "EscalationPlan", limit: int, states: int, ended: int, treated: int) -> None:
    if states > limit or ended > 2 * limit:
        raise PlanTooLargeError(
            f"plan too large to enumerate: {states} live states after {treated} of {plan.max_total} "
            f"patients, limit {limit}{f', and {ended} ended ones' if ended > 2 * limit else ''}; "
            "use simulation instead"
        )


def _after_cohort(
    plan: "EscalationPlan", live: _Live, size: int, ends: list[tuple[_Live, IntArray]]
) -> list[_Live]:
    """Every outcome of one more cohort of `size`; ended states go to `ends`, the others are returned."""
    rows = live.level.size
    ways = _ways(plan, size)
    dlts, missing, factor = (np.repeat(column, rows) for column in ways.T)
    dlts, missing = dlts.astype(np.int64), missing.astype(np.int64)
    child = live.take(np.tile(np.arange(rows), ways.shape[0]))
    everybody = np.arange(dlts.size)
    child.n[everybody, child.level] += size
    child.y[everybody, child.level] += dlts
    if child.x.shape[1]:
        child.x[everybody, child.level] += missing
    lots = plan.rule.lots or (None,)
    shown = replace(child.states(plan), last_n=size - missing, last_y=dlts)
    result = []
    for lot in lots:  # a tie broken at random: every way with its share
        drawn = None if lot is None else np.full(dlts.size, lot)
        decision = decide(plan, replace(shown, lot=drawn))
        coefficient = child.coefficient * factor / len(lots)
        after = _Live(child.n, child.y, child.x, decision.level, coefficient, child.paths / len(lots))
        over = decision.stop != GO_ON
        ended = np.flatnonzero(over)
        if ended.size:
            ends.append((after.take(ended), decision.stop[ended]))
        if ended.size < over.size:
            result.append(after.take(np.flatnonzero(~over)))
    return result


def _ways(plan: "EscalationPlan", size: int) -> FloatArray:
    """What a cohort can bring, one row each: DLTs, weighted patients, and the factor of its coefficient."""
    q = plan.missing.probability if plan.weighted else 0.0
    return np.array(
        [
            (t, u, comb(size, t) * comb(size - t, u) * q**u * (1 - q) ** (size - t - u))
            for t in range(size + 1)
            for u in range(size - t + 1 if q else 1)
        ]
    )


def _merge(live: _Live, max_total: int) -> _Live:
    words = pack_counts(live.n, live.y, live.level, max_total)
    if live.x.shape[1]:
        words += pack_counts(live.x, live.x, live.level, max_total)
    order, first = group_rows(words)
    kept = live.take(order[first])
    coefficient = np.add.reduceat(live.coefficient[order], first)
    paths = np.add.reduceat(live.paths[order], first)
    return _Live(kept.n, kept.y, kept.x, kept.level, coefficient, paths)


def _collect(plan: "EscalationPlan", ends: list[tuple[_Live, IntArray]]) -> Ends:
    everything = _Live.concatenate([live for live, _ in ends])
    stop = np.concatenate([reasons for _, reasons in ends])
    merged = _merge(replace(everything, level=stop), plan.max_total)
    shown = merged.states(plan)
    mtd = np.where(merged.level == UNSAFE, -1, plan.rule.select(shown.n, shown.y))
    x = merged.x if plan.weighted else None
    return Ends(merged.n, merged.y, merged.level, mtd, merged.coefficient, merged.paths, x)
