"""Data on which the safety of patients rests (DC-2): a second person confirms them, or a hard check validates them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Self

from pydantic import Field, model_validator

from escalon.protocol.conduct.model import Model
from escalon.protocol.forms import Form
from escalon.protocol.tagged_yaml import Path


class CriticalDatum(Model):
    """A datum such as the dose given, and what guards each of its items, named as FORM.ITEM."""

    name: str = Field(min_length=1, max_length=60)
    confirmed: tuple[str, ...] = Field(default=(), description="items a second person confirms")
    checked: dict[str, str] = Field(
        default_factory=dict, description="item to the hard check that looks at it"
    )

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        if not (self.confirmed or self.checked):
            raise ValueError(f"{self.name}: name an item that is confirmed or checked")
        return self


def check_critical(data: Iterable[CriticalDatum], forms: Mapping[str, Form]) -> Iterator[tuple[Path, str]]:
    """Yield (path in conduct.yaml, rule) for every item that is not guarded as the study says."""
    for index, datum in enumerate(data):
        path: Path = ("capture", "critical", index)
        for number, name in enumerate(datum.confirmed):
            form, item = _named(name, forms)
            found = None if form is None else form.item(item)
            if found is None:
                yield (*path, "confirmed", number), f"the study has no item {name}"
            elif not found.critical:
                yield (*path, "confirmed", number), f"{name} is not `critical: true`; nobody confirms it"
        for name, check in datum.checked.items():
            yield from (((*path, "checked", name), rule) for rule in _unchecked(name, check, forms))


def _unchecked(name: str, check: str, forms: Mapping[str, Form]) -> Iterator[str]:
    form, item = _named(name, forms)
    if form is None or form.item(item) is None:
        yield f"the study has no item {name}"
        return
    known = next((one for one in form.checks if one.id == check), None)
    if known is None:
        yield f"{form.form} has no check {check}"
    elif known.severity != "hard":
        yield f"{check} is {known.severity}; only a hard check refuses a wrong answer"
    elif item not in {source.item for source in known.when.sources() if source.form is None}:
        yield f"{check} does not look at {name}"


def _named(name: str, forms: Mapping[str, Form]) -> tuple[Form | None, str]:
    form, _, item = name.partition(".")
    return forms.get(form), item
