"""Recommendation by the rule, decision by the committee, MTD, RP2D and expansion: kept apart, each a fact."""

from escalon.conduct import commands as c
from escalon.conduct import events as ev
from escalon.conduct.act import Outcome
from escalon.conduct.actions import action_name
from escalon.conduct.cohorts import counts, escalation_counts, free_seats, pending
from escalon.conduct.committee.carried import (
    carried,
    dissent,
    exception_signed,
    two_signatures,
    unsigned_casebooks,
)
from escalon.conduct.committee.state import Review
from escalon.conduct.outcomes import ask, counted_in, deciding_counts, level_estimates
from escalon.conduct.state import Recommendation, State
from escalon.design import EscalationPlan, select_mtd
from escalon.protocol import StudyFolder


def request_recommendation(
    state: State, signed: c.Signed, command: c.RequestRecommendation, folder: StudyFolder
) -> Outcome:
    """Ask the plan, once the cohort is full and nobody's DLT status is pending."""
    cohort = state.cohort
    if cohort is None or cohort.part != "escalation" or cohort.decided:
        return c.Refused("recommendation", "no escalation cohort awaits a recommendation")
    if free_seats(state, cohort):
        return c.Refused("cohort-full", f"cohort {cohort.cohort} has {free_seats(state, cohort)} free seats")
    waiting = pending(state, cohort)
    if waiting:
        names = ", ".join(patient.patient for patient in waiting)
        return c.Refused("cohort-pending", f"the DLT status of {names} is pending")
    recommended, inputs = ask(state, folder, signed.at)
    number = len(state.recommendations) + 1
    return (
        ev.DoseRecommended(
            number, cohort.cohort, recommended.action, recommended.level, tuple(recommended.reasons), inputs
        ),
    )


def decide_dose(state: State, signed: c.Signed, command: c.DecideDose, folder: StudyFolder) -> Outcome:
    """Execute the committee's decision; it may be more cautious than the rule, bolder only as a signed exception."""
    review = state.committee.review(command.review)
    if review is None or review.decided or review.subject != "dose":
        return c.Refused("PH-9 review", f"no review about a dose with the number {command.review} is open")
    refused = _refuse_decision(state, command, review, folder) or _refuse_unsigned(state, folder)
    if refused is not None:
        return refused
    signatures = carried(state, review, command.action, command.dose_level, folder)
    if isinstance(signatures, c.Refused):
        return signatures
    decided = ev.CommitteeDecided(
        len(state.decisions) + 1,
        review.recommendation,
        command.action,
        command.dose_level,
        command.reason,
        tuple(one.name for one in signatures),
        review.number,
        tuple(one.number for one in signatures),
        dissent(state, review, command.action, command.dose_level),
        command.exception,
    )
    return decided, *_executed(state, command, folder)


def _executed(state: State, command: c.DecideDose, folder: StudyFolder) -> tuple[ev.Event, ...]:
    plan = folder.study.escalation
    n, y = deciding_counts(state, plan)
    if command.action == "stop" or command.dose_level is None:
        return (_estimate_mtd(state, plan, n, y),)
    opened_before = sum(cohort.part == "escalation" for cohort in state.cohorts)
    planned = plan.cohort_sizes[min(opened_before, len(plan.cohort_sizes) - 1)]
    treated, _ = escalation_counts(state, plan.levels)
    size = min(planned, plan.max_total - sum(treated))
    return (ev.CohortOpened(len(state.cohorts) + 1, "escalation", command.dose_level, size),)


def _refuse_unsigned(state: State, folder: StudyFolder) -> c.Refused | None:
    """Investigators sign what was entered before a dose is decided on it (DC-6)."""
    cohort = state.cohort
    if cohort is None or not folder.conduct.committee.casebooks_signed:
        return None
    read = [*cohort.patients, *newly_counted_backfill(state)]
    missing = unsigned_casebooks(state, [state.patients[patient] for patient in read])
    if missing:
        return c.Refused("DC-6 casebook", f"no investigator has signed the casebook of {', '.join(missing)}")
    return None


