"""CTCAE v5.0 clinical terms: the worked cases F of the criteria specification. Source: NCI CTCAE v5.0, 27 Nov 2017."""

import pytest

from escalon.criteria import catalogue, clinical

CMV = "Cytomegalovirus infection reactivation"
CASES = [
    ("F01", clinical.grade_fever(38.0), 1),
    ("F02", clinical.grade_fever(39.0), 1),
    ("F03", clinical.grade_fever(40.0), 2),
    ("F04", clinical.grade_fever(40.1, hours_above_40=24), 3),
    ("F05", clinical.grade_fever(40.1, hours_above_40=25), 4),
    ("F06", clinical.grade_febrile_neutropenia(anc=0.9, temperature=38.3), 0),
    ("F07", clinical.grade_febrile_neutropenia(anc=0.9, temperature=38.4), 3),
    ("F08", clinical.grade_febrile_neutropenia(anc=0.9, temperature=38.0, minutes_at_38=61), 3),
    ("F09", clinical.grade_febrile_neutropenia(anc=0.9, temperature=38.0, minutes_at_38=60), 0),
    ("F10", clinical.grade_febrile_neutropenia(anc=1.0, temperature=39.5), 0),
    ("F10 fever", clinical.grade_fever(39.5), 2),
    ("F11", clinical.grade_ejection_fraction(50, 55), 2),
    ("F12", clinical.grade_ejection_fraction(52, 72), 3),
    ("F13", clinical.grade_ejection_fraction(39.5, 45), 3),
    ("F14", clinical.grade_qtc(480), 1),
    ("F15", clinical.grade_qtc(500), 2),
    ("F16", clinical.grade_qtc(501), 3),
    ("F17", clinical.grade_qtc(470, 405), 3),
    ("no fever", clinical.grade_fever(37.9), 0),
    ("over 40, hours missing", clinical.grade_fever(40.1), None),
    ("QTc normal, baseline missing", clinical.grade_qtc(440), None),
    ("QTc normal", clinical.grade_qtc(440, 420), 0),
    ("torsade", clinical.grade_qtc(470, torsade=True), 4),
    ("drop of 19 points", clinical.grade_ejection_fraction(55, 74), 2),
    ("drop of 9 points", clinical.grade_ejection_fraction(55, 64), 0),
    ("below 20 %", clinical.grade_ejection_fraction(19.9, 60), 4),
    ("20 %", clinical.grade_ejection_fraction(20, 40), 3),
    ("40 %", clinical.grade_ejection_fraction(40, 45), 2),
    ("39.9 %", clinical.grade_ejection_fraction(39.9, 45), 3),
    ("50 % and a small drop", clinical.grade_ejection_fraction(50, 51), 2),
    ("50.1 % and a small drop", clinical.grade_ejection_fraction(50.1, 51), 0),
    ("drop of 10 points", clinical.grade_ejection_fraction(60, 70), 2),
    ("drop of 9.9 points", clinical.grade_ejection_fraction(60, 69.9), 0),
    ("QTc 449", clinical.grade_qtc(449, 440), 0),
    ("QTc 450", clinical.grade_qtc(450, 440), 1),
    ("QTc 480.1", clinical.grade_qtc(480.1, 470), 2),
    ("QTc change 60", clinical.grade_qtc(455, 395), 1),
    ("QTc change 61", clinical.grade_qtc(455, 394), 3),
    ("CMV, no treatment", clinical.grade_finding(CMV, "no_treatment"), 1),
    ("CMV, medical treatment", clinical.grade_finding(CMV, "medical_treatment"), 2),
    ("CMV, hospital", clinical.grade_finding(CMV, "hospital_or_intravenous"), 3),
    ("CMV, life-threatening", clinical.grade_finding(CMV, "life_threatening"), 4),
    ("lung infection, oral", clinical.grade_finding("Lung infection", "oral_treatment"), 2),
    ("sepsis, culture", clinical.grade_finding("Sepsis", "positive_culture"), 3),
]


@pytest.mark.parametrize(("case", "result", "grade"), CASES, ids=[c[0] for c in CASES])
def test_clinical_grade(case, result, grade):
    assert result.grade == grade
    assert result.clause


@pytest.mark.parametrize("term", clinical.clinical_terms())
def test_coded_findings_have_grades_the_catalogue_knows(term):
    known = catalogue.find_term(term).grades
    for finding in clinical.clinical_findings(term):
        assert clinical.grade_finding(term, finding).grade in known
    assert clinical.grade_finding(term, "absent").grade == 0
    assert clinical.grade_finding(term, None).grade is None


def test_catalogue_counts():
    terms = catalogue.load_terms()
    assert len(terms) == 837
    assert len(catalogue.system_organ_classes()) == 26
    assert sum(term.is_other for term in terms) == 26
    assert [sum(grade in term.grades for term in terms) for grade in range(1, 6)] == [645, 745, 750, 551, 494]
