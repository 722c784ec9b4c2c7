"""Cuts in time, exemptions, attribution, late cytopenia and refusals of the DLT rules."""

from dataclasses import fields

import pytest
from pydantic import ValidationError

from escalon.criteria.ctcae import terms
from escalon.criteria.dlt import (
    AdverseEvent,
    CountPoint,
    DltDefinition,
    GradePoint,
    LiverPoint,
    MarrowPoint,
    PatientRecord,
    evaluability,
    load_default_definition,
    propose,
)
from escalon.criteria.dlt_cytopenia import load_lineages
from escalon.criteria.tables import find_source

DEFAULT = load_default_definition()


def event(term="Pneumonitis", category="OTHER", start=5.0, grade=None, **kw):
    kw.setdefault("relation", {"UCART22": "POSSIBLE"})
    return AdverseEvent(
        id=kw.pop("id", "1"), term=term, category=category, start_day=start, grade=grade, **kw
    )


def patient(*events, **kw):
    kw.setdefault("infusion_day", 0)
    kw.setdefault("assessments_complete", True)
    return PatientRecord(patient="001", events=events, **kw)


def status(record, day=28, definition=DEFAULT):
    return evaluability(record, definition, day).status


def test_a_cut_sees_only_what_was_known():
    late = event(start=12, grade=4)
    assert [status(patient(late), day) for day in (11, 12)] == ["PENDING", "DLT"]
    running = event(start=10, grade=3, end_day=20)
    assert [status(patient(running), day) for day in (12, 13, 14)] == ["PENDING", "PENDING", "DLT"]
    found = evaluability(patient(running), DEFAULT, 12).proposals
    assert [(p.status, p.open) for p in found] == [("near_miss", True)]


def test_day_axis_is_free():
    moved = patient(event(start=739_005, grade=4), infusion_day=739_000)
    assert status(moved, 739_028) == "DLT"
    assert evaluability(moved, DEFAULT, 739_028).proposals[0].day == 5


def test_window_is_inclusive_by_whole_days():
    assert status(patient(event(start=28.9, grade=4)), 60) == "DLT"
    assert status(patient(event(start=29.0, grade=4)), 60) == "NO_DLT"
    assert status(patient(event(start=0.0, grade=4)), 28) == "DLT"


def test_what_was_there_before_the_infusion_is_not_counted():
    assert status(patient(event(start=-2, grade=4))) == "NO_DLT"
    again = event(start=-2, course=(GradePoint(-2, 4), GradePoint(1, 1), GradePoint(6, 4)))
    assert status(patient(again)) == "DLT"


def test_a_run_that_dips_to_grade_3_again_goes_on():
    course = (GradePoint(3, 3), GradePoint(4, 3), GradePoint(6.5, 2))
    assert status(patient(event("CRS", "CRS", 3, course=course))) == "DLT"


def test_ongoing_grade_3_at_the_end_of_the_window_is_pending():
    open_ = patient(event(start=27, grade=3))
    assert [status(open_, day) for day in (28, 30, 31)] == ["PENDING", "PENDING", "DLT"]


def test_late_immediate_grade_does_not_hide_a_long_run_in_the_window():
    course = (GradePoint(20, 3), GradePoint(35, 4))
    found = evaluability(patient(event(start=20, course=course)), DEFAULT, 40)
    assert (found.status, found.proposals[0].day) == ("DLT", 20)


@pytest.mark.parametrize(
    ("term", "category", "flags", "expected"),
    [
        ("Fatigue", "OTHER", {}, "NO_DLT"),
        ("fever", "OTHER", {}, "NO_DLT"),
        ("Vomiting", "OTHER", {"controlled": True}, "NO_DLT"),
        ("Vomiting", "OTHER", {}, "DLT"),
        ("Tumor lysis syndrome", "OTHER", {"laboratory_only": True}, "NO_DLT"),
        ("Tumor lysis syndrome", "OTHER", {}, "DLT"),
        ("Sepsis", "INFECTION", {"expected_after_lymphodepletion": True, "responded": True}, "NO_DLT"),
        ("Sepsis", "INFECTION", {"expected_after_lymphodepletion": True}, "DLT"),
        ("B-cell aplasia", "OTHER", {}, "NO_DLT"),
        ("Neutrophil count decreased", "CYTOPENIA", {"expected_after_lymphodepletion": True}, "NO_DLT"),
        ("Seizure", "OTHER", {"due_to_disease": True}, "NO_DLT"),
    ],
)
def test_exemptions(term, category, flags, expected):
    assert status(patient(event(term, category, 5, 4, end_day=12, **flags))) == expected


