"""The laboratory rules of CTCAE as typed rows, and the one engine that reads them, worst grade first.

A test is true, false or unknown (a needed limit or baseline is missing). The first grade with a true test is
the grade; an unknown test before it makes the result missing, never 0. An ``optional`` test counts as false
when its limit is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from escalon.criteria.operators import OPERATORS, Bools, Floats, compute_met, compute_signif
from escalon.criteria.tables import load_table

VERSIONS = ("5.0", "6.0")
NOT_GRADABLE = -1
INDICATORS = {"unknown": 0, "low": 1, "normal": 2, "high": 3}
LIMIT_NAMES = {"lln": "LLN", "uln": "ULN", "baseline": "baseline"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison: ``left op times x of + plus`` or ``left op limit``, or a recorded qualifier."""

    op: str = ""
    left: str = "value"
    limit: float | None = None
    times: float = 1.0
    of: str | None = None
    plus: float = 0.0
    optional: bool = False
    baseline_is: str | None = None
    baseline_is_not: str | None = None
    unless: tuple[tuple[tuple[str, bool], ...], ...] = ()
    qualifier: str | None = None

    def text(self, unit: str) -> str:
        """The test in words, for example ``value < 1.5 10*9/L`` or ``value > 3 x ULN``."""
        if self.qualifier:
            return self.qualifier.replace("_", " ")
        if self.left == "percent_change":
            return f"fall from baseline of at least {-(self.limit or 0.0):g} %"
        if self.of is None:
            return f"value {self.op} {self.limit:g}" + ("" if unit in ("1", "[pH]") else f" {unit}")
        times = "" if self.times == 1.0 else f"{self.times:g} x "
        plus = f" + {self.plus:g} {unit}" if self.plus else ""
        return f"value {self.op} {times}{LIMIT_NAMES[self.of]}{plus}"


@dataclass(frozen=True, slots=True)
class Alternative:
    """Tests that must hold together; a grade is met when any of its alternatives holds."""

    tests: tuple[Comparison, ...]

    def text(self, unit: str) -> str:
        """The alternative in words."""
        words = " and ".join(test.text(unit) for test in self.tests)
        first = self.tests[0]
        if first.baseline_is:
            words += f" (baseline {first.baseline_is})"
        if first.baseline_is_not:
            words += f" (baseline not {first.baseline_is_not})"
        if first.unless:
            states = " or ".join(
                " and ".join(
                    name.replace("_", " ") if value else f"not {name.replace('_', ' ')}"
                    for name, value in group
                )
                for group in first.unless
            )
            words += f" (unless recorded as {states})"
        return words


@dataclass(frozen=True, slots=True)
class Rule:
    """One gradable laboratory term of one version."""

    version: str
    term: str
    soc: str
    unit: str
    direction: str
    analyte: str | None
    requires: tuple[str, ...]
    not_gradable_below: float | None
    clinical: tuple[tuple[int, str], ...]
    note: str
    tag: str
    source: str  # key of sources.json
    grades: tuple[tuple[int, tuple[Alternative, ...]], ...]

    def qualifiers(self) -> tuple[str, ...]:
        """Names of the recorded qualifiers this rule listens to, in order of appearance."""
        names: dict[str, None] = {}
        for _, alternatives in self.grades:
            for test in (test for alternative in alternatives for test in alternative.tests):
                names.update({name: None for group in test.unless for name, _ in group})
                if test.qualifier:
                    names[test.qualifier] = None
        return tuple(names)

    def needs(self, name: str) -> bool:
        """Whether ``lln``, ``uln`` or ``baseline`` appears anywhere in the rule."""
        tests = [t for _, alternatives in self.grades for a in alternatives for t in a.tests]
        return any(t.of == name or (name == "baseline" and t.left == "percent_change") for t in tests)

    def branches(self) -> bool:
        """Whether the rule differs by the baseline indicator."""
        return any(t.baseline_is for _, alternatives in self.grades for a in alternatives for t in a.tests)


