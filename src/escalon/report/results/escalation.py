"""Toxicity per dose level: what was seen, what the plan estimates, how the plan behaves under the scenarios."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from escalon.analysis.safety import dlt_rates
from escalon.conduct.outcomes import level_estimates
from escalon.conduct.state import State
from escalon.design import enumerate_plan, simulate_oc
from escalon.design.mtd import compute_isotonic
from escalon.design.operating_characteristics import OperatingCharacteristics
from escalon.protocol.scenarios import Scenario
from escalon.protocol.study import Study
from escalon.report.ard import Rows
from escalon.report.results.groups import TOTAL, derive_people, level_labels

TRIALS, SEED = 1000, 1
"""Simulated trials behind the characteristics of a plan that cannot be enumerated."""


def derive_dlt(adam: Mapping[str, pl.DataFrame], state: State, study: Study) -> pl.DataFrame:
    """DLT counts, exact intervals and Beta(1, 1) posteriors per level: escalation part, and both parts together."""
    infused = derive_people(adam).filter(pl.col("SAFFL") == "Y")
    parts = []
    for analysis, members in (
        ("dlt escalation", infused.filter(pl.col("PART") == "ESCALATION")),
        ("dlt all", infused),
    ):
        rows = Rows(analysis, "LEVEL")
        table = dlt_rates(members, "LEVEL", "DLTSTAT", level_labels(study), TOTAL)
        for row in table.iter_rows(named=True):
            stats = {
                "treated": row["n_treated"],
                "N": row["n_evaluable"],
                "n": row["n_dlt"],
                "pending": row["n_pending"],
                "not evaluable": row["n_not_evaluable"],
                "p": row["rate"],
                "conf.low": row["low"],
                "conf.high": row["high"],
                "posterior mean": row["posterior_mean"] if row["n_evaluable"] else None,
                "posterior low": row["posterior_low"] if row["n_evaluable"] else None,
                "posterior high": row["posterior_high"] if row["n_evaluable"] else None,
            }
            rows.add("DLT", None, "proportion", stats, row["group"], reason="no evaluable patient")
        parts.append(rows.frame())
    return pl.concat(parts)


def derive_isotonic(adam: Mapping[str, pl.DataFrame], state: State, study: Study) -> pl.DataFrame:
    """The plan's own estimate per level and its isotonic fit, on the counts the MTD was selected from."""
    rows = Rows("mtd", "LEVEL")
    if state.mtd is None:
        return rows.frame()
    n, y = np.asarray(state.mtd.n), np.asarray(state.mtd.y)
    current = int(np.flatnonzero(n > 0)[-1]) + 1 if n.any() else 1
    estimates = level_estimates(study.escalation, (tuple(state.mtd.n), tuple(state.mtd.y)), current)
    fit = isotonic_fit(n, y)
    for label, found, fitted in zip(level_labels(study), estimates, fit, strict=True):
        tried = found.n > 0
        stats = {
            "N": found.n,
            "n": found.y,
            "p": found.rate,
            "estimate": found.estimate if tried else None,
            "conf.low": found.lower if tried else None,
            "conf.high": found.upper if tried else None,
            "above target": found.prob_above_target if tried else None,
            "isotonic": fitted,
        }
        rows.add("DLT", None, "estimate", stats, label, reason="level not tried")
    return rows.frame()


def isotonic_fit(n: np.ndarray, y: np.ndarray) -> list[float | None]:
    """Weighted isotonic regression of the posterior means, prior Beta(1, 1); None where nobody was treated.

    Means (1 + y)/(2 + n), weights one over the posterior variance: the estimate ``escalon.design`` selects the
    MTD with.
    """
    mean = (1 + y) / (2 + n)
    variance = (1 + y) * (1 + n - y) / ((2 + n) ** 2 * (3 + n))
    fit = compute_isotonic(mean[None, :], np.where(n > 0, 1 / variance, 0.0)[None, :])[0]
    return [float(value) if count > 0 else None for value, count in zip(fit, n, strict=True)]


def derive_characteristics(study: Study, scenarios: Sequence[Scenario], labels: list[str]) -> pl.DataFrame:
    """Operating characteristics: selection and patients per level under each true scenario.

    They are exact; those of a plan with backfill, which depend on arrivals, are simulated, with the number of trials.
    """
    rows = Rows("characteristics", "SCENARIO", "LEVEL")
    plan = study.escalation
    ends = None if plan.backfill is not None else enumerate_plan(plan)
    method = "exact" if ends is not None else "simulated"
    for scenario in scenarios:
        name, truth = scenario.id, scenario.prob_tox
        found = _simulated(study, scenario) if ends is None else ends.oc(truth)
        for label, p, selected, mean in zip(labels, truth, found.prob_select, found.mean_n, strict=True):
            stats = {"truth": p, "select": float(selected), "mean_n": float(mean)}
            rows.add("level", None, method, stats, name, label)
        stats = {
            "none": found.prob_none,
            "correct": found.prob_select_correct,
            "overdose": found.prob_select_overdose,
            "mean_total_n": found.mean_total_n,
            "mean_total_dlt": found.mean_total_dlt,
        }
        if ends is None:
            stats["trials"] = float(TRIALS)
        rows.add("design", None, method, stats, name)
    return rows.frame()


def _simulated(study: Study, scenario: Scenario) -> OperatingCharacteristics:
    arrivals = scenario.accrual_per_month * study.dlt.window_days / 30.4375  # per DLT window
    return simulate_oc(
        study.escalation, scenario.prob_tox, TRIALS, SEED, accrual=arrivals, prob_eff=scenario.prob_response
    )
