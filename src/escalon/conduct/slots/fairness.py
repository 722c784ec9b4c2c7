"""How evenly sites were served: requests, seats, expiries and waiting times per site, from the history of the slots.

A wait runs from the request to the first reservation. Who still waits, or left the queue without a reservation, has
no such time and is counted apart. Quartiles interpolate linearly between the ordered waits (type 7 of Hyndman and Fan
1996, doi 10.1080/00031305.1996.10473566).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from escalon.conduct.slots.queue import EXPIRED
from escalon.conduct.slots.state import Slot, Status
from escalon.conduct.state import State


@dataclass(frozen=True, slots=True)
class SiteService:
    """One site: numbers of slots, and quartiles of the waits in hours (None without any)."""

    site: str
    requests: int
    reserved: int
    confirmed: int
    released: int
    expired: int
    waiting: int
    gone_unserved: int
    wait_median: float | None
    wait_lower: float | None
    wait_upper: float | None


def fairness(state: State) -> tuple[SiteService, ...]:
    """Return one row per site that is registered or has asked; ``released`` leaves out what expired."""
    sites = sorted({*state.people.sites, *(slot.site for slot in state.slots.slots)})
    return tuple(_service(site, [one for one in state.slots.slots if one.site == site]) for site in sites)


def _service(site: str, slots: list[Slot]) -> SiteService:
    waits = sorted(
        (served - one.requested_at) / timedelta(hours=1) for one in slots if (served := _served(one))
    )
    over = [one for one in slots if one.status is Status.RELEASED]
    expired = sum(one.history[-1].reason.startswith(EXPIRED) for one in over)
    return SiteService(
        site,
        len(slots),
        len(waits),
        sum(any(step.status is Status.CONFIRMED for step in one.history) for one in slots),
        len(over) - expired,
        expired,
        sum(one.waits for one in slots),
        sum(_served(one) is None for one in over),
        *(_quantile(waits, share) for share in (0.5, 0.25, 0.75)),
    )


def _served(slot: Slot) -> datetime | None:
    return next((step.at for step in slot.history if step.status is Status.RESERVED), None)


def _quantile(ordered: list[float], share: float) -> float | None:
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return round(ordered[low] + (place - low) * (ordered[high] - ordered[low]), 2)
