"""Totality, monotonicity, units, speed and refusals of the laboratory grades."""

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalon.criteria import ctcae
from escalon.criteria.lab_rules import Alternative, Comparison, Inputs, compute_grades
from escalon.criteria.units import compute_factor

ALL = [(version, term) for version in ("5.0", "6.0") for term in ctcae.terms(version)]
LIMITS = {"lln": 0.9, "uln": 1.9, "baseline": 1.0, "baseline_indicator": "NORMAL"}


def all_points(rule):
    """Every threshold of a rule for LIMITS, with one step either side, and what lies between and beyond."""
    points = {0.0, 1e6}
    for _, alternatives in rule.grades:
        for test in (test for alternative in alternatives for test in alternative.tests):
            points.add(test.limit if test.of is None else test.times * LIMITS[test.of] + test.plus)
            if test.left == "percent_change":
                points.add(LIMITS["baseline"] * (1 + test.limit / 100))
    points = {p for p in points if p is not None and p >= 0}
    exact = np.array(sorted(points))
    between = (exact[1:] + exact[:-1]) / 2
    return np.unique(np.concatenate([exact, exact + 1e-6, np.maximum(exact - 1e-6, 0.0), between]))


@pytest.mark.parametrize(("version", "term"), ALL, ids=[f"{v} {t}" for v, t in ALL])
def test_every_value_has_one_grade_and_grades_are_monotone(version, term):
    rule = ctcae.find_rule(term, version)
    values = all_points(rule)
    grades = ctcae.grade_labs(term, values, version=version, **LIMITS).grade
    if rule.not_gradable_below is not None:
        assert (grades[values < rule.not_gradable_below] == -1).all()
        values, grades = values[values >= rule.not_gradable_below], grades[values >= rule.not_gradable_below]
    assert ((grades >= 0) & (grades <= 4)).all()
    steps = np.diff(grades.astype(int))
    assert (steps <= 0).all() if rule.direction == "low" else (steps >= 0).all()
    assert set(grades) - {0} <= {step for step, _ in rule.grades}
    assert len(set(grades)) > 1


@pytest.mark.parametrize(("version", "term"), ALL, ids=[f"{v} {t}" for v, t in ALL])
def test_one_value_and_many_values_agree(version, term):
    values = all_points(ctcae.find_rule(term, version))
    many = ctcae.grade_labs(term, values, version=version, **LIMITS)
    for value, grade, clause in zip(values, many.grade, many.clause, strict=True):
        one = ctcae.grade_lab(term, float(value), version=version, **LIMITS)
        assert (one.grade, one.clause) == (None if grade < 0 else grade, clause)


def test_a_missing_value_is_never_grade_0():
    for version, term in ALL:
        result = ctcae.grade_lab(term, None, version=version, **LIMITS)
        assert result.grade is None
        assert result.reasons[0] == "value is missing"


@pytest.mark.parametrize(
    ("term", "value", "given", "missing"),
    [
        ("Neutrophil count decreased", 1.6, {}, "LLN"),
        ("Alanine aminotransferase increased", 50, {"baseline": 30}, "ULN"),
        ("Alanine aminotransferase increased", 50, {"uln": 40, "baseline_indicator": "HIGH"}, "baseline"),
        ("Fibrinogen decreased", 1.0, {"baseline": 3.0}, "LLN"),
        ("INR increased", 1.1, {}, "baseline"),
    ],
)
def test_a_missing_limit_is_named(term, value, given, missing):
    result = ctcae.grade_lab(term, value, **given)
    assert result.grade is None
    assert result.reasons[0].startswith(missing)


def test_an_optional_baseline_is_noted():
    result = ctcae.grade_lab("Creatinine increased", 160, uln=100)
    assert result.grade == 2
    assert "baseline missing" in result.reasons


