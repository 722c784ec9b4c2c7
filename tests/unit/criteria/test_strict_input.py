"""What is neither a number, a whole grade nor a yes or no is refused, with the field named."""

import time

import numpy as np
import pytest

from escalon.criteria import astct, clinical, crs_other, ctcae, iec_hs, magic
from escalon.criteria.dlt import AdverseEvent, CountPoint, GradePoint, LiverPoint, MarrowPoint, PatientRecord
from escalon.criteria.leukemia_response import (
    Assessment,
    best_of_responses,
    best_overall,
    cns_status,
    mrd_label,
)

NAN = float("nan")


def event(**given):
    return AdverseEvent(
        **({"id": "AE1", "term": "CRS", "category": "CRS", "start_day": 1, "grade": 3} | given)
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: GradePoint(NAN, 3), "day"),
        (lambda: GradePoint(None, 3), "day"),
        (lambda: GradePoint(1, 2.5), "grade: 2.5 is not a whole number"),
        (lambda: GradePoint(1, None), "grade"),
        (lambda: event(start_day=NAN), "start_day of event AE1"),
        (lambda: event(start_day=None), "start_day of event AE1"),
        (lambda: event(end_day=NAN), "end_day of event AE1"),
        (lambda: event(grade=3.5), "grade of event AE1"),
        (lambda: event(controlled="no"), "controlled of event AE1"),
        (lambda: event(serious=None), "serious of event AE1"),
        (lambda: CountPoint(NAN, anc=1), "day"),
        (lambda: MarrowPoint(None, cellularity=1), "day"),
        (lambda: LiverPoint(NAN), "day"),
        (lambda: LiverPoint(1, other_cause="no"), "other_cause"),
        (lambda: PatientRecord(patient="1", infusion_day=NAN), "infusion_day"),
        (lambda: PatientRecord(patient="1", infusion_day=0, death_day=NAN), "death_day"),
        (
            lambda: PatientRecord(patient="1", infusion_day=0, assessments_complete="no"),
            "assessments_complete",
        ),
        (lambda: Assessment(day=NAN), "day"),
        (lambda: Assessment(day=True), "day"),
        (lambda: Assessment(gcsf_7d="no"), "gcsf_7d"),
        (lambda: Assessment(pb_present="yes"), "pb_present"),
        (lambda: best_overall([], confirm_days=0), "confirm_days"),
        (lambda: best_overall([], confirm_days=-28), "confirm_days"),
        (lambda: best_overall([], confirm_days=28.5), "confirm_days"),
        (lambda: best_overall([], confirm_days=True), "confirm_days"),
        (lambda: best_of_responses([], new_therapy_day=NAN), "new_therapy_day"),
        (lambda: best_of_responses([], hsct_day=NAN), "hsct_day"),
        (lambda: astct.grade_crs(temperature=39, vasopressors=1.5), "vasopressors"),
        (lambda: astct.grade_crs(temperature=39, suppressed_fever="no"), "suppressed_fever"),
        (lambda: astct.grade_crs(temperature=39, hypotension="maybe"), "hypotension"),
        (lambda: astct.grade_crs(temperature=39, fever_attributed="no"), "fever_attributed"),
        (lambda: astct.grade_icans(ice=9, death="no"), "death"),
        (lambda: magic.grade_gvhd(skin=1.5, liver=0, upper_gi=0, lower_gi=0), "skin"),
        (lambda: magic.stage_skin(60, bullae="no"), "bullae"),
        (lambda: magic.stage_upper_gi("no"), "persistent"),
        (lambda: magic.stage_lower_gi(volume=1, severe_pain="no"), "severe_pain"),
        (lambda: iec_hs.grade_iec_hs(diagnosed="no"), "diagnosed"),
        (lambda: crs_other.CrsFindings(organ_toxicity=2.5), "organ_toxicity"),
        (lambda: crs_other.CrsFindings(ventilation="no"), "ventilation"),
        (lambda: clinical.grade_qtc(470, torsade="no"), "torsade"),
        (lambda: cns_status(csf_wbc=1, csf_rbc=1, blasts="no"), "blasts"),
        (lambda: mrd_label(value=None, sensitivity=1e-4, detected="no"), "detected"),
    ],
)
def test_refused_with_the_field(call, message):
    with pytest.raises(ValueError, match=message):
        call()


ANC = "Neutrophil count decreased"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"lln": 7.5, "uln": 1.8}, "lln: 7.5 for Neutrophil count decreased is above uln 1.8"),
        ({"lln": 0}, "lln: 0 for Neutrophil count decreased"),
        ({"lln": -1}, "lln"),
        ({"lln": NAN}, "lln"),
    ],
)
def test_limits_that_cannot_be(given, message):
    with pytest.raises(ValueError, match=message):
        ctcae.grade_lab(ANC, 1.0, **given)


def test_limits_of_many_values():
    with pytest.raises(ValueError, match="lln: 9 for Anemia is above uln 8"):
        ctcae.grade_labs("Anemia", [100.0, 100.0], lln=[1.0, 9.0], uln=[8.0, 8.0])
    # a lower limit of 0 is the laboratory's own where only the upper one decides
    assert ctcae.grade_lab("Alanine aminotransferase increased", 50, lln=0, uln=40).grade == 1
    assert ctcae.grade_lab(ANC, 1.0, lln=1.8, uln=1.8).grade == 2


def test_a_qualifier_is_true_false_or_not_recorded():
    def hyponatremia(state):
        return ctcae.grade_lab("Hyponatremia", 129, lln=135, qualifiers={"symptomatic": state})

    assert [hyponatremia(state).grade for state in (True, False, None)] == [3, 2, 3]
    assert hyponatremia(None).reasons[-1] == "taken at its worst: symptomatic"
    for word in ("false", "no", 0, "N"):
        with pytest.raises(ValueError, match="qualifiers of Hyponatremia: symptomatic"):
            hyponatremia(word)


LIMITS = {"lln": 1.0, "uln": 100.0, "baseline": 50.0}


@pytest.mark.parametrize("kept", [(), ("lln",), ("uln",), ("baseline",), ("lln", "uln", "baseline")])
def test_a_hundred_thousand_values_in_under_a_second_whatever_is_missing(kept):
    values = np.random.default_rng(4).uniform(0.0, 300.0, 100_000)
    values[::3] = np.nan
    terms = ("Alanine aminotransferase increased", "Fibrinogen decreased", "INR increased", ANC)
    for term in terms:
        start = time.process_time()  # what it costs, whatever else the machine does
        found = ctcae.grade_labs(term, values, **{name: LIMITS[name] for name in kept})
        assert time.process_time() - start < 1.0
        assert ((found.reason == "") == (found.grade >= 0)).all()


def test_reasons_of_many_values_are_those_of_one():
    values = [np.nan, 1.6, 0.3]
    many = ctcae.grade_labs(ANC, values)
    assert many.reason.tolist() == ["value is missing", "LLN missing: the grade depends on it", ""]
    assert ctcae.grade_lab(ANC, 1.6).reasons[0] == many.reason[1]
    low = ctcae.grade_labs("Creatinine clearance decreased", [5.0], version="6.0").reason[0]
    assert low.startswith("below ")
