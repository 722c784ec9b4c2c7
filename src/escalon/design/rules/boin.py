"""BOIN: Bayesian optimal interval design.

With observed rate q = y/n at the current level: q <= lambda_e escalates, q >= lambda_d de-escalates, else
stay, where for the highest rate regarded as underdosing p_saf and the lowest regarded as overdosing p_tox

    lambda_e = log((1 - p_saf)/(1 - target)) / log(target (1 - p_saf)/(p_saf (1 - target)))
    lambda_d = log((1 - target)/(1 - p_tox)) / log(p_tox (1 - target)/(target (1 - p_tox))).

A level with at least 3 patients and P(p > target) > elimination, p ~ Beta(1 + y, 1 + n - y), is left for
good together with all above; at the lowest level that stops the escalation without a dose.

Sources: Liu, Yuan 2015, doi 10.1111/rssc.12089 (erratum doi 10.1111/rssc.12541); Yuan et al. 2016,
doi 10.1158/1078-0432.CCR-16-0592.

Conventions, with the defaults of the R package BOIN 2.7.2 (`get.oc`, `select.mtd`): the cohort that fills
the sample size ends the trial before elimination is checked, and the selection of the dose checks it again;
escalation into an eliminated level becomes a stay; stopping at enough patients (guard enough_at_dose) waits
for a stay. Options: `extra_safe` stops at the lowest level already at P(p > target) > elimination - offset;
`bound_mtd` selects no level whose isotonic estimate exceeds lambda_d; `stay_at_one_third` replaces the
decision at 1 of 3 by a stay (found in web applications, not in the package). Accelerated titration is
`titration: true` of the plan.
"""

from math import log
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from escalon.design.mtd import Selection, pava_selection
from escalon.design.rules.base import IntArray, beta_prob_above
from escalon.design.rules.tables import (
    DE_ESCALATE,
    ESCALATE,
    STAY,
    Table,
    TableRule,
    beta_explanation,
    triangle,
)


class Boin(TableRule):
    """BOIN; see the module for formula and conventions."""

    kind: Literal["boin"] = "boin"
    p_saf: float | None = Field(
        None, gt=0, lt=1, description="underdosing rate; default 0.6 times the target"
    )
    p_tox: float | None = Field(None, gt=0, lt=1, description="overdosing rate; default 1.4 times the target")
    elimination: float = Field(0.95, gt=0, le=1, description="posterior certainty that eliminates a level")
    elimination_min_n: int = Field(3, ge=1, description="patients needed before a level is eliminated")
    extra_safe: bool = Field(False, description="stricter stopping rule at the lowest level")
    offset: float = Field(0.05, gt=0, lt=0.5, description="how much stricter, for extra_safe")
    bound_mtd: bool = Field(False, description="the selected level's estimate must not exceed lambda_d")
    stay_at_one_third: bool = Field(False, description="1 DLT of 3 stays")

    @model_validator(mode="after")
    def _check_rates(self) -> "Boin":
        if not self.underdose < self.target < self.overdose < 1:
            raise ValueError(
                f"p_saf, p_tox: p_saf < target < p_tox < 1 is required; got {self.underdose:g}, "
                f"{self.target:g}, {self.overdose:g}"
            )
        return self

    @property
    def underdose(self) -> float:
        """p_saf in force."""
        return 0.6 * self.target if self.p_saf is None else self.p_saf

    @property
    def overdose(self) -> float:
        """p_tox in force."""
        return 1.4 * self.target if self.p_tox is None else self.p_tox

    @property
    def lambda_e(self) -> float:
        """Escalation boundary, 0-1."""
        p, q = self.target, self.underdose
        return log((1 - q) / (1 - p)) / log(p * (1 - q) / (q * (1 - p)))

    @property
    def lambda_d(self) -> float:
        """De-escalation boundary, 0-1."""
        p, q = self.target, self.overdose
        return log((1 - p) / (1 - q)) / log(q * (1 - p) / (p * (1 - q)))

    def build_table(self, max_n: int) -> Table:
        """Boundaries for every n up to `max_n`."""
        n, y = triangle(max_n)
        decision = np.where(
            y <= n * self.lambda_e, ESCALATE, np.where(y >= n * self.lambda_d, DE_ESCALATE, STAY)
        )
        decision[0, :] = STAY
        if self.stay_at_one_third:
            decision[(n == 3) & (y == 1)] = STAY
        unsafe = beta_prob_above(n, y, self.target)
        eliminate = (n >= self.elimination_min_n) & (unsafe > self.elimination)
        strict = np.zeros_like(eliminate)
        if self.extra_safe:
            strict = (n >= 3) & (unsafe > self.elimination - self.offset)
        return Table(decision.astype(np.int8), eliminate, eliminate, strict)

    def build_selection(self, max_n: int) -> Selection:
        """`BOIN::select.mtd`."""
        table = self.table(max_n)
        bound = self.lambda_d if self.bound_mtd else np.inf
        return pava_selection(self.target, table.eliminate, table.stop_lowest, bound)

    def explain(self, n: IntArray, y: IntArray, current: int) -> list[str]:
        """Counts, boundaries, the overdose probability."""
        rate = y[current] / n[current]
        words = (
            f"BOIN: rate {rate:.4f} against lambda_e {self.lambda_e:.4f} (escalate at or below) and lambda_d "
            f"{self.lambda_d:.4f} (de-escalate at or above)."
        )
        return beta_explanation(self, n, y, current, self.elimination, words)