def test_threshold_is_not_moved_by_floating_point():
    assert ctcae.grade_lab("Alanine aminotransferase increased", 0.1 + 0.2, uln=0.1, baseline=0.05).grade == 1
    assert ctcae.grade_lab("Hemoglobin increased", 170.1 + 20, uln=170.1).grade == 1


def test_baseline_indicator_from_limits():
    high = ctcae.grade_lab("Alanine aminotransferase increased", 250, uln=40, baseline=80)
    assert (high.grade, high.reasons[-1]) == (2, "baseline HIGH, from the limits")
    told = ctcae.grade_lab(
        "Alanine aminotransferase increased", 250, uln=40, baseline=80, baseline_indicator="NORMAL"
    )
    assert told.grade == 3
    low = ctcae.grade_lab("Creatinine increased", 70, lln=45, uln=100, baseline=35, version="6.0")
    assert low.grade == 2


UNITS = [
    ("Neutrophil count decreased", 0.4, "10*9/L", ["10^9/L", "G/L"], 1.0),
    ("Neutrophil count decreased", 0.4, "10*9/L", ["/uL", "{cells}/uL", "/mm3", "10*6/L"], 1000.0),
    ("Platelet count decreased", 40, "10*9/L", ["10*3/uL", "K/uL"], 1.0),
    ("Anemia", 79, "g/L", ["g/dL"], 0.1),
    ("Anemia", 79, "g/L", ["mmol/L"], 1 / 16.1145),
    ("Creatinine increased", 160, "umol/L", ["mg/dL"], 1 / 88.4017),
    ("Blood bilirubin increased", 60, "umol/L", ["mg/dL"], 1 / 17.1039),
    ("Hypoglycemia", 2.9, "mmol/L", ["mg/dL"], 18.0156),
    ("Hypocalcemia", 1.9, "mmol/L", ["mg/dL"], 4.0078),
    ("Hypocalcemia", 1.9, "mmol/L", ["meq/L", "mEq/L"], 2.0),
    ("Hypokalemia", 2.9, "mmol/L", ["meq/L"], 1.0),
    ("Hypomagnesemia", 0.45, "mmol/L", ["meq/L"], 2.0),
    ("Hypomagnesemia", 0.45, "mmol/L", ["mg/dL"], 2.4305),
    ("Hyponatremia", 124, "mmol/L", ["meq/L"], 1.0),
    ("Alanine aminotransferase increased", 150, "U/L", ["IU/L", "[IU]/L"], 1.0),
    ("Alanine aminotransferase increased", 150, "U/L", ["ukat/L"], 1 / 60),
    ("Fibrinogen decreased", 1.4, "g/L", ["mg/dL"], 100.0),
]


@pytest.mark.parametrize(("term", "value", "unit", "others", "factor"), UNITS)
def test_units_of_the_laboratory(term, value, unit, others, factor):
    rule = ctcae.find_rule(term)
    for other in others:
        assert compute_factor(unit, other, rule.analyte) == pytest.approx(
            factor, rel=1e-4
        )  # printed molar masses
    limits = {"lln": value * 1.4, "uln": value * 1.6, "baseline": value * 1.5}
    for other in others:
        per = compute_factor(unit, other, rule.analyte)
        moved = {name: limit * per for name, limit in limits.items()}
        assert (
            ctcae.grade_lab(term, value, unit=unit, **limits).grade
            == ctcae.grade_lab(term, value * per, unit=other, **moved).grade
        )


CONVERTIBLE = [
    ("umol/L", "mg/dL", "creatinine"),
    ("10*9/L", "/uL", None),
    ("g/L", "mg/dL", None),
    ("U/L", "ukat/L", None),
]


@given(value=st.floats(1e-3, 1e4), pair=st.sampled_from(CONVERTIBLE))
def test_there_and_back(value, pair):
    unit, other, analyte = pair
    back = value * compute_factor(unit, other, analyte) * compute_factor(other, unit, analyte)
    assert back == pytest.approx(value, rel=1e-12)


