"""CTCAE laboratory grades: the worked cases L of the criteria specification.

Source: NCI CTCAE v5.0, 27 Nov 2017, and v6.0. Every case uses the qualifier policy ``worst``.
"""

import pytest

from escalon.criteria import ctcae

CASES = [
    ("L01", "5.0", "Neutrophil count decreased", 1.5, {"lln": 1.8}, 1),
    ("L02", "5.0", "Neutrophil count decreased", 1.49, {"lln": 1.8}, 2),
    ("L03", "5.0", "Neutrophil count decreased", 1, {"lln": 1.8}, 2),
    ("L04", "5.0", "Neutrophil count decreased", 0.5, {"lln": 1.8}, 3),
    ("L05", "5.0", "Neutrophil count decreased", 0.49, {"lln": 1.8}, 4),
    ("L06", "5.0", "Neutrophil count decreased", 1.4, {"lln": 1.3}, 2),
    ("L07", "5.0", "Neutrophil count decreased", 1.6, {}, None),
    ("L08", "5.0", "Neutrophil count decreased", 0.3, {}, 4),
    ("L09", "6.0", "Neutrophil count decreased", 0.49, {"lln": 1.8}, 3),
    ("L10", "6.0", "Neutrophil count decreased", 0.1, {"lln": 1.8}, 3),
    ("L11", "6.0", "Neutrophil count decreased", 1.6, {"lln": 1.8}, 0),
    ("L12", "5.0", "Platelet count decreased", 75, {"lln": 150.0}, 1),
    ("L13", "5.0", "Platelet count decreased", 25, {"lln": 150.0}, 3),
    ("L14", "5.0", "Platelet count decreased", 24, {"lln": 150.0}, 4),
    ("L15", "6.0", "Thrombocytopenia", 24, {"lln": 150.0}, 3),
    ("L16", "6.0", "Thrombocytopenia", 9, {"lln": 150.0}, 4),
    ("L17", "5.0", "Lymphocyte count decreased", 0.2, {"lln": 1.0}, 3),
    ("L18", "5.0", "Lymphocyte count decreased", 0.19, {"lln": 1.0}, 4),
    ("L19", "5.0", "White blood cell decreased", 1, {"lln": 4.0}, 3),
    ("L20", "5.0", "CD4 lymphocytes decreased", 0.05, {"lln": 0.5}, 3),
    ("L21", "5.0", "Anemia", 80, {"lln": 120.0}, 2),
    ("L22", "5.0", "Anemia", 45, {"lln": 120.0}, 3),
    (
        "L23",
        "5.0",
        "Alanine aminotransferase increased",
        120,
        {"uln": 40.0, "baseline": 30.0, "baseline_indicator": "NORMAL"},
        1,
    ),
    (
        "L24",
        "5.0",
        "Alanine aminotransferase increased",
        121,
        {"uln": 40.0, "baseline": 30.0, "baseline_indicator": "NORMAL"},
        2,
    ),
    (
        "L25",
        "5.0",
        "Alanine aminotransferase increased",
        110,
        {"uln": 40.0, "baseline": 80.0, "baseline_indicator": "HIGH"},
        0,
    ),
    (
        "L26",
        "5.0",
        "Alanine aminotransferase increased",
        120,
        {"uln": 40.0, "baseline": 80.0, "baseline_indicator": "HIGH"},
        1,
    ),
    (
        "L27",
        "5.0",
        "Alanine aminotransferase increased",
        250,
        {"uln": 40.0, "baseline": 80.0, "baseline_indicator": "HIGH"},
        2,
    ),
    (
        "L28",
        "6.0",
        "Alanine aminotransferase increased",
        80,
        {"uln": 40.0, "baseline": 80.0, "baseline_indicator": "HIGH"},
        1,
    ),
    (
        "L29",
        "6.0",
        "Alanine aminotransferase increased",
        250,
        {"uln": 40.0, "baseline": 80.0, "baseline_indicator": "HIGH"},
        3,
    ),
    (
        "L30",
        "5.0",
        "Blood bilirubin increased",
        63,
        {"uln": 21.0, "baseline": 15.0, "baseline_indicator": "NORMAL"},
        2,
    ),
    (
        "L31",
        "5.0",
        "Blood bilirubin increased",
        31,
        {"uln": 21.0, "baseline": 30.0, "baseline_indicator": "HIGH"},
        1,
    ),
    (
        "L32",
        "5.0",
        "Blood bilirubin increased",
        30,
        {"uln": 21.0, "baseline": 30.0, "baseline_indicator": "HIGH"},
        0,
    ),
    (
        "L33",
        "6.0",
        "Blood bilirubin increased",
        80,
        {"uln": 21.0, "baseline": 30.0, "baseline_indicator": "HIGH"},
        3,
    ),
    (
        "L34",
        "5.0",
        "Alkaline phosphatase increased",
        260,
        {"uln": 120.0, "baseline": 130.0, "baseline_indicator": "HIGH"},
        1,
    ),
    (
        "L35",
        "6.0",
        "Alkaline phosphatase increased",
        900,
        {"uln": 120.0, "baseline": 130.0, "baseline_indicator": "HIGH"},
        1,
    ),
    (
        "L36",
        "5.0",
        "Creatinine increased",
        70,
        {"uln": 100.0, "baseline": 40.0, "baseline_indicator": "NORMAL"},
        2,
    ),
    (
        "L37",
        "5.0",
        "Creatinine increased",
        130,
        {"uln": 100.0, "baseline": 90.0, "baseline_indicator": "NORMAL"},
        1,
    ),
    (
        "L38",
        "6.0",
        "Creatinine increased",
        70,
        {"uln": 100.0, "baseline": 40.0, "baseline_indicator": "NORMAL"},
        0,
    ),
    (
        "L56",
        "6.0",
        "Creatinine increased",
        70,
        {"uln": 100.0, "baseline": 35.0, "baseline_indicator": "LOW"},
        2,
    ),
    (
        "L39",
        "5.0",
        "Creatinine increased",
        310,
        {"uln": 100.0, "baseline": 90.0, "baseline_indicator": "NORMAL"},
        3,
    ),
    ("L40", "5.0", "Creatinine increased", 90, {"baseline": 80.0, "baseline_indicator": "NORMAL"}, None),
    ("L41", "5.0", "Hypokalemia", 3.2, {"lln": 3.5}, 2),
    ("L42", "5.0", "Hypokalemia", 2.5, {"lln": 3.5}, 3),
    ("L43", "5.0", "Hyponatremia", 129, {"lln": 135.0}, 3),
    ("L44", "5.0", "Hyponatremia", 129.5, {"lln": 135.0}, 1),
    ("L45", "6.0", "Hyponatremia", 129.5, {"lln": 135.0}, 3),
    ("L46", "5.0", "Fibrinogen decreased", 0.49, {"lln": 2.0, "baseline": 3.0}, 4),
    ("L47", "5.0", "Fibrinogen decreased", 1.4, {"lln": 2.0, "baseline": 3.0}, 3),
    ("L48", "5.0", "INR increased", 1.1, {"uln": 1.2, "baseline": 1.0}, 1),
    ("L49", "5.0", "Hypoalbuminemia", 20, {"lln": 35.0}, 2),
    ("L50", "5.0", "GGT increased", 240, {"uln": 60.0, "baseline": 120.0, "baseline_indicator": "HIGH"}, 1),
    ("L51", "5.0", "Lipase increased", 180, {"uln": 60.0}, 3),
    ("L52", "6.0", "Lipase increased", 180, {"uln": 60.0}, 2),
    (
        "L53",
        "5.0",
        "Alanine aminotransferase increased",
        90,
        {"baseline": 30.0, "baseline_indicator": "NORMAL"},
        None,
    ),
    ("L54", "5.0", "Hypercalcemia (Ionized)", 1.6, {"uln": 1.3}, 2),
    ("L55", "5.0", "Leukocytosis", 101, {"uln": 11.0}, 3),
]


