"""Facts of redaction."""

from dataclasses import dataclass
from typing import Any

from escalon.conduct.act import Event


@dataclass(frozen=True, slots=True)
class RedactionRequested(Event):
    """A first person asked to redact ``items`` of event ``target_seq``."""

    redaction: int
    target_seq: int
    items: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class ValueRedacted(Event):
    """A second person confirmed: salt and value of event ``target_seq`` are destroyed.

    ``replacement`` is the payload to read instead: the same with the marker ``{"redacted": N}`` for each item.
    """

    redaction: int
    target_seq: int
    kind: str
    items: tuple[str, ...]
    replacement: dict[str, Any]
    requested_by: str
    confirmed_by: str
