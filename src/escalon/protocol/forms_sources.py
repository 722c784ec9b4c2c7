"""The source-data agreement (DC-3): for every item where its answer comes from, where that is kept and whose it is."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from escalon.protocol.forms import Form
from escalon.protocol.forms_items import DataOwner, DataSource, Item


@dataclass(frozen=True, slots=True)
class ItemSource:
    """What was agreed about one item; ``group`` is '' for an item of the record itself.

    ``source`` is entered (the form is the source), transcribed, imported or derived; ``found_in`` names the document
    or system where the source is kept; ``owner`` is the site or the sponsor; ``retired`` the version it ended with.
    """

    form: str
    group: str
    item: str
    label: str
    type: str
    source: DataSource
    found_in: str
    owner: DataOwner
    critical: bool
    retired: str


def source_agreement(forms: Iterable[Form]) -> tuple[ItemSource, ...]:
    """Return one row for every item of the forms, retired ones too, in the order of forms and items."""
    return tuple(_row(form, group, item) for form in forms for group, item in _items(form))


def _items(form: Form) -> Iterator[tuple[str, Item]]:
    yield from (("", item) for item in form.items)
    yield from ((group.group, item) for group in form.groups for item in group.items)


def _row(form: Form, group: str, item: Item) -> ItemSource:
    return ItemSource(
        form.form,
        group,
        item.name,
        item.label,
        item.type,
        item.source or form.source,
        item.found_in or form.found_in,
        form.owner_of(item),
        item.critical,
        item.retired or "",
    )
