"""CRS, ICANS, GvHD and haematotoxicity: the worked cases K, I, G, A and H of the criteria specification.

Sources: Lee, Biol Blood Marrow Transplant 2019;25:625; Harris, Biol Blood Marrow Transplant 2016;22:4.
"""

import pytest

from escalon.criteria import astct, crs_other, icaht, magic

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


COMPARED = [
    ("G01", {"hypotension": True}, {}, (2, 2, 2)),
    ("G02", {"vasopressors": 1}, {}, (3, 2, 3)),
    ("G03", {"vasopressors": 1}, {"high_dose": True}, (3, 3, 3)),
    ("G04", {"oxygen": "nasal_cannula", "oxygen_flow": 4}, {"oxygen_fraction": 36}, (2, 2, 2)),
    ("G05", {"oxygen": "nasal_cannula", "oxygen_flow": 6}, {"oxygen_fraction": 44}, (2, 3, 3)),
    ("G06", {"oxygen": "venturi"}, {"oxygen_fraction": 35}, (3, 2, 2)),
    ("G07", {}, {"transaminases": 4}, (1, 3, 1)),
    ("G08", {}, {"organ_toxicity": 3}, (1, 3, 1)),
    ("G09", {"oxygen": "ventilation"}, {"ventilation": True}, (4, 4, 4)),
]


@pytest.mark.parametrize(("case", "shared", "extra", "grades"), COMPARED, ids=[r[0] for r in COMPARED])
def test_three_systems_on_one_patient(case, shared, extra, grades):
    pressure = {name: value for name, value in shared.items() if not name.startswith("oxygen")}
    found = crs_other.CrsFindings(temperature=38.5, **pressure, **extra)
    assert (
        astct.grade_crs(temperature=38.5, **shared).grade,
        crs_other.grade_crs_lee_2014(found).grade,
        crs_other.grade_crs_ctcae_v5(found).grade,
    ) == grades


def neutrophils(at_500=0, at_100=0, other=1500):
    """Counts of day 0 to 30: ``at_100`` days at 100/uL, then up to ``at_500`` days at 500/uL, the rest higher."""
    return [0.1] * at_100 + [0.5] * (at_500 - at_100) + [other / 1000] * (31 - at_500)


ICAHT_EARLY = [
    ("H01", neutrophils(6), 1),
    ("H02", neutrophils(7), 2),
    ("H03", neutrophils(13, 6), 2),
    ("H04", neutrophils(14), 3),
    ("H05", neutrophils(10, 7), 3),
    ("H06", neutrophils(14, 14), 4),
    ("H07", neutrophils(31), 4),
    ("none", neutrophils(0), 0),
    ("30 of 31 days", neutrophils(30), 3),
]


@pytest.mark.parametrize(("case", "counts", "grade"), ICAHT_EARLY, ids=[r[0] for r in ICAHT_EARLY])
def test_icaht_early(case, counts, grade):
    assert icaht.grade_icaht(range(31), counts, "early").grade == grade


@pytest.mark.parametrize(("case", "count", "grade"), [("H08", 1500, 1), ("H09", 1501, 0), ("H10", 500, 3)])
def test_icaht_late(case, count, grade):
    assert icaht.grade_icaht([45], [count / 1000], "late").grade == grade


def platelets(days, below_50=0, below_20=0, else_=150):
    return [19] * below_20 + [49] * (below_50 - below_20) + [else_] * (days - below_50)


T_ICAHT = [
    ("H11", "early", 31, platelets(31, 6), 1),
    ("H12", "early", 31, platelets(31, 7), 2),
    ("H13", "early", 31, platelets(31, 20, 1), 3),
    ("H14", "early", 31, platelets(31, 14, 14), 4),
    ("H15", "late", 70, platelets(70, else_=99), 1),
    ("H16", "late", 70, platelets(70, 3), 2),
    ("H17", "late", 70, platelets(70, 13, 13), 3),
    ("late none", "late", 70, platelets(70, else_=100), 0),
]


@pytest.mark.parametrize(
    ("case", "period", "length", "counts", "grade"), T_ICAHT, ids=[r[0] for r in T_ICAHT]
)
def test_t_icaht(case, period, length, counts, grade):
    first = 0 if period == "early" else 31
    assert icaht.grade_t_icaht(range(first, first + length), counts, period).grade == grade


@pytest.mark.parametrize(
    ("mg", "stage"),
    [(1.99, 0), (2.0, 1), (3.0, 1), (3.01, 2), (6.0, 2), (6.01, 3), (15.0, 3), (15.01, 4)],
)
def test_liver_stage_in_mg(mg, stage):
    assert magic.stage_liver(mg).stage == stage


GUT = [
    ("adult volume", 70, "volume", [(499.9, 0), (500, 1), (999.9, 1), (1000, 2), (1500, 2), (1500.1, 3)]),
    ("adult episodes", 70, "episodes", [(2, 0), (3, 1), (4, 1), (5, 2), (7, 2), (8, 3)]),
    ("child volume", 50, "volume", [(9.9, 0), (10, 1), (19.9, 1), (20, 2), (30, 2), (30.1, 3)]),
    ("child episodes", 50, "episodes", [(3, 0), (4, 1), (6, 1), (7, 2), (10, 2), (11, 3)]),
]


@pytest.mark.parametrize(("case", "weight", "measure", "stages"), GUT, ids=[row[0] for row in GUT])
def test_lower_gi_stages(case, weight, measure, stages):
    assert [magic.stage_lower_gi(weight=weight, **{measure: value}).stage for value, _ in stages] == [
        s for _, s in stages
    ]


def test_skin_stages():
    assert [magic.stage_skin(bsa).stage for bsa in (0, 0.1, 24.9, 25, 50, 50.1, 100)] == [0, 1, 1, 2, 2, 3, 3]
    assert magic.stage_skin(80, bullae=False, desquamation_bsa=20).stage == 3
    assert magic.stage_skin(50, bullae=True, desquamation_bsa=20).stage == 2
