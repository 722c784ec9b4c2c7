"""Where a clause's window opens, Hy's law, and what stands behind "no proposal"."""

import copy

import pytest

from escalon.criteria.dlt import (
    AdverseEvent,
    DltDefinition,
    GradePoint,
    LiverPoint,
    PatientRecord,
    evaluability,
    load_default_definition,
    propose,
)

DEFAULT = load_default_definition()
TO_CLLS52 = {"UCART22": "NOT RELATED", "CLLS52": "PROBABLE"}


def reaction(start, hours, **kw):
    kw = {"relation": TO_CLLS52, "grade": 3, "end_day": start + hours / 24} | kw
    return AdverseEvent(
        id="1", term="Infusion related reaction", category="INFUSION REACTION", start_day=start, **kw
    )


def patient(*events, **kw):
    kw = {"infusion_day": 0, "assessments_complete": True, "first_doses": {"CLLS52": -5.0}} | kw
    return PatientRecord(patient="001", events=events, **kw)


def found(record, as_of=28):
    return [(row.clause, row.status) for row in propose(record, DEFAULT, as_of)]


def test_a_reaction_to_the_lymphodepletion_counts_from_its_own_first_dose():
    assert found(patient(reaction(-5, 25))) == [("7a", "dlt")]
    assert found(patient(reaction(-5, 24))) == [("7a", "near_miss")]
    assert found(patient(reaction(-5.1, 25))) == []  # before the product was given
    assert evaluability(patient(reaction(-5, 25)), DEFAULT, 28).status == "DLT"
    moved = patient(reaction(95, 25), infusion_day=100, first_doses={"CLLS52": 95})
    assert found(moved, 128) == [("7a", "dlt")]


def test_other_clauses_still_open_with_the_infusion():
    early = AdverseEvent(id="1", term="Sepsis", category="INFECTION", start_day=-3, grade=4)
    assert found(patient(early)) == []
    wider = DltDefinition.model_validate(
        {"clauses": [c.model_dump() | {"opens_with": ["CLLS52"]} for c in DEFAULT.clauses if c.id == "5"]}
    )
    assert [p.status for p in propose(patient(early), wider)] == ["dlt"]


def test_a_first_dose_that_is_not_recorded_is_named():
    shown = propose(patient(reaction(-5, 25), first_doses={}), DEFAULT)
    assert [p.status for p in shown] == ["near_miss"]
    assert shown[0].reasons[-1] == "first dose of CLLS52 not recorded"
    assert found(patient(reaction(1, 25), first_doses={})) == [("7a", "dlt")]
    twice = reaction(-5, 400, grade=None, end_day=12.0,
                     course=(GradePoint(-5, 3), GradePoint(-1, 0), GradePoint(1, 3)))  # fmt: skip
    assert found(patient(twice, first_doses={})) == [("7a", "dlt")]


def test_the_end_of_the_window_is_the_same_for_all():
    assert found(patient(reaction(28, 25)), 40) == [("7a", "dlt")]
    assert found(patient(reaction(29, 25)), 40) == [("7a", "near_miss")]


def liver(*points, **kw):
    return propose(patient(liver=points, **kw), DEFAULT, 28)


HIGH = {"alt_uln": 3.1, "bilirubin_uln": 2.1}


@pytest.mark.parametrize(
    ("point", "status"),
    [
        (HIGH | {"alp_uln": 1.99}, "dlt"),
        (HIGH | {"alp_uln": 2.0}, "near_miss"),
        (HIGH | {"alp_uln": 2.5, "cholestasis": False}, "dlt"),
        (HIGH | {"alp_uln": 1.0, "cholestasis": True}, "near_miss"),
        (HIGH, "dlt"),
        ({"ast_uln": 3.1, "bilirubin_uln": 2.1}, "dlt"),
        ({"alt_uln": 1.0, "ast_uln": 3.1, "bilirubin_uln": 2.1}, "dlt"),
        (HIGH | {"other_cause": True}, "near_miss"),
        ({"alt_uln": 3.1}, "near_miss"),
        ({"alt_uln": 3.0, "bilirubin_uln": 9.0}, "none"),
        ({"alt_uln": 9.0, "bilirubin_uln": 2.0}, "none"),
        ({"bilirubin_uln": 9.0}, "none"),
    ],
)
def test_hys_law(point, status):
    assert liver(LiverPoint(9, **point)).status == status


