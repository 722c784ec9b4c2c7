"""Limits around a rule. Any order gives the same plan: caps and masks intersect, stops are joined by or."""

from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from escalon.design.rules.base import BoolArray, IntArray, Rule, States


class Guard(BaseModel):
    """A limit on the next level, or a reason to stop. Subclasses are frozen and hashable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str

    @property
    def needs_last_cohort(self) -> bool:
        """True when the guard looks at the last cohort and not at counts alone."""
        return False

    def cap(self, states: States, rule: Rule) -> IntArray | None:
        """Highest 0-based level allowed next, shape (states,); None for no cap."""
        return None

    def mask(self, states: States, rule: Rule) -> BoolArray | None:
        """Levels allowed, shape (states, levels); None for all."""
        return None

    def unsafe(self, states: States, rule: Rule) -> BoolArray | None:
        """States in which the escalation ends without a maximum tolerated dose; None for never."""
        return None

    def ends(self, states: States, rule: Rule, level: IntArray) -> BoolArray | None:
        """States in which the escalation ends, given the next `level`; None for never."""
        return None

    def sentence(self) -> str:
        """The limit in words."""
        raise NotImplementedError


class NoSkipping(Guard):
    """No untried level is jumped over: next at most one above `of`."""

    kind: Literal["no_skipping"] = "no_skipping"
    of: Literal["current", "highest_tried"] = "current"

    def cap(self, states: States, rule: Rule) -> IntArray:
        """One above the current, or the highest treated level."""
        if self.of == "current":
            return states.current + 1
        levels = states.n.shape[1]
        return np.asarray(levels - np.argmax((states.n > 0)[:, ::-1], axis=1))

    def sentence(self) -> str:
        """The limit in words."""
        base = "the current level" if self.of == "current" else "the highest level tried"
        return f"no skipping: at most one level above {base}"


class Coherent(Guard):
    """No escalation straight after a cohort with a toxicity.

    `after` "any_dlt": one DLT in the last cohort suffices; "target_rate": the last cohort's DLT rate
    must reach the target (R package dfcrm). Without knowledge of the last cohort (counts only) the
    guard does not act, and the recommendation says so.
    """

    kind: Literal["coherent"] = "coherent"
    after: Literal["any_dlt", "target_rate"] = "any_dlt"

    @property
    def needs_last_cohort(self) -> bool:
        """Always."""
        return True

    def cap(self, states: States, rule: Rule) -> IntArray | None:
        """The current level after toxicity, else no cap."""
        if states.last_n is None or states.last_y is None:
            return None
        if self.after == "any_dlt":
            toxic = states.last_y > 0
        else:
            toxic = states.last_y >= rule.target_rate * states.last_n - 1e-12
        return np.where(toxic, states.current, states.n.shape[1])

    def sentence(self) -> str:
        """The limit in words."""
        what = "with a DLT" if self.after == "any_dlt" else "whose DLT rate reached the target"
        return f"coherence: no escalation straight after a cohort {what}"


class EnoughAtDose(Guard):
    """The escalation ends once the rule would stay at a level that already holds `n` patients.

    `when` "stay" also counts a stay forced by the lowest, the top or a barred next level
    (`n.earlystop` of R package BOIN 2.7.2); "recommended": any recommended level holding `n` patients.
    """

    kind: Literal["enough_at_dose"] = "enough_at_dose"
    n: int = Field(ge=1)
    when: Literal["stay", "recommended"] = "stay"

    def ends(self, states: States, rule: Rule, level: IntArray) -> BoolArray:
        """See the class."""
        held = states.n[states.rows, np.maximum(level, 0)] >= self.n
        return held & ((level == states.current) if self.when == "stay" else (level >= 0))

    def sentence(self) -> str:
        """The limit in words."""
        return f"enough at one dose: the next level already holds {self.n} patients or more"


class OverdoseControl(Guard):
    """Levels with posterior P(DLT probability > limit) > certainty are closed; if all are, stop."""

    kind: Literal["overdose_control"] = "overdose_control"
    limit: float = Field(gt=0, lt=1, description="DLT probability regarded as an overdose, 0-1")
    certainty: float = Field(gt=0, lt=1, description="posterior probability above which a level is closed")

    def mask(self, states: States, rule: Rule) -> BoolArray:
        """Monotone: a level above a closed one is closed."""
        above = rule.prob_above(states.n, states.y, self.limit)
        return ~np.logical_or.accumulate((above > self.certainty) & (states.n > 0), axis=1)

    def sentence(self) -> str:
        """The limit in words."""
        return f"overdose control: P(DLT probability > {self.limit:g}) must not exceed {self.certainty:g}"


class TooToxic(Guard):
    """The escalation ends without a dose once P(DLT probability at the lowest level > limit) > certainty."""

    kind: Literal["too_toxic"] = "too_toxic"
    limit: float = Field(gt=0, lt=1)
    certainty: float = Field(gt=0, lt=1)

    def unsafe(self, states: States, rule: Rule) -> BoolArray:
        """See the class."""
        return rule.prob_above(states.n, states.y, self.limit)[:, 0] > self.certainty

    def sentence(self) -> str:
        """The limit in words."""
        at = f"P(DLT probability at level 1 > {self.limit:g})"
        return f"lowest level too toxic: {at} exceeds {self.certainty:g}"


class StopBelowLowest(Guard):
    """De-escalation from the lowest level ends the escalation without a dose, where the rule would stay there.

    For rules with a decision table; a convention of R package precautionary 0.2.6, not of BOIN.
    """

    kind: Literal["stop_below_lowest"] = "stop_below_lowest"

    def unsafe(self, states: States, rule: Rule) -> BoolArray:
        """See the class."""
        return np.asarray((states.current == 0) & rule.wants_lower(states))

    def sentence(self) -> str:
        """The limit in words."""
        return "de-escalation from the lowest level ends the escalation"


class PreciseEnough(Guard):
    """The escalation ends once the posterior of the next level's DLT probability is precise.

    Precise: P(low <= DLT probability <= high) >= certainty, with at least `n` patients at that level. `when` "stay":
    only where the rule would stay at the current level, "recommended": at any next level.
    """

    kind: Literal["precise_enough"] = "precise_enough"
    low: float = Field(ge=0, lt=1, description="lower end of the interval of DLT probabilities")
    high: float = Field(gt=0, le=1, description="upper end of the interval of DLT probabilities")
    certainty: float = Field(gt=0, lt=1, description="posterior probability of the interval that suffices")
    n: int = Field(1, ge=1, description="patients needed at the level")
    when: Literal["stay", "recommended"] = "stay"

    @model_validator(mode="after")
    def _check(self) -> "PreciseEnough":
        if self.low >= self.high:
            raise ValueError(f"low, high: low < high is required; got {self.low:g}, {self.high:g}")
        return self

    def ends(self, states: States, rule: Rule, level: IntArray) -> BoolArray:
        """See the class."""
        at = (states.rows, np.maximum(level, 0))
        above_low = rule.prob_above(states.n, states.y, self.low)[at] if self.low > 0 else 1.0
        above_high = rule.prob_above(states.n, states.y, self.high)[at] if self.high < 1 else 0.0
        precise = (above_low - above_high >= self.certainty) & (states.n[at] >= self.n)
        return np.asarray(precise & ((level == states.current) if self.when == "stay" else (level >= 0)))

    def sentence(self) -> str:
        """The limit in words."""
        return (
            f"precise enough: P({self.low:g} <= DLT probability at the next level <= {self.high:g}) reaches "
            f"{self.certainty:g} with {self.n} patients or more there"
        )


AnyGuard = Annotated[
    NoSkipping | Coherent | EnoughAtDose | OverdoseControl | TooToxic | PreciseEnough | StopBelowLowest,
    Field(discriminator="kind"),
]
