"""Commands become facts or are refused with a rule; the dose lock, the stagger and the two signatures hold."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from escalon.conduct import commands as c
from escalon.conduct import events as ev
from escalon.conduct.committee import commands as cc
from escalon.conduct.committee.carried import decision_content, decision_ref
from escalon.conduct.events import DltStatus
from escalon.protocol import StudyFolder
from tests.act import (
    CHAIR,
    COORDINATOR,
    INVESTIGATOR,
    MEMBER,
    MONITOR,
    PHYSICIAN,
    SPONSOR,
    STATISTICIAN,
    THIRD_MEMBER,
    Desk,
    adverse_event,
    enrol,
    give,
    infuse,
    lymphodeplete,
    observe_cohort,
    opened,
    review,
    seat,
    sign_casebooks,
    vote,
)


def test_nothing_happens_before_the_study_is_open(balli: StudyFolder) -> None:
    refused = Desk(balli).refused(CHAIR, c.DecideDose("open", 1, "start", 1))
    assert refused.rule == "study-open"


def test_a_study_opens_only_on_the_folder_it_names(balli: StudyFolder) -> None:
    assert Desk(balli).refused(SPONSOR, c.OpenStudy("0" * 64, "0", "test")).rule == "study-version"


def test_who_may_not_is_refused(balli: StudyFolder) -> None:
    desk = opened(balli)
    assert desk.refused(COORDINATOR, c.DecideDose("open", 1, "start", 1)).rule == "role"
    assert desk.refused(SPONSOR, c.EnrolPatient("001", "01", "2020-01-06")).rule == "role"


def test_time_does_not_run_backwards(balli: StudyFolder) -> None:
    desk = opened(balli)
    assert desk.refused(COORDINATOR, c.EnrolPatient("001", "01", "2020-01-05"), days=-1).rule == "clock"


def test_a_cohort_cannot_overfill(balli: StudyFolder) -> None:
    desk = opened(balli)
    for patient in ("001", "002", "003"):
        enrol(desk, patient)
    assert desk.refused(COORDINATOR, c.EnrolPatient("004", "01", "2020-01-06")).rule == "cohort-full"


def test_a_coordinator_enrols_at_the_own_site_only(balli: StudyFolder) -> None:
    assert opened(balli).refused(COORDINATOR, c.EnrolPatient("001", "02", "2020-01-06")).rule == "site"


def test_the_dose_lock_knows_one_level(balli: StudyFolder) -> None:
    desk = opened(balli)
    seat(desk, "001")
    refused = desk.refused(INVESTIGATOR, c.AssignDose("001", 2, "FC", "P1"))
    assert refused.rule == "dose-lock"
    assert "level 1" in refused.reason
    assert desk.refused(INVESTIGATOR, c.AssignDose("001", 1, "FCA", "P1")).rule == "dose-lock"
    desk.must(INVESTIGATOR, c.AssignDose("001", 1, "FC", "P1"))


def test_cells_follow_lymphodepletion_and_the_assigned_dose(balli: StudyFolder) -> None:
    desk = opened(balli)
    enrol(desk, "001")
    refused = infuse(desk, "001")
    assert isinstance(refused, c.Refused)
    assert refused.rule == "lymphodepletion"
    lymphodeplete(desk, "001")
    outcome = infuse(desk, "001", fraction=0.9)
    assert not isinstance(outcome, c.Refused)
    infused = outcome[1]
    assert isinstance(infused, ev.PatientInfused)
    assert infused.dose_fraction == pytest.approx(0.9, abs=1e-12)


def test_the_stagger_counts_from_the_actual_infusion(balli: StudyFolder) -> None:
    desk = opened(balli)
    for patient in ("001", "002", "003"):
        enrol(desk, patient)
        lymphodeplete(desk, patient)
    assert not isinstance(infuse(desk, "001"), c.Refused)
    desk.now += timedelta(days=13)
    early = infuse(desk, "002")
    assert isinstance(early, c.Refused)
    assert early.rule == "stagger"
    assert "20 Jan 2020" in early.reason
    desk.now += timedelta(days=1)
    assert not isinstance(infuse(desk, "002"), c.Refused)
    desk.now += timedelta(days=6)
    assert isinstance(infuse(desk, "003"), c.Refused)
    desk.now += timedelta(days=1)
    assert not isinstance(infuse(desk, "003"), c.Refused)


def test_no_judgement_of_no_dlt_while_the_window_is_open(balli: StudyFolder) -> None:
    desk = opened(balli)
    enrol(desk, "001")
    lymphodeplete(desk, "001")
    infuse(desk, "001")
    judged = c.AdjudicateDlt("001", DltStatus.NO_DLT, "well")
    assert desk.refused(MONITOR, judged, days=27).rule == "dlt-window"
    assert desk.refused(MONITOR, c.AdjudicateDlt("001", DltStatus.DLT, "ill")).rule == "dlt-clause"
    assert desk.refused(MONITOR, c.AdjudicateDlt("001", DltStatus.PENDING, "wait")).rule == "dlt-status"


def test_recommendation_and_decision_are_two_facts(balli: StudyFolder) -> None:
    desk = opened(balli)
    assert desk.refused(STATISTICIAN, c.RequestRecommendation()).rule == "cohort-full"
    observe_cohort(desk, ["001", "002", "003"])
    assert desk.refused(CHAIR, c.DecideDose("escalate", 2, "go", 1)).rule == "PH-9 review"
    early = review(desk)
    assert desk.refused(CHAIR, c.DecideDose("escalate", 2, "go", early)).rule == "decision"
    (recommended,) = desk.must(STATISTICIAN, c.RequestRecommendation())
    assert isinstance(recommended, ev.DoseRecommended)
    assert (recommended.action, recommended.dose_level) == ("escalate", 2)
    assert recommended.inputs["n"] == [3, 0, 0, 0]
    # The review was opened before the recommendation; it cannot carry a decision on it.
    assert desk.refused(CHAIR, c.DecideDose("escalate", 2, "go", early)).rule == "decision"
    desk = opened(balli)
    observe_cohort(desk, ["001", "002", "003"])
    desk.must(STATISTICIAN, c.RequestRecommendation())
    number = review(desk)
    assert desk.refused(CHAIR, c.DecideDose("escalate", 3, "bold", number)).rule == "dose-lock"
    assert desk.refused(CHAIR, c.DecideDose("stay", 1, "soon", number)).rule == "DC-6 casebook"
    sign_casebooks(desk)
    assert desk.refused(CHAIR, c.DecideDose("stay", 1, "soon", number)).rule == "PH-9 quorum"
    vote(desk, number, "stay", 1)
    assert desk.refused(CHAIR, c.DecideDose("escalate", 2, "rather", number)).rule == "PH-9 majority"
    decided, opened_cohort = desk.must(CHAIR, c.DecideDose("stay", 1, "more patients first", number))
    assert isinstance(decided, ev.CommitteeDecided)
    assert isinstance(opened_cohort, ev.CohortOpened)
    assert opened_cohort.dose_level == 1
    assert desk.state.recommendations[0].action == "escalate"
    assert desk.state.decisions[-1].action == "stay"


def test_dlts_reach_the_rule_and_stop_a_toxic_first_level(balli: StudyFolder) -> None:
    desk = opened(balli)
    observe_cohort(desk, ["001", "002", "003"], dlts=("001", "002", "003"))
    (recommended,) = desk.must(STATISTICIAN, c.RequestRecommendation())
    assert isinstance(recommended, ev.DoseRecommended)
    assert recommended.action == "stop"
    assert recommended.inputs["y"] == [3, 0, 0, 0]
    sign_casebooks(desk)
    number = review(desk)
    assert desk.refused(CHAIR, c.DecideDose("stay", 1, "hope", number)).rule == "dose-lock"
    vote(desk, number, "stop", None)
    _, mtd = desk.must(CHAIR, c.DecideDose("stop", None, "toxic", number))
    assert isinstance(mtd, ev.MtdEstimated)
    assert mtd.dose_level is None
    evidence = dict.fromkeys(balli.study.rp2d.evidence, "seen")
    number = review(desk, "rp2d")
    assert desk.refused(CHAIR, c.DecideRp2d(1, "try", evidence, number)).rule == "rp2d"
    assert desk.refused(CHAIR, c.DecideRp2d(None, "none", {}, number)).rule == "rp2d-evidence"
    assert desk.refused(CHAIR, c.DecideRp2d(None, "none", evidence, number)).rule == "PH-9 quorum"
    vote(desk, number, "rp2d", None)
    desk.must(CHAIR, c.DecideRp2d(None, "none", evidence, number))
    assert desk.refused(SPONSOR, c.OpenExpansion()).rule == "expansion"


def test_a_patient_without_cells_frees_the_seat_and_is_replaced(balli: StudyFolder) -> None:
    desk = opened(balli)
    for patient in ("001", "002", "003"):
        enrol(desk, patient)
    left = {"DSDECOD": "NOT INFUSED", "DSSTDTC": "2020-01-10", "DSTERM": "infection"}
    events = desk.must(COORDINATOR, c.RecordForm("002", "DS", "DS-NI", left))
    assert isinstance(events[1], ev.SeatReleased)
    enrol(desk, "004")
    assert desk.state.patients["004"].replaces == "002"


def test_a_change_needs_a_reason_and_keeps_the_version(balli: StudyFolder) -> None:
    desk = opened(balli)
    enrol(desk, "001")
    vitals = {"VSDTC": desk.now.isoformat(), "WEIGHT": 70}
    desk.must(COORDINATOR, c.RecordForm("001", "VS", "VS-1", vitals))
    change = c.RecordForm("001", "VS", "VS-1", {**vitals, "WEIGHT": 71})
    assert desk.refused(COORDINATOR, change).rule == "reason"
    desk.must(COORDINATOR, c.RecordForm("001", "VS", "VS-1", {**vitals, "WEIGHT": 71}, None, "typing error"))
    assert desk.state.patients["001"].records["VS-1"].version == 2
    wrong = c.RecordForm("001", "VS", "VS-2", {**vitals, "WEIGHT": 700})
    assert "outside 25 to 250 kg" in desk.refused(COORDINATOR, wrong).reason


def test_a_related_death_holds_enrolment_until_two_lift_it(balli: StudyFolder) -> None:
    desk = opened(balli)
    enrol(desk, "001")
    lymphodeplete(desk, "001")
    infuse(desk, "001")
    fatal = adverse_event(desk, AETOXGR=5, AESDTH="Y", AEOUT="FATAL")
    events = desk.must(COORDINATOR, c.RecordForm("001", "AE", "AE-1", fatal), days=3)
    assert [type(event).__name__ for event in events][:2] == ["FormRecorded", "EnrolmentHeld"]
    assert len(desk.state.open_holds) == 1
    today = desk.now.date().isoformat()
    assert desk.refused(COORDINATOR, c.EnrolPatient("002", "01", today)).rule == "hold"
    give(desk, CHAIR, "hold:1", {"hold": 1, "reason": "reviewed"})
    assert desk.refused(CHAIR, c.LiftHold(1, "reviewed")).rule == "SG-3 signatures"
    give(desk, PHYSICIAN, "hold:1", {"hold": 1, "reason": "reviewed"})
    assert desk.refused(CHAIR, c.LiftHold(1, "another reason")).rule == "SG-3 signatures"
    desk.must(CHAIR, c.LiftHold(1, "reviewed"))
    enrol(desk, "002")


@pytest.mark.parametrize(("day", "rules"), [(3, ["death"]), (400, [])])
def test_an_unrelated_death_meets_no_stopping_rule_but_is_reviewed_when_early(
    balli: StudyFolder, day: int, rules: list[str]
) -> None:
    desk = opened(balli)
    enrol(desk, "001")
    lymphodeplete(desk, "001")
    infuse(desk, "001")
    desk.now += timedelta(days=day)
    fatal = adverse_event(desk, AETOXGR=5, AESDTH="Y", AEOUT="FATAL", AERELUC="UNLIKELY", AERELDS="PROBABLE")
    desk.must(COORDINATOR, c.RecordForm("001", "AE", "AE-1", fatal))
    assert [hold.rule for hold in desk.state.open_holds] == rules


def test_a_closed_study_takes_nothing(balli: StudyFolder) -> None:
    desk = opened(balli)
    desk.must(SPONSOR, c.CloseStudy("over"))
    assert desk.refused(COORDINATOR, c.EnrolPatient("001", "01", "2020-01-06")).rule == "study-open"


def escalating(folder: StudyFolder) -> Desk:
    """Three patients without a DLT, casebooks signed, the rule says level 2."""
    desk = opened(folder)
    observe_cohort(desk, ["001", "002", "003"])
    desk.must(STATISTICIAN, c.RequestRecommendation())
    sign_casebooks(desk)
    return desk


def test_a_decision_bolder_than_the_rule_is_an_exception_signed_twice_more(balli: StudyFolder) -> None:
    desk = opened(balli)
    observe_cohort(desk, ["001", "002", "003"], dlts=("002",))
    desk.must(STATISTICIAN, c.RequestRecommendation())  # 1 of 3: stay
    sign_casebooks(desk)
    number = review(desk)
    vote(desk, number, "escalate", 2)
    bold = c.DecideDose("escalate", 2, "go", number, "two of the three were re-judged by the sponsor")
    assert desk.refused(CHAIR, c.DecideDose("escalate", 2, "go", number)).rule == "dose-lock"
    assert desk.refused(CHAIR, bold).rule == "INV-12 exception"
    content = decision_content(desk.state.committee.reviews[number - 1], "escalate", 2)
    give(desk, CHAIR, decision_ref(number), content, "exception")
    assert desk.refused(CHAIR, bold).rule == "INV-12 exception"
    give(desk, PHYSICIAN, decision_ref(number), content, "exception")
    skipping = c.DecideDose("escalate", 3, "go", number, "in a hurry")
    assert desk.refused(CHAIR, skipping).rule == "INV-12 exception"
    decided, *_ = desk.must(CHAIR, bold)
    assert isinstance(decided, ev.CommitteeDecided)
    assert decided.exception == bold.exception


@pytest.mark.parametrize(
    ("treated", "current", "action", "level", "says"),
    [
        (3, 4, "escalate", 5, "from level 4 to 5"),  # the study has four levels
        (None, 1, "stay", 1, "no place left"),  # everybody of the plan was treated: a cohort of nobody
    ],
)
def test_not_even_an_exception_leaves_the_plan(
    balli: StudyFolder, treated: int | None, current: int, action: str, level: int, says: str
) -> None:
    desk = escalating(balli)
    number = review(desk)
    vote(desk, number, action, level)
    content = decision_content(desk.state.committee.reviews[number - 1], action, level)
    for signer in (CHAIR, PHYSICIAN):
        give(desk, signer, decision_ref(number), content, "exception")
    plan, one = balli.study.escalation, desk.state.patients["001"]
    names = [f"{1 + place:03d}" for place in range(treated or plan.max_total)]
    n = [len(names) if place == current else 0 for place in range(1, plan.levels + 1)]
    inputs = {"n": n, "y": [0] * plan.levels, "current_level": current}
    stops = replace(desk.state.recommendations[-1], action="stop", dose_level=None, inputs=inputs)
    patients = {name: replace(one, patient=name, dose_level=current) for name in names}
    desk.state = replace(desk.state, patients=patients, recommendations=(stops,))
    refused = desk.refused(CHAIR, c.DecideDose(action, level, "go", number, "one more try"))
    assert refused.rule == "INV-12 exception"
    assert says in refused.reason


def test_half_of_the_votes_carry_nothing(balli: StudyFolder) -> None:
    desk = escalating(balli)
    number = review(desk)
    desk.must(CHAIR, cc.CastVote(number, "escalate", 2, "no toxicity"))
    desk.must(MEMBER, cc.CastVote(number, "stay", 1, "too few patients"))
    content = decision_content(desk.state.committee.reviews[number - 1], "escalate", 2)
    for signer in (CHAIR, PHYSICIAN):
        give(desk, signer, decision_ref(number), content)
    assert desk.refused(CHAIR, c.DecideDose("escalate", 2, "go", number)).rule == "PH-9 majority"


def test_a_signature_on_other_content_carries_nothing(balli: StudyFolder) -> None:
    desk = escalating(balli)
    number = review(desk)
    for member in (CHAIR, MEMBER):
        desk.must(member, cc.CastVote(number, "stay", 1, "more patients"))
    other = decision_content(desk.state.committee.reviews[number - 1], "escalate", 2)
    for signer in (CHAIR, MEMBER, PHYSICIAN):
        give(desk, signer, decision_ref(number), other)
    assert desk.refused(CHAIR, c.DecideDose("stay", 1, "go", number)).rule == "SG-3 signatures"


def test_the_sponsor_signs_too_and_dissent_is_kept(balli: StudyFolder) -> None:
    desk = escalating(balli)
    number = review(desk)
    desk.must(THIRD_MEMBER, cc.DeclareInterest(number, False, "none"))
    desk.must(THIRD_MEMBER, cc.CastVote(number, "stay", 1, "too few patients"))
    for member in (CHAIR, MEMBER):
        desk.must(member, cc.CastVote(number, "escalate", 2, "no toxicity"))
    content = decision_content(desk.state.committee.reviews[number - 1], "escalate", 2)
    for signer in (CHAIR, MEMBER):
        give(desk, signer, decision_ref(number), content)
    decide = c.DecideDose("escalate", 2, "no toxicity", number)
    assert "sponsor" in desk.refused(CHAIR, decide).reason
    give(desk, PHYSICIAN, decision_ref(number), content)
    decided, *_ = desk.must(CHAIR, decide)
    assert isinstance(decided, ev.CommitteeDecided)
    assert decided.dissent == ("Third member voted for stay (level 1): too few patients",)
    assert decided.signers == ("Chair", "Second member", "Sponsor physician")


def test_a_changed_adjudication_needs_a_new_recommendation(balli: StudyFolder) -> None:
    desk = escalating(balli)
    number = review(desk)
    vote(desk, number, "escalate", 2)
    desk.must(MONITOR, c.AdjudicateDlt("001", DltStatus.DLT, "seen late", "1"))
    assert desk.refused(CHAIR, c.DecideDose("escalate", 2, "go", number)).rule == "INV-11 inputs"


def test_a_refusal_for_the_role_or_the_state_of_the_study_says_what_the_act_is(balli: StudyFolder) -> None:
    """A coordinator reads the sentence, not the names of the software."""
    desk = Desk(balli)
    said = desk.refused(COORDINATOR, c.EnrolPatient("001", "01", "2020-01-06"))
    assert said.rule == "study-open"
    assert said.reason.startswith("Take a seat of the open cohort for a consented patient")
    assert said.reason.endswith("the study is not open yet")
    desk = opened(balli)
    said = desk.refused(MONITOR, c.RecordForm("001", "AE", "AE-1", {}))
    assert (
        said.reason == "Record a form: that is for coordinator, investigator; Monitor acts as medical monitor"
    )
    desk.now -= timedelta(days=1)
    said = desk.refused(COORDINATOR, c.RecordForm("001", "AE", "AE-1", {}))
    assert said.rule == "clock"
    assert re.fullmatch(r"time does not run backwards: [\d :\w]+ UTC lies before [\d :\w]+ UTC", said.reason)
