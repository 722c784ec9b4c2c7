"""Rules that join several parts of a study folder. Each check yields (path, rule) for every fault it finds."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from escalon.criteria import ctcae
from escalon.protocol.tagged_yaml import Path

Found = Iterator[tuple[Path, str]]


def check_levels(dose_levels: Any) -> Found:
    """Levels are numbered 1, 2, 3 ... and their doses increase."""
    for index, level in enumerate(dose_levels):
        if level.level != index + 1:
            yield (
                ("dose_levels", index, "level"),
                f"levels are numbered in order; this one must be {index + 1}",
            )
        if index and level.dose <= dose_levels[index - 1].dose:
            before = dose_levels[index - 1].dose
            yield (
                ("dose_levels", index, "dose"),
                f"doses increase from level to level; this follows {before:g}",
            )


def check_level_count(dose_levels: Any, escalation: Any) -> Found:
    """The escalation plan has as many levels as the study."""
    if escalation.levels != len(dose_levels):
        yield (
            ("escalation", "levels"),
            f"dose_levels lists {len(dose_levels)} levels; the plan must have as many",
        )


def check_visits(visits: Any) -> Found:
    """Visit ids are unique; a window holds its day; windows overlap only where both visits allow it."""
    yield from _unique("visits", "id", visits)
    for index, visit in enumerate(visits):
        low, high = visit.window
        if not low <= visit.day <= high:
            rule = f"the window [{low}, {high}] needs low <= day <= high for day {visit.day}"
            yield ("visits", index, "window"), rule
        for other in visits[:index]:
            apart = high < other.window[0] or other.window[1] < low
            declared = other.id in visit.overlaps or visit.id in other.overlaps
            if not (apart or declared or other.id == visit.id):
                rule = (
                    f"the windows of {other.id} {list(other.window)} and {visit.id} {[low, high]} overlap; "
                    "separate them, or name one in the other's `overlaps`"
                )
                yield ("visits", index, "window"), rule


def check_response_visits(visits: Any, response: Any) -> Found:
    """Every response visit is a visit of the study."""
    known = {visit.id for visit in visits}
    for index, visit_id in enumerate(response.visits):
        if visit_id not in known:
            yield ("response", "visits", index), "not among the visits; name one of them"


def check_regimens(regimens: Any, products: Any) -> Found:
    """Regimens are unique and use listed products before the infusion."""
    yield from _unique("regimens", "id", regimens)
    known = {product.name for product in products}
    for index, regimen in enumerate(regimens):
        for number, dose in enumerate(regimen.doses):
            path: Path = ("regimens", index, "doses", number)
            if dose.product not in known:
                yield (*path, "product"), "not among the products; name one of them"
            if max(dose.days) >= 0:
                yield (*path, "days"), "lymphodepletion days come before the infusion; they are negative"


def check_parts(parts: Any, escalation: Any) -> Found:
    """Escalation and expansion are both there; the plan's size is the part's."""
    yield from _unique("parts", "id", parts)
    sizes = {part.id: part.patients for part in parts}
    for needed in ("escalation", "expansion"):
        if needed not in sizes:
            yield ("parts",), f"the part {needed} is missing"
    if sizes.get("escalation", escalation.max_patients) != escalation.max_patients:
        rule = f"the escalation part has {sizes['escalation']} patients; the plan must have the same"
        yield ("escalation", "max_patients"), rule


def check_ages(identity: Any) -> Found:
    """The age range is not empty."""
    if identity.minimum_age >= identity.maximum_age:
        yield ("identity", "maximum_age"), f"must lie above the minimum age of {identity.minimum_age}"


def check_ctcae(dlt: Any, grading: Any) -> Found:
    """One CTCAE version in one study."""
    if dlt.ctcae_version != grading.ctcae:
        yield (
            ("dlt", "ctcae_version"),
            f"grading.ctcae is {grading.ctcae}; versions are never mixed in a study",
        )


def check_window_visit(dlt: Any, visits: Any) -> Found:
    """A visit ends the DLT window; its laboratory panel completes the window."""
    if not any(visit.day == dlt.window_days for visit in visits):
        yield ("dlt", "window_days"), "no visit has this day; the window ends with a visit"


def check_reference_safety(reference_safety: Any, products: Any) -> Found:
    """Reference safety information belongs to an investigational product; one version a day, each term once."""
    known = {product.name for product in products if product.investigational}
    seen: set[tuple[str, Any]] = set()
    for index, row in enumerate(reference_safety):
        if row.product not in known:
            yield ("reference_safety", index, "product"), "not an investigational product of the study"
        if (row.product, row.valid_from) in seen:
            yield (
                ("reference_safety", index, "valid_from"),
                f"{row.product} has a version of this day already",
            )
        seen.add((row.product, row.valid_from))
        yield from _unique_terms(("reference_safety", index, "expected"), row.expected)


def _unique_terms(path: Path, rows: Any) -> Found:
    seen: set[str] = set()
    for number, row in enumerate(rows):
        if row.term.lower() in seen:
            yield (*path, number, "term"), f"{row.term} stands twice; each term has one grade"
        seen.add(row.term.lower())


def check_laboratory_terms(grading: Any) -> Found:
    """Every laboratory term is one the criteria can grade in its version."""
    for index, row in enumerate(grading.laboratory):
        for version in ("5.0", "6.0"):
            column = f"ctcae_{version[0]}"
            term = getattr(row, column)
            if term is not None and term not in ctcae.terms(version):
                rule = f"not a laboratory term of CTCAE {version}; name one, or null"
                yield ("grading", "laboratory", index, column), rule


def _unique(section: str, key: str, rows: Iterable[Any]) -> Found:
    seen: set[str] = set()
    for index, row in enumerate(rows):
        name = getattr(row, key)
        if name in seen:
            yield (section, index, key), f"{name} stands twice; each {key} is used once"
        seen.add(name)


CHECKS: tuple[tuple[tuple[str, ...], Callable[..., Found]], ...] = (
    (("identity",), check_ages),
    (("dose_levels",), check_levels),
    (("dose_levels", "escalation"), check_level_count),
    (("visits",), check_visits),
    (("visits", "response"), check_response_visits),
    (("regimens", "products"), check_regimens),
    (("parts", "escalation"), check_parts),
    (("dlt", "grading"), check_ctcae),
    (("dlt", "visits"), check_window_visit),
    (("reference_safety", "products"), check_reference_safety),
    (("grading",), check_laboratory_terms),
    (("endpoints",), lambda endpoints: _unique("endpoints", "id", endpoints)),
    (("products",), lambda products: _unique("products", "name", products)),
)


def cross_checks(sections: Mapping[str, Any]) -> Found:
    """Run every check whose sections are all present in ``sections`` (field name to validated value)."""
    for needs, check in CHECKS:
        if all(name in sections for name in needs):
            yield from check(*(sections[name] for name in needs))
