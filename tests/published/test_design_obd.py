"""BOIN12 and EffTox against published and program values; sources in the data files."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from escalon.design import EscalationPlan
from escalon.design.rules import Boin12

HERE = Path(__file__).parent
# Lin et al. 2020 setting of phiT .35, phiE .25, utilities 100 40 60 0; R package escalation 0.2.3, boin12_rds
RDS = list(csv.DictReader((HERE / "design_obd_boin12_rds.csv").read_text().splitlines()))


def test_benchmark():
    rule = Boin12(tox_limit=0.35, eff_limit=0.25)
    assert rule.mean_utility(0.35, 0.25) == pytest.approx(41)
    assert rule.benchmark == pytest.approx(0.705)


def test_rank_based_desirability_score():
    found = {row[:3]: row[3] for row in Boin12(tox_limit=0.35, eff_limit=0.25).rds_table((0, 3, 6, 9))}
    assert len(RDS) == 83
    for row in RDS:
        key = (int(row["Patients"]), int(row["Toxicity"]), int(row["Efficacy"]))
        assert found[key] == (float(row["RDS"]) if row["Admissible"] == "Admissible" else None), key


# Thall et al. 2014, doi 10.1177/1740774514547397: the example trial of the MD Anderson EffTox program
EFFTOX = json.loads((HERE / "design_obd_efftox.json").read_text())
THALL = EscalationPlan.model_validate(
    {
        "rule": {
            "kind": "efftox",
            "doses": [1, 2, 4, 6.6, 10],
            "eff_limit": 0.5,
            "tox_limit": 0.3,
            "contour_eff": 0.5,
            "contour_tox": 0.65,
            "contour_point": [0.7, 0.25],
            "prior_tox_intercept": [-7.9593, 3.5487],
            "prior_tox_slope": [1.5482, 3.5018],
            "prior_eff_intercept": [0.7367, 2.5423],
            "prior_eff_slope": [3.4181, 2.4406],
            "prior_eff_curve": [0, 0.2],
            "prior_association": [0, 1],
        },
        "levels": 5,
        "cohort_size": 3,
        "max_patients": 39,
    }
)
STEPS = {"step1 (1NNN)": "1NNN", "step2 (+2ENN)": "1NNN 2ENN", "step3 (+3ETB)": "1NNN 2ENN 3ETB"}


def test_exponent_of_the_contour():
    assert THALL.rule.exponent == pytest.approx(EFFTOX["L_p"], abs=1e-12)


@pytest.mark.parametrize("step", STEPS)
def test_thall_2014(step):
    case, answer = EFFTOX[step], THALL.recommend(STEPS[step])
    found = {
        "ProbEff": [row.prob_eff for row in answer.efficacy],
        "ProbTox": [row.prob_tox for row in answer.efficacy],
        "Utility": [row.score for row in answer.efficacy],
        "ProbAccEff": [1 - row.prob_futile for row in answer.efficacy],
        "ProbAccTox": [1 - row.prob_too_toxic for row in answer.efficacy],
    }
    for name, values in found.items():
        if name in case:
            # importance sampling, printed with 4 decimals: its own error reaches 9e-4 (2e-3 for the utility)
            np.testing.assert_allclose(values, case[name], rtol=0, atol=2e-3 if name == "Utility" else 1e-3)
        official = case["official MD Anderson"].get(name)
        if official:
            # the program prints 2 decimals and integrates numerically with an error of its own: up to one unit
            np.testing.assert_allclose(values, official, rtol=0, atol=0.0151)
    assert answer.level == case["official MD Anderson"]["next"]


def test_example_of_another_package():
    """R package escalation 0.2.3, tests of trialr's EffTox: "1NEN 2NBT" recommends level 3."""
    assert THALL.recommend("1NEN 2NBT").level == 3
