"""A further infusion is an exposure of its own: number, moment, level, window, judgement, counts, corrections."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from escalon.conduct import commands as c
from escalon.conduct.act import Refused
from escalon.conduct.cohorts import escalation_counts
from escalon.conduct.events import DltStatus
from escalon.conduct.slots import commands as slots
from escalon.conduct.slots import events as ev
from escalon.conduct.slots.approval import redosing_object
from escalon.conduct.slots.exposures import exposure_of, exposure_of_record, exposures
from escalon.conduct.slots.redosing import approve_redosing, earliest_reinfusion, refuse_departed
from escalon.conduct.slots.stagger import earliest_infusion
from escalon.conduct.slots.windows import Evaluability, Window, WindowState, dlt_window, exposure_window
from escalon.protocol import StudyFolder
from tests.act import (
    CHAIR,
    COORDINATOR,
    INVESTIGATOR,
    MONITOR,
    STATISTICIAN,
    Desk,
    acknowledge,
    adverse_event,
    enrol,
    exposure,
    give,
    infuse,
    lymphodeplete,
    meet,
    observe_cohort,
    opened,
    panel,
)
from tests.unit.conduct.test_slots_cohorts import with_backfill
from tests.unit.conduct.test_slots_queue import with_slots

Event = ev.Event


def redosing(**said: Any) -> StudyFolder:
    """The reference study with further infusions after 28 days; ``said`` changes the rules."""
    rules = {"most_exposures": 3, "days_between": 28} | said
    words = ", ".join(f"{name}: !assumption {str(value).lower()}" for name, value in rules.items())
    return with_slots("redosing: !assumption null", f"redosing: {{{words}}}")


def approve(desk: Desk, patient: str = "001", level: int = 1) -> None:
    about = redosing_object(patient, len(exposures(desk.state, patient)) + 1, level, "cells lost")
    for signer in (CHAIR, MONITOR):
        give(desk, signer, *about)
    desk.must(CHAIR, slots.ApproveRedosing(patient, level, "cells lost", (CHAIR.id, MONITOR.id)))


def cells(desk: Desk, number: int = 2, **said: Any) -> c.RecordForm:
    """The record of infusion ``number`` of 001, given now unless said otherwise."""
    moment = said.pop("moment", desk.now)
    planned = desk.folder.study.dose_level(said.pop("level", 1)).dose
    values = exposure(desk, "UCART22", moment, planned * said.pop("fraction", 1.0), planned)
    return c.RecordForm("001", "EX", f"EX-CELLS-{number}", values | said, reason="copied wrong")


def again(desk: Desk, number: int = 2, **said: Any) -> tuple[Event, ...]:
    """Approve and give infusion ``number`` of 001."""
    approve(desk, level=said.get("level", 1))
    return desk.must(COORDINATOR, cells(desk, number, **said))


def observed(folder: StudyFolder, patients: int = 1) -> Desk:
    """The first patients of a cohort judged, without a DLT; 001 has had the cells for at least 28 days."""
    desk = opened(folder)
    observe_cohort(desk, [f"{number:03}" for number in range(1, patients + 1)])
    return desk


def window(desk: Desk, number: int = 2) -> Window:
    return exposure_window(desk.state, exposure_of(desk.state, "001", number), desk.folder, desk.now)


def seen(desk: Desk, number: int = 2) -> tuple[WindowState, Evaluability, bool | None]:
    found = window(desk, number)
    return found.state, found.evaluability, found.dlt


def toxic(desk: Desk, record: str = "AE-9", **said: Any) -> tuple[Event, ...]:
    return desk.must(COORDINATOR, c.RecordForm("001", "AE", record, adverse_event(desk, **said)))


def judge(desk: Desk, status: DltStatus, clause: str | None = None, number: int = 2) -> tuple[Event, ...]:
    return desk.must(MONITOR, slots.AdjudicateExposure("001", number, status, "as the criteria say", clause))


def kinds(events: tuple[Event, ...]) -> list[str]:
    return [type(event).__name__ for event in events]


def first(desk: Desk) -> datetime:
    moment = desk.state.patients["001"].infused_at
    assert moment is not None
    return moment


RUNNING = (WindowState.RUNNING, Evaluability.PENDING, None)
COMPLETED = (WindowState.COMPLETED, Evaluability.EVALUABLE, False)
TRUNCATED = (WindowState.TRUNCATED, Evaluability.NOT_EVALUABLE, None)


def test_an_exposure_has_its_own_moment_level_cells_lot_and_window() -> None:
    desk = observed(redosing())
    approve(desk)
    assert seen(desk) == (WindowState.NOT_STARTED, Evaluability.OUTSIDE, None)
    assert window(desk).reasons == ("approved, not given",)
    desk.now += timedelta(days=3)
    events = desk.must(COORDINATOR, cells(desk, fraction=0.9, EXLOT="L-77"))
    assert kinds(events) == ["FormRecorded", "PatientReinfused", "ReinfusionPermitted"]
    second = exposures(desk.state, "001")[1]
    assert (second.exposure, second.dose_level, second.infused_at) == (2, 1, desk.now)
    assert (second.cells_given, second.lot, second.record) == (9e4, "L-77", "EX-CELLS-2")
    assert second.dose_fraction == pytest.approx(0.9)
    assert seen(desk) == RUNNING
    assert window(desk).reasons == ("day 0 of 28, no DLT so far",)
    assert seen(desk, 1) == COMPLETED
    desk.now += timedelta(days=28)
    assert window(desk).reasons[0].startswith("key safety assessments")
    desk.must(COORDINATOR, c.RecordForm("001", "LB", "LB-2-D28", panel(desk)))
    assert seen(desk) == COMPLETED
    assert not window(desk).adjudicated
    judge(desk, DltStatus.NO_DLT)
    assert seen(desk) == COMPLETED
    assert window(desk).adjudicated


def test_the_window_of_a_further_infusion_may_have_its_own_length() -> None:
    desk = observed(redosing(window_days=14))
    again(desk)
    desk.now += timedelta(days=14)
    desk.must(COORDINATOR, c.RecordForm("001", "LB", "LB-2-D14", panel(desk)))
    assert seen(desk) == COMPLETED
    desk.now += timedelta(days=1)
    toxic(desk)
    assert seen(desk) == COMPLETED, "the event began on day 15"


def test_what_began_in_the_window_of_an_exposure_belongs_to_it() -> None:
    desk = observed(redosing(days_between=40))
    desk.now = first(desk) + timedelta(days=35)
    toxic(desk, "AE-BETWEEN")
    assert seen(desk, 1) == COMPLETED, "day 35 lies behind the first window"
    desk.now = first(desk) + timedelta(days=40)
    again(desk)
    desk.now += timedelta(days=1)
    assert not window(desk).candidate, "it began before the second infusion"
    toxic(desk, "AE-AFTER")
    assert window(desk).candidate
    assert seen(desk) == RUNNING
    assert "grade 4" in window(desk).reasons[0]
    assert seen(desk, 1) == COMPLETED
    assert desk.state.patients["001"].patient not in desk.state.slots.reopened
    judge(desk, DltStatus.DLT, "5")
    assert seen(desk) == (WindowState.ENDED_BY_DLT, Evaluability.EVALUABLE, True)
    assert dlt_window(desk.state, desk.state.patients["001"], desk.folder, desk.now).dlt is False


@pytest.mark.parametrize(("began", "counts"), [(10, False), (35, True)])
def test_what_grows_worse_after_a_further_infusion_counts_unless_it_began_in_the_window_before(
    began: int, counts: bool
) -> None:
    desk = observed(redosing(days_between=40))
    onset = (first(desk) + timedelta(days=began)).isoformat()
    desk.now = first(desk) + timedelta(days=38)
    toxic(desk, AESTDTC=onset, AETOXGR=2, AESER="N", AESLIFE="N", AESHOSP="N")
    desk.now = first(desk) + timedelta(days=40)
    again(desk)
    desk.now += timedelta(days=3)
    assert not window(desk).candidate
    worse = adverse_event(desk, AESTDTC=onset, AETOXGR=4, AEGRDTC=desk.now.isoformat())
    desk.must(COORDINATOR, c.RecordForm("001", "AE", "AE-9", worse, reason="grew worse"))
    assert window(desk).candidate is counts
    assert seen(desk, 1) == COMPLETED


@pytest.mark.parametrize("case", ["small dose", "no panel", "left", "new therapy"])
def test_a_window_is_truncated(case: str) -> None:
    desk = observed(redosing())
    again(desk, fraction=0.5 if case == "small dose" else 1.0)
    desk.now += timedelta(days=10)
    if case == "left":
        said = {"DSSTDTC": desk.now.date().isoformat(), "DSDECOD": "LOST TO FOLLOW-UP"}
        desk.must(COORDINATOR, c.RecordForm("001", "DS", "DS-9", said))
    if case == "new therapy":
        said = {"CMTRT": "Blinatumomab", "CMCAT": "NEW ANTI-LEUKEMIC THERAPY"}
        said |= {"CMSTDTC": desk.now.date().isoformat()}
        desk.must(COORDINATOR, c.RecordForm("001", "CM", "CM-9", said))
    desk.now += timedelta(days=30)
    if case != "no panel":
        values = panel(desk) | {"LBDTC": (desk.now - timedelta(days=12)).isoformat()}
        desk.must(COORDINATOR, c.RecordForm("001", "LB", "LB-2-D28", values))
    assert seen(desk) == TRUNCATED


def test_a_first_window_keeps_what_the_second_adds_out_of_the_counts() -> None:
    desk = observed(redosing(), 3)
    before = escalation_counts(desk.state, 4)
    again(desk)
    toxic(desk)
    judge(desk, DltStatus.DLT, "5")
    assert escalation_counts(desk.state, 4) == before
    assert before[1] == (0, 0, 0, 0)


def test_a_dlt_after_a_further_infusion_counts_where_the_study_says_so() -> None:
    desk = observed(redosing(count_dlts=True), 3)
    again(desk)
    toxic(desk)
    refused = desk.refused(STATISTICIAN, c.RequestRecommendation())
    assert refused.rule == "cohort-pending"
    assert "infusion 2 of 01-001" in refused.reason
    judge(desk, DltStatus.DLT, "5")
    assert escalation_counts(desk.state, 4) == ((3, 0, 0, 0), (1, 0, 0, 0))
    desk.must(STATISTICIAN, c.RequestRecommendation())
    assert desk.state.recommendations[-1].inputs["y"] == [1, 0, 0, 0]


def test_a_dlt_counts_at_the_level_of_its_infusion_once() -> None:
    desk = observed(redosing(count_dlts=True), 3)
    desk.must(STATISTICIAN, c.RequestRecommendation())
    meet(desk, "escalate", 2)
    acknowledge(desk)
    desk.now += timedelta(days=1)
    again(desk, level=2)
    toxic(desk)
    events = judge(desk, DltStatus.DLT, "5")
    assert kinds(events) == ["ExposureAdjudicated"], "the decision was made before this infusion"
    assert escalation_counts(desk.state, 4) == ((3, 1, 0, 0), (0, 1, 0, 0))
    events = desk.must(MONITOR, c.AdjudicateDlt("001", DltStatus.DLT, "late", "5"))
    assert escalation_counts(desk.state, 4) == ((3, 1, 0, 0), (1, 1, 0, 0))


def test_a_decision_asked_for_after_the_infusion_is_flagged_when_its_dlt_comes_to_count() -> None:
    desk = observed(redosing(count_dlts=True), 3)
    again(desk)
    desk.must(STATISTICIAN, c.RequestRecommendation())
    meet(desk, "escalate", 2)
    desk.now += timedelta(days=1)
    toxic(desk)
    events = judge(desk, DltStatus.DLT, "5")
    assert kinds(events) == ["ExposureAdjudicated", "DecisionInputsChanged", "TaskOpened"]
    assert events[1] == ev.DecisionInputsChanged(2, "001", "no DLT after infusion 2", "DLT after infusion 2")
    desk.now += timedelta(days=1)
    assert kinds(judge(desk, DltStatus.NOT_EVALUABLE)) == ["ExposureAdjudicated"], (
        "no decision rests on the DLT"
    )


def test_who_waits_in_the_cohort_waits_for_a_further_infusion_only_where_the_study_says_so() -> None:
    for opens in (False, True):
        desk = observed(redosing(opens_stagger=opens), 2)
        enrol(desk, "003")
        lymphodeplete(desk, "003")
        again(desk)
        found = earliest_infusion(desk.state, desk.state.patients["003"], desk.folder, desk.now)
        after = desk.now + timedelta(days=desk.folder.study.stagger.after_next_days)
        assert (found.moment == after) is opens
        assert ("01-001 infused again" in found.why) is opens
        toxic(desk)
        found = earliest_infusion(desk.state, desk.state.patients["003"], desk.folder, desk.now)
        assert any("infusion 2 of 01-001" in reason for reason in found.waits_for) is opens
        desk.now += timedelta(days=1)
        outcome = infuse(desk, "003")
        assert isinstance(outcome, Refused) is opens


def test_a_further_infusion_at_another_cleared_level_is_checked_against_that_level() -> None:
    desk = observed(redosing(), 3)
    desk.must(STATISTICIAN, c.RequestRecommendation())
    meet(desk, "escalate", 2)
    approve(desk, level=2)
    unread = desk.refused(COORDINATOR, cells(desk, level=2))
    assert unread.rule == "stagger"
    assert "has not acknowledged" in unread.reason
    acknowledge(desk)
    assert desk.refused(COORDINATOR, cells(desk, level=1)).rule == "dose-lock"
    events = desk.must(COORDINATOR, cells(desk, level=2))
    assert [one.dose_level for one in events if isinstance(one, ev.ReinfusionPermitted)] == [2]
    corrected = desk.must(COORDINATOR, cells(desk, level=2, EXLOT="L-9"))
    assert [one.lot for one in corrected if isinstance(one, ev.ReinfusionCorrected)] == ["L-9"]


def test_nothing_is_given_again_before_its_approval_or_its_days() -> None:
    desk = observed(redosing(days_between=60))
    desk.now = first(desk) + timedelta(days=58)
    flu = c.RecordForm("001", "EX", "EX-FLU-2", exposure(desk, "FLUDARABINE", desk.now, 30, 30))
    assert desk.refused(COORDINATOR, flu).rule == "PH-13 redosing"
    approve(desk)
    earliest = earliest_reinfusion(desk.state, desk.state.patients["001"], desk.folder, desk.now)
    assert earliest.moment == first(desk) + timedelta(days=60)
    assert earliest.text.startswith("earliest infusion 2 for 01-001: ")
    desk.must(COORDINATOR, flu)
    desk.now += timedelta(days=4)
    early = cells(desk, moment=first(desk) + timedelta(days=59, hours=23))
    assert desk.refused(COORDINATOR, early).rule == "stagger"
    desk.must(COORDINATOR, cells(desk))


def test_an_approval_after_the_infusion_does_not_cover_it() -> None:
    desk = observed(redosing())
    moment = desk.now
    desk.now += timedelta(hours=2)
    approve(desk)
    refused = desk.refused(COORDINATOR, cells(desk, moment=moment))
    assert refused.rule == "stagger"
    assert "infusion 2 was approved then" in refused.reason


def test_who_had_a_dlt_or_is_open_again_gets_no_further_infusion() -> None:
    desk = observed(redosing())
    approve(desk)
    late = (first(desk) + timedelta(days=10)).isoformat()
    toxic(desk, AESTDTC=late)
    assert "001" in desk.state.slots.reopened
    assert "to be judged again" in desk.refused(COORDINATOR, cells(desk)).reason
    desk.must(MONITOR, c.AdjudicateDlt("001", DltStatus.NO_DLT, "not a toxicity"))
    desk.must(COORDINATOR, cells(desk))
    desk.now += timedelta(days=40)
    about = slots.ApproveRedosing("001", 1, "again", (CHAIR.id, MONITOR.id))
    assert "infusion 2 of 001 is not judged" in desk.refused(CHAIR, about).reason
    judge(desk, DltStatus.DLT, "5")
    assert "infusion 2 of 001 is DLT" in desk.refused(CHAIR, about).reason


def test_a_correction_moves_the_window_and_keeps_the_order() -> None:
    desk = observed(redosing())
    desk.now += timedelta(days=5)
    again(desk)
    given_at = desk.now
    desk.now += timedelta(days=28)
    desk.must(COORDINATOR, c.RecordForm("001", "LB", "LB-2-D28", panel(desk)))
    judge(desk, DltStatus.NO_DLT)
    events = desk.must(COORDINATOR, cells(desk, moment=given_at + timedelta(days=3)))
    assert kinds(events) == ["FormRecorded", "ReinfusionCorrected", "ExposureReopened"]
    assert window(desk).day == 25
    assert seen(desk) == (WindowState.REOPENED, Evaluability.PENDING, None)
    crossed = desk.refused(COORDINATOR, cells(desk, moment=first(desk) - timedelta(hours=1)))
    assert crossed.rule == "INV-8 order"
    ahead = desk.refused(COORDINATOR, cells(desk, number=1, moment=desk.now + timedelta(hours=1)))
    assert ahead.rule == "clock"
    crossed = desk.refused(COORDINATOR, cells(desk, number=1, moment=desk.now - timedelta(days=1)))
    assert crossed.rule == "INV-8 order"
    events = desk.must(COORDINATOR, cells(desk, moment=first(desk) + timedelta(days=20)))
    (deviation,) = [one for one in events if isinstance(one, ev.DeviationRecorded)]
    assert deviation.rule == "RE-2 days between"
    assert "28 days after infusion 1" in deviation.text
    assert not [
        one
        for one in desk.must(COORDINATOR, cells(desk, moment=first(desk) + timedelta(days=19)))
        if isinstance(one, ev.DeviationRecorded) and one.text == deviation.text
    ]


def test_a_late_event_reopens_the_judgement_of_its_exposure_only() -> None:
    desk = observed(redosing())
    again(desk)
    second = desk.now
    desk.now += timedelta(days=28)
    desk.must(COORDINATOR, c.RecordForm("001", "LB", "LB-2-D28", panel(desk)))
    refused = desk.refused(MONITOR, slots.AdjudicateExposure("001", 3, DltStatus.NO_DLT, "x"))
    assert refused.rule == "PH-13 exposure"
    judge(desk, DltStatus.NO_DLT)
    desk.now += timedelta(days=5)
    events = toxic(desk, AESTDTC=(second + timedelta(days=6)).isoformat())
    assert [one.exposure for one in events if isinstance(one, ev.ExposureReopened)] == [2]
    assert not [one for one in events if isinstance(one, ev.WindowReopened)]
    assert seen(desk) == (WindowState.REOPENED, Evaluability.PENDING, None)
    assert window(desk).candidate
    judge(desk, DltStatus.DLT, "5")
    assert seen(desk) == (WindowState.ENDED_BY_DLT, Evaluability.EVALUABLE, True)


def test_a_judgement_is_refused_that_the_window_does_not_allow() -> None:
    desk = observed(redosing())
    again(desk)
    for status, clause, rule in (
        (DltStatus.NO_DLT, None, "dlt-window"),
        (DltStatus.PENDING, None, "dlt-status"),
        (DltStatus.DLT, None, "dlt-clause"),
    ):
        assert desk.refused(MONITOR, slots.AdjudicateExposure("001", 2, status, "x", clause)).rule == rule
    assert desk.refused(MONITOR, slots.AdjudicateExposure("001", 2, DltStatus.DLT, " ", "5")).rule == "reason"
    assert desk.refused(MONITOR, slots.AdjudicateExposure("001", 1, DltStatus.DLT, "x", "5")).rule == (
        "PH-13 exposure"
    )
    assert (
        desk.refused(INVESTIGATOR, slots.AdjudicateExposure("001", 2, DltStatus.DLT, "x", "5")).rule == "role"
    )


def test_a_death_soon_after_a_further_infusion_stops_the_trial() -> None:
    desk = observed(redosing(), 2)
    desk.now = first(desk) + timedelta(days=200)
    again(desk)
    desk.now += timedelta(days=2)
    events = toxic(desk, AETOXGR=5, AESDTH="Y", AEOUT="FATAL")
    assert "EnrolmentHeld" in kinds(events)


def test_three_infusions_are_numbered_in_the_order_of_time() -> None:
    desk = observed(redosing())
    for number in (2, 3):
        again(desk, number)
        desk.now += timedelta(days=28)
        desk.must(COORDINATOR, c.RecordForm("001", "LB", f"LB-{number}-D28", panel(desk)))
        judge(desk, DltStatus.NO_DLT, number=number)
    known = exposures(desk.state, "001")
    assert [one.exposure for one in known] == [1, 2, 3]
    moments = [one.infused_at for one in known if one.infused_at is not None]
    assert moments == sorted(moments)
    assert [one.record for one in known] == ["EX-CELLS-1", "EX-CELLS-2", "EX-CELLS-3"]


def test_a_ledger_of_an_earlier_release_is_numbered_as_it_was_entered() -> None:
    desk = observed(redosing())
    again(desk)
    old = tuple(replace(one, record="", cells_given=None) for one in desk.state.slots.exposures)
    desk.state = replace(desk.state, slots=replace(desk.state.slots, exposures=old))
    found = exposure_of_record(desk.state, "001", "EX-CELLS-2")
    assert found is not None
    assert found.exposure == 2
    assert exposure_of_record(desk.state, "001", "EX-CELLS-3") is None
    desk.now += timedelta(days=1)
    corrected = desk.must(COORDINATOR, cells(desk, moment=desk.now - timedelta(hours=20)))
    assert "ReinfusionCorrected" in kinds(corrected)


def test_a_plan_with_backfill_and_counted_further_dlts_is_refused_at_the_approval() -> None:
    study = with_backfill().study
    for counted in (True, False):
        folder = replace(redosing(count_dlts=counted), study=study)
        desk = observed(redosing())
        command = slots.ApproveRedosing("001", 1, "x", (CHAIR.id, MONITOR.id))
        outcome = approve_redosing(desk.state, c.Signed(command, CHAIR, desk.now), command, folder)
        assert isinstance(outcome, Refused)
        assert ("a plan with backfill" in outcome.reason) is counted


# Who died or left is not infused again (RE-1)


def left(desk: Desk, how: str, day: str, **said: Any) -> None:
    values = {"DSDECOD": how, "DSSTDTC": day, **said}
    desk.must(COORDINATOR, c.RecordForm("001", "DS", "DS-LEFT", values))


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("DEATH", {"DTHCAUS": "DISEASE PROGRESSION"}),
        ("WITHDRAWAL BY SUBJECT", {}),
        ("LOST TO FOLLOW-UP", {}),
    ],
)
def test_nobody_is_approved_or_infused_after_leaving(how: str, said: dict[str, Any]) -> None:
    desk = observed(redosing())
    approve(desk)
    day = desk.now.date().isoformat()
    left(desk, how, day, **said)
    desk.now += timedelta(days=1)
    refused = desk.refused(COORDINATOR, cells(desk))
    assert refused.rule == "PH-13 redosing"
    assert refused.reason == f"001 left the study on {day} ({how.lower()}); nobody is infused after that"
    # What was given on the last day can still be entered.
    desk.must(COORDINATOR, cells(desk, moment=desk.now - timedelta(days=1)))

    other = observed(redosing())
    left(other, how, other.now.date().isoformat(), **said)
    other.now += timedelta(days=1)
    about = redosing_object("001", 2, 1, "cells lost")
    for signer in (CHAIR, MONITOR):
        give(other, signer, *about)
    wish = slots.ApproveRedosing("001", 1, "cells lost", (CHAIR.id, MONITOR.id))
    assert "nobody is infused after that" in other.refused(CHAIR, wish).reason


def test_a_fatal_event_ends_it_before_the_form_of_the_death_is_there() -> None:
    desk = observed(redosing())
    toxic(desk, AETOXGR=5, AESDTH="Y", AEOUT="FATAL")
    desk.now += timedelta(days=1)
    about = redosing_object("001", 2, 1, "cells lost")
    for signer in (CHAIR, MONITOR):
        give(desk, signer, *about)
    wish = slots.ApproveRedosing("001", 1, "cells lost", (CHAIR.id, MONITOR.id))
    refused = desk.refused(CHAIR, wish)
    assert refused.rule == "PH-13 redosing"
    assert "a fatal adverse event" in refused.reason


@pytest.mark.parametrize(
    ("day", "gone"),
    [("2020-03", False), ("2020-02", True), ("2020", False), ("2020-03-09", True), (None, True)],
)
def test_a_day_known_in_part_is_over_once_its_month_is(day: str | None, gone: bool) -> None:
    desk = observed(redosing())
    left(desk, "LOST TO FOLLOW-UP", "2020-03-09")
    patient = desk.state.patients["001"]
    record = patient.records["DS-LEFT"]
    said = replace(record, values=record.values | {"DSSTDTC": day})
    patient = replace(patient, records={**patient.records, "DS-LEFT": said})
    assert (refuse_departed(patient, datetime(2020, 3, 10, tzinfo=UTC)) is not None) is gone
