"""Rules that join the forms of a study folder: code lists that exist, conditions that look at what is there."""

from collections.abc import Iterator, Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from escalon.protocol.forms import Form
from escalon.protocol.forms_conditions import NUMERIC, TEMPORAL, Condition, Operand, Source
from escalon.protocol.forms_items import DATES, NUMBERS, Item
from escalon.protocol.forms_values import order
from escalon.protocol.tagged_yaml import Path

CODELIST_FILE = "codelists.yaml"
Found = Iterator[tuple[str, Path, str]]


class Code(BaseModel):
    """One code of a list and what it means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str = Field(min_length=1)
    label: str = Field(min_length=1)


class CodeList(BaseModel):
    """A named list of codes that items of several forms share."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[A-Z][A-Z0-9_]{1,31}$")
    title: str
    codes: tuple[Code, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _unique_codes(self) -> Self:
        codes = [code.code for code in self.codes]
        twice = sorted({code for code in codes if codes.count(code) > 1})
        if twice:
            raise ValueError(f"code list {self.id}: {twice[0]} stands twice")
        return self


class CodeLists(BaseModel):
    """The file ``codelists.yaml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    codelists: tuple[CodeList, ...]

    @model_validator(mode="after")
    def _unique_ids(self) -> Self:
        ids = [codelist.id for codelist in self.codelists]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"code list {twice[0]} stands twice; ids are unique in a study")
        return self


def with_choices(forms: Mapping[str, Form], lists: CodeLists) -> dict[str, Form]:
    """Return the forms with the choices of each named code list filled in; an unknown name is left as it is."""
    choices = {found.id: tuple(code.code for code in found.codes) for found in lists.codelists}
    return {name: _filled(form, choices) for name, form in forms.items()}


def _filled(form: Form, choices: Mapping[str, tuple[str, ...]]) -> Form:
    def fill(items: tuple[Item, ...]) -> tuple[Item, ...]:
        return tuple(
            item.model_copy(update={"choices": choices[item.codelist]})
            if item.codelist is not None and item.codelist in choices
            else item
            for item in items
        )

    groups = tuple(group.model_copy(update={"items": fill(group.items)}) for group in form.groups)
    return form.model_copy(update={"items": fill(form.items), "groups": groups})


def check_forms(
    forms: Mapping[str, Form], lists: CodeLists, visits: frozenset[str], versions: frozenset[str]
) -> Found:
    """Yield (form, path in its file, rule) for every fault that one form alone does not show.

    Args:
        forms: by name, with choices filled in.
        lists: code lists of the study.
        visits: ids of the study's visits.
        versions: versions of the study named in its ``amendments``.
    """
    known = {codelist.id for codelist in lists.codelists}
    for form in forms.values():
        scope = _Scope(form, forms, visits)
        for path, item, before in _placed_items(form):
            if item.codelist is not None and item.codelist not in known:
                yield form.form, (*path, "codelist"), f"no such code list in {CODELIST_FILE}"
            if item.codelist is not None and item.choices is None and item.codelist in known:
                yield form.form, (*path, "codelist"), "the list has no codes"
            if item.retired is not None and item.retired not in versions:
                yield form.form, (*path, "retired"), "no such version among the study's amendments"
            if item.only_if is not None:
                yield from scope.condition(item.only_if, (*path, "only_if"), before)
        yield from _check_checks(form, scope)


def _check_checks(form: Form, scope: "_Scope") -> Found:
    groups = {group.group: {item.name for item in group.items} for group in form.groups}
    top = {item.name for item in form.items}
    for index, check in enumerate(form.checks):
        path: Path = ("checks", index)
        if check.group is not None and check.group not in groups:
            yield form.form, (*path, "group"), f"{form.form} has no such group"
            continue
        seen = top | (groups[check.group] if check.group is not None else set())
        if check.item not in seen:
            yield form.form, (*path, "item"), f"{form.form} has no such item to show the message at"
        yield from scope.condition(check.when, (*path, "when"), seen)


def _placed_items(form: Form) -> Iterator[tuple[Path, Item, set[str]]]:
    """Each item with its path and the items before it, which its skip logic may look at."""
    before: set[str] = set()
    for index, item in enumerate(form.items):
        yield ("items", index), item, set(before)
        before.add(item.name)
    for number, group in enumerate(form.groups):
        inside = set(before)
        for index, item in enumerate(group.items):
            yield ("groups", number, "items", index), item, set(inside)
            inside.add(item.name)


class _Scope:
    """Checks conditions of one form against what the study has."""

    def __init__(self, form: Form, forms: Mapping[str, Form], visits: frozenset[str]) -> None:
        self._form, self._forms, self._visits = form, forms, visits

    def condition(self, condition: Condition, path: Path, seen: set[str]) -> Found:
        """Yield the faults of ``condition``; ``seen`` are the items of this form it may look at."""
        joint = condition.relation.rstrip("_")
        for index, part in enumerate(condition.parts()):
            yield from self.condition(part, (*path, joint) if joint == "not" else (*path, joint, index), seen)
        if condition.parts():
            return
        for source in condition.sources():
            yield from self._source(source, path, seen)
        item = self._item(condition.source())
        if item is not None:
            for rule in _unfit(item, condition, self._item):
                yield self._form.form, (*path, joint), rule

    def _source(self, source: Source, path: Path, seen: set[str]) -> Found:
        if source.item is None:
            return
        if source.form is None and source.item not in seen:
            rule = f"{source.item} does not stand before it in {self._form.form}"
            if "checks" in path:
                rule = f"{self._form.form} has no item {source.item} here"
            yield self._form.form, path, rule
        elif source.form is not None and self._item(source) is None:
            yield self._form.form, path, f"the study has no item {source.form}.{source.item}"
        if source.visit is not None and source.visit not in self._visits:
            yield self._form.form, path, f"the study has no visit {source.visit}"

    def _item(self, source: Operand | None) -> Item | None:
        if not isinstance(source, Source) or source.item is None:
            return None
        form = self._form if source.form is None else self._forms.get(source.form)
        return None if form is None else form.item(source.item)


def _unfit(item: Item, condition: Condition, find: Any) -> Iterator[str]:
    """Yield why a relation does not fit the type of the item it looks at."""
    relation, operand = condition.relation, condition.operand()
    other = find(operand)
    if relation in NUMERIC and item.type not in NUMBERS:
        yield f"{item.name} is no number; {relation} compares numbers"
    if relation in NUMERIC and (
        isinstance(operand, str) or (other is not None and other.type not in NUMBERS)
    ):
        yield f"{item.name} is compared with what is no number"
    if relation in TEMPORAL and item.type not in DATES:
        yield f"{item.name} is no date; {relation} compares dates"
    if relation in TEMPORAL and other is not None and other.type not in DATES:
        yield f"{item.name} is compared with {other.name}, which is no date"
    constant_date = isinstance(operand, str) and order(operand, "1000-01-01") is not None
    if relation in TEMPORAL and not isinstance(operand, Source) and not constant_date:
        yield f"{operand} is no date as YYYY-MM-DD"
    if relation in ("is_", "is_not"):
        listed = getattr(condition, relation)
        for value in listed if isinstance(listed, tuple) else (listed,):
            problem = None if item.type == "choice" and item.choices is None else item.check(value)
            if problem is not None:
                yield f"{item.name} is never {value}: it {problem}"
