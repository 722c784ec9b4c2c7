"""The calendar of a site as an iCalendar feed (RFC 5545): what may happen when, and why; coded ids only.

Moments are written in UTC, so every calendar program shows them in its own zone; the description repeats them in the
zone of the site. The feed of the same ledger is the same bytes: its stamp is the moment of the last fact.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from icalendar import Calendar, Event

from escalon.conduct.events import DltStatus
from escalon.conduct.exposure_record import window_days
from escalon.conduct.slots.exposures import given, open_approval
from escalon.conduct.slots.queue import expires_at
from escalon.conduct.slots.redosing import earliest_reinfusion
from escalon.conduct.slots.stagger import earliest_infusion, local, site_zone
from escalon.conduct.slots.state import Status
from escalon.conduct.state import Patient, State
from escalon.protocol import StudyFolder

PRODUCT = "-//Escalon//Site calendar//EN"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: ``key`` is unique in the study and stays the same; ``firm`` is False while something is awaited."""

    key: str
    moment: datetime
    title: str
    text: str
    firm: bool = True


def calendar_entries(state: State, folder: StudyFolder, site: str) -> tuple[Entry, ...]:
    """Return the entries of ``site`` as of the last fact, in order of time.

    Raises:
        ValueError: the ledger knows no such site.
    """
    known = {*state.people.sites, *(patient.site for patient in state.patients.values())}
    if site not in known:
        raise ValueError(f"site {site!r} is not known; the ledger holds {', '.join(sorted(known)) or 'none'}")
    found = [*_reservations(state, folder, site)]
    for patient in state.patients.values():
        if patient.site == site and patient.released is None:
            found += _patient_entries(state, folder, patient)
    return tuple(sorted(found, key=lambda entry: (entry.moment, entry.key)))


def render_calendar(state: State, folder: StudyFolder, site: str) -> bytes:
    """Return the feed of ``site``; ValueError for an unknown one."""
    entries = calendar_entries(state, folder, site)
    assert state.at is not None
    study = folder.study.identity.study_id
    feed = Calendar()
    feed.add("prodid", PRODUCT)
    feed.add("version", "2.0")
    feed.add("x-wr-calname", f"{study}, site {site}")
    for entry in entries:
        event = Event()
        event.add("uid", f"{entry.key}.{study}@escalon")
        event.add("dtstamp", state.at)
        event.add("sequence", state.seq)
        event.add("dtstart", entry.moment)
        event.add("summary", entry.title)
        event.add("description", entry.text)
        event.add("status", "CONFIRMED" if entry.firm else "TENTATIVE")
        feed.add_component(event)
    return feed.to_ical()


def _reservations(state: State, folder: StudyFolder, site: str) -> Iterator[Entry]:
    for slot in state.slots.slots:
        end = expires_at(state, slot, folder) if slot.status is Status.RESERVED else None
        if slot.site == site and end is not None:
            shown = local(end, site_zone(state, site), zone_name=True)
            text = f"Slot {slot.number} ({slot.candidate}) is released unless it is confirmed before {shown}"
            yield Entry(f"slot-{slot.number}", end, f"Reservation of slot {slot.number} ends", text)


def _patient_entries(state: State, folder: StudyFolder, patient: Patient) -> Iterator[Entry]:
    if patient.infused_at is not None:
        yield from _window_end(state, folder, patient)
        yield from _further(state, folder, patient)
        return
    assert state.at is not None
    earliest = earliest_infusion(state, patient, folder, state.at)
    if earliest.moment is None or earliest.lymphodepletion is None:
        return
    name, firm = earliest.patient, not earliest.waits_for
    text = earliest.dated if firm else f"{earliest.dated}; {earliest.text}"
    yield Entry(f"infusion-{name}", earliest.moment, f"Earliest infusion {name}", text, firm)
    if not any(record.form == "EX" for record in patient.records.values()):
        shown = local(earliest.lymphodepletion, earliest.zone, zone_name=True)
        words = f"Lymphodepletion of {name} from {shown} on; {text}"
        moment = earliest.lymphodepletion
        yield Entry(f"lymphodepletion-{name}", moment, f"Earliest lymphodepletion {name}", words, firm)


def _further(state: State, folder: StudyFolder, patient: Patient) -> Iterator[Entry]:
    """The earliest moment of an approved further infusion, and the end of each window that is not judged."""
    assert state.at is not None
    name = f"{patient.site}-{patient.patient}"
    if open_approval(state, patient.patient) is not None and folder.conduct.slots.redosing is not None:
        earliest = earliest_reinfusion(state, patient, folder, state.at)
        assert earliest.moment is not None
        firm = not earliest.waits_for
        text = earliest.dated if firm else f"{earliest.dated}; {earliest.text}"
        title = f"Earliest {earliest.what} {name}"
        yield Entry(f"{earliest.what.replace(' ', '-')}-{name}", earliest.moment, title, text, firm)
    for one in given(state, patient.patient)[1:]:
        if one.infused_at is not None and (one.judged is None or one.reopened):
            days = window_days(one, folder)
            shown = local(one.infused_at, site_zone(state, patient.site), zone_name=True)
            text = f"{name}, infusion {one.exposure}, {shown}; DLT window of {days} days"
            title = f"End of DLT window {name}, infusion {one.exposure}"
            key = f"window-{name}-{one.exposure}"
            yield Entry(key, one.infused_at + timedelta(days=days), title, text, not one.reopened)


def _window_end(state: State, folder: StudyFolder, patient: Patient) -> Iterator[Entry]:
    reopened = patient.patient in state.slots.reopened
    if patient.dlt_status is not DltStatus.PENDING and not reopened:
        return
    assert patient.infused_at is not None
    end = patient.infused_at + timedelta(days=folder.study.dlt.window_days)
    name = f"{patient.site}-{patient.patient}"
    shown = local(patient.infused_at, site_zone(state, patient.site), zone_name=True)
    text = f"{name} infused {shown}; DLT window of {folder.study.dlt.window_days} days"
    yield Entry(f"window-{name}", end, f"End of DLT window {name}", text, not reopened)
