"""Operating characteristics of designs that look for the optimal biological dose (OBD)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from escalon.design.operating_characteristics import OperatingCharacteristics, build_oc, check_prob_tox
from escalon.design.rules.base import FloatArray
from escalon.design.rules.efficacy import EfficacyRule, joint_probability

if TYPE_CHECKING:
    from escalon.design.plan import EscalationPlan


def _nothing() -> FloatArray:
    return np.zeros(0)


@dataclass(frozen=True)
class EfficacyCharacteristics(OperatingCharacteristics):
    """Characteristics with efficacy.

    `prob_eff`, `mean_responses`: shape (levels,); `mean_total_responses`; `odds_ratio`: association of toxicity
    and efficacy within a patient; `true_utility`: the rule's figure of merit under the scenario, None where a
    level violates the limits; `best_level`: the 1-based level where it is highest (the lower one on ties), None
    when no level meets the limits. `prob_select_correct` is the probability of selecting that level, or none
    when there is none.
    """

    prob_eff: FloatArray = field(default_factory=_nothing)
    mean_responses: FloatArray = field(default_factory=_nothing)
    mean_total_responses: float = 0.0
    odds_ratio: float = 1.0
    true_utility: tuple[float | None, ...] = ()
    best_level: int | None = None


@dataclass(frozen=True)
class EfficacyScenario:
    """Truth of a scenario: DLT, efficacy and joint probability per level, shape (levels,), and their odds ratio."""

    prob_tox: FloatArray
    prob_eff: FloatArray
    both: FloatArray
    odds_ratio: float


def check_efficacy_scenario(
    plan: "EscalationPlan",
    prob_tox: Sequence[float] | FloatArray,
    prob_eff: Sequence[float] | FloatArray | None,
    odds_ratio: float,
) -> EfficacyScenario:
    """The scenario as arrays; raises ValueError for a missing, wrongly sized or impossible part."""
    p = check_prob_tox(prob_tox, plan.levels)
    if prob_eff is None:
        raise ValueError(f"prob_eff: rule {plan.rule.kind} needs an efficacy probability for every level")
    q = check_probability_vector("prob_eff", prob_eff, plan.levels)
    if not 0 < odds_ratio < np.inf:
        raise ValueError(f"odds_ratio: a number above 0 is needed (1: independent); got {odds_ratio}")
    return EfficacyScenario(p, q, joint_probability(p, q, odds_ratio), odds_ratio)


def check_probability_vector(name: str, values: Sequence[float] | FloatArray, levels: int) -> FloatArray:
    """As `check_prob_tox`, for another name."""
    try:
        return check_prob_tox(values, levels)
    except ValueError as error:
        text = str(error).replace("prob_tox", name)
        raise ValueError(
            text if name == "prob_tox" else text.replace("DLT probabilities", "probabilities")
        ) from None


def build_efficacy_oc(
    rule: EfficacyRule, scenario: EfficacyScenario, mean_responses: FloatArray, **parts: object
) -> EfficacyCharacteristics:
    """Characteristics from the parts of `build_oc` and the responses per level."""
    base = build_oc(prob_tox=scenario.prob_tox, target=rule.target_rate, **parts)  # type: ignore[arg-type]
    utility = rule.true_utility(scenario.prob_tox, scenario.prob_eff, scenario.both)
    best = int(np.argmax(utility)) if np.isfinite(utility.max()) else None
    content = dict(base.__dict__)
    content["prob_select_correct"] = base.prob_none if best is None else float(base.prob_select[best])
    return EfficacyCharacteristics(
        **content,
        prob_eff=scenario.prob_eff,
        mean_responses=mean_responses,
        mean_total_responses=float(mean_responses.sum()),
        odds_ratio=scenario.odds_ratio,
        true_utility=tuple(float(value) if np.isfinite(value) else None for value in utility),
        best_level=None if best is None else best + 1,
    )
