"""The marker that stands where something was redacted: ``{"redacted": N}`` in a payload, ``Redacted`` in the state."""

from collections.abc import Mapping
from typing import Any

KEY = "redacted"


class Redacted(str):
    """What is read of a redacted item: the text ``redacted``, told from typed text by its type.

    ``number`` is the number of the redaction.
    """

    __slots__ = ("number",)
    number: int

    def __new__(cls, number: int) -> "Redacted":
        """Return the marker of redaction ``number``."""
        made = super().__new__(cls, KEY)
        made.number = number
        return made


def masked(payload: Mapping[str, Any], items: tuple[str, ...], number: int) -> dict[str, Any]:
    """Return ``payload`` with the named items replaced by the marker of redaction ``number``.

    Args:
        payload: fields of an event as JSON holds them.
        items: paths of fields, parts joined by dots: ``reason``, ``values.AETERM``; rows of a group by their
            place from 0: ``values.MEDS.0.TEXT``.
        number: of the redaction.

    Raises:
        ValueError: an item is not in the payload.
    """
    result: Any = dict(payload)
    for item in items:
        result = _mask(result, item.split("."), item, number)
    return dict(result)


def _mask(value: Any, path: list[str], item: str, number: int) -> Any:
    if not path:
        return {KEY: number}
    first, rest = path[0], path[1:]
    if isinstance(value, Mapping) and first in value:
        return {**value, first: _mask(value[first], rest, item, number)}
    if isinstance(value, list) and first.isdecimal() and int(first) < len(value):
        place = int(first)
        return [*value[:place], _mask(value[place], rest, item, number), *value[place + 1 :]]
    raise ValueError(f"the event has no item {item}")


def unmarked(value: Any) -> Any:
    """Return a payload as it is read: every marker became ``Redacted``."""
    if isinstance(value, dict):
        if set(value) == {KEY}:
            return Redacted(value[KEY])
        return {name: unmarked(item) for name, item in value.items()}
    if isinstance(value, list):
        return [unmarked(item) for item in value]
    return value
