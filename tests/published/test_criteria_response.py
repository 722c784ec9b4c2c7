"""Leukemia response, CNS, MRD, best response and visits: worked cases R, N, Q, B and V of the specification.

Sources: European LeukemiaNet, Blood 2024;143:1891; PMC7272718 table 4a; NCT02412306; cases that rest on an
assumption test the platform default.
"""

import math

import pytest

from escalon.criteria.leukemia_response import (
    Assessment,
    Response,
    VisitWindow,
    assign_visits,
    best_of_responses,
    classify,
    cns_status,
    criteria_set,
    mrd_label,
)

CLEAN = {"pb_blasts": 0.0, "emd": "absent", "cns": "CNS1", "cells_counted": 200}
FULL = {"anc": 1.5, "platelets": 150}

RESPONSE = [
    ("R01", "platform", {}, {"bm_blasts": 2, **FULL}, "CR"),
    ("R02", "eln_2024", {}, {"bm_blasts": 4.9, "anc": 1.0, "platelets": 150}, "CRi"),
    ("R03", "cibmtr_2010", {}, {"bm_blasts": 4.9, "anc": 1.0, "platelets": 150}, "CR"),
    ("R04", "eln_2024", {}, {"bm_blasts": 2, "anc": 1.5, "platelets": 100}, "CRi"),
    ("R05", "cibmtr_2010", {}, {"bm_blasts": 2, "anc": 1.5, "platelets": 100}, "CR"),
    ("R06", "platform", {}, {"bm_blasts": 5.0, "baseline_bm": 8, **FULL}, "NR"),
    ("R07", "crh_trial", {}, {"bm_blasts": 5.0, **FULL}, "CR"),
    ("R08", "platform", {}, {"bm_blasts": 5.0, "baseline_bm": 40, **FULL}, "PR"),
    ("R09", "crh_trial", {}, {"bm_blasts": 2, "anc": 0.8, "platelets": 80}, "CRh"),
    ("R10", "platform", {}, {"bm_blasts": 2, "anc": 0.8, "platelets": 80}, "CRi"),
    ("R11", "nccn", {}, {"bm_blasts": 2, "anc": 0.50, "platelets": 80}, "CRi"),
    ("R12", "platform", {}, {"bm_blasts": 2, "anc": 0.50, "platelets": 80, "cells_counted": 500}, "MLFS"),
    ("R13", "platform", {}, {"bm_blasts": 2, "anc": 1.2, "platelets": 30}, "CRi"),
    ("R14", "platform", {}, {"bm_blasts": 2, "anc": 0.2, "platelets": 130}, "CRi"),
    ("R15", "platform", {}, {"bm_blasts": 2, "anc": 0.2, "platelets": 30, "cells_counted": 250}, "MLFS"),
    (
        "R16",
        "platform",
        {},
        {"bm_blasts": 2, "anc": 0.2, "platelets": 30, "cells_counted": 80, "cellularity": 5},
        "NE_APLASTIC",
    ),
    (
        "R17",
        "platform",
        {},
        {"bm_blasts": 2, "anc": 0.2, "platelets": 30, "cells_counted": 80, "cellularity": 10},
        "MLFS",
    ),
    (
        "R18",
        "eln_2024",
        {"cri_min_recovery": "none"},
        {"bm_blasts": 2, "anc": 0.2, "platelets": 30, "cells_counted": 250},
        "CRi",
    ),
    (
        "R19",
        "platform",
        {"cri_min_recovery": "anc500_or_plt50"},
        {"bm_blasts": 2, "anc": 0.6, "platelets": 20},
        "CRi",
    ),
    (
        "R20",
        "platform",
        {"cri_min_recovery": "one_lineage"},
        {"bm_blasts": 2, "anc": 0.6, "platelets": 20},
        "MLFS",
    ),
    ("R21", "platform", {}, {"bm_blasts": 2, **FULL, "platelet_transfusion_7d": True}, "CRi"),
    ("R22", "platform", {}, {"bm_blasts": None, **FULL}, "NE"),
    ("R23", "platform", {}, {"bm_blasts": 2}, "NE"),
    ("R24", "platform", {}, {"bm_blasts": 2, **FULL, "emd": "not_assessed"}, "NE"),
    ("R25", "platform", {}, {"bm_blasts": 2, **FULL, "baseline_cns": "CNS2", "cns": None}, "NE"),
    ("R26", "platform", {}, {"bm_blasts": 2, **FULL, "emd": "present", "baseline_emd": "present"}, "NR"),
    ("R27", "platform", {}, {"bm_blasts": 2, **FULL, "cns": "CNS2a"}, "NR"),
    ("R28", "eln_2024", {}, {"bm_blasts": 3, **FULL, "mrd": 0.01}, "NR"),
    ("R29", "cibmtr_2010", {}, {"bm_blasts": 3, **FULL, "mrd": 0.01}, "CR"),
    ("R30", "platform", {}, {"bm_blasts": 3, "pb_blasts": 0.1, **FULL, "baseline_bm": 60}, "NR"),
    (
        "R31",
        "cibmtr_2010",
        {},
        {"bm_blasts": 3, "pb_blasts": 0.1, **FULL, "baseline_bm": 60, "baseline_pb": 2.0},
        "PR",
    ),
    ("R32", "platform", {}, {"bm_blasts": 25, "baseline_bm": 50, "anc": 1.2, "platelets": 120}, "PR"),
    ("R33", "platform", {}, {"bm_blasts": 25, "baseline_bm": 49, "anc": 1.2, "platelets": 120}, "NR"),
    ("R34", "platform", {}, {"bm_blasts": 20, "baseline_bm": 80, "anc": 0.4, "platelets": 20}, "NR"),
    ("R35", "platform", {}, {"bm_blasts": 50, "baseline_bm": 40, **FULL}, "PD"),
    ("R36", "platform", {}, {"bm_blasts": 49, "baseline_bm": 40, **FULL}, "NR"),
    ("R37", "platform", {}, {"bm_blasts": 3, "baseline_bm": 2, **FULL}, "CR"),
    ("R38", "platform", {}, {"bm_blasts": 30, "emd": "new", **FULL}, "PD"),
    ("R39", "platform", {}, {"bm_blasts": 5.0, "prior": "CR", **FULL}, "RELAPSE"),
    ("R40", "nccn", {}, {"bm_blasts": 5.0, "prior": "CR", **FULL}, "INDETERMINATE"),
    ("R41", "cibmtr_2010", {}, {"bm_blasts": 24, "prior": "CR", **FULL}, "INDETERMINATE"),
    ("R42", "platform", {}, {"bm_blasts": 24, "prior": "CR", **FULL}, "RELAPSE"),
    ("R42 eln", "eln_2024", {}, {"bm_blasts": 24, "prior": "CR", **FULL}, "RELAPSE"),
    ("R42 crh", "crh_trial", {}, {"bm_blasts": 24, "prior": "CR", **FULL}, "RELAPSE"),
    ("R42 nccn", "nccn", {}, {"bm_blasts": 24, "prior": "CR", **FULL}, "RELAPSE"),
    ("R43", "platform", {}, {"bm_blasts": None, "pb_blasts": 0.2, "prior": "CRi"}, "RELAPSE"),
    ("R44", "platform", {}, {"bm_blasts": 2, "cns": "CNS3a", "prior": "MLFS", **FULL}, "RELAPSE"),
    (
        "R45",
        "platform",
        {},
        {"bm_blasts": 2, "anc": 0.3, "platelets": 40, "cells_counted": 300, "prior": "CR"},
        "MLFS",
    ),
    ("R46", "platform", {}, {"bm_blasts": 2, "anc": 1.0, "platelets": 101}, "CRi"),
]


