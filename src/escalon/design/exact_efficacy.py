"""Exact operating characteristics of rules that look at toxicity and efficacy.

As in `exact`, paths that meet in a state are merged. A state holds per level n, y, e and, unless the margins
suffice, the number with both. With independent outcomes a cohort of m gives (t, r) with coefficient C(m, t) C(m, r)
and P(state) = c prod p^y (1 - p)^(n - y) q^e (1 - q)^(n - e); otherwise with the multinomial coefficient of the
four cells and P(state) = c prod of the four cell probabilities to their counts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import comb, factorial
from typing import TYPE_CHECKING

import numpy as np

from escalon.design.decide import GO_ON, UNSAFE, decide, next_cohort
from escalon.design.efficacy_characteristics import (
    EfficacyCharacteristics,
    EfficacyScenario,
    build_efficacy_oc,
    check_efficacy_scenario,
)
from escalon.design.rules.base import FloatArray, IntArray
from escalon.design.rules.efficacy import EfficacyRule, EfficacyStates

if TYPE_CHECKING:
    from escalon.design.plan import EscalationPlan

Y, E, BOTH = 1, 2, 3
"""Places of the counts in a state; 0 is n."""


@dataclass(frozen=True)
class _Live:
    """`counts`: shape (states, levels, 3 or 4), n, y, e and both; `level` of the next cohort; `coefficient`."""

    counts: IntArray
    level: IntArray
    coefficient: FloatArray

    @classmethod
    def concatenate(cls, parts: "Sequence[_Live]") -> "_Live":
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__annotations__))

    def take(self, keep: IntArray) -> "_Live":
        return _Live(self.counts[keep], self.level[keep], self.coefficient[keep])

    def states(self, last: tuple[IntArray, IntArray] | None = None) -> EfficacyStates:
        both = self.counts[:, :, BOTH] if self.counts.shape[2] > BOTH else np.zeros_like(self.counts[:, :, 0])
        n, y, e = (self.counts[:, :, k] for k in range(3))
        size, dlts = (None, None) if last is None else last
        return EfficacyStates(n, y, self.level, size, dlts, e=e, both=both)


@dataclass(frozen=True)
class EfficacyEnumeration:
    """Every way a plan can end.

    `counts`: shape (terminal states, levels, 3 or 4): n, y, e and, when `joint`, both; `obd`: selected 0-based
    level, -1 for none; `coefficient`: shape (terminal states,).
    """

    plan: "EscalationPlan"
    counts: IntArray
    obd: IntArray
    coefficient: FloatArray
    joint: bool

    @property
    def terminal_states(self) -> int:
        """Distinct ends, by counts."""
        return int(self.coefficient.size)

    def probabilities(self, scenario: EfficacyScenario) -> FloatArray:
        """P(terminal state), shape (terminal states,); sums to 1. Raises ValueError for associated outcomes
        when the enumeration holds the margins alone."""
        if not self.joint and abs(scenario.odds_ratio - 1) > 1e-12:
            raise ValueError(
                "odds_ratio: this enumeration holds for independent outcomes; enumerate with joint"
            )
        n, y, e = (self.counts[:, :, k] for k in range(3))
        p, q, pq = scenario.prob_tox, scenario.prob_eff, scenario.both
        if self.joint:
            both = self.counts[:, :, BOTH]
            cells = [(both, pq), (y - both, p - pq), (e - both, q - pq), (n - y - e + both, 1 - p - q + pq)]
        else:
            cells = [(y, p), (n - y, 1 - p), (e, q), (n - e, 1 - q)]
        total = np.zeros(n.shape[0])
        for count, chance in cells:
            with np.errstate(divide="ignore"):
                total += count @ np.maximum(np.log(np.maximum(chance, 0.0)), -1e4)
        return np.asarray(self.coefficient * np.exp(total))

    def oc(
        self,
        prob_tox: Sequence[float] | FloatArray,
        prob_eff: Sequence[float] | FloatArray | None,
        odds_ratio: float = 1.0,
    ) -> EfficacyCharacteristics:
        """Characteristics under a scenario; raises ValueError for a bad one."""
        plan = self.plan
        assert isinstance(plan.rule, EfficacyRule)
        scenario = check_efficacy_scenario(plan, prob_tox, prob_eff, odds_ratio)
        weight = self.probabilities(scenario)
        n, planned = self.counts[:, :, 0], plan.max_total
        select = np.bincount(self.obd + 1, weights=weight, minlength=plan.levels + 1)
        over = n[:, scenario.prob_tox > plan.rule.target_rate].sum(axis=1)
        mean_n = weight @ n
        return build_efficacy_oc(
            plan.rule,
            scenario,
            mean_n * scenario.prob_eff,
            planned=planned,
            prob_select=select[1:].astype(np.float64),
            prob_none=float(select[0]),
            mean_n=mean_n,
            mean_dlt=mean_n * scenario.prob_tox,
            sizes=np.bincount(n.sum(axis=1), weights=weight, minlength=planned + 1),
            overdose_60=float(weight @ (over > 0.6 * planned + 1e-9)),
            overdose_80=float(weight @ (over > 0.8 * planned + 1e-9)),
            method="exact",
            states=self.terminal_states,
        )


def enumerate_efficacy(
    plan: "EscalationPlan", joint: bool = False, max_states: int | None = None
) -> EfficacyEnumeration:
    """All ends of a plan with an efficacy rule.

    `joint`: keep the number with both outcomes, for associated outcomes; always so when the rule asks for it.
    Raises PlanTooLargeError, before memory runs short.
    """
    from escalon.design.exact import PlanTooLargeError

    rule = plan.rule
    assert isinstance(rule, EfficacyRule)
    joint = joint or not rule.margins_suffice
    limit = rule.enumerable_states if max_states is None else max_states
    first = np.zeros((1, plan.levels, 4 if joint else 3), dtype=np.int64)
    waiting = {0: [_Live(first, np.array([plan.start_level - 1]), np.ones(1))]}
    ends: list[tuple[_Live, IntArray]] = []
    while waiting:
        total = min(waiting)
        live = _merge(_Live.concatenate(waiting.pop(total)), plan.max_total)
        if live.level.size > limit:
            raise PlanTooLargeError(
                f"plan too large to enumerate: {live.level.size} live states after {total} of {plan.max_total} "
                f"patients, limit {limit}; use simulation instead"
            )
        cohort = next_cohort(plan, live.states(), live.level)
        for size in np.unique(cohort):
            part = live.take(np.flatnonzero(cohort == size))
            waiting.setdefault(total + int(size), []).extend(_after(plan, part, int(size), ends, joint))
        waiting = {key: parts for key, parts in waiting.items() if parts}
    return _collect(plan, rule, ends, joint)


def cohort_outcomes(size: int, joint: bool) -> Iterator[tuple[int, int, int, float]]:
    """(y, e, both, coefficient) of a cohort; `both` is 0 where the margins are kept alone."""
    for y in range(size + 1):
        for e in range(size + 1):
            if not joint:
                yield y, e, 0, float(comb(size, y) * comb(size, e))
                continue
            for both in range(max(0, y + e - size), min(y, e) + 1):
                cells = (both, y - both, e - both, size - y - e + both)
                ways = factorial(size)
                for count in cells:
                    ways //= factorial(count)
                yield y, e, both, float(ways)


def _after(
    plan: "EscalationPlan", live: _Live, size: int, ends: list[tuple[_Live, IntArray]], joint: bool
) -> list[_Live]:
    """Every outcome of one more cohort; ended states go to `ends`, the others are returned."""
    rows = np.arange(live.level.size)
    result = []
    for y, e, both, ways in cohort_outcomes(size, joint):
        counts = live.counts.copy()
        counts[rows, live.level] += np.array([size, y, e, both][: counts.shape[2]])
        here = _Live(counts, live.level, live.coefficient * ways)
        decision = decide(plan, here.states((np.full(rows.size, size), np.full(rows.size, y))))
        after = _Live(counts, decision.level, here.coefficient)
        over = decision.stop != GO_ON
        ended = np.flatnonzero(over)
        if ended.size:
            ends.append((after.take(ended), decision.stop[ended]))
        result.append(after.take(np.flatnonzero(~over)))
    return [part for part in result if part.level.size]


def _merge(live: _Live, max_total: int) -> _Live:
    from escalon.design.counts_keys import group_rows

    bits = max(int(max_total).bit_length(), 1)
    flat = live.counts.reshape(live.level.size, -1)
    words, used = [live.level.astype(np.int64)], 5
    for column in flat.T:
        if used + bits > 63:
            words.append(np.zeros_like(words[0]))
            used = 0
        words[-1] = (words[-1] << bits) | column
        used += bits
    order, first = group_rows(words)
    kept = live.take(order[first])
    return _Live(kept.counts, kept.level, np.add.reduceat(live.coefficient[order], first))


def _collect(
    plan: "EscalationPlan", rule: EfficacyRule, ends: list[tuple[_Live, IntArray]], joint: bool
) -> EfficacyEnumeration:
    everything = _Live.concatenate([live for live, _ in ends])
    unsafe = np.concatenate([reasons == UNSAFE for _, reasons in ends]).astype(np.int64)
    merged = _merge(_Live(everything.counts, unsafe, everything.coefficient), plan.max_total)
    obd = np.where(merged.level == 1, -1, rule.select_obd(merged.states()))
    return EfficacyEnumeration(plan, merged.counts, obd, merged.coefficient, joint)
