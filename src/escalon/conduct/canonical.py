"""One spelling for everything that is hashed: equal content is equal bytes."""

import json
from datetime import UTC, datetime
from typing import Any


def canonical(value: Any) -> str:
    """Return ``value`` as JSON with one spelling: sorted keys, ASCII, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False)


def utc_text(moment: datetime) -> str:
    """Return ``moment`` in UTC as text with microseconds, the one spelling the ledger uses."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone; the ledger keeps UTC")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
