"""One function per question of the command line: plain values in and out, ready for JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Literal

from escalon.design.backfill import BackfillRecommendation
from escalon.design.calibrate import compute_indifference, compute_skeleton
from escalon.design.decision_table import LEGEND, decision_table
from escalon.design.exact import PlanTooLargeError, enumerate_plan, exact_oc
from escalon.design.mtd import select_mtd
from escalon.design.operating_characteristics import OperatingCharacteristics, check_prob_tox
from escalon.design.outcomes import parse_outcomes
from escalon.design.paths import dose_paths
from escalon.design.plan import EscalationPlan
from escalon.design.recommend_efficacy import EfficacyRecommendation, select_obd
from escalon.design.recommendation import PendingPatient, Recommendation
from escalon.design.simulate import simulate_oc
from escalon.design.table_engine import can_walk

SMALL = 10_000
"""Live states up to which a walk without compiled code takes less than loading that code, about a second."""


def recommendation_dict(answer: Recommendation) -> dict[str, Any]:
    """A recommendation as plain values."""
    result = {
        "action": answer.action,
        "level": answer.level,
        "reasons": list(answer.reasons),
        "admissible": list(answer.admissible),
        "mtd": answer.mtd,
        "suspend": answer.suspend,
        "estimates": [asdict(estimate) for estimate in answer.estimates],
        "inputs": dict(answer.inputs),
    }
    if isinstance(answer, EfficacyRecommendation):
        result["efficacy"] = [asdict(estimate) for estimate in answer.efficacy]
    if isinstance(answer, BackfillRecommendation):
        result["backfill"] = list(answer.backfill)
    return result


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
    prob_eff: Sequence[float] | None = None,
    odds_ratio: float = 1.0,
    accrual: float = 2.0,
    cluster: str | None = None,
) -> dict[str, Any]:
    """Operating characteristics under `prob_tox`; `method` "exact" or "simulate".

    `prob_eff`, `odds_ratio`: for plans that look at efficacy, or backfill; `accrual`: patients per DLT window.
    `cluster`: address of a Dask scheduler that shares the simulated trials; the answer is the same.

    Raises ValueError for another method, a bad scenario, or a plan that the method cannot serve.
    """
    if method == "exact":
        return _exact_once(plan, prob_tox, prob_eff, odds_ratio).to_dict()
    if method == "simulate":
        found = simulate_oc(
            plan,
            prob_tox,
            trials,
            seed,
            accrual=accrual,
            prob_eff=prob_eff,
            odds_ratio=odds_ratio,
            cluster=cluster,
        )
        return found.to_dict()
    raise ValueError(f"method: {method!r} is unknown; use exact or simulate")


def _exact_once(
    plan: EscalationPlan, prob_tox: Sequence[float], prob_eff: Sequence[float] | None, odds_ratio: float
) -> OperatingCharacteristics:
    """One scenario of one plan: a small plan is enumerated sooner than the compiled loops are loaded."""
    if can_walk(plan):
        check_prob_tox(prob_tox, plan.levels)
        try:
            return enumerate_plan(plan, max_states=SMALL, compiled=False).oc(prob_tox, compiled=False)
        except PlanTooLargeError:
            pass  # the compiled walk reaches further
    return exact_oc(plan, prob_tox, prob_eff, odds_ratio)


def mtd_answer(
    plan: EscalationPlan,
    n: Sequence[int],
    y: Sequence[int],
    e: Sequence[int] | None = None,
    both: Sequence[int] | None = None,
) -> dict[str, Any]:
    """The maximum tolerated dose from final counts: {"level": 1-based or None, "n", "y"}.

    With `e`, patients with efficacy per level (and `both`, with a DLT as well): the optimal biological dose of a plan
    that looks at efficacy.
    """
    if e is None:
        return {"level": select_mtd(plan, n, y), "n": list(n), "y": list(y), "plan": plan.hash}
    level = select_obd(plan, n, y, e, both)
    return {"level": level, "n": list(n), "y": list(y), "e": list(e), "plan": plan.hash}


def fit_answer(plan: EscalationPlan, outcomes: str, weights: Sequence[float] | None = None) -> dict[str, Any]:
    """Posterior of a model-based rule: {"estimate", "variance", "prob_tox", "mtd", ...}.

    `weights`: one per patient in the order of `outcomes`, for patients without a DLT.
    """
    observed = parse_outcomes(outcomes, plan.levels)
    levels = [cohort.level for cohort in observed.cohorts for _ in cohort.dlt]
    tox = [int(dlt) for cohort in observed.cohorts for dlt in cohort.dlt]
    fit = plan.fit(levels, tox, weights)
    return {**_plain(asdict(fit)), "outcomes": outcomes, "plan": plan.hash}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, tuple) else value


def paths_answer(
    plan: EscalationPlan,
    cohorts: int,
    prob_tox: Sequence[float] | None = None,
    after: str | None = None,
) -> dict[str, Any]:
    """Dose-transition pathways as a tree: {"paths": [{level, size, dlts, action, next_level, children}]}."""
    tree = dose_paths(plan, cohorts, prob_tox, after)
    return {"cohorts": cohorts, "paths": [node.to_dict() for node in tree], "plan": plan.hash}


def skeleton_answer(
    halfwidth: float, target: float, prior_mtd: int, levels: int, model: str = "empiric"
) -> dict[str, Any]:
    """A CRM skeleton: {"skeleton", "indifference"}; raises ValueError for an unknown model."""
    if model not in ("empiric", "logistic"):
        raise ValueError(f"model: {model!r} is unknown; use empiric or logistic")
    name: Literal["empiric", "logistic"] = "empiric" if model == "empiric" else "logistic"
    skeleton = compute_skeleton(halfwidth, target, prior_mtd, levels, name)
    return {
        "skeleton": list(skeleton),
        "indifference": [list(pair) for pair in compute_indifference(skeleton, target, name)],
        "halfwidth": halfwidth,
        "target": target,
        "prior_mtd": prior_mtd,
        "model": model,
    }


def simon_answer(p0: float, p1: float, alpha: float, beta: float, nmax: int | None = None) -> dict[str, Any]:
    """Simon designs: {"optimal": {r1, n1, r, n, en0, pet0, ...}, "minimax", "admissible", "proven"}.

    Without `nmax` the search ends once no larger trial can be better.
    """
    from escalon.design.expansion.simon import simon_answer as answer

    return answer(p0, p1, alpha, beta, nmax)
