"""Dose-limiting toxicity: the worked cases T of the criteria specification, default definition (assumption)."""

import pytest

from escalon.criteria.dlt import (
    AdverseEvent,
    CountPoint,
    GradePoint,
    LiverPoint,
    MarrowPoint,
    PatientRecord,
    evaluability,
    load_default_definition,
)

DEFAULT = load_default_definition()
RELATED = {"UCART22": "POSSIBLE"}
HOUR = 1 / 24


def event(term, category, start, *course, **kw):
    points = tuple(GradePoint(day, grade) for day, grade in course)
    kw.setdefault("relation", RELATED)
    return AdverseEvent(id="AE1", term=term, category=category, start_day=start, course=points, **kw)


def patient(*events, **kw):
    kw.setdefault("assessments_complete", True)
    kw.setdefault("infusion_day", 0)
    return PatientRecord(patient="001", events=events, **kw)


ALT = "Alanine aminotransferase increased"
ANC = "Neutrophil count decreased"
PLT = "Platelet count decreased"
EXPECTED = {"expected_after_lymphodepletion": True}

CASES = [
    ("T01", patient(event("CRS", "CRS", 3, (3, 3), (6, 2), end_day=8)), 28, "NO_DLT", None),
    ("T02", patient(event("CRS", "CRS", 3, (3, 3), (3 + 73 * HOUR, 2), end_day=8)), 28, "DLT", "2"),
    ("T03", patient(event("CRS", "CRS", 5, (5, 4), (5 + 2 * HOUR, 2), end_day=8)), 28, "DLT", "2"),
    ("T04", patient(event("ICANS", "ICANS", 6, (6, 3), (8, 1), end_day=9)), 28, "NO_DLT", None),
    ("T05", patient(event("Acute GvHD", "GVHD", 28, (28, 3))), 28, "DLT", "4"),
    ("T06", patient(event("Acute GvHD", "GVHD", 29, (29, 3))), 60, "NO_DLT", None),
    ("T07", patient(event(ALT, "LAB", 10, (10, 3), (17, 2))), 28, "NO_DLT", None),
    ("T08", patient(event(ALT, "LAB", 10, (10, 3), (18, 2))), 28, "DLT", "5"),
    (
        "T09",
        patient(event("Tumor lysis syndrome", "OTHER", 3, (3, 3), laboratory_only=True)),
        28,
        "NO_DLT",
        None,
    ),
    ("T10 at 28", patient(event(ANC, "CYTOPENIA", 8, (8, 4), end_day=35, **EXPECTED)), 28, "PENDING", "6"),
    ("T10 at 36", patient(event(ANC, "CYTOPENIA", 8, (8, 4), end_day=35, **EXPECTED)), 36, "NO_DLT", None),
    (
        "T11 at 28",
        patient(
            event(ANC, "CYTOPENIA", 8, (8, 4), end_day=42, **EXPECTED),
            marrows=(MarrowPoint(42, cellularity=3, blasts=0),),
        ),
        28,
        "PENDING",
        "6",
    ),
    (
        "T11 at 42",
        patient(
            event(ANC, "CYTOPENIA", 8, (8, 4), end_day=42, **EXPECTED),
            marrows=(MarrowPoint(42, cellularity=3, blasts=0),),
        ),
        42,
        "DLT",
        "6",
    ),
    (
        "T11 counts",
        patient(
            counts=(CountPoint(8, anc=0.1), CountPoint(42, anc=0.2)),
            marrows=(MarrowPoint(41, cellularity=3, blasts=0),),
        ),
        42,
        "DLT",
        "6",
    ),
    (
        "T12",
        patient(event(PLT, "CYTOPENIA", 8, (8, 4)), marrows=(MarrowPoint(42, cellularity=5, blasts=40),)),
        42,
        "NO_DLT",
        None,
    ),
    ("T13", patient(death_day=15, death_cause="DISEASE"), 28, "NOT_EVALUABLE", None),
    ("T14", patient(infusion_day=None), 28, "NOT_EVALUABLE", None),
    ("T15", patient(dose_fraction=0.79), 28, "NOT_EVALUABLE", None),
    ("T16", patient(event("CRS", "CRS", 5, (5, 4)), dose_fraction=0.79), 28, "DLT", "2"),
    ("T17", patient(), 20, "PENDING", None),
    (
        "T18",
        patient(event("Pneumonitis", "OTHER", 10, (10, 4), relation={"UCART22": "UNLIKELY"})),
        28,
        "NO_DLT",
        None,
    ),
]


@pytest.mark.parametrize(("case", "record", "as_of", "status", "clause"), CASES, ids=[c[0] for c in CASES])
def test_status(case, record, as_of, status, clause):
    found = evaluability(record, DEFAULT, as_of)
    assert found.status == status
    assert found.reasons
    assert found.replace is (status == "NOT_EVALUABLE")
    if clause is not None:
        assert found.clause == clause


NEAR = {"T01": "2", "T04": "3", "T06": "4", "T07": "5", "T09": "5", "T18": "5"}


@pytest.mark.parametrize("case", NEAR)
def test_what_came_near_is_shown(case):
    _, record, as_of, _, _ = next(row for row in CASES if row[0] == case)
    found = evaluability(record, DEFAULT, as_of).proposals
    assert [(p.clause, p.status, p.evidence) for p in found] == [(NEAR[case], "near_miss", ("AE1",))]


def test_hys_law():
    both = (LiverPoint(9, alt_uln=3.1, bilirubin_uln=2.1),)
    assert evaluability(patient(liver=both), DEFAULT, 28).clause == "7c"
    edge = (LiverPoint(9, alt_uln=3.0, bilirubin_uln=2.1), LiverPoint(10, ast_uln=9.0, bilirubin_uln=2.0))
    assert evaluability(patient(liver=edge), DEFAULT, 28).status == "NO_DLT"


def test_death_of_toxicity_is_a_dlt():
    fatal = event("Sepsis", "INFECTION", 10, (10, 3), (12, 5))
    found = evaluability(patient(fatal, death_day=12, death_cause="TOXICITY"), DEFAULT, 28)
    assert (found.status, found.clause) == ("DLT", "1")
