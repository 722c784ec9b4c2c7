"""What a study says about its safety committee: the charter."""

from typing import Self

from pydantic import Field, PositiveInt, model_validator

from escalon.protocol.conduct.model import Model


class Futility(Model):
    """Hold the expansion when P(response rate < ``least_rate``) exceeds ``certainty``, from ``first_look`` patients on.

    Rates and probabilities are fractions; the prior is Beta(a, b).
    """

    least_rate: float = Field(gt=0, lt=1)
    certainty: float = Field(gt=0.5, lt=1)
    prior: tuple[float, float] = (1.0, 1.0)
    first_look: PositiveInt


class CommitteeRules(Model):
    """The charter of the safety committee."""

    functions: tuple[str, ...] = Field(
        default=("chair", "clinician", "statistician"), min_length=1, description="functions of members"
    )
    quorum: PositiveInt = Field(default=2, description="members who must have voted")
    required: tuple[str, ...] = Field(
        default=("chair",), description="functions that must be among the voters"
    )
    sponsor_signs: bool = Field(default=True, description="the sponsor signs every decision too")
    casebooks_signed: bool = Field(
        default=True,
        description="investigators have signed the casebooks of the cohort before a dose decision",
    )
    futility: Futility | None = Field(
        default=None, description="futility rule of the expansion; None: no rule"
    )

    @model_validator(mode="after")
    def _known_functions(self) -> Self:
        unknown = sorted(set(self.required) - set(self.functions))
        if unknown:
            raise ValueError(
                f"required: {unknown[0]!r} is not among the functions {', '.join(self.functions)}"
            )
        return self
