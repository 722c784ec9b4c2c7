"""EscalationPlan: rule, levels, cohort size, limits and guards in one frozen, hashable object."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from escalon.design.backfill import Backfill
from escalon.design.guards import AnyGuard, StopBelowLowest
from escalon.design.non_evaluable import REPLACE, NonEvaluable
from escalon.design.outcomes import IntArray, Outcomes
from escalon.design.recommendation import PendingPatient, Recommendation
from escalon.design.rules import AnyRule
from escalon.design.rules.tables import TableRule

MAX_LEVELS = 20


class EscalationPlan(BaseModel):
    """A dose-escalation plan: the same object is simulated, printed in the protocol and asked in conduct.

    >>> plan = EscalationPlan.model_validate(
    ...     {"rule": {"kind": "mtpi", "target": 0.3}, "levels": 4, "cohort_size": 3, "max_patients": 24})
    >>> plan.recommend("1NNN 2NTN").action
    'stay'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: AnyRule
    levels: int = Field(ge=1, le=MAX_LEVELS, description="number of dose levels")
    cohort_size: int | tuple[int, ...] = Field(
        3, description="patients per cohort; a list gives the first cohorts, its last entry repeats"
    )
    max_patients: int | None = Field(
        None, ge=1, description="largest sample size; may be left out for rules that end by themselves"
    )
    start_level: int = Field(1, ge=1, description="1-based level of the first cohort")
    lower_level: bool = Field(
        False,
        description="the lowest of the levels is level -1, kept for de-escalation: start_level is then 2 or more, 2 "
        "by default; levels are counted from the lowest everywhere, `level_names` gives the protocol's names",
    )
    guards: tuple[AnyGuard, ...] = ()
    titration: bool = Field(False, description="one patient per level until the first DLT, then cohorts")
    non_evaluable: NonEvaluable | None = Field(
        None, description="patients without DLT who cannot be judged in full: replaced, or weighted"
    )
    backfill: Backfill | None = Field(None, description="patients treated below the current level as well")

    @model_validator(mode="before")
    @classmethod
    def _start_above_lower_level(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("lower_level") is True and "start_level" not in data:
            return {**data, "start_level": 2}
        return data

    @model_validator(mode="after")
    def _check(self) -> "EscalationPlan":
        if self.lower_level and self.start_level < 2:
            raise ValueError("start_level: level -1 is kept for de-escalation, so the start is 2 or above")
        if min(self.cohort_sizes, default=0) < 1:
            raise ValueError("cohort_size: every cohort needs at least 1 patient")
        if self.start_level > self.levels:
            raise ValueError(f"start_level: {self.start_level} exceeds the number of levels, {self.levels}")
        if self.max_patients is None and self.rule.default_max_patients(self.levels) is None:
            raise ValueError(
                f"max_patients: required for rule {self.rule.kind}, which does not end by itself"
            )
        if self.max_total < self.cohort_sizes[0]:
            raise ValueError(
                f"max_patients: {self.max_total} does not hold the first cohort of {self.cohort_sizes[0]}"
            )
        self.rule.check(self.levels, self._sizes_at_one_level())
        self.rule.check_plan(self.guards, self.titration)
        self._check_non_evaluable()
        self._check_stop_below()
        if self.backfill is not None:
            self.backfill.check_plan(self.rule.kind, self.guards, self.titration)
        return self

    def _check_stop_below(self) -> None:
        asked = any(isinstance(guard, StopBelowLowest) for guard in self.guards)
        if asked and (self.rule.late_onset or not isinstance(self.rule, TableRule)):
            raise ValueError(
                f"guards: stop_below_lowest needs a rule with a decision table; {self.rule.kind} has none"
            )

    def _check_non_evaluable(self) -> None:
        option = self.non_evaluable
        if option is None:
            return
        if self.rule.efficacy or self.backfill is not None:
            raise ValueError("non_evaluable: not available for rules that look at efficacy, or with backfill")
        if option.kind == "weight" and self.rule.late_onset:
            raise ValueError(
                f"non_evaluable: rule {self.rule.kind} weighs follow-up itself; use kind replace with it"
            )

    @property
    def weighted(self) -> bool:
        """True when patients who cannot be judged in full are weighted, not replaced."""
        return self.missing.kind == "weight"

    @property
    def missing(self) -> NonEvaluable:
        """`non_evaluable`, or what a plan without it does."""
        return self.non_evaluable or REPLACE

    @property
    def cohort_sizes(self) -> tuple[int, ...]:
        """Planned sizes of the first cohorts; the last entry repeats."""
        return (self.cohort_size,) if isinstance(self.cohort_size, int) else self.cohort_size

    @property
    def level_names(self) -> tuple[str, ...]:
        """The protocol's names of the levels, lowest first: ("-1", "1", "2") or ("1", "2", "3")."""
        if self.lower_level:
            return ("-1", *(str(k) for k in range(1, self.levels)))
        return tuple(str(k) for k in range(1, self.levels + 1))

    @property
    def max_total(self) -> int:
        """Largest sample size: `max_patients`, else the rule's own bound."""
        own = self.rule.default_max_patients(self.levels)
        total = self.max_patients if self.max_patients is not None else own
        assert total is not None
        return total

    def _sizes_at_one_level(self) -> set[int]:
        """Numbers of patients one level can hold after a complete cohort, short of the full trial."""
        sizes, treated, cohort = {0}, 0, 0
        while treated < self.max_total:
            size = self.cohort_sizes[min(cohort, len(self.cohort_sizes) - 1)]
            treated, cohort = treated + size, cohort + 1
            if treated < self.max_total:
                sizes |= {held + size for held in sizes}
        return sizes - {0}

    @property
    def max_n(self) -> int:
        """Largest number of patients a rule may meet at one level."""
        return self.max_total

    @property
    def hash(self) -> str:
        """SHA-256 of the plan's canonical JSON, guards sorted: the order of guards has no meaning."""
        content = self.model_dump(mode="json")
        content["cohort_size"] = list(self.cohort_sizes)
        content["max_patients"] = self.max_total
        if self.non_evaluable is None:
            del content["non_evaluable"]  # as for backfill
        if not self.lower_level:
            del content["lower_level"]
        if self.backfill is None:
            del content["backfill"]  # the hash of a plan without backfill is older than the option
        elif self.backfill.counts_in_escalation:
            del content["backfill"]["counts_in_escalation"]  # as for backfill
        content["guards"] = sorted(content["guards"], key=lambda guard: json.dumps(guard, sort_keys=True))
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def recommend(
        self,
        outcomes: str | Outcomes | tuple[Sequence[int] | IntArray, Sequence[int] | IntArray, int],
        pending: Sequence[PendingPatient | tuple[int, float]] | None = None,
    ) -> Recommendation:
        """Next level, with reasons.

        Parameters: `outcomes`, a string such as "1NNN 2NTN", parsed `Outcomes`, or (n, y, current_level)
        with counts per level and the 1-based level of the last cohort; `pending`, patients whose DLT
        window is still open, as (level, share of the window seen).

        Raises ValueError for outcomes that do not fit the plan.
        """
        from escalon.design.recommend import recommend

        return recommend(self, outcomes, pending)

    def fit(
        self,
        levels: Sequence[int],
        tox: Sequence[int],
        weights: Sequence[float] | None = None,
    ) -> Any:
        """Posterior of a model-based rule from single patients.

        Parameters: `levels`, 1-based level per patient; `tox`, 0 or 1 per patient; `weights`, 0-1 per
        patient, the follow-up weight of patients without DLT (default 1). Returns an object with
        `estimate`, `variance`, `prob_tox` (per level) and `mtd` (1-based).

        Raises ValueError for a rule without a model, or data that do not fit the plan.
        """
        from escalon.design.fit import fit

        return fit(self, levels, tox, weights)

    def table(self) -> Any:
        """`decision_table` of this plan."""
        from escalon.design.decision_table import decision_table

        return decision_table(self)
