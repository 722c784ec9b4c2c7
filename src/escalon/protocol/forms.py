"""Case report forms as data: items and groups of items, skip logic, edit checks."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from escalon.protocol.forms_checks import EditCheck, Finding, find
from escalon.protocol.forms_conditions import Answers, holds
from escalon.protocol.forms_items import DataOwner, DataSource, Group, Item, ItemType

__all__ = ["Form", "Group", "Item", "ItemType"]


class Form(BaseModel):
    """A case report form; ``repeats`` allows several records of it for one patient.

    ``source``, ``owner`` and ``found_in`` hold for every item that does not say otherwise (DC-3).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    form: str = Field(pattern=r"^[A-Z][A-Z0-9]{1,7}$")
    title: str
    repeats: bool
    items: tuple[Item, ...] = Field(min_length=1)
    groups: tuple[Group, ...] = ()
    checks: tuple[EditCheck, ...] = ()
    source: DataSource = "transcribed"
    owner: DataOwner = "site"
    found_in: str = Field(default="medical record", min_length=1, max_length=80)

    @model_validator(mode="after")
    def _unique_names(self) -> Self:
        names = [item.name for item in self.all_items()] + [group.group for group in self.groups]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"form {self.form}: item {twice[0]} stands twice; names are unique in a form")
        ids = [check.id for check in self.checks]
        again = sorted({name for name in ids if ids.count(name) > 1})
        if again:
            raise ValueError(f"form {self.form}: check {again[0]} stands twice; ids are unique in a form")
        return self

    def all_items(self) -> tuple[Item, ...]:
        """All items, those of groups too, in the order of the form."""
        return (*self.items, *(item for group in self.groups for item in group.items))

    def item(self, name: str) -> Item | None:
        """Return the item of that name, or None."""
        return next((item for item in self.all_items() if item.name == name), None)

    def owner_of(self, item: Item) -> DataOwner:
        """Return who owns the answers to ``item``: the site or the sponsor."""
        return item.owner or self.owner

    def critical_items(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the critical items, or groups that hold one, which ``values`` answers."""
        names = [item.name for item in self.items if item.critical]
        names += [group.group for group in self.groups if any(item.critical for item in group.items)]
        return tuple(name for name in names if values.get(name) is not None)

    def check(self, values: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> list[str]:
        """Return every problem of a filled form, one sentence each; an empty list means it is acceptable.

        ``before`` is the version that ``values`` replace: an answer to a retired item may stay as it was.
        """
        known = {item.name for item in self.items} | {group.group for group in self.groups}
        problems = [f"{self.form}.{name}: the form has no such item" for name in values if name not in known]
        for item in self.items:
            problems += self._check_item(item, values, values, before or {}, self.form)
        for group in self.groups:
            problems += self._check_group(group, values, before or {})
        return problems

    @cached_property
    def forms_read(self) -> frozenset[str]:
        """The forms whose records the edit checks look at, beside the record being filled."""
        read = (source.form for check in self.checks for source in check.when.sources())
        return frozenset(form for form in read if form is not None)

    def findings(self, answers: Answers) -> tuple[Finding, ...]:
        """Return what the edit checks find in a filled form."""
        return find(self.checks, answers)

    def _check_group(self, group: Group, values: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
        where, rows = f"{self.form}.{group.group}", values.get(group.group)
        if not isinstance(rows, list | tuple | None) or any(
            not isinstance(row, Mapping) for row in rows or ()
        ):
            return [f"{where} ({group.label}): needs a list of rows"]
        problems = []
        if not group.min_rows <= len(rows or ()) <= group.max_rows:
            problems.append(f"{where} ({group.label}): needs {group.min_rows} to {group.max_rows} rows")
        known = {item.name for item in group.items}
        earlier = before.get(group.group) or ()
        for number, row in enumerate(rows or (), start=1):
            place = f"{where}[{number}]"
            problems += [f"{place}.{name}: the group has no such item" for name in row if name not in known]
            was = earlier[number - 1] if number <= len(earlier) else {}
            for item in group.items:
                problems += self._check_item(item, row, {**values, **row}, was, place)
        return problems

    def _check_item(
        self,
        item: Item,
        row: Mapping[str, Any],
        asked_on: Mapping[str, Any],
        before: Mapping[str, Any],
        place: str,
    ) -> list[str]:
        """Return the problem of one item: ``row`` holds its answer, ``asked_on`` all that skip logic looks at."""
        where, value = f"{place}.{item.name} ({item.label})", row.get(item.name)
        if item.retired is not None:
            kept = value is None or (item.name in before and value == before[item.name])
            return (
                []
                if kept
                else [f"{where}: not asked since version {item.retired}; only an earlier answer stays"]
            )
        if item.only_if is not None and holds(item.only_if, Answers(asked_on)) is not True:
            return [] if value is None else [f"{where}: only asked if {item.only_if.words()}; leave it empty"]
        if value is None:
            return [f"{where}: a value is required"] if item.required else []
        problem = item.check(value)
        return [f"{where}: {problem}"] if problem else []