def test_hys_law_against_baseline():
    calm = LiverPoint(-6, alt_uln=0.8, bilirubin_uln=0.5)
    assert liver(calm, LiverPoint(9, **HIGH)).status == "dlt"
    high_enzymes = liver(LiverPoint(-6, alt_uln=3.1, bilirubin_uln=0.5), LiverPoint(9, **HIGH))
    assert high_enzymes.status == "near_miss"
    assert high_enzymes.reasons[-1] == "transaminases not above baseline"
    high_bilirubin = liver(LiverPoint(-6, alt_uln=1, bilirubin_uln=2.5), LiverPoint(9, **HIGH))
    assert high_bilirubin.reasons[-1] == "bilirubin not above baseline"
    latest = liver(LiverPoint(-20, alt_uln=9, bilirubin_uln=9), calm, LiverPoint(9, **HIGH))
    assert latest.status == "dlt"
    parted = liver(LiverPoint(-9, alt_uln=3.1), LiverPoint(-6, bilirubin_uln=0.5), LiverPoint(9, **HIGH))
    assert parted.reasons[-1] == "transaminases not above baseline"
    same_day = liver(LiverPoint(0.3, **HIGH, before_infusion=True), LiverPoint(0.6, **HIGH))
    assert same_day.status == "near_miss"
    assert liver(LiverPoint(0.3, **HIGH, before_infusion=True)).status == "none"
    alone = liver(LiverPoint(9, **HIGH))
    assert "no liver tests before the infusion: counted as risen" in alone.reasons
    assert "alkaline phosphatase not measured: cholestasis not excluded" in alone.reasons


def test_no_proposal_says_what_was_read():
    quiet = AdverseEvent(id="1", term="Headache", category="OTHER", start_day=3, grade=1)
    none = propose(patient(quiet), DEFAULT, 20)
    assert none == ()
    assert (none.grade, none.clause) == ("none", "no clause reached")
    assert none.reasons[0] == "read to day 20: 1 events, 0 blood counts, 0 marrows, 0 liver tests"
    assert propose(patient(infusion_day=None), DEFAULT).reasons == ("lymphodepletion only: no infusion",)
    assert propose(patient(quiet), DEFAULT).reasons[0].startswith("read: 1 events")


def test_proposals_speak_for_the_worst():
    sepsis = AdverseEvent(id="2", term="Sepsis", category="INFECTION", start_day=3, grade=4)
    both = propose(patient(reaction(-5, 24), sepsis), DEFAULT)
    assert [p.status for p in both] == ["dlt", "near_miss"]
    assert (both.status, both.first.evidence) == ("dlt", ("2",))
    assert both.clause.startswith("5: ")
    assert both.reasons == both.first.reasons
    assert copy.deepcopy(both) == both
    assert copy.deepcopy(both).reasons == both.reasons


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: patient(first_doses={"CLLS52": float("nan")}), "first_doses of CLLS52"),
        (lambda: patient(first_doses={"CLLS52": None}), "first_doses of CLLS52"),
        (lambda: LiverPoint(1, alp_uln=-1), "alp_uln"),
        (lambda: LiverPoint(1, cholestasis="no"), "cholestasis"),
        (lambda: LiverPoint(1, before_infusion="no"), "before_infusion"),
    ],
)
def test_refusals_name_the_field(call, message):
    with pytest.raises(ValueError, match=message):
        call()
