"""BF-BOIN: backfilling patients below the current level of a BOIN escalation.

While the cohort at level d is under evaluation, patients who arrive go to a lower level that is open. Level b < d is
open when a response was seen at b; its DLT rate, or that of b and b + 1 pooled, is below lambda_d; the same holds for
all levels below b; and it holds fewer than `cap` patients. Among open levels the highest is filled first (`order`).

When the cohort at d is complete, BOIN's decision at d uses all patients evaluable there. It conflicts with the data
of a lower level b when d says escalate and b does not, or when b says de-escalate and d does not go down for that
reason alone. Then with b* the highest conflicting level and (y, n) pooled over b*..d:

    y/n <= lambda_e: escalate;   y/n >= lambda_d: go to the highest level k in b*..d whose rate pooled over b*..k is
    below lambda_d, or below b* when there is none;   otherwise stay.

MTD: isotonic regression of BOIN on all evaluable patients, backfill included.

With `counts_in_escalation: false` the decision on the next level, its guards and the MTD rest on the patients of the
escalation alone; which levels are open for backfill still rests on all.

Source: Zhao, Yuan, Korn, Freidlin 2024, doi 10.1158/1078-0432.CCR-23-2585. Conventions beyond the paper as in the R
package bfboin 0.1.1: a conflict with "stay" or "de-escalate" at d needs a lower level that says de-escalate; the
sample size of the plan counts patients of the escalation, backfill patients come on top; the guard enough_at_dose
counts both. Here, more strictly: a level eliminated by its own data, backfill included, closes all levels from there
on, and the lowest level eliminated stops the trial; the cap is never exceeded. Patients still in their DLT window when
the last cohort is complete are not counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from escalon.design.outcomes import IntArray, Outcomes, format_outcomes, parse_outcomes
from escalon.design.recommendation import Action, PendingPatient, Recommendation
from escalon.design.rules.base import BoolArray
from escalon.design.rules.tables import DE_ESCALATE, ESCALATE

if TYPE_CHECKING:
    from escalon.design.plan import EscalationPlan
    from escalon.design.rules.boin import Boin

GO_ON, FULL, UNSAFE, ENOUGH = 0, 1, 2, 4
NEVER = 1 << 30


class Backfill(BaseModel):
    """Backfilling below the current level; see the module."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cap: int = Field(12, ge=0, description="patients at one level from which it is closed for backfill")
    order: Literal["highest", "lowest", "random"] = "highest"
    need_response: bool = Field(True, description="a level opens only after a response was seen there")
    counts_in_escalation: bool = Field(
        True, description="DLTs of backfill patients enter the decision on the next level and the MTD"
    )

    def check_plan(self, kind: str, guards: tuple[Any, ...], titration: bool) -> None:
        """Raise ValueError when backfilling does not fit the plan."""
        if kind != "boin":
            raise ValueError(f"backfill: only with rule boin; got {kind}")
        if titration:
            raise ValueError("backfill: not together with titration")
        other = sorted({guard.kind for guard in guards} - {"enough_at_dose"})
        if other:
            raise ValueError(f"backfill: only guard enough_at_dose fits; got {', '.join(other)}")


@dataclass(frozen=True)
class BackfillDecision:
    """`level`: 0-based next level; `stop`: 0 or why the escalation ends; `conflict`: 0-based b*, -1 for none;
    `closed`: levels out for safety; shapes (states,), (states,), (states,), (states, levels)."""

    level: IntArray
    stop: IntArray
    conflict: IntArray
    closed: BoolArray


def decide_backfill(plan: "EscalationPlan", n: IntArray, y: IntArray, current: IntArray) -> BackfillDecision:
    """The next level of the escalation from all evaluable patients; `n`, `y`: shape (states, levels)."""
    rule = _rule(plan)
    rows, levels = np.arange(current.size), n.shape[1]
    table = rule.table(max(int(n.max()), 1))
    said = np.where(table.eliminate[n, y], DE_ESCALATE, table.decision[n, y])
    said = np.where(n == 0, ESCALATE, said)
    closed = np.logical_or.accumulate(table.eliminate[n, y], axis=1)
    own = said[rows, current]
    lower = np.arange(levels) < current[:, None]
    clash = lower & np.where(own[:, None] == ESCALATE, said != ESCALATE, said == DE_ESCALATE)
    star = np.where(clash.any(axis=1), levels - 1 - np.argmax(clash[:, ::-1], axis=1), -1)
    level = np.where(star >= 0, _pooled(rule, n, y, current, star), current + own)
    top = np.minimum(current + 1, levels - 1)
    level = np.where((level > current) & ((current == levels - 1) | closed[rows, top]), current, level)
    open_below = levels - closed.sum(axis=1)  # levels closed are always the highest ones
    level = np.clip(level, 0, np.maximum(open_below - 1, 0))
    unsafe = closed[:, 0] | ((current == 0) & table.stop_lowest[n[:, 0], y[:, 0]])
    enough = (level == current) & (n[rows, current] >= _enough(plan))
    return BackfillDecision(level, np.select([unsafe, enough], [UNSAFE, ENOUGH], GO_ON), star, closed)


