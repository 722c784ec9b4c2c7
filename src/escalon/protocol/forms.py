"""Case report forms as data: items with types, units, ranges and choices, named after CDASH."""

from datetime import date, datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

ItemType = Literal["text", "number", "integer", "choice", "yes_no", "date", "datetime"]


class Item(BaseModel):
    """One question of a form; ``range`` is inclusive and in ``unit``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Z][A-Z0-9]{0,9}$")
    label: str = Field(min_length=1, max_length=80)
    type: ItemType
    required: bool
    unit: str | None = None
    range: tuple[float, float] | None = None
    choices: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.type == "choice") != (self.choices is not None):
            raise ValueError(f"item {self.name}: choices are given for the type choice, and only there")
        if self.range is not None and self.type not in ("number", "integer"):
            raise ValueError(f"item {self.name}: a range is for the types number and integer")
        if self.range is not None and self.range[0] >= self.range[1]:
            raise ValueError(f"item {self.name}: the range needs its lower end first")
        return self

    def check(self, value: Any) -> str | None:
        """Return why ``value`` is not acceptable for this item, or None."""
        problem = _CHECKS[self.type](self, value)
        if problem is None and self.range is not None and not self.range[0] <= value <= self.range[1]:
            low, high = self.range
            problem = f"{value} lies outside {low:g} to {high:g} {self.unit or ''}".rstrip()
        return problem


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


_CHECKS = {
    "text": _check_text,
    "number": _check_number,
    "integer": _check_integer,
    "choice": _check_choice,
    "yes_no": _check_yes_no,
    "date": _check_date,
    "datetime": _check_datetime,
}


class Form(BaseModel):
    """A case report form; ``repeats`` allows several records of it for one patient."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    form: str = Field(pattern=r"^[A-Z][A-Z0-9]{1,7}$")
    title: str
    repeats: bool
    items: tuple[Item, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _unique_names(self) -> Self:
        names = [item.name for item in self.items]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"form {self.form}: item {twice[0]} stands twice; names are unique in a form")
        return self

    def check(self, values: dict[str, Any]) -> list[str]:
        """Return every problem of a filled form, one sentence each; an empty list means it is acceptable."""
        known = {item.name: item for item in self.items}
        problems = [f"{self.form}.{name}: the form has no such item" for name in values if name not in known]
        for item in self.items:
            value = values.get(item.name)
            if value is None:
                if item.required:
                    problems.append(f"{self.form}.{item.name} ({item.label}): a value is required")
                continue
            problem = item.check(value)
            if problem:
                problems.append(f"{self.form}.{item.name} ({item.label}): {problem}")
        return problems
