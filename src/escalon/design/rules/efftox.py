"""EffTox: dose finding by the trade-off between efficacy and toxicity.

With x = log(dose) - mean of log(doses):

    logit pE = muE + b1E x + b2E x^2,   logit pT = muT + bT x,
    P(efficacy a, toxicity b) = pE^a (1-pE)^(1-a) pT^b (1-pT)^(1-b)
                                + (-1)^(a+b) pE (1-pE) pT (1-pT) (e^psi - 1)/(e^psi + 1),

independent normal priors. The utility of (pE, pT) is

    U = 1 - [((1 - pE)/(1 - pE*))^r + (pT/pT*)^r]^(1/r),

0 on the contour through (pE*, 0), (1, pT*) and a third point, from which r follows. Acceptable levels have
P(pE > eff_limit) > eff_certainty and P(pT < tox_limit) > tox_certainty; the next level is the acceptable one with the
largest utility at the posterior mean probabilities. None: stop without a dose.

Sources: Thall, Cook 2004, doi 10.1111/j.0006-341X.2004.00218.x; Thall, Herrick, Nguyen, Venier, Norris 2014,
doi 10.1177/1740774514547397.

Conventions: the utility is taken at the posterior means (the MD Anderson program), not averaged; acceptable are only
levels from one below the lowest to one above the highest tried level (R package trialr 0.1.6), so no untried level is
skipped; ties go to the lower level; the optimal biological dose is the acceptable treated level with the largest
utility on the final data. The posterior is computed by quadrature, see `efftox_posterior`: mean probabilities to
1e-5, acceptability probabilities to 2e-4, against a grid refined until it stands still.
"""

from functools import lru_cache
from typing import Any, Literal

import numpy as np
from pydantic import Field, model_validator

from escalon.design.rules.base import STOP_UNSAFE, BoolArray, FloatArray, IntArray, Proposal, States
from escalon.design.rules.efficacy import EfficacyEstimate, EfficacyRule, EfficacyStates
from escalon.design.rules.efftox_posterior import (
    EffToxPosterior,
    Intervals,
    Part,
    Resolution,
    efftox_intervals,
    fit_efftox,
)

Normal = tuple[float, float]


