"""Who looks after data: investigators confirm, monitors verify and ask, sites answer, casebooks are locked."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from escalon.conduct.act import Actor, Command, Event
from escalon.conduct.capture import commands as c
from escalon.conduct.capture import events as ev
from escalon.conduct.capture.locks import is_locked
from escalon.conduct.capture.marks import critical_items, marks_on, unconfirmed, unverified
from escalon.conduct.capture.queries import open_queries
from escalon.conduct.capture.state import Query, QueryStatus
from escalon.conduct.events import FormRecorded
from escalon.conduct.state import State
from escalon.protocol import StudyFolder
from escalon.virtual.staff import DATA_MANAGER, MONITOR, coordinator, investigator, site_monitor
from escalon.virtual.streams import Streams

Sent = tuple[Actor, Command]
Task = tuple[datetime, Callable[[State], Sent | None]]
CONFIRMED_AFTER, VISITED_AFTER = timedelta(days=2), timedelta(days=14)
ANSWERED_AFTER, CLOSED_AFTER = timedelta(days=5), timedelta(days=3)
ASKED = 0.02
"""Share of verified records about which the simulated monitor asks something."""


def follow_up(event: Event, now: datetime, folder: StudyFolder, streams: Streams) -> Iterator[Task]:
    """Yield who looks at data after ``event`` and when; a task is asked again then, and may have become needless."""
    if isinstance(event, FormRecorded):
        patient, record = event.patient, event.record
        form = folder.forms[event.form]
        if form.critical_items(event.values):
            yield now + CONFIRMED_AFTER, lambda state: _confirm(state, patient, record, folder)
        if event.form in folder.conduct.capture.lock.verified_forms:
            yield now + VISITED_AFTER, lambda state: _verify(state, patient, record)
            draw = streams.generator(f"{patient}|{record}|{event.version}", "query").random()
            if draw < ASKED:
                yield now + VISITED_AFTER, lambda state: _ask(state, patient, record)
    elif isinstance(event, ev.QueryOpened):
        yield now + ANSWERED_AFTER, lambda state: _answer(state, event.query)
    elif isinstance(event, ev.QueryAnswered):
        yield now + CLOSED_AFTER, lambda state: _close(state, event.query)


def settle_queries(state: State, patients: Iterable[str]) -> Iterator[Sent]:
    """Yield the answers and closures of the open queries of ``patients``, before their casebooks are signed."""
    for patient in patients:
        for query in open_queries(state, patient):
            if query.status is QueryStatus.OPEN:
                yield _answered(state, query)
            yield _closed(state, query)


def finish(state: State, folder: StudyFolder) -> Iterator[Sent]:
    """Yield what is left before the casebooks are signed for the last time: queries, confirmation, verification."""
    yield from settle_queries(state, state.patients)
    forms = folder.conduct.capture.lock.verified_forms
    for patient in state.patients:
        for record in dict.fromkeys(record for record, _ in unconfirmed(state, folder, patient)):
            yield investigator(state.patients[patient].site), c.ConfirmCritical(patient, record)
        for record in dict.fromkeys(record for record, _ in unverified(state, patient, forms)):
            yield site_monitor(state.patients[patient].site), c.VerifySource(patient, record)


def lock_casebooks(state: State) -> Iterator[Sent]:
    """Yield freeze and lock of every casebook."""
    for patient, known in state.patients.items():
        if known.records:
            yield site_monitor(known.site), c.FreezeRecords(patient, (), "Follow-up of the patient is over")
        yield DATA_MANAGER, c.LockCasebook(patient, "Follow-up of the study is over")


def _confirm(state: State, patient: str, record: str, folder: StudyFolder) -> Sent | None:
    items = critical_items(state.patients[patient].records[record], folder)
    waiting = [item for item in items if item not in marks_on(state, patient, record).confirmed]
    if not waiting or is_locked(state, patient, record):
        return None
    return investigator(state.patients[patient].site), c.ConfirmCritical(patient, record)


def _verify(state: State, patient: str, record: str) -> Sent | None:
    known = state.patients[patient]
    open_items = unverified(state, patient, (known.records[record].form,))
    if not any(name == record for name, _ in open_items) or is_locked(state, patient, record):
        return None
    return site_monitor(known.site), c.VerifySource(patient, record)


def _ask(state: State, patient: str, record: str) -> Sent | None:
    if is_locked(state, patient, record):
        return None
    text = "Please confirm that this entry agrees with the source document"
    return site_monitor(state.patients[patient].site), c.OpenQuery(patient, record, "", text)


def _answer(state: State, number: int) -> Sent | None:
    query = state.capture.queries[number - 1]
    return _answered(state, query) if query.status is QueryStatus.OPEN else None


def _answered(state: State, query: Query) -> Sent:
    text = "The entry agrees with the source document"
    return coordinator(state.patients[query.patient].site), c.AnswerQuery(query.patient, query.query, text)


def _close(state: State, number: int) -> Sent | None:
    query = state.capture.queries[number - 1]
    return _closed(state, query) if query.status is QueryStatus.ANSWERED else None


def _closed(state: State, query: Query) -> Sent:
    closers = {
        "monitor": site_monitor(state.patients[query.patient].site),
        "medical_monitor": MONITOR,
    }
    closer = closers.get(query.role, DATA_MANAGER)
    return closer, c.CloseQuery(query.patient, query.query, "Answer accepted")
