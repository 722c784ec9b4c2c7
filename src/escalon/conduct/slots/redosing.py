"""A further infusion of a patient: an exposure of its own, approved, spaced, given and judged by rules of its own."""

from datetime import datetime, timedelta
from typing import Any

from escalon.conduct import events as core
from escalon.conduct.act import Event, Outcome, Refused, Signed
from escalon.conduct.events import DltStatus
from escalon.conduct.holds import holds_on, place_of, refuse_held
from escalon.conduct.slots import commands as c
from escalon.conduct.slots import events as ev
from escalon.conduct.slots.approval import redosing_object, refuse_unsigned
from escalon.conduct.slots.clearance import refuse_level
from escalon.conduct.slots.exposures import CELLS, exposures, given, open_approval
from escalon.conduct.slots.stagger import Bound, Earliest, general_bounds, local, site_zone, unread
from escalon.conduct.slots.state import Exposure
from escalon.conduct.state import Patient, State
from escalon.protocol import StudyFolder

RULE = "PH-13 redosing"
DEPARTED = ("DEATH", "LOST TO FOLLOW-UP", "WITHDRAWAL BY SUBJECT")


def approve_redosing(
    state: State, signed: Signed, command: c.ApproveRedosing, folder: StudyFolder
) -> Outcome:
    """Approve the next exposure of a patient; the level must be cleared in the patient's stratum."""
    rules = folder.conduct.slots.redosing
    if rules is None:
        return Refused(RULE, "this study gives the cells once")
    if rules.count_dlts and folder.study.escalation.backfill is not None:
        return Refused(
            RULE,
            "a plan with backfill is asked by patients and cannot count a DLT after a further infusion: "
            "set redosing.count_dlts to false",
        )
    patient = state.patients.get(command.patient)
    if patient is None or patient.infused_at is None:
        return Refused(RULE, f"{command.patient} was not infused; there is nothing to repeat")
    if not 1 <= command.dose_level <= len(folder.study.dose_levels) or not command.reason.strip():
        return Refused(RULE, "a further infusion needs a dose level of the study and a reason")
    known = exposures(state, command.patient)
    refused = (
        _refuse_next(known, rules.most_exposures)
        or refuse_departed(patient, signed.at)
        or refuse_toxic(state, patient)
        or refuse_level(state, command.dose_level, patient.regimen or "", patient.process or "")
    )
    if refused is not None:
        return refused
    about = redosing_object(command.patient, len(known) + 1, command.dose_level, command.reason)
    refused = refuse_unsigned(state, "PH-13 signatures", about, command.signers, 2)
    if refused is not None:
        return refused
    return (
        ev.RedosingApproved(
            command.patient, len(known) + 1, command.dose_level, command.reason, command.signers
        ),
    )


def _refuse_next(known: tuple[Exposure, ...], most: int) -> Refused | None:
    last = known[-1]
    if last.infused_at is None:
        return Refused(RULE, f"exposure {last.exposure} of {last.patient} is approved and open")
    if len(known) >= most:
        return Refused(RULE, f"{last.patient} had {len(known)} of at most {most} infusions")
    return None


def refuse_departed(patient: Patient, moment: datetime) -> Refused | None:
    """Refuse what lies on a day after the one the patient died or left the study; an unknown day is before all."""
    left = [
        (one.values["DSSTDTC"], str(one.values["DSDECOD"]).lower())
        for one in patient.forms("DS")
        if one.values["DSDECOD"] in DEPARTED
    ]
    left += [
        (one.values.get("AEENDTC") or one.values["AESTDTC"], "a fatal adverse event")
        for one in patient.forms("AE")
        if one.values.get("AESDTH") == "Y"
    ]
    for said, why in left:
        day = (said or "")[:10]
        # A day known in part (2026-03) is over once its month is.
        if not day or moment.date().isoformat()[: len(day)] > day:
            when = day or "a day not known"
            return Refused(
                RULE, f"{patient.patient} left the study on {when} ({why}); nobody is infused after that"
            )
    return None


def refuse_toxic(state: State, patient: Patient) -> Refused | None:
    """Refuse unless every infusion so far is judged to be without a DLT, and nothing has re-opened it."""
    name = patient.patient
    why = "only who had no DLT is infused again"
    if patient.dlt_status is not DltStatus.NO_DLT:
        return Refused(RULE, f"{name} is {patient.dlt_status}; {why}")
    if name in state.slots.reopened:
        return Refused(RULE, f"{name} is to be judged again; {why}")
    for one in given(state, name)[1:]:
        if one.judged is None or one.reopened:
            return Refused(RULE, f"infusion {one.exposure} of {name} is not judged; {why}")
        if one.judged.status is not DltStatus.NO_DLT:
            return Refused(RULE, f"infusion {one.exposure} of {name} is {one.judged.status}; {why}")
    return None


