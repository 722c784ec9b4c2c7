"""Patients who cannot be judged in full: under-dosed, or lost before the end of the DLT window.

A patient with a DLT is always evaluable. A patient without DLT is not evaluable with `probability` q, whatever
happened to the others; in outcome strings such a patient is the letter U. Two conventions:

- `replace`: another patient takes the place. Counts, cohorts and `max_patients` are of evaluable patients. Since
  only patients without DLT are replaced, an evaluable patient has a DLT with probability p / (1 - (1 - p) q),
  more than p, and one evaluable patient is preceded by (1 - p) q / (1 - (1 - p) q) replaced ones on average.
- `weight`: nobody is replaced; cohorts and `max_patients` are of treated patients. At each level, k such patients
  count as the whole part of `weight` times k patients without DLT: rules and tables know whole patients, and
  the part left over is not credited. While a level holds no countable patient the escalation stays there.

A plan without this entry replaces such patients in conduct and expects none in its characteristics.
"""

from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from escalon.design.rules.base import FloatArray, IntArray

STREAM = 5
"""Number of the random stream that says who is not evaluable; 1 to 4 are times, efficacy and lots."""


class NonEvaluable(BaseModel):
    """What a plan does about patients without DLT who are not fully evaluable; see the module."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["replace", "weight"]
    probability: float = Field(
        0.0, ge=0, lt=1, description="chance that a patient without DLT is not evaluable, for characteristics"
    )
    weight: float = Field(0.0, ge=0, lt=1, description="how much of a patient without DLT such a patient is")

    @model_validator(mode="after")
    def _check(self) -> "NonEvaluable":
        if self.kind == "replace" and self.weight:
            raise ValueError(
                f"weight: a replaced patient has none; leave out {self.weight:g} or use kind weight"
            )
        return self

    def counted(self, x: IntArray) -> IntArray:
        """Patients without DLT that `x` not evaluable ones at a level count as, elementwise."""
        return np.asarray(np.floor(self.weight * x + 1e-9).astype(np.int64))

    def evaluable_rate(self, p: FloatArray) -> FloatArray:
        """DLT probability of a patient who counts as one of the cohort, elementwise."""
        return p if self.kind == "weight" else np.asarray(p / (1 - (1 - p) * self.probability))

    def slope(self, p: FloatArray) -> FloatArray:
        """Derivative of `evaluable_rate`."""
        if self.kind == "weight":
            return np.ones_like(p)
        return np.asarray((1 - self.probability) / (1 - (1 - p) * self.probability) ** 2)

    def replaced_per_patient(self, p: FloatArray) -> FloatArray:
        """Expected number of replaced patients per evaluable one."""
        chance = (1 - p) * self.probability
        return np.asarray(chance / (1 - chance))

    def draw_replaced(self, n: IntArray, p: FloatArray, uniforms: FloatArray) -> IntArray:
        """Replaced patients per trial and level, shape (trials, levels); `uniforms`: shape (patients, trials).

        Before each evaluable patient the number replaced is geometric, whatever the outcome; the first n_1
        uniforms of a trial serve level 1, the next n_2 level 2, and so on.
        """
        replaced = np.zeros(n.shape, np.int64)
        patient = np.arange(uniforms.shape[0])[:, None]
        last = np.cumsum(n, axis=1)
        for j, chance in enumerate((1 - p) * self.probability):
            if chance > 0:
                here = (patient >= last[:, j] - n[:, j]) & (patient < last[:, j])
                drawn = np.floor(np.log1p(-uniforms) / np.log(chance))
                replaced[:, j] = np.where(here, drawn, 0).sum(axis=0)
        return replaced

    def sentence(self, level: int, x: int) -> str:
        """What `x` such patients at the 1-based `level` mean, in words."""
        who = f"{x} patient{'' if x == 1 else 's'} without DLT not fully evaluable"
        if self.kind == "replace":
            return f"Level {level}: {who}, replaced and not counted."
        counted = int(self.counted(np.array(x)))
        return f"Level {level}: {who}, counted as {counted} (weight {self.weight:g} each, whole patients)."


REPLACE = NonEvaluable(kind="replace", probability=0.0, weight=0.0)
"""What a plan without the entry does."""