def _pooled(rule: "Boin", n: IntArray, y: IntArray, current: IntArray, star: IntArray) -> IntArray:
    """The level after a conflict, from the counts pooled over b*..d."""
    index, rows = np.arange(n.shape[1]), np.arange(current.size)
    inside = (index >= star[:, None]) & (index <= current[:, None])
    pooled_n = np.cumsum(np.where(inside, n, 0), axis=1)
    pooled_y = np.cumsum(np.where(inside, y, 0), axis=1)
    safe = inside & (pooled_y < pooled_n * rule.lambda_d)
    highest = np.where(safe.any(axis=1), n.shape[1] - 1 - np.argmax(safe[:, ::-1], axis=1), star - 1)
    all_n, all_y = pooled_n[rows, current], pooled_y[rows, current]
    up, down = all_y <= all_n * rule.lambda_e, all_y >= all_n * rule.lambda_d
    return np.asarray(np.where(up, current + 1, np.where(down, np.maximum(highest, 0), current)))


def open_for_backfill(
    plan: "EscalationPlan", n: IntArray, y: IntArray, held: IntArray, responded: BoolArray, current: IntArray
) -> BoolArray:
    """Levels open for backfill, shape (states, levels).

    `n`, `y`: evaluable patients and DLTs; `held`: all patients, those in their window included; `responded`: a
    response was seen; all of shape (states, levels); `current`: shape (states,), 0-based.
    """
    assert plan.backfill is not None
    limit = _rule(plan).lambda_d
    pooled_n, pooled_y = n.copy(), y.copy()
    pooled_n[:, :-1] += n[:, 1:]
    pooled_y[:, :-1] += y[:, 1:]
    safe = (y < np.maximum(n, 1) * limit) | (pooled_y < np.maximum(pooled_n, 1) * limit)
    safe = np.logical_and.accumulate(safe, axis=1)
    below = np.arange(n.shape[1]) < current[:, None]
    seen = responded if plan.backfill.need_response else held > 0
    return np.asarray(below & safe & seen & (held < plan.backfill.cap))


def _rule(plan: "EscalationPlan") -> "Boin":
    from escalon.design.rules.boin import Boin

    assert isinstance(plan.rule, Boin)
    return plan.rule


def _enough(plan: "EscalationPlan") -> int:
    return min([guard.n for guard in plan.guards if guard.kind == "enough_at_dose"], default=NEVER)


@dataclass(frozen=True)
class BackfillRecommendation(Recommendation):
    """A recommendation with the 1-based levels open for `backfill`, in the order they are filled."""

    backfill: tuple[int, ...] = ()


def recommend_backfill(
    plan: "EscalationPlan",
    outcomes: str | Outcomes | Any,
    pending: Sequence[PendingPatient | tuple[int, float]] | None = None,
) -> BackfillRecommendation:
    """See `EscalationPlan.recommend`.

    Letters E and B tell responses; backfill cohorts are written "+1NE". Levels open for backfill are those below the
    next level. Raises ValueError for counts alone, which do not tell backfill patients apart.
    """
    from escalon.design.recommend import _pending
    from escalon.design.rules.base import beta_estimates

    if isinstance(outcomes, str):
        outcomes = parse_outcomes(outcomes, plan.levels, efficacy=True)
    if not isinstance(outcomes, Outcomes) or outcomes.levels != plan.levels:
        raise ValueError(
            f'outcomes: with backfill a string for {plan.levels} levels is needed, such as "1NNE 2NNN +1NN", so that '
            "backfill patients and responses are known"
        )
    waiting = _pending(plan, pending)
    n, y, e = outcomes.n, outcomes.y, outcomes.e
    current = outcomes.current_level
    inputs: dict[str, Any] = {
        "n": n.tolist(), "y": y.tolist(), "e": e.tolist(), "current_level": current,
        "outcomes": format_outcomes(outcomes.cohorts),
        "pending": [[patient.level, patient.followup] for patient in waiting], "plan": plan.hash,
    }  # fmt: skip
    own_n, own_y = deciding_counts(plan, outcomes)
    estimates = beta_estimates(own_n, own_y, plan.rule.target_rate)
    if current is None:
        start = plan.start_level
        words = (f"No evaluable patient of the escalation yet: the plan starts at level {start}.",)
        return BackfillRecommendation("stay", start, words, (start,), estimates, None, False, inputs)
    held = n + np.bincount([patient.level - 1 for patient in waiting], minlength=plan.levels).astype(np.int64)
    decision = decide_backfill(plan, own_n[None], own_y[None], np.array([current - 1]))
    stop = FULL if _escalated(outcomes) >= plan.max_total else int(decision.stop[0])
    level = int(decision.level[0]) + 1
    ready = open_for_backfill(plan, n[None], y[None], held[None], e[None] > 0, np.array([level - 1]))[0]
    backfill = _ordered(plan, ready) if stop == GO_ON else ()
    reasons = _words(plan, outcomes, decision, current) + _backfill_words(
        plan, n, y, held, e, level, backfill, stop
    )
    mtd = None
    if stop in (FULL, ENOUGH):
        index = int(plan.rule.select(own_n[None], own_y[None])[0])
        mtd = None if index < 0 else index + 1
    reasons.append(_conclusion(plan, stop, current, level, mtd))
    admissible = (
        ()
        if stop == UNSAFE
        else tuple(int(j) + 1 for j in np.flatnonzero(~decision.closed[0]) if j <= current)
    )
    return BackfillRecommendation(
        _action(stop, current, level), None if stop else level, tuple(reasons), admissible, estimates, mtd, False,
        inputs, backfill,
    )  # fmt: skip