class EffTox(EfficacyRule):
    """EffTox; see the module. Priors are (mean, standard deviation)."""

    kind: Literal["efftox"] = "efftox"
    doses: tuple[float, ...] = Field(description="dose per level, increasing, any one unit")
    eff_limit: float = Field(gt=0, lt=1, description="lowest acceptable efficacy probability, 0-1")
    tox_limit: float = Field(gt=0, lt=1, description="highest acceptable DLT probability, 0-1")
    eff_certainty: float = Field(0.1, ge=0, lt=1)
    tox_certainty: float = Field(0.1, ge=0, lt=1)
    contour_eff: float = Field(gt=0, lt=1, description="pE*, efficacy required when toxicity is impossible")
    contour_tox: float = Field(gt=0, lt=1, description="pT*, toxicity permitted when efficacy is certain")
    contour_point: tuple[float, float] = Field(
        description="(efficacy, toxicity) as desirable as those two points"
    )
    prior_tox_intercept: Normal
    prior_tox_slope: Normal
    prior_eff_intercept: Normal
    prior_eff_slope: Normal
    prior_eff_curve: Normal = (0.0, 0.2)
    prior_association: Normal = (0.0, 1.0)

    @model_validator(mode="after")
    def _check(self) -> "EffTox":
        if len(self.doses) < 2 or min(self.doses) <= 0 or np.any(np.diff(self.doses) <= 0):
            raise ValueError(f"doses: at least two, above 0 and increasing; got {self.doses}")
        eff, tox = self.contour_point
        if not (self.contour_eff < eff < 1 and 0 < tox < self.contour_tox):
            raise ValueError(
                f"contour_point: efficacy between contour_eff and 1 and toxicity between 0 and contour_tox are "
                f"needed; got {self.contour_point}"
            )
        for name in type(self).model_fields:
            if name.startswith("prior_") and getattr(self, name)[1] <= 0:
                raise ValueError(
                    f"{name}: the standard deviation must be above 0; got {getattr(self, name)[1]}"
                )
        return self

    @property
    def target_rate(self) -> float:
        """The toxicity limit."""
        return self.tox_limit

    @property
    def one_step(self) -> bool:
        """The model may jump down, and up where levels were tried."""
        return False

    @property
    def borrows(self) -> bool:
        """One curve over all levels."""
        return True

    @property
    def enumerable_states(self) -> int:
        """Each state costs a posterior."""
        return 3_000

    @property
    def exponent(self) -> float:
        """r of the utility."""
        return _exponent(self)

    def check(self, levels: int, sizes: set[int]) -> None:
        """One dose per level."""
        if len(self.doses) != levels:
            raise ValueError(f"doses: {levels} values expected, one per level; got {len(self.doses)}")

    def check_plan(self, guards: tuple[Any, ...], titration: bool) -> None:
        """Guards that ask for the posterior of toxicity alone do not fit."""
        for guard in guards:
            if guard.kind in ("overdose_control", "too_toxic"):
                raise ValueError(
                    f"guards: {guard.kind} does not fit rule efftox, which has its own tox_limit"
                )

    def utility(self, prob_eff: FloatArray, prob_tox: FloatArray) -> FloatArray:
        """U, elementwise."""
        r = self.exponent
        distance = ((1 - prob_eff) / (1 - self.contour_eff)) ** r + (prob_tox / self.contour_tox) ** r
        return np.asarray(1 - distance ** (1 / r))

    def posterior(self, n: IntArray, y: IntArray, e: IntArray, both: IntArray) -> EffToxPosterior:
        """Posterior from counts per level, shape (levels,)."""
        return _posterior(self, *(tuple(int(v) for v in part) for part in (n, y, e, both)))

    def _judge(self, states: EfficacyStates) -> tuple[FloatArray, BoolArray]:
        """Utility and acceptability of every level of every state, (states, levels)."""
        rows = np.concatenate([states.n, states.y, states.e, states.both], axis=1)
        distinct, back = np.unique(rows, axis=0, return_inverse=True)
        utility = np.empty((distinct.shape[0], states.n.shape[1]))
        fits = np.empty(utility.shape, dtype=bool)
        for i, row in enumerate(distinct):
            found = self.posterior(*np.split(row, 4))
            utility[i] = self.utility(found.prob_eff, found.prob_tox)
            fits[i] = self._fits(found)
        return utility[back.ravel()], fits[back.ravel()]

    def _fits(self, found: EffToxPosterior) -> BoolArray:
        return np.asarray(
            (found.prob_acceptable_eff > self.eff_certainty)
            & (found.prob_acceptable_tox > self.tox_certainty)
        )

    def propose(self, states: States, max_n: int) -> Proposal:
        """The acceptable level in range with the largest utility."""
        assert isinstance(states, EfficacyStates)
        utility, fits = self._judge(states)
        tried = states.n > 0
        levels = tried.shape[1]
        lowest = np.argmax(tried, axis=1)[:, None]
        highest = levels - 1 - np.argmax(tried[:, ::-1], axis=1)[:, None]
        index = np.arange(levels)
        acceptable = fits & (index >= lowest - 1) & (index <= highest + 1)
        best = np.argmax(np.where(acceptable, utility, -np.inf), axis=1)
        return Proposal(np.where(acceptable.any(axis=1), best, STOP_UNSAFE), acceptable)

    def select_obd(self, states: EfficacyStates) -> IntArray:
        """The acceptable treated level with the largest utility."""
        utility, fits = self._judge(states)
        eligible = fits & (states.n > 0)
        best = np.argmax(np.where(eligible, utility, -np.inf), axis=1)
        return np.asarray(np.where(eligible.any(axis=1), best, -1))

    def estimates_efficacy(self, states: EfficacyStates) -> tuple[EfficacyEstimate, ...]:
        """Posterior of every level."""
        n, y, e = states.n[0], states.y[0], states.e[0]
        found = self.posterior(n, y, e, states.both[0])
        utility, fits = self.utility(found.prob_eff, found.prob_tox), self._fits(found)
        eff, tox = _intervals(self, *(tuple(map(int, part)) for part in (n, y, e, states.both[0])))
        return tuple(
            EfficacyEstimate(
                level=j + 1,
                n=int(n[j]),
                y=int(y[j]),
                e=int(e[j]),
                prob_tox=float(found.prob_tox[j]),
                prob_eff=float(found.prob_eff[j]),
                score=float(utility[j]),
                prob_too_toxic=float(1 - found.prob_acceptable_tox[j]),
                prob_futile=float(1 - found.prob_acceptable_eff[j]),
                admissible=bool(fits[j]),
                tox_lower=tox[j][0],
                tox_upper=tox[j][1],
                eff_lower=eff[j][0],
                eff_upper=eff[j][1],
            )
            for j in range(n.size)
        )

    def explain_efficacy(self, states: EfficacyStates) -> list[str]:
        """The posterior in words."""
        words = [
            f"EffTox: utility at the posterior mean probabilities; acceptable with P(efficacy > {self.eff_limit:.2f}) "
            f"> {self.eff_certainty:.2f} and P(DLT probability < {self.tox_limit:.2f}) > {self.tox_certainty:.2f}; no "
            "untried level is skipped."
        ]
        for row in self.estimates_efficacy(states):
            words.append(
                f"Level {row.level}: efficacy {row.prob_eff:.4f}, toxicity {row.prob_tox:.4f}, utility "
                f"{row.score:.4f}; P(efficacy acceptable) {1 - row.prob_futile:.3f}, P(toxicity acceptable) "
                f"{1 - row.prob_too_toxic:.3f}: {'acceptable' if row.admissible else 'not acceptable'}."
            )
        return words

    def true_utility(self, prob_tox: FloatArray, prob_eff: FloatArray, both: FloatArray) -> FloatArray:
        """U of the truth, -inf where a level violates a limit."""
        fits = (prob_tox <= self.tox_limit) & (prob_eff >= self.eff_limit)
        return np.where(fits, self.utility(prob_eff, prob_tox), -np.inf)


