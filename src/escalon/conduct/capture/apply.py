"""How the events of capture change the state."""

from dataclasses import replace
from typing import Any

from escalon.conduct.act import Event
from escalon.conduct.capture import events as ev
from escalon.conduct.capture.state import (
    Amendment,
    Capture,
    Import,
    Lock,
    Mark,
    Marks,
    Query,
    QueryStatus,
    Said,
)
from escalon.conduct.state import Fact, State
from escalon.conduct.topic import Apply


def _query_opened(state: State, fact: Fact, event: ev.QueryOpened) -> State:
    asked = _said("opened", fact, event.text)
    role = "" if event.check else fact.actor_role
    query = Query(
        event.query, event.patient, event.record, event.item, event.check, role, QueryStatus.OPEN, (asked,)
    )
    return _with(state, queries=(*state.capture.queries, query))


def _query_answered(state: State, fact: Fact, event: ev.QueryAnswered) -> State:
    return _query(state, event.query, QueryStatus.ANSWERED, _said("answered", fact, event.text))


def _query_closed(state: State, fact: Fact, event: ev.QueryClosed) -> State:
    return _query(state, event.query, QueryStatus.CLOSED, _said("closed", fact, event.reason))


def _query_reopened(state: State, fact: Fact, event: ev.QueryReopened) -> State:
    return _query(state, event.query, QueryStatus.OPEN, _said("reopened", fact, event.reason))


def _check_overridden(state: State, fact: Fact, event: ev.CheckOverridden) -> State:
    marks = _marks(state, event.patient, event.record)
    overridden = {**marks.overridden, event.check: event.reason}
    return _with_marks(state, event.patient, event.record, replace(marks, overridden=overridden))


def _source_verified(state: State, fact: Fact, event: ev.SourceVerified) -> State:
    marks = _marks(state, event.patient, event.record)
    mark = Mark(fact.actor_id, event.version, fact.at)
    verified = {**marks.verified, **dict.fromkeys(event.items, mark)}
    return _with_marks(state, event.patient, event.record, replace(marks, verified=verified))


def _critical_confirmed(state: State, fact: Fact, event: ev.CriticalConfirmed) -> State:
    marks = _marks(state, event.patient, event.record)
    mark = Mark(fact.actor_id, event.version, fact.at)
    confirmed = {**marks.confirmed, **dict.fromkeys(event.items, mark)}
    return _with_marks(state, event.patient, event.record, replace(marks, confirmed=confirmed))


def _marks_withdrawn(state: State, fact: Fact, event: ev.MarksWithdrawn) -> State:
    marks = _marks(state, event.patient, event.record)
    verified = {name: mark for name, mark in marks.verified.items() if name not in event.verified}
    confirmed = {name: mark for name, mark in marks.confirmed.items() if name not in event.confirmed}
    changed = replace(marks, verified=verified, confirmed=confirmed)
    return _with_marks(state, event.patient, event.record, changed)


def _records_frozen(state: State, fact: Fact, event: ev.RecordsFrozen) -> State:
    frozen = state.capture.frozen.get(event.patient, frozenset()) | set(event.records)
    return _with(state, frozen={**state.capture.frozen, event.patient: frozen})


def _records_unfrozen(state: State, fact: Fact, event: ev.RecordsUnfrozen) -> State:
    frozen = state.capture.frozen.get(event.patient, frozenset()) - set(event.records)
    return _with(state, frozen={**state.capture.frozen, event.patient: frozen})


def _casebook_locked(state: State, fact: Fact, event: ev.CasebookLocked) -> State:
    lock = Lock(fact.actor_id, fact.at, event.reason, event.content_hash)
    return _with(state, locked={**state.capture.locked, event.patient: lock})


def _casebook_unlocked(state: State, fact: Fact, event: ev.CasebookUnlocked) -> State:
    kept = {patient: lock for patient, lock in state.capture.locked.items() if patient != event.patient}
    return _with(state, locked=kept)


def _study_amended(state: State, fact: Fact, event: ev.StudyAmended) -> State:
    """Patients stay where they are: on the version that was in force, unless another was set for them."""
    amendment = Amendment(event.replaces, event.study_hash, fact.at, event.reason)
    stay = {**dict.fromkeys(state.patients, event.replaces), **state.capture.versions}
    after = _with(state, amendments=(*state.capture.amendments, amendment), versions=stay)
    return replace(after, study_hash=event.study_hash, plan_hash=event.plan_hash)


def _patient_version_set(state: State, fact: Fact, event: ev.PatientVersionSet) -> State:
    return _with(state, versions={**state.capture.versions, event.patient: event.study_hash})


def _import_staged(state: State, fact: Fact, event: ev.ImportStaged) -> State:
    rows, who = event.counts.rows, (fact.actor_id, fact.at)
    staged = Import(event.number, event.file, event.mapping, event.form, event.checksum, rows, *who)
    return _with(state, imports=(*state.capture.imports, staged))


def _import_applied(state: State, fact: Fact, event: ev.ImportApplied) -> State:
    records = tuple((one.patient, one.record, one.version) for one in event.records)
    return _import(state, event.number, applied_at=fact.at, records=records)


def _import_rolled_back(state: State, fact: Fact, event: ev.ImportRolledBack) -> State:
    return _import(state, event.number, rolled_back_at=fact.at)


def _import(state: State, number: int, **changes: Any) -> State:
    imports = list(state.capture.imports)
    imports[number - 1] = replace(imports[number - 1], **changes)
    return _with(state, imports=tuple(imports))


def _said(act: str, fact: Fact, text: str) -> Said:
    return Said(act, fact.actor_id, fact.actor_role, text, fact.at)


def _query(state: State, number: int, status: QueryStatus, said: Said) -> State:
    queries = list(state.capture.queries)
    query = queries[number - 1]
    queries[number - 1] = replace(query, status=status, said=(*query.said, said))
    return _with(state, queries=tuple(queries))


def _marks(state: State, patient: str, record: str) -> Marks:
    return state.capture.marks.get(patient, {}).get(record, Marks())


def _with_marks(state: State, patient: str, record: str, marks: Marks) -> State:
    known = state.capture.marks
    return _with(state, marks={**known, patient: {**known.get(patient, {}), record: marks}})


def _with(state: State, **changes: object) -> State:
    capture: Capture = replace(state.capture, **changes)  # type: ignore[arg-type]
    return replace(state, capture=capture)


APPLY: dict[type[Event], Apply] = {
    ev.QueryOpened: _query_opened,
    ev.QueryAnswered: _query_answered,
    ev.QueryClosed: _query_closed,
    ev.QueryReopened: _query_reopened,
    ev.CheckOverridden: _check_overridden,
    ev.SourceVerified: _source_verified,
    ev.CriticalConfirmed: _critical_confirmed,
    ev.MarksWithdrawn: _marks_withdrawn,
    ev.RecordsFrozen: _records_frozen,
    ev.RecordsUnfrozen: _records_unfrozen,
    ev.CasebookLocked: _casebook_locked,
    ev.CasebookUnlocked: _casebook_unlocked,
    ev.ImportStaged: _import_staged,
    ev.ImportApplied: _import_applied,
    ev.ImportRolledBack: _import_rolled_back,
    ev.StudyAmended: _study_amended,
    ev.PatientVersionSet: _patient_version_set,
}
