"""Queries: asked by the sponsor's people or by a soft check, answered by the site, closed by the role that asked.

Rules: DC-4 (the answer never changes data; the site records the form again), SG-10 (open queries block a lock).
"""

from escalon.conduct.act import Outcome, Refused, Signed
from escalon.conduct.capture import commands as c
from escalon.conduct.capture import events as ev
from escalon.conduct.capture.state import Query, QueryStatus
from escalon.conduct.state import State
from escalon.protocol import StudyFolder

OPENERS = ("monitor", "data_manager", "medical_monitor")
CLOSES_AUTOMATIC = ("data_manager", "monitor")
SOURCE_CHECK = "DC-3 source"
"""The check that asks about answers which came in otherwise than agreed; no edit check of a form has such an id."""


def open_queries(state: State, patient: str | None = None) -> tuple[Query, ...]:
    """Return the queries not closed yet, of one patient or of all, in the order they were opened."""
    return tuple(
        query
        for query in state.capture.queries
        if query.status is not QueryStatus.CLOSED and patient in (None, query.patient)
    )


def queries_on(state: State, patient: str, record: str) -> tuple[Query, ...]:
    """Return all queries ever opened on a record."""
    return tuple(q for q in state.capture.queries if (q.patient, q.record) == (patient, record))


def open_query(state: State, signed: Signed, command: c.OpenQuery, folder: StudyFolder) -> Outcome:
    """Open a query on a record that is there."""
    patient = state.patients.get(command.patient)
    if patient is None:
        return Refused("patient", f"there is no patient {command.patient}")
    record = patient.records.get(command.record)
    if record is None:
        return Refused("record", f"patient {command.patient} has no record {command.record}")
    form = folder.forms.get(record.form)
    names = set(record.entered) | {item.name for item in form.items} if form else set(record.entered)
    if command.item and command.item not in names:
        return Refused("record", f"{record.form} has no item {command.item}")
    if not command.text.strip():
        return Refused("DC-1 query", "a query needs a text that says what is asked")
    number = len(state.capture.queries) + 1
    return (ev.QueryOpened(number, command.patient, command.record, command.item, command.text, ""),)


def answer_query(state: State, signed: Signed, command: c.AnswerQuery, folder: StudyFolder) -> Outcome:
    """Answer an open query at the patient's site."""
    query = _find(state, command.patient, command.query)
    if isinstance(query, Refused):
        return query
    if signed.actor.site != state.patients[query.patient].site:
        return Refused(
            "site", f"patient {query.patient} belongs to site {state.patients[query.patient].site}"
        )
    if query.status is not QueryStatus.OPEN:
        return Refused("DC-1 query", f"query {query.query} is {query.status.lower()}, not open")
    if not command.text.strip():
        return Refused("DC-1 query", "an answer needs a text")
    return (ev.QueryAnswered(query.query, command.text),)


def close_query(state: State, signed: Signed, command: c.CloseQuery, folder: StudyFolder) -> Outcome:
    """Close a query; only the role that asked accepts the answer."""
    query = _find(state, command.patient, command.query)
    if isinstance(query, Refused):
        return query
    if query.status is QueryStatus.CLOSED:
        return Refused("DC-1 query", f"query {query.query} is closed")
    return (
        _refuse_role(query, signed)
        or _need_reason(command.reason, "closing a query")
        or (ev.QueryClosed(query.query, command.reason),)
    )


def reopen_query(state: State, signed: Signed, command: c.ReopenQuery, folder: StudyFolder) -> Outcome:
    """Ask again after an answer or a closure."""
    query = _find(state, command.patient, command.query)
    if isinstance(query, Refused):
        return query
    if query.status is QueryStatus.OPEN:
        return Refused("DC-1 query", f"query {query.query} is open")
    return (
        _refuse_role(query, signed)
        or _need_reason(command.reason, "asking again")
        or (ev.QueryReopened(query.query, command.reason),)
    )


def _find(state: State, patient: str, number: int) -> Query | Refused:
    if not 1 <= number <= len(state.capture.queries):
        return Refused("DC-1 query", f"there is no query {number}")
    query = state.capture.queries[number - 1]
    if query.patient != patient:
        return Refused("DC-1 query", f"query {number} is not about patient {patient}")
    return query


def _refuse_role(query: Query, signed: Signed) -> Refused | None:
    closers = (query.role,) if query.role else CLOSES_AUTOMATIC
    if signed.actor.role in closers:
        return None
    return Refused("DC-1 query", f"query {query.query} is closed and reopened by {' or '.join(closers)}")


def _need_reason(reason: str, what: str) -> Refused | None:
    return None if reason.strip() else Refused("reason", f"{what} needs a reason")
