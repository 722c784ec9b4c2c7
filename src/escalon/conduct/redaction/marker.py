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
        items: paths of fields, parts joined by dots: ``reason``, ``values.AETERM``.
        number: of the redaction.

    Raises:
        ValueError: an item is not in the payload.
    """
    result = dict(payload)
    for item in items:
        first, _, rest = item.partition(".")
        if first not in result or (rest and not isinstance(result[first], Mapping)):
            raise ValueError(f"the event has no item {item}")
        result[first] = masked(result[first], (rest,), number) if rest else {KEY: number}
    return result


def unmarked(value: Any) -> Any:
    """Return a payload as it is read: every marker became ``Redacted``."""
    if isinstance(value, dict):
        if set(value) == {KEY}:
            return Redacted(value[KEY])
        return {name: unmarked(item) for name, item in value.items()}
    if isinstance(value, list):
        return [unmarked(item) for item in value]
    return value
