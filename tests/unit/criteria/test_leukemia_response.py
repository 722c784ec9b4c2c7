"""Course of one patient, refusals, and results that are not evaluable."""

import pytest
from pydantic import ValidationError

from escalon.criteria.leukemia_response import (
    EMD_SITES,
    Assessment,
    CriteriaSet,
    VisitWindow,
    assign_visits,
    best_overall,
    classify,
    cns_status,
    criteria_set,
    extramedullary_status,
    judge_course,
    load_criteria_sets,
    mrd_label,
    supported_within,
)

FULL = {"pb_blasts": 0.0, "emd": "absent", "anc": 1.5, "platelets": 150}


def seen(day, bm, **found):
    return Assessment(day=day, bm_blasts=bm, **(FULL | found))


def test_course_carries_status_nadir_and_baseline():
    before = Assessment(day=-7, bm_blasts=60, pb_blasts=1.0, emd="absent")
    course = [seen(84, 12), seen(28, 2, anc=0.4, platelets=20, cells_counted=300), seen(56, 1)]
    found = best_overall(course, baseline=before)
    assert [r.response for r in found.responses] == ["MLFS", "CR", "RELAPSE"]
    assert (found.response, found.first_day, found.response_day, found.relapse_day) == ("CR", 56, 28, 84)
    assert found.responder
    assert found.reasons == ("reading stopped at RELAPSE on day 84",)


def test_progression_is_measured_from_the_nadir():
    before = Assessment(day=-7, bm_blasts=80, pb_blasts=0.0, emd="absent")
    found = best_overall([seen(28, 20, anc=0.2), seen(56, 25, anc=0.2)], baseline=before)
    assert [r.response for r in found.responses] == ["NR", "PD"]
    assert (found.response, found.progression_day) == ("NR", 56)


def test_csf_required_by_the_baseline():
    before = Assessment(day=-7, bm_blasts=60, pb_blasts=0.0, emd="absent", cns="CNS3a")
    found = best_overall([seen(28, 2), seen(56, 2, cns="CNS1")], baseline=before)
    assert [r.response for r in found.responses] == ["NE", "CR"]
    assert found.responses[0].reasons == ("lumbar puncture required and missing",)


def test_same_day_therapy_counts_only_what_precedes_it():
    assert best_overall([seen(40, 2)], new_therapy_day=40).response == "NE"
    assert best_overall([seen(40, 2, precedes_therapy=True)], new_therapy_day=40).response == "CR"


def test_no_assessment_is_not_evaluable():
    found = best_overall([])
    assert (found.response, found.clause, found.responder) == ("NE", "no assessment to read", False)


def test_asking_for_confirmation():
    once = [seen(28, 2)]
    assert best_overall(once).responder
    assert not best_overall(once, confirm_days=28).responder
    assert best_overall([*once, seen(56, 2)], confirm_days=28).responder
    assert not best_overall([*once, seen(56, 2)], confirm_days=29).responder
    assert best_overall([seen(91, 2), seen(183, 2)], confirm_days=28).confirmed
    assert not best_overall([seen(92, 2), seen(183, 2)], confirm_days=28).confirmed


def test_one_marrow_fills_one_visit():
    planned = (VisitWindow("D84", 84, 77, 91), VisitWindow("M3", 91, 84, 98))
    equal = assign_visits([82, 86], planned)
    assert [row.visit for row in equal] == [None, "D84"]  # equal distance: the later assessment
    shared = assign_visits([88], planned, policy="shared")[0]
    assert (shared.visit, shared.shared_visit) == ("M3", "D84")
    assert assign_visits([80, 88], planned, policy="shared")[1].shared_visit is None
    assert assign_visits([], planned) == ()
    even = (VisitWindow("late", 20, 10, 30), VisitWindow("early", 10, 0, 20))
    assert assign_visits([15], even)[0].visit == "early"  # equal distance: the earlier visit


def test_study_sets():
    assert set(load_criteria_sets()) == {"platform", "eln_2024", "cibmtr_2010", "crh_trial", "nccn"}
    own = criteria_set("platform", name="study", relapse_blast_rule={"op": ">=", "limit": 10})
    assert classify(seen(56, 6, prior="CR"), own).response == "INDETERMINATE"
    assert isinstance(own, CriteriaSet)
    with pytest.raises(ValidationError, match="crh"):
        criteria_set("platform", crh="sometimes")
    with pytest.raises(ValidationError, match="unknown_setting"):
        criteria_set("platform", unknown_setting=1)


def test_partial_response_that_cannot_be_judged_is_not_evaluable():
    found = classify(seen(28, 10), "platform")
    assert (found.response, found.step) == ("NE", "6")
    assert classify(seen(28, 30), "platform").response == "NR"  # above 25 % it is no PR whatever the baseline
    assert classify(seen(28, 10, baseline_bm=80, anc=None), "platform").response == "NE"
    assert classify(seen(28, 10, baseline_bm=80, anc=None, platelets=20), "platform").response == "NR"


def test_not_evaluable_says_why():
    assert classify(seen(28, None)).reasons == ("marrow blasts missing",)
    assert classify(seen(28, 2, emd=None)).reasons == ("extramedullary disease not assessed",)
    assert (
        classify(seen(28, 2, anc=0.2, platelets=20)).reasons[0]
        == "neither cells counted nor cellularity documented"
    )
    assert cns_status(csf_wbc=8, csf_rbc=200, blasts=True).status is None
    assert cns_status(csf_wbc=None, csf_rbc=2, blasts=True).status is None
    assert cns_status(csf_wbc=1, csf_rbc=2, blasts=None).status is None
    assert mrd_label(value=None, sensitivity=None).trial == "NOT_EVALUABLE"
    assert mrd_label(value=None, sensitivity=1e-5, detected=True).trial == "NOT_EVALUABLE"


