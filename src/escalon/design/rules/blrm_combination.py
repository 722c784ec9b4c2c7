"""BLRM for two agents: logistic regression of the combination with escalation under overdose control (EWOC).

    logit p1 = log a1 + b1 log(d1/d1*),   logit p2 = log a2 + b2 log(d2/d2*),   p0 = p1 + p2 - p1 p2,
    odds(p) = odds(p0) exp(eta (d1/d1*)(d2/d2*)),

(log a1, log b1) and (log a2, log b2) bivariate normal, eta normal, all three independent. A combination is admissible
when P(p > overdose limit) lies below the feasibility bound. Next: the admissible combination with the highest
probability of the target interval among those in reach, which are the current one, every combination with neither
agent higher, and one dose up in one agent. None admissible: stop without a dose.

Sources: Neuenschwander, Matano, Tang, Roychoudhury, Wandel, Bailey 2015, A Bayesian industry approach to phase I
combination trials in oncology, in: Statistical Methods in Drug Combination Studies, CRC Press, chapter 6; the model
without interaction scale as in the R package OncoBayes2 (linear interaction); EWOC: Babb, Rogatko, Zacks 1998,
doi 10.1002/(SICI)1097-0258(19980530)17:10<1103::AID-SIM793>3.0.CO;2-9.

Conventions: target interval (0.20, 0.35], overdose above 0.35, bound 0.25 compared with "<"; ties take the lower
level; no step up in one agent and down in the other, no step up in both, no skipping. The MTD is the treated
combination that is admissible on the final data with the highest probability of the target interval. The posterior
is computed by quadrature, see `blrm_combination_posterior`: means to 1e-3, probabilities of exceeding a limit to 2e-3
against refined grids, wide priors included; most are ten times closer.
"""

from functools import lru_cache
from typing import Any, Literal

import numpy as np
from pydantic import Field, model_validator

from escalon.design.quadrature import LADDER, quantile_on_ladder
from escalon.design.recommendation import LevelEstimate
from escalon.design.rules.base import (
    STOP_UNSAFE,
    BoolArray,
    FloatArray,
    IntArray,
    Proposal,
    States,
    check_target_interval,
    level_estimates,
    observed,
)
from escalon.design.rules.blrm_combination_posterior import (
    CombinationPosterior,
    Model,
    Resolution,
    fit_combination,
)
from escalon.design.rules.grid import GridRule

Pair = tuple[float, float]


