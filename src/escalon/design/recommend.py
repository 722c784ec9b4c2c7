"""The next dose for a running trial, and the words for it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from escalon.design.decide import (
    ENOUGH,
    FINISHED,
    FULL,
    GO_ON,
    UNSAFE,
    Decision,
    decide,
    next_cohort,
)
from escalon.design.mtd import select_mtd
from escalon.design.outcomes import Cohort, IntArray, Outcomes, check_counts, format_outcomes, parse_outcomes
from escalon.design.recommendation import Action, PendingPatient, Recommendation
from escalon.design.rules.base import STOP_UNSAFE, States

if TYPE_CHECKING:
    from escalon.design.plan import EscalationPlan

Counts = tuple[Sequence[int] | IntArray, Sequence[int] | IntArray, int]


@dataclass(frozen=True)
class _Situation:
    """Counts per level, 0-based current level, last cohort (size, DLTs) if known, patients of the
    unfinished cohort at the current level, and the outcome string if one was given; in a plan that weighs patients who
    cannot be judged in full, those patients per level, and how many of them are in no count."""

    n: IntArray
    y: IntArray
    current: int
    last: tuple[int, int] | None
    held: int
    text: str | None
    waiting: tuple[PendingPatient, ...] = ()
    x: IntArray | None = None
    uncounted: IntArray | None = None

    def states(self) -> States:
        last_n, last_y = (None, None) if self.last is None else (np.array([part]) for part in self.last)
        counts = (self.n[None, :], self.y[None, :], np.array([self.current]))
        if not self.waiting:
            uncounted = None if self.uncounted is None else self.uncounted[None, :]
            return States(*counts, last_n, last_y, uncounted=uncounted)
        level = np.array([[patient.level - 1 for patient in self.waiting]])
        followup = np.array([[patient.followup for patient in self.waiting]])
        return States(*counts, last_n, last_y, level, followup)

    def plus(self, size: int, dlts: int) -> "_Situation":
        """The same with `size` more patients at the current level, joined to the last cohort."""
        n, y = self.n.copy(), self.y.copy()
        n[self.current] += size
        y[self.current] += dlts
        last = None if self.last is None else (self.last[0] + size, self.last[1] + dlts)
        return _Situation(n, y, self.current, last, 0, None, x=self.x, uncounted=self.uncounted)


def recommend(
    plan: "EscalationPlan",
    outcomes: str | Outcomes | Counts,
    pending: Sequence[PendingPatient | tuple[int, float]] | None = None,
) -> Recommendation:
    """See `EscalationPlan.recommend`."""
    if plan.rule.efficacy:
        from escalon.design.recommend_efficacy import recommend_efficacy

        return recommend_efficacy(plan, outcomes, pending)
    if plan.backfill is not None:
        from escalon.design.backfill import recommend_backfill

        return recommend_backfill(plan, outcomes, pending)
    situation = situation_of(plan, outcomes)
    waiting = _pending(plan, pending)
    if plan.rule.late_onset:
        current = situation.current if situation.n.any() or not waiting else waiting[-1].level - 1
        situation = replace(situation, waiting=waiting, current=current)
    inputs: dict[str, Any] = {
        "n": situation.n.tolist(),
        "y": situation.y.tolist(),
        "current_level": situation.current + 1 if situation.n.any() else None,
        "outcomes": situation.text,
        "pending": [[patient.level, patient.followup] for patient in waiting],
        "plan": plan.hash,
    }
    estimates = plan.rule.estimates_pending(situation.states())
    untouched = situation.uncounted is None or not situation.uncounted.any()
    if not situation.n.any() and not situation.waiting and untouched:
        start = plan.start_level
        reasons = [f"No evaluable patient yet: the plan starts at level {start}."]
        reasons += _pending_words(plan, situation, waiting)
        return Recommendation("stay", start, tuple(reasons), (start,), estimates, None, False, inputs)
    decision = decide(plan, situation.states())
    action, level = _action(decision, situation)
    reasons = _rule_words(plan, situation)
    reasons += _missing_words(plan, outcomes)
    reasons += _guard_words(plan, situation, decision)
    reasons += _cohort_words(plan, situation)
    reasons += _pending_words(plan, situation, waiting)
    mtd = None
    if action == "stop" and not situation.waiting:
        mtd = select_mtd(plan, situation.n, situation.y) if decision.stop[0] != UNSAFE else None
    if plan.lower_level:
        reasons.append(
            "Levels are counted from the lowest: level 1 here is the protocol's level -1, 2 its level 1."
        )
    reasons.append(_conclusion(plan, situation, decision, action, level, mtd))
    admissible = _admissible(plan, situation, decision)
    suspend = bool(decision.wait[0])
    return Recommendation(action, level, tuple(reasons), admissible, estimates, mtd, suspend, inputs)


def _rule_words(plan: "EscalationPlan", situation: _Situation) -> list[str]:
    if situation.waiting:
        return plan.rule.explain_pending(situation.states())
    if situation.n[situation.current] == 0:
        return [f"Level {situation.current + 1}: no evaluable patient yet; the escalation stays there."]
    return plan.rule.explain(situation.n, situation.y, situation.current)


def _missing_words(plan: "EscalationPlan", outcomes: str | Outcomes | Counts) -> list[str]:
    """Sentences on patients without DLT who cannot be judged in full."""
    if isinstance(outcomes, str):
        outcomes = parse_outcomes(outcomes, plan.levels)
    if not isinstance(outcomes, Outcomes):
        return []
    return [plan.missing.sentence(j + 1, int(x)) for j, x in enumerate(outcomes.x) if x]


def situation_of(plan: "EscalationPlan", outcomes: str | Outcomes | Counts) -> _Situation:
    """Read and check what `EscalationPlan.recommend` accepts."""
    if isinstance(outcomes, str):
        outcomes = parse_outcomes(outcomes, plan.levels)
    if isinstance(outcomes, Outcomes):
        if outcomes.levels != plan.levels:
            raise ValueError(f"outcomes: for {outcomes.levels} levels, but the plan has {plan.levels}")
        counted = plan.missing.counted(outcomes.x)
        n, y = outcomes.n + counted, outcomes.y
        x, uncounted = (outcomes.x, outcomes.x - counted) if plan.weighted else (None, None)
        if not outcomes.cohorts:
            return _Situation(n, y, plan.start_level - 1, None, 0, "")
        last = outcomes.cohorts[-1]
        text, held = format_outcomes(outcomes.cohorts), _held(plan, outcomes)
        return _Situation(n, y, last.level - 1, (last.n, last.y), held, text, x=x, uncounted=uncounted)
    counts_n, counts_y, level = outcomes
    n, y = check_counts(counts_n, counts_y, plan.levels)
    if not 1 <= level <= plan.levels:
        raise ValueError(f"current_level: {level} is unknown; the plan has levels 1 to {plan.levels}")
    if n.any() and n[level - 1] == 0:
        raise ValueError(f"current_level: no patient was treated at level {level}")
    held = int(n[level - 1]) % plan.cohort_sizes[0] if len(plan.cohort_sizes) == 1 else 0
    return _Situation(n, y, level - 1, None, held, None)


def _held(plan: "EscalationPlan", outcomes: Outcomes) -> int:
    """Patients in the unfinished cohort at the current level, 0 if the last cohort is complete."""
    level = outcomes.current_level
    run = 0
    for cohort in reversed(outcomes.cohorts):
        if cohort.level != level:
            break
        run += _size(plan, cohort)
    total = sum(_size(plan, cohort) for cohort in outcomes.cohorts)
    if plan.titration and int(outcomes.n.max()) <= 1:
        return 0
    filled = total - run
    edges = np.cumsum(plan.cohort_sizes)
    while True:
        index = min(int(np.searchsorted(edges, filled, side="right")), len(plan.cohort_sizes) - 1)
        size = plan.cohort_sizes[index]
        if run < size:
            return run
        run -= size
        filled += size


def _size(plan: "EscalationPlan", cohort: Cohort) -> int:
    """Patients who take a place in a cohort: replaced ones do not."""
    return cohort.n + (cohort.not_evaluable if plan.weighted else 0)


def _pending(
    plan: "EscalationPlan", pending: Sequence[PendingPatient | tuple[int, float]] | None
) -> tuple[PendingPatient, ...]:
    patients = tuple(
        entry if isinstance(entry, PendingPatient) else PendingPatient(*entry) for entry in pending or ()
    )
    for patient in patients:
        if not 1 <= patient.level <= plan.levels:
            raise ValueError(
                f"pending: level {patient.level} is unknown; the plan has levels 1 to {plan.levels}"
            )
    return patients


def _action(decision: Decision, situation: _Situation) -> tuple[Action, int | None]:
    if decision.stop[0] != GO_ON:
        return "stop", None
    level = int(decision.level[0])
    if level > situation.current:
        return "escalate", level + 1
    return ("de_escalate", level + 1) if level < situation.current else ("stay", level + 1)


def _admissible(plan: "EscalationPlan", situation: _Situation, decision: Decision) -> tuple[int, ...]:
    if decision.stop[0] == UNSAFE:
        return ()
    states = situation.states()
    caps = [guard.cap(states, plan.rule) for guard in plan.guards]
    highest = min([plan.levels, *(int(cap[0]) for cap in caps if cap is not None)])
    within = decision.open[0] & plan.rule.reach(situation.current, plan.levels)
    return tuple(int(j) + 1 for j in np.flatnonzero(within) if j <= highest)


def _guard_words(plan: "EscalationPlan", situation: _Situation, decision: Decision) -> list[str]:
    states = situation.states()
    proposal = plan.rule.propose(states, plan.max_n)
    wanted = int(proposal.level[0])
    words = []
    closed = [int(j) + 1 for j in np.flatnonzero(~proposal.open[0])]
    if closed:
        plural = "s" if len(closed) > 1 else ""
        words.append(f"Closed by the rule: level{plural} {', '.join(map(str, closed))}.")
    for guard in plan.guards:
        if guard_binds(plan, guard, states, decision, wanted):
            words.append(f"Guard, {guard.sentence()}.")
        elif guard.needs_last_cohort and situation.last is None:
            words.append(f"Guard, {guard.sentence()}: not applied, the last cohort is not known from counts.")
    return words


def guard_binds(plan: "EscalationPlan", guard: Any, states: States, decision: Decision, wanted: int) -> bool:
    """Whether a guard keeps one state from the 0-based level the rule `wanted`, or ends the escalation."""
    cap, mask = guard.cap(states, plan.rule), guard.mask(states, plan.rule)
    danger, ends = guard.unsafe(states, plan.rule), guard.ends(states, plan.rule, decision.level)
    binds = cap is not None and wanted > int(cap[0])
    binds |= mask is not None and wanted >= 0 and not bool(mask[0, wanted])
    binds |= danger is not None and bool(danger[0])
    binds |= ends is not None and bool(ends[0]) and wanted != STOP_UNSAFE
    return bool(binds)


def _cohort_words(plan: "EscalationPlan", situation: _Situation) -> list[str]:
    states = situation.states()
    if situation.held == 0 or situation.waiting or int(states.treated[0]) >= plan.max_total:
        return []
    size = int(next_cohort(plan, states, states.current)[0])
    missing = min(size - situation.held, plan.max_total - int(states.treated[0]))
    if missing <= 0:
        return []
    here = situation.current + 1
    return [
        f"The cohort of {size} at level {here} holds {situation.held} so far: the rule is read at "
        f"the counts as they stand. Completed by {missing} more at level {here}, it would say: "
        f"{_what_if(plan, situation, missing)}."
    ]


def _pending_words(
    plan: "EscalationPlan", situation: _Situation, waiting: tuple[PendingPatient, ...]
) -> list[str]:
    if plan.rule.late_onset:
        return []
    words = []
    for level in sorted({patient.level for patient in waiting}):
        count = sum(patient.level == level for patient in waiting)
        text = (
            f"{count} patient{'s' if count > 1 else ''} at level {level} still in the DLT window, not counted"
        )
        if level == situation.current + 1 and situation.n.any():
            text += f"; once evaluable, the rule would say: {_what_if(plan, situation, count)}"
        words.append(text + ".")
    return words


def _what_if(plan: "EscalationPlan", situation: _Situation, missing: int) -> str:
    """The decision for every number of DLTs among `missing` further patients at the current level."""
    answers: list[tuple[str, list[int]]] = []
    for dlts in range(missing + 1):
        then = situation.plus(missing, dlts)
        decision = decide(plan, then.states(), ignore_full=True)
        action, level = _action(decision, then)
        answer = action.replace("_", "-") + ("" if level is None else f" (level {level})")
        if answers and answers[-1][0] == answer:
            answers[-1][1].append(dlts)
        else:
            answers.append((answer, [dlts]))
    parts = []
    for answer, dlts_list in answers:
        count = f"{dlts_list[0]}" if len(dlts_list) == 1 else f"{dlts_list[0]} to {dlts_list[-1]}"
        parts.append(f"{count} DLT{'' if dlts_list == [1] else 's'}: {answer}")
    return "; ".join(parts)


def _conclusion(
    plan: "EscalationPlan",
    situation: _Situation,
    decision: Decision,
    action: Action,
    level: int | None,
    mtd: int | None,
) -> str:
    here = situation.current + 1
    if action == "stop":
        selected = (
            f"maximum tolerated dose: level {mtd}" if mtd else "no level qualifies as maximum tolerated dose"
        )
        why = {
            FULL: f"all {plan.max_total} planned patients are treated",
            UNSAFE: "no level is acceptable",
            FINISHED: "the rule has finished",
            ENOUGH: "a stopping guard is met",
        }[int(decision.stop[0])]
        return f"Stop: {why}; {selected}."
    if bool(decision.wait[0]):
        return f"Suspend enrolment at level {here} until more pending patients can be judged."
    if action == "stay":
        proposed = int(plan.rule.propose(situation.states(), plan.max_n).level[0])
        note = "" if proposed == situation.current else ", because the way to the proposed level is barred"
        return f"Stay at level {here}{note}."
    return f"{'Escalate' if action == 'escalate' else 'De-escalate'} from level {here} to level {level}."
