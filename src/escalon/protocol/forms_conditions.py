"""Conditions over the answers of a form, as data: small, declarative, never run as code.

A condition names what it looks at (an item of this record, an item of another record of the patient, a fact of the
patient, or a product of those) and one relation; or it joins conditions by ``all``, ``any`` or ``not``:

    {item: AECAT, is: [CRS]}
    {item: AEENDTC, before: {item: AESTDTC}}
    {item: EXDOSE, differs_from: {item: EXPDOSE}, by_more_than: 0.1}
    {all: [{item: AESDTH, is: Y}, {not: {item: AEOUT, is: FATAL}}]}

The answer is true, false or None (nobody can tell, since something is not answered), by the strong logic of Kleene:
``all`` is false as soon as one part is false, ``any`` true as soon as one is true, ``not`` of unknown is unknown.
Only ``given`` and ``missing`` always know. Every condition has an answer for every record; none raises an error.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from escalon.protocol.forms_values import MissingCode, missing_code, order

Pick = Literal["first", "latest", "lowest", "highest"]
PatientFact = Literal["consented_on", "enrolled_at", "infused_at", "assigned_dose"]
Truth = bool | None
NUMERIC = ("less_than", "at_most", "at_least", "more_than", "differs_from")
TEMPORAL = ("before", "not_before", "after", "not_after")


class Source(BaseModel):
    """Where a value comes from: exactly one of ``item``, ``patient`` and ``times``.

    ``form`` takes the item from the patient's other records of that form (at ``visit``, if named); ``pick`` says
    from which: the first or latest recorded, or the one with the lowest or highest number.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    item: str | None = None
    form: str | None = None
    visit: str | None = None
    pick: Pick = "latest"
    patient: PatientFact | None = None
    times: tuple["Operand", ...] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(value is not None for value in (self.item, self.patient, self.times)) != 1:
            raise ValueError("a value comes from exactly one of item, patient and times")
        if self.form is None and (self.visit is not None or self.pick != "latest"):
            raise ValueError("visit and pick choose among the records of another form; name the form")
        if self.form is not None and self.item is None:
            raise ValueError("a form is named together with its item")
        return self


Operand = int | float | str | Source
Listed = tuple[str | int | float, ...]


