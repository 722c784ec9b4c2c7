"""Whom a hold freezes: the study, or the affected dose levels and strata (SF-13, INV-15).

A hold covers a place when its level is the hold's or above and regimen and process are those of the hold; what the
hold leaves open ('' or level 0) covers everything. A hold without a scope, as every ledger begun with an earlier
release has them, covers the study.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from escalon.conduct.act import Refused
from escalon.conduct.events import EnrolmentHeld
from escalon.conduct.slots.state import Slot
from escalon.conduct.state import Cohort, Hold, Patient, State
from escalon.protocol import StudyFolder
from escalon.protocol.conduct.safety import HoldScope


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody is or will be treated: 1-based level (0: not known yet), regimen, product process."""

    dose_level: int
    regimen: str
    process: str


def place_on(dose_level: int, at: datetime, folder: StudyFolder) -> Place:
    """Return the place at ``dose_level`` in the stratum in use on the day of ``at`` (UTC)."""
    day = at.date()
    return Place(dose_level, folder.study.regimen_on(day).id, folder.study.process_on(day) or "")


def place_of(state: State, patient: Patient) -> Place:
    """Return the place of ``patient``: as assigned; before that the level of the seat, in no known stratum.

    An approved further infusion at a higher level is as high as that level.
    """
    if patient.dose_level is not None:
        further = [
            one.dose_level
            for one in state.slots.exposures
            if one.patient == patient.patient and one.infused_at is None
        ]
        return Place(max(patient.dose_level, *further, 0), patient.regimen or "", patient.process or "")
    slot = state.slots.of_patient(patient.patient)
    return Place(0 if slot is None else slot_level(state, slot), "", "")


def slot_level(state: State, slot: Slot) -> int:
    """Return the level of a slot's seat; 0 when it has none."""
    if slot.dose_level:
        return slot.dose_level
    return next((one.dose_level for one in state.cohorts if one.cohort == slot.cohort), 0)


def covers(hold: Hold | EnrolmentHeld, place: Place) -> bool:
    """Tell whether ``hold`` freezes ``place``; a level or stratum not known counts as frozen."""
    return (
        (place.dose_level == 0 or place.dose_level >= hold.dose_level)
        and (not hold.regimen or place.regimen in ("", hold.regimen))
        and (not hold.process or place.process in ("", hold.process))
    )


def includes(hold: Hold | EnrolmentHeld, other: EnrolmentHeld) -> bool:
    """Tell whether everybody whom ``other`` freezes is frozen by ``hold`` already."""
    return (
        hold.dose_level <= other.dose_level
        and hold.regimen in ("", other.regimen)
        and hold.process in ("", other.process)
    )


def holds_on(state: State, place: Place, moment: datetime | None = None) -> tuple[Hold, ...]:
    """Return the holds that freeze ``place`` now, or at ``moment``."""
    return tuple(hold for hold in state.holds if covers(hold, place) and _stands(hold, moment))


def refuse_held(
    state: State, place: Place, moment: datetime | None = None, what: str = "enrolment"
) -> Refused | None:
    """Refuse what is asked for at a place that is frozen now, or was at ``moment``."""
    held = holds_on(state, place, moment)
    if not held:
        return None
    first = held[0]
    scope = "" if first.scope == "study" else f" for {scope_words(first)}"
    return Refused("hold", f"{what} is held{scope} ({first.rule}): {first.reason}")


def cohort_holds(state: State, cohort: Cohort, at: datetime, folder: StudyFolder) -> tuple[Hold, ...]:
    """Return the open holds that freeze ``cohort`` in the stratum in use at ``at``."""
    return holds_on(state, place_on(cohort.dose_level, at, folder))


def scope_words(hold: Hold | EnrolmentHeld) -> str:
    """Say whom a hold freezes."""
    parts = [f"level {hold.dose_level} and above"] if hold.dose_level else []
    parts += [f"regimen {hold.regimen}"] if hold.regimen else []
    parts += [f"process {hold.process}"] if hold.process else []
    return ", ".join(parts) or "the whole study"


def new_hold(
    number: int, rule: str, reason: str, scope: HoldScope, affected: Iterable[Patient] = ()
) -> EnrolmentHeld:
    """Return the fact that ``rule`` holds enrolment for ``affected``.

    Several patients are taken together: from the lowest of their levels, and in the regimen and process only where
    all have the same. Whoever has no dose yet makes the hold one of the study.
    """
    patients = list(affected)
    if scope == "study" or not patients or any(one.dose_level is None for one in patients):
        return EnrolmentHeld(number, rule, reason)
    level, regimen, process = 0, "", ""
    if scope in ("level_and_above", "stratum_level_and_above"):
        level = min(one.dose_level or 0 for one in patients)
    if scope in ("stratum", "stratum_level_and_above"):
        regimen = _same(one.regimen for one in patients)
        process = _same(one.process for one in patients)
    if not (level or regimen or process):
        return EnrolmentHeld(number, rule, reason)
    return EnrolmentHeld(number, rule, reason, scope, level, regimen, process)


def _same(names: Iterable[str | None]) -> str:
    found = set(names)
    return found.pop() or "" if len(found) == 1 else ""


def _stands(hold: Hold, moment: datetime | None) -> bool:
    if moment is None:
        return hold.lifted_at is None
    return hold.at <= moment and (hold.lifted_at is None or moment < hold.lifted_at)
