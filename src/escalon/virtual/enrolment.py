"""Candidates of a virtual trial: they arrive at sites, stand in the queue, and take the seats they are given."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

from escalon.conduct import commands as c
from escalon.conduct.events import HoldLifted
from escalon.conduct.holds import holds_on, place_on, slot_level
from escalon.conduct.slots import commands as slots
from escalon.conduct.slots.backfill import refuse_closed_level
from escalon.conduct.slots.events import SlotReserved
from escalon.conduct.slots.queue import free_places, queue
from escalon.conduct.slots.seat_rows import BACKFILL
from escalon.conduct.slots.state import Status
from escalon.protocol import StudyFolder
from escalon.protocol.scenarios import Scenario
from escalon.virtual.clerk import Clerk
from escalon.virtual.patients import draw_site
from escalon.virtual.staff import coordinator, investigator
from escalon.virtual.streams import Streams

CANDIDATE_WAITS = timedelta(days=35)
Seated = Callable[[datetime, str, int], None]


class Enrolment:
    """Arrivals and slots; ``seated(now, patient, number)`` is told of every patient with a dose assigned."""

    def __init__(
        self, clerk: Clerk, folder: StudyFolder, streams: Streams, scenario: Scenario, seated: Seated
    ) -> None:
        self._clerk, self._folder, self._streams, self._scenario = clerk, folder, streams, scenario
        self._seated = seated
        self._arrivals = 0
        self._numbers: dict[int, int] = {}
        self.accrual_open = True
        clerk.listen(SlotReserved, lambda now, event: self._confirm(now, event.slot))
        clerk.listen(HoldLifted, lambda now, event: self._confirm_all(now))

    def next_arrival(self, now: datetime) -> None:
        """Draw when and at which site the next candidate comes."""
        if not self.accrual_open:
            return
        self._arrivals += 1
        number = self._arrivals
        draw = self._streams.generator(number, "arrival")
        gap = timedelta(days=float(draw.exponential(30.4375 / self._scenario.accrual_per_month)))
        site = draw_site(self._streams, number, self._folder.scenarios.patients).id
        moment = datetime.combine((now + gap).date(), time(11), UTC)
        self._clerk.at(max(moment, now), lambda at: self._arrive(at, number, site))

    def _arrive(self, now: datetime, number: int, site: str) -> None:
        slot = len(self._clerk.state.slots.slots) + 1
        self._numbers[slot] = number
        self.next_arrival(now)
        request = slots.RequestSlot(site, f"C-{number:03d}", self._backfills(now))
        self._clerk.send(now, coordinator(site), request)
        self._clerk.at(now + CANDIDATE_WAITS + timedelta(minutes=1), lambda at: self._give_up(at, slot))

    def _backfills(self, now: datetime) -> bool:
        """Who finds the cohort full is asked for a backfill place, where one is open."""
        if self._folder.study.escalation.backfill is None:
            return False
        kinds = {cohort == BACKFILL for cohort, _, _ in free_places(self._clerk.state, self._folder, now)}
        return kinds == {True}

    def _give_up(self, now: datetime, slot: int) -> None:
        """Who waited too long has gone elsewhere."""
        waiting = self._clerk.state.slots.slots[slot - 1]
        if waiting.status in (Status.REQUESTED, Status.WAITLISTED, Status.RESERVED):
            release = slots.ReleaseSlot(slot, "handed back: the candidate is treated elsewhere")
            self._clerk.send(now, coordinator(waiting.site), release)

    def broadcast(self, now: datetime) -> None:
        """Let every site acknowledge the last decision, those first whose candidates wait longest."""
        last = self._clerk.state.decisions[-1].number
        waiting = [place.site for place in queue(self._clerk.state)]
        sites = [site.id for site in self._folder.scenarios.patients.sites]
        for site in dict.fromkeys([*waiting, *sites]):
            self._clerk.send(now, coordinator(site), slots.AcknowledgeDecision(last, site))

    def _confirm_all(self, now: datetime) -> None:
        for slot in self._clerk.state.slots.slots:
            if slot.status is Status.RESERVED:
                self._confirm(now, slot.number)

    def _confirm(self, now: datetime, number: int) -> None:
        """Consent, pre-screening, seat and dose in one visit; during a hold all of it waits."""
        state = self._clerk.state
        slot = state.slots.slots[number - 1]
        if slot.status is not Status.RESERVED:
            return
        if holds_on(state, place_on(slot_level(state, slot), now, self._folder)):
            return
        if slot.cohort == BACKFILL:
            closed = refuse_closed_level(state, slot.dose_level or 0, self._folder, now)
            if closed is not None:  # during the hold the level was closed
                self._clerk.send(now, coordinator(slot.site), slots.ReleaseSlot(number, closed.reason))
                return
        patient, consented = f"{len(state.patients) + 1:03d}", now.date().isoformat()
        doctor, nurse = investigator(slot.site), coordinator(slot.site)
        self._clerk.send(now, doctor, slots.ConfirmSlot(number, patient, consented))
        self._clerk.send(now, nurse, c.EnrolPatient(patient, slot.site, consented))
        study = self._folder.study
        regimen, process = study.regimen_on(now.date()).id, study.process_on(now.date()) or ""
        assert slot.dose_level is not None
        self._clerk.send(now, doctor, c.AssignDose(patient, slot.dose_level, regimen, process))
        self._seated(now, patient, self._numbers[number])