def test_attribution():
    def judged(relation):
        return status(patient(event(grade=4, relation=relation)))

    assert judged({"UCART22": "UNLIKELY", "CLLS52": "DEFINITE"}) == "NO_DLT"
    assert judged({"UCART22": "POSSIBLE"}) == "DLT"
    assert judged({}) == "DLT"
    wider = DEFAULT.model_validate(
        DEFAULT.model_dump() | {"attribution": {"products": ["UCART22", "CLLS52"], "minimum": "PROBABLE"}}
    )
    record = patient(event(grade=4, relation={"UCART22": "POSSIBLE", "CLLS52": "PROBABLE"}))
    assert status(record, definition=wider) == "DLT"
    assert (
        status(patient(event(grade=4, relation={"UCART22": "POSSIBLE", "CLLS52": "POSSIBLE"})), 28, wider)
        == "NO_DLT"
    )


def test_infusion_reaction_has_its_own_attribution_and_day():
    def judged(hours, relation):
        reaction = event(
            "Infusion related reaction", "INFUSION REACTION", 0, 3, end_day=hours / 24, relation=relation
        )
        return evaluability(patient(reaction), DEFAULT, 28)

    to_clls52 = {"UCART22": "NOT RELATED", "CLLS52": "PROBABLE"}
    assert judged(24, to_clls52).status == "NO_DLT"
    assert (judged(25, to_clls52).status, judged(25, to_clls52).clause) == ("DLT", "7a")
    assert judged(25, {"UCART22": "NOT RELATED", "CLLS52": "UNLIKELY"}).status == "NO_DLT"


def test_steroid_refractory_gvhd():
    mild = event("Acute GvHD", "GVHD", 20, 2)
    assert status(patient(mild)) == "NO_DLT"
    assert propose(patient(mild), DEFAULT) == ()
    assert status(patient(event("Acute GvHD", "GVHD", 20, 2, steroid_refractory=True))) == "DLT"


def test_dose_and_assessments():
    assert status(patient(dose_fraction=0.80)) == "NO_DLT"
    assert status(patient(dose_fraction=None)) == "PENDING"
    assert status(patient(assessments_complete=None)) == "PENDING"
    assert status(patient(assessments_complete=False)) == "NOT_EVALUABLE"
    strict = DltDefinition.model_validate(DEFAULT.model_dump() | {"count_dlt_below_min_dose": False})
    assert status(patient(event(grade=4), dose_fraction=0.5), 28, strict) == "NOT_EVALUABLE"
    assert status(patient(infusion_day=10), 5) == "PENDING"


@pytest.mark.parametrize("how", ["withdrawal_day", "new_therapy_day", "progression_day"])
def test_early_departure(how):
    assert status(patient(**{how: 27})) == "NOT_EVALUABLE"
    assert status(patient(**{how: 27}), 26) == "PENDING"
    assert status(patient(**{how: 28})) == "NO_DLT"


def test_death_needs_a_judged_event():
    assert status(patient(death_day=12, death_cause="TOXICITY")) == "PENDING"
    assert status(patient(death_day=12)) == "PENDING"
    assert status(patient(death_day=12, death_cause="OTHER")) == "NOT_EVALUABLE"
    unrelated = event(start=10, course=(GradePoint(10, 5),), relation={"UCART22": "NOT RELATED"})
    found = evaluability(patient(unrelated, death_day=10, death_cause="TOXICITY"), DEFAULT, 28)
    assert found.status == "NOT_EVALUABLE"
    assert {p.clause for p in found.proposals} == {"1", "5"}


SEVERE = (CountPoint(8, anc=0.1), CountPoint(27, anc=0.3))


def cytopenia(*counts, marrow=None, day=42, **kw):
    marrows = () if marrow is None else (MarrowPoint(*marrow),)
    found = evaluability(patient(counts=counts, marrows=marrows, **kw), DEFAULT, day)
    return found.status, found.reasons[-1]


def test_late_cytopenia_from_counts():
    still = (*SEVERE, CountPoint(41, anc=0.4))
    assert cytopenia(*still, marrow=(42, 9.9, 0))[0] == "DLT"
    assert cytopenia(*still, marrow=(42, 10, 0))[0] == "NO_DLT"
    assert cytopenia(*still, marrow=(42, 3, 5))[0] == "NO_DLT"
    assert cytopenia(*still) == ("PENDING", "no marrow near day 42")
    assert cytopenia(*still, marrow=(50, 3, 0)) == ("PENDING", "no marrow near day 42")
    assert cytopenia(*still, marrow=(42, None, 0))[0] == "PENDING"
    assert cytopenia(*SEVERE, marrow=(42, 3, 0)) == ("PENDING", "no count near day 42")
    assert (
        cytopenia(*SEVERE, CountPoint(35, anc=0.5), CountPoint(42, anc=0.1), marrow=(42, 3, 0))[0] == "NO_DLT"
    )
    assert (
        cytopenia(
            CountPoint(8, anc=0.1), CountPoint(27, anc=0.5), CountPoint(42, anc=0.1), marrow=(42, 3, 0)
        )[0]
        == "NO_DLT"
    )
    assert cytopenia(*SEVERE, day=30) == ("PENDING", "day 42 not reached")