def deciding_counts(plan: "EscalationPlan", outcomes: Outcomes) -> tuple[IntArray, IntArray]:
    """Evaluable patients and DLTs per level the next level is decided on: without backfill if the plan says so."""
    assert plan.backfill is not None
    if plan.backfill.counts_in_escalation:
        return outcomes.n, outcomes.y
    own = Outcomes(tuple(cohort for cohort in outcomes.cohorts if not cohort.backfill), outcomes.levels)
    return own.n, own.y


def _escalated(outcomes: Outcomes) -> int:
    return sum(cohort.n for cohort in outcomes.cohorts if not cohort.backfill)


def _ordered(plan: "EscalationPlan", ready: BoolArray) -> tuple[int, ...]:
    assert plan.backfill is not None
    levels = [int(j) + 1 for j in np.flatnonzero(ready)]
    return tuple(levels if plan.backfill.order == "lowest" else levels[::-1])


def _action(stop: int, current: int, level: int) -> Action:
    if stop:
        return "stop"
    return "escalate" if level > current else ("de_escalate" if level < current else "stay")


def _words(plan: "EscalationPlan", outcomes: Outcomes, decision: BackfillDecision, current: int) -> list[str]:
    n, y = deciding_counts(plan, outcomes)
    words = plan.rule.explain(n, y, current - 1)
    star, rule = int(decision.conflict[0]), _rule(plan)
    if star >= 0:
        pooled_n, pooled_y = int(n[star:current].sum()), int(y[star:current].sum())
        words.append(
            f"The data at level {star + 1} ({y[star]} of {n[star]} with a DLT) conflict with that decision: levels "
            f"{star + 1} to {current} pooled have {pooled_y} of {pooled_n} ({pooled_y / pooled_n:.4f} against "
            f"{rule.lambda_e:.4f} and {rule.lambda_d:.4f}), which decides instead."
        )
    assert plan.backfill is not None
    if not plan.backfill.counts_in_escalation:
        words.append("Backfill patients are not counted in this decision, as the plan says.")
    total = _escalated(outcomes)
    last = plan.cohort_sizes[-1]
    if len(plan.cohort_sizes) == 1 and total % last and total < plan.max_total:
        words.append(
            f"The cohort of {last} holds {total % last} so far: the rule is read at the counts as they stand."
        )
    return words


def _backfill_words(
    plan: "EscalationPlan",
    n: IntArray,
    y: IntArray,
    held: IntArray,
    e: IntArray,
    level: int,
    backfill: tuple[int, ...],
    stop: int,
) -> list[str]:
    if stop:
        return ["The escalation ends, and backfilling with it."]
    assert plan.backfill is not None
    words = []
    for j in range(level - 1):
        why = f"{e[j]} with a response, {y[j]} of {n[j]} with a DLT, {held[j]} patients (cap {plan.backfill.cap})"
        words.append(f"Level {j + 1} is {'open' if j + 1 in backfill else 'not open'} for backfill: {why}.")
    if backfill:
        order = {"highest": "highest first", "lowest": "lowest first", "random": "drawn by lot"}[
            plan.backfill.order
        ]
        words.append(
            f"Backfill at level{'s' if len(backfill) > 1 else ''} {', '.join(map(str, backfill))}, {order}."
        )
    return words


def _conclusion(plan: "EscalationPlan", stop: int, current: int, level: int, mtd: int | None) -> str:
    if stop:
        selected = (
            f"maximum tolerated dose: level {mtd}" if mtd else "no level qualifies as maximum tolerated dose"
        )
        why = {
            FULL: f"all {plan.max_total} planned patients of the escalation are treated",
            UNSAFE: "no level is acceptable",
            ENOUGH: "a stopping guard is met",
        }[stop]
        return f"Stop: {why}; {selected}."
    if level == current:
        return f"Stay at level {current}."
    return f"{'Escalate' if level > current else 'De-escalate'} from level {current} to level {level}."
