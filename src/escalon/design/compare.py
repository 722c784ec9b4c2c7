"""Several plans over several scenarios, side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from escalon.design.exact import Enumeration, PlanTooLargeError, enumerate_plan
from escalon.design.operating_characteristics import OperatingCharacteristics
from escalon.design.plan import EscalationPlan
from escalon.design.simulate import simulate_oc
from escalon.design.spread import spread

CHUNK = 100
"""Scenarios one task of a grid holds: a plan is enumerated once for each."""


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
    cluster: str | None = None,
) -> tuple[Comparison, ...]:
    """Characteristics of every plan under every scenario: exact where possible, else simulated.

    Simulated plans meet the same patients (one seed), so their differences carry less noise than their
    values. `cluster`: address of a Dask scheduler that shares the work; the result is the same.
    `method` of each result says how it was found. Raises ValueError for a scenario whose length
    does not fit a plan.

    >>> from escalon.design import EscalationPlan
    >>> plans = {kind: EscalationPlan.model_validate(
    ...     {"rule": {"kind": kind, "target": 0.3}, "levels": 3, "max_patients": 12}) for kind in ("boin", "mtpi")}
    >>> [row.characteristics.method for row in compare(plans, {"steep": [0.1, 0.3, 0.6]})]
    ['exact', 'exact']
    """
    cells = [(name, plan, scenario) for name, plan in plans.items() for scenario in scenarios]
    chunks = [cells[first : first + CHUNK] for first in range(0, len(cells), CHUNK)]
    run = partial(_exact_cells, dict(scenarios))
    exact = [found for part in spread(run, chunks, cluster) for found in part]
    rows = []
    for (name, plan, scenario), found in zip(cells, exact, strict=True):
        known = found or simulate_oc(plan, scenarios[scenario], trials, seed, cluster=cluster)
        rows.append(Comparison(name, scenario, known))
    return tuple(rows)


def _exact_cells(
    scenarios: dict[str, Sequence[float]], cells: list[tuple[str, EscalationPlan, str]]
) -> list[OperatingCharacteristics | None]:
    """Exact characteristics of every cell, None where the plan cannot be enumerated; plans come in runs."""
    ends: dict[str, Enumeration | None] = {}
    result = []
    for name, plan, scenario in cells:
        if name not in ends:
            ends = {name: _enumerate(plan)}
        found = ends[name]
        result.append(None if found is None else found.oc(scenarios[scenario]))
    return result


def _enumerate(plan: EscalationPlan) -> Enumeration | None:
    if not plan.rule.counts_only:
        return None
    try:
        return enumerate_plan(plan)
    except PlanTooLargeError:
        return None
