"""Extramedullary burden, CNS course, support by dates, MRD kept with its assay, and reasons of every NE."""

import itertools

import pytest

from escalon.criteria.leukemia_response import (
    BEST_ORDER,
    MRD_METHODS,
    Assessment,
    Response,
    best_of_responses,
    best_overall,
    classify,
    cns_response,
    cns_status,
    criteria_set,
    extramedullary_response,
    load_criteria_sets,
    mrd_label,
    supported_within,
)

FULL = {"pb_blasts": 0.0, "emd": "absent", "anc": 1.5, "platelets": 150}


def seen(day, bm, **found):
    return Assessment(day=day, bm_blasts=bm, **(FULL | found))


BULKY = {"emd": "present", "baseline_emd": "present", "baseline_emd_burden": 400.0, "baseline_bm": 40}


@pytest.mark.parametrize(
    ("name", "found", "expected"),
    [
        ("cibmtr_2010", {"emd_burden": 500.0}, "PD"),
        ("cibmtr_2010", {"emd_burden": 499.9}, "NR"),
        ("cibmtr_2010", {"emd_burden": 250.0, "nadir_emd_burden": 200.0}, "PD"),
        ("platform", {"emd_burden": 500.0}, "NR"),
    ],
)
def test_progression_by_extramedullary_burden(name, found, expected):
    assert classify(seen(28, 30, **BULKY, **found), name).response == expected


def test_the_lowest_burden_is_carried_along():
    before = Assessment(day=-7, bm_blasts=40, pb_blasts=0.0, emd="present", emd_burden=400.0)
    course = [seen(28, 30, emd="present", emd_burden=200.0), seen(56, 30, emd="present", emd_burden=250.0)]
    found = best_overall(course, "cibmtr_2010", baseline=before)
    assert [r.response for r in found.responses] == ["NR", "PD"]
    assert found.responses[1].reasons[0] == "extramedullary burden risen from 200 to 250"


def test_relapse_after_a_partial_response():
    before = Assessment(day=-7, bm_blasts=100, pb_blasts=0.0, emd="absent")
    for name, end in (("cibmtr_2010", "RELAPSE"), ("platform", "PD")):
        found = best_overall([seen(28, 20), seen(56, 26)], name, baseline=before)
        assert [r.response for r in found.responses] == ["PR", end]
    assert classify(seen(56, 25, prior="PR", baseline_bm=100, nadir_bm=24), "cibmtr_2010").response == "PR"


def test_a_set_without_progression():
    worse = seen(28, 80, baseline_bm=40)
    assert classify(worse, "crh_trial").response == "NR"
    assert classify(worse, "platform").response == "PD"
    assert classify(worse, criteria_set("platform", pd=False)).response == "NR"


def test_disease_that_was_absent_before_is_new():
    assert classify(seen(28, 30, emd="present", baseline_emd="absent")).response == "PD"
    assert classify(seen(28, 30, emd="present", baseline_emd="present", last_emd="absent")).response == "PD"
    assert classify(seen(28, 30, emd="present", baseline_emd="present")).response == "NR"
    before = Assessment(day=-7, bm_blasts=30, pb_blasts=0.0, emd="present")
    found = best_overall([seen(28, 30), seen(56, 30, emd="present")], baseline=before)
    assert [r.response for r in found.responses] == ["NR", "PD"]


CNS_COURSE = [
    ("CNS1", "CNS3a", None, "REMISSION"),
    ("CNS1", "CNS2", None, "REMISSION"),
    ("CNS1", "CNS1", None, "NONE"),
    ("CNS1", None, "CNS2a", "REMISSION"),
    ("CNS3a", "CNS1", None, "RELAPSE"),
    ("CNS3c", "CNS2b", None, "RELAPSE"),
    ("CNS3a", "CNS3b", "CNS1", "RELAPSE"),
    ("CNS3a", "CNS3b", None, "PERSISTENT"),
    ("CNS2a", "CNS3b", None, "PERSISTENT"),
    (None, "CNS3b", "CNS1", None),
]


@pytest.mark.parametrize(("now", "baseline", "last", "expected"), CNS_COURSE)
def test_cns_response(now, baseline, last, expected):
    found = cns_response(now, baseline, last)
    assert (found.response, found.grade) == (expected, expected)
    assert found.clause
    assert found.reasons


def test_cns_relapse_before_any_marrow_remission_is_progression():
    before = Assessment(day=-7, bm_blasts=60, pb_blasts=0.0, emd="absent", cns="CNS3a")
    course = [seen(28, 40, cns="CNS1"), seen(56, 40, cns="CNS3a")]
    found = best_overall(course, baseline=before)
    assert [r.response for r in found.responses] == ["NR", "PD"]
    assert [r.cns.response for r in found.responses] == ["REMISSION", "RELAPSE"]
    assert "CNS remission: CNS1 in a patient who had CNS2 or CNS3" in found.responses[0].reasons


LESIONS = [
    ({"burden": 0.0}, "CR", "absent"),
    ({"burden": 30.0, "pet_positive": False, "baseline_pet_positive": True}, "CR", "absent"),
    ({"burden": 30.0, "pet_positive": False, "baseline_pet_positive": None}, "PR", "present"),
    ({"burden": 49.9}, "PR", "present"),
    ({"burden": 50.0}, "NR", "present"),
    ({"burden": 125.0}, "NR", "present"),
    ({"burden": 125.1}, "PD", "present"),
    ({"burden": 76.0, "nadir_burden": 60.0}, "PD", "present"),
    ({"burden": 75.0, "nadir_burden": 60.0}, "NR", "present"),
    ({"burden": 10.0, "new_lesion": True}, "PD", "new"),
    ({"burden": 10.0, "baseline_burden": 0.0}, "PD", "new"),
    ({"burden": 10.0, "nadir_burden": 0.0, "prior": "CR"}, "RELAPSE", "present"),
    ({"burden": None}, None, "not_assessed"),
    ({"burden": 10.0, "baseline_burden": None}, None, "not_assessed"),
    ({"burden": 0.0, "new_lesion": None}, None, "not_assessed"),
]


