"""Published 3+3 and mTPI figures; the source of each is named in design_rules.json."""

import json
from pathlib import Path

import numpy as np
import pytest

from escalon.design import EscalationPlan, decision_table, enumerate_plan

FIGURES = json.loads((Path(__file__).parent / "design_rules.json").read_text())


def three_plus_three(variant: str, levels: int) -> EscalationPlan:
    return EscalationPlan.model_validate(
        {"rule": {"kind": "three_plus_three", "variant": variant}, "levels": levels}
    )


@pytest.mark.parametrize(
    "case", FIGURES["three_plus_three"], ids=lambda case: f"{case['variant']}{case['prob_tox']}"
)
def test_three_plus_three_equals_the_enumeration_of_bcrm(case):
    ends = enumerate_plan(three_plus_three(case["variant"], len(case["prob_tox"])))
    oc = ends.oc(case["prob_tox"])
    assert ends.paths_total == case["paths"]
    # printed with 12 decimals
    np.testing.assert_allclose([oc.prob_none, *oc.prob_select], case["prob_mtd_0_to_K"], rtol=0, atol=6e-13)
    assert oc.mean_total_n == pytest.approx(case["mean_total_n"], abs=1e-12)
    # printed with 9 decimals
    np.testing.assert_allclose(oc.mean_n, case["mean_n"], rtol=0, atol=5.1e-10)


@pytest.mark.parametrize(("levels", "paths"), FIGURES["six_at_mtd_paths"].items())
def test_six_at_the_mtd_has_the_published_number_of_paths(levels, paths):
    assert enumerate_plan(three_plus_three("six_at_mtd", int(levels))).paths_total == paths


def test_de_escalation_has_the_published_number_of_paths():
    assert enumerate_plan(three_plus_three("B", 5)).paths_total == FIGURES["de_escalation_paths_5_levels"]


def test_mtpi_table():
    plan = EscalationPlan.model_validate(
        {
            "rule": {
                "kind": "mtpi",
                "target": 0.3,
                "epsilon_1": 0.05,
                "epsilon_2": 0.05,
                "elimination": 0.95,
            },
            "levels": 4,
            "cohort_size": 3,
            "max_patients": 18,
        }
    )
    published = {int(n): tuple(row) for n, row in FIGURES["mtpi_0.30_0.05_0.95"].items()}
    assert decision_table(plan).decisions == published
