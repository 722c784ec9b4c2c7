"""Choices of a person in a concentration profile: ``pk_choices.yaml`` of the study folder, which may be absent.

A choice names samples of one patient and analyte by their hours from the first dose of the analyte's product, as
ADPC.ARRLT prints them (to 0.01 h): ``slope``, the samples the terminal slope is fitted to; ``exclude``, samples that
are taken out. It carries its reason, who made it and when, and is replayed on every analysis. Choices are made after
the data were seen: they belong to the analysis, and the hash of the study does not cover them.
"""

from collections.abc import Iterator
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from escalon.protocol.tagged_yaml import Path

__all__ = ["PK_CHOICES_FILE", "SLOPE_SAMPLES", "PkChoice", "PkChoices", "check_choices"]

PK_CHOICES_FILE = "pk_choices.yaml"
SLOPE_SAMPLES = 3
"""A terminal slope is fitted to three samples or more."""


class PkChoice(BaseModel):
    """One choice: which samples, for what, why, who, when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    patient: str = Field(min_length=1, description="number of the patient as in SUBJID, for example '003'")
    analyte: str
    use: Literal["slope", "exclude"]
    hours: tuple[float, ...] = Field(min_length=1, description="hours from the first dose, ADPC.ARRLT")
    reason: str = Field(min_length=1, max_length=120)
    user: str = Field(min_length=1, max_length=60)
    decided_at: AwareDatetime

    @model_validator(mode="after")
    def _samples(self) -> "PkChoice":
        if len(set(self.hours)) < len(self.hours):
            raise ValueError("hours names a sample twice; each sample stands once")
        if self.use == "slope" and len(self.hours) < SLOPE_SAMPLES:
            raise ValueError(f"a slope on {len(self.hours)} samples; name {SLOPE_SAMPLES} or more in hours")
        return self

    def describe(self) -> str:
        """What was chosen and why, in one line."""
        done = "terminal slope on" if self.use == "slope" else "taken out:"
        return f"{done} {', '.join(f'{hour:g}' for hour in self.hours)} h ({self.reason})"


class PkChoices(BaseModel):
    """All choices of a study, in the order of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    choices: tuple[PkChoice, ...] = ()


def check_choices(choices: PkChoices, drug: str, cells: str) -> Iterator[tuple[Path, str]]:
    """Path and rule of everything that does not fit: the analytes of the study, or another choice."""
    slopes: set[tuple[str, str]] = set()
    used: dict[tuple[str, str, float], str] = {}
    for place, one in enumerate(choices.choices):
        path: Path = ("choices", place)
        if one.analyte not in (drug, cells):
            yield (*path, "analyte"), f"no such analyte; the study measures {drug} and {cells}"
        elif one.use == "slope" and one.analyte != drug:
            yield (*path, "use"), f"only {drug} has a terminal slope; samples of {cells} can be excluded"
        if one.use == "slope":
            if (one.patient, one.analyte) in slopes:
                yield (*path, "use"), "the profile has a chosen slope already; a profile has one"
            slopes.add((one.patient, one.analyte))
        for number, hour in enumerate(one.hours):
            if (one.patient, one.analyte, hour) in used:
                other = used[one.patient, one.analyte, hour]
                yield (*path, "hours", number), f"this sample is named by another choice ({other}) already"
            used[one.patient, one.analyte, hour] = one.use
