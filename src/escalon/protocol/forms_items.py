"""Items of a form, named after CDASH, and groups of items that repeat within one record."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from escalon.protocol.forms_conditions import Condition
from escalon.protocol.forms_units import is_ucum
from escalon.protocol.forms_values import MissingCode, is_partial_date, missing_code

ItemType = Literal["text", "number", "integer", "choice", "yes_no", "date", "datetime", "partial_date"]
DataSource = Literal["entered", "transcribed", "imported", "derived"]
DataOwner = Literal["site", "sponsor"]
DATES = ("date", "datetime", "partial_date")
NUMBERS = ("number", "integer")
NAME = r"^[A-Z][A-Z0-9]{0,9}$"


class Item(BaseModel):
    """One question of a form; ``range`` is inclusive and in ``unit``.

    Attributes:
        unit: UCUM code.
        choices: the codes of a choice; or ``codelist`` names a list of the study.
        only_if: the item is asked only where this condition holds; elsewhere it stays empty.
        missing: codes that may stand in place of an answer; a partial date may always be UNK with a reason.
        critical: what is entered needs the confirmation of a second person.
        retired: the study version from which it is not asked any more; what was answered stays readable.
        source: entered here first, transcribed from another document, imported or derived; None: as its form.
        owner: whose data the answers are, the site's or the sponsor's; None: as its form.
        found_in: the document or system where the source is kept; None: as its form.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=NAME)
    label: str = Field(min_length=1, max_length=80)
    type: ItemType
    required: bool
    unit: str | None = None
    range: tuple[float, float] | None = None
    choices: tuple[str, ...] | None = None
    codelist: str | None = None
    only_if: Condition | None = None
    missing: tuple[MissingCode, ...] = ()
    critical: bool = False
    retired: str | None = None
    source: DataSource | None = None
    owner: DataOwner | None = None
    found_in: str | None = Field(default=None, min_length=1, max_length=80)

    @field_validator("unit")
    @classmethod
    def _ucum(cls, unit: str | None) -> str | None:
        if unit is not None and not is_ucum(unit):
            raise ValueError("no UCUM code; see ucum.org (case counts: 10*9/L, umol/L, Cel, a for years)")
        return unit

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        listed = self.choices is not None or self.codelist is not None
        if (self.type == "choice") != listed:
            raise ValueError(f"item {self.name}: choices are given for the type choice, and only there")
        if self.range is not None and self.type not in NUMBERS:
            raise ValueError(f"item {self.name}: a range is for the types number and integer")
        if self.range is not None and self.range[0] >= self.range[1]:
            raise ValueError(f"item {self.name}: the range needs its lower end first")
        if self.choices is not None and len(set(self.choices)) < len(self.choices):
            raise ValueError(f"item {self.name}: a choice stands twice")
        return self

    def check(self, value: Any) -> str | None:
        """Return why ``value`` is not acceptable for this item, or None."""
        if isinstance(value, Mapping):
            return self._check_missing(value)
        problem = _CHECKS[self.type](self, value)
        if problem is None and self.range is not None and not self.range[0] <= value <= self.range[1]:
            low, high = self.range
            problem = f"{value} lies outside {low:g} to {high:g} {self.unit or ''}".rstrip()
        return problem

    def _check_missing(self, value: Mapping[str, Any]) -> str | None:
        allowed = dict.fromkeys((*self.missing, *(("UNK",) if self.type == "partial_date" else ())))
        code = missing_code(value)
        if code is None or code not in allowed:
            return f"needs an answer{_or_missing(tuple(allowed))}"
        reason = value.get("reason")
        if self.type in DATES and not (isinstance(reason, str) and reason.strip()):
            return f"a date that is {code} needs a reason"
        return None if reason is None or isinstance(reason, str) else "the reason is a text"


class Group(BaseModel):
    """Items that repeat: a record holds the rows under the group's name, each a mapping of its items."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    group: str = Field(pattern=NAME)
    label: str = Field(min_length=1, max_length=80)
    items: tuple[Item, ...] = Field(min_length=1)
    min_rows: int = Field(default=0, ge=0)
    max_rows: int = Field(default=100, ge=1, le=1000)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.min_rows > self.max_rows:
            raise ValueError(f"group {self.group}: min_rows lies above max_rows")
        return self


def _or_missing(codes: tuple[str, ...]) -> str:
    return f", or a missing code of {', '.join(codes)}" if codes else "; a missing code is not allowed here"


def _check_text(item: Item, value: Any) -> str | None:
    return None if isinstance(value, str) and value.strip() else "needs a text"


def _check_number(item: Item, value: Any) -> str | None:
    finite = isinstance(value, int | float) and not isinstance(value, bool) and value == value
    return None if finite and abs(value) != float("inf") else "needs a finite number"


def _check_integer(item: Item, value: Any) -> str | None:
    return None if isinstance(value, int) and not isinstance(value, bool) else "needs a whole number"


def _check_choice(item: Item, value: Any) -> str | None:
    choices = item.choices or ()
    return None if value in choices else f"needs one of {', '.join(choices)}"


def _check_yes_no(item: Item, value: Any) -> str | None:
    return None if value in ("Y", "N") else "needs Y or N"


def _check_date(item: Item, value: Any) -> str | None:
    try:
        date.fromisoformat(value)
    except (TypeError, ValueError):
        return "needs a date as YYYY-MM-DD"
    return None


def _check_datetime(item: Item, value: Any) -> str | None:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        moment = None
    if moment is None or moment.tzinfo is None:
        return "needs a date and time with zone as YYYY-MM-DDTHH:MM:SS+00:00"
    return None


def _check_partial_date(item: Item, value: Any) -> str | None:
    return (
        None
        if is_partial_date(value)
        else "needs a date as YYYY, YYYY-MM or YYYY-MM-DD, as far as it is known"
    )


_CHECKS = {
    "text": _check_text,
    "number": _check_number,
    "integer": _check_integer,
    "choice": _check_choice,
    "yes_no": _check_yes_no,
    "date": _check_date,
    "datetime": _check_datetime,
    "partial_date": _check_partial_date,
}
