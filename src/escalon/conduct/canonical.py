"""One spelling for everything that is hashed: equal content is equal bytes."""

import hashlib
import json
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

_SPELL = json.JSONEncoder(sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode


def canonical(value: Any) -> str:
    """Return ``value`` as JSON with one spelling: sorted keys, ASCII, no spaces, no NaN."""
    return _SPELL(value)


def utc_text(moment: datetime) -> str:
    """Return ``moment`` in UTC as text with microseconds, the one spelling the ledger uses."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone; the ledger keeps UTC")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def plain(value: Any) -> Any:
    """Return ``value`` (dataclasses, moments, tuples, mappings inside it too) as JSON can hold it."""
    if isinstance(value, datetime):
        return utc_text(value)
    if is_dataclass(value):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def content_hash(value: Any) -> str:
    """Return SHA-256 (hexadecimal) of the canonical JSON of ``value``."""
    return hashlib.sha256(canonical(plain(value)).encode()).hexdigest()
