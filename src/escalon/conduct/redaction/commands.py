"""What people ask for to redact personal data that was entered by mistake."""

from dataclasses import dataclass
from typing import Any

from escalon.conduct.act import Command


@dataclass(frozen=True, slots=True)
class Target:
    """The event to redact as the ledger holds it now; the ledger fills it in, whatever the sender wrote."""

    kind: str
    payload: dict[str, Any]
    erasable: bool


@dataclass(frozen=True, slots=True)
class RedactValue(Command):
    """Request that items of event ``target_seq`` are destroyed; another person confirms.

    ``items`` are paths of fields, parts joined by dots: ``reason``, ``values.AETERM``. ``reason`` must not repeat
    what is to be redacted.
    """

    target_seq: int
    items: tuple[str, ...]
    reason: str
    target: Target | None = None


@dataclass(frozen=True, slots=True)
class ConfirmRedaction(Command):
    """Confirm redaction number ``redaction``: its items are destroyed now."""

    redaction: int
    target: Target | None = None
