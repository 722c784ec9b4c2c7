import polars as pl
import pytest

from escalon.criteria.ctcae import grade_lab
from escalon.datasets import build_adam, build_sdtm
from escalon.datasets.spec import load_table
from tests.unit.datasets.cases import make_state, study, treated


def adlb(builder, rules=None) -> pl.DataFrame:
    state, plan = make_state(builder.built()), rules or study()
    return build_adam(build_sdtm(state, plan), state, plan)["ADLB"]


def test_grades_of_one_panel_by_hand(adam):
    own = adam["ADLB"].filter(SUBJID="001", AVISIT="D7")
    found = dict(own.select("PARAMCD", "ATOXGR").rows())
    # ALT 250 is 6.25 ULN, bilirubin 40 is 1.9 ULN, creatinine 150 is 2.1 times the baseline of 70.
    assert found == {"NEUT": 4, "PLAT": 4, "HGB": 3, "ALT": 3, "BILI": 2, "CREAT": 2, "CRP": None}
    assert own.filter(PARAMCD="CRP")["ATOXTERM"][0] is None


def test_each_grade_is_that_of_the_single_value_rule(adam):
    graded = adam["ADLB"].drop_nulls("ATOXTERM")
    assert graded.height > 25
    for row in graded.iter_rows(named=True):
        limits = {"lln": row["ANRLO"], "uln": row["ANRHI"], "baseline": row["BASE"]}
        expected = grade_lab(row["ATOXTERM"], row["AVAL"], row["AVALU"], **limits, version="5.0")
        assert row["ATOXGR"] == expected.grade


def test_version_of_the_study_is_used_and_printed():
    plan = study()
    newer = plan.model_copy(update={"grading": plan.grading.model_copy(update={"ctcae": "6.0"})})
    builder = treated("001").labs(7, "D7", NEUT=0.3, PLAT=20.0)
    for rules, expected in ((plan, (4, 4, "CTCAE 5.0")), (newer, (3, 3, "CTCAE 6.0"))):
        rows = adlb(builder, rules).filter(AVISIT="D7").sort("PARAMCD")
        assert (*rows["ATOXGR"], rows["ATOXVER"][0]) == expected


def test_baseline_is_the_last_value_up_to_the_first_dose():
    frame = adlb(
        treated("001").labs(-6, NEUT=1.2).labs(-5.1, "LD", NEUT=1.1).labs(-4, "LD", NEUT=0.9)
    ).filter(PARAMCD="NEUT")
    assert frame.filter(ABLFL="Y")["AVAL"].to_list() == [1.1]
    assert set(frame["BASE"]) == {1.1}
    assert frame.sort("ADTM")["CHG"].to_list()[-1] == pytest.approx(-0.2)
    assert frame.sort("ADTM")["CHG"].to_list()[:3] == [None, None, None]


def test_the_nearest_result_of_a_visit_is_its_record_and_ties_go_to_the_later():
    builder = (
        treated("001")
        .labs(26, "D28", NEUT=0.5)
        .labs(30, "D28", NEUT=0.9)
        .labs(31, "D28", NEUT=1.9)
        .labs(33, NEUT=2.0)
    )
    rows = adlb(builder).filter(PARAMCD="NEUT").filter(pl.col("ARDY") > 0).sort("ARDY")
    assert rows.select("ARDY", "AVISIT", "ANL01FL").rows() == [
        (26, "D28", None),
        (30, "D28", "Y"),
        (31, "D28", None),
        (33, "UNSCHEDULED", None),
    ]


def test_of_an_assessment_only_what_no_panel_has_enters(adam, sdtm):
    assessed = pl.col("LBCAT") == "DISEASE ASSESSMENT"
    only = pl.col("LBTESTCD").is_in(["BMBLAST", "BMCOUNT", "BMCELL", "PBBLAST"])
    expected = sdtm["LB"].filter(~assessed | only)
    assert adam["ADLB"].height == expected.height < sdtm["LB"].height
    assert set(adam["ADLB"].select("USUBJID", "SRCSEQ").rows()) == set(
        expected.select("USUBJID", "LBSEQ").rows()
    )
    assert set(adam["ADLB"].filter(PARCAT1="DISEASE ASSESSMENT")["ATOXGR"]) == {None}


def test_marrow_blasts_by_day_with_baseline_visit_and_source(adam, sdtm):
    own = adam["ADLB"].filter(SUBJID="001", PARAMCD="BMBLAST").sort("ADT")
    assert own.select("ARDY", "AVISIT", "AVAL", "BASE", "CHG", "ABLFL").rows() == [
        (-13, "SCR", 60.0, 60.0, None, "Y"),
        (28, "D28", 2.0, 60.0, -58.0, None),
        (84, "D84", 40.0, 60.0, -20.0, None),
    ]
    assert set(own["PARAM"]) == {"Blasts in Marrow (%)"}
    source = sdtm["LB"].filter(USUBJID="BALLI-01-01-001", LBSEQ=own["SRCSEQ"][1]).row(0, named=True)
    assert (source["LBTESTCD"], source["LBSTRESN"]) == ("BMBLAST", 2.0)


def test_every_graded_item_of_the_study_has_a_test_code_and_the_same_unit():
    tests = {row["form_item"]: row for row in load_table("laboratory.csv")}
    for row in study().grading.laboratory:
        assert tests[row.item]["unit"] == row.unit
