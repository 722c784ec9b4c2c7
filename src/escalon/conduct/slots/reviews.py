"""Reviews and approvals: the sentinel, replacements, an override of the stagger, eligibility, acknowledgements."""

from datetime import UTC

from escalon.conduct.act import Outcome, Refused, Signed
from escalon.conduct.events import DltStatus
from escalon.conduct.slots import commands as c
from escalon.conduct.slots import events as ev
from escalon.conduct.slots.approval import (
    override_object,
    refuse_unsigned,
    replacement_object,
    sentinel_object,
)
from escalon.conduct.slots.lock import eligible
from escalon.conduct.slots.seat_rows import seat_rows
from escalon.conduct.slots.stagger import (
    candidates,
    earliest_infusion,
    infused_in_order,
    local,
    observed_until,
    sentinel_cleared,
    site_zone,
)
from escalon.conduct.state import State
from escalon.protocol import StudyFolder


def review_sentinel(state: State, signed: Signed, command: c.ReviewSentinel, folder: StudyFolder) -> Outcome:
    """Clear the first patient of a cohort: observation over, nothing open, signed."""
    cohort = next((one for one in state.cohorts if one.cohort == command.cohort), None)
    if cohort is None or cohort.part != "escalation" or cohort.decided:
        return Refused("INV-7 sentinel", f"no open escalation cohort {command.cohort}")
    if sentinel_cleared(state, cohort) is not None:
        return Refused("INV-7 sentinel", f"the first patient of cohort {command.cohort} was reviewed already")
    infused = infused_in_order(state, cohort)
    if not infused:
        return Refused("INV-7 sentinel", f"nobody of cohort {command.cohort} was infused yet")
    sentinel = infused[0]
    assert sentinel.infused_at is not None
    zone = site_zone(state, sentinel.site)
    until = observed_until(sentinel.infused_at, folder.study.stagger.after_first_days, zone, folder)
    if signed.at < until:
        return Refused(
            "INV-7 sentinel",
            f"the observation of {sentinel.patient} lasts until {local(until, zone, zone_name=True)}",
        )
    open_ones = candidates(state, cohort, folder, signed.at)
    if open_ones:
        return Refused("INV-7 sentinel", "; ".join(open_ones))
    if not command.reason.strip():
        return Refused("reason", "a review says what it found")
    about = sentinel_object(command.cohort, command.reason)
    refused = refuse_unsigned(state, "INV-7 signature", about, (signed.actor.id,), 1)
    if refused is not None:
        return refused
    return (ev.SentinelCleared(command.cohort, sentinel.patient, command.reason, (signed.actor.id,)),)


def approve_replacement(
    state: State, signed: Signed, command: c.ApproveReplacement, folder: StudyFolder
) -> Outcome:
    """Add a seat to the cohort of an infused patient who cannot be evaluated; once for each (INV-10)."""
    patient = state.patients.get(command.patient)
    if patient is None or patient.infused_at is None or patient.dlt_status is not DltStatus.NOT_EVALUABLE:
        return Refused(
            "PH-7 replacement", f"{command.patient} is not an infused patient adjudicated as not evaluable"
        )
    if patient.part != "escalation":
        return Refused("PH-7 replacement", f"patients of the part {patient.part} are not replaced")
    cohort = next(one for one in state.cohorts if one.cohort == patient.cohort)
    if cohort.decided:
        return Refused("PH-7 replacement", f"cohort {cohort.cohort} is decided")
    if any(one.replaces == command.patient for one in state.slots.seats_added):
        return Refused("INV-10", f"{command.patient} has a replacement seat already")
    if not command.reason.strip():
        return Refused("reason", "a replacement needs a reason")
    about = replacement_object(command.patient, command.reason)
    refused = refuse_unsigned(state, "PH-7 signature", about, (signed.actor.id,), 1)
    if refused is not None:
        return refused
    seat = seat_rows(state, cohort)[-1].seat + 1
    return (ev.SeatAdded(cohort.cohort, seat, command.patient, command.reason, (signed.actor.id,)),)


def override_stagger(
    state: State, signed: Signed, command: c.OverrideStagger, folder: StudyFolder
) -> Outcome:
    """Let one patient be infused before the stagger allows it; holds and open DLT candidates stand."""
    patient = state.patients.get(command.patient)
    if patient is None or patient.infused_at is not None or patient.released is not None:
        return Refused("INV-6 override", f"{command.patient} does not wait for an infusion")
    if any(one.patient == command.patient for one in state.slots.overrides):
        return Refused("INV-6 override", f"the stagger of {command.patient} was overridden already")
    if command.not_before.tzinfo is None or not command.reason.strip():
        return Refused("INV-6 override", "an override needs a moment with its zone, and a reason")
    earliest = earliest_infusion(state, patient, folder, signed.at)
    if earliest.moment is None or (command.not_before >= earliest.moment and not earliest.waits_for):
        return Refused("INV-6 override", f"nothing to override: {earliest.text}")
    moment = command.not_before.astimezone(UTC)
    about = override_object(command.patient, moment.isoformat(), command.reason)
    refused = refuse_unsigned(state, "INV-6 signatures", about, command.signers, 2)
    if refused is not None:
        return refused
    return (ev.StaggerOverridden(command.patient, moment, earliest.moment, command.reason, command.signers),)


def confirm_eligibility(
    state: State, signed: Signed, command: c.ConfirmEligibility, folder: StudyFolder
) -> Outcome:
    """Sign off the full eligibility of a seated patient."""
    patient = state.patients.get(command.patient)
    if patient is None or patient.released is not None:
        return Refused("patient", f"patient {command.patient} has no seat")
    if signed.actor.site != patient.site:
        return Refused("site", f"patient {command.patient} belongs to site {patient.site}")
    if eligible(state, patient):
        return Refused("DC-9 eligibility", f"the eligibility of {command.patient} was signed off already")
    return (ev.EligibilityConfirmed(command.patient, signed.actor.id),)


def acknowledge_decision(
    state: State, signed: Signed, command: c.AcknowledgeDecision, folder: StudyFolder
) -> Outcome:
    """Record that a site has read a decision."""
    if signed.actor.site != command.site:
        return Refused("site", f"{signed.actor.name} works at site {signed.actor.site}, not {command.site}")
    if command.decision not in {decision.number for decision in state.decisions}:
        return Refused("PH-15 acknowledgement", f"there is no decision {command.decision}")
    if state.slots.acknowledged_at(command.decision, command.site) is not None:
        return Refused("PH-15 acknowledgement", f"site {command.site} acknowledged it already")
    return (ev.DecisionAcknowledged(command.decision, command.site),)


def close_task(state: State, signed: Signed, command: c.CloseTask, folder: StudyFolder) -> Outcome:
    """Close a task."""
    if command.task not in {task.number for task in state.slots.tasks if task.closed_at is None}:
        return Refused("INV-11 task", f"task {command.task} is not open")
    if not command.reason.strip():
        return Refused("reason", "a closed task says what came of it")
    return (ev.TaskClosed(command.task, command.reason),)
