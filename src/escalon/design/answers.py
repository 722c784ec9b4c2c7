"""One function per question of the command line: plain values in and out, ready for JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from escalon.design.decision_table import LEGEND, decision_table
from escalon.design.exact import exact_oc
from escalon.design.mtd import select_mtd
from escalon.design.plan import EscalationPlan
from escalon.design.recommendation import PendingPatient, Recommendation
from escalon.design.simulate import simulate_oc


def recommendation_dict(answer: Recommendation) -> dict[str, Any]:
    """A recommendation as plain values."""
    return {
        "action": answer.action,
        "level": answer.level,
        "reasons": list(answer.reasons),
        "admissible": list(answer.admissible),
        "mtd": answer.mtd,
        "estimates": [asdict(estimate) for estimate in answer.estimates],
        "inputs": dict(answer.inputs),
    }


def table_answer(plan: EscalationPlan, max_n: int | None = None) -> dict[str, Any]:
    """The decision table: `rows` of {n, decisions (y = 0..n), escalate_le, deescalate_ge, eliminate_ge}."""
    table = decision_table(plan, max_n)
    rows = [
        {**row, "decisions": list(letters)}
        for row, letters in zip(table.boundaries(), table.decisions.values(), strict=True)
    ]
    return {
        "kind": table.kind,
        "target": table.target,
        "parameters": table.parameters,
        "legend": LEGEND,
        "rows": rows,
        "plan": plan.hash,
    }


def next_answer(
    plan: EscalationPlan,
    outcomes: str,
    pending: Sequence[PendingPatient | tuple[int, float]] | None = None,
) -> dict[str, Any]:
    """The recommendation after `outcomes` such as "1NNN 2NTN"."""
    return recommendation_dict(plan.recommend(outcomes, pending))


def oc_answer(
    plan: EscalationPlan,
    prob_tox: Sequence[float],
    method: str = "exact",
    trials: int = 10_000,
    seed: int = 1,
) -> dict[str, Any]:
    """Operating characteristics under `prob_tox`; `method` "exact" or "simulate".

    Raises ValueError for another method, a bad scenario, or a plan that the method cannot serve.
    """
    if method == "exact":
        return exact_oc(plan, prob_tox).to_dict()
    if method == "simulate":
        return simulate_oc(plan, prob_tox, trials, seed).to_dict()
    raise ValueError(f"method: {method!r} is unknown; use exact or simulate")


def mtd_answer(plan: EscalationPlan, n: Sequence[int], y: Sequence[int]) -> dict[str, Any]:
    """The maximum tolerated dose from final counts: {"level": 1-based or None, "n", "y"}."""
    return {"level": select_mtd(plan, n, y), "n": list(n), "y": list(y), "plan": plan.hash}
