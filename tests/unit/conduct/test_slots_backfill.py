"""Backfill places: how many, at which level, and who holds one."""

import pytest

from escalon.conduct.events import DltStatus
from escalon.conduct.slots.backfill import PART, backfill_levels, free_backfill_seats
from escalon.conduct.state import Cohort, Patient, State
from tests.act import T0
from tests.unit.conduct.test_slots_cohorts import with_backfill

FOLDER = with_backfill()
CAP = 5


def with_patients_at_level_1(treated: int, released: int = 0) -> State:
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
    return State(cohorts=(cohort,), patients={one.patient: one for one in patients})


@pytest.mark.parametrize("treated", [1, CAP - 1, CAP, CAP + 1])
def test_places_are_open_up_to_the_cap_and_none_above(treated: int) -> None:
    state = with_patients_at_level_1(treated)
    assert [level for _, level in free_backfill_seats(state, FOLDER)] == [1] * max(CAP - treated, 0)
    assert backfill_levels(state, FOLDER) == ((1,) if treated < CAP else ())


def test_who_left_before_the_infusion_holds_no_place() -> None:
    state = with_patients_at_level_1(CAP - 1, released=3)
    assert free_backfill_seats(state, FOLDER) == [(1, 1)]
