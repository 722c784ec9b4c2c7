"""CRS, ICANS and GvHD: the worked cases K, I and A of the criteria specification.

Sources: Lee, Biol Blood Marrow Transplant 2019;25:625; Harris, Biol Blood Marrow Transplant 2016;22:4.
"""

import pytest

from escalon.criteria import astct, magic

CRS = [
    ("K01", {"temperature": 38.0}, 1),
    ("K02", {"temperature": 37.9}, 0),
    ("K03", {"temperature": 38.5, "hypotension": True}, 2),
    ("K04", {"temperature": 38.5, "vasopressors": 1}, 3),
    ("K05", {"temperature": 38.5, "vasopressors": 1, "vasopressin": True}, 3),
    ("K06", {"temperature": 38.5, "vasopressors": 2}, 4),
    ("K07", {"temperature": 38.5, "oxygen": "nasal_cannula", "oxygen_flow": 6}, 2),
    ("K08", {"temperature": 38.5, "oxygen": "nasal_cannula", "oxygen_flow": 7}, 3),
    ("K09", {"temperature": 38.5, "oxygen": "venturi"}, 3),
    ("K10", {"temperature": 38.5, "oxygen": "bipap"}, 4),
    ("K11", {"temperature": 38.5, "vasopressors": 1, "oxygen": "nasal_cannula", "oxygen_flow": 2}, 3),
    ("K12", {"temperature": 36.8, "suppressed_fever": True, "hypotension": True}, 2),
    ("K13", {"temperature": 36.8, "hypotension": True}, 0),
    ("K14", {"temperature": 39.0, "vasopressors": 1, "fever_attributed": False}, 0),
    ("K15", {"temperature": 38.5, "oxygen": "blow_by"}, 2),
    ("K16", {"temperature": 38.2}, 1),
    ("K17", {"temperature": None, "death": True}, 5),
]


@pytest.mark.parametrize(("case", "found", "grade"), CRS, ids=[r[0] for r in CRS])
def test_crs(case, found, grade):
    assert astct.grade_crs(**found).grade == grade


ICANS = [
    ("I01", {"ice": 10}, 0),
    ("I02", {"ice": 9}, 1),
    ("I03", {"ice": 7}, 1),
    ("I04", {"ice": 6}, 2),
    ("I05", {"ice": 3}, 2),
    ("I06", {"ice": 2}, 3),
    ("I07", {"ice": 0, "consciousness": "alert"}, 3),
    ("I08", {"ice": 0, "consciousness": "unarousable"}, 4),
    ("I09", {"ice": 8, "consciousness": "awakens_to_voice"}, 2),
    ("I10", {"ice": 8, "consciousness": "awakens_to_touch"}, 3),
    ("I11", {"ice": 9, "seizure": "brief"}, 3),
    ("I12", {"ice": 9, "seizure": "brief", "seizure_minutes": 6}, 4),
    ("I13", {"ice": 9, "motor": "hemiparesis"}, 4),
    ("I14", {"ice": 8, "edema": "focal"}, 3),
    ("I15", {"ice": 8, "edema": "papilledema"}, 4),
    ("I16", {"ice": 10, "motor": "tremor"}, 0),
    ("I17", {"ice": 4, "not_attributable": {"ice"}}, 0),
    ("I18", {"ice": 10, "edema": "hemorrhage"}, 0),
]


@pytest.mark.parametrize(("case", "found", "grade"), ICANS, ids=[r[0] for r in ICANS])
def test_icans(case, found, grade):
    assert astct.grade_icans(**found).grade == grade


def stages(*, bsa=0.0, bullae=False, peeling=0.0, bilirubin=0.5, nausea=False, **gut):
    return {
        "skin": magic.stage_skin(bsa, bullae=bullae, desquamation_bsa=peeling).stage,
        "liver": magic.stage_liver(bilirubin).stage,
        "upper_gi": magic.stage_upper_gi(nausea).stage,
        "lower_gi": magic.stage_lower_gi(**({"weight": 70, "volume": 0} | gut)).stage,
    }


GVHD = [
    ("A01", {"bsa": 10}, (1, 0, 0, 0), 1),
    ("A02", {"bsa": 25}, (2, 0, 0, 0), 1),
    ("A03", {"bsa": 50}, (2, 0, 0, 0), 1),
    ("A04", {"bsa": 51}, (3, 0, 0, 0), 2),
    ("A05", {"bsa": 80, "bullae": True, "peeling": 5}, (3, 0, 0, 0), 2),
    ("A06", {"bsa": 80, "bullae": True, "peeling": 6}, (4, 0, 0, 0), 4),
    ("A07", {"bilirubin": 2.0}, (0, 1, 0, 0), 2),
    ("A08", {"bilirubin": 3.05}, (0, 2, 0, 0), 3),
    ("A09", {"bilirubin": 15.1}, (0, 4, 0, 0), 4),
    ("A10", {"nausea": True}, (0, 0, 1, 0), 2),
    ("A11", {"volume": 499, "episodes": 2}, (0, 0, 0, 0), 0),
    ("A12", {"volume": 500}, (0, 0, 0, 1), 2),
    ("A13", {"volume": 1000}, (0, 0, 0, 2), 3),
    ("A14", {"volume": 700, "severe_pain": True}, (0, 0, 0, 4), 4),
    ("A15", {"weight": 45, "volume": 25}, (0, 0, 0, 2), 3),
    ("A16", {"bsa": 40, "bilirubin": 4.0}, (2, 2, 0, 0), 3),
    ("A17", {"bsa": 60, "nausea": True, "volume": 600}, (3, 0, 1, 1), 2),
]


@pytest.mark.parametrize(("case", "found", "expected", "grade"), GVHD, ids=[r[0] for r in GVHD])
def test_gvhd(case, found, expected, grade):
    staged = stages(**found)
    assert tuple(staged.values()) == expected
    assert magic.grade_gvhd(**staged).grade == grade


@pytest.mark.parametrize(
    ("umol", "stage"),
    [(33.9, 0), (34, 1), (50, 1), (51, 2), (102, 2), (103, 3), (255, 3), (255.1, 4)],
)
def test_liver_stage_in_umol(umol, stage):
    assert magic.stage_liver(umol, unit="umol/L").stage == stage
