"""Values as a reader sees them: what was not on the form, left open, empty, missing, redacted or answered (AT-2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from escalon.conduct.redaction.marker import Redacted
from escalon.conduct.state import Record
from escalon.protocol.forms import Form
from escalon.protocol.forms_items import Group, Item
from escalon.protocol.forms_values import MISSING_CODES, missing_code

FULL_DATE = 10


@dataclass(frozen=True, slots=True)
class Shown:
    """One value.

    ``kind`` is absent (not on the form), open (left open), empty (an empty text), missing (a code), redacted, partial
    (a date not known to its day), rows (a group) or value; ``note`` explains it; ``rows`` are those of a group, each
    as (label, value).
    """

    kind: str
    text: str = ""
    note: str = ""
    rows: tuple[tuple[tuple[str, "Shown"], ...], ...] = ()

    @property
    def answered(self) -> bool:
        """True unless the item was not on the form or left open."""
        return self.kind not in ("absent", "open")


@dataclass(frozen=True, slots=True)
class Question:
    """What a form asks: the item or group as the page names it."""

    name: str
    label: str
    unit: str = ""
    type: str = ""
    critical: bool = False
    retired: str = ""
    items: "Mapping[str, Question]" = field(default_factory=dict)


def questions_of(form: Form) -> dict[str, Question]:
    """Return the items and groups of a form in its order."""
    found = {item.name: _question(item) for item in form.items}
    return found | {group.group: _group(group) for group in form.groups}


def _question(item: Item) -> Question:
    return Question(item.name, item.label, item.unit or "", item.type, item.critical, item.retired or "")


def _group(group: Group) -> Question:
    items = {item.name: _question(item) for item in group.items}
    critical = any(item.critical for item in items.values())
    return Question(group.group, group.label, type="group", critical=critical, items=items)


def shown_in(record: Record, name: str, question: Question) -> Shown:
    """Return what a version of a record says about an item."""
    return show_value(record.entered[name], question) if name in record.entered else Shown("absent")


def show_value(value: Any, question: Question) -> Shown:
    """Return one value as the page shows it; text is never shortened."""
    if isinstance(value, Redacted):
        return Shown("redacted", note=f"redaction {value.number}")
    if value is None:
        return Shown("open")
    if value == "":
        return Shown("empty")
    code = missing_code(value)
    if code is not None:
        return _missing(code, value.get("reason"))
    if isinstance(value, list | tuple):
        return Shown("rows", rows=tuple(_row(row, question) for row in value))
    text = plain(value)
    if question.type == "partial_date" and len(text) < FULL_DATE:
        return Shown("partial", text, "month and day unknown" if len(text) == len("2021") else "day unknown")
    return Shown("value", text)


def _missing(code: str, reason: object) -> Shown:
    why = f": {reason}" if isinstance(reason, str) and reason else ""
    return Shown("missing", code, f"{MISSING_CODES[code]}{why}")


def _row(row: Any, question: Question) -> tuple[tuple[str, Shown], ...]:
    if not isinstance(row, Mapping):
        return (("", show_value(row, question)),)
    known = question.items
    return tuple(
        (
            known[name].label if name in known else name,
            show_value(value, known.get(name, Question(name, name))),
        )
        for name, value in row.items()
    )


def plain(value: Any) -> str:
    """Return a value as text: whole numbers without a point, everything else as it was entered.

    >>> plain(95200.0), plain(0.25), plain("2021-03-04T10:30:00+00:00")
    ('95200', '0.25', '2021-03-04 10:30:00+00:00')
    """
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, str) and len(value) > FULL_DATE and value[4:5] == "-" and value[10] == "T":
        return value.replace("T", " ", 1)
    return str(value)
