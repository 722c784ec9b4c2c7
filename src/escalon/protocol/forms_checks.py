"""Edit checks of a form, as data: a condition that describes the problem, how serious it is, and what to say."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from escalon.protocol.forms_conditions import Answers, Condition, holds


class EditCheck(BaseModel):
    """One check; it finds a problem where ``when`` is true, never where it cannot be told.

    ``hard`` refuses the entry. ``soft`` takes it and asks: a reason given with the entry, or a query. ``item`` is the
    item the message stands at. With ``group`` the check looks at each row of that group.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[A-Z][A-Z0-9-]{2,39}$")
    severity: Literal["hard", "soft"]
    item: str
    when: Condition
    message: str = Field(min_length=5, max_length=200)
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A check that found a problem: in the record, or in ``row`` (1, 2, ...) of its group."""

    check: str
    severity: str
    item: str
    message: str
    row: int | None = None


def find(checks: tuple[EditCheck, ...], answers: Answers) -> tuple[Finding, ...]:
    """Return what the checks find, in the order of the form."""
    return tuple(finding for check in checks for finding in _found_by(check, answers))


def _found_by(check: EditCheck, answers: Answers) -> Iterator[Finding]:
    if check.group is None:
        if holds(check.when, answers):
            yield Finding(check.id, check.severity, check.item, check.message)
        return
    for number, row in enumerate(rows_of(answers.values, check.group), start=1):
        if holds(check.when, replace(answers, values={**answers.values, **row})):
            yield Finding(check.id, check.severity, check.item, check.message, number)


def rows_of(values: Mapping[str, Any], group: str) -> tuple[Mapping[str, Any], ...]:
    """Return the rows of ``group`` in a record; what is no row is left out."""
    rows = values.get(group)
    if not isinstance(rows, list | tuple):
        return ()
    return tuple(row for row in rows if isinstance(row, Mapping))
