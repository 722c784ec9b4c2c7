"""Simulation of rules that look at toxicity and efficacy.

Toxicity is drawn from the streams of `simulate`, so every design meets the same patients; efficacy from a further
counter-based stream, given the patient's toxicity.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from escalon.design.decide import GO_ON, UNSAFE, decide, next_cohort
from escalon.design.efficacy_characteristics import (
    EfficacyCharacteristics,
    EfficacyScenario,
    build_efficacy_oc,
)
from escalon.design.rules.base import FloatArray, IntArray
from escalon.design.rules.efficacy import EfficacyRule, EfficacyStates
from escalon.design.spread import spread

if TYPE_CHECKING:
    from escalon.design.plan import EscalationPlan

EFFICACY_STREAM = 3
"""Number of the stream the efficacy outcomes come from; part of the definition of the streams."""


@dataclass(frozen=True)
class EfficacyTrials:
    """Ends of simulated trials: counts of shape (trials, levels), 0-based selection (-1 none)."""

    n: IntArray
    y: IntArray
    e: IntArray
    obd: IntArray


def simulate_efficacy_oc(
    plan: "EscalationPlan", scenario: EfficacyScenario, trials: int, seed: int, workers: int | str
) -> EfficacyCharacteristics:
    """Characteristics by simulation; arguments as checked by `simulate.simulate_oc`."""
    from escalon.design.simulate import BLOCK, draw_uniforms
    from escalon.design.simulate_late import draw_times

    def run(block: int) -> dict[str, Any]:
        size = min(BLOCK, trials - block * BLOCK)
        who = draw_uniforms(seed, block, plan.max_total, size)
        how = draw_times(seed, block, EFFICACY_STREAM, plan.max_total, BLOCK)[:, :size]
        return _sums(plan, scenario, simulate_efficacy_trials(plan, scenario, who, how))

    parts = spread(run, range(-(-trials // BLOCK)), workers)
    return _combine(plan, scenario, trials, {name: sum(part[name] for part in parts) for name in parts[0]})


def simulate_efficacy_trials(
    plan: "EscalationPlan", scenario: EfficacyScenario, who: FloatArray, how: FloatArray
) -> EfficacyTrials:
    """Run one block; `who`, `how`: uniforms for toxicity and efficacy, shape (patients, trials)."""
    rule = plan.rule
    assert isinstance(rule, EfficacyRule)
    trials = who.shape[1]
    n, y, e, both = (np.zeros((trials, plan.levels), np.int64) for _ in range(4))
    current = np.full(trials, plan.start_level - 1)
    stop = np.zeros(trials, np.int64)
    going = np.arange(trials)
    while going.size:
        level = current[going]
        now = EfficacyStates(n[going], y[going], level, e=e[going], both=both[going])
        size = next_cohort(plan, now, level)
        tox, eff, together = _draw(scenario, who[:, going], how[:, going], now.treated, size, level)
        for counts, more in ((n, size), (y, tox), (e, eff), (both, together)):
            counts[going, level] += more
        after = EfficacyStates(n[going], y[going], level, size, tox, e=e[going], both=both[going])
        decision = decide(plan, after)
        current[going], stop[going] = decision.level, decision.stop
        going = going[decision.stop == GO_ON]
    obd = rule.select_obd(EfficacyStates(n, y, current, e=e, both=both))
    return EfficacyTrials(n, y, e, np.where(stop == UNSAFE, -1, obd))


def _draw(
    scenario: EfficacyScenario,
    who: FloatArray,
    how: FloatArray,
    treated: IntArray,
    size: IntArray,
    level: IntArray,
) -> tuple[IntArray, IntArray, IntArray]:
    """DLTs, efficacy and both in the next cohort of every trial."""
    p, q, pq = scenario.prob_tox, scenario.prob_eff, scenario.both
    given_tox = np.where(p > 0, pq / np.where(p > 0, p, 1), 0.0)[level]
    given_none = np.where(p < 1, (q - pq) / np.where(p < 1, 1 - p, 1), 0.0)[level]
    columns = np.arange(treated.size)
    totals = tuple(np.zeros(treated.size, np.int64) for _ in range(3))
    for k in range(int(size.max())):
        row = np.minimum(treated + k, who.shape[0] - 1)
        inside = k < size
        tox = inside & (who[row, columns] < p[level])
        eff = inside & (how[row, columns] < np.where(tox, given_tox, given_none))
        for total, more in zip(totals, (tox, eff, tox & eff), strict=True):
            total += more
    return totals[0], totals[1], totals[2]


def _sums(plan: "EscalationPlan", scenario: EfficacyScenario, trials: EfficacyTrials) -> dict[str, Any]:
    total = trials.n.sum(axis=1)
    over = trials.n[:, scenario.prob_tox > plan.rule.target_rate].sum(axis=1)
    sums: dict[str, Any] = {
        "select": np.bincount(trials.obd + 1, minlength=plan.levels + 1),
        "sizes": np.bincount(total, minlength=plan.max_total + 1),
        "over60": int((over > 0.6 * plan.max_total + 1e-9).sum()),
        "over80": int((over > 0.8 * plan.max_total + 1e-9).sum()),
    }
    for name in ("n", "y", "e"):
        counts = getattr(trials, name)
        sums[name], sums[name + "2"] = counts.sum(axis=0), (counts**2).sum(axis=0)
        sums[name + "_total2"] = int((counts.sum(axis=1) ** 2).sum())
    sums["over_total"], sums["over_total2"] = int(over.sum()), int((over**2).sum())
    return sums


def share_error(count: Any, trials: int) -> Any:
    """Monte Carlo standard error of a share."""
    p = np.asarray(count) / trials
    return np.sqrt(p * (1 - p) / trials)


def size_errors(sizes: IntArray, trials: int) -> dict[str, float]:
    """Monte Carlo standard errors of the distribution of the sample size."""
    return {str(n): float(share_error(sizes[n], trials)) for n in np.flatnonzero(sizes)}


def mean_error(total: Any, squares: Any, trials: int) -> Any:
    """Monte Carlo standard error of a mean from the sum and the sum of squares."""
    variance = np.maximum(np.asarray(squares) / trials - (np.asarray(total) / trials) ** 2, 0)
    return np.sqrt(variance / trials)


def _combine(
    plan: "EscalationPlan", scenario: EfficacyScenario, trials: int, sums: dict[str, Any]
) -> EfficacyCharacteristics:
    assert isinstance(plan.rule, EfficacyRule)
    names = {"mean_n": "n", "mean_dlt": "y", "mean_responses": "e"}
    errors: dict[str, Any] = {
        name: mean_error(sums[key], sums[key + "2"], trials).tolist() for name, key in names.items()
    }
    totals = {"mean_total_n": "n", "mean_total_dlt": "y", "mean_total_responses": "e"}
    errors |= {
        name: float(mean_error(sums[key].sum(), sums[key + "_total2"], trials))
        for name, key in totals.items()
    }
    utility = plan.rule.true_utility(scenario.prob_tox, scenario.prob_eff, scenario.both)
    correct = int(np.argmax(utility)) + 1 if np.isfinite(utility.max()) else 0
    above = np.flatnonzero(scenario.prob_tox > plan.rule.target_rate) + 1
    errors |= {
        "prob_select": share_error(sums["select"][1:], trials).tolist(),
        "prob_select_correct": float(share_error(sums["select"][correct], trials)),
        "prob_select_overdose": float(share_error(sums["select"][above].sum(), trials)),
        "mean_n_overdose": float(mean_error(sums["over_total"], sums["over_total2"], trials)),
        "prob_none": float(share_error(sums["select"][0], trials)),
        "n_distribution": size_errors(sums["sizes"], trials),
        "prob_early_stop": float(share_error(sums["sizes"][: plan.max_total].sum(), trials)),
        "prob_overdose_60": float(share_error(sums["over60"], trials)),
        "prob_overdose_80": float(share_error(sums["over80"], trials)),
    }
    return build_efficacy_oc(
        plan.rule,
        scenario,
        sums["e"] / trials,
        planned=plan.max_total,
        prob_select=sums["select"][1:] / trials,
        prob_none=float(sums["select"][0] / trials),
        mean_n=sums["n"] / trials,
        mean_dlt=sums["y"] / trials,
        sizes=sums["sizes"] / trials,
        overdose_60=sums["over60"] / trials,
        overdose_80=sums["over80"] / trials,
        method="simulate",
        trials=trials,
        standard_error=errors,
    )
