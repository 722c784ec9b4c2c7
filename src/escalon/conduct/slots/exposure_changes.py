"""The judgement of a further infusion, and what late facts change about it: corrections, re-opening, decisions."""

from datetime import datetime, timedelta
from itertools import pairwise

from escalon.conduct.act import Event, Outcome, Refused, Signed
from escalon.conduct.events import DltStatus
from escalon.conduct.exposure_record import propose_exposure, window_days
from escalon.conduct.slots import commands as c
from escalon.conduct.slots import events as ev
from escalon.conduct.slots.exposures import exposure_of, exposure_of_record, further_given, given
from escalon.conduct.slots.stagger import further_candidates, local, site_zone
from escalon.conduct.slots.state import Exposure
from escalon.conduct.state import Patient, Record, State
from escalon.protocol import StudyFolder


def adjudicate_exposure(
    state: State, signed: Signed, command: c.AdjudicateExposure, folder: StudyFolder
) -> Outcome:
    """Record a person's judgement of a further infusion beside what the criteria propose of its own window."""
    found = [
        one
        for one in further_given(state)
        if (one.patient, one.exposure) == (command.patient, command.exposure)
    ]
    if not found:
        return Refused(
            "PH-13 exposure",
            f"{command.patient} has no further infusion {command.exposure}; the first one is judged as the patient",
        )
    if not command.reason.strip():
        return Refused("reason", "an adjudication needs a reason")
    refused = _refuse_status(found[0], command, signed, folder)
    if refused is not None:
        return refused
    proposal = propose_exposure(state, found[0], folder, signed.at)
    rules = folder.conduct.slots.redosing
    return (
        ev.ExposureAdjudicated(
            command.patient,
            command.exposure,
            command.status,
            command.clause,
            command.reason,
            proposal.text,
            rules is not None and rules.count_dlts,
        ),
    )


def _refuse_status(
    exposure: Exposure, command: c.AdjudicateExposure, signed: Signed, folder: StudyFolder
) -> Refused | None:
    status = command.status
    if status is DltStatus.PENDING:
        return Refused("dlt-status", "pending is what nobody has judged yet; it is no judgement")
    if status is DltStatus.DLT and not command.clause:
        return Refused("dlt-clause", "a DLT names the clause of the definition it meets")
    assert exposure.infused_at is not None
    day, last = (signed.at.date() - exposure.infused_at.date()).days, window_days(exposure, folder)
    if status is DltStatus.NO_DLT and day < last:
        which = f"infusion {exposure.exposure} of {exposure.patient}"
        return Refused("dlt-window", f"day {day}: the DLT window of {which} is open until day {last}")
    return None


def refuse_order(state: State, patient: Patient, before: Record, moment: datetime) -> Refused | None:
    """Refuse a correction that puts an infusion before or after its neighbour: numbers are in the order of time."""
    corrected = exposure_of_record(state, patient.patient, before.record)
    if corrected is None:
        return None
    zone = site_zone(state, patient.site)
    for other in given(state, patient.patient):
        assert other.infused_at is not None
        crossed = (other.exposure < corrected.exposure and moment <= other.infused_at) or (
            other.exposure > corrected.exposure and moment >= other.infused_at
        )
        if crossed:
            shown = local(other.infused_at, zone, zone_name=True)
            return Refused(
                "INV-8 order",
                f"infusion {other.exposure} of {patient.patient} was given {shown}; infusion "
                f"{corrected.exposure} cannot be corrected past it: correct that record first if it is wrong",
            )
    return None


def refuse_uncounted(state: State, folder: StudyFolder, at: datetime) -> Refused | None:
    """Refuse a recommendation while a further infusion that counts has a DLT proposed and not judged."""
    rules = folder.conduct.slots.redosing
    if rules is None or not rules.count_dlts:
        return None
    open_ones = further_candidates(state, folder, at)
    return Refused("cohort-pending", "; ".join(open_ones)) if open_ones else None


def too_close(state: State, patient: str, folder: StudyFolder) -> list[ev.DeviationRecorded]:
    """Return a deviation for each infusion of ``patient`` nearer to the one before than the study allows."""
    rules = folder.conduct.slots.redosing
    if rules is None:
        return []
    found, known = [], given(state, patient)
    zone = site_zone(state, state.patients[patient].site)
    for earlier, later in pairwise(known):
        assert earlier.infused_at is not None
        assert later.infused_at is not None
        until = earlier.infused_at + timedelta(days=rules.days_between)
        if later.infused_at < until:
            text = (
                f"infusion {later.exposure} given {local(later.infused_at, zone)}, before "
                f"{local(until, zone, zone_name=True)}, {rules.days_between} days after infusion {earlier.exposure}"
            )
            found.append(ev.DeviationRecorded(patient, "RE-2 days between", text))
    return found


def exposures_reopened(
    before: State, patients: tuple[str, ...], after: State, at: datetime, folder: StudyFolder
) -> tuple[Event, ...]:
    """Return the further infusions whose judgement no longer fits: the criteria say what they did not say before."""
    facts: list[Event] = []
    for was in (one for one in further_given(before) if one.patient in patients):
        if was.judged is None or was.reopened:
            continue
        now = next(one for one in given(after, was.patient) if one.exposure == was.exposure)
        new = propose_exposure(after, now, folder, at)
        old = propose_exposure(before, was, folder, at)
        if new.status not in (was.judged.status, old.status):
            reason = f"judged {was.judged.status}; the criteria now say {new.status}: {new.text}"
            facts.append(ev.ExposureReopened(was.patient, was.exposure, reason))
    return tuple(facts)


def counted_since(state: State, event: ev.ExposureAdjudicated) -> datetime | None:
    """Return since when the exposure stands in the escalation counts as a DLT; None if it does not."""
    judged = exposure_of(state, event.patient, event.exposure).judged
    counted = judged is not None and judged.counts and judged.status is DltStatus.DLT
    return judged.at if judged is not None and counted else None
