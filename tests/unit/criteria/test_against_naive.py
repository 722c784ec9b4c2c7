"""The product against naive second readings of the same written rules."""

import itertools
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalon.criteria import dlt, icaht, magic
from escalon.criteria.leukemia_response import Assessment, VisitWindow, assign_visits, classify
from tests.reference.criteria_response import (
    SETS,
    naive_icaht_early,
    naive_lasts,
    naive_magic,
    naive_response,
    naive_t_icaht_early,
    naive_visits,
)

CHOICES = {
    "bm": [None, 0.0, 2.0, 3.0, 4.9, 5.0, 5.1, 12.5, 24.0, 25.0, 25.1, 60.0],
    "pb": [None, 0.0, 0.0, 0.0, 0.0, 0.1, 1.0, 2.5],
    "anc": [None, 0.2, 0.5, 0.6, 0.99, 1.0, 1.1, 1.1, 1.1],
    "plt": [None, 20.0, 50.0, 51.0, 99.0, 100.0, 101.0, 101.0, 101.0],
    "emd": [
        "absent",
        "absent",
        "absent",
        "absent",
        "absent",
        "absent",
        "present",
        "new",
        "not_assessed",
        None,
    ],
    "cns": [None, None, "CNS1", "CNS1", "CNS1", "CNS2a", "CNS3a"],
    "base_emd": [None, "absent", "present", "not_assessed"],
    "base_cns": [None, None, "CNS1", "CNS2", "CNS3"],
    "cells": [None, 80.0, 199.0, 200.0],
    "cellularity": [None, 5.0, 9.9, 10.0],
    "mrd": [None, 0.0, 1e-4, 0.0099, 0.01],
    "transfused": [False, False, False, True],
    "gcsf": [False, False, False, True],
    "prior": [None, None, "CR", "CRi", "MLFS", "NR", "PR"],
    "base_bm": [None, 0.0, 4.0, 10.0, 20.0, 40.0, 50.0, 90.0],
    "nadir_bm": [None, 0.0, 4.0, 20.0, 48.0],
    "base_pb": [None, 0.0, 0.2, 2.0],
}
NAMES = {
    "bm": "bm_blasts",
    "pb": "pb_blasts",
    "plt": "platelets",
    "base_cns": "baseline_cns",
    "base_emd": "baseline_emd",
    "cells": "cells_counted",
    "transfused": "platelet_transfusion_7d",
    "gcsf": "gcsf_7d",
    "base_bm": "baseline_bm",
    "base_pb": "baseline_pb",
}


@pytest.mark.parametrize("name", sorted(SETS))
def test_response(name):
    draw = Random(11)
    met = set()
    for _ in range(4000):
        found = {field: draw.choice(values) for field, values in CHOICES.items()}
        seen = Assessment(**{NAMES.get(field, field): value for field, value in found.items()})
        answer = classify(seen, name).response
        assert answer == naive_response(name, found), found
        met.add(answer)
    assert {"CR", "CRi", "NR", "RELAPSE", "NE"} <= met
    assert ("PD" in met) is (name != "crh_trial")


PLAN = (("D56", 56, 49, 63), ("D84", 84, 77, 91), ("M3", 91, 84, 98))


@settings(max_examples=150, deadline=None)
@given(days=st.lists(st.integers(45, 102), max_size=6))
def test_visits(days):
    found = [row.visit for row in assign_visits(days, [VisitWindow(*row) for row in PLAN])]
    assert found == naive_visits(days, PLAN)
    filled = [visit for visit in found if visit]
    assert len(filled) == len(set(filled))


@settings(max_examples=120, deadline=None)
@given(counts=st.lists(st.sampled_from([50.0, 100.0, 101.0, 500.0, 501.0, 1500.0]), min_size=31, max_size=31))
def test_icaht_early(counts):
    assert icaht.grade_icaht(range(31), [c / 1000 for c in counts], "early").grade == naive_icaht_early(
        counts
    )


@settings(max_examples=120, deadline=None)
@given(counts=st.lists(st.sampled_from([10.0, 19.0, 20.0, 49.0, 50.0, 150.0]), min_size=31, max_size=31))
def test_t_icaht_early(counts):
    assert icaht.grade_t_icaht(range(31), counts, "early").grade == naive_t_icaht_early(counts)


@settings(max_examples=150, deadline=None)
@given(
    blocks=st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from([1, 24, 48, 71, 72, 73])), min_size=1, max_size=6
    )
)
def test_sustained_crs(blocks):
    course, hour, grades = [], 0, []
    for grade, hours in blocks:
        course.append(dlt.GradePoint(hour / 24, grade))
        grades += [grade] * hours
        hour += hours
    event = dlt.AdverseEvent(
        id="1", term="CRS", category="CRS", start_day=0, end_day=hour / 24, course=tuple(course), relation={}
    )
    record = dlt.PatientRecord(patient="1", infusion_day=0, events=(event,))
    found = dlt.propose(record, dlt.load_default_definition())
    assert (bool(found) and found[0].status == "dlt") is naive_lasts([*grades, 0], 3, 2, 72)


def test_every_combination_of_gvhd_stages():
    for stages in itertools.product(range(5), range(5), range(2), range(5)):
        found = magic.grade_gvhd(**dict(zip(("skin", "liver", "upper_gi", "lower_gi"), stages, strict=True)))
        assert found.grade == naive_magic(*stages)
