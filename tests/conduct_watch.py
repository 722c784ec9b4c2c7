"""What watches a walk: the study told to the oracles, the state in their words, and each act put before them."""

import pickle
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Protocol

from escalon.conduct.act import Actor, Command
from escalon.conduct.events import DltStatus
from escalon.conduct.state import State
from escalon.protocol import StudyFolder
from tests.reference.audit_acts import judge_act
from tests.reference.backfill_places import BackfillOracle, BackfillRules
from tests.reference.conduct_books import Again, Rules
from tests.reference.further_oracle import FurtherOracle

SEATS_MOVE = (
    "SlotRequested",
    "SlotReleased",
    "HoldLifted",
    "DecisionAcknowledged",
    "DltAdjudicated",
    "SeatAdded",
)
"""Facts after which no seat is idle while somebody waits who may have it."""


class Chance(Protocol):
    """Draws whole numbers from ``low`` to ``high``, both included."""

    def __call__(self, low: int, high: int) -> int:
        """Draw one."""


def rules_of(folder: StudyFolder) -> Rules:
    """What the oracle needs to know of the study."""
    study, chosen = folder.study, folder.conduct.slots
    again, window = chosen.redosing, study.dlt.window_days
    return Rules(
        study.stagger.after_first_days,
        study.stagger.after_next_days,
        chosen.reservation_hours,
        [(one.used_from, one.id) for one in study.regimens],
        [(one.used_from, one.id) for product in study.products for one in product.processes],
        chosen.clear_across_strata,
        {one.id: one.first_day for one in study.regimens},
        doses={one.level: one.dose for one in study.dose_levels},
        window_days=window,
        again=None
        if again is None
        else Again(
            again.most_exposures,
            again.days_between,
            again.window_days or window,
            again.count_dlts,
            again.opens_stagger,
        ),
    )


def backfill_rules_of(folder: StudyFolder) -> BackfillRules | None:
    """What the oracle of backfill needs to know; None for a plan without."""
    study, plan = folder.study, folder.study.escalation
    if plan.backfill is None:
        return None
    told, rules = plan.backfill, rules_of(folder)
    return BackfillRules(
        plan.rule.target_rate,
        plan.levels,
        told.cap,
        told.order,
        told.need_response,
        told.counts_in_escalation,
        set(study.response.numerator),
        rules.regimens,
        rules.processes,
    )


def shown(state: State) -> dict[str, Any]:
    """The state in the words of ``Oracle.snapshot``."""
    held = [slot for slot in state.slots.slots if slot.holds_seat]
    people = state.patients.values()
    return {
        "seats": sorted((slot.cohort, slot.seat, slot.number) for slot in held),
        "queue": [slot.number for slot in state.slots.slots if slot.waits],
        "doses": {p.patient: p.dose_level for p in people if p.dose_level},
        "infused": {p.patient: p.infused_at.isoformat() for p in people if p.infused_at},
        "owed": [],  # deviations are recorded in the act that shows them
        "holds": [(hold.number, hold.dose_level, hold.regimen, hold.process) for hold in state.open_holds],
        "cleared": sorted(
            ((one.regimen, one.process), one.dose_level)
            for one in state.slots.clearances
            if one.revoked_at is None
        ),
        "parts": {p.patient: (p.part, p.cohort) for p in people},
        "judged": {p.patient: str(p.dlt_status) for p in people if p.dlt_status is not DltStatus.PENDING},
        "reopened": sorted(state.slots.reopened),
        "further": sorted(
            (
                one.patient,
                one.exposure,
                one.dose_level,
                one.infused_at and one.infused_at.isoformat(),
                one.judged and str(one.judged.status),
                bool(one.reopened),
            )
            for one in state.slots.exposures
        ),
    }


class Watch:
    """All oracles of one trial."""

    def __init__(self, folder: StudyFolder) -> None:
        self.main = FurtherOracle(rules_of(folder))
        below = backfill_rules_of(folder)
        self.below = None if below is None else BackfillOracle(below, self.frozen)

    def frozen(self, level: int, at: datetime) -> bool:
        """Tell whether a hold covers ``level`` in the stratum in use."""
        return self.main._held(self.main._place(level, at))

    def copied(self) -> "Watch":
        """Return oracles with the same books."""
        copy: Watch = pickle.loads(pickle.dumps(self))
        return copy

    def read(self, actor: Actor, command: Command, facts: Sequence[dict[str, Any]]) -> list[str]:
        """Put one act before the oracles; return what it violates."""
        about = asdict(command)
        found = judge_act(
            type(command).__name__,
            {"id": actor.id, "role": actor.role, "site": actor.site},
            self._site(about),
            facts,
        )
        for fact in facts:
            found += self.main.read(fact)
            found += self.below.read(fact) if self.below is not None else []
        if any(fact["kind"] in SEATS_MOVE for fact in facts):
            found += self.main.idle_seats(facts[0]["at"]) + self._idle_below(facts[0]["at"])
        return found

    def refused(self, command: Command, at: datetime) -> list[str]:
        """Return what is wrong with a refusal because of a hold."""
        return self.main.wrongly_held(type(command).__name__, asdict(command), at)

    def snapshot(self) -> dict[str, Any]:
        """What the books say."""
        return self.main.snapshot()

    def _site(self, about: dict[str, Any]) -> str:
        """Site of the slot, patient or site a command is about."""
        books = self.main.books
        if "site" in about:
            return str(about["site"])
        if "slot" in about:
            return str(books.slots[about["slot"]]["site"])
        return str(books.patients[about["patient"]]["site"]) if about.get("patient") in books.patients else ""

    def _idle_below(self, at: datetime) -> list[str]:
        """BF-1: places open below for which somebody waits who may have them."""
        if self.below is None:
            return []
        for _, level in self.below.due(at)[:1]:
            for one in self.main.books.slots.values():
                if (
                    one["waits"]
                    and one["backfill"]
                    and not self.main._refuses_site(one["site"], self.main._place(level, at))
                ):
                    return [f"BF-1 a place at level {level} is idle"]
        return []
