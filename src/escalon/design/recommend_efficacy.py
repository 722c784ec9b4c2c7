"""The next dose for a running trial whose rule looks at toxicity and efficacy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from escalon.design.decide import ENOUGH, FINISHED, FULL, GO_ON, UNSAFE, Decision, decide, next_cohort
from escalon.design.outcomes import IntArray, Outcomes, check_counts, format_outcomes, parse_outcomes
from escalon.design.recommend import Counts, guard_binds
from escalon.design.recommendation import Action, LevelEstimate, PendingPatient, Recommendation
from escalon.design.rules.efficacy import EfficacyEstimate, EfficacyRule, EfficacyStates

if TYPE_CHECKING:
    from escalon.design.plan import EscalationPlan


@dataclass(frozen=True)
class EfficacyRecommendation(Recommendation):
    """A recommendation with what is known of efficacy: `efficacy`, one `EfficacyEstimate` per level. `mtd` holds the
    selected optimal biological dose when the trial ends."""

    efficacy: tuple[EfficacyEstimate, ...] = ()


def recommend_efficacy(
    plan: "EscalationPlan",
    outcomes: str | Outcomes | Counts,
    pending: Sequence[PendingPatient | tuple[int, float]] | None = None,
) -> EfficacyRecommendation:
    """See `EscalationPlan.recommend`; letters N, T, E and B tell toxicity and efficacy apart.

    Raises ValueError for counts without efficacy.
    """
    rule = plan.rule
    assert isinstance(rule, EfficacyRule)
    seen = read_efficacy(plan, outcomes)
    n, y, e, both = seen.n, seen.y, seen.e, seen.both
    waiting = _waiting(plan, pending)
    current = seen.current_level
    inputs: dict[str, Any] = {
        "n": n.tolist(), "y": y.tolist(), "e": e.tolist(), "both": both.tolist(),
        "current_level": current, "outcomes": format_outcomes(seen.cohorts),
        "pending": [[patient.level, patient.followup] for patient in waiting], "plan": plan.hash,
    }  # fmt: skip
    if current is None:
        efficacy = rule.estimates_efficacy(_states(seen))
        start = plan.start_level
        reasons = (f"No evaluable patient yet: the plan starts at level {start}.", *_pending_words(waiting))
        known = _levels(rule, efficacy)
        return EfficacyRecommendation("stay", start, reasons, (start,), known, None, False, inputs, efficacy)
    states = _states(seen)
    decision = decide(plan, states)
    action, level = _action(decision, current)
    here = current - 1
    reasons_list = [
        f"Level {current}: {y[here]} of {n[here]} evaluable patients had a DLT ({y[here] / n[here]:.1%}), "
        f"{e[here]} had efficacy ({e[here] / n[here]:.1%})."
    ]
    reasons_list += (
        rule.explain_efficacy(states) + _guard_words(plan, states, decision) + _pending_words(waiting)
    )
    reasons_list += _held_words(plan, seen, states)
    obd = None
    if action == "stop" and decision.stop[0] != UNSAFE:
        index = int(rule.select_obd(states)[0])
        obd = None if index < 0 else index + 1
    reasons_list.append(_conclusion(plan, states, decision, action, level, obd))
    admissible = (
        () if decision.stop[0] == UNSAFE else tuple(int(j) + 1 for j in np.flatnonzero(decision.open[0]))
    )
    efficacy = rule.estimates_efficacy(states)
    return EfficacyRecommendation(
        action,
        level,
        tuple(reasons_list),
        admissible,
        _levels(rule, efficacy),
        obd,
        False,
        inputs,
        efficacy,
    )


def _states(seen: Outcomes) -> EfficacyStates:
    """What the rule is shown; without any patient, at the lowest level."""
    n, y, e, both = (part[None] for part in (seen.n, seen.y, seen.e, seen.both))
    if seen.current_level is None:
        return EfficacyStates(n, y, np.zeros(1, np.int64), e=e, both=both)
    size, dlts = np.array([seen.cohorts[-1].n]), np.array([seen.cohorts[-1].y])
    return EfficacyStates(n, y, np.array([seen.current_level - 1]), size, dlts, e=e, both=both)


def select_obd(
    plan: "EscalationPlan",
    n: Sequence[int] | IntArray,
    y: Sequence[int] | IntArray,
    e: Sequence[int] | IntArray,
    both: Sequence[int] | IntArray | None = None,
) -> int | None:
    """The optimal biological dose from final counts per level.

    Parameters: patients, patients with a DLT, with efficacy, with both (needed unless the rule's margins suffice);
    length `plan.levels`. Returns the 1-based level or None. Raises ValueError for impossible counts or a rule that
    does not look at efficacy.
    """
    rule = plan.rule
    if not isinstance(rule, EfficacyRule):
        raise ValueError(f"rule {rule.kind} does not look at efficacy; use select_mtd")
    counts_n, counts_y = check_counts(n, y, plan.levels)
    _, counts_e = check_counts(n, e, plan.levels, "e")
    if both is None and not rule.margins_suffice:
        raise ValueError(f"both: rule {rule.kind} needs the patients with a DLT and efficacy per level")
    together = (
        np.zeros_like(counts_n) if both is None else check_counts(counts_n, both, plan.levels, "both")[1]
    )
    if both is not None:
        check_both(counts_n, counts_y, counts_e, together)
    states = EfficacyStates(
        counts_n[None], counts_y[None], np.zeros(1, np.int64), e=counts_e[None], both=together[None]
    )
    index = int(rule.select_obd(states)[0])
    return None if index < 0 else index + 1


def check_both(n: IntArray, y: IntArray, e: IntArray, both: IntArray) -> None:
    """Raise ValueError unless the four outcome counts of every level are possible."""
    bad = np.flatnonzero((both > np.minimum(y, e)) | (both < y + e - n))
    if bad.size:
        j = int(bad[0])
        raise ValueError(
            f"both: {both[j]} patients with both at level {j + 1} do not fit {n[j]} patients, {y[j]} with a DLT, "
            f"{e[j]} with efficacy"
        )


def read_efficacy(plan: "EscalationPlan", outcomes: str | Outcomes | Counts) -> Outcomes:
    """Outcomes with efficacy; raises ValueError where they hold none."""
    if isinstance(outcomes, str):
        outcomes = parse_outcomes(outcomes, plan.levels, efficacy=True)
    if not isinstance(outcomes, Outcomes) or any(cohort.eff is None for cohort in outcomes.cohorts):
        raise ValueError(
            f'outcomes: rule {plan.rule.kind} needs efficacy: write one letter per patient, such as "1NEN 2ETB"'
        )
    if outcomes.levels != plan.levels:
        raise ValueError(f"outcomes: for {outcomes.levels} levels, but the plan has {plan.levels}")
    if any(cohort.backfill for cohort in outcomes.cohorts):
        raise ValueError(f"outcomes: rule {plan.rule.kind} has no backfill cohorts (+)")
    return outcomes


def _waiting(
    plan: "EscalationPlan", pending: Sequence[PendingPatient | tuple[int, float]] | None
) -> tuple[PendingPatient, ...]:
    from escalon.design.recommend import _pending

    return _pending(plan, pending)


def _pending_words(waiting: tuple[PendingPatient, ...]) -> list[str]:
    words = []
    for level in sorted({patient.level for patient in waiting}):
        count = sum(patient.level == level for patient in waiting)
        plural = "s" if count > 1 else ""
        words.append(f"{count} patient{plural} at level {level} not yet evaluable, not counted.")
    return words


def _held_words(plan: "EscalationPlan", seen: Outcomes, states: EfficacyStates) -> list[str]:
    from escalon.design.recommend import _held

    held = _held(plan, seen)
    if held == 0 or int(seen.n.sum()) >= plan.max_total:
        return []
    size = int(next_cohort(plan, states, states.current)[0])
    return [
        f"The cohort of {size} at level {seen.current_level} holds {held} so far: the rule is read at the counts as "
        "they stand."
    ]


def _action(decision: Decision, current: int) -> tuple[Action, int | None]:
    if decision.stop[0] != GO_ON:
        return "stop", None
    level = int(decision.level[0]) + 1
    if level > current:
        return "escalate", level
    return ("de_escalate", level) if level < current else ("stay", level)


def _guard_words(plan: "EscalationPlan", states: EfficacyStates, decision: Decision) -> list[str]:
    wanted = int(plan.rule.propose(states, plan.max_n).level[0])
    binding = (guard for guard in plan.guards if guard_binds(plan, guard, states, decision, wanted))
    return [f"Guard, {guard.sentence()}." for guard in binding]


def _levels(rule: EfficacyRule, efficacy: tuple[EfficacyEstimate, ...]) -> tuple[LevelEstimate, ...]:
    """The toxicity half of the rule's own estimates; empty where an untried level borrows nothing from others."""
    return tuple(
        LevelEstimate(
            row.level, row.n, row.y, row.y / row.n if row.n else None,
            row.prob_tox, row.tox_lower, row.tox_upper, row.prob_too_toxic,
        )
        if row.n or rule.borrows
        else LevelEstimate(row.level, 0, 0, None, None, None, None, None)
        for row in efficacy
    )  # fmt: skip


def _conclusion(
    plan: "EscalationPlan",
    states: EfficacyStates,
    decision: Decision,
    action: Action,
    level: int | None,
    obd: int | None,
) -> str:
    here = int(states.current[0]) + 1
    if action == "stop":
        selected = (
            f"optimal biological dose: level {obd}"
            if obd
            else "no level qualifies as optimal biological dose"
        )
        why = {
            FULL: f"all {plan.max_total} planned patients are treated",
            UNSAFE: "no level is acceptable",
            FINISHED: "the rule has finished",
            ENOUGH: "a stopping guard is met",
        }[int(decision.stop[0])]
        return f"Stop: {why}; {selected}."
    if action == "stay":
        return f"Stay at level {here}."
    return f"{'Escalate' if action == 'escalate' else 'De-escalate'} from level {here} to level {level}."
