"""Simulated operating characteristics, for what cannot be enumerated and to check what can.

Trials come in blocks; block b of seed s draws from its own counter-based stream (Philox with key (s, b)),
one uniform per patient and trial, patient by patient. The numbers a trial meets depend on nothing else: one
core, many cores and a cluster give the same answer, and two designs under one seed meet the same patients.
Sums are kept as whole numbers, so the order in which blocks finish has no effect either.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from escalon.design.decide import GO_ON, UNSAFE, decide, next_cohort
from escalon.design.non_evaluable import STREAM
from escalon.design.operating_characteristics import OperatingCharacteristics, build_oc, check_prob_tox
from escalon.design.rules.base import FloatArray, IntArray, States
from escalon.design.simulate_late import draw_times, simulate_late_trials
from escalon.design.spread import spread
from escalon.design.table_engine import can_walk, table_walk

if TYPE_CHECKING:
    from escalon.design.plan import EscalationPlan

BLOCK = 4096
"""Trials per stream; part of the definition of the streams, so never to be changed."""

LOT_STREAM = 4
"""Number of the stream that breaks ties; 1 and 2 are times, 3 efficacy."""


@dataclass(frozen=True)
class Trials:
    """Ends of simulated trials: counts, shape (trials, levels), the 0-based selection (-1 none), the duration in
    DLT windows where calendar time was simulated, and the patients, shape (trials, levels), who could not be
    judged in full where the plan expects any."""

    n: IntArray
    y: IntArray
    mtd: IntArray
    duration: FloatArray | None = None
    x: IntArray | None = None


def draw_uniforms(seed: int, block: int, patients: int, trials: int) -> FloatArray:
    """Uniforms of one block, shape (patients, trials); the first rows do not depend on `patients`."""
    stream = np.random.Generator(np.random.Philox(key=np.array([seed, block], dtype=np.uint64)))
    return stream.random((patients, BLOCK))[:, :trials]


def simulate_oc(
    plan: "EscalationPlan",
    prob_tox: Sequence[float] | FloatArray,
    trials: int = 10_000,
    seed: int = 1,
    workers: int = 1,
    accrual: float = 2.0,
    fixed_arrivals: bool = False,
    prob_eff: Sequence[float] | FloatArray | None = None,
    odds_ratio: float = 1.0,
    cluster: str | None = None,
) -> OperatingCharacteristics:
    """Operating characteristics by simulation, with Monte Carlo standard errors.

    Parameters: `prob_tox`, shape (levels,), 0-1; `trials`, at least 1; `seed`, 0 to 2^64 - 1; `workers`,
    threads, and `cluster`, the address of a Dask scheduler to use instead, both without effect on the result. For
    rules that use pending patients: `accrual`, patients per DLT
    window, `fixed_arrivals`, evenly spaced instead of exponential times between them. For rules that look at
    efficacy: `prob_eff`, shape (levels,), and `odds_ratio`, its association with toxicity within a patient; the
    result is then an `EfficacyCharacteristics`. With backfill: `accrual`, `fixed_arrivals` and `prob_eff`, the
    response probabilities; the result is then a `BackfillCharacteristics`.
    Raises ValueError for a bad scenario or number.
    """
    p = check_prob_tox(prob_tox, plan.levels)
    _check_numbers(plan, trials, seed, accrual)
    where = cluster or workers
    if plan.rule.efficacy:
        from escalon.design.efficacy_characteristics import check_efficacy_scenario
        from escalon.design.simulate_efficacy import simulate_efficacy_oc

        scenario = check_efficacy_scenario(plan, p, prob_eff, odds_ratio)
        return simulate_efficacy_oc(plan, scenario, trials, seed, where)
    if plan.backfill is not None:
        from escalon.design.efficacy_characteristics import check_probability_vector
        from escalon.design.simulate_backfill import simulate_backfill_oc

        if prob_eff is None:
            raise ValueError("prob_eff: backfill needs a response probability for every level")
        q = check_probability_vector("prob_eff", prob_eff, plan.levels)
        return simulate_backfill_oc(plan, p, q, trials, seed, where, accrual, fixed_arrivals)
    run = partial(_run_block, plan, p, seed, accrual, fixed_arrivals)
    parts = spread(run, [(b, min(BLOCK, trials - b * BLOCK)) for b in range(-(-trials // BLOCK))], where)
    return _combine(plan, p, trials, {name: sum(part[name] for part in parts) for name in parts[0]})


def _check_numbers(plan: "EscalationPlan", trials: int, seed: int, accrual: float) -> None:
    if trials < 1:
        raise ValueError(f"trials: at least 1 is needed; got {trials}")
    if not 0 <= seed < 2**64:
        raise ValueError(f"seed: a whole number from 0 to 2^64 - 1 is needed; got {seed}")
    if not accrual > 0:
        raise ValueError(f"accrual: patients per DLT window must be above 0; got {accrual}")
    if plan.rule.late_onset and plan.missing.probability:
        raise ValueError(
            f"non_evaluable: replaced patients take calendar time, which is not simulated for rule "
            f"{plan.rule.kind}; set their probability to 0"
        )


def _run_block(
    plan: "EscalationPlan",
    p: FloatArray,
    seed: int,
    accrual: float,
    fixed_arrivals: bool,
    block: tuple[int, int],
) -> dict[str, Any]:
    """Sums over one block, given as (number, trials)."""
    number, trials = block
    uniforms = draw_uniforms(seed, number, plan.max_total, trials)
    if plan.rule.late_onset:
        times = [draw_times(seed, number, k, plan.max_total, BLOCK)[:, :trials] for k in (1, 2)]
        late = simulate_late_trials(plan, p, (uniforms, times[0], times[1]), accrual, fixed_arrivals)
        return _sums(plan, p, Trials(late.n, late.y, late.mtd, late.duration))
    lots = draw_times(seed, number, LOT_STREAM, plan.max_total, BLOCK) if plan.rule.lots else None
    spare = None
    if plan.missing.probability:
        spare = draw_times(seed, number, STREAM, plan.max_total, BLOCK)[:, :trials]
    return _sums(plan, p, simulate_trials(plan, p, uniforms, lots, spare))


def simulate_trials(
    plan: "EscalationPlan",
    prob_tox: FloatArray,
    uniforms: FloatArray,
    lots: FloatArray | None = None,
    spare: FloatArray | None = None,
) -> Trials:
    """Run the trials of one block.

    `uniforms`, `spare`: shape (patients, trials), for the DLTs and for who cannot be judged in full (None: nobody);
    `lots`, at least as large, for rules that break ties at random.
    """
    if spare is None or plan.weighted:
        return _simulate_counted(plan, prob_tox, uniforms, lots, spare)
    found = _simulate_counted(plan, plan.missing.evaluable_rate(prob_tox), uniforms, lots, None)
    return replace(found, x=plan.missing.draw_replaced(found.n, prob_tox, spare))


def _simulate_counted(
    plan: "EscalationPlan",
    prob_tox: FloatArray,
    uniforms: FloatArray,
    lots: FloatArray | None,
    spare: FloatArray | None,
) -> Trials:
    """The trials of a block; `prob_tox` of the patients who take a place in a cohort."""
    if can_walk(plan):
        return _simulate_walk(plan, prob_tox, uniforms)
    trials = uniforms.shape[1]
    # n holds all who take a place; x those of them who are weighted
    x = np.zeros((trials, plan.levels), np.int64)
    states = States(
        np.zeros((trials, plan.levels), np.int64),
        np.zeros((trials, plan.levels), np.int64),
        np.full(trials, plan.start_level - 1),
    )
    stop = np.zeros(trials, np.int64)
    going = np.arange(trials)
    while going.size:
        now = _shown(plan, states, x, going)
        size, before, p = next_cohort(plan, now, now.current), now.treated, prob_tox[now.current]
        dlts, missing = _dlts(
            plan, uniforms[:, going], spare if spare is None else spare[:, going], before, size, p
        )
        states.n[going, now.current] += size
        states.y[going, now.current] += dlts
        x[going, now.current] += missing
        after = _shown(plan, states, x, going)
        lot = None if lots is None else lots[before, going]
        decision = decide(plan, replace(after, last_n=size - missing, last_y=dlts, lot=lot))
        states.current[going] = decision.level
        stop[going] = decision.stop
        going = going[decision.stop == GO_ON]
    shown = _shown(plan, states, x, np.arange(trials))
    mtd = np.where(stop == UNSAFE, -1, plan.rule.select(shown.n, shown.y))
    return Trials(states.n, states.y, mtd, x=x if plan.weighted else None)


def _shown(plan: "EscalationPlan", states: States, x: IntArray, going: IntArray) -> States:
    """What the rule is shown of some trials."""
    n, y, current = states.n[going], states.y[going], states.current[going]
    if not plan.weighted:
        return States(n, y, current)
    uncounted = x[going] - plan.missing.counted(x[going])
    return States(n - uncounted, y, current, uncounted=uncounted)


def _dlts(
    plan: "EscalationPlan",
    uniforms: FloatArray,
    spare: FloatArray | None,
    treated: IntArray,
    size: IntArray,
    p: FloatArray,
) -> tuple[IntArray, IntArray]:
    """DLTs, and weighted patients, of the next cohort of every trial; patients in order of treatment."""
    columns = np.arange(treated.size)
    total, missing = np.zeros(treated.size, np.int64), np.zeros(treated.size, np.int64)
    for k in range(int(size.max())):
        row = np.minimum(treated + k, uniforms.shape[0] - 1)
        toxic = uniforms[row, columns] < p
        total += (k < size) & toxic
        if spare is not None:
            missing += (k < size) & ~toxic & (spare[row, columns] < plan.missing.probability)
    return total, missing


def _simulate_walk(plan: "EscalationPlan", prob_tox: FloatArray, uniforms: FloatArray) -> Trials:
    from escalon.design import kernels

    walk = table_walk(plan)
    n = np.empty((uniforms.shape[1], plan.levels), np.int64)
    y, mtd = np.empty_like(n), np.empty(uniforms.shape[1], np.int64)
    kernels.simulate_trials(
        uniforms, prob_tox, walk.start, walk.sizes, walk.planned, *walk.tables, *walk.selection,
        walk.options, n, y, mtd,
    )  # type: ignore[call-arg]  # fmt: skip
    return Trials(n, y, mtd)


def _sums(plan: "EscalationPlan", prob_tox: FloatArray, trials: Trials) -> dict[str, Any]:
    """Whole-number sums over trials, and sums of squares for the standard errors."""
    total = trials.n.sum(axis=1)
    over = trials.n[:, prob_tox > plan.rule.target_rate].sum(axis=1)
    dlts = trials.y.sum(axis=1)
    # durations are summed in whole millionths of a window: sums of whole numbers know no order
    ticks = (
        np.zeros(1, np.int64) if trials.duration is None else np.rint(trials.duration * 1e6).astype(np.int64)
    )
    x = np.zeros_like(trials.n) if trials.x is None else trials.x
    return {
        "x": x.sum(axis=0),
        "x2": (x**2).sum(axis=0),
        "ticks": int(ticks.sum()),
        "ticks2": sum(int(tick) ** 2 for tick in ticks),
        "select": np.bincount(trials.mtd + 1, minlength=plan.levels + 1),
        "n": trials.n.sum(axis=0),
        "n2": (trials.n**2).sum(axis=0),
        "y": trials.y.sum(axis=0),
        "y2": (trials.y**2).sum(axis=0),
        "sizes": np.bincount(total, minlength=plan.max_total + 1),
        "total2": int((total**2).sum()),
        "dlts2": int((dlts**2).sum()),
        "over": int(over.sum()),
        "over2": int((over**2).sum()),
        "over60": int((over > 0.6 * plan.max_total + 1e-9).sum()),
        "over80": int((over > 0.8 * plan.max_total + 1e-9).sum()),
    }


def _combine(
    plan: "EscalationPlan", prob_tox: FloatArray, trials: int, sums: dict[str, Any]
) -> OperatingCharacteristics:
    def share(count: Any) -> Any:
        p = np.asarray(count) / trials
        return np.sqrt(p * (1 - p) / trials)

    def mean(total: Any, squares: Any) -> Any:
        variance = np.maximum(np.asarray(squares) / trials - (np.asarray(total) / trials) ** 2, 0)
        return np.sqrt(variance / trials)

    sizes, select = sums["sizes"] / trials, sums["select"][1:]
    correct = int(np.argmin(np.abs(prob_tox - plan.rule.target_rate)))
    errors = {
        "prob_select": share(sums["select"][1:]).tolist(),
        "prob_none": float(share(sums["select"][0])),
        "mean_n": mean(sums["n"], sums["n2"]).tolist(),
        "mean_dlt": mean(sums["y"], sums["y2"]).tolist(),
        "mean_total_n": float(mean(sums["n"].sum(), sums["total2"])),
        "mean_total_dlt": float(mean(sums["y"].sum(), sums["dlts2"])),
        "n_distribution": {str(k): float(share(sums["sizes"][k])) for k in np.flatnonzero(sizes)},
        "prob_select_correct": float(share(select[correct])),
        "prob_select_overdose": float(share(select[prob_tox > plan.rule.target_rate].sum())),
        "mean_n_overdose": float(mean(sums["over"], sums["over2"])),
        "prob_early_stop": float(share(sums["sizes"][: plan.max_total].sum())),
        "prob_overdose_60": float(share(sums["over60"])),
        "prob_overdose_80": float(share(sums["over80"])),
    }
    if plan.rule.late_onset:
        errors["mean_duration"] = float(mean(sums["ticks"] / 1e6, sums["ticks2"] / 1e12))
    if plan.missing.probability:
        errors["mean_non_evaluable"] = mean(sums["x"], sums["x2"]).tolist()
    return build_oc(
        prob_tox=prob_tox,
        target=plan.rule.target_rate,
        planned=plan.max_total,
        prob_select=sums["select"][1:] / trials,
        prob_none=float(sums["select"][0] / trials),
        mean_n=sums["n"] / trials,
        mean_dlt=sums["y"] / trials,
        sizes=sizes,
        overdose_60=sums["over60"] / trials,
        overdose_80=sums["over80"] / trials,
        mean_duration=sums["ticks"] / trials / 1e6 if plan.rule.late_onset else None,
        mean_non_evaluable=sums["x"] / trials if plan.missing.probability else None,
        method="simulate",
        trials=trials,
        standard_error=errors,
    )
