"""BOIN12: Bayesian optimal interval phase I/II design for the optimal biological dose (OBD).

Every patient has one of four outcomes, worth u1 (efficacy, no toxicity), u2 (neither), u3 (both), u4 (toxicity
only), with u1 = 100 the best and u4 = 0 the worst as a rule. With the quasi-count x = sum of the utilities / 100
the mean utility u of a level has the posterior Beta(1 + x, 1 + n - x). Its desirability is P(u > u_b | data),

    u_b = u_low + (100 - u_low)/2,   u_low = u1 pE (1 - pT) + u2 (1 - pT)(1 - pE) + u3 pT pE + u4 pT (1 - pE)

at pT = tox_limit and pE = eff_limit. The rank-based desirability score (RDS) is the rank of the desirability among
all admissible outcomes at the sample sizes of a table, ties averaged. A level is admissible when
P(pT > tox_limit) < tox_certainty and P(pE < eff_limit) < eff_certainty, both Beta(1, 1) a priori.

With q = y/n at the current level d and lambda_e, lambda_d of BOIN for tox_limit:

    q >= lambda_d                                   go down one level
    n >= explore_n, q < lambda_d, d + 1 untried     go up (exploration)
    lambda_e < q < lambda_d and n >= n_star         the more desirable of d - 1, d
    otherwise                                       the most desirable of d - 1, d, d + 1

among admissible levels. No admissible level: stop without a dose. OBD: the level with the highest posterior mean
utility (1 + x)/(2 + n) among treated admissible levels not above the isotonic MTD (the level whose isotonic
toxicity estimate is closest to tox_limit, as in BOIN).

Source: Lin, Zhou, Yan, Yuan 2020, doi 10.1200/PO.20.00257.

Conventions: inadmissibility by toxicity passes to all higher levels; ties in desirability and in utility go to
the higher level; de-escalation ignores whether the level below is admissible (`descend` "next", as published) or
goes to the highest admissible level below ("admissible"); where none of the candidates is admissible the nearest
admissible level is taken, the lower one first; exploration needs n >= 9 (more than 8); at the lowest level with
q >= lambda_d the rule stays.
"""

from functools import lru_cache
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from escalon.design.mtd import pava_selection, select_from_counts
from escalon.design.rules.base import (
    STOP_UNSAFE,
    BoolArray,
    FloatArray,
    IntArray,
    Proposal,
    States,
    beta_interval,
    beta_prob_above,
)
from escalon.design.rules.boin import Boin
from escalon.design.rules.efficacy import EfficacyEstimate, EfficacyRule, EfficacyStates

SLACK = 1e-12
"""Desirabilities that differ by no more are tied."""
FEW = 20_000
"""Desirabilities up to this number are computed one by one, more are read from a table."""


