"""Flags of the audit trail, written again from docs/conduct/records.md: every row looks back over all lines before it.

Imports nothing of ours. A line is a dict: ``seq``, ``at`` (datetime, UTC), ``what`` (form, adjudication, signature,
lock, other), ``patient``, and for a form ``record``, ``version`` and ``happened`` (text or None); for a signature
``on`` (casebook or the name of a record).
"""

from datetime import datetime, timedelta
from typing import Any


def naive_flags(
    lines: list[dict[str, Any]], cuts: list[datetime], near_days: float, late_days: float
) -> list[set[str]]:
    """Return the flags of each line."""
    return [_flags(line, lines[:place], cuts, near_days, late_days) for place, line in enumerate(lines)]


def _flags(
    line: dict[str, Any],
    before: list[dict[str, Any]],
    cuts: list[datetime],
    near_days: float,
    late_days: float,
) -> set[str]:
    mine = [one for one in before if one["patient"] == line["patient"]]
    judged = any(one["what"] == "adjudication" for one in mine)
    near = any(abs((line["at"] - cut).total_seconds()) <= near_days * 86400 for cut in cuts)
    if line["what"] == "adjudication" and judged:
        return {"after_adjudication"} | ({"near_cut"} if near else set())
    if line["what"] != "form":
        return set()
    if line["version"] == 1:
        return {"late_entry"} if _late(line, late_days) else set()
    found = {"near_cut"} if near else set()
    if judged:
        found.add("after_adjudication")
    if any(one["what"] == "lock" for one in mine):
        found.add("after_lock")
    first = min(one["seq"] for one in mine if one["what"] == "form" and one["record"] == line["record"])
    for one in mine:
        on_it = one.get("on") == line["record"] or (one.get("on") == "casebook" and one["seq"] > first)
        if one["what"] == "signature" and on_it:
            found.add("after_signature")
    return found


def _late(line: dict[str, Any], days: float) -> bool:
    happened = line["happened"]
    if happened is None or len(happened) < 10:
        return False
    if len(happened) == 10:
        year, month, day = (int(part) for part in happened.split("-"))
        entered = datetime(line["at"].year, line["at"].month, line["at"].day)
        return (entered - datetime(year, month, day)).days > days
    moment = datetime.fromisoformat(happened)
    return line["at"] - moment > timedelta(days=days)