def newly_counted_backfill(state: State) -> tuple[str, ...]:
    """Backfill patients who enter a decision for the first time with the recommendation that waits for one."""
    waiting = _undecided(state)
    if waiting is None:
        return ()
    decided = {decision.recommendation for decision in state.decisions}
    known = {
        name for one in state.recommendations if one.number in decided for name in counted_in(one.inputs)
    }
    return tuple(name for name in counted_in(waiting.inputs) if name not in known)


def record_backfill_seed(
    state: State, signed: c.Signed, command: c.RecordBackfillSeed, folder: StudyFolder
) -> Outcome:
    """Record the seed of the lots, once; before it no backfill place is given."""
    backfill = folder.study.escalation.backfill
    if backfill is None or backfill.order != "random":
        return c.Refused("PH-11 seed", "the escalation plan of this study draws no lots for backfill")
    if state.backfill_seed is not None:
        return c.Refused("PH-11 seed", "the seed of the lots is recorded; nobody draws a second time")
    if isinstance(command.seed, bool) or not isinstance(command.seed, int) or command.seed < 0:
        return c.Refused("PH-11 seed", f"the seed is a whole number from 0, not {command.seed!r}")
    return (ev.BackfillSeedRecorded(command.seed),)


def _estimate_mtd(
    state: State, plan: EscalationPlan, n: tuple[int, ...], y: tuple[int, ...]
) -> ev.MtdEstimated:
    level = select_mtd(plan, n, y)
    cohort = state.cohort
    current = cohort.dose_level if cohort is not None else plan.start_level
    shown = [
        f"level {row.level}: {row.y} DLTs in {row.n}, estimate {row.estimate:.3f}"
        for row in level_estimates(plan, (n, y), current)
        if row.n and row.estimate is not None
    ]
    chosen = "no level qualifies" if level is None else f"the plan selects level {level}"
    return ev.MtdEstimated(level, n, y, "; ".join([*shown, chosen]))


def _refuse_decision(
    state: State, command: c.DecideDose, review: Review, folder: StudyFolder
) -> c.Refused | None:
    if state.mtd is not None:
        return c.Refused("escalation-over", "the escalation has ended")
    plan = folder.study.escalation
    if command.action == "open":
        if state.decisions:
            return c.Refused("decision", "the first cohort was opened; decide on a recommendation")
        if command.dose_level != plan.start_level:
            return c.Refused("dose-level", f"the first cohort opens at level {plan.start_level}")
        return None
    recommendation = _undecided(state)
    if recommendation is None or review.recommendation != recommendation.number:
        return c.Refused(
            "decision", "a decision needs a review of a recommendation made after the last decision"
        )
    n, y = deciding_counts(state, plan)
    if [list(n), list(y)] != [recommendation.inputs["n"], recommendation.inputs["y"]]:
        return c.Refused(
            "INV-11 inputs", "adjudications changed after the recommendation; ask the plan again"
        )
    refused = _refuse_bolder(command, recommendation)
    if refused is None or command.exception is None:
        return refused
    return _refuse_exception(state, command, review, recommendation, plan)


def _refuse_exception(
    state: State, command: c.DecideDose, review: Review, recommendation: Recommendation, plan: EscalationPlan
) -> c.Refused | None:
    """An exception has its own reason and two more signatures, skips no level and stays within the plan."""
    current = recommendation.inputs["current_level"]
    level = command.dose_level
    if not (command.exception or "").strip():
        return c.Refused("INV-12 exception", "an exception to the rule needs a reason")
    highest = min(current + 1, plan.levels)
    if level is None or not 1 <= level <= highest or command.action != action_name(current, level):
        return c.Refused("INV-12 exception", f"not even an exception goes from level {current} to {level}")
    if sum(escalation_counts(state, plan.levels)[0]) >= plan.max_total:
        return c.Refused("INV-12 exception", f"the plan has no place left: {plan.max_total} patients at most")
    if not exception_signed(state, review, command.action, level):
        return c.Refused(
            "INV-12 exception", "an exception to the rule needs two signatures with that meaning"
        )
    return None


def _undecided(state: State) -> Recommendation | None:
    decided = {decision.recommendation for decision in state.decisions}
    open_ones = [rec for rec in state.recommendations if rec.number not in decided]
    return open_ones[-1] if open_ones else None