@pytest.mark.parametrize(
    ("case", "version", "term", "value", "limits", "grade"), CASES, ids=[c[0] for c in CASES]
)
def test_laboratory_grade(case, version, term, value, limits, grade):
    result = ctcae.grade_lab(term, value, version=version, policy="worst", **limits)
    assert result.grade == grade
    assert result.clause
    assert result.reasons


RECORDED = [
    ("L41", "Hypokalemia", 3.2, {"lln": 3.5}, {"symptomatic": False, "treated": False}, 1),
    ("L41 treated", "Hypokalemia", 3.2, {"lln": 3.5}, {"symptomatic": False, "treated": True}, 2),
    ("L43", "Hyponatremia", 129, {"lln": 135}, {"symptomatic": False}, 2),
    ("L48", "INR increased", 1.1, {"uln": 1.2, "baseline": 1.0}, {"anticoagulant": False}, 0),
    ("L51", "Lipase increased", 180, {"uln": 60}, {"symptomatic": False}, 2),
    ("transfusion", "Anemia", 95, {"lln": 120}, {"transfusion_indicated": True}, 3),
    ("bleeding", "Activated partial thromboplastin time prolonged", 40, {"uln": 35}, {"bleeding": True}, 3),
    ("no consequence", "Hyperuricemia", 500, {"uln": 420}, {"physiologic_consequences": False}, 1),
]


@pytest.mark.parametrize(
    ("case", "term", "value", "limits", "recorded", "grade"), RECORDED, ids=[c[0] for c in RECORDED]
)
def test_recorded_qualifiers(case, term, value, limits, recorded, grade):
    assert ctcae.grade_lab(term, value, qualifiers=recorded, **limits).grade == grade
