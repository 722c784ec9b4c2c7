"""Cohort states from facts, the stagger and its override, clearances per stratum, late changes, redosing, backfill."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from escalon.conduct import commands as c
from escalon.conduct.act import Refused
from escalon.conduct.cohorts import escalation_counts
from escalon.conduct.events import DltStatus
from escalon.conduct.slots import commands as slots
from escalon.conduct.slots import events as ev
from escalon.conduct.slots.approval import (
    clearance_object,
    override_object,
    redosing_object,
    replacement_object,
)
from escalon.conduct.slots.backfill import backfill_counts, backfill_levels
from escalon.conduct.slots.cohort_state import CohortPhase, cohort_status
from escalon.conduct.slots.redosing import exposures
from escalon.conduct.slots.stagger import earliest_infusion, observed_until
from escalon.conduct.slots.windows import Evaluability, WindowState, dlt_window
from escalon.protocol import StudyFolder, load_study
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
    judge,
    lymphodeplete,
    meet,
    observe_cohort,
    opened,
    panel,
    review_sentinel,
    seat,
)
from tests.study_files import balli_files
from tests.unit.conduct.test_slots_queue import with_slots


def phase(desk: Desk, cohort: int = 1) -> str:
    return cohort_status(desk.state, cohort, desk.folder, desk.now).text


def treated(desk: Desk, patient: str) -> None:
    enrol(desk, patient)
    lymphodeplete(desk, patient)
    assert not isinstance(infuse(desk, patient), Refused)


def test_a_cohort_goes_through_its_states_by_facts_alone(balli: StudyFolder) -> None:
    desk = opened(balli)
    assert phase(desk) == "planned"
    acknowledge(desk)
    assert phase(desk) == "open (sentinel)"
    treated(desk, "001")
    desk.now += timedelta(days=14)
    assert phase(desk) == "open (sentinel)"
    review_sentinel(desk, 1)
    assert phase(desk) == "open (stagger)"
    treated(desk, "002")
    enrol(desk, "003")
    assert phase(desk) == "full"
    desk.now += timedelta(days=1)
    lymphodeplete(desk, "003")
    desk.now += timedelta(days=6)
    infuse(desk, "003")
    assert phase(desk) == "observing"
    desk.now += timedelta(days=30)
    for patient in ("001", "002", "003"):
        desk.must(COORDINATOR, c.RecordForm(patient, "LB", "LB-D28", panel(desk), "D28"))
        judge(desk, patient)
    assert phase(desk) == "ready for review"
    assert phase(desk, 2) == "planned"
    desk.must(STATISTICIAN, c.RequestRecommendation())
    meet(desk, "escalate", 2)
    assert phase(desk) == "closed"
    assert cohort_status(desk.state, 1, balli, desk.now).action == "escalate"
    assert phase(desk, 2) == "planned"


def test_a_replacement_reopens_the_cohort_and_a_hold_lies_over_its_state(balli: StudyFolder) -> None:
    desk = opened(balli)
    observe_cohort(desk, ["001", "002"])
    enrol(desk, "003")
    lymphodeplete(desk, "003")
    infuse(desk, "003", fraction=0.5)
    desk.now += timedelta(days=30)
    desk.must(MONITOR, c.AdjudicateDlt("003", DltStatus.NOT_EVALUABLE, "half the dose"))
    assert phase(desk) == "ready for review"
    command = slots.ApproveReplacement("003", "half the dose")
    assert desk.refused(MONITOR, command).rule == "PH-7 signature"
    give(desk, MONITOR, *replacement_object("003", "half the dose"))
    assert desk.must(MONITOR, command)[0] == ev.SeatAdded(1, 4, "003", "half the dose", (MONITOR.id,))
    assert desk.refused(MONITOR, command).rule == "INV-10"
    assert phase(desk) == "open (stagger)"
    seat(desk, "004")
    assert desk.state.patients["004"].replaces == "003"
    fatal = adverse_event(desk, AETOXGR=5, AESDTH="Y", AEOUT="FATAL")
    desk.must(COORDINATOR, c.RecordForm("001", "AE", "AE-9", {**fatal, "AESTDTC": _soon(desk)}))
    assert phase(desk) == "full, on hold"


def _soon(desk: Desk) -> str:
    infused = desk.state.patients["001"].infused_at
    assert infused is not None
    return (infused + timedelta(days=20)).isoformat()


def test_the_sentinel_is_reviewed_after_its_observation_and_without_an_open_candidate(
    balli: StudyFolder,
) -> None:
    desk = opened(balli)
    treated(desk, "001")
    desk.now += timedelta(days=13, hours=23)
    review = slots.ReviewSentinel(1, "no toxicity")
    assert "20 Jan 2020 04:00 EST" in desk.refused(MONITOR, review).reason
    desk.now += timedelta(hours=1)
    desk.must(COORDINATOR, c.RecordForm("001", "AE", "AE-1", adverse_event(desk)))
    assert "clause 5" in desk.refused(MONITOR, review).reason
    judge(desk, "001")
    assert desk.refused(MONITOR, review).rule == "INV-7 signature"


def test_the_stagger_is_shown_in_the_zone_of_the_site(balli: StudyFolder) -> None:
    desk = opened(balli)
    treated(desk, "001")
    enrol(desk, "002")
    found = earliest_infusion(desk.state, desk.state.patients["002"], balli, desk.now)
    why = "because 01-001 infused 6 Jan 2020 04:00; sentinel 14 d"
    assert found.dated == f"earliest infusion for 01-002: 20 Jan 2020 04:00 EST, {why}"
    assert found.lymphodepletion == found.moment - timedelta(days=6)  # type: ignore[operator]
    assert "is not signed [ST-5]" in found.text


@pytest.mark.parametrize(("day_number", "expected"), [(0, "2026-10-31T23:00"), (1, "2026-10-30T23:00")])
def test_calendar_days_end_at_midnight_of_the_site(day_number: int, expected: str) -> None:
    """Infused 24 Oct 2026 20:00 in Paris, the day before the clocks change; 8 days on it is 1 November there."""
    folder = with_slots("stagger_unit: !assumption elapsed_hours", "stagger_unit: !assumption calendar_days")
    rules = folder.conduct.slots.model_copy(update={"infusion_is_day": day_number})
    changed = _replaced(folder, rules)
    end = observed_until(datetime.fromisoformat("2026-10-24T18:00+00:00"), 8, "Europe/Paris", changed)
    assert end == datetime.fromisoformat(expected + "+00:00")


def _replaced(folder: StudyFolder, rules: Any) -> StudyFolder:
    from dataclasses import replace

    return replace(folder, conduct=folder.conduct.model_copy(update={"slots": rules}))


def test_two_persons_override_the_stagger_for_one_patient(balli: StudyFolder) -> None:
    desk = opened(balli)
    treated(desk, "001")
    enrol(desk, "002")
    desk.now += timedelta(days=8)
    lymphodeplete(desk, "002")
    assert isinstance(infuse(desk, "002"), Refused)
    about = override_object("002", desk.now.isoformat(), "cells expire")
    command = slots.OverrideStagger("002", desk.now, "cells expire", (MONITOR.id, CHAIR.id))
    give(desk, MONITOR, *about)
    assert desk.refused(MONITOR, command).rule == "INV-6 signatures"
    alone = slots.OverrideStagger("002", desk.now, "cells expire", (MONITOR.id, MONITOR.id))
    assert desk.refused(MONITOR, alone).rule == "INV-6 signatures"
    give(desk, CHAIR, *about)
    (overridden,) = desk.must(MONITOR, command)
    assert isinstance(overridden, ev.StaggerOverridden)
    assert not isinstance(infuse(desk, "002"), Refused)


def test_a_corrected_time_that_breaks_a_past_stagger_is_a_deviation(balli: StudyFolder) -> None:
    desk = opened(balli)
    treated(desk, "001")
    desk.now += timedelta(days=14)
    treated(desk, "002")
    record = desk.state.patients["001"].records["EX-CELLS-1"]
    infused = desk.state.patients["001"].infused_at
    assert infused is not None
    later = infused + timedelta(hours=1)
    values = {
        **record.values,
        "EXSTDTC": later.isoformat(),
        "EXENDTC": (later + timedelta(hours=1)).isoformat(),
    }
    events = desk.must(
        COORDINATOR, c.RecordForm("001", "EX", "EX-CELLS-1", values, None, "clock of the site")
    )
    found = [type(event).__name__ for event in events]
    assert found == ["FormRecorded", "InfusionCorrected", "DeviationRecorded"]
    assert desk.state.patients["001"].infused_at == later
    assert desk.state.slots.deviations[0].rule == "INV-6 stagger"
    assert desk.state.patients["002"].infused_at is not None


def test_clearance_in_one_stratum_never_clears_another_unless_the_study_says_so() -> None:
    desk = opened(
        with_slots("clear_across_strata: !assumption both", "clear_across_strata: !assumption none")
    )
    assert [(one.regimen, one.process) for one in desk.state.slots.clearances] == [("FC", "P1")]
    desk.now = desk.now.replace(year=2020, month=11, day=2)
    seat(desk, "001")
    assign = c.AssignDose("001", 1, "FCA", "P1")
    refused = desk.refused(INVESTIGATOR, assign)
    assert refused.rule == "dose-lock"
    assert "INV-4" in refused.reason
    clear = slots.ClearLevel("FCA", "P1", 1, "data of both regimens reviewed", (CHAIR.id, MONITOR.id))
    about = clearance_object("FCA", "P1", 1, "data of both regimens reviewed")
    assert desk.refused(CHAIR, clear).rule == "INV-4 signatures"
    give(desk, CHAIR, *about)
    give(desk, MONITOR, *about)
    bold = slots.ClearLevel("FCA", "P1", 2, "more", (CHAIR.id, MONITOR.id))
    assert desk.refused(CHAIR, bold).rule == "INV-3 dose-lock"
    desk.must(CHAIR, clear)
    desk.must(INVESTIGATOR, assign)


def test_a_late_event_reopens_the_window_and_flags_the_decision_made_on_it(balli: StudyFolder) -> None:
    desk = opened(balli)
    observe_cohort(desk, ["001", "002", "003"])
    desk.must(STATISTICIAN, c.RequestRecommendation())
    meet(desk, "escalate", 2)
    decided = desk.state.decisions
    infused = desk.state.patients["002"].infused_at
    assert infused is not None
    late = {**adverse_event(desk), "AESTDTC": (infused + timedelta(days=10)).isoformat()}
    events = desk.must(COORDINATOR, c.RecordForm("002", "AE", "AE-1", late))
    assert "WindowReopened" in [type(event).__name__ for event in events]
    window = dlt_window(desk.state, desk.state.patients["002"], balli, desk.now)
    assert (window.state, window.evaluability) == (WindowState.REOPENED, Evaluability.PENDING)
    assert window.candidate
    events = desk.must(MONITOR, c.AdjudicateDlt("002", DltStatus.DLT, "pneumonitis grade 4", "5"))
    flagged = [event for event in events if isinstance(event, ev.DecisionInputsChanged)]
    assert flagged == [ev.DecisionInputsChanged(2, "002", "NO_DLT", "DLT")]
    assert desk.state.decisions == decided
    (task,) = [task for task in desk.state.slots.tasks if task.closed_at is None]
    assert task.about == "decision:2"
    desk.must(CHAIR, slots.CloseTask(task.number, "cohort 2 stays open; one DLT in three"))
    assert desk.state.slots.tasks[0].closed_at == desk.now


def test_every_decision_made_on_a_changed_status_is_flagged_and_none_made_before_it(
    balli: StudyFolder,
) -> None:
    desk = opened(balli)
    for level, patients in ((2, ["001", "002", "003"]), (3, ["004", "005", "006"])):
        observe_cohort(desk, patients)
        desk.must(STATISTICIAN, c.RequestRecommendation())
        meet(desk, "escalate", level)

    def change(patient: str) -> list[int]:
        events = desk.must(MONITOR, c.AdjudicateDlt(patient, DltStatus.DLT, "pneumonitis grade 4", "5"))
        return [one.decision for one in events if isinstance(one, ev.DecisionInputsChanged)]

    assert [decision.number for decision in desk.state.decisions] == [1, 2, 3]
    assert change("002") == [2, 3]
    assert change("005") == [3]


def test_a_window_is_outside_running_and_completed(balli: StudyFolder) -> None:
    desk = opened(balli)
    enrol(desk, "001")

    def seen() -> tuple[WindowState, Evaluability, bool | None]:
        found = dlt_window(desk.state, desk.state.patients["001"], balli, desk.now)
        return found.state, found.evaluability, found.dlt

    assert seen() == (WindowState.NOT_STARTED, Evaluability.OUTSIDE, None)
    lymphodeplete(desk, "001")
    infuse(desk, "001")
    assert seen() == (WindowState.RUNNING, Evaluability.PENDING, None)
    desk.now += timedelta(days=29)
    desk.must(COORDINATOR, c.RecordForm("001", "LB", "LB-D28", panel(desk), "D28"))
    assert seen() == (WindowState.COMPLETED, Evaluability.EVALUABLE, False)
    judge(desk, "001")
    assert seen() == (WindowState.COMPLETED, Evaluability.EVALUABLE, False)


def test_a_further_infusion_is_an_exposure_of_its_own() -> None:
    rules = (
        "redosing: {most_exposures: !assumption 2, days_between: !assumption 28, window_days: !assumption 28}"
    )
    desk = opened(with_slots("redosing: !assumption null", rules))
    observe_cohort(desk, ["001"])
    values = exposure(desk, "UCART22", desk.now, 1e5, 1e5)
    again = c.RecordForm("001", "EX", "EX-CELLS-2", values)
    assert desk.refused(COORDINATOR, again).rule == "PH-13 redosing"
    about = redosing_object("001", 2, 1, "cells lost at Day 28")
    give(desk, CHAIR, *about)
    give(desk, MONITOR, *about)
    approve = slots.ApproveRedosing("001", 1, "cells lost at Day 28", (CHAIR.id, MONITOR.id))
    assert desk.must(CHAIR, approve)[0] == ev.RedosingApproved(
        "001", 2, 1, "cells lost at Day 28", approve.signers
    )
    events = desk.must(COORDINATOR, again)
    assert isinstance(events[1], ev.PatientReinfused)
    assert [one.exposure for one in exposures(desk.state, "001")] == [1, 2]
    first = desk.state.patients["001"].infused_at
    assert first is not None
    assert first < desk.now
    assert desk.refused(CHAIR, approve).rule == "PH-13 redosing"


def test_this_study_gives_the_cells_once(balli: StudyFolder) -> None:
    desk = opened(balli)
    observe_cohort(desk, ["001"])
    values = exposure(desk, "UCART22", desk.now, 1e5, 1e5)
    assert desk.refused(COORDINATOR, c.RecordForm("001", "EX", "EX-2", values)).rule == "PH-13 redosing"
    assert desk.refused(CHAIR, slots.ApproveRedosing("001", 1, "x", ("a", "b"))).rule == "PH-13 redosing"


def with_backfill() -> StudyFolder:
    files = balli_files()
    text = files["study.yaml"]
    begin, end = text.index("  rule: {kind: !assumption mtpi"), text.index("stagger:\n")
    plan = (
        "  rule: {kind: !assumption boin, target: !assumption 0.30}\n"
        "  levels: !assumption 4\n  cohort_size: !assumption 3\n  max_patients: !assumption 24\n"
        "  start_level: !assumption 2\n"
        "  backfill: {cap: !assumption 5, order: !assumption highest, need_response: !assumption false}\n\n"
    )
    return load_study({**files, "study.yaml": text[:begin] + plan + text[end:]})


def test_a_folder_with_backfill_loads_and_opens_no_place_before_a_lower_level_was_treated() -> None:
    folder = with_backfill()
    desk = Desk(folder)
    assert backfill_levels(desk.state, folder) == ()
    assert backfill_counts(desk.state, 4) == ((0,) * 4, (0,) * 4)
    assert escalation_counts(desk.state, 4) == ((0,) * 4, (0,) * 4)
    assert date(2020, 1, 6) >= folder.study.identity.start_date


def test_planned_is_what_nobody_opened(balli: StudyFolder) -> None:
    assert cohort_status(Desk(balli).state, 1, balli, Desk(balli).now).phase is CohortPhase.PLANNED
