"""Backfill places: how many, at which level, and who holds one."""

from dataclasses import replace
from hashlib import sha256

import pytest

from escalon.conduct import commands as c
from escalon.conduct.cohorts import escalation_counts
from escalon.conduct.doses import _refuse_unsigned
from escalon.conduct.events import DltStatus
from escalon.conduct.outcomes import ask, counted_in, deciding_counts
from escalon.conduct.slots import commands as slots
from escalon.conduct.slots.backfill import PART, backfill_levels, free_backfill_seats, refuse_closed_level
from escalon.conduct.slots.late_changes import decided_on
from escalon.conduct.slots.state import Clearance, Slots
from escalon.conduct.state import Cohort, Decision, Patient, Recommendation, State
from escalon.protocol import load_study
from tests.act import CHAIR, COORDINATOR, STATISTICIAN, T0, acknowledge, opened
from tests.study_files import backfill_files
from tests.unit.conduct.test_slots_cohorts import with_backfill

FOLDER = with_backfill()
CAP = 5


def with_patients_at_level_1(treated: int, released: int = 0, cleared: int = 2) -> State:
    """The first cohort is open at level 2; at level 1 are so many evaluable patients, and so many who left."""
    patients = [
        Patient(
            f"B{number}", "01", PART, 0, "2020-01-06", None, T0, 1, "FC", "P1",
            infused_at=T0 if number < treated else None,
            dlt_status=DltStatus.NO_DLT if number < treated else DltStatus.PENDING,
            released=None if number < treated else "withdrew",
        )
        for number in range(treated + released)
    ]  # fmt: skip
    cohort = Cohort(1, "escalation", 2, 3, T0)
    study = FOLDER.study
    stratum = study.regimen_on(T0.date()).id, study.process_on(T0.date()) or ""
    return State(
        cohorts=(cohort,),
        patients={one.patient: one for one in patients},
        slots=Slots(clearances=(Clearance(1, *stratum, cleared, 1, T0),)),
        at=T0,
    )


@pytest.mark.parametrize("treated", [1, CAP - 1, CAP, CAP + 1])
def test_places_are_open_up_to_the_cap_and_none_above(treated: int) -> None:
    state = with_patients_at_level_1(treated)
    assert [level for _, level in free_backfill_seats(state, FOLDER)] == [1] * max(CAP - treated, 0)
    assert backfill_levels(state, FOLDER) == ((1,) if treated < CAP else ())


def test_who_left_before_the_infusion_holds_no_place() -> None:
    state = with_patients_at_level_1(CAP - 1, released=3)
    assert free_backfill_seats(state, FOLDER) == [(1, 1)]


def test_a_level_that_is_not_cleared_in_the_stratum_in_use_is_not_open() -> None:
    assert backfill_levels(with_patients_at_level_1(3, cleared=1), FOLDER) == (1,)
    assert backfill_levels(with_patients_at_level_1(3, cleared=0), FOLDER) == ()


def test_a_place_is_refused_once_its_level_is_closed_but_not_because_it_is_full() -> None:
    full = with_patients_at_level_1(CAP)
    assert refuse_closed_level(full, 1, FOLDER, T0) is None
    toxic = {
        name: replace(one, dlt_status=DltStatus.DLT) if name < "B3" else one
        for name, one in full.patients.items()
    }
    refused = refuse_closed_level(replace(full, patients=toxic), 1, FOLDER, T0)
    assert refused is not None
    assert refused.rule == "BF-3 backfill"


def test_lots_are_drawn_from_the_seed_and_only_from_it() -> None:
    folder = load_study(
        backfill_files("cap: !assumption 9, order: !assumption random, need_response: !assumption false")
    )
    state = with_two_open_levels()
    assert free_backfill_seats(state, folder) == []
    drawn = free_backfill_seats(replace(state, backfill_seed=7), folder)
    assert drawn == free_backfill_seats(replace(state, backfill_seed=7), folder)
    assert drawn != free_backfill_seats(replace(state, backfill_seed=8), folder)
    assert [place for place, _ in drawn] == list(range(1, 13))
    assert sorted(level for _, level in drawn) == [1] * 6 + [2] * 6
    first = int.from_bytes(sha256(b"7:1").digest(), "big") % 2 + 1
    assert drawn[0] == (1, first)


def with_two_open_levels() -> State:
    """The cohort is open at level 3; at levels 1 and 2 are three patients each without DLT."""
    below = with_patients_at_level_1(3, cleared=3)
    above = {f"C{k}": replace(one, dose_level=2) for k, one in enumerate(below.patients.values())}
    return replace(below, cohorts=(Cohort(1, "escalation", 3, 3, T0),), patients={**below.patients, **above})


