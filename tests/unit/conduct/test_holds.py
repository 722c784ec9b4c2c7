"""Whom a hold freezes: scopes by cause, in the act that causes them, at every place where the lock looks."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalon.conduct import commands as c
from escalon.conduct import events as ev
from escalon.conduct.encoding import decode
from escalon.conduct.events import EnrolmentHeld
from escalon.conduct.holds import Place, covers, includes, new_hold, scope_words
from escalon.conduct.monitoring import held_by
from escalon.conduct.slots import commands as slots
from escalon.conduct.slots.cohort_state import cohort_status
from escalon.conduct.state import Hold, Patient, Record, State
from escalon.protocol import StudyFolder, StudyFolderError, load_study
from tests.act import (
    CHAIR,
    COORDINATOR,
    INVESTIGATOR,
    PHYSICIAN,
    STATISTICIAN,
    T0,
    Desk,
    acknowledge,
    adverse_event,
    enrol,
    give,
    infuse,
    lymphodeplete,
    meet,
    observe_cohort,
    opened,
    seat,
)
from tests.conduct_walk import Walk
from tests.study_files import balli_files

SCOPES = ("study", "stratum", "level_and_above", "stratum_level_and_above")
NAMES = st.sampled_from(["", "A", "B"])
HOLDS = st.builds(
    EnrolmentHeld, st.just(1), st.just("r"), st.just("t"), st.just("x"), st.integers(0, 4), NAMES, NAMES
)
PLACES = [Place(level, a, b) for level in range(1, 5) for a in "ABC" for b in "ABC"]


def scoped(**causes: str) -> StudyFolder:
    """The reference study with a scope for these causes."""
    files = balli_files()
    lines = "".join(f"    {cause}: !assumption {scope}\n" for cause, scope in causes.items())
    text = files["conduct.yaml"].replace(
        "  zone: !assumption", f"  hold_scope:\n{lines}  zone: !assumption", 1
    )
    return load_study({**files, "conduct.yaml": text})


def test_a_scope_for_a_stopping_rule_the_study_does_not_have_is_a_fault() -> None:
    assert (
        scoped(stopping_rules="{gvhd-iv: stratum}").conduct.safety.hold_scope.of_rule("gvhd-iv") == "stratum"
    )
    with pytest.raises(StudyFolderError) as error:
        scoped(stopping_rules="{gvhd-4: stratum}")
    (fault,) = error.value.faults
    assert fault.file == "conduct.yaml"
    assert "the study has no stopping rule gvhd-4; it has crs-icans-4, gvhd-iv, related-death" in str(fault)


@given(HOLDS, HOLDS)
def test_a_hold_includes_another_when_it_freezes_everybody_whom_that_one_freezes(
    one: EnrolmentHeld, other: EnrolmentHeld
) -> None:
    frozen = [{place for place in PLACES if covers(hold, place)} for hold in (one, other)]
    if includes(one, other):
        assert frozen[1] <= frozen[0]
    elif max(one.dose_level, 1) != max(other.dose_level, 1) or one.dose_level == other.dose_level:
        assert not frozen[1] <= frozen[0]


def patient(name: str, level: int | None, regimen: str, process: str) -> Patient:
    return Patient(name, "01", "escalation", 1, "2020-01-06", None, T0, level, regimen, process)


def test_several_patients_are_frozen_from_the_lowest_level_in_what_they_share() -> None:
    two = [patient("1", 3, "FC", "P1"), patient("2", 2, "FCA", "P1")]
    held = new_hold(1, "r", "t", "stratum_level_and_above", two)
    assert (held.dose_level, held.regimen, held.process) == (2, "", "P1")
    assert scope_words(held) == "level 2 and above, process P1"
    assert scope_words(new_hold(1, "r", "t", "study", two)) == "the whole study"
    unknown = new_hold(1, "r", "t", "level_and_above", [patient("1", None, "", "")])
    assert unknown == EnrolmentHeld(1, "r", "t")


def test_a_hold_of_an_older_ledger_freezes_the_study() -> None:
    old = decode("EnrolmentHeld", '{"hold":1,"reason":"t","rule":"susar"}')
    assert isinstance(old, ev.EnrolmentHeld)
    assert old.scope == "study"
    assert all(covers(old, place) for place in PLACES)


def second_cohort(folder: StudyFolder) -> Desk:
    """The second cohort is open at level 2, a patient of the first had no DLT."""
    desk = opened(folder)
    observe_cohort(desk, ["001", "002", "003"])
    desk.must(STATISTICIAN, c.RequestRecommendation())
    meet(desk, "escalate", 2)
    acknowledge(desk)
    return desk


def dies(desk: Desk, name: str) -> None:
    values = adverse_event(
        desk, AETOXGR=5, AESDTH="Y", AEOUT="FATAL", AERELUC="NOT RELATED", AEENDTC=desk.now.isoformat()
    )
    desk.must(COORDINATOR, c.RecordForm(name, "AE", "AE-9", values))


def test_a_death_above_leaves_a_lower_level_free_and_freezes_its_own_at_every_step() -> None:
    folder = scoped(death="level_and_above")
    desk = second_cohort(folder)
    enrol(desk, "004")
    lymphodeplete(desk, "004")
    desk.now = desk.now.replace(hour=9)
    assert not isinstance(infuse(desk, "004"), c.Refused)
    seat(desk, "005")
    dies(desk, "004")
    (hold,) = desk.state.open_holds
    assert (hold.rule, hold.scope, hold.dose_level, hold.regimen) == ("death", "level_and_above", 2, "")
    assert covers(hold, Place(2, "FC", "P1"))
    assert not covers(hold, Place(1, "FC", "P1"))
    day = desk.now.date()
    assign = c.AssignDose("005", 2, folder.study.regimen_on(day).id, folder.study.process_on(day) or "")
    refused = desk.refused(INVESTIGATOR, assign)
    assert refused.rule == "hold"
    assert "for level 2 and above (death)" in refused.reason
    desk.must(COORDINATOR, slots.RequestSlot("01", "C-6"))
    assert desk.state.slots.slots[-1].waits
    assert cohort_status(desk.state, 2, folder, desk.now).holds == (
        f"death (level 2 and above): {hold.reason}",
    )
    assert cohort_status(desk.state, 1, folder, desk.now).holds == ()


def test_one_person_does_not_lift_a_hold_of_a_level() -> None:
    desk = second_cohort(scoped(death="stratum_level_and_above"))
    dies(desk, "001")
    number = desk.state.open_holds[0].number
    assert desk.state.open_holds[0].dose_level == 1
    content = {"hold": number, "reason": "reviewed"}
    give(desk, CHAIR, f"hold:{number}", content)
    assert desk.refused(CHAIR, c.LiftHold(number, "reviewed")).rule == "SG-3 signatures"
    give(desk, PHYSICIAN, f"hold:{number}", content)
    desk.must(CHAIR, c.LiftHold(number, "reviewed"))
    assert desk.state.open_holds == ()


@pytest.mark.parametrize("scope", SCOPES[1:])
@pytest.mark.parametrize("seed", [1, 2])
def test_walks_with_scoped_holds_break_no_rule(scope: str, seed: int) -> None:
    folder = scoped(susar=scope, death=scope, stopping_rule=scope)
    walk = Walk(folder, random.Random(seed).randint)
    walk.start()
    for _ in range(400):
        walk.step()
        assert walk.violations == []


def test_a_stopping_rule_met_below_an_open_hold_of_it_holds_again() -> None:
    folder = scoped(stopping_rule="level_and_above")
    two = [patient("1", 3, "FC", "P1"), patient("2", 2, "FC", "P1")]
    people = {one.patient: replace(one, infused_at=T0) for one in two}
    values = {"AETOXGR": 4, "AECAT": "GVHD", "AESTDTC": T0.isoformat(), "AETERM": "GVHD"}
    (first,) = held_by(State(patients=people), "1", values, folder)
    assert isinstance(first, EnrolmentHeld)
    assert (first.rule, first.dose_level) == ("gvhd-iv", 3)
    hold = Hold(1, "gvhd-iv", "t", T0, None, first.scope, first.dose_level)
    earlier = Record("1", "AE", "AE-1", 1, None, values, T0, 1)
    known = {**people, "1": replace(people["1"], records={"AE-1": earlier})}
    held = State(patients=known, holds=(hold,))
    (second,) = held_by(held, "2", values, folder)
    assert isinstance(second, EnrolmentHeld)
    assert (second.hold, second.dose_level) == (2, 2)
    above = replace(held, patients={**known, "2": replace(known["2"], dose_level=4)})
    assert held_by(above, "2", values, folder) == ()
