"""The business rules a message has to pass, as data in ``data/rules.json``: what must stand where, for which region."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any
from xml.etree import ElementTree as ET

from escalon.conduct.safety.icsr.codes import read_table

_NAMES = {"": "urn:hl7-org:v3"}
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        id: element of E2B(R3); what follows a hyphen tells apart rules on one element.
        name: the element in words.
        region: ``ICH`` for all, ``EU`` or ``US``.
        each: where it applies: every element found by this path has to keep the rule.
        path: where to look, from there.
        at: ``@attribute`` or ``text``.
        values: the values allowed; empty: any.
        any: values of which at least one must be there.
        nulls: null flavors allowed instead.
        pattern: what every value must match.
        matching: what at least one value must match.
        when: the rule applies only where this path finds something; ``unless``: where it finds nothing.
        exactly: how many there must be; None: one or more.
        same: all values are the same one.
        licensed: waived in a message that is stamped as not submittable.
        optional: nothing has to be there; what is there keeps the rule.
    """

    id: str
    name: str
    region: str
    each: str
    path: str
    at: str
    values: tuple[str, ...] | None = None
    any: tuple[str, ...] = ()
    nulls: tuple[str, ...] = ()
    pattern: str | None = None
    matching: str | None = None
    when: str | None = None
    unless: str | None = None
    exactly: int | None = None
    same: bool = False
    licensed: bool = False
    optional: bool = False
    element: str = field(default="")


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule that a message breaks."""

    rule: str
    element: str
    text: str

    def __str__(self) -> str:
        """One line: the element and what is wrong."""
        return f"{self.element} ({self.text})"


@cache
def load_rules() -> tuple[Rule, ...]:
    """Return all rules; ValueError for an unknown key."""
    table = read_table("rules")
    known = {item.name for item in fields(Rule)}
    found = []
    for row in table["rules"]:
        unknown = set(row) - known
        if unknown:
            raise ValueError(f"rule {row['id']}: unknown key {sorted(unknown)[0]}")
        row = {key: _filled(value, table["places"]) for key, value in row.items()}
        found.append(Rule(**row, element=row["id"].partition("-")[0]))
    return tuple(found)


def _filled(value: Any, places: dict[str, str]) -> Any:
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, str):
        for name, text in places.items():
            value = value.replace(f"{{{name}}}", text)
    return value


def check_message(text: str, region: str, *, submittable: bool) -> tuple[Fault, ...]:
    """Return what is wrong with the message ``text``; empty when it keeps all rules of ICH and ``region``.

    Raises:
        ValueError: the text is no XML.
    """
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        raise ValueError(f"the report is no XML: {error}") from None
    faults = []
    for rule in load_rules():
        if rule.region in ("ICH", region) and (submittable or not rule.licensed):
            faults += [Fault(rule.id, rule.element, f"{rule.name}: {said}") for said in _broken(root, rule)]
    return tuple(faults)


def _broken(root: ET.Element, rule: Rule) -> Iterator[str]:
    places = _find(root, rule.each) if rule.each else [root]
    if not places and not rule.optional:
        yield "missing"
    for place in places:
        if rule.when is not None and not _find(place, rule.when):
            continue
        if rule.unless is not None and any(_says(one) for one in _find(place, rule.unless)):
            continue
        said = _judge(rule, [place] if rule.path == "." else _find(place, rule.path))
        if said is not None:
            yield said


def _says(one: ET.Element) -> bool:
    """Tell whether an element holds a text or a code."""
    return bool((one.text or "").strip() or one.get("code"))


def _find(place: ET.Element, path: str) -> list[ET.Element]:
    """Elements of ``path``; the standard library keeps prefixes of attributes only when they are spelled out."""
    return place.findall(path.replace("@xsi:type", f"@{_XSI}type"), _NAMES)


def _judge(rule: Rule, found: list[ET.Element]) -> str | None:
    """What is wrong with the elements found, or None."""
    if not found:
        return None if rule.optional else "missing"
    if rule.exactly is not None and len(found) != rule.exactly:
        return f"{len(found)} found, {rule.exactly} needed"
    values = []
    for one in found:
        value = (one.text or "").strip() if rule.at == "text" else one.get(rule.at[1:], "").strip()
        null = one.get("nullFlavor")
        if null is not None:
            if null not in rule.nulls:
                return f"null {null} is not allowed"
            continue
        if not value:
            return "missing"
        values.append(value)
    return _judge_values(rule, values)


def _judge_values(rule: Rule, values: list[str]) -> str | None:
    for value in values:
        if rule.values is not None and value not in rule.values:
            return f"{value!r} is not allowed; right is {', '.join((*rule.values, *rule.nulls))}"
        if rule.pattern is not None and not re.fullmatch(rule.pattern, value, re.DOTALL):
            return f"{value!r} has not the form {rule.pattern}"
    if rule.any and not set(rule.any) & set(values):
        return f"none of {', '.join(rule.any)}"
    if (
        values
        and rule.matching is not None
        and not any(re.fullmatch(rule.matching, value) for value in values)
    ):
        return "missing"
    if rule.same and len(set(values)) > 1:
        return f"several: {', '.join(sorted(set(values)))}"
    return None
