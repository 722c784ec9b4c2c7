"""Values of items: what was answered, what is missing and why, and dates that are known only in part.

A missing code is an object of its own, ``{"missing": "ND"}`` with an optional ``reason``: it differs from no answer
(None) and from an empty text. A partial date is written as far as it is known: ``2021``, ``2021-03``, ``2021-03-04``.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal, get_args

MissingCode = Literal["ND", "UNK", "NASK", "NA"]
MISSING_CODES: dict[str, str] = {
    "ND": "not done",
    "UNK": "unknown",
    "NASK": "not asked",
    "NA": "not applicable",
}
assert set(MISSING_CODES) == set(get_args(MissingCode))
_PARTIAL = re.compile(r"(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2}))?)?")


def missing(code: MissingCode, reason: str | None = None) -> dict[str, str]:
    """Return the value that says an answer is missing, and why."""
    return {"missing": code} if reason is None else {"missing": code, "reason": reason}


def missing_code(value: Any) -> str | None:
    """Return the missing code ``value`` stands for, or None when it is no missing code."""
    if not isinstance(value, Mapping) or not set(value) <= {"missing", "reason"}:
        return None
    code = value.get("missing")
    return code if isinstance(code, str) and code in MISSING_CODES else None


def answered(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with None in place of each missing code, in the rows of groups too."""
    return {name: _answer(value) for name, value in values.items()}


def _answer(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [answered(row) if isinstance(row, Mapping) else row for row in value]
    return None if missing_code(value) is not None else value


def is_partial_date(value: Any) -> bool:
    """Tell whether ``value`` is a date of the calendar, written to its year, month or day."""
    found = _PARTIAL.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return False
    try:
        date(int(found["year"]), int(found["month"] or 1), int(found["day"] or 1))
    except ValueError:
        return False
    return True


def order(one: Any, other: Any) -> int | None:
    """Compare two dates, partial dates or moments: -1 earlier, 0 the same, 1 later, None when nobody can tell.

    Two moments with a zone are compared as instants. Otherwise both are read as written and compared as far as
    both are known: 2021-03 comes before 2021-04-02, and against 2021-03-02 it is undecided.
    """
    if not (_is_time(one) and _is_time(other)):
        return None
    if "T" in one and "T" in other:
        first, second = datetime.fromisoformat(one), datetime.fromisoformat(other)
        return (first > second) - (first < second)
    days = one[:10], other[:10]
    known = min(len(day) for day in days)
    left, right = (day[:known] for day in days)
    if left != right:
        return 1 if left > right else -1
    return 0 if one == other and len(one) == 10 else None


def _is_time(value: Any) -> bool:
    if is_partial_date(value):
        return True
    try:
        return isinstance(value, str) and "T" in value and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
