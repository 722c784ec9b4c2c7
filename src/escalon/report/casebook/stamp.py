"""Who did something, as what, for whom and when: what the ledger says beside the value itself (AT-2)."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from escalon.store.chain import Entry


@dataclass(frozen=True, slots=True)
class Stamp:
    """The circumstances of one event.

    Name, role and organisation are those at that time, never today's. What an event of scheme 1 does not say is ''.

    Attributes:
        seq: number of the event in the ledger.
        at: UTC, by the clock of the server.
        tz: IANA zone of the person's site.
        door: how it reached the ledger: import, system, virtual ...
        software: version of the software that wrote it.
        study: hash of the study version it was written under.
        request: what all events of one act share.
    """

    seq: int
    at: datetime
    tz: str
    person: str
    name: str
    role: str
    org: str
    site: str
    door: str
    software: str
    study: str
    request: str

    @property
    def utc(self) -> str:
        """The moment in UTC, to the second."""
        return f"{self.at:%Y-%m-%d %H:%M:%S} UTC"

    @property
    def local(self) -> str:
        """The moment at the person's site; '' where that is UTC or not known."""
        return local_time(self.at, self.tz)

    @property
    def title(self) -> str:
        """The role as words."""
        return self.role.replace("_", " ")


def local_time(at: datetime, tz: str) -> str:
    """Return a moment in the zone ``tz`` with the zone's name, '' for UTC or no zone.

    >>> local_time(datetime(2021, 3, 4, 2, tzinfo=UTC), "America/New_York")
    '2021-03-03 21:00:00 -0500 America/New_York'
    """
    if tz in ("", "UTC"):
        return ""
    try:
        there = at.astimezone(ZoneInfo(tz))
    except (ZoneInfoNotFoundError, ValueError):
        return f"{tz}: this computer does not know the zone"
    return f"{there:%Y-%m-%d %H:%M:%S %z} {tz}"


def stamp_of(entry: Entry) -> Stamp:
    """Return the circumstances of an entry."""
    context = json.loads(entry.context) if entry.context else {}
    return Stamp(
        entry.seq,
        datetime.fromisoformat(entry.at).astimezone(UTC),
        entry.tz,
        entry.actor_id,
        entry.actor_name,
        entry.role,
        entry.org,
        entry.site,
        context.get("origin", ""),
        context.get("software", ""),
        context.get("study", ""),
        context.get("request", "") or entry.at,
    )