@dataclass(frozen=True, slots=True)
class Inputs:
    """Values in the rule's unit with their limits, all of one length; NaN is missing."""

    value: Floats
    lln: Floats
    uln: Floats
    baseline: Floats
    indicator: NDArray[np.int8]
    qualifiers: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Grade per value (-1 for none) and which alternative of the rule decided (-1 for none)."""

    grade: NDArray[np.int8]
    alternative: NDArray[np.int8]


@cache
def load_rules(version: str) -> dict[str, Rule]:
    """All laboratory rules of ``5.0`` or ``6.0`` by term."""
    table = load_table(f"ctcae_v{version[0]}_lab.json")
    return {row["term"]: _rule(row, table) for row in table["rules"]}


def _rule(row: Mapping[str, Any], table: Mapping[str, Any]) -> Rule:
    return Rule(
        version=table["version"],
        term=row["term"],
        soc=row["soc"],
        unit=row["unit"],
        direction=row["direction"],
        analyte=row.get("analyte"),
        requires=tuple(row.get("requires", ())),
        not_gradable_below=row.get("not_gradable_below"),
        clinical=tuple((int(grade), text) for grade, text in row.get("clinical", {}).items()),
        note=row.get("note", ""),
        tag=row["tag"],
        source=row["source"],
        grades=tuple((step["grade"], tuple(_alternative(a) for a in step["any"])) for step in row["grades"]),
    )


def _alternative(row: Mapping[str, Any]) -> Alternative:
    return Alternative(tuple(_test(part) for part in row["all"]) if "all" in row else (_test(row),))


def _test(row: Mapping[str, Any]) -> Comparison:
    fields = {name: value for name, value in row.items() if name not in ("unless", "value")}
    unless = tuple(tuple(sorted(group.items())) for group in row.get("unless", ()))
    return Comparison(**fields, unless=unless)


def compute_grades(rule: Rule, data: Inputs) -> Outcome:
    """Grade every value by one rule."""
    size = data.value.shape
    grade = np.full(size, NOT_GRADABLE, dtype=np.int8)
    deciding = np.full(size, NOT_GRADABLE, dtype=np.int8)
    missing = np.isnan(data.value)
    for name in rule.requires:
        missing |= np.isnan(getattr(data, name))
    if rule.not_gradable_below is not None:
        missing |= compute_met(data.value, "<", np.full(size, rule.not_gradable_below))
    open_ = ~missing
    lefts = _Lefts(data)
    number = 0
    for step, alternatives in rule.grades:
        unknown = np.zeros(size, dtype=np.bool_)
        for alternative in alternatives:
            true, unsure = _evaluate(alternative, data, lefts)
            hit = open_ & true
            grade[hit], deciding[hit] = step, number
            open_ &= ~true
            unknown |= unsure
            number += 1
        open_ &= ~unknown
    grade[open_] = 0
    return Outcome(grade, deciding)


class _Lefts:
    """Left sides of the tests at ten significant digits, each computed once: NaN where not known."""

    def __init__(self, data: Inputs) -> None:
        self._data = data
        self._known: dict[str, Floats] = {}

    def get(self, name: str) -> Floats:
        """The ``value``, or its ``percent_change`` from baseline."""
        if name not in self._known:
            left = self._data.value
            if name == "percent_change":
                positive = np.where(self._data.baseline > 0.0, self._data.baseline, np.nan)
                left = 100.0 * (left - positive) / positive
            self._known[name] = compute_signif(left)
        return self._known[name]


def _evaluate(alternative: Alternative, data: Inputs, lefts: _Lefts) -> tuple[Bools, Bools]:
    """Three-valued AND: (true, unknown)."""
    true = np.ones(data.value.shape, dtype=np.bool_)
    false = np.zeros(data.value.shape, dtype=np.bool_)
    for test in alternative.tests:
        one_true, one_unknown = _one(test, data, lefts)
        true &= one_true
        false |= ~one_true & ~one_unknown
    return true, ~true & ~false


def _one(test: Comparison, data: Inputs, lefts: _Lefts) -> tuple[Bools, Bools]:
    nothing = np.zeros(data.value.shape, dtype=np.bool_)
    if test.qualifier:
        recorded = data.qualifiers.get(test.qualifier, False)
        return np.full(data.value.shape, recorded), nothing
    if any(all(data.qualifiers.get(name) is value for name, value in group) for group in test.unless):
        return nothing, nothing
    left, right = lefts.get(test.left), _right(test, data)
    applies = ~nothing
    if test.baseline_is:
        applies &= data.indicator == INDICATORS[test.baseline_is]
    if test.baseline_is_not:
        applies &= data.indicator != INDICATORS[test.baseline_is_not]
    unknown = nothing if test.optional else applies & (np.isnan(left) | np.isnan(right))
    return applies & OPERATORS[test.op](left, right), unknown


def _right(test: Comparison, data: Inputs) -> Floats:
    """Right side of a test at ten significant digits: one number, or one per value."""
    if test.of is None:
        return compute_signif(np.asarray(test.limit, dtype=np.float64))
    limits: Floats = getattr(data, test.of)
    if limits.size and (limits == limits[0]).all():  # one laboratory's limit for all
        limits = limits[:1]
    return compute_signif(test.times * limits + test.plus)
