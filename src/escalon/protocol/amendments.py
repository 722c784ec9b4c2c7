"""What changes from one version of a study to the next, and what a change may not do (DC-12)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel

from escalon.protocol.forms import Form
from escalon.protocol.load import StudyFolder

# The key by which rows of a list are the same row in both versions.
KEYS = ("id", "level", "name", "group", "form", "version", "endpoint", "number", "item", "kind", "product")
AREAS = {
    "dose_levels": "dose",
    "escalation": "escalation rule",
    "stagger": "stagger",
    "dlt": "DLT definition",
    "visits": "visit",
    "regimens": "regimen",
    "stopping": "stopping rule",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: ``change`` is added, removed, changed or retired; ``where`` is a dotted path in ``area``."""

    area: str
    where: str
    change: str
    before: Any = None
    after: Any = None

    def words(self) -> str:
        """The difference as one sentence for a committee."""
        if self.change == "changed":
            return f"{self.area} {self.where}: {_short(self.before)} becomes {_short(self.after)}"
        shown = self.after if self.change == "added" else self.before
        detail = "" if self.change == "retired" or shown is None else f": {_short(shown)}"
        return f"{self.area} {self.where} is {self.change}{detail}"


def diff_studies(old: StudyFolder, new: StudyFolder) -> tuple[Difference, ...]:
    """Return every difference between two versions of a study: sections, forms, items, checks, rules of conduct.

    The order is that of the study's sections, then forms, then rules. Sources, layout and comments do not count.
    """
    found: list[Difference] = []
    for name in type(new.study).model_fields:
        if name in ("sources", "amendments"):
            continue
        before, after = (_plain(getattr(folder.study, name)) for folder in (old, new))
        area = AREAS.get(name, name.replace("_", " "))
        found += (replace(one, area=area) for one in _differ(before, after, ()))
    found += _form_differences(old.forms, new.forms)
    rules = _plain(old.conduct), _plain(new.conduct)
    found += (replace(one, area="rule of conduct") for one in _differ(*rules, ()))
    return tuple(found)


def breaking(old: StudyFolder, new: StudyFolder) -> tuple[str, ...]:
    """Return what the new version would destroy, one sentence each; such a version cannot be adopted.

    Retired items and forms stay readable, so nothing that was asked is taken away: an item that is not asked any
    more is marked ``retired``. What an answer means stays: another type or unit is another item. Dose levels keep
    number, dose and unit.
    """
    found: list[str] = []
    for name, form in old.forms.items():
        if name not in new.forms:
            found.append(f"form {name} is gone; keep it and retire its items")
            continue
        found += _lost_items(form, new.forms[name])
    levels = {level.level: level for level in new.study.dose_levels}
    for level in old.study.dose_levels:
        other = levels.get(level.level)
        if other is None or (other.dose, other.unit) != (level.dose, level.unit):
            found.append(
                f"dose level {level.level} ({level.dose:g} {level.unit}) changes; levels keep their dose"
            )
    kept = {visit.id for visit in new.study.visits}
    found += [
        f"visit {visit.id} is gone; records point to it" for visit in old.study.visits if visit.id not in kept
    ]
    return tuple(found)


def _lost_items(old: Form, new: Form) -> Iterator[str]:
    groups = {group.group for group in new.groups}
    yield from (f"group {old.form}.{g.group} is gone" for g in old.groups if g.group not in groups)
    old_homes, new_homes = _homes(old), _homes(new)
    for item in old.all_items():
        where, other = f"{old.form}.{item.name}", new.item(item.name)
        if other is None or old_homes[item.name] != new_homes[item.name]:
            yield f"item {where} is gone; mark it `retired` instead"
        elif other.type != item.type:
            yield f"item {where} changes its type from {item.type} to {other.type}; add a new item"
        elif other.unit != item.unit:
            yield f"item {where} changes its unit from {item.unit} to {other.unit}; add a new item"
        elif item.retired is not None and other.retired is None:
            yield f"item {where} was retired and comes back; add a new item"


def _homes(form: Form) -> dict[str, str]:
    """The group each item stands in; '' for the record itself."""
    inside = {item.name: group.group for group in form.groups for item in group.items}
    return {item.name: inside.get(item.name, "") for item in form.all_items()}


def _form_differences(old: Mapping[str, Form], new: Mapping[str, Form]) -> Iterator[Difference]:
    for name in dict.fromkeys((*old, *new)):
        if name not in new or name not in old:
            change = "removed" if name in old else "added"
            yield Difference("form", name, change)
            continue
        before, after = _terse(old[name]), _terse(new[name])
        retired = {i.name for i in new[name].all_items() if i.retired} - {
            i.name for i in old[name].all_items() if i.retired
        }
        for one in _differ(before, after, (name,)):
            step = one.where.split(".")
            if len(step) > 1 and step[-1] == "retired" and step[-2] in retired:
                yield Difference("item", f"{name}.{step[-2]}", "retired")
                continue
            kinds = {"items": "item", "checks": "check", "groups": "group"}
            area = next((kinds[part] for part in reversed(step) if part in kinds), "form")
            where = ".".join(part for part in step if part not in kinds)
            yield replace(one, area=area, where=where)


def _differ(before: Any, after: Any, path: tuple[str, ...]) -> Iterator[Difference]:
    if before == after:
        return
    first, second = _by_key(before), _by_key(after)
    if first is None or second is None:
        yield Difference("", ".".join(path), "changed", before, after)
        return
    for key in dict.fromkeys((*first, *second)):
        here = (*path, key)
        if key not in second or key not in first:
            change = "removed" if key in first else "added"
            yield Difference("", ".".join(here), change, first.get(key), second.get(key))
        else:
            yield from _differ(first[key], second[key], here)


def _by_key(value: Any) -> dict[str, Any] | None:
    """A mapping, or a list of rows that name themselves, as a mapping; None for anything else."""
    if isinstance(value, dict):
        return {str(key): inner for key, inner in value.items()}
    if not isinstance(value, list) or not value or not all(isinstance(row, dict) for row in value):
        return {} if value == [] else None
    for key in KEYS:
        names = [str(row[key]) for row in value if key in row]
        if len(names) == len(value) and len(set(names)) == len(names):
            return dict(zip(names, value, strict=True))
    return None


def _plain(value: Any) -> Any:
    """Models as plain data, without what is not set."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_none=True)
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    return value


def _terse(form: Form) -> dict[str, Any]:
    """A form as plain data, without what it leaves at its default."""
    return form.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _short(value: Any) -> str:
    text = ", ".join(f"{k} {_short(v)}" for k, v in value.items()) if isinstance(value, dict) else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def succeed(new: StudyFolder, old: StudyFolder) -> StudyFolder:
    """Return ``new`` with ``old`` and everything before it as its earlier versions."""
    return replace(new, earlier={**old.earlier, old.hash: replace(old, earlier={})})
