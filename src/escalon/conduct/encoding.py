"""Events to canonical text and back, so that equal events are equal bytes in any ledger."""

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from escalon.conduct.act import Event
from escalon.conduct.canonical import canonical, utc_text
from escalon.conduct.topics import TOPICS

KINDS: dict[str, type[Event]] = {kind.__name__: kind for topic in TOPICS for kind in topic.apply}
_Reader = Callable[[Any], Any]


def encode(event: Event) -> tuple[str, str]:
    """Return the kind of ``event`` and its payload: JSON with sorted keys, ASCII, no spaces."""
    return type(event).__name__, canonical(_plain(event))


def field_values(event: Event) -> dict[str, Any]:
    """Return the fields of ``event`` in their order, as values that JSON can hold."""
    values: dict[str, Any] = _plain(event)
    return values


def decode(kind: str, payload: str) -> Event:
    """Return the event of ``kind`` written as ``payload``; ValueError for an unknown kind."""
    return from_values(kind, json.loads(payload))


def from_values(kind: str, values: dict[str, Any]) -> Event:
    """Return the event of ``kind`` with these fields, as JSON holds them; ValueError for an unknown kind."""
    if kind not in KINDS:
        raise ValueError(f"unknown event kind {kind!r}; this software knows {', '.join(KINDS)}")
    event: Event = _read(KINDS[kind], values)
    return event


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return utc_text(value)
    if is_dataclass(value):
        return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _read(kind: type, values: dict[str, Any]) -> Any:
    readers = _readers(kind)
    return kind(
        **{name: readers[name](value) if name in readers else value for name, value in values.items()}
    )


@cache
def _readers(kind: type) -> dict[str, _Reader]:
    """Return for each field of ``kind`` that JSON cannot spell how to read it back."""
    found = {name: _reader(hint) for name, hint in get_type_hints(kind).items()}
    return {name: reader for name, reader in found.items() if reader is not None}


def _reader(hint: Any) -> _Reader | None:
    """How to read a value of the type ``hint`` from JSON; None if JSON holds it as it is."""
    if hint is datetime:
        return datetime.fromisoformat
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint
    if isinstance(hint, type) and is_dataclass(hint):
        return lambda value: _read(hint, value)
    if get_origin(hint) is UnionType:
        inner = _reader(next(part for part in get_args(hint) if part is not type(None)))
        return None if inner is None else lambda value: None if value is None else inner(value)
    if get_origin(hint) is tuple:
        item = _reader(get_args(hint)[0])
        return tuple if item is None else lambda value: tuple(item(one) for one in value)
    return None
