"""What follows from an adverse event record by itself: cases, clocks, freezes."""

from datetime import datetime
from typing import Any

from escalon.conduct import events as core
from escalon.conduct.act import Event, Signed
from escalon.conduct.holds import includes, new_hold
from escalon.conduct.safety import events as ev
from escalon.conduct.safety.clocks import next_number, site_report_clocks, start_clocks
from escalon.conduct.safety.reading import is_fatal, seriousness, site_awareness
from escalon.conduct.safety.state import Case
from escalon.conduct.slots.exposures import last_infusion
from escalon.conduct.state import State
from escalon.protocol import StudyFolder

WATCHED = {
    "AEDECOD": "term",
    "AETOXGR": "grade",
    "AEOUT": "outcome",
    "AEENDTC": "end",
    "AESTDTC": "onset",
    "AERELUC": "relation to UCART22",
    "AERELCL": "relation to CLLS52",
}


def react(state: State, events: tuple[Event, ...], signed: Signed, folder: StudyFolder) -> tuple[Event, ...]:
    """Open or update the case of every serious adverse event recorded in this act."""
    added: tuple[Event, ...] = ()
    for event in events:
        if isinstance(event, core.FormRecorded) and event.form == "AE":
            added = (*added, *_of_record(state, event, (*events, *added), signed.at, folder))
    return added


def _of_record(
    state: State, event: core.FormRecorded, so_far: tuple[Event, ...], now: datetime, folder: StudyFolder
) -> tuple[Event, ...]:
    serious = seriousness(event.values)
    case = state.safety.case_of(event.patient, event.record)
    if case is not None:
        return _updated(state, case, event, serious, so_far, now, folder)
    if not serious:
        return ()
    opened = sum(isinstance(one, ev.CaseOpened) for one in so_far)
    number = len(state.safety.cases) + 1 + opened
    aware = site_awareness(event.values, now)
    found = ev.CaseOpened(
        number,
        event.patient,
        event.record,
        event.values["AEDECOD"],
        event.values["AESTDTC"],
        serious,
        is_fatal(serious),
        aware,
    )
    clocks = site_report_clocks(number, aware, now, folder, next_number(state, so_far))
    return (found, *clocks, *_freeze(state, event, so_far, folder))


def _updated(
    state: State,
    case: Case,
    event: core.FormRecorded,
    serious: tuple[str, ...],
    so_far: tuple[Event, ...],
    now: datetime,
    folder: StudyFolder,
) -> tuple[Event, ...]:
    before = state.patients[case.patient].records[case.record].values
    changes = _changes(before, event.values, case.serious, serious)
    if not changes:
        return ()
    # The sponsor may have named criteria too; a case is as serious as either says.
    together = tuple(
        dict.fromkeys((*serious, *(code for code in case.serious if code not in seriousness(before))))
    )
    fatal = is_fatal(together)
    updated = ev.CaseUpdated(case.number, case.version + 1, event.values["AEDECOD"], together, fatal, changes)
    clocks: tuple[Event, ...] = ()
    moments = {"sponsor_awareness": now, "determination": now}
    number = next_number(state, so_far)
    if case.susar and fatal and not case.fatal:
        clocks = start_clocks(case.number, "upgrade", moments, folder, number)
    elif case.susar and not any(
        clock.case == case.number and clock.purpose == "follow_up" for clock in state.safety.open_clocks()
    ):
        clocks = start_clocks(case.number, "follow_up", moments, folder, number)
    return (updated, *clocks, *_freeze(state, event, so_far, folder))


def _changes(
    before: dict[str, Any], after: dict[str, Any], was: tuple[str, ...], now: tuple[str, ...]
) -> tuple[str, ...]:
    words = [
        f"{word}: {before.get(item)} to {after.get(item)}"
        for item, word in WATCHED.items()
        if before.get(item) != after.get(item)
    ]
    new = [code for code in now if code not in was]
    return (*words, *(f"serious: {code}" for code in new))


def _freeze(
    state: State, event: core.FormRecorded, so_far: tuple[Event, ...], folder: StudyFolder
) -> tuple[Event, ...]:
    """A death within the days the study names holds enrolment, once a record."""
    values = event.values
    known = state.patients[event.patient].records.get(event.record)
    if values.get("AESDTH") != "Y" or (known is not None and known.values.get("AESDTH") == "Y"):
        return ()
    limit = folder.conduct.safety.freeze_on_death_within_days
    died = datetime.fromisoformat(values.get("AEENDTC") or values["AESTDTC"])
    infused = last_infusion(state, event.patient, died)
    if limit is not None and infused is not None and (died.date() - infused.date()).days > limit:
        return ()
    holds = [one for one in so_far if isinstance(one, core.EnrolmentHeld)]
    reason = f"patient {event.patient} died: {values['AEDECOD']}"
    scope, affected = folder.conduct.safety.hold_scope.death, [state.patients[event.patient]]
    found = new_hold(len(state.holds) + len(holds) + 1, "death", reason, scope, affected)
    if any(includes(one, found) for one in holds):
        return ()  # a stopping rule holds enrolment for this very event
    return (found,)
