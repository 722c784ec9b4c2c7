"""Queries of a patient with every turn."""

from dataclasses import dataclass

from escalon.report.casebook.gather import Gathered
from escalon.report.casebook.stamp import Stamp
from escalon.report.casebook.trail import Reason, reason_of


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a query: opened, answered, closed, reopened."""

    act: str
    stamp: Stamp
    text: Reason | None


@dataclass(frozen=True, slots=True)
class QueryShown:
    """A query; ``item`` is '' for the whole record, ``check`` names the edit check that asked, '' for a person."""

    number: int
    record: str
    item: str
    check: str
    status: str
    turns: tuple[Turn, ...]


def queries_of(gathered: Gathered, patient: str) -> tuple[QueryShown, ...]:
    """Return all queries of a patient in the order they were opened."""
    return tuple(
        QueryShown(
            query.query,
            query.record,
            query.item,
            query.check,
            query.status.value,
            tuple(
                Turn(said.act, gathered.stamps[seq], reason_of(said.text))
                for said, seq in zip(query.said, gathered.turns[query.query], strict=True)
            ),
        )
        for query in gathered.state.capture.queries
        if query.patient == patient
    )