@lru_cache(maxsize=64)
def _exponent(rule: EffTox) -> float:
    from scipy.optimize import brentq

    eff, tox = rule.contour_point
    a, b = (1 - eff) / (1 - rule.contour_eff), tox / rule.contour_tox
    high = 1.0
    while a**high + b**high > 1:
        high *= 2
    return float(brentq(lambda r: a**r + b**r - 1, 1e-9, high, xtol=1e-14, rtol=1e-14))


@lru_cache(maxsize=64)
def _parts(rule: EffTox) -> tuple[Part, Part]:
    x = np.log(np.asarray(rule.doses))
    x = x - x.mean()
    one = np.ones_like(x)
    eff = np.array([rule.prior_eff_slope, rule.prior_eff_curve, rule.prior_eff_intercept])
    tox = np.array([rule.prior_tox_slope, rule.prior_tox_intercept])
    return (
        Part(np.column_stack([x, x * x, one]), eff[:, 0], eff[:, 1]),
        Part(np.column_stack([x, one]), tox[:, 0], tox[:, 1]),
    )


@lru_cache(maxsize=200_000)
def _posterior(
    rule: EffTox, n: tuple[int, ...], y: tuple[int, ...], e: tuple[int, ...], both: tuple[int, ...]
) -> EffToxPosterior:
    counts = (np.array(n), np.array(y), np.array(e), np.array(both))
    limits = (rule.eff_limit, rule.tox_limit)
    return fit_efftox(*_parts(rule), rule.prior_association, limits, counts, Resolution())


@lru_cache(maxsize=256)
def _intervals(
    rule: EffTox, n: tuple[int, ...], y: tuple[int, ...], e: tuple[int, ...], both: tuple[int, ...]
) -> tuple[Intervals, Intervals]:
    counts = (np.array(n), np.array(y), np.array(e), np.array(both))
    return efftox_intervals(*_parts(rule), rule.prior_association, counts, Resolution())