def earliest_reinfusion(
    state: State, patient: Patient, folder: StudyFolder, at: datetime, given_at: datetime | None = None
) -> Earliest:
    """Return the earliest moment of the approved further infusion of ``patient``, on what is known at ``at`` (UTC).

    The days since the infusion before, the approval, the end of holds, and the site's acknowledgement; ``given_at``
    as in ``earliest_infusion``. The stagger of the cohort does not bind it.
    """
    approved = open_approval(state, patient.patient)
    rules = folder.conduct.slots.redosing
    assert approved is not None
    assert rules is not None
    last = exposures(state, patient.patient)[-2].infused_at
    assert last is not None
    zone = site_zone(state, patient.site)
    why = f"infusion {approved.exposure - 1} was given {local(last, zone)}; {rules.days_between} d between"
    bounds = [Bound(last + timedelta(days=rules.days_between), "RE-2", why)]
    if approved.approved_at is not None:
        bounds.append(Bound(approved.approved_at, "RE-1", f"infusion {approved.exposure} was approved then"))
    bounds += general_bounds(state, None, patient, given_at or at)
    held = holds_on(state, place_of(state, patient))
    waits = [f"hold {hold.number} is open ({hold.rule}) [ST-3]" for hold in held]
    waits += unread(state, patient, given_at or at)
    decides = max(bounds, key=lambda bound: bound.moment)
    lead = timedelta(days=folder.study.regimen_on(patient.enrolled_at.date()).first_day)
    return Earliest(
        f"{patient.site}-{patient.patient}",
        decides.moment,
        decides.rule,
        decides.why,
        tuple(waits),
        decides.moment + lead,
        zone,
        f"infusion {approved.exposure}",
    )


def refuse_reinfusion(
    state: State, patient: Patient, moment: datetime, planned: Any, folder: StudyFolder, at: datetime
) -> Refused | None:
    """Refuse a further infusion at ``moment`` that is not approved, too early or of another dose."""
    refused = _refuse_unapproved(state, patient, moment, folder)
    if refused is not None:
        return refused
    approved = open_approval(state, patient.patient)
    assert approved is not None
    refused = (
        refuse_departed(patient, moment)
        or refuse_toxic(state, patient)
        or refuse_level(state, approved.dose_level, patient.regimen or "", patient.process or "")
    )
    if refused is not None:
        return refused
    assigned = folder.study.dose_level(approved.dose_level)
    if planned != assigned.dose:
        return Refused("dose-lock", f"exposure {approved.exposure} is {assigned.dose:g} {assigned.unit}")
    return _refuse_early(earliest_reinfusion(state, patient, folder, at, moment), moment)


def refuse_repeated_lymphodepletion(
    state: State, patient: Patient, moment: datetime, folder: StudyFolder, at: datetime
) -> Refused | None:
    """Refuse a lymphodepletion after the last infusion unless a further one is approved; a course begun goes on."""
    last = given(state, patient.patient)[-1].infused_at
    assert last is not None
    doses = [datetime.fromisoformat(one.values["EXSTDTC"]) for one in patient.forms("EX")]
    if moment <= last or any(one > last for one in doses):
        return None
    refused = _refuse_unapproved(state, patient, moment, folder)
    if refused is not None:
        return refused
    earliest = earliest_reinfusion(state, patient, folder, at, moment)
    assert earliest.lymphodepletion is not None
    if moment < earliest.lymphodepletion:
        shown = local(earliest.lymphodepletion, earliest.zone, zone_name=True)
        return Refused(
            "stagger",
            f"lymphodepletion of {earliest.patient} starts {shown} at the earliest: {earliest.text}",
        )
    return None


def _refuse_unapproved(
    state: State, patient: Patient, moment: datetime, folder: StudyFolder
) -> Refused | None:
    refused = refuse_held(state, place_of(state, patient), moment, "treatment")
    if refused is not None:
        return refused
    if folder.conduct.slots.redosing is None or open_approval(state, patient.patient) is None:
        return Refused(RULE, f"no further infusion of {patient.patient} is approved")
    return None


def _refuse_early(earliest: Earliest, moment: datetime) -> Refused | None:
    if earliest.moment is not None and moment < earliest.moment:
        return Refused("stagger", earliest.dated)
    # an open hold was judged at the moment of the infusion already
    waits = [reason for reason in earliest.waits_for if "[ST-3]" not in reason]
    if waits:
        return Refused("stagger", f"no further infusion of {earliest.patient} yet: {'; '.join(waits)}")
    return None


def reinfused(
    state: State, events: tuple[Event, ...], folder: StudyFolder, at: datetime
) -> tuple[Event, ...]:
    """Return the exposure that a new record of cells starts, under the number approved; ``state`` is before the act."""
    started: list[Event] = []
    for event in events:
        if not isinstance(event, core.FormRecorded) or event.version > 1 or event.form != "EX":
            continue
        patient, values = state.patients[event.patient], event.values
        approved = open_approval(state, event.patient)
        if values["EXTRT"] != CELLS or patient.infused_at is None or approved is None:
            continue
        moment = datetime.fromisoformat(values["EXSTDTC"])
        earliest = earliest_reinfusion(state, patient, folder, at, moment)
        assert earliest.moment is not None
        number, name = approved.exposure, event.patient
        fraction = values["EXDOSE"] / values["EXPDOSE"]
        lot = lot_of(values)
        stratum = (approved.dose_level, patient.regimen or "", patient.process or "")
        started += (
            ev.PatientReinfused(name, number, moment, fraction, event.record, values["EXDOSE"], lot),
            ev.ReinfusionPermitted(name, number, moment, earliest.moment, earliest.rule, *stratum),
        )
    return tuple(started)


def lot_of(values: dict[str, Any]) -> str:
    """Return the lot a record of cells names; "" when none is recorded or it is missing with a code."""
    lot = values.get("EXLOT")
    return lot if isinstance(lot, str) else ""