@pytest.mark.parametrize(("given", "expected", "code"), LESIONS)
def test_lymphomatous_disease(given, expected, code):
    found = extramedullary_response(**({"baseline_burden": 100.0} | given))
    assert (found.response, found.grade, found.emd) == (expected, expected, code)
    assert found.clause
    assert Assessment(emd=found.emd).emd == code


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: extramedullary_response(burden=-1, baseline_burden=1), "burden"),
        (lambda: extramedullary_response(burden=1, baseline_burden=1, prior="cured"), "prior"),
        (lambda: extramedullary_response(burden=1, baseline_burden=1, pet_positive="no"), "pet_positive"),
        (lambda: cns_response("CNS4", None), "now"),
        (lambda: mrd_label(value=None, sensitivity=1e-4, method="smell"), "method"),
        (lambda: Assessment(mrd_method="smell"), "mrd_method"),
        (lambda: Assessment(day=28, gcsf_days=(float("nan"),)), "gcsf_days"),
        (lambda: Assessment(gcsf_days=(20.0,)), "gcsf_days: given without the day"),
        (lambda: best_overall([], baseline=Assessment(day=3)), "baseline: day 3"),
    ],
)
def test_refusals_name_the_field(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(("given", "expected"), [(20, "CR"), (21, "CRi"), (28, "CRi"), (29, "CR")])
def test_support_by_dates(given, expected):
    assert classify(seen(28, 2, platelet_transfusion_days=(1.0, given))).response == expected
    assert classify(seen(28, 2, gcsf_days=(1.0, given))).response == expected


def test_the_window_of_support_is_a_setting():
    supported = seen(28, 2, gcsf_days=(18.0,))
    assert classify(supported, criteria_set("platform", support_days=10)).response == "CRi"
    assert supported_within(28, [18], 10)


def test_red_cell_transfusion_stands_against_cr_only_where_the_set_says_so():
    given = seen(28, 2, red_cell_transfusion_days=(25.0,))
    assert classify(given, "eln_2024").response == "CRi"
    assert "red cells within 7 days: no CR by this set" in classify(given, "eln_2024").reasons
    assert classify(given, "platform").response == "CR"
    assert classify(seen(28, 2, red_cell_transfusion_days=(20.0,)), "eln_2024").response == "CR"


def test_mrd_keeps_assay_and_sensitivity():
    for method in MRD_METHODS:
        found = classify(seen(28, 2, mrd=5e-5, mrd_sensitivity=1e-5, mrd_method=method)).mrd
        assert (found.trial, found.value, found.sensitivity, found.method) == ("NEGATIVE", 5e-5, 1e-5, method)
    assert classify(seen(28, 2, mrd=0.0, mrd_sensitivity=1e-4)).mrd.eln == "complete MRD response"
    assert classify(seen(28, 60, mrd=0.0, mrd_sensitivity=1e-4)).mrd.trial == "NOT_REPORTED"
    assert classify(seen(28, 2)).mrd is None


@pytest.mark.parametrize(
    ("better", "worse"), list(itertools.pairwise(("CR", "CRh", "CRi", "MLFS", "PR", "NR", "PD")))
)
def test_order_of_responses(better, worse):
    course = [(Response(code, "", (), "", "own", day), False) for day, code in ((28, better), (56, worse))]
    assert best_of_responses(course).response == better
    assert BEST_ORDER.index(better) < BEST_ORDER.index(worse)


def test_every_ne_has_its_reasons():
    nothing = best_overall([])
    assert nothing.reasons == ("no assessment was read",)
    late = best_overall([seen(40, 2)], new_therapy_day=30)
    assert late.reasons == ("no assessment was read", "reading stopped at new therapy on day 30")
    poor = {"anc": 0.2, "platelets": 20, "cells_counted": 50}
    found = best_overall([seen(28, None), seen(56, 2, **poor)])
    assert found.response == "NE"
    assert found.reasons[0] == "day 28, NE: not evaluable; marrow blasts missing"
    assert found.reasons[1].startswith("day 56, NE_APLASTIC: marrow too poor in cells")
    fields = {"bm_blasts": 2.0, "pb_blasts": 0.0, "emd": "absent", "anc": 1.5, "platelets": 150.0}
    for name, missing in itertools.product(load_criteria_sets(), fields):
        answer = classify(Assessment(**(fields | {missing: None})), name)
        assert answer.response == "NE"
        assert answer.reasons


def test_every_nr_and_indeterminate_says_what_kept_it_from_remission():
    assert classify(seen(28, 30)).reasons == ("marrow blasts 30 %, not < 5 %",)
    kept = classify(seen(56, 5.0, prior="CR"), "nccn")
    assert (kept.response, kept.reasons) == ("INDETERMINATE", ("marrow blasts 5 %, not < 5 %",))


@pytest.mark.parametrize(
    ("wbc", "rbc", "expected"), [(4.9, 9.9, "CNS2a"), (4.9, 10, "CNS2b"), (5, 9.9, "CNS3a"), (5, 10, None)]
)
def test_csf_limits(wbc, rbc, expected):
    found = cns_status(csf_wbc=wbc, csf_rbc=rbc, blasts=True)
    assert (found.status, found.grade) == (expected, expected)
