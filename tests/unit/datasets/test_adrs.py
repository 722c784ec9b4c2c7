import polars as pl
import pytest

from escalon.datasets import build_adam, build_sdtm
from tests.unit.datasets.cases import make_state, study, treated


def adrs(builder, rules=None):
    state, plan = make_state(builder.built()), rules or study()
    return build_adam(build_sdtm(state, plan), state, plan)["ADRS"]


def at(frame: pl.DataFrame, *columns: str) -> list[tuple]:
    return frame.filter(PARAMCD="OVRLRESP").sort("ARDY", "AVISITN").select(columns).rows()


def best(frame: pl.DataFrame) -> dict:
    return frame.filter(PARAMCD="BOR").row(0, named=True)


def shared_study():
    plan = study()
    return plan.model_copy(update={"response": plan.response.model_copy(update={"overlap_policy": "shared"})})


# criteria.md 9.3, visits V01 to V08: day of the marrow and the visit it belongs to.
@pytest.mark.parametrize(
    ("days", "visits"),
    [
        ([31], ["D28"]),
        ([32], ["UNSCHEDULED"]),
        ([87], ["D84"]),
        ([88], ["M3"]),
        ([80, 87], ["UNSCHEDULED", "D84"]),
        ([84, 91], ["D84", "M3"]),
        ([99], ["UNSCHEDULED"]),
    ],
)
def test_one_marrow_belongs_to_one_visit(days, visits):
    builder = treated("001")
    for day in days:
        builder.marrow(day)
    frame = adrs(builder)
    assert [row[0] for row in at(frame, "AVISIT")] == visits
    assert set(frame["ANL02FL"]) == {"Y"}


def test_shared_assessment_stands_twice_but_is_read_once():
    frame = adrs(treated("001").marrow(87), shared_study())
    assert at(frame, "AVISIT", "SHAREDFL", "ANL02FL", "SRCSEQ") == [("D84", "N", "Y", 7), ("M3", "Y", "N", 7)]
    assert "assessments" in best(frame)["REASON"]
    assert best(frame)["REASON"].startswith("best of 1 assessments")


def test_the_visit_written_on_the_form_does_not_decide():
    assert at(adrs(treated("001").marrow(87, "M3")), "AVISIT") == [("D84",)]


def test_reading_stops_at_a_therapy_but_the_assessment_is_kept():
    frame = adrs(treated("001").marrow(28, BMBLAST=50.0).new_therapy(40).marrow(56))
    assert at(frame, "AVALC", "ANL02FL", "RESPFL") == [("NR", "Y", "N"), ("CR", "N", "N")]
    assert best(frame)["AVALC"] == "NR"
    assert best(frame)["RESPFL"] == "N"


def test_an_assessment_on_the_day_of_the_transplant_precedes_it():
    frame = adrs(treated("001").marrow(45).transplant(45))
    assert best(frame)["AVALC"] == "CR"


def test_response_after_relapse_does_not_count_again():
    frame = adrs(treated("001").marrow(28).marrow(56, BMBLAST=20.0).marrow(84))
    assert at(frame, "AVALC", "RESPFL") == [("CR", "Y"), ("RELAPSE", "N"), ("CR", "N")]


# criteria.md 9.3, B01 to B07.
@pytest.mark.parametrize(
    ("course", "expected"),
    [
        ([(28, {"PLAT": 80.0}), (56, {}), (84, {"BMBLAST": 30.0})], ("CR", "Y", 56)),
        ([(28, {}), (55, {}), (84, {"BMBLAST": 30.0})], ("CR", "N", 28)),
        ([(28, {"NEUT": 0.2, "PLAT": 20.0}), (56, {}), (84, {})], ("CR", "Y", 56)),
        ([(28, {}), (56, {"BMBLAST": None}), (84, {})], ("CR", "Y", 28)),
        ([(28, {"BMBLAST": 90.0}), (56, {})], ("PD", "N", 28)),
        ([(28, {"BMBLAST": 55.0}), (183, {}), (274, {})], ("CR", "N", 183)),
    ],
)
def test_best_response_and_confirmation(course, expected):
    builder = treated("001")
    for day, findings in course:
        builder.marrow(day, **findings)
    row = best(adrs(builder))
    assert (row["AVALC"], row["CONFFL"], row["ARDY"]) == expected


