"""Recommendation by the rule, decision by the committee, MTD, RP2D and expansion: kept apart, each a fact."""

from typing import Any

from escalon.conduct import commands as c
from escalon.conduct import events as ev
from escalon.conduct.act import Outcome
from escalon.conduct.cohorts import counts, escalation_counts, free_seats, pending
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
    plan = folder.study.escalation
    n, y = escalation_counts(state, plan.levels)
    recommended = plan.recommend((n, y, cohort.dose_level))
    inputs: dict[str, Any] = {
        "n": list(n),
        "y": list(y),
        "current_level": cohort.dose_level,
        "plan_hash": plan.hash,
        "cut_seq": state.seq,
    }
    number = len(state.recommendations) + 1
    return (
        ev.DoseRecommended(
            number, cohort.cohort, recommended.action, recommended.level, tuple(recommended.reasons), inputs
        ),
    )


def decide_dose(state: State, signed: c.Signed, command: c.DecideDose, folder: StudyFolder) -> Outcome:
    """Record the committee's decision and execute it; it may be more cautious than the rule, never less."""
    refused = _refuse_decision(state, command, folder)
    if refused is not None:
        return refused
    seen = state.recommendations[-1].number if state.recommendations else None
    decided = ev.CommitteeDecided(
        len(state.decisions) + 1, seen, command.action, command.dose_level, command.reason, command.signers
    )
    plan = folder.study.escalation
    n, y = escalation_counts(state, plan.levels)
    if command.action == "stop" or command.dose_level is None:
        return decided, _estimate_mtd(state, plan, n, y)
    opened_before = sum(cohort.part == "escalation" for cohort in state.cohorts)
    planned = plan.cohort_sizes[min(opened_before, len(plan.cohort_sizes) - 1)]
    size = min(planned, plan.max_total - sum(n))
    opened = ev.CohortOpened(len(state.cohorts) + 1, "escalation", command.dose_level, size)
    return decided, opened


def _estimate_mtd(
    state: State, plan: EscalationPlan, n: tuple[int, ...], y: tuple[int, ...]
) -> ev.MtdEstimated:
    level = select_mtd(plan, n, y)
    cohort = state.cohort
    current = cohort.dose_level if cohort is not None else plan.start_level
    shown = [
        f"level {row.level}: {row.y} DLTs in {row.n}, estimate {row.estimate:.3f}"
        for row in plan.recommend((n, y, current)).estimates
        if row.n and row.estimate is not None
    ]
    chosen = "no level qualifies" if level is None else f"the plan selects level {level}"
    return ev.MtdEstimated(level, n, y, "; ".join([*shown, chosen]))


def _refuse_decision(state: State, command: c.DecideDose, folder: StudyFolder) -> c.Refused | None:
    if len(set(command.signers)) < 2:
        return c.Refused("signatures", "a dose decision needs two signers")
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
    if recommendation is None:
        return c.Refused("decision", "a decision needs a recommendation made after the last decision")
    return _refuse_bolder(command, recommendation)


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
    action = _action(current, command.dose_level)
    if command.action != action:
        return c.Refused("decision", f"from level {current} to {command.dose_level} is called {action}")
    return None


def _action(current: int, level: int) -> str:
    if level == current:
        return "stay"
    return "escalate" if level > current else "de_escalate"


def decide_rp2d(state: State, signed: c.Signed, command: c.DecideRp2d, folder: StudyFolder) -> Outcome:
    """Record the recommended phase 2 dose: not above the MTD, two signers, evidence complete."""
    if state.mtd is None:
        return c.Refused("rp2d", "the escalation has not ended; there is no MTD yet")
    if state.rp2d is not None:
        return c.Refused("rp2d", f"the RP2D was decided at {state.rp2d.at}")
    if len(set(command.signers)) < 2:
        return c.Refused("signatures", "the RP2D needs two signers")
    missing = [item for item in folder.study.rp2d.evidence if item not in command.evidence]
    if missing:
        return c.Refused("rp2d-evidence", f"the evidence list lacks: {', '.join(missing)}")
    mtd = state.mtd.dose_level
    if command.dose_level is not None and (mtd is None or not 1 <= command.dose_level <= mtd):
        return c.Refused("rp2d", f"level {command.dose_level} lies above the MTD (level {mtd})")
    return (ev.Rp2dDecided(command.dose_level, command.reason, command.evidence, command.signers),)


def open_expansion(state: State, signed: c.Signed, command: c.OpenExpansion, folder: StudyFolder) -> Outcome:
    """Open the expansion part at the RP2D."""
    if state.rp2d is None or state.rp2d.dose_level is None:
        return c.Refused("expansion", "the expansion opens at a decided RP2D")
    if any(cohort.part == "expansion" for cohort in state.cohorts):
        return c.Refused("expansion", "the expansion is open")
    part = folder.study.part("expansion")
    return (ev.CohortOpened(len(state.cohorts) + 1, "expansion", state.rp2d.dose_level, part.patients),)


def lift_hold(state: State, signed: c.Signed, command: c.LiftHold, folder: StudyFolder) -> Outcome:
    """Lift a hold; two different people sign."""
    if command.hold not in {hold.number for hold in state.open_holds}:
        return c.Refused("hold", f"hold {command.hold} is not open")
    if len(set(command.signers)) < 2:
        return c.Refused("signatures", "lifting a hold needs two signers")
    return (ev.HoldLifted(command.hold, command.reason, command.signers),)


def rp2d_counts(state: State, folder: StudyFolder) -> tuple[int, int]:
    """Evaluable patients and DLTs at the RP2D over both parts, the counts the expansion is monitored on."""
    level = state.rp2d.dose_level if state.rp2d else None
    if level is None:
        return 0, 0
    n, y = counts(state.patients.values(), folder.study.escalation.levels)
    return n[level - 1], y[level - 1]
