"""Whose data an entry changes (DC-4): the site's people write what the site owns, the sponsor's what it owns."""

from collections.abc import Iterator, Mapping
from typing import Any

from escalon.conduct.act import Refused
from escalon.protocol.conduct.people import SITE_ROLES
from escalon.protocol.forms import Form
from escalon.protocol.forms_items import Item


def refuse_owner(
    form: Form, before: Mapping[str, Any], values: Mapping[str, Any], role: str
) -> Refused | None:
    """Return why somebody acting as ``role`` may not go over from the answers ``before`` to ``values``."""
    side = "site" if role in SITE_ROLES else "sponsor"
    for item in _changed(form, before, values):
        owner = form.owner_of(item)
        if owner != side:
            return Refused(
                "DC-4 owner", f"{form.form}.{item.name} belongs to the {owner}; {role} acts for the {side}"
            )
    return None


def _changed(form: Form, before: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[Item]:
    yield from (item for item in form.items if before.get(item.name) != values.get(item.name))
    for group in form.groups:
        for item in group.items:
            old, new = (_column(entry, group.group, item.name) for entry in (before, values))
            if old != new:
                yield item


def _column(values: Mapping[str, Any], group: str, item: str) -> list[Any]:
    """The answers to an item of a group, row by row, without rows at the end that do not answer it."""
    column = [row.get(item) for row in values.get(group) or ()]
    while column and column[-1] is None:
        column.pop()
    return column