@pytest.mark.parametrize(
    ("case", "name", "changes", "found", "expected"), RESPONSE, ids=[r[0] for r in RESPONSE]
)
def test_response(case, name, changes, found, expected):
    result = classify(Assessment(**(CLEAN | found)), criteria_set(name, **changes))
    assert result.response == expected
    assert result.clause


CNS = [
    ("N01", {"csf_wbc": 3, "csf_rbc": 2, "blasts": True}, "CNS2a"),
    ("N02", {"csf_wbc": 3, "csf_rbc": 10, "blasts": True}, "CNS2b"),
    ("N03", {"csf_wbc": 5, "csf_rbc": 5, "blasts": True}, "CNS3a"),
    ("N04", {"csf_wbc": 8, "csf_rbc": 200, "blasts": True, "blood_wbc": 1e4, "blood_rbc": 4e6}, "CNS3b"),
    ("N05", {"csf_wbc": 8, "csf_rbc": 5000, "blasts": True, "blood_wbc": 1e4, "blood_rbc": 4e6}, "CNS2c"),
    ("N06", {"csf_wbc": 12, "csf_rbc": 0, "blasts": False}, "CNS1"),
    ("N07", {"csf_wbc": 0, "csf_rbc": 0, "blasts": False, "clinical_signs": True}, "CNS3c"),
]


@pytest.mark.parametrize(("case", "found", "expected"), CNS, ids=[r[0] for r in CNS])
def test_cns(case, found, expected):
    assert cns_status(**found).status == expected