class BlrmCombination(GridRule):
    """BLRM for two agents; see the module. `rows` and `columns` follow from the doses."""

    kind: Literal["blrm_combination"] = "blrm_combination"
    doses_a: tuple[float, ...] = Field(description="doses of agent A, increasing, any one unit")
    doses_b: tuple[float, ...] = Field(description="doses of agent B, increasing, any one unit")
    ref_dose_a: float = Field(gt=0)
    ref_dose_b: float = Field(gt=0)
    prior_mean_a: Pair = Field((0.0, 0.0), description="prior means of log a1 and log b1")
    prior_sd_a: Pair = Field((2.0, 1.0), description="prior standard deviations")
    prior_corr_a: float = Field(0.0, gt=-1, lt=1)
    prior_mean_b: Pair = (0.0, 0.0)
    prior_sd_b: Pair = (2.0, 1.0)
    prior_corr_b: float = Field(0.0, gt=-1, lt=1)
    prior_interaction: Pair = Field((0.0, 1.121), description="mean and standard deviation of eta")
    target: float = Field(0.3, gt=0, lt=1, description="reference of the overdose metrics")
    target_interval: Pair = (0.20, 0.35)
    feasibility: float = Field(0.25, gt=0, lt=1, description="bound on P(p > upper end of the interval)")

    @model_validator(mode="before")
    @classmethod
    def _count_doses(cls, content: Any) -> Any:
        if isinstance(content, dict):
            counts = {"rows": "doses_a", "columns": "doses_b"}
            found = {name: len(content[doses]) for name, doses in counts.items() if doses in content}
            for name, count in found.items():
                if content.get(name, count) != count:
                    raise ValueError(
                        f"{name}: {count} doses are given in {counts[name]}; got {content[name]}"
                    )
            return {**content, **found}
        return content

    @model_validator(mode="after")
    def _check_numbers(self) -> "BlrmCombination":
        for name in ("doses_a", "doses_b"):
            doses = getattr(self, name)
            if min(doses) <= 0 or np.any(np.diff(doses) <= 0):
                raise ValueError(f"{name}: doses must be above 0 and increase; got {doses}")
        for name in ("prior_sd_a", "prior_sd_b"):
            if min(getattr(self, name)) <= 0:
                raise ValueError(f"{name}: standard deviations must be above 0; got {getattr(self, name)}")
        if self.prior_interaction[1] <= 0:
            raise ValueError(
                f"prior_interaction: the standard deviation must be above 0; got {self.prior_interaction}"
            )
        check_target_interval(self.target_interval)
        return self

    @property
    def target_rate(self) -> float:
        """Reference of the overdose metrics."""
        return self.target

    @property
    def enumerable_states(self) -> int:
        """Each state costs a posterior."""
        return 500

    def known_guards(self) -> tuple[str, ...]:
        """Overdose control is the rule's own."""
        return ("enough_at_dose",)

    def posterior(self, n: IntArray, y: IntArray, levels: IntArray | None = None) -> CombinationPosterior:
        """Posterior from counts per level, at the 0-based `levels` asked for (default all); rows of `above` belong to
        the ends of the target interval."""
        asked = range(n.size) if levels is None else levels
        return _posterior(
            self, tuple(map(int, n)), tuple(map(int, y)), tuple(int(j) for j in asked), self.target_interval
        )

    def _intervals(self, n: IntArray, y: IntArray, wanted: BoolArray) -> tuple[FloatArray, FloatArray]:
        """P(overdose), P(target interval) where wanted, 1 and 0 elsewhere; (states, levels)."""
        rows = np.concatenate([n, y, wanted], axis=1)
        distinct, back = np.unique(rows, axis=0, return_inverse=True)
        over, target = np.ones((distinct.shape[0], n.shape[1])), np.zeros((distinct.shape[0], n.shape[1]))
        for i, row in enumerate(distinct):
            counts_n, counts_y, mask = np.split(row, 3)
            levels = np.flatnonzero(mask)
            low, high = self.posterior(counts_n, counts_y, levels).above
            over[i, levels], target[i, levels] = high[levels], (low - high)[levels]
        return over[back.ravel()], target[back.ravel()]

    def propose(self, states: States, max_n: int) -> Proposal:
        """EWOC among the combinations in reach."""
        levels = states.n.shape[1]
        within = np.array([self.reach(int(d), levels) for d in states.current])
        over, target = self._intervals(states.n, states.y, within)
        admissible = within & (over < self.feasibility)
        best = np.argmax(np.where(admissible, target, -1.0), axis=1)
        level = np.where(admissible.any(axis=1), best, STOP_UNSAFE)
        return Proposal(level, ~(within & ~admissible))

    def select(self, n: IntArray, y: IntArray) -> IntArray:
        """Admissible treated combination with the highest probability of the target interval."""
        over, target = self._intervals(n, y, n > 0)
        admissible = (n > 0) & (over < self.feasibility)
        best = np.argmax(np.where(admissible, target, -1.0), axis=1)
        return np.asarray(np.where(admissible.any(axis=1), best, -1))

    def prob_above(self, n: IntArray, y: IntArray, limit: float) -> FloatArray:
        """Posterior P(p > limit), shape (states, levels)."""
        asked = tuple(range(n.shape[1]))
        rows = zip(n.tolist(), y.tolist(), strict=True)
        return np.array([_posterior(self, tuple(a), tuple(b), asked, (limit,)).above[0] for a, b in rows])

    def estimates(self, n: IntArray, y: IntArray) -> tuple[LevelEstimate, ...]:
        """Posterior mean, equal-tailed 95% interval and P(p > target); about 0.3 s per combination."""
        counts, everywhere = (tuple(map(int, n)), tuple(map(int, y))), tuple(range(n.size))
        found = _posterior(self, *counts, everywhere, (self.target, *LADDER))
        low, high = ([quantile_on_ladder(found.above[1:, j], q) for j in everywhere] for q in (0.025, 0.975))
        return level_estimates(n, y, found.prob_tox, low, high, found.above[0])

    def explain(self, n: IntArray, y: IntArray, current: int) -> list[str]:
        """Counts and the interval probabilities of the combinations in reach."""
        within = np.flatnonzero(self.reach(current, n.size))
        over_low, over = self.posterior(n, y, within).above
        low, high = self.target_interval
        listed = ", ".join(
            f"{self.name(int(j))} {over_low[j] - over[j]:.3f} / {over[j]:.3f}"
            f"{'' if over[j] < self.feasibility else ' (barred)'}"
            for j in within
        )
        return [
            observed(n, y, current),
            f"Two-agent BLRM: P(DLT probability in ({low:.2f}, {high:.2f}]) / P(above {high:.2f}): {listed}.",
            f"Admissible below the feasibility bound {self.feasibility:.2f}; chosen by the highest P(target interval).",
        ]


@lru_cache(maxsize=32)
def _model(rule: BlrmCombination) -> Model:
    a = np.repeat(rule.doses_a, rule.columns) / rule.ref_dose_a
    b = np.tile(rule.doses_b, rule.rows) / rule.ref_dose_b
    mean = np.array(
        [
            rule.prior_mean_a[1],
            rule.prior_mean_b[1],
            rule.prior_mean_b[0],
            rule.prior_interaction[0],
            rule.prior_mean_a[0],
        ]
    )
    sd = np.array(
        [
            rule.prior_sd_a[1],
            rule.prior_sd_b[1],
            rule.prior_sd_b[0],
            rule.prior_interaction[1],
            rule.prior_sd_a[0],
        ]
    )
    correlation = np.eye(5)
    correlation[0, 4] = correlation[4, 0] = rule.prior_corr_a
    correlation[1, 2] = correlation[2, 1] = rule.prior_corr_b
    return Model(np.log(a), np.log(b), a * b, mean, correlation * np.outer(sd, sd))


@lru_cache(maxsize=100_000)
def _posterior(
    rule: BlrmCombination,
    n: tuple[int, ...],
    y: tuple[int, ...],
    levels: tuple[int, ...],
    limits: tuple[float, ...],
) -> CombinationPosterior:
    return fit_combination(_model(rule), np.array(n), np.array(y), limits, levels, Resolution())