def _refuse_bolder(command: c.DecideDose, recommendation: Recommendation) -> c.Refused | None:
    if command.action == "stop":
        return None
    if recommendation.action == "stop":
        return c.Refused("dose-lock", f"the rule stops the escalation: {recommendation.reasons[0]}")
    most = recommendation.dose_level
    if command.dose_level is None or most is None or not 1 <= command.dose_level <= most:
        return c.Refused(
            "dose-lock", f"level {command.dose_level} is not cleared; the rule allows 1 to {most}"
        )
    current = recommendation.inputs["current_level"]
    action = action_name(current, command.dose_level)
    if command.action != action:
        return c.Refused("decision", f"from level {current} to {command.dose_level} is called {action}")
    return None


def decide_rp2d(state: State, signed: c.Signed, command: c.DecideRp2d, folder: StudyFolder) -> Outcome:
    """Record the recommended phase 2 dose: voted for and signed, not above the MTD, evidence complete."""
    review = state.committee.review(command.review)
    if state.mtd is None:
        return c.Refused("rp2d", "the escalation has not ended; there is no MTD yet")
    if state.rp2d is not None:
        return c.Refused("rp2d", f"the RP2D was decided at {state.rp2d.at}")
    if review is None or review.subject != "rp2d":
        return c.Refused("PH-9 review", f"no review about the RP2D has the number {command.review}")
    missing = [item for item in folder.study.rp2d.evidence if item not in command.evidence]
    if missing:
        return c.Refused("rp2d-evidence", f"the evidence list lacks: {', '.join(missing)}")
    mtd = state.mtd.dose_level
    if command.dose_level is not None and (mtd is None or not 1 <= command.dose_level <= mtd):
        return c.Refused("rp2d", f"level {command.dose_level} lies above the MTD (level {mtd})")
    signatures = carried(state, review, "rp2d", command.dose_level, folder)
    if isinstance(signatures, c.Refused):
        return signatures
    return (
        ev.Rp2dDecided(
            command.dose_level,
            command.reason,
            command.evidence,
            tuple(one.name for one in signatures),
            review.number,
            tuple(one.number for one in signatures),
            dissent(state, review, "rp2d", command.dose_level),
        ),
    )


def open_expansion(state: State, signed: c.Signed, command: c.OpenExpansion, folder: StudyFolder) -> Outcome:
    """Open the expansion part at the RP2D; two persons sign that it opens at this level."""
    if state.rp2d is None or state.rp2d.dose_level is None:
        return c.Refused("expansion", "the expansion opens at a decided RP2D")
    if any(cohort.part == "expansion" for cohort in state.cohorts):
        return c.Refused("expansion", "the expansion is open")
    level = state.rp2d.dose_level
    signatures = two_signatures(state, "expansion:rp2d", {"dose_level": level})
    if isinstance(signatures, c.Refused):
        return signatures
    part = folder.study.part("expansion")
    return (ev.CohortOpened(len(state.cohorts) + 1, "expansion", level, part.patients),)


def lift_hold(state: State, signed: c.Signed, command: c.LiftHold, folder: StudyFolder) -> Outcome:
    """Lift a hold; two different people sign."""
    if command.hold not in {hold.number for hold in state.open_holds}:
        return c.Refused("hold", f"hold {command.hold} is not open")
    content = {"hold": command.hold, "reason": command.reason}
    signatures = two_signatures(state, f"hold:{command.hold}", content)
    if isinstance(signatures, c.Refused):
        return signatures
    names = tuple(one.name for one in signatures)
    return (ev.HoldLifted(command.hold, command.reason, names, tuple(one.number for one in signatures)),)


def rp2d_counts(state: State, folder: StudyFolder) -> tuple[int, int]:
    """Evaluable patients and DLTs at the RP2D over both parts, the counts the expansion is monitored on."""
    level = state.rp2d.dose_level if state.rp2d else None
    if level is None:
        return 0, 0
    n, y = counts(state.patients.values(), folder.study.escalation.levels)
    return n[level - 1], y[level - 1]
