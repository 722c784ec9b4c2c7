"""What is wrong with a mapping is found with the study folder, before any file is imported by it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from escalon.protocol.conduct.imports import ImportColumn, ImportMapping
from escalon.protocol.forms import Form
from escalon.protocol.forms_items import NUMBERS, Item
from escalon.protocol.forms_ucum import ucum_factor
from escalon.protocol.forms_units import is_ucum
from escalon.protocol.tagged_yaml import Path

Found = Iterator[tuple[Path, str]]
NEAR = 1e-6
"""Relative distance between a stated factor and that of UCUM from which it is called wrong."""


def check_imports(mappings: Iterable[ImportMapping], forms: Mapping[str, Form]) -> Found:
    """Yield (path in conduct.yaml, rule) for every fault of the mappings.

    Args:
        mappings: ``capture.imports``.
        forms: by name, with choices filled in.
    """
    seen: set[str] = set()
    for index, mapping in enumerate(mappings):
        path: Path = ("capture", "imports", index)
        if mapping.id in seen:
            yield (*path, "id"), f"the mapping {mapping.id} stands twice; ids are unique"
        seen.add(mapping.id)
        form = forms.get(mapping.form)
        if form is None:
            yield (*path, "form"), f"the study has no form {mapping.form}"
            continue
        yield from _check_group(mapping, form, path)
        yield from _check_whole_rows(mapping, form, path)
        yield from _twice(mapping, path)
        for number, column in enumerate(mapping.columns):
            yield from _check_column(column, mapping, form, (*path, "columns", number))
        yield from _check_missing(mapping, form, path)


def group_of(form: Form, item: str) -> str | None:
    """Return the group an item stands in, or None for an item of the record itself."""
    return next((g.group for g in form.groups if any(one.name == item for one in g.items)), None)


def _check_group(mapping: ImportMapping, form: Form, path: Path) -> Found:
    known = {group.group for group in form.groups}
    if mapping.group is not None and mapping.group not in known:
        yield (*path, "group"), f"{form.form} has no group {mapping.group}"
    if mapping.group is not None and not any(group_of(form, i) == mapping.group for i in mapping.items):
        yield (*path, "group"), f"no column brings an item of {mapping.group}"


def _check_whole_rows(mapping: ImportMapping, form: Form, path: Path) -> Found:
    """Rows of a group replace those before them, so that the file has to speak of all their items."""
    for group in form.groups:
        named = {item.name for item in group.items} & set(mapping.items)
        left = [item.name for item in group.items if item.retired is None and item.name not in named]
        if named and left:
            yield (*path, "columns"), f"rows of {group.group} come whole; the mapping leaves out {left[0]}"


def _twice(mapping: ImportMapping, path: Path) -> Found:
    for what, names in (
        ("item", [column.item for column in mapping.columns]),
        ("column", [column.column for column in mapping.columns if column.column is not None]),
        ("code", [column.code for column in mapping.columns if column.code is not None]),
    ):
        for name, count in Counter(names).items():
            if count > 1:
                yield (*path, "columns"), f"the {what} {name} stands {count} times; once is right"


def _check_column(column: ImportColumn, mapping: ImportMapping, form: Form, path: Path) -> Found:
    item = form.item(column.item)
    if item is None:
        yield (*path, "item"), f"{form.form} has no item {column.item}"
        return
    group = group_of(form, column.item)
    if mapping.long is None and group is not None and group != mapping.group:
        yield (*path, "item"), f"{item.name} stands in the group {group}; name it as the mapping's `group`"
    if group is not None and mapping.long is not None and mapping.long.row is None:
        yield (*path, "item"), f"{item.name} stands in the group {group}; name the column of its rows"
    if group is not None and mapping.long is not None and column.code is None:
        yield (*path, "column"), f"{item.name} stands in the group {group}; in the long layout it has a code"
    if item.retired is not None:
        yield (*path, "item"), f"{item.name} is not asked since version {item.retired}"
    if (item.source or form.source) == "derived":
        yield (*path, "item"), f"{item.name} is derived; it is not imported"
    for text, code in column.codes.items():
        problem = item.check(code) if item.type not in NUMBERS else "is a number"
        if problem is not None:
            yield (*path, "codes", text), f"{item.name} is never {code}: it {problem}"
    yield from _check_units(column, item, path)


def _check_units(column: ImportColumn, item: Item, path: Path) -> Found:
    spelled = [(("unit",), column.unit)] if column.unit is not None else []
    spelled += [(("units", text), code) for text, code in column.units.items()]  # type: ignore[misc]
    if (spelled or column.factors) and (item.type not in NUMBERS or item.unit is None):
        yield path, f"{item.name} has no unit in the form; a unit of the file cannot be converted"
        return
    for where, code in spelled:
        if not is_ucum(code):
            yield (*path, *where), "no UCUM code; see ucum.org (case counts: 10*9/L, umol/L)"
        elif ucum_factor(code, str(item.unit)) is None:
            rule = f"UCUM does not convert {code} into {item.unit} of {item.name}; state the factor"
            yield (*path, *where), rule
    for text, factor in column.factors.items():
        right = ucum_factor(text, str(item.unit))
        if right is not None and abs(factor - right) > NEAR * right:
            yield (*path, "factors", text), f"one {text} is {right:g} {item.unit} of {item.name} by UCUM"


def _check_missing(mapping: ImportMapping, form: Form, path: Path) -> Found:
    items = [item for item in map(form.item, mapping.items) if item is not None]
    for text, code in mapping.missing.items():
        if not any(code in item.missing for item in items):
            yield (*path, "missing", text), f"no item of the mapping may be missing as {code}"