def test_presence_of_blood_blasts_without_a_count():
    only = Assessment(bm_blasts=2, pb_present=True, emd="absent", prior="CR")
    found = classify(only)
    assert found.response == "RELAPSE"
    assert found.reasons[-1] == "blood blasts alone: retest in 1 to 4 weeks"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Assessment(bm_blasts=101), "bm_blasts"),
        (lambda: Assessment(anc=-0.1), "anc"),
        (lambda: Assessment(platelets=float("nan")), "platelets"),
        (lambda: Assessment(mrd=5.0), "mrd"),
        (lambda: Assessment(emd="gone"), "emd"),
        (lambda: Assessment(cns="CNS4"), "cns"),
        (lambda: Assessment(prior="cured"), "prior"),
        (lambda: Assessment(pb_blasts=0.2, pb_present=False), "pb_present"),
        (lambda: classify(Assessment(), "who_1979"), "criteria"),
        (lambda: best_overall([Assessment(bm_blasts=2)]), "day"),
        (lambda: best_overall([], orr_numerator=("CR", "OK")), "orr_numerator"),
        (lambda: VisitWindow("D28", 28, 29, 31), "D28"),
        (lambda: assign_visits([1], [VisitWindow("A", 1, 1, 1)] * 2), "twice"),
        (lambda: assign_visits([float("nan")], []), "days"),
        (lambda: assign_visits([1], [], policy="any"), "policy"),
        (lambda: mrd_label(value=2.0, sensitivity=1e-4), "value"),
        (lambda: mrd_label(value=1e-3, sensitivity=1e-4, detected=False), "detected=False"),
        (lambda: cns_status(csf_wbc=-1, csf_rbc=0, blasts=True), "csf_wbc"),
        (lambda: cns_status(csf_wbc=8, csf_rbc=100, blasts=True, blood_wbc=1e4, blood_rbc=0), "blood_rbc"),
    ],
)
def test_refusals_name_the_field(call, message):
    with pytest.raises(ValueError, match=message):
        call()


BEFORE = Assessment(day=-7, bm_blasts=60, pb_blasts=1.0, emd="absent")
VISITS = [seen(28, 2), seen(56, 3, anc=0.2), seen(91, 30), seen(183, 2)]


def test_the_criteria_s_own_responses_as_judgement_change_nothing():
    plain = judge_course(VISITS, baseline=BEFORE)
    calls = [row.derived.response for row in plain]
    assert calls == ["CR", "CRi", "RELAPSE", "CR"]
    assert judge_course(VISITS, baseline=BEFORE, judged=calls) == plain
    best = best_overall(VISITS, baseline=BEFORE)
    assert best.responses == tuple(row.response for row in plain)[:3]


def test_the_status_after_a_judgement_is_carried_on():
    rows = judge_course(VISITS[:3], baseline=BEFORE, judged=["NR", None, "PD"])
    assert [row.response.response for row in rows] == ["NR", "CRi", "PD"]
    assert rows[0].response.reasons[0] == "investigator: NR; by the criteria: CR"
    assert rows[1].response.reasons[0] == "no call of the investigator; by the criteria"
    assert [row.assessment.prior for row in rows] == [None, None, "CRi"]
    never = judge_course(VISITS[:3], baseline=BEFORE, judged=["NR", "NR", None])
    assert never[2].response.response != "RELAPSE"  # no remission that counts came before
    assert (never[2].assessment.nadir_bm, never[2].assessment.baseline_bm) == (2, 60)


def test_judgements_keep_to_their_assessment_in_any_order():
    calls = ["CR", "CRi", "PD", None]
    turned = judge_course(VISITS[::-1], baseline=BEFORE, judged=calls[::-1])
    assert turned == judge_course(VISITS, baseline=BEFORE, judged=calls)
    assert judge_course([], judged=[]) == ()


@pytest.mark.parametrize(
    ("judged", "message"), [(["CR"], "judged: 1 responses for 4"), (["CR", "OK", None, None], "judged")]
)
def test_wrong_judgements_are_refused(judged, message):
    with pytest.raises(ValueError, match=message):
        judge_course(VISITS, judged=judged)


def test_support_in_the_last_seven_days():
    assert [supported_within(28, [given]) for given in (20, 21, 28, 29)] == [False, True, True, False]
    assert not supported_within(28, [])


def test_extramedullary_sites():
    free = dict.fromkeys(EMD_SITES, False)
    assert extramedullary_status(free, free) == "absent"
    assert extramedullary_status(free | {"skin": None}, free) == "not_assessed"
    assert extramedullary_status({}, free) == "not_assessed"
    assert extramedullary_status({"skin": True}, free) == "new"
    assert extramedullary_status({"skin": True}, free | {"skin": True}) == "present"
    assert extramedullary_status({"skin": True}, {}) == "present"
    assert extramedullary_status({"skin": True, "testis": True}, free | {"skin": True}) == "new"
    with pytest.raises(ValueError, match="site"):
        extramedullary_status({"toe": True}, {})


def test_bloody_tap_at_twice_the_blood_ratio():
    blood = {"blasts": True, "blood_wbc": 1e4, "blood_rbc": 4e6}  # twice the ratio is 0.005
    assert cns_status(csf_wbc=8, csf_rbc=2000, **blood).status == "CNS2c"
    assert cns_status(csf_wbc=10, csf_rbc=2000, **blood).status == "CNS2c"
    assert cns_status(csf_wbc=10.1, csf_rbc=2000, **blood).status == "CNS3b"
