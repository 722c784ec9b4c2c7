"""Events to canonical text and back, so that equal events are equal bytes in any ledger."""

import json
from dataclasses import fields
from datetime import UTC, datetime
from functools import cache
from typing import Any, get_type_hints

from escalon.conduct import events as ev
from escalon.conduct.events import DltStatus

_KINDS: dict[str, type] = {kind.__name__: kind for kind in ev.Event.__args__}


def encode(event: ev.Event) -> tuple[str, str]:
    """Return the kind of ``event`` and its payload: JSON with sorted keys, ASCII, no spaces."""
    payload = {item.name: _plain(getattr(event, item.name)) for item in fields(event)}
    return type(event).__name__, canonical(payload)


def decode(kind: str, payload: str) -> ev.Event:
    """Return the event of ``kind`` written as ``payload``; ValueError for an unknown kind."""
    if kind not in _KINDS:
        raise ValueError(f"unknown event kind {kind!r}; this software knows {', '.join(_KINDS)}")
    values = json.loads(payload)
    readers = _readers(kind)
    event: ev.Event = _KINDS[kind](
        **{name: readers[name](value) if name in readers else value for name, value in values.items()}
    )
    return event


def canonical(value: Any) -> str:
    """Return ``value`` as JSON with one spelling: sorted keys, ASCII, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False)


def _plain(value: Any) -> Any:
    return utc_text(value) if isinstance(value, datetime) else value


def utc_text(moment: datetime) -> str:
    """Return ``moment`` in UTC as text with microseconds, the one spelling the ledger uses."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone; the ledger keeps UTC")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


@cache
def _readers(kind: str) -> dict[str, Any]:
    """Return for each field of ``kind`` that JSON cannot spell how to read it back."""
    readers: dict[str, Any] = {}
    for name, hint in get_type_hints(_KINDS[kind]).items():
        if hint is datetime:
            readers[name] = datetime.fromisoformat
        elif hint is DltStatus:
            readers[name] = DltStatus
        elif getattr(hint, "__origin__", None) is tuple:
            readers[name] = tuple
    return readers