MRD = [
    ("Q01", "CR", None, 1e-4, "NEGATIVE", "complete MRD response"),
    ("Q02", "CR", None, 1e-3, "NOT_EVALUABLE", "negative, insufficient sensitivity"),
    ("Q03", "CR", 5e-5, 1e-5, "NEGATIVE", "positive below 1e-4"),
    ("Q04", "CR", 1e-4, 1e-5, "POSITIVE", "positive, intermediate"),
    ("Q05", "CR", 2e-4, 1e-5, "POSITIVE", "MRD failure"),
    ("Q06", "NR", None, 1e-5, "NOT_REPORTED", "not reported"),
]


@pytest.mark.parametrize(
    ("case", "response", "value", "sensitivity", "trial", "eln"), MRD, ids=[r[0] for r in MRD]
)
def test_mrd(case, response, value, sensitivity, trial, eln):
    label = mrd_label(value=value, sensitivity=sensitivity, detected=value is not None, response=response)
    assert (label.trial, label.eln) == (trial, eln)


def course(*found):
    return [(Response(code, "", (), "", "platform", day), False) for day, code in found]


BEST = [
    ("B01", course((28, "CRi"), (56, "CR"), (84, "RELAPSE")), {}, "CR", 56, 28),
    ("B02", course((28, "CR"), (55, "CR"), (84, "RELAPSE")), {}, "CR", None, 28),
    ("B03", course((28, "MLFS"), (56, "CR"), (84, "CR")), {}, "CR", 84, 28),
    (
        "B03 without MLFS",
        course((28, "MLFS"), (56, "CR"), (84, "CR")),
        {"orr_numerator": ("CR", "CRi")},
        "CR",
        84,
        56,
    ),
    ("B04", course((28, "CR"), (56, "CR")), {"new_therapy_day": 40}, "CR", None, 28),
    ("B05", course((28, "CR"), (56, "NE"), (84, "CR")), {}, "CR", 84, 28),
    ("B06", course((28, "PD"), (56, "CR")), {}, "PD", None, None),
    ("B07", course((28, "NR"), (183, "CR"), (274, "CR")), {}, "CR", None, 183),
    ("B08", course((28, "MLFS")), {"hsct_day": 45}, "MLFS", None, 28),
]


@pytest.mark.parametrize(
    ("case", "found", "given", "best", "confirmed", "start"), BEST, ids=[r[0] for r in BEST]
)
def test_best_response(case, found, given, best, confirmed, start):
    result = best_of_responses(found, **given)
    assert (result.response, result.confirmed_day, result.response_day) == (best, confirmed, start)
    assert result.confirmed is (confirmed is not None)


def test_b08_responder_only_with_mlfs_in_the_numerator():
    found = course((28, "MLFS"))
    assert best_of_responses(found, hsct_day=45).responder
    assert not best_of_responses(found, hsct_day=45, orr_numerator=("CR", "CRi")).responder


def months(n):
    return math.floor(30.4375 * n + 0.5)


VISITS = (
    VisitWindow("D28", 28, 25, 31),
    VisitWindow("D56", 56, 49, 63),
    VisitWindow("D84", 84, 77, 91),
    *(
        VisitWindow(f"M{n}", months(n), months(n) - (7 if n == 3 else 14), months(n) + (7 if n == 3 else 14))
        for n in (3, 6, 9, 12, 15, 18, 21, 24)
    ),
)


def test_nominal_days_and_windows():
    assert [(v.day, v.low, v.high) for v in VISITS[3:]] == [
        (91, 84, 98), (183, 169, 197), (274, 260, 288), (365, 351, 379),
        (457, 443, 471), (548, 534, 562), (639, 625, 653), (731, 717, 745),
    ]  # fmt: skip


VISIT = [
    ("V01", [31], "nearest_unique", [("D28", None)]),
    ("V02", [32], "nearest_unique", [(None, None)]),
    ("V03", [87], "nearest_unique", [("D84", None)]),
    ("V04", [88], "nearest_unique", [("M3", None)]),
    ("V05", [87], "shared", [("D84", "M3")]),
    ("V06", [80, 87], "nearest_unique", [(None, None), ("D84", None)]),
    ("V07", [84, 91], "nearest_unique", [("D84", None), ("M3", None)]),
    ("V08", [99], "nearest_unique", [(None, None)]),
    ("V09", [86, 92], "nearest_unique", [("D84", None), ("M3", None)]),
]


@pytest.mark.parametrize(("case", "days", "policy", "expected"), VISIT, ids=[r[0] for r in VISIT])
def test_visits(case, days, policy, expected):
    found = [(given.visit, given.shared_visit) for given in assign_visits(days, VISITS, policy)]
    assert found == expected
