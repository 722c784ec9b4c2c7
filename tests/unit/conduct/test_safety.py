"""A serious event is a case; causality is never lowered; clocks start, stop and start again as the rules say."""

from datetime import timedelta
from typing import Any

import pytest

from escalon.conduct import commands as c
from escalon.conduct.act import Event
from escalon.conduct.encoding import decode, encode
from escalon.conduct.events import DltStatus
from escalon.conduct.proposals import propose_dlt
from escalon.conduct.safety import commands as sc
from escalon.conduct.safety import events as ev
from escalon.conduct.safety.clocks import tasks
from escalon.conduct.safety.topic import TOPIC
from escalon.protocol import StudyFolder
from tests.act import (
    COORDINATOR,
    INVESTIGATOR,
    MONITOR,
    SAFETY_OFFICER,
    T0,
    Desk,
    adverse_event,
    enrol,
    give,
    infuse,
    judge,
    lymphodeplete,
    opened,
    panel,
)

HASH = "c" * 64
EVENTS: list[Event] = [
    ev.CaseOpened(1, "001", "AE-1", "Sepsis", "2020-01-10T08:00:00+00:00", ("DEATH",), True, T0),
    ev.CaseUpdated(1, 2, "Sepsis", ("DEATH",), True, ("grade: 4 to 5",)),
    ev.CaseAssessed(1, {"UCART22": "POSSIBLE"}, ("DEATH",), {"UCART22": "unexpected"}, True, ("r",), "n"),
    ev.ClockStarted(1, 1, "eu-susar-fatal", "1", "EU", "susar_fatal", T0, T0 + timedelta(days=7)),
    ev.ClockStopped(1, "report 1 to EudraVigilance", None),
    ev.ReportSubmitted(1, 1, 1, "EudraVigilance", HASH),
    ev.ReportAcknowledged(1, False, "E2B rule 12", T0, HASH),
    ev.ClockReopened(1, "report 1 was rejected"),
    ev.MatterRecorded(1, "serious_breach", "consent missing", T0),
    ev.ReportDistributed(1, ("i", "committee:Central")),
    ev.ReportRead(1, "i"),
    ev.TermCoded("001", "AE-1", "Sepsis", "1", "llt", "2", "pt", "3", "soc", "27.1", "yearly"),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_a_fact_survives_writing_and_reading(event: Event) -> None:
    assert decode(*encode(event)) == event


def test_every_fact_of_safety_is_exercised() -> None:
    assert {type(event) for event in EVENTS} == set(TOPIC.apply)


def with_event(folder: StudyFolder, **changes: Any) -> Desk:
    desk = opened(folder)
    enrol(desk, "001")
    lymphodeplete(desk, "001")
    infuse(desk, "001")
    desk.now += timedelta(days=3)
    record(desk, **changes)
    return desk


def record(desk: Desk, reason: str | None = None, **changes: Any) -> tuple[Event, ...]:
    values = adverse_event(desk, **{"AESTDTC": (T0 + timedelta(days=2)).isoformat(), **changes})
    return desk.must(COORDINATOR, c.RecordForm("001", "AE", "AE-1", values, reason=reason))


def assess(desk: Desk, relation: str = "UNLIKELY", **more: Any) -> None:
    opinion = {"UCART22": relation, "CLLS52": "NOT RELATED"}
    desk.must(MONITOR, sc.AssessCase(1, opinion, "Pneumonitis on day 2", **more))


def purposes(desk: Desk) -> list[str]:
    return [clock.purpose for clock in tasks(desk.state)]


def test_a_serious_event_is_a_case_and_a_mild_one_is_none(balli: StudyFolder) -> None:
    desk = with_event(balli, AESER="N", AESLIFE="N", AESHOSP="N", AETOXGR=2)
    assert desk.state.safety.cases == ()
    record(desk, reason="admitted", AESLIFE="N", AETOXGR=3)
    (case,) = desk.state.safety.cases
    assert (case.patient, case.record, case.serious, case.fatal) == (
        "001",
        "AE-1",
        ("HOSPITALISATION",),
        False,
    )


def test_the_entry_of_the_site_stops_its_clock_of_24_hours(balli: StudyFolder) -> None:
    desk = with_event(balli)
    (clock,) = [one for one in desk.state.safety.clocks if one.purpose == "site_sae"]
    assert (clock.due_at - clock.started_at, clock.stopped_at) == (timedelta(hours=24), desk.now)
    assert not clock.late(desk.now)


def test_the_sponsor_cannot_lower_what_the_investigator_says(balli: StudyFolder) -> None:
    desk = with_event(balli)  # the investigator says PROBABLE
    assess(desk, "NOT RELATED")
    case = desk.state.safety.cases[0]
    assert case.susar is True
    assert case.causality["UCART22"] == "NOT RELATED"
    assert "susar_fatal" in purposes(desk)
    assert [hold.rule for hold in desk.state.open_holds] == ["susar"]


def test_the_sponsor_can_raise(balli: StudyFolder) -> None:
    desk = with_event(balli, AERELUC="NOT RELATED", AESLIFE="N")
    assess(desk, "POSSIBLE")
    assert desk.state.safety.cases[0].susar is True
    assert purposes(desk) == ["susar_other"] * len(balli.conduct.safety.jurisdictions)


def test_an_expected_or_unrelated_event_starts_no_clock(balli: StudyFolder) -> None:
    desk = with_event(balli, AERELUC="NOT RELATED")
    assess(desk, "UNLIKELY")
    assert desk.state.safety.cases[0].susar is False
    assert purposes(desk) == []
    assert desk.state.open_holds == ()


def test_a_late_report_needs_a_reason_and_the_complete_one_follows(balli: StudyFolder) -> None:
    desk = with_event(balli)
    assess(desk, "POSSIBLE")
    clock = tasks(desk.state)[-1]
    desk.now += timedelta(days=8)
    late = sc.SubmitReport(clock.number, "EudraVigilance", HASH)
    assert desk.refused(SAFETY_OFFICER, late).rule == "SF-2 late"
    assert (
        desk.refused(SAFETY_OFFICER, sc.SubmitReport(clock.number, "EudraVigilance", "x", "ill")).rule
        == "SF-9 report"
    )
    desk.must(SAFETY_OFFICER, sc.SubmitReport(clock.number, "EudraVigilance", HASH, "the site answered late"))
    stopped = desk.state.safety.clocks[clock.number - 1]
    assert (stopped.late_reason, stopped.due_at) == ("the site answered late", clock.due_at)
    complete = [one for one in tasks(desk.state) if one.purpose == "complete_report"]
    assert [(one.jurisdiction, one.started_at) for one in complete] == [(clock.jurisdiction, desk.now)]
    assert [one.number for one in desk.state.safety.clocks] == list(
        range(1, len(desk.state.safety.clocks) + 1)
    )
    assert "stopped" in desk.refused(SAFETY_OFFICER, sc.SubmitReport(clock.number, "FDA", HASH)).reason


def test_a_rejection_opens_the_task_again_and_the_due_date_stays(balli: StudyFolder) -> None:
    desk = with_event(balli)
    assess(desk, "POSSIBLE")
    clock = tasks(desk.state)[0]
    desk.must(SAFETY_OFFICER, sc.SubmitReport(clock.number, "EudraVigilance", HASH))
    desk.must(SAFETY_OFFICER, sc.AcknowledgeReport(1, False, "E2B rule 12"))
    again = desk.state.safety.clocks[clock.number - 1]
    assert (again.stopped_at, again.due_at) == (None, clock.due_at)
    desk.must(SAFETY_OFFICER, sc.SubmitReport(clock.number, "EudraVigilance", HASH, "sent again"), days=20)
    desk.must(SAFETY_OFFICER, sc.AcknowledgeReport(2, False, "E2B rule 13"))
    assert [report.late_reason for report in desk.state.safety.reports] == [None, "sent again"]
    twice = desk.refused(SAFETY_OFFICER, sc.AcknowledgeReport(1, True, ""))
    assert (twice.rule, "rejected since" in twice.reason) == ("SF-9 report", True)
    assert "there is no report 3" in desk.refused(SAFETY_OFFICER, sc.AcknowledgeReport(3, True, "")).reason


def test_a_report_sent_again_starts_no_second_complete_report(balli: StudyFolder) -> None:
    desk = with_event(balli)
    assess(desk, "POSSIBLE")
    clock = tasks(desk.state)[0]
    desk.must(SAFETY_OFFICER, sc.SubmitReport(clock.number, "EudraVigilance", HASH))
    desk.must(SAFETY_OFFICER, sc.AcknowledgeReport(1, False, "E2B rule 12"), days=1)
    desk.must(SAFETY_OFFICER, sc.SubmitReport(clock.number, "EudraVigilance", HASH), days=1)
    complete = [one for one in tasks(desk.state) if one.purpose == "complete_report"]
    assert [one.started_at for one in complete] == [desk.now - timedelta(days=2)]
    desk.must(SAFETY_OFFICER, sc.AcknowledgeReport(2, True, ""))
    assert desk.state.safety.clocks[clock.number - 1].stopped_at == desk.now


def test_an_acknowledgement_is_pinned_and_a_rejection_says_why(balli: StudyFolder) -> None:
    desk = sent(balli)
    for command in (sc.AcknowledgeReport(1, False, " "), sc.AcknowledgeReport(1, True, "", None, "x")):
        assert desk.refused(SAFETY_OFFICER, command).rule == "SF-9 report"
    desk.must(SAFETY_OFFICER, sc.AcknowledgeReport(1, True, "", T0, HASH))
    report = desk.state.safety.reports[0]
    assert (report.acknowledged_at, report.answered_at, report.accepted) == (desk.now, T0, True)


def test_an_upgrade_starts_a_new_short_clock_and_news_never_resets_the_first(balli: StudyFolder) -> None:
    desk = with_event(balli, AESLIFE="N")
    assess(desk, "POSSIBLE")
    first = {clock.number: clock.due_at for clock in tasks(desk.state)}
    desk.now += timedelta(days=2)
    record(desk, reason="worse", AETOXGR=5, AESDTH="Y", AEOUT="FATAL")
    upgraded = [clock for clock in tasks(desk.state) if clock.purpose == "upgrade"]
    assert len(upgraded) == len(balli.conduct.safety.jurisdictions)
    assert all(clock.started_at == desk.now for clock in upgraded)
    assert {clock.number: clock.due_at for clock in tasks(desk.state) if clock.number in first} == first


def test_a_downgrade_closes_no_clock_without_a_signed_judgement(balli: StudyFolder) -> None:
    desk = with_event(balli)
    assess(desk, "POSSIBLE")
    before = tasks(desk.state)
    desk.now += timedelta(days=1)
    record(desk, reason="not so bad", AESER="N", AESLIFE="N", AESHOSP="N", AETOXGR=2)
    assert set(before) <= set(tasks(desk.state))
    refused = desk.refused(MONITOR, sc.CloseClock(before[0].number, "no longer serious"))
    assert refused.rule == "SF-4 sign-off"


def test_what_is_refused(balli: StudyFolder) -> None:
    desk = with_event(balli)
    assert desk.refused(MONITOR, sc.AssessCase(2, {}, "n")).rule == "SF-12 case"
    assert "UCART22" in desk.refused(MONITOR, sc.AssessCase(1, {}, "n")).reason
    full = {"UCART22": "MAYBE", "CLLS52": "NOT RELATED"}
    assert desk.refused(MONITOR, sc.AssessCase(1, full, "n")).rule == "SF-6 causality"
    assert desk.refused(MONITOR, sc.AssessCase(1, full, " ")).rule == "SF-5 narrative"
    assert desk.refused(COORDINATOR, sc.AssessCase(1, full, "n")).rule == "role"


def test_a_relation_the_sponsor_sees_reopens_a_window_that_was_judged(balli: StudyFolder) -> None:
    unrelated = {item: "NOT RELATED" for item in ("AERELUC", "AERELCL")}
    desk = with_event(balli, **unrelated)
    desk.now += timedelta(days=27)
    desk.must(COORDINATOR, c.RecordForm("001", "LB", "LB-D28", panel(desk), "D28"))
    desk.now += timedelta(days=2)
    judge(desk, "001")
    assert desk.state.patients["001"].dlt_status is DltStatus.NO_DLT
    assess(desk, "NOT RELATED")
    assert "001" not in desk.state.slots.reopened
    assess(desk, "PROBABLE")
    assert "001" in desk.state.slots.reopened
    assert propose_dlt(desk.state, "001", balli, desk.now).status is DltStatus.DLT


def test_a_relation_the_sponsor_sees_completes_a_stopping_rule(balli: StudyFolder) -> None:
    desk = with_event(balli, AERELUC="NOT RELATED", AETOXGR=5, AESDTH="Y", AEOUT="FATAL")
    assert [hold.rule for hold in desk.state.open_holds] == ["death"]
    assess(desk, "POSSIBLE")
    assert [hold.rule for hold in desk.state.open_holds] == ["death", "related-death", "susar"]
    assert [hold.number for hold in desk.state.holds] == [1, 2, 3]


def sent(folder: StudyFolder) -> Desk:
    """A desk with one report sent."""
    desk = with_event(folder)
    assess(desk, "POSSIBLE")
    desk.must(SAFETY_OFFICER, sc.SubmitReport(tasks(desk.state)[0].number, "EudraVigilance", HASH))
    return desk


def test_a_case_without_an_assessment_cannot_be_reported(balli: StudyFolder) -> None:
    desk = with_event(balli)
    number = desk.state.safety.clocks[0].number
    assert desk.refused(SAFETY_OFFICER, sc.SubmitReport(number, "FDA", HASH)).rule == "SF-2 clock"
    assess(desk, "POSSIBLE")
    values = {"AEOUT": "FATAL", "AESDTH": "Y", "AETOXGR": 5}
    record(desk, reason="died", **values)
    assert desk.state.safety.cases[0].to_assess


def test_a_case_reported_without_a_suspect_product_lacks_an_element(balli: StudyFolder) -> None:
    desk = with_event(balli)
    assess(desk, "POSSIBLE")
    record(desk, reason="entry error", AESTDTC=(T0 - timedelta(days=40)).isoformat())
    clock = next(one for one in tasks(desk.state) if one.purpose == "susar_fatal")
    refused = desk.refused(SAFETY_OFFICER, sc.SubmitReport(clock.number, "EudraVigilance", HASH))
    assert refused.rule in ("SF-5 G.k.1", "SF-5 G.k.2.2")
    assert "product" in refused.reason


def test_every_moment_of_new_information_is_kept_apart(balli: StudyFolder) -> None:
    desk = with_event(balli)
    first = desk.now
    assess(desk, "POSSIBLE")
    desk.now += timedelta(days=1)
    record(desk, reason="follow-up", AEOUT="RECOVERED/RESOLVED", AEENDTC=desk.now.isoformat())
    case = desk.state.safety.cases[0]
    assert case.informed_at == (first, desk.now)
    assert (case.site_aware_at, case.sponsor_aware_at, case.determined_at) == (first, first, first)


def test_a_worse_opinion_of_the_sponsor_starts_the_short_clock_once(balli: StudyFolder) -> None:
    desk = with_event(balli, AESLIFE="N")
    assess(desk, "POSSIBLE")
    assess(desk, "POSSIBLE", serious=("LIFE_THREATENING",))
    assert purposes(desk).count("upgrade") == len(balli.conduct.safety.jurisdictions)
    assess(desk, "POSSIBLE", serious=("LIFE_THREATENING",))
    assert purposes(desk).count("upgrade") == len(balli.conduct.safety.jurisdictions)


def test_a_case_that_becomes_reportable_later_is_not_late_for_what_was_not_known(balli: StudyFolder) -> None:
    desk = with_event(balli, AERELUC="NOT RELATED", AESLIFE="N")
    assess(desk, "UNLIKELY")
    desk.now += timedelta(days=30)
    record(desk, reason="biopsy", AERELUC="PROBABLE", AESLIFE="N")
    assess(desk, "PROBABLE")
    clock = next(one for one in tasks(desk.state) if one.purpose == "susar_other")
    assert clock.started_at == desk.now


@pytest.mark.parametrize(
    ("kind", "days", "clocks"),
    [("urgent_safety_measure", 7, ["EU"]), ("serious_breach", 7, ["EU"]), ("dsur", 60, ["EU", "US"])],
)
def test_a_matter_starts_its_clock(balli: StudyFolder, kind: str, days: int, clocks: list[str]) -> None:
    desk = opened(balli)
    desk.now = T0.replace(year=2026, hour=12)
    desk.must(SAFETY_OFFICER, sc.RecordMatter(kind, "what happened", desk.now))
    open_ = tasks(desk.state)
    assert sorted(one.jurisdiction for one in open_) == clocks
    assert {(one.due_at.date() - desk.now.date()).days for one in open_} == {days}
    assert {(one.case, one.matter) for one in open_} == {(0, 1)}
    desk.must(SAFETY_OFFICER, sc.SubmitReport(open_[0].number, "authority", HASH))
    assert len(tasks(desk.state)) == len(clocks) - 1


def test_what_is_refused_of_matters(balli: StudyFolder) -> None:
    desk = opened(balli)
    late = desk.now + timedelta(hours=1)
    for command, rule in (
        (sc.RecordMatter("rumor", "x", desk.now), "SF-10 kind"),
        (sc.RecordMatter("dsur", " ", desk.now), "SF-10 summary"),
        (sc.RecordMatter("dsur", "x", desk.now.replace(tzinfo=None)), "SF-3 moment"),
        (sc.RecordMatter("dsur", "x", late), "SF-4 moment"),
    ):
        assert desk.refused(SAFETY_OFFICER, command).rule == rule


def test_a_report_is_sent_on_and_read(balli: StudyFolder) -> None:
    desk = sent(balli)
    ethics = "committee:Central"
    desk.must(SAFETY_OFFICER, sc.DistributeReport(1, ("i", "i2", ethics)))
    desk.must(INVESTIGATOR, sc.ConfirmReading(1))
    desk.must(SAFETY_OFFICER, sc.ConfirmReading(1, ethics))
    assert desk.state.safety.reports[0].unread == ("i2",)
    for actor, command, rule in (
        (INVESTIGATOR, sc.ConfirmReading(1), "SF-10 receipt"),
        (SAFETY_OFFICER, sc.ConfirmReading(1, "i2"), "SF-10 receipt"),
        (MONITOR, sc.ConfirmReading(1), "SF-10 receipt"),
        (SAFETY_OFFICER, sc.DistributeReport(1, ("nobody",)), "SF-10 recipients"),
        (SAFETY_OFFICER, sc.DistributeReport(1, ("committee:",)), "SF-10 recipients"),
        (SAFETY_OFFICER, sc.DistributeReport(1, ()), "SF-10 recipients"),
        (SAFETY_OFFICER, sc.DistributeReport(2, ("i",)), "SF-9 report"),
    ):
        assert desk.refused(actor, command).rule == rule


def test_the_reason_of_a_late_report_outlives_the_closure_of_its_clock(balli: StudyFolder) -> None:
    desk = with_event(balli)
    assess(desk, "POSSIBLE")
    number = tasks(desk.state)[0].number
    desk.must(SAFETY_OFFICER, sc.SubmitReport(number, "EudraVigilance", HASH, "holiday"), days=9)
    desk.must(SAFETY_OFFICER, sc.AcknowledgeReport(1, False, "E2B rule 12"))
    give(desk, MONITOR, f"clock:{number}", {"clock": number, "reason": "duplicate case"})
    desk.must(MONITOR, sc.CloseClock(number, "duplicate case"), days=1)
    assert desk.state.safety.reports[0].late_reason == "holiday"
    assert desk.state.safety.clocks[number - 1].late_reason == "duplicate case"
