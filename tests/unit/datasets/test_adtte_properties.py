from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from escalon.datasets import build_adam, build_sdtm
from tests.reference.datasets_time_to_event import progression_free
from tests.unit.datasets.cases import make_state, study, treated

DAYS = st.integers(1, 800)
COURSES = st.lists(
    st.tuples(DAYS, st.sampled_from(["OK", "OK", "OK", "BAD", "PROGRESSION"])),
    max_size=8,
    unique_by=lambda x: x[0],
)
MAYBE = st.none() | DAYS
BLASTS = {"OK": 1.0, "BAD": None, "PROGRESSION": 90.0}


def derive(course, death, transplant, therapy):
    builder = treated("001")
    for day, kind in course:
        builder.marrow(day, BMBLAST=BLASTS[kind])
    for day, add in (
        (death, builder.death),
        (transplant, builder.transplant),
        (therapy, builder.new_therapy),
    ):
        if day is not None:
            add(day)
    state = make_state(builder.built())
    frame = build_adam(build_sdtm(state, study()), state, study())["ADTTE"]
    return {row["PARAMCD"]: row for row in frame.iter_rows(named=True)}


def plain(row) -> tuple[int, str]:
    rule = "EVENT" if row["CNSR"] == 0 else row["RULEID"]
    return int(row["AVAL"]), rule


@settings(max_examples=100)
@given(COURSES, MAYBE, MAYBE, MAYBE)
def test_agrees_with_the_reading_of_the_table(course, death, transplant, therapy):
    course = sorted(c for c in course if death is None or c[0] <= death)
    found = derive(course, death, transplant, therapy)
    # 90 % of blasts is progression from 60 %, and relapse after a remission: either ends it.
    expected = {
        "PFS": progression_free(-5, course, death, transplant, therapy),
        "PFSI": progression_free(0, course, death, transplant, therapy),
        "PFSS": progression_free(-5, course, death, transplant, therapy, sensitivity=True),
    }
    assert {name: plain(found[name]) for name in expected} == expected


@settings(max_examples=40)
@given(COURSES, MAYBE, MAYBE, MAYBE)
def test_order_of_the_endpoints_holds(course, death, transplant, therapy):
    found = derive(sorted(c for c in course if death is None or c[0] <= death), death, transplant, therapy)
    assert all(row["AVAL"] >= 0 for row in found.values())
    assert found["OS"]["AVAL"] == found["OSI"]["AVAL"] + 5
    assert found["PFSS"]["AVAL"] <= found["OS"]["AVAL"]
    assert found["PFS"]["AVAL"] <= found["PFSS"]["AVAL"]
    if "DOR" in found:
        assert found["DOR"]["STARTDT"] > found["PFSI"]["STARTDT"]
        assert found["DOR"]["AVAL"] <= found["DORS"]["AVAL"]
        # A response first seen after the time frame starts a duration of 0 days.
        assert found["DORS"]["ADT"] == max(found["PFSS"]["ADT"], found["DORS"]["STARTDT"])
    for row in found.values():
        assert row["STARTDT"] + timedelta(days=row["AVAL"]) == row["ADT"]