class Condition(BaseModel):
    """What must hold; see the module for the relations and their logic."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item: str | None = None
    form: str | None = None
    visit: str | None = None
    pick: Pick = "latest"
    patient: PatientFact | None = None
    times: tuple[Operand, ...] | None = None
    is_: Listed | str | int | float | None = Field(default=None, alias="is")
    is_not: Listed | str | int | float | None = None
    given: bool | None = None
    missing: tuple[MissingCode, ...] | None = None
    less_than: Operand | None = None
    at_most: Operand | None = None
    at_least: Operand | None = None
    more_than: Operand | None = None
    differs_from: Operand | None = None
    by_more_than: float | None = Field(default=None, ge=0)
    before: Operand | None = None
    not_before: Operand | None = None
    after: Operand | None = None
    not_after: Operand | None = None
    all: tuple["Condition", ...] | None = Field(default=None, min_length=1)
    any: tuple["Condition", ...] | None = Field(default=None, min_length=1)
    not_: "Condition | None" = Field(default=None, alias="not")

    @model_validator(mode="after")
    def _one_relation(self) -> Self:
        joined = [name for name in ("all", "any", "not_") if getattr(self, name) is not None]
        relations = [name for name in RELATIONS if getattr(self, name) is not None]
        if len(joined) + len(relations) != 1:
            known = ", ".join(name.rstrip("_") for name in (*RELATIONS, "all", "any", "not_"))
            raise ValueError(f"a condition has exactly one of {known}")
        if (self.by_more_than is not None) != (self.differs_from is not None):
            raise ValueError("differs_from and by_more_than (a fraction) stand together")
        if joined and (self.item or self.patient or self.times):
            raise ValueError("all, any and not join conditions; they look at no value themselves")
        if relations:
            self.source()
        return self

    @property
    def relation(self) -> str:
        """Name of the relation, or of the joint."""
        return next(name for name in (*RELATIONS, "all", "any", "not_") if getattr(self, name) is not None)

    def source(self) -> Source:
        """What the relation looks at."""
        return Source(
            item=self.item,
            form=self.form,
            visit=self.visit,
            pick=self.pick,
            patient=self.patient,
            times=self.times,
        )

    def parts(self) -> "tuple[Condition, ...]":
        """The conditions this one joins."""
        return self.all or self.any or (() if self.not_ is None else (self.not_,))

    def operand(self) -> Operand | None:
        """What the value is compared with, where the relation compares."""
        if self.relation not in (*NUMERIC, *TEMPORAL):
            return None
        found: Operand | None = getattr(self, self.relation)
        return found

    def words(self) -> str:
        """The condition as a person reads it."""
        relation, parts = self.relation, self.parts()
        if relation == "not_":
            return f"not ({parts[0].words()})"
        if parts:
            joint = " and " if relation == "all" else " or "
            return joint.join(part.words() if not part.parts() else f"({part.words()})" for part in parts)
        value = _words(self.source())
        if relation == "given":
            return f"{value} is {'answered' if self.given else 'empty'}"
        if relation == "differs_from":
            return f"{value} differs from {_words(self.operand())} by more than {self.by_more_than:.0%}"
        compared = _words(getattr(self, relation))
        return f"{value} {_RELATION_WORDS.get(relation, relation.replace('_', ' '))} {compared}"

    def sources(self) -> "Iterator[Source]":
        """Every value the condition looks at."""
        for part in self.parts():
            yield from part.sources()
        if not self.parts():
            yield from _within(self.source())
            yield from _within(self.operand())


RELATIONS = ("is_", "is_not", "given", "missing", *NUMERIC, *TEMPORAL)
_RELATION_WORDS = {
    "is_": "is",
    "missing": "is missing as",
    "less_than": "is less than",
    "at_most": "is at most",
    "at_least": "is at least",
    "more_than": "is more than",
    "before": "lies before",
    "not_before": "does not lie before",
    "after": "lies after",
    "not_after": "does not lie after",
}
Source.model_rebuild()
Condition.model_rebuild()


def _words(value: Any) -> str:
    if isinstance(value, tuple):
        return " or ".join(map(_words, value))
    if not isinstance(value, Source):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if value.patient is not None:
        return value.patient.replace("_", " ")
    if value.times is not None:
        return " x ".join(map(_words, value.times))
    if value.form is None:
        return str(value.item)
    at = f" at {value.visit}" if value.visit else ""
    return f"the {value.pick} {value.form}.{value.item}{at}"


def _within(operand: Operand | None) -> Iterator[Source]:
    if isinstance(operand, Source):
        yield operand
        for factor in operand.times or ():
            yield from _within(factor)


@dataclass(frozen=True, slots=True)
class Answers:
    """What a condition can look at.

    Attributes:
        values: the record, or one row of a group over it.
        records: the patient's other records as (form, visit, values), in the order they were first recorded.
        patient: facts of the patient by name; times as text.
    """

    values: Mapping[str, Any]
    records: Sequence[tuple[str, str | None, Mapping[str, Any]]] = ()
    patient: Mapping[str, Any] = field(default_factory=dict)


def holds(condition: Condition, answers: Answers) -> Truth:
    """Return whether ``condition`` holds: True, False, or None when it cannot be told."""
    relation = condition.relation
    if relation == "all":
        return _all(holds(part, answers) for part in condition.parts())
    if relation == "any":
        return _not(_all(_not(holds(part, answers)) for part in condition.parts()))
    if relation == "not_":
        return _not(holds(condition.parts()[0], answers))
    value = look_up(condition.source(), answers)
    if relation == "given":
        return (value is not None and missing_code(value) is None) == condition.given
    if relation == "missing":
        return missing_code(value) in (condition.missing or ())
    if value is None or isinstance(value, Mapping | list | tuple):
        return None
    if relation in ("is_", "is_not"):
        return _is_one_of(value, getattr(condition, relation)) == (relation == "is_")
    return _compare(condition, value, look_up(condition.operand(), answers))


def look_up(operand: Operand | None, answers: Answers) -> Any:
    """Return the value of ``operand``: a constant itself, an answer, or None when there is none."""
    if not isinstance(operand, Source):
        return operand
    if operand.patient is not None:
        return answers.patient.get(operand.patient)
    if operand.times is not None:
        return _product([look_up(factor, answers) for factor in operand.times])
    assert operand.item is not None
    if operand.form is None:
        return answers.values.get(operand.item)
    found = [
        values.get(operand.item)
        for form, visit, values in answers.records
        if form == operand.form and operand.visit in (None, visit)
    ]
    return _pick(operand.pick, [value for value in found if value is not None])


def _pick(pick: Pick, found: list[Any]) -> Any:
    if pick in ("first", "latest"):
        return None if not found else found[0 if pick == "first" else -1]
    numbers = [value for value in found if _is_number(value)]
    return None if not numbers else (min if pick == "lowest" else max)(numbers)


def _product(factors: list[Any]) -> float | None:
    product = 1.0
    for factor in factors:
        if not _is_number(factor):
            return None
        product *= factor
    return product if isfinite(product) else None


def _compare(condition: Condition, value: Any, other: Any) -> Truth:
    relation = condition.relation
    if relation in TEMPORAL:
        sign = order(value, other)
        truths = {"before": (-1,), "not_before": (0, 1), "after": (1,), "not_after": (-1, 0)}
        return None if sign is None else sign in truths[relation]
    if not (_is_number(value) and _is_number(other)):
        return None
    if relation == "differs_from":
        return bool(abs(value - other) > (condition.by_more_than or 0.0) * abs(other))
    return {
        "less_than": bool(value < other),
        "at_most": bool(value <= other),
        "at_least": bool(value >= other),
        "more_than": bool(value > other),
    }[relation]


def _is_one_of(value: Any, listed: Any) -> bool:
    return value in (listed if isinstance(listed, tuple) else (listed,))


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return (isinstance(value, int) and abs(value) < 2**1000) or isfinite(value)


def _not(truth: Truth) -> Truth:
    return None if truth is None else not truth


def _all(truths: Iterator[Truth]) -> Truth:
    found = list(truths)
    if False in found:
        return False
    return None if None in found else True
