"""The queue: who waits, in which order, whose turn it is, and when a reservation ends."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from escalon.conduct.act import Event, Refused
from escalon.conduct.holds import covers, holds_on, place_on, slot_level
from escalon.conduct.slots import events as ev
from escalon.conduct.slots.backfill import free_backfill_seats
from escalon.conduct.slots.seat_rows import BACKFILL, seat_rows
from escalon.conduct.slots.state import Slot, Status
from escalon.conduct.state import State
from escalon.protocol import StudyFolder

EXPIRED = "expired: not confirmed by"
"""How the reason of a release begins when the hours of a reservation were over."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the queue, as every site may see it: no more than a position, a site and a code."""

    position: int
    slot: int
    site: str
    candidate: str
    backfill: bool
    since: datetime


def queue(state: State) -> tuple[Place, ...]:
    """Return who waits, in order of request."""
    waiting = [slot for slot in state.slots.slots if slot.waits]
    return tuple(
        Place(position, slot.number, slot.site, slot.candidate, slot.backfill, slot.requested_at)
        for position, slot in enumerate(waiting, start=1)
    )


def slot_stage(state: State, slot: Slot) -> str:
    """Return where a slot stands, screening and dosed included: these follow from the patient."""
    if slot.status is not Status.CONFIRMED:
        return str(slot.status)
    patient = state.patients.get(slot.patient or "")
    if patient is None:
        return "confirmed"
    return "screening" if patient.infused_at is None else "dosed"


def expires_at(state: State, slot: Slot, folder: StudyFolder) -> datetime | None:
    """Return when a reservation ends; a hold of its place stops its clock, which starts anew when it is lifted."""
    if slot.status is not Status.RESERVED or slot.expires_at is None:
        return None
    reserved, level = slot.history[-1].at, slot_level(state, slot)
    over = [
        hold
        for hold in state.holds
        if covers(hold, place_on(level, max(reserved, hold.at), folder))
        and (hold.lifted_at is None or hold.lifted_at >= reserved)
    ]
    again = [
        hold.lifted_at + timedelta(hours=folder.conduct.slots.reservation_hours)
        for hold in over
        if hold.lifted_at is not None
    ]
    if len(again) < len(over):
        return None
    return max([slot.expires_at, *again])


def overdue(state: State, at: datetime, folder: StudyFolder) -> tuple[ev.SlotReleased, ...]:
    """Return the release of every reservation whose time was over at ``at``."""
    released = []
    for slot in state.slots.slots:
        if slot.status is not Status.RESERVED:
            continue
        end = expires_at(state, slot, folder)
        if end is not None and end <= at:
            released.append(ev.SlotReleased(slot.number, f"{EXPIRED} {end:%d %b %Y %H:%M} UTC"))
    return tuple(released)


def site_not_ready(state: State, site: str, folder: StudyFolder) -> Refused | None:
    """Refuse a site that works on no approved version of the study or has not read the last decision.

    After an amendment a site goes on with the version it approved before, until it approves the new one.
    """
    sites = state.people.sites
    if sites and site not in sites:
        return Refused("INV-5 site", f"site {site} is not registered")
    if sites and sites[site].approved.keys().isdisjoint((folder.hash, *folder.earlier)):
        return Refused("INV-5 version", f"site {site} has approved no version of the study")
    if not state.decisions:
        return Refused("INV-5 decision", "no decision has opened a dose level yet")
    last = state.decisions[-1].number
    if state.slots.acknowledged_at(last, site) is None:
        return Refused("PH-15 acknowledgement", f"site {site} has not acknowledged decision {last}")
    return None


def promote(state: State, at: datetime, folder: StudyFolder) -> tuple[Event, ...]:
    """Return the reservations that are due now: free seats to those whose turn it is."""
    if state.closed_at is not None or folder.conduct.slots.policy == "sponsor_choice":
        return ()
    waiting = [slot for slot in state.slots.slots if slot.waits]
    if not waiting:
        return ()
    ready = [slot for slot in waiting if site_not_ready(state, slot.site, folder) is None]
    served = _served(state)
    reserved: list[Event] = []
    for cohort, seat, level in free_places(state, folder, at):
        if holds_on(state, place_on(level, at, folder)):
            continue
        line = [slot for slot in ready if slot.backfill == (cohort == BACKFILL)]
        if not line:
            continue
        chosen, reason = _turn(line, served, folder)
        ready.remove(chosen)
        served.append(chosen.site)
        reserved.append(reservation(chosen.number, (cohort, seat, level), at, reason, folder))
    return tuple(reserved)


def reservation(
    slot: int, place: tuple[int, int, int], at: datetime, reason: str, folder: StudyFolder
) -> ev.SlotReserved:
    """Return the fact that ``slot`` holds ``place`` (cohort, seat, level) until the study's hours are over."""
    cohort, seat, level = place
    until = at + timedelta(hours=folder.conduct.slots.reservation_hours)
    return ev.SlotReserved(slot, cohort, seat, until, level, reason)


def free_places(state: State, folder: StudyFolder, at: datetime) -> list[tuple[int, int, int]]:
    """Return the free seats of the open cohort, then those for backfill at ``at``, as cohort, seat and dose level."""
    cohort = state.cohort
    if cohort is None or state.opened_at is None:
        return []
    places = []
    if not cohort.decided:
        places = [
            (cohort.cohort, row.seat, cohort.dose_level) for row in seat_rows(state, cohort) if row.free
        ]
    return places + [(BACKFILL, seat, level) for seat, level in free_backfill_seats(state, folder, at)]


def _served(state: State) -> list[str]:
    """The sites in the order in which they were given seats."""
    given = [
        (step.seq, slot.site)
        for slot in state.slots.slots
        for step in slot.history
        if step.status is Status.RESERVED
    ]
    return [site for _, site in sorted(given)]


def _turn(line: list[Slot], served: list[str], folder: StudyFolder) -> tuple[Slot, str]:
    """Choose from ``line`` (in order of request) by the study's policy."""
    if folder.conduct.slots.policy == "fifo":
        return line[0], "first in the queue"
    last = {site: place for place, site in enumerate(served)}
    chosen = min(line, key=lambda slot: (last.get(slot.site, -1), slot.number))
    return chosen, "first of the site served longest ago"
