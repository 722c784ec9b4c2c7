"""A slot from request to release: requested, reserved, confirmed, given up."""

import re
from datetime import date

from escalon.conduct.act import Outcome, Refused, Signed
from escalon.conduct.holds import place_on, refuse_held, slot_level
from escalon.conduct.slots import commands as c
from escalon.conduct.slots import events as ev
from escalon.conduct.slots.backfill import refuse_closed_level
from escalon.conduct.slots.queue import EXPIRED, expires_at, free_places, overdue, reservation, site_not_ready
from escalon.conduct.slots.seat_rows import BACKFILL
from escalon.conduct.slots.state import Slot, Status
from escalon.conduct.state import State
from escalon.protocol import StudyFolder

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,19}")


def request_slot(state: State, signed: Signed, command: c.RequestSlot, folder: StudyFolder) -> Outcome:
    """Take a request into the queue; a free seat is given in the same act."""
    if signed.actor.site != command.site:
        return Refused("site", f"{signed.actor.name} works at site {signed.actor.site}, not {command.site}")
    if not CODE.fullmatch(command.candidate):
        return Refused(
            "PH-3 candidate",
            f"{command.candidate!r} is no code: up to 20 letters, digits and hyphens, no name",
        )
    if any(
        (slot.site, slot.candidate) == (command.site, command.candidate)
        and slot.status is not Status.RELEASED
        for slot in state.slots.slots
    ):
        return Refused("INV-2", f"candidate {command.candidate} of site {command.site} has a slot already")
    refused = _refuse_backfill(state, command, folder)
    if refused is not None:
        return refused
    return (ev.SlotRequested(len(state.slots.slots) + 1, command.site, command.candidate, command.backfill),)


def _refuse_backfill(state: State, command: c.RequestSlot, folder: StudyFolder) -> Refused | None:
    backfill = folder.study.escalation.backfill
    if not command.backfill:
        return None
    if backfill is None:
        return Refused("PH-11 backfill", "the escalation plan of this study has no backfill")
    if backfill.order == "random" and state.backfill_seed is None:
        return Refused("PH-11 seed", "levels are drawn by lot, and the statistician has recorded no seed yet")
    return None


def choose_slot(state: State, signed: Signed, command: c.ChooseSlot, folder: StudyFolder) -> Outcome:
    """Give the next free seat to the slot the sponsor names, with the reason kept."""
    slot = _slot(state, command.slot)
    if isinstance(slot, Refused):
        return slot
    if folder.conduct.slots.policy != "sponsor_choice":
        return Refused("PH-3 policy", f"seats are given by {folder.conduct.slots.policy}; nobody chooses")
    if not command.reason.strip():
        return Refused("PH-3 reason", "a choice out of turn needs a reason")
    if not slot.waits:
        return Refused("PH-3 slot", f"slot {slot.number} is {slot.status}; it does not wait")
    refused = site_not_ready(state, slot.site, folder)
    if refused is not None:
        return refused
    free = [place for place in free_places(state, folder, signed.at)]
    free = [place for place in free if (place[0] == BACKFILL) == slot.backfill]
    if not free:
        return Refused("INV-1 seat", "no seat is free")
    refused = refuse_held(state, place_on(free[0][2], signed.at, folder))
    if refused is not None:
        return refused
    return (reservation(slot.number, free[0], signed.at, f"chosen: {command.reason}", folder),)


def confirm_slot(state: State, signed: Signed, command: c.ConfirmSlot, folder: StudyFolder) -> Outcome:
    """Turn a reservation into a coded patient's slot: consent first, eligible by an investigator's sign-off."""
    slot = _slot(state, command.slot)
    if isinstance(slot, Refused):
        return slot
    refused = _refuse_confirmation(state, slot, signed, command, folder)
    if refused is not None:
        return refused
    return (ev.SlotConfirmed(slot.number, command.patient, command.consented_on),)


def _refuse_confirmation(
    state: State, slot: Slot, signed: Signed, command: c.ConfirmSlot, folder: StudyFolder
) -> Refused | None:
    if signed.actor.site != slot.site:
        return Refused("site", f"slot {slot.number} belongs to site {slot.site}")
    if slot.requested_by == signed.actor.id and folder.conduct.access.separation("slot") is not None:
        return Refused(
            "AC-3 slot", f"{signed.actor.name} requested slot {slot.number}; another one approves it"
        )
    if slot.status is not Status.RESERVED:
        return Refused("PH-3 slot", f"slot {slot.number} is {slot.status}; only a reserved slot is confirmed")
    refused = refuse_held(state, place_on(slot_level(state, slot), signed.at, folder))
    if refused is not None:
        return refused
    end = expires_at(state, slot, folder)
    if end is not None and end <= signed.at:
        return Refused("PH-3 expired", f"the reservation ended on {end:%d %b %Y %H:%M} UTC; ask again")
    refused = site_not_ready(state, slot.site, folder)
    if refused is None and slot.cohort == BACKFILL:
        refused = refuse_closed_level(state, slot.dose_level or 0, folder, signed.at)
    if refused is not None:
        return refused
    if _known(state, command.patient):
        return Refused("INV-2", f"the patient code {command.patient!r} is used already or empty")
    return refuse_consent(command.consented_on, signed)


def _known(state: State, patient: str) -> bool:
    taken = any(slot.patient == patient for slot in state.slots.slots)
    return taken or patient in state.patients or not patient.strip()


def refuse_consent(consented_on: str, signed: Signed) -> Refused | None:
    """Refuse a consent that is no date or lies in the future."""
    try:
        consented = date.fromisoformat(consented_on)
    except ValueError:
        return Refused("consent", f"{consented_on!r} is not a date as YYYY-MM-DD")
    if consented > signed.at.date():
        return Refused("consent", "consent comes before enrolment")
    return None


def release_slot(state: State, signed: Signed, command: c.ReleaseSlot, folder: StudyFolder) -> Outcome:
    """Give a slot up; one whose patient is enrolled ends by the disposition form, so that no data are lost."""
    slot = _slot(state, command.slot)
    if isinstance(slot, Refused):
        return slot
    if signed.actor.site not in ("", slot.site):
        return Refused("site", f"slot {slot.number} belongs to site {slot.site}")
    if slot.status is Status.RELEASED:
        return Refused("PH-3 slot", f"slot {slot.number} is released already")
    if not command.reason.strip():
        return Refused("PH-3 reason", "a release needs a reason")
    if command.reason.startswith(EXPIRED):
        return Refused("PH-3 reason", "only a reservation whose time is over is called expired; say why")
    if slot.patient in state.patients:
        return Refused(
            "PH-3 slot", f"patient {slot.patient} is enrolled; record the form DS, which frees the seat"
        )
    return (ev.SlotReleased(slot.number, command.reason),)


def expire_slots(state: State, signed: Signed, command: c.ExpireSlots, folder: StudyFolder) -> Outcome:
    """Release what is overdue; every other act does so as well."""
    released = overdue(state, signed.at, folder)
    return released or Refused("PH-3 expired", "no reservation is overdue")


def _slot(state: State, number: int) -> Slot | Refused:
    if not 1 <= number <= len(state.slots.slots):
        return Refused("PH-3 slot", f"there is no slot {number}")
    return state.slots.slots[number - 1]
