"""Simulation of BF-BOIN in calendar time.

Patients arrive one by one. One who arrives while the cohort is open joins it; once every patient of the cohort has had
a DLT or completed the window, the arriving patient finds the next decision made and joins the next cohort; in between
the patient goes to a level open for backfill, or is turned away. DLT times are uniform over the window, a response is
known at the end of the window and opens the level if the patient was part of the escalation. Times are in windows.

Uniforms come from counter-based streams, one row per arrival: the same answer for any number of workers.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from escalon.design.backfill import GO_ON, UNSAFE, decide_backfill, open_for_backfill
from escalon.design.operating_characteristics import OperatingCharacteristics, build_oc
from escalon.design.rules.base import BoolArray, FloatArray, IntArray
from escalon.design.simulate_efficacy import mean_error, share_error, size_errors
from escalon.design.spread import spread

if TYPE_CHECKING:
    from escalon.design.plan import EscalationPlan

RESPONSE_STREAM, LOT_STREAM = 3, 4


def _nothing() -> FloatArray:
    return np.zeros(0)


@dataclass(frozen=True)
class BackfillCharacteristics(OperatingCharacteristics):
    """Characteristics with backfill. `mean_backfill`: expected backfill patients per level, part of `mean_n`;
    `mean_total_backfill`; `prob_early_stop`: the escalation ended before its sample size; `mean_duration` in DLT
    windows, from the first patient to the end of the last cohort."""

    mean_backfill: FloatArray = field(default_factory=_nothing)
    mean_total_backfill: float = 0.0


@dataclass
class _Course:
    """Patients in order of arrival, shape (trials, arrivals): level (-1: turned away), end of observation, DLT,
    whether part of the escalation, and when a response is known (inf: none)."""

    level: IntArray
    end: FloatArray
    dlt: IntArray
    cohort: IntArray
    response: FloatArray

    @classmethod
    def empty(cls, trials: int, arrivals: int) -> "_Course":
        shape = (trials, arrivals)
        never = np.full(shape, np.inf)
        whole = np.zeros(shape, np.int64)
        return cls(np.full(shape, -1, np.int64), never, whole, whole.copy(), never.copy())


@dataclass
class _Trials:
    """Where every trial stands, shape (trials,): level, patients in the running cohort, its end, patients of the
    escalation, clock, stop code; and its course."""

    level: IntArray
    inside: IntArray
    ready: FloatArray
    escalated: IntArray
    clock: FloatArray
    stop: IntArray
    course: _Course


def simulate_backfill_oc(
    plan: "EscalationPlan",
    prob_tox: FloatArray,
    prob_eff: FloatArray,
    trials: int,
    seed: int,
    workers: int | str,
    accrual: float,
    fixed_arrivals: bool,
) -> BackfillCharacteristics:
    """Characteristics by simulation; arguments as checked by `simulate.simulate_oc`."""
    from escalon.design.simulate import BLOCK, draw_uniforms
    from escalon.design.simulate_late import draw_times

    def run(block: int) -> dict[str, Any]:
        size = min(BLOCK, trials - block * BLOCK)

        def draw(rows: int) -> list[FloatArray]:
            streams = [
                draw_times(seed, block, k, rows, BLOCK)[:, :size] for k in (1, 2, RESPONSE_STREAM, LOT_STREAM)
            ]
            return [draw_uniforms(seed, block, rows, size), *streams]

        return _sums(
            plan, prob_tox, simulate_backfill_trials(plan, prob_tox, prob_eff, draw, accrual, fixed_arrivals)
        )

    parts = spread(run, range(-(-trials // BLOCK)), workers)
    return _combine(plan, prob_tox, trials, {name: sum(part[name] for part in parts) for name in parts[0]})


@dataclass(frozen=True)
class BackfillTrials:
    """Ends of simulated trials: counts, shape (trials, levels), backfill patients among them; escalation patients,
    0-based selection (-1 none), duration in windows, shape (trials,)."""

    n: IntArray
    y: IntArray
    backfill: IntArray
    escalated: IntArray
    mtd: IntArray
    duration: FloatArray


def simulate_backfill_trials(
    plan: "EscalationPlan",
    prob_tox: FloatArray,
    prob_eff: FloatArray,
    draw: Callable[[int], list[FloatArray]],
    accrual: float,
    fixed_arrivals: bool,
) -> BackfillTrials:
    """Run one block. `draw(rows)`: uniforms for DLT, DLT time, arrival, response and lots, shape (rows, trials) each;
    more rows begin with the same numbers."""
    rows = int(plan.max_total * (2 + accrual)) + 16
    uniforms = draw(rows)
    count = uniforms[0].shape[1]
    now = _Trials(
        np.full(count, plan.start_level - 1), np.zeros(count, np.int64), np.zeros(count), np.zeros(count, np.int64),
        np.zeros(count), np.zeros(count, np.int64), _Course.empty(count, rows),
    )  # fmt: skip
    k = 0
    while True:
        going = np.flatnonzero(now.stop == GO_ON)
        if going.size == 0:
            return _finish(plan, now)
        if k == rows:
            rows *= 2
            uniforms = draw(rows)
            longer = _Course.empty(count, rows)
            for name, old in now.course.__dict__.items():
                getattr(longer, name)[:, :k] = old
            now.course = longer
        gap = np.ones(going.size) if fixed_arrivals else -np.log1p(-uniforms[2][k, going])
        now.clock[going] += gap / accrual if k else 0.0
        _arrive(plan, now, going, k, [part[k] for part in uniforms], prob_tox, prob_eff)
        k += 1


def _arrive(
    plan: "EscalationPlan",
    now: _Trials,
    going: IntArray,
    k: int,
    uniform: list[FloatArray],
    prob_tox: FloatArray,
    prob_eff: FloatArray,
) -> None:
    """The k-th patient arrives in every trial of `going`."""
    full = now.inside[going] >= _cohort_size(plan, now, going)
    done = full & (now.ready[going] < now.clock[going])
    _decide(plan, now, going[done], k)
    joins = going[~full | (done & (now.stop[going] == GO_ON))]
    _treat(now, joins, k, now.level[joins], uniform, prob_tox, prob_eff, True)
    waiting = going[full & ~done]
    if waiting.size and plan.backfill is not None and plan.backfill.cap > 0:
        target = _backfill_level(plan, now, waiting, k, uniform[4])
        _treat(now, waiting[target >= 0], k, target[target >= 0], uniform, prob_tox, prob_eff, False)


def _cohort_size(plan: "EscalationPlan", now: _Trials, which: IntArray) -> IntArray:
    """Size of the running cohort, never beyond the sample size."""
    sizes = np.asarray(plan.cohort_sizes)
    before = now.escalated[which] - now.inside[which]
    index = np.minimum(np.searchsorted(np.cumsum(sizes), before, side="right"), sizes.size - 1)
    return np.asarray(np.minimum(sizes[index], plan.max_total - before))


def _counts(
    plan: "EscalationPlan", now: _Trials, which: IntArray, k: int, everybody: bool = True
) -> tuple[IntArray, IntArray, IntArray]:
    """Evaluable patients, DLTs and all patients per level at the clock, from the first k arrivals; without
    `everybody` the evaluable ones are those of the escalation."""
    course = now.course
    level, known = course.level[which, :k], course.end[which, :k] < now.clock[which, None]
    known = known & (everybody | (course.cohort[which, :k] == 1))
    tox = known & (course.dlt[which, :k] == 1)
    parts = [
        [(here & mask).sum(axis=1) for here in (level == j for j in range(plan.levels))]
        for mask in (known, tox, level >= 0)
    ]
    n, y, held = (np.stack(part, axis=1) for part in parts)
    return n, y, held


def _decide(plan: "EscalationPlan", now: _Trials, which: IntArray, k: int) -> None:
    """The cohort is complete: the next level, or the end."""
    if which.size == 0:
        return
    assert plan.backfill is not None
    n, y, _ = _counts(plan, now, which, k, everybody=plan.backfill.counts_in_escalation)
    decision = decide_backfill(plan, n, y, now.level[which])
    finished = now.escalated[which] >= plan.max_total
    now.stop[which] = np.where((decision.stop == GO_ON) & finished, 1, decision.stop)
    now.level[which] = np.where(now.stop[which] == GO_ON, decision.level, now.level[which])
    go = which[now.stop[which] == GO_ON]
    now.inside[go], now.ready[go] = 0, 0.0


def _backfill_level(
    plan: "EscalationPlan", now: _Trials, which: IntArray, k: int, lot: FloatArray
) -> IntArray:
    """0-based level the arriving patient is backfilled at, -1 for none."""
    assert plan.backfill is not None
    n, y, held = _counts(plan, now, which, k)
    course = now.course
    seen = course.response[which, :k] < now.clock[which, None]
    level = course.level[which, :k]
    responded = np.stack([(seen & (level == j)).any(axis=1) for j in range(plan.levels)], axis=1)
    ready = open_for_backfill(plan, n, y, held, responded, now.level[which])
    number = ready.sum(axis=1)
    wanted = {
        "highest": number,
        "lowest": np.ones_like(number),
        "random": 1 + np.minimum((lot[which] * number).astype(np.int64), np.maximum(number - 1, 0)),
    }[plan.backfill.order]
    chosen = np.argmax(np.cumsum(ready, axis=1) >= np.maximum(wanted, 1)[:, None], axis=1)
    return np.asarray(np.where(number > 0, chosen, -1))


def _treat(
    now: _Trials,
    which: IntArray,
    k: int,
    level: IntArray,
    uniform: list[FloatArray],
    prob_tox: FloatArray,
    prob_eff: FloatArray,
    cohort: bool,
) -> None:
    course, clock = now.course, now.clock[which]
    tox = uniform[0][which] < prob_tox[level]
    end = clock + np.where(tox, uniform[1][which], 1.0)
    course.level[which, k], course.dlt[which, k], course.end[which, k] = level, tox, end
    if not cohort:
        return
    course.cohort[which, k] = 1
    course.response[which, k] = np.where(uniform[3][which] < prob_eff[level], clock + 1.0, np.inf)
    now.inside[which] += 1
    now.escalated[which] += 1
    now.ready[which] = np.maximum(now.ready[which], end)


def _finish(plan: "EscalationPlan", now: _Trials) -> BackfillTrials:
    """The end is that of the last cohort; who is still in the window then is not counted."""
    course = now.course
    counted = (course.level >= 0) & (course.end <= now.ready[:, None])
    masks = (counted, counted & (course.dlt == 1), counted & (course.cohort == 0))
    n, y, backfill = (
        np.stack([((course.level == j) & mask).sum(axis=1) for j in range(plan.levels)], axis=1)
        for mask in masks
    )
    assert plan.backfill is not None
    own_n, own_y = (n, y) if plan.backfill.counts_in_escalation else _own(plan, course, counted)
    mtd = np.where(now.stop == UNSAFE, -1, plan.rule.select(own_n, own_y))
    return BackfillTrials(n, y, backfill, now.escalated, mtd, now.ready)


def _own(plan: "EscalationPlan", course: _Course, counted: BoolArray) -> tuple[IntArray, IntArray]:
    """Counts of the escalation alone, of those `counted`."""
    own = counted & (course.cohort == 1)
    n, y = (
        np.stack([((course.level == j) & mask).sum(axis=1) for j in range(plan.levels)], axis=1)
        for mask in (own, own & (course.dlt == 1))
    )
    return n, y


def _sums(plan: "EscalationPlan", prob_tox: FloatArray, trials: BackfillTrials) -> dict[str, Any]:
    assert plan.backfill is not None
    total = trials.n.sum(axis=1)
    over = trials.n[:, prob_tox > plan.rule.target_rate].sum(axis=1)
    ticks = np.rint(trials.duration * 1e6).astype(np.int64)  # sums of whole numbers know no order
    largest = plan.max_total + plan.levels * plan.backfill.cap
    sums: dict[str, Any] = {
        "select": np.bincount(trials.mtd + 1, minlength=plan.levels + 1),
        "sizes": np.bincount(total, minlength=largest + 1),
        "early": int((trials.escalated < plan.max_total).sum()),
        "over": int(over.sum()), "over2": int((over**2).sum()),
        "over60": int((over > 0.6 * plan.max_total + 1e-9).sum()),
        "over80": int((over > 0.8 * plan.max_total + 1e-9).sum()),
        "ticks": int(ticks.sum()), "ticks2": sum(int(tick) ** 2 for tick in ticks),
    }  # fmt: skip
    for name in ("n", "y", "backfill"):
        counts = getattr(trials, name)
        sums[name], sums[name + "2"] = counts.sum(axis=0), (counts**2).sum(axis=0)
        sums[name + "_total2"] = int((counts.sum(axis=1) ** 2).sum())
    return sums


def _errors(
    plan: "EscalationPlan", prob_tox: FloatArray, trials: int, sums: dict[str, Any]
) -> dict[str, Any]:
    """Monte Carlo standard error of every number."""
    keys = {"n": "n", "dlt": "y", "backfill": "backfill"}
    errors: dict[str, Any] = {}
    for name, key in keys.items():
        errors[f"mean_{name}"] = mean_error(sums[key], sums[key + "2"], trials).tolist()
        errors[f"mean_total_{name}"] = float(mean_error(sums[key].sum(), sums[key + "_total2"], trials))
    correct = int(np.argmin(np.abs(prob_tox - plan.rule.target_rate))) + 1
    above = np.flatnonzero(prob_tox > plan.rule.target_rate) + 1
    shares = {
        "prob_none": sums["select"][0],
        "prob_select_correct": sums["select"][correct],
        "prob_select_overdose": sums["select"][above].sum(),
        "prob_early_stop": sums["early"],
        "prob_overdose_60": sums["over60"],
        "prob_overdose_80": sums["over80"],
    }
    errors |= {name: float(share_error(value, trials)) for name, value in shares.items()}
    errors["n_distribution"] = size_errors(sums["sizes"], trials)
    errors["prob_select"] = share_error(sums["select"][1:], trials).tolist()
    errors["mean_n_overdose"] = float(mean_error(sums["over"], sums["over2"], trials))
    errors["mean_duration"] = float(mean_error(sums["ticks"] / 1e6, sums["ticks2"] / 1e12, trials))
    return errors


def _combine(
    plan: "EscalationPlan", prob_tox: FloatArray, trials: int, sums: dict[str, Any]
) -> BackfillCharacteristics:
    base = build_oc(
        prob_tox=prob_tox,
        target=plan.rule.target_rate,
        planned=plan.max_total,
        prob_select=sums["select"][1:] / trials,
        prob_none=float(sums["select"][0] / trials),
        mean_n=sums["n"] / trials,
        mean_dlt=sums["y"] / trials,
        sizes=sums["sizes"] / trials,
        overdose_60=sums["over60"] / trials,
        overdose_80=sums["over80"] / trials,
        mean_duration=sums["ticks"] / trials / 1e6,
        method="simulate",
        trials=trials,
        standard_error=_errors(plan, prob_tox, trials, sums),
    )
    content = {**base.__dict__, "prob_early_stop": sums["early"] / trials}
    backfill = sums["backfill"] / trials
    return BackfillCharacteristics(
        **content, mean_backfill=backfill, mean_total_backfill=float(backfill.sum())
    )