def test_new_extramedullary_disease_is_progression_and_old_one_is_not():
    fresh = treated("001").marrow(28, BMBLAST=50.0, EMD="PRESENT")
    assert at(adrs(fresh), "AVALC") == [("PD",)]
    from tests.unit.datasets.cases import Builder

    known = Builder("002").screening(EMD="PRESENT").lymphodepletion().infusion_given()
    known.marrow(28, BMBLAST=50.0, EMD="PRESENT")
    assert at(adrs(known), "AVALC") == [("NR",)]


def test_transfusion_and_growth_factor_reach_the_criteria():
    assert at(adrs(treated("001").marrow(28, PLTTRANS="Y")), "AVALC") == [("CRi",)]
    assert at(adrs(treated("001").marrow(28, GCSF="Y", PLTTRANS="Y")), "AVALC") == [("MLFS",)]


def test_mrd_label_and_guard():
    negative = treated("001").marrow(28, MRDRES="NOT DETECTED", MRDSENS=1e-4)
    positive = treated("001").marrow(28, MRDRES="DETECTED", MRDVAL=1e-4, MRDSENS=1e-5)
    guarded = treated("001").marrow(28, MRDRES="DETECTED", MRDVAL=0.02, MRDSENS=1e-5)
    assert at(adrs(negative), "AVALC", "MRD") == [("CR", "NEGATIVE")]
    assert at(adrs(positive), "AVALC", "MRD") == [("CR", "POSITIVE")]
    assert at(adrs(guarded), "AVALC", "MRD") == [("NR", None)]


def test_the_investigator_counts_and_the_criteria_stand_beside():
    frame = adrs(treated("001").marrow(28, RSORRES="CRi").marrow(56, RSORRES="CR").marrow(84))
    assert at(frame, "AVALC", "DRVRESP", "AGREEFL") == [
        ("CRi", "CR", "N"),
        ("CR", "CR", "Y"),
        ("CR", "CR", None),
    ]
    reasons = [reason for (reason,) in at(frame, "REASON")]
    assert "investigator: CRi; by the criteria: CR" in reasons[0]
    assert "no call of the investigator" in reasons[2]


def test_assessments_up_to_the_infusion_are_baseline():
    frame = adrs(treated("001").marrow(-1).marrow(0).marrow(28))
    assert at(frame, "ARDY", "ADY") == [(28, 34)]


def test_infused_without_assessment_is_not_evaluable_and_not_infused_is_absent(adam):
    row = adam["ADRS"].filter(SUBJID="003").row(0, named=True)
    assert (row["PARAMCD"], row["AVALC"], row["ADT"], row["SRCSEQ"]) == ("BOR", "NE", None, None)
    assert adam["ADRS"].filter(SUBJID="002").height == 0


def test_every_source_is_the_overall_response_record(sdtm, adam):
    parents = set(sdtm["RS"].filter(RSTESTCD="OVRLRESP").select("USUBJID", "RSSEQ").rows())
    used = adam["ADRS"].drop_nulls("SRCSEQ").select("USUBJID", "SRCSEQ").rows()
    assert len(used) >= 8
    assert set(used) <= parents


def test_the_course_carries_what_best_overall_carries():
    """Without a call of the investigator, every response is the one ``best_overall`` reads from the same findings."""
    from escalon.criteria.leukemia_response import Assessment, best_overall
    from escalon.datasets.adam.assessments import read_courses

    findings = [
        (28, 3.0, "ABSENT", "CNS1"), (56, 20.0, "NOT ASSESSED", "NOT DONE"), (84, 30.0, "PRESENT", "CNS3a"),
    ]  # fmt: skip
    builder = treated("001")
    for day, blasts, emd, cns in findings:
        builder.marrow(day, None, BMBLAST=blasts, EMD=emd, CNS=cns, PLAT=30.0, NEUT=0.3)
    (course,) = read_courses(build_sdtm(make_state(builder.built()), study()), study()).values()
    seen = [
        Assessment(
            day=day, bm_blasts=blasts, pb_blasts=0.0, anc=0.3, platelets=30.0, cells_counted=300,
            emd=emd.lower().replace(" ", "_"), cns=None if cns == "NOT DONE" else cns,
        )
        for day, blasts, emd, cns in findings
    ]  # fmt: skip
    baseline = Assessment(bm_blasts=60.0, pb_blasts=0.4, emd="absent", cns="CNS1")
    expected = best_overall(seen, study().response.criteria_set, baseline=baseline).responses
    assert len(expected) >= 2
    assert [one.derived for one in course.assessed[: len(expected)]] == [one.response for one in expected]