def test_late_cytopenia_follows_the_ctcae_version_and_attribution():
    six = DltDefinition.model_validate(DEFAULT.model_dump() | {"ctcae_version": "6.0"})
    counts = (CountPoint(20, anc=0.3), CountPoint(42, anc=0.3))
    record = patient(counts=counts, marrows=(MarrowPoint(42, 3, 0),))
    assert status(record, 42) == "DLT"
    assert status(record, 42, six) == "NO_DLT"
    lower = event("Neutrophil count decreased", "CYTOPENIA", 8, 4, relation={"UCART22": "UNLIKELY"})
    assert status(patient(lower, marrows=(MarrowPoint(42, 3, 0),)), 42) == "NO_DLT"


def test_late_cytopenia_after_departure_is_closed():
    found = evaluability(patient(counts=SEVERE, new_therapy_day=35), DEFAULT, 40)
    assert found.status == "NO_DLT"
    assert found.reasons[-1] == "clause 6 could not be completed: new anti-leukemic therapy on day 35"


def test_hys_law_with_another_cause():
    other = (LiverPoint(9, alt_uln=5, bilirubin_uln=3, other_cause=True),)
    found = evaluability(patient(liver=other), DEFAULT, 28)
    assert (found.status, [p.status for p in found.proposals]) == ("NO_DLT", ["near_miss"])
    after = (LiverPoint(29, ast_uln=5, bilirubin_uln=3),)
    assert status(patient(liver=after), 40) == "NO_DLT"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"window_days": 0}, "window_days"),
        ({"window": 28}, "window"),
        ({"clauses": []}, "clauses"),
        ({"min_dose_fraction": 80}, "min_dose_fraction"),
        ({"attribution": {"products": [], "minimum": "POSSIBLE"}}, "products"),
        ({"never": [{"needs": ["controlled"]}]}, "term or category"),
        ({"clauses": [{"id": "1", "text": "x", "kind": "graded", "categories": ["CRS"]}]}, "immediate_grade"),
        ({"clauses": [{"id": "1", "text": "x", "kind": "hys_law"}] * 2}, "twice"),
        (
            {
                "clauses": [
                    {"id": "1", "text": "x", "kind": "graded", "categories": ["CRS"], "sustained_grade": 3}
                ]
            },
            "belong together",
        ),
    ],
)
def test_definition_refuses(change, message):
    with pytest.raises(ValidationError, match=message):
        DltDefinition.model_validate(DEFAULT.model_dump() | change)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: event(category="HEART", grade=3), "category"),
        (lambda: event(), "grade or course"),
        (lambda: event(grade=6), "grade"),
        (lambda: event(grade=3, end_day=4), "ends on day 4"),
        (lambda: event(course=(GradePoint(6, 3), GradePoint(5, 2))), "order"),
        (lambda: event(grade=3, relation={"UCART22": "maybe"}), "relatedness"),
        (lambda: patient(event(grade=3), event(grade=3)), "twice"),
        (lambda: patient(death_cause="OTHER"), "death_day"),
        (lambda: patient(dose_fraction=-1), "dose_fraction"),
        (lambda: MarrowPoint(42, cellularity=120), "cellularity"),
        (lambda: CountPoint(42, anc=-1), "anc"),
    ],
)
def test_record_refuses(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_run_from_before_the_infusion_is_no_near_miss():
    assert propose(patient(event(start=-3, grade=3, end_day=12)), DEFAULT) == ()


def test_a_running_event_keeps_a_departed_patient_pending_but_not_a_dead_one():
    running = event(start=18, grade=3)
    assert status(patient(running, withdrawal_day=20), 20) == "PENDING"
    assert status(patient(running, withdrawal_day=20), 22) == "DLT"
    assert status(patient(running, death_day=20, death_cause="DISEASE"), 20) == "NOT_EVALUABLE"


def test_lineages_of_the_cytopenia_clause_name_terms_that_exist():
    for row in load_lineages().values():
        assert row["count"] in {field.name for field in fields(CountPoint)}
        assert find_source(row["source"]).tag == "assumption"
        for version, term in row["laboratory_terms"].items():
            assert term in terms(version)
            assert term in row["event_terms"]
