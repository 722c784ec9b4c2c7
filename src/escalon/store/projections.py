"""Tables derived from the events in the transaction that writes them; the database refuses what must never be.

``clearance``, ``seat``, ``slot`` and ``dose_assignment`` carry the keys and checks of INV-1 to INV-4, ``infusion`` and
``sentinel_clearance`` those of INV-6 and INV-7, for first infusions as they were recorded, ``further_infusion`` those
of INV-3 and INV-6 for the others. They decide nothing: a refusal here means that the software above let something
through.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.db import connections

from escalon.conduct import events as core
from escalon.conduct.act import Event
from escalon.conduct.canonical import utc_text
from escalon.conduct.slots import events as slots
from escalon.store.chain import Entry

Run = Callable[[str, list[Any]], list[tuple[Any, ...]]]
Write = Callable[[Run, str, int, Any], None]

# In the order in which rows can be written; the reverse order deletes them.
TABLES: dict[str, tuple[str, ...]] = {
    "clearance": ("study_id", "clearance", "regimen", "process", "dose_level", "decision", "revoked", "seq"),
    "seat": ("study_id", "cohort", "seat", "seq"),
    "slot": ("study_id", "slot", "site", "status", "cohort", "seat", "patient", "seq"),
    "dose_assignment": (
        "study_id",
        "patient",
        "dose_level",
        "regimen",
        "process",
        "clearance",
        "cleared_level",
        "seq",
    ),
    "sentinel_clearance": ("study_id", "cohort", "patient", "seq"),
    "infusion": (
        "study_id",
        "patient",
        "cohort",
        "infused_at",
        "earliest_at",
        "first_signer",
        "second_signer",
        "sentinel",
        "cleared",
        "seq",
    ),
    "further_infusion": (
        "study_id",
        "patient",
        "exposure",
        "dose_level",
        "regimen",
        "process",
        "clearance",
        "cleared_level",
        "infused_at",
        "earliest_at",
        "seq",
    ),
}


def project(alias: str, entries: Iterable[Entry], events: Iterable[Event]) -> None:
    """Write what ``events`` mean for the derived tables."""
    for entry, event in zip(entries, events, strict=True):
        write = _WRITE.get(type(event))
        if write is not None:
            write(_runner(alias), entry.study_id, entry.seq, event)


def _runner(alias: str) -> Run:
    def run(statement: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
        with connections[alias].cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall()) if statement.startswith("SELECT") else []

    return run


def insert_row(run: Run, table: str, row: Iterable[Any]) -> None:
    """Insert one row, its values in the order of ``TABLES``."""
    values = list(row)
    places = ", ".join(["%s"] * len(values))
    run(f"INSERT INTO {table} ({', '.join(TABLES[table])}) VALUES ({places})", values)


def _cohort_opened(run: Run, study_id: str, seq: int, event: core.CohortOpened) -> None:
    for seat in range(1, event.size + 1):
        insert_row(run, "seat", (study_id, event.cohort, seat, seq))


def _seat_added(run: Run, study_id: str, seq: int, event: slots.SeatAdded) -> None:
    insert_row(run, "seat", (study_id, event.cohort, event.seat, seq))


def _level_cleared(run: Run, study_id: str, seq: int, event: slots.LevelCleared) -> None:
    stratum = (event.regimen, event.process, event.dose_level, event.decision)
    insert_row(run, "clearance", (study_id, event.clearance, *stratum, 0, seq))


def _clearance_revoked(run: Run, study_id: str, seq: int, event: slots.ClearanceRevoked) -> None:
    run(
        "UPDATE clearance SET revoked = 1 WHERE study_id = %s AND clearance = %s", [study_id, event.clearance]
    )


def _slot_requested(run: Run, study_id: str, seq: int, event: slots.SlotRequested) -> None:
    insert_row(run, "slot", (study_id, event.slot, event.site, "requested", None, None, None, seq))


def _move(run: Run, study_id: str, seq: int, slot: int, **changes: Any) -> None:
    said = ", ".join(f"{name} = %s" for name in changes)
    values = [*changes.values(), seq, study_id, slot]
    run(f"UPDATE slot SET {said}, seq = %s WHERE study_id = %s AND slot = %s", values)


def _slot_waitlisted(run: Run, study_id: str, seq: int, event: slots.SlotWaitlisted) -> None:
    _move(run, study_id, seq, event.slot, status="waitlisted")


def _slot_reserved(run: Run, study_id: str, seq: int, event: slots.SlotReserved) -> None:
    place = [study_id, event.cohort, event.seat]
    known = run("SELECT 1 FROM seat WHERE study_id = %s AND cohort = %s AND seat = %s", place)
    if event.cohort == 0 and not known:  # seats below the escalation are made when they are given
        insert_row(run, "seat", (*place, seq))
    _move(run, study_id, seq, event.slot, status="reserved", cohort=event.cohort, seat=event.seat)


def _slot_confirmed(run: Run, study_id: str, seq: int, event: slots.SlotConfirmed) -> None:
    _move(run, study_id, seq, event.slot, status="confirmed", patient=event.patient)


def _slot_released(run: Run, study_id: str, seq: int, event: slots.SlotReleased) -> None:
    _move(run, study_id, seq, event.slot, status="released")


def _infused(run: Run, study_id: str, seq: int, event: core.PatientInfused) -> None:
    run(
        "UPDATE slot SET status = 'dosed', seq = %s WHERE study_id = %s AND patient = %s AND status = 'confirmed'",
        [seq, study_id, event.patient],
    )


def _dose_assigned(run: Run, study_id: str, seq: int, event: core.DoseAssigned) -> None:
    """Tie the assignment to the widest clearance of its stratum that stands; the database refuses it without one.

    A study whose decisions do not clear strata, one begun with an earlier release, has nothing to tie it to.
    """
    if not run("SELECT 1 FROM clearance WHERE study_id = %s LIMIT 1", [study_id]):
        return
    stratum = (event.dose_level, event.regimen, event.process)
    tied = _widest_clearance(run, study_id, event.regimen, event.process)
    insert_row(run, "dose_assignment", (study_id, event.patient, *stratum, *tied, seq))


def _widest_clearance(run: Run, study_id: str, regimen: str, process: str) -> tuple[Any, ...]:
    """Number and level of the widest clearance of a stratum that stands; (0, 0), which no key covers, without one."""
    found = run(
        "SELECT clearance, dose_level FROM clearance WHERE study_id = %s AND regimen = %s AND process = %s"
        " AND revoked = 0 ORDER BY dose_level DESC, clearance DESC LIMIT 1",
        [study_id, regimen, process],
    )
    return found[0] if found else (0, 0)


def _sentinel_cleared(run: Run, study_id: str, seq: int, event: slots.SentinelCleared) -> None:
    insert_row(run, "sentinel_clearance", (study_id, event.cohort, event.patient, seq))


def _infusion_permitted(run: Run, study_id: str, seq: int, event: slots.InfusionPermitted) -> None:
    """Keep the moment beside the earliest one; where no rule gave a moment, the infusion is its own bound."""
    reviewed = run(
        "SELECT 1 FROM sentinel_clearance WHERE study_id = %s AND cohort = %s", [study_id, event.cohort]
    )
    first, second = (*event.signers, None, None)[:2]
    moments = (utc_text(event.infused_at), utc_text(event.earliest_at or event.infused_at))
    cleared = event.cohort if reviewed else None
    row = (study_id, event.patient, event.cohort, *moments, first, second, int(event.sentinel), cleared, seq)
    insert_row(run, "infusion", row)


def _reinfusion_permitted(run: Run, study_id: str, seq: int, event: slots.ReinfusionPermitted) -> None:
    """Tie a further infusion to the widest clearance of its stratum that stands, beside the earliest moment."""
    stratum = (event.dose_level, event.regimen, event.process)
    tied = _widest_clearance(run, study_id, event.regimen, event.process)
    moments = (utc_text(event.infused_at), utc_text(event.earliest_at))
    row = (study_id, event.patient, event.exposure, *stratum, *tied, *moments, seq)
    insert_row(run, "further_infusion", row)


_WRITE: dict[type[Event], Write] = {
    core.CohortOpened: _cohort_opened,
    core.DoseAssigned: _dose_assigned,
    core.PatientInfused: _infused,
    slots.InfusionPermitted: _infusion_permitted,
    slots.ReinfusionPermitted: _reinfusion_permitted,
    slots.SentinelCleared: _sentinel_cleared,
    slots.ClearanceRevoked: _clearance_revoked,
    slots.LevelCleared: _level_cleared,
    slots.SeatAdded: _seat_added,
    slots.SlotConfirmed: _slot_confirmed,
    slots.SlotReleased: _slot_released,
    slots.SlotRequested: _slot_requested,
    slots.SlotReserved: _slot_reserved,
    slots.SlotWaitlisted: _slot_waitlisted,
}
KINDS = tuple(sorted(kind.__name__ for kind in _WRITE))