@given(value=st.floats(0.0, 400.0), scale=st.sampled_from(["10*9/L", "/uL", "10*3/uL"]))
def test_grade_does_not_depend_on_the_unit(value, scale):
    per = compute_factor("10*9/L", scale)
    one = ctcae.grade_lab("Platelet count decreased", value, unit="10*9/L", lln=150)
    other = ctcae.grade_lab("Platelet count decreased", value * per, unit=scale, lln=150 * per)
    assert one.grade == other.grade


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"term": "Neutrophils low"}, "near: Neutrophil count decreased"),
        ({"term": "Thrombocytopenia"}, "of CTCAE 6.0, not of 5.0"),
        ({"version": "4.03"}, "version"),
        ({"value": -0.1}, "value"),
        ({"value": float("inf")}, "value"),
        ({"value": "low"}, "not a number"),
        ({"lln": -1.0}, "lln"),
        ({"uln": 0.0}, "uln"),
        ({"unit": "stones"}, "unit"),
        ({"unit": "g/L"}, "unit"),
        ({"unit": "mmol/L"}, "unit"),
        ({"policy": "best"}, "policy"),
        ({"baseline_indicator": "high"}, "baseline_indicator"),
        ({"qualifiers": {"symptomatic": False}}, "qualifiers"),
    ],
)
def test_refusals_name_the_field(given, message):
    call = {"term": "Neutrophil count decreased", "value": 1.0, **given}
    with pytest.raises(ValueError, match=message):
        ctcae.grade_lab(**call)


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="lln: 2 numbers for 3 values"):
        ctcae.grade_labs("Anemia", [1.0, 2.0, 3.0], lln=[1.0, 2.0])
    with pytest.raises(ValueError, match="dimensions"):
        ctcae.grade_labs("Anemia", [[1.0], [2.0]])
    with pytest.raises(ValueError, match="baseline_indicator: 1 for 2"):
        ctcae.grade_labs("Anemia", [1.0, 2.0], baseline_indicator=["HIGH"])
    assert ctcae.grade_labs("Anemia", [], lln=120).grade.size == 0


def test_a_hundred_thousand_values_in_under_a_second():
    terms = ctcae.terms("5.0")
    values = np.random.default_rng(4).uniform(0.0, 300.0, 100_000 // len(terms))
    start = time.process_time()
    for term in terms:
        ctcae.grade_labs(term, values, lln=1.0, uln=100.0, baseline=50.0)
    assert time.process_time() - start < 1.0


def test_an_unknown_test_outweighs_a_false_one_beside_it():
    unknown = Alternative((Comparison(op=">", of="uln"),))
    false = Alternative((Comparison(op=">", limit=100.0),))
    true = Alternative((Comparison(op=">", limit=1.0),))
    rule = replace(ctcae.find_rule("Leukocytosis"), grades=((2, (unknown, false)), (1, (true,))))
    nan = np.array([np.nan])
    data = Inputs(np.array([5.0]), nan, nan, nan, np.zeros(1, dtype=np.int8), {})
    assert compute_grades(rule, data).grade[0] == -1
    known = replace(data, uln=np.array([9.0]))
    assert compute_grades(rule, known).grade[0] == 1


def test_a_baseline_at_the_limit_is_normal():
    assert ctcae.grade_lab("Alanine aminotransferase increased", 50, uln=40, baseline=40).grade == 1
    assert ctcae.grade_lab("Alanine aminotransferase increased", 50, uln=40, baseline=40.1).grade == 0


def test_policy_worst_keeps_only_what_makes_it_worse():
    recorded = {"symptomatic": False}
    assert ctcae.grade_lab("Hyponatremia", 129, lln=135, qualifiers=recorded).grade == 2
    assert ctcae.grade_lab("Hyponatremia", 129, lln=135, qualifiers=recorded, policy="worst").grade == 3
    transfusion = {"transfusion_indicated": True}
    assert ctcae.grade_lab("Anemia", 95, lln=120, qualifiers=transfusion, policy="worst").grade == 3
