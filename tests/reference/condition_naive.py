"""Conditions over answers, evaluated a second time from docs/conduct/records.md alone.

Truth is a set of what is still possible: {True}, {False} or {True, False}. Joints try every combination.
"""

from datetime import datetime
from itertools import product
from typing import Any

BOTH = frozenset({True, False})


def truth(
    condition: dict[str, Any], values: dict[str, Any], others: list[Any], patient: dict[str, Any]
) -> Any:
    """True, False or None for a condition as YAML spells it."""
    possible = _possible(condition, values, others, patient)
    return None if len(possible) == 2 else next(iter(possible))


def _possible(c: dict[str, Any], v: dict[str, Any], o: list[Any], p: dict[str, Any]) -> frozenset[bool]:
    if "not" in c:
        return frozenset(not one for one in _possible(c["not"], v, o, p))
    for joint, join in (("all", all), ("any", any)):
        if joint in c:
            parts = [_possible(part, v, o, p) for part in c[joint]]
            return frozenset(join(choice) for choice in product(*parts))
    answer = _relation(c, _value(c, v, o, p), lambda x: _value(x, v, o, p))
    return BOTH if answer is None else frozenset({answer})


def _value(x: Any, v: dict[str, Any], others: list[Any], p: dict[str, Any]) -> Any:
    if not isinstance(x, dict):
        return x
    if "patient" in x:
        return p.get(x["patient"])
    if "times" in x:
        total: Any = 1
        for factor in x["times"]:
            number = _value(factor, v, others, p)
            if not _number(number):
                return None
            total = total * number
        return total
    if "form" not in x:
        return v.get(x["item"])
    found = [w[x["item"]] for f, visit, w in others if f == x["form"] and x.get("visit", visit) == visit
             and w.get(x["item"]) is not None]  # fmt: skip
    if x.get("pick", "latest") in ("lowest", "highest"):
        found = sorted(one for one in found if _number(one))
    return None if not found else found[0 if x.get("pick") in ("first", "lowest") else -1]


def _relation(c: dict[str, Any], value: Any, read: Any) -> bool | None:
    code = value.get("missing") if isinstance(value, dict) else None
    if "given" in c:
        return (value is None or code is not None) != c["given"]
    if "missing" in c:
        return code in c["missing"]
    if value is None or code is not None:
        return None
    for name in ("is", "is_not"):
        if name in c:
            listed = c[name] if isinstance(c[name], list) else [c[name]]
            return (value in listed) is (name == "is")
    name = next(key for key in c if key in _ORDER or key == "differs_from")
    other = read(c[name])
    if name in ("before", "not_before", "after", "not_after"):
        sign = _sign(value, other)
        return None if sign is None else sign in _ORDER[name]
    if not _number(value) or not _number(other):
        return None
    if name == "differs_from":
        return abs(value - other) > c["by_more_than"] * abs(other)
    return ((value > other) - (value < other)) in _ORDER[name]


_ORDER = {
    "less_than": (-1,), "at_most": (-1, 0), "at_least": (0, 1), "more_than": (1,),
    "before": (-1,), "not_before": (0, 1), "after": (1,), "not_after": (-1, 0),
}  # fmt: skip


def _sign(one: Any, other: Any) -> int | None:
    """Compare year by year, month by month, day by day; moments by their instants."""
    if not (isinstance(one, str) and isinstance(other, str)) or not (
        one[:1].isdigit() and other[:1].isdigit()
    ):
        return None  # a text such as CRS is no time
    if "T" in one and "T" in other:
        gap = (datetime.fromisoformat(one) - datetime.fromisoformat(other)).total_seconds()
        return 0 if gap == 0 else 1 if gap > 0 else -1
    left, right = one.split("T")[0].split("-"), other.split("T")[0].split("-")
    for first, second in zip(left, right, strict=False):
        if first != second:
            return 1 if int(first) > int(second) else -1
    whole = len(left) == len(right) == 3 and "T" not in one + other
    return 0 if whole else None


def _number(x: Any) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool)