def test_the_seed_is_recorded_once_by_the_statistician_and_only_for_lots() -> None:
    folder = load_study(backfill_files("cap: !assumption 5, order: !assumption random"))
    desk = opened(folder)
    acknowledge(desk)
    early = desk.refused(COORDINATOR, slots.RequestSlot("01", "C-1", backfill=True))
    assert early.rule == "PH-11 seed"
    assert desk.refused(STATISTICIAN, c.RecordBackfillSeed(-1)).rule == "PH-11 seed"
    assert desk.refused(CHAIR, c.RecordBackfillSeed(3)).rule == "role"
    desk.must(STATISTICIAN, c.RecordBackfillSeed(3))
    assert desk.state.backfill_seed == 3
    assert "second time" in desk.refused(STATISTICIAN, c.RecordBackfillSeed(4)).reason
    desk.must(COORDINATOR, slots.RequestSlot("01", "C-1", backfill=True))
    plain = opened(load_study(backfill_files()))
    assert plain.refused(STATISTICIAN, c.RecordBackfillSeed(3)).rule == "PH-11 seed"


def test_a_backfill_dlt_changes_the_decision_only_where_the_rule_counts_it() -> None:
    """INV-13: cohort 2 without DLT; three of three backfill patients at level 1 with one."""
    said = {}
    for counted in ("true", "false"):
        files = backfill_files(
            "cap: !assumption 6, need_response: !assumption false, "
            f"counts_in_escalation: !assumption {counted}"
        )
        folder = load_study(files)
        state = replace(with_three_dlts_by_backfill(), study_hash=folder.hash)
        answer, inputs = ask(state, folder, T0)
        n, y = deciding_counts(state, folder.study.escalation)
        assert (list(n), list(y)) == (inputs["n"], inputs["y"])
        assert inputs["escalation_n"] == [3, 3, 0, 0]
        assert escalation_counts(state, 4) == ((3, 3, 0, 0), (0, 0, 0, 0))
        assert inputs["backfill"]["patients"] == ["D0", "D1", "D2"]
        said[counted] = (answer.action, inputs["n"])
        assert counted_in(inputs) == (("D0", "D1", "D2") if counted == "true" else ())
    # pooled over levels 1 and 2, 3 of 9 have a DLT: between the boundaries of BOIN
    assert said == {"true": ("stay", [6, 3, 0, 0]), "false": ("escalate", [3, 3, 0, 0])}


def with_three_dlts_by_backfill() -> State:
    base = with_patients_at_level_1(3).patients
    own = {
        f"{letter}{k}": replace(
            one, patient=f"{letter}{k}", part="escalation", cohort=number, dose_level=number
        )
        for number, letter in ((1, "A"), (2, "B"))
        for k, one in enumerate(base.values())
    }
    extra = {
        f"D{k}": replace(one, patient=f"D{k}", dlt_status=DltStatus.DLT)
        for k, one in enumerate(base.values())
    }
    cohorts = tuple(
        Cohort(k, "escalation", k, 3, T0, tuple(f"{'AB'[k - 1]}{i}" for i in range(3))) for k in (1, 2)
    )
    return replace(with_patients_at_level_1(0), cohorts=cohorts, patients={**own, **extra})


def test_levels_are_filled_in_the_order_of_the_plan() -> None:
    state = with_two_open_levels()
    assert backfill_levels(state, FOLDER) == (2, 1)
    lowest = load_study(
        backfill_files("cap: !assumption 5, order: !assumption lowest, need_response: !assumption false")
    )
    assert backfill_levels(state, lowest) == (1, 2)


def recommended(counted: bool) -> State:
    """A recommendation that waits for its decision, made with D0 to D2 by backfill."""
    state = with_three_dlts_by_backfill()
    told = {"backfill": {"counted": counted, "patients": ["D0", "D1", "D2"]}}
    people = {
        name: replace(one, dlt_adjudicated_at=T0) if one.part == PART else one
        for name, one in state.patients.items()
    }
    cohorts = (replace(state.cohorts[0], decided=True), replace(state.cohorts[1], patients=()))
    waiting = Recommendation(1, 2, "stay", 2, ("because",), told, T0)
    return replace(state, patients=people, cohorts=cohorts, recommendations=(waiting,))


def test_casebooks_of_backfill_patients_are_signed_when_they_count_for_the_first_time() -> None:
    refused = _refuse_unsigned(recommended(True), FOLDER)
    assert refused is not None
    assert refused.reason == "no investigator has signed the casebook of D0, D1, D2"
    assert _refuse_unsigned(recommended(False), FOLDER) is None
    decided = Decision(1, 1, "stay", 2, "as voted", (), T0)
    again = replace(recommended(True).recommendations[0], number=2)
    later = replace(
        recommended(True),
        decisions=(decided,),
        recommendations=(*recommended(True).recommendations, again),
    )
    assert _refuse_unsigned(later, FOLDER) is None


def test_a_decision_is_flagged_by_a_backfill_patient_only_if_the_rule_counted_the_patient() -> None:
    decision = Decision(1, 1, "stay", 2, "as voted", (), T0)
    for counted in (True, False):
        state = replace(recommended(counted), decisions=(decision,))
        assert decided_on(state, state.patients["D0"]) == ((decision,) if counted else ())
