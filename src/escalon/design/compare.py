"""Several plans over several scenarios, side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from escalon.design.exact import PlanTooLargeError, enumerate_plan
from escalon.design.operating_characteristics import OperatingCharacteristics
from escalon.design.plan import EscalationPlan
from escalon.design.simulate import simulate_oc


@dataclass(frozen=True)
class Comparison:
    """One plan under one scenario."""

    plan: str
    scenario: str
    characteristics: OperatingCharacteristics

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"plan": self.plan, "scenario": self.scenario, **self.characteristics.to_dict()}


def compare(
    plans: Mapping[str, EscalationPlan],
    scenarios: Mapping[str, Sequence[float]],
    trials: int = 10_000,
    seed: int = 1,
) -> tuple[Comparison, ...]:
    """Characteristics of every plan under every scenario: exact where possible, else simulated.

    Simulated plans meet the same patients (one seed), so their differences carry less noise than their
    values. `method` of each result says how it was found. Raises ValueError for a scenario whose length
    does not fit a plan.

    >>> from escalon.design import EscalationPlan
    >>> plans = {kind: EscalationPlan.model_validate(
    ...     {"rule": {"kind": kind, "target": 0.3}, "levels": 3, "max_patients": 12}) for kind in ("boin", "mtpi")}
    >>> [row.characteristics.method for row in compare(plans, {"steep": [0.1, 0.3, 0.6]})]
    ['exact', 'exact']
    """
    rows = []
    for name, plan in plans.items():
        ends = None
        if plan.rule.counts_only:
            try:
                ends = enumerate_plan(plan)
            except PlanTooLargeError:
                ends = None
        for scenario, prob_tox in scenarios.items():
            found = ends.oc(prob_tox) if ends is not None else simulate_oc(plan, prob_tox, trials, seed)
            rows.append(Comparison(name, scenario, found))
    return tuple(rows)
