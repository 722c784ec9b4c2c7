"""CTCAE laboratory grades, versions 5.0 and 6.0 side by side and never mixed.

Conventions: the worst grade is tried first; values are converted to the table's unit and compared at ten
significant digits without rounding; an exact threshold follows its printed operator. A missing limit or
baseline that the decision needs gives no grade, with the reason. The baseline counts as HIGH or LOW by its
recorded indicator, else by the limits given; without either the rules for a normal baseline hold. Recorded
qualifiers (symptoms, treatment, anticoagulant) are used under the policy ``recorded``; unrecorded ones, and
all of them under ``worst``, are taken at their worst. Grade 5 is never given by a laboratory value.

Source: NCI CTCAE v5.0 (27 Nov 2017) and v6.0; machine-readable rules of pharmaverse admiral, Apache-2.0 (see
NOTICE).
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from escalon.criteria.lab_rules import (
    INDICATORS,
    LIMIT_NAMES,
    NOT_GRADABLE,
    VERSIONS,
    Inputs,
    Outcome,
    Rule,
    compute_grades,
    load_rules,
)
from escalon.criteria.operators import Floats
from escalon.criteria.result import Grade, check_code, check_finite, check_flag
from escalon.criteria.units import compute_factor

POLICIES = ("recorded", "worst")
_SHORT = {
    "alt increased": "Alanine aminotransferase increased",
    "ast increased": "Aspartate aminotransferase increased",
    "alp increased": "Alkaline phosphatase increased",
    "ldh increased": "Blood lactate dehydrogenase increased",
    "aptt prolonged": "Activated partial thromboplastin time prolonged",
}


@dataclass(frozen=True, slots=True)
class LabGrades:
    """Grades of many values of one term.

    Attributes:
        grade: int8, one per value; -1 where no grade can be given.
        clause: the deciding clause per value.
        reason: why a grade is missing, per value; empty where there is one.
        term: CTCAE term.
        version: CTCAE version.
    """

    grade: NDArray[np.int8]
    clause: NDArray[np.object_]
    reason: NDArray[np.object_]
    term: str
    version: str


def terms(version: str = "5.0") -> tuple[str, ...]:
    """The laboratory terms that can be graded in a version, in table order."""
    return tuple(load_rules(check_version(version)))


def check_version(version: str) -> str:
    """Return ``5.0`` or ``6.0``.

    Raises:
        ValueError: for any other version.
    """
    check_code("version", version, VERSIONS)
    return version


def find_rule(term: str, version: str = "5.0") -> Rule:
    """The rule of a laboratory term, found without regard to case.

    Raises:
        ValueError: for an unknown term, with the nearest terms, or a term of the other version only.
    """
    rules = load_rules(check_version(version))
    by_name = {name.lower(): rule for name, rule in rules.items()}
    wanted = _SHORT.get(term.lower(), term).lower()
    if wanted in by_name:
        return by_name[wanted]
    elsewhere = [v for v in VERSIONS if v != version and wanted in map(str.lower, load_rules(v))]
    if elsewhere:
        raise ValueError(f"term: {term!r} is a laboratory term of CTCAE {elsewhere[0]}, not of {version}")
    near = difflib.get_close_matches(wanted, by_name, n=3, cutoff=0.5)
    hint = "; near: " + ", ".join(by_name[name].term for name in near) if near else ""
    raise ValueError(f"term: {term!r} is not a laboratory term of CTCAE {version}{hint}")


def grade_lab(
    term: str,
    value: float | None,
    unit: str | None = None,
    lln: float | None = None,
    uln: float | None = None,
    baseline: float | None = None,
    *,
    version: str = "5.0",
    baseline_indicator: str | None = None,
    qualifiers: Mapping[str, bool | None] | None = None,
    policy: str = "recorded",
) -> Grade:
    """Grade one laboratory value.

    Args:
        term: CTCAE term, for example ``Neutrophil count decreased``.
        value: the result, 0 or more, in ``unit``; None is missing.
        unit: UCUM code of value, limits and baseline; None reads them in the table's own unit, and says so.
        lln: lower limit of normal, same unit.
        uln: upper limit of normal, same unit, above 0.
        baseline: value before treatment, same unit.
        version: ``5.0`` or ``6.0``.
        baseline_indicator: ``LOW``, ``NORMAL`` or ``HIGH``; None takes it from baseline and limits.
        qualifiers: recorded facts such as ``{"symptomatic": False}``; None is not recorded; see
            ``find_rule(term).qualifiers()``.
        policy: ``recorded`` uses the qualifiers, ``worst`` assumes the worst whatever was recorded.

    Returns:
        Grade 0 to 4, or None with the reason.

    Raises:
        ValueError: for an unknown term, unit, version, indicator, qualifier or policy, a negative number, a
            lower limit above the upper one, or a lower limit of 0 where it decides.

    Example:
        >>> grade_lab("Neutrophil count decreased", 0.4, unit="10*9/L", lln=1.8, uln=7.5).grade
        4
    """
    rule = find_rule(term, version)
    numbers = (value, lln, uln, baseline)
    for name, number in zip(("value", *LIMIT_NAMES), numbers, strict=True):
        check_finite(f"{name} of {rule.term}", number)
    arrays = [np.array([np.nan if number is None else number], dtype=np.float64) for number in numbers]
    data = _inputs(rule, arrays, unit, baseline_indicator, qualifiers, policy)
    outcome = compute_grades(rule, data)
    grade = int(outcome.grade[0])
    reasons = _notes(rule, data, unit, numbers, baseline_indicator, qualifiers, policy)
    if grade == NOT_GRADABLE:
        return Grade(
            None, "not gradable", (str(_reasons(rule, data, outcome)[0]), *reasons), "CTCAE", version
        )
    clause = (
        _clauses(rule)[int(outcome.alternative[0])] if grade else f"{rule.term}: no grade 1 to 4 rule is met"
    )
    shown = f"value {data.value[0]:g}" + ("" if rule.unit in ("1", "[pH]") else f" {rule.unit}")
    return Grade(grade, clause, (shown, *reasons), "CTCAE", version)


def grade_labs(
    term: str,
    values: ArrayLike,
    unit: str | None = None,
    lln: ArrayLike | None = None,
    uln: ArrayLike | None = None,
    baseline: ArrayLike | None = None,
    *,
    version: str = "5.0",
    baseline_indicator: str | Sequence[str | None] | None = None,
    qualifiers: Mapping[str, bool | None] | None = None,
    policy: str = "recorded",
) -> LabGrades:
    """Grade many values of one term; NaN is missing.

    Args:
        term: CTCAE term.
        values: numbers, one-dimensional, in ``unit``.
        unit: UCUM code; None reads the table's own unit.
        lln: one number or one per value; NaN or None is missing. The same holds for ``uln`` and ``baseline``.
        uln: upper limit of normal.
        baseline: values before treatment.
        version: ``5.0`` or ``6.0``.
        baseline_indicator: one for all, or one per value.
        qualifiers: recorded facts that hold for all values.
        policy: ``recorded`` or ``worst``.

    Raises:
        ValueError: as ``grade_lab``, and for arrays whose lengths differ.

    Example:
        >>> grade_labs("Platelet count decreased", [160.0, 60.0, 10.0], lln=150.0).grade.tolist()
        [0, 2, 4]
    """
    rule = find_rule(term, version)
    numbers = np.atleast_1d(np.asarray(values, dtype=np.float64))
    if numbers.ndim != 1:
        raise ValueError(f"values: {numbers.ndim} dimensions; give one list of numbers")
    arrays = [numbers]
    for name, given in (("lln", lln), ("uln", uln), ("baseline", baseline)):
        column = np.asarray(np.nan if given is None else given, dtype=np.float64)
        if column.shape not in ((), (1,), numbers.shape):
            raise ValueError(
                f"{name}: {column.size} numbers for {numbers.size} values; give one or one per value"
            )
        arrays.append(np.broadcast_to(column, numbers.shape).copy())
    data = _inputs(rule, arrays, unit, baseline_indicator, qualifiers, policy)
    outcome = compute_grades(rule, data)
    texts = np.array(
        [*_clauses(rule), f"{rule.term}: no grade 1 to 4 rule is met", "not gradable"], dtype=object
    )
    place = outcome.alternative.astype(np.intp)
    place[outcome.grade == 0] = texts.size - 2
    place[outcome.grade == NOT_GRADABLE] = texts.size - 1
    return LabGrades(outcome.grade, texts[place], _reasons(rule, data, outcome), rule.term, version)


def _inputs(
    rule: Rule,
    arrays: Sequence[Floats],
    unit: str | None,
    indicator: str | Sequence[str | None] | None,
    qualifiers: Mapping[str, bool | None] | None,
    policy: str,
) -> Inputs:
    factor = 1.0 if unit is None else compute_factor(unit, rule.unit, rule.analyte)
    for name, column in zip(("value", "lln", "uln", "baseline"), arrays, strict=True):
        _check_numbers(rule.term, name, column, positive=name == "uln")
    value, lln, uln, baseline = (column * factor for column in arrays)
    check_code("policy", policy, POLICIES)
    _check_limits(rule, arrays[1], arrays[2])
    recorded = _recorded(rule, qualifiers)
    if policy == "worst":
        recorded = {name: state for name, state in recorded.items() if state}
    codes = _indicator(indicator, value.shape)
    derived = np.select(
        [baseline > uln, baseline < lln, ~np.isnan(baseline) & ~(np.isnan(uln) & np.isnan(lln))],
        [INDICATORS["high"], INDICATORS["low"], INDICATORS["normal"]],
        INDICATORS["unknown"],
    ).astype(np.int8)
    return Inputs(value, lln, uln, baseline, np.where(codes == 0, derived, codes), recorded)


def _check_numbers(term: str, name: str, column: Floats, positive: bool) -> None:
    wrong = np.isinf(column) | (column < 0.0) | (positive & (column == 0.0))
    if np.any(wrong):
        least = "above 0" if positive else "0 or more"
        raise ValueError(
            f"{name}: {column[wrong][0]:g} for {term}; a laboratory number is finite and {least}"
        )


def _check_limits(rule: Rule, lln: Floats, uln: Floats) -> None:
    if rule.needs("lln") and np.any(lln == 0.0):
        raise ValueError(f"lln: 0 for {rule.term}; a lower limit that decides is above 0")
    crossed = lln > uln
    if np.any(crossed):
        low, high = lln[crossed][0], uln[crossed][0]
        raise ValueError(f"lln: {low:g} for {rule.term} is above uln {high:g}; the two may be exchanged")


def _recorded(rule: Rule, qualifiers: Mapping[str, bool | None] | None) -> dict[str, bool]:
    """The qualifiers that were recorded; None is not recorded."""
    for name, state in (qualifiers or {}).items():
        check_code(f"qualifiers of {rule.term}", name, rule.qualifiers() or ("(none)",))
        check_flag(f"qualifiers of {rule.term}: {name}", state, unknown=True)
    return {name: state for name, state in (qualifiers or {}).items() if state is not None}


def _indicator(given: str | Sequence[str | None] | None, shape: tuple[int, ...]) -> NDArray[np.int8]:
    listed = [given] * shape[0] if given is None or isinstance(given, str) else list(given)
    if len(listed) != shape[0]:
        raise ValueError(
            f"baseline_indicator: {len(listed)} for {shape[0]} values; give one or one per value"
        )
    for code in set(listed) - {None}:
        check_code("baseline_indicator", str(code), ("LOW", "NORMAL", "HIGH"))
    return np.array([INDICATORS[(code or "unknown").lower()] for code in listed], dtype=np.int8)


def _clauses(rule: Rule) -> list[str]:
    return [
        f"{rule.term} grade {step}: {alternative.text(rule.unit)}"
        for step, alternatives in rule.grades
        for alternative in alternatives
    ]


def _reasons(rule: Rule, data: Inputs, outcome: Outcome) -> NDArray[np.object_]:
    """Why a grade is missing, per value; one text per pattern of what is absent."""
    names = [name for name in LIMIT_NAMES if rule.needs(name)]
    pattern = np.zeros(data.value.shape, dtype=np.intp)
    for place, name in enumerate(names):
        pattern += np.isnan(getattr(data, name)).astype(np.intp) << place
    texts = [_absent_text([name for place, name in enumerate(names) if code >> place & 1])
             for code in range(1 << len(names))]  # fmt: skip
    value_missing, too_low, none = len(texts), len(texts) + 1, len(texts) + 2
    texts += ["value is missing", f"below {rule.not_gradable_below or 0:g} {rule.unit}: {rule.note}", ""]
    if rule.not_gradable_below is not None:
        pattern[data.value < rule.not_gradable_below] = too_low
    pattern[np.isnan(data.value)] = value_missing
    pattern[outcome.grade != NOT_GRADABLE] = none
    return np.array(texts, dtype=object)[pattern]


def _absent_text(absent: Sequence[str]) -> str:
    return f"{' and '.join(LIMIT_NAMES[name] for name in absent)} missing: the grade depends on it"


def _notes(
    rule: Rule,
    data: Inputs,
    unit: str | None,
    numbers: Sequence[float | None],
    indicator: str | None,
    qualifiers: Mapping[str, bool | None] | None,
    policy: str,
) -> tuple[str, ...]:
    notes: list[str] = []
    if unit is None and rule.unit != "1":
        notes.append(f"unit not given: read as {rule.unit}")
    for name, number in zip(LIMIT_NAMES, numbers[1:], strict=True):
        if rule.needs(name):
            shown = getattr(data, name)[0]
            notes.append(f"{LIMIT_NAMES[name]} {'missing' if number is None else format(shown, 'g')}")
    if rule.branches():
        read = {code: name for name, code in INDICATORS.items()}[int(data.indicator[0])].upper()
        how = "as recorded" if indicator else "from the limits"
        notes.append(
            "baseline indicator missing: rules for a normal baseline"
            if read == "UNKNOWN"
            else f"baseline {read}, {how}"
        )
    known = _recorded(rule, qualifiers)
    open_names = [name for name in rule.qualifiers() if policy == "worst" or name not in known]
    worst = [name for name in open_names if name not in ("transfusion_indicated", "bleeding")]
    if worst:
        notes.append(f"taken at its worst: {', '.join(name.replace('_', ' ') for name in worst)}")
    return tuple(notes)