class Boin12(EfficacyRule):
    """BOIN12; see the module for formula and conventions."""

    kind: Literal["boin12"] = "boin12"
    tox_limit: float = Field(gt=0, lt=1, description="highest acceptable DLT probability, 0-1")
    eff_limit: float = Field(gt=0, lt=1, description="lowest acceptable efficacy probability, 0-1")
    utilities: tuple[float, float, float, float] = Field(
        (100, 40, 60, 0),
        description="efficacy without toxicity; neither; both; toxicity without efficacy; 0-100",
    )
    tox_certainty: float = Field(0.95, gt=0, le=1)
    eff_certainty: float = Field(0.90, gt=0, le=1)
    n_star: int = Field(6, ge=1, description="patients from which staying competes with going down only")
    explore_n: int = Field(9, ge=1, description="patients after which an untried next level is explored")
    descend: Literal["next", "admissible"] = "next"
    p_saf: float | None = Field(None, gt=0, lt=1, description="underdosing rate; default 0.6 tox_limit")
    p_tox: float | None = Field(None, gt=0, lt=1, description="overdosing rate; default 1.4 tox_limit")

    @model_validator(mode="after")
    def _check_utilities(self) -> "Boin12":
        best, neither, both, worst = self.utilities
        if not (0 <= worst <= min(neither, both) and max(neither, both) <= best <= 100 and worst < best):
            raise ValueError(
                "utilities: efficacy without toxicity must be best, toxicity without efficacy worst, all within "
                f"0-100; got {self.utilities}"
            )
        _ = self.interval
        return self

    @property
    def interval(self) -> Boin:
        """The BOIN rule for `tox_limit`: its lambda_e and lambda_d."""
        return Boin.model_validate({"target": self.tox_limit, "p_saf": self.p_saf, "p_tox": self.p_tox})

    @property
    def target_rate(self) -> float:
        """The toxicity limit."""
        return self.tox_limit

    @property
    def margins_suffice(self) -> bool:
        """True when u1 + u4 = u2 + u3: the utility is then a sum over toxicity and efficacy."""
        best, neither, both, worst = self.utilities
        return abs(best + worst - neither - both) < 1e-12

    @property
    def benchmark(self) -> float:
        """u_b / 100."""
        return (self.mean_utility(self.tox_limit, self.eff_limit) + 100) / 200

    def mean_utility(self, p: float, q: float) -> float:
        """Mean utility, 0-100, at DLT probability `p` and efficacy `q`, independent of each other."""
        best, neither, both, worst = self.utilities
        return best * q * (1 - p) + neither * (1 - p) * (1 - q) + both * p * q + worst * p * (1 - q)

    def quasi_count(self, n: IntArray, y: IntArray, e: IntArray, both: IntArray) -> FloatArray:
        """x, elementwise."""
        best, neither, together, worst = self.utilities
        total = best * (e - both) + neither * (n - y - e + both) + together * both + worst * (y - both)
        return np.asarray(total / 100)

    def desirability(self, n: IntArray, y: IntArray, e: IntArray, both: IntArray) -> FloatArray:
        """P(u > u_b), elementwise."""
        x = self.quasi_count(n, y, e, both)
        from scipy.special import betaincc

        return np.asarray(betaincc(1 + x, 1 + n - x, self.benchmark))

    def too_toxic(self, n: IntArray, y: IntArray) -> BoolArray:
        """Levels ruled out by toxicity, the higher ones with them, shape (states, levels)."""
        out = beta_prob_above(n, y, self.tox_limit) >= self.tox_certainty
        return np.asarray(np.logical_or.accumulate(out, axis=-1))

    def futile(self, n: IntArray, e: IntArray) -> BoolArray:
        """Levels ruled out by lack of efficacy, elementwise."""
        return np.asarray(1 - beta_prob_above(n, e, self.eff_limit) >= self.eff_certainty)

    def propose(self, states: States, max_n: int) -> Proposal:
        """See the module."""
        assert isinstance(states, EfficacyStates)
        n, y, e = states.n, states.y, states.e
        toxic, futile = _limits(self, max_n)
        admissible = ~np.logical_or.accumulate(toxic[n, y], axis=1) & ~futile[n, e]
        if self.margins_suffice and n.size > FEW:
            score = _scores(self, int(n.max()))[n, y, e]
        else:
            score = self.desirability(n, y, e, states.both)
        rows, d, top = states.rows, states.current, n.shape[1] - 1
        held, rate = states.n_current, states.y_current / np.maximum(states.n_current, 1)
        down = rate >= self.interval.lambda_d
        between = (rate > self.interval.lambda_e) & ~down & (held >= self.n_star)
        index = np.arange(top + 1)
        near = (np.abs(index - d[:, None]) <= 1) & ~(between[:, None] & (index > d[:, None]))
        level = self._best(score, near & admissible, admissible, d)
        above = np.minimum(d + 1, top)
        explore = (held >= self.explore_n) & ~down & (d < top) & (n[rows, above] == 0)
        level = np.where(explore & admissible[rows, above], above, level)
        level = np.where(down, self._below(admissible, d), level)
        open_levels = admissible.copy()
        open_levels[rows, level] = True
        return Proposal(np.where(admissible.any(axis=1), level, STOP_UNSAFE), open_levels)

    def _best(self, score: FloatArray, candidates: BoolArray, admissible: BoolArray, d: IntArray) -> IntArray:
        """Highest score, ties to the higher level; without a candidate the nearest admissible level."""
        value = np.where(candidates, score, -1.0)
        tied = value >= value.max(axis=1, keepdims=True) - SLACK
        best = score.shape[1] - 1 - np.argmax(tied[:, ::-1], axis=1)
        distance = np.abs(np.arange(score.shape[1]) - d[:, None])
        nearest = np.argmin(np.where(admissible, distance, 2 * score.shape[1]), axis=1)
        return np.asarray(np.where(candidates.any(axis=1), best, nearest))

    def _below(self, admissible: BoolArray, d: IntArray) -> IntArray:
        lower = np.maximum(d - 1, 0)
        if self.descend == "next":
            return lower
        index = np.arange(admissible.shape[1])
        reachable = admissible & (index <= lower[:, None])
        highest = admissible.shape[1] - 1 - np.argmax(reachable[:, ::-1], axis=1)
        return np.asarray(np.where(reachable.any(axis=1), highest, lower))

    def select_obd(self, states: EfficacyStates) -> IntArray:
        """Highest posterior mean utility among treated admissible levels up to the isotonic MTD."""
        n, y, e = states.n, states.y, states.e
        largest = max(int(n.max()), 1)
        nothing = np.zeros((largest + 1, largest + 1), dtype=bool)
        toxic, futile = _limits(self, largest)
        eligible = (n > 0) & ~np.logical_or.accumulate(toxic[n, y], axis=1)
        mtd = select_from_counts(
            pava_selection(self.tox_limit, nothing), np.where(eligible, n, 0), np.where(eligible, y, 0)
        )
        eligible &= ~futile[n, e] & (np.arange(n.shape[1]) <= mtd[:, None])
        utility = (1 + self.quasi_count(n, y, e, states.both)) / (2 + n)
        value = np.where(eligible, utility, -1.0)
        tied = value >= value.max(axis=1, keepdims=True) - SLACK
        best = n.shape[1] - 1 - np.argmax(tied[:, ::-1], axis=1)
        return np.asarray(np.where(eligible.any(axis=1), best, -1))

    def estimates_efficacy(self, states: EfficacyStates) -> tuple[EfficacyEstimate, ...]:
        """Posterior means, desirability and the admissibility of every level."""
        n, y, e = states.n[0], states.y[0], states.e[0]
        score = self.desirability(n, y, e, states.both[0])
        toxic = beta_prob_above(n, y, self.tox_limit)
        futile = 1 - beta_prob_above(n, e, self.eff_limit)
        admissible = ~self.too_toxic(n[None, :], y[None, :])[0] & ~self.futile(n, e)
        tox, eff = beta_interval(n, y), beta_interval(n, e)
        return tuple(
            EfficacyEstimate(
                level=j + 1,
                n=int(n[j]),
                y=int(y[j]),
                e=int(e[j]),
                prob_tox=float((1 + y[j]) / (2 + n[j])),
                prob_eff=float((1 + e[j]) / (2 + n[j])),
                score=float(score[j]),
                prob_too_toxic=float(toxic[j]),
                prob_futile=float(futile[j]),
                admissible=bool(admissible[j]),
                tox_lower=float(tox[0][j]),
                tox_upper=float(tox[1][j]),
                eff_lower=float(eff[0][j]),
                eff_upper=float(eff[1][j]),
            )
            for j in range(n.size)
        )

    def explain_efficacy(self, states: EfficacyStates) -> list[str]:
        """Boundaries, what they allow, and the desirability of every level."""
        d = int(states.current[0])
        held, rate = int(states.n[0, d]), float(states.y[0, d] / states.n[0, d])
        low, high = self.interval.lambda_e, self.interval.lambda_d
        words = [
            f"BOIN12: DLT rate {rate:.4f} against lambda_e {low:.4f} and lambda_d {high:.4f}; desirability is "
            f"P(mean utility > {100 * self.benchmark:g})."
        ]
        untried = d + 1 < states.n.shape[1] and states.n[0, d + 1] == 0
        if rate >= high:
            words.append("The DLT rate is at or above lambda_d: go down one level.")
        elif untried and held >= self.explore_n:
            words.append(
                f"Exploration: {held} patients at this level ({self.explore_n} suffice), the next one untried."
            )
        elif rate > low and held >= self.n_star:
            words.append(
                f"The DLT rate lies between the boundaries with {held} patients ({self.n_star} suffice): the "
                "more desirable of this level and the one below."
            )
        else:
            words.append("The most desirable of this level and its neighbours.")
        for row in self.estimates_efficacy(states):
            verdict = "admissible" if row.admissible else "not admissible"
            words.append(
                f"Level {row.level}: desirability {row.score:.4f}; P(DLT probability > {self.tox_limit:.2f}) = "
                f"{row.prob_too_toxic:.3f} (limit {self.tox_certainty:.2f}), P(efficacy < {self.eff_limit:.2f}) = "
                f"{row.prob_futile:.3f} (limit {self.eff_certainty:.2f}): {verdict}."
            )
        return words

    def true_utility(self, prob_tox: FloatArray, prob_eff: FloatArray, both: FloatArray) -> FloatArray:
        """Mean utility, -inf where a level violates a limit."""
        best, neither, together, worst = self.utilities
        utility = (
            best * (prob_eff - both)
            + neither * (1 - prob_tox - prob_eff + both)
            + together * both
            + worst * (prob_tox - both)
        )
        fits = (prob_tox <= self.tox_limit) & (prob_eff >= self.eff_limit)
        return np.where(fits, utility, -np.inf)

    def rds_table(self, sizes: tuple[int, ...]) -> list[tuple[int, int, int, float | None]]:
        """The rank-based desirability score of every outcome at the given numbers of patients.

        Returns rows (n, y, e, RDS), RDS None where not admissible. Raises ValueError for utilities that need
        the count of patients with both. 0 stands for an untried level.

        >>> rule = Boin12(tox_limit=0.35, eff_limit=0.25)
        >>> [row for row in rule.rds_table((0, 3, 6, 9)) if row[:3] == (6, 1, 4)]
        [(6, 1, 4, 72.5)]
        """
        if not self.margins_suffice:
            raise ValueError(
                "utilities: u1 + u4 = u2 + u3 is needed for a table by toxicity and efficacy alone"
            )
        from scipy.stats import rankdata

        rows = [(n, y, e) for n in sorted(set(sizes)) for y in range(n + 1) for e in range(n + 1)]
        n, y, e = (np.array(part) for part in zip(*rows, strict=True))
        fits = ~(beta_prob_above(n, y, self.tox_limit) >= self.tox_certainty) & ~self.futile(n, e)
        score = np.round(self.desirability(n, y, e, np.zeros_like(n)), 12)
        ranks = np.full(n.size, np.nan)
        ranks[fits] = rankdata(score[fits])
        return [
            (*row, None if np.isnan(rank) else float(rank)) for row, rank in zip(rows, ranks, strict=True)
        ]


@lru_cache(maxsize=32)
def _limits(rule: Boin12, max_n: int) -> tuple[BoolArray, BoolArray]:
    """Too toxic [n, y] and futile [n, e]."""
    count = np.arange(max_n + 1)
    n, y = np.meshgrid(count, count, indexing="ij")
    y = np.minimum(n, y)
    return beta_prob_above(n, y, rule.tox_limit) >= rule.tox_certainty, rule.futile(n, y)


@lru_cache(maxsize=64)
def _scores(rule: Boin12, max_n: int) -> FloatArray:
    """Desirability [n, y, e]."""
    count = np.arange(max_n + 1)
    n, y, e = np.meshgrid(count, count, count, indexing="ij")
    return rule.desirability(n, np.minimum(y, n), np.minimum(e, n), np.zeros_like(n))
