"""Second implementation of time to event on plain day numbers, written from the study's table of situations.

Everything is a day counted from the infusion (day 0). It goes through the situations day by day, as a reader
would, and imports nothing from the package.
"""

WINDOWS = [
    (25, 31),
    (49, 63),
    (77, 98),
    (169, 197),
    (260, 288),
    (351, 379),
    (443, 471),
    (534, 562),
    (625, 653),
    (717, 745),
]
HORIZON = 731


def last_before(days: list[int], day: int, start: int) -> int:
    """Last of ``days`` on or before ``day``; ``start`` when there is none."""
    best = start
    for candidate in days:
        if start <= candidate <= day:
            best = candidate
    return best


def progression_free(
    start: int,
    assessed: list[tuple[int, str]],
    death: int | None,
    transplant: int | None,
    therapy: int | None,
    sensitivity: bool = False,
) -> tuple[int, str]:
    """Return (days, what ended them). ``assessed``: day and one of OK, PROGRESSION, BAD, in order of day."""
    adequate = [day for day, kind in assessed if kind == "OK" and day >= start]
    ends = [day for day, kind in assessed if kind == "PROGRESSION" and day >= start]
    ends += [] if death is None else [death]
    end = min(ends) if ends else None
    stops = {} if sensitivity else {therapy: "NEW_THERAPY", transplant: "TRANSPLANT"}
    stops = {day: name for day, name in stops.items() if day is not None and day <= HORIZON}
    for day in range(start, 5000):
        if end == day:
            return day - start, "EVENT"
        if day in stops:
            return last_before(adequate, day, start) - start, stops[day]
        if not sensitivity and end is not None and gap(adequate, end, start, day):
            return last_before(adequate, end, start) - start, "MISSED_VISITS"
        if day == HORIZON and (end is not None or (bool(adequate) and adequate[-1] > HORIZON)):
            return HORIZON - start, "HORIZON"
    if adequate:
        return adequate[-1] - start, "LAST_ASSESSMENT"
    return 0, "NOT_ASSESSED"


def gap(adequate: list[int], end: int, start: int, day: int) -> bool:
    """Whether by ``day`` two visits have closed unattended since the last assessment before ``end``."""
    seen = last_before(adequate, end, start)
    return len([w for w in WINDOWS if seen < w[0] and w[1] < end and w[1] <= day]) == 2
