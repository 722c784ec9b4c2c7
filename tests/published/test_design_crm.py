"""CRM against dfcrm 0.2-2.1, Cheung 2011 Table 3.2, NBG 2008 Table I and the VIOLA path count of dtpcrm."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from escalon.design import EscalationPlan, enumerate_plan

HERE = Path(__file__).parent
MODELS = json.loads((HERE / "design_models.json").read_text())


def plan(skeleton, target=0.25, total=60, cohort=3, start=1, guards=(), **rule) -> EscalationPlan:
    return EscalationPlan.model_validate(
        {
            "rule": {"kind": "crm", "target": target, "skeleton": skeleton, **rule},
            "levels": len(skeleton),
            "cohort_size": cohort,
            "max_patients": total,
            "start_level": start,
            "guards": guards,
        }
    )


def floats(text: str) -> list[float]:
    return [float(part) for part in text.split()]


def test_posteriors_of_dfcrm():
    with (HERE / "design_dfcrm_cases.csv").open() as file:
        cases = list(csv.DictReader(file))
    assert len(cases) == 120
    for case in cases:
        design = plan(
            floats(case["skeleton"]),
            float(case["target"]),
            model=case["model"],
            prior_sd=float(case["scale"]),
        )
        levels, tox = ([int(part) for part in case[name].split()] for name in ("level", "tox"))
        fit = design.fit(levels=levels, tox=tox, weights=floats(case["weights"]) or None)
        assert fit.mtd == int(case["mtd"])
        # dfcrm integrates adaptively; these are its own errors, found with finer integration
        assert fit.estimate == pytest.approx(float(case["estimate"]), abs=8e-7)
        assert fit.variance == pytest.approx(float(case["post_var"]), abs=6e-5)
        np.testing.assert_allclose(fit.prob_tox, floats(case["ptox"]), rtol=0, atol=7e-7)


def test_cheung_table_3_2_patient_by_patient():
    table = MODELS["cheung_table_3_2"]
    design = plan(table["skeleton"], table["target"], model="logistic", prior_sd=1.34**0.5)
    for i in range(20):
        fit = design.fit(levels=table["level"][: i + 1], tox=table["tox"][: i + 1])
        assert fit.estimate == pytest.approx(table["beta_hat"][i], abs=5.1e-7)  # printed with 6 decimals
        assert fit.mtd == table["next_level"][i]


@pytest.mark.parametrize("name", ["A", "B"])
def test_nbg_table_1_posterior_means(name):
    table = MODELS["nbg2008_table1"]
    n, y = np.zeros((1, 10), dtype=int), np.zeros((1, 10), dtype=int)
    for index, (treated, dlts) in table["n_at_dose_idx1"].items():
        n[0, int(index) - 1], y[0, int(index) - 1] = treated, dlts
    rule = plan(table[f"{name}_skeleton"], estimate="mean").rule
    grid = rule.grid(18)
    mean, square = grid.expect(n, y, grid.p)[0], grid.expect(n, y, grid.p**2)[0]
    np.testing.assert_allclose(mean, table[f"{name}_mean_exact"], rtol=0, atol=5.1e-7)
    np.testing.assert_allclose(np.sqrt(square - mean**2), table[f"{name}_sd_exact"], rtol=0, atol=5.1e-7)
    np.testing.assert_allclose(mean, table[f"{name}_mean_published"], rtol=0, atol=7.1e-4)


def test_exact_characteristics_of_crmsim():
    (case,) = json.loads((HERE / "design_crm_exact_oc.json").read_text())
    guards = [{"kind": "no_skipping"}, {"kind": "coherent"}]
    ends = enumerate_plan(plan(case["skeleton"], case["target"], case["n"], guards=guards))
    oc = ends.oc(case["PI"])
    assert (ends.terminal_states, ends.paths_total) == (case["terminal_states"], case["paths"])
    np.testing.assert_allclose(oc.prob_select, case["p_select"], rtol=0, atol=1e-13)
    np.testing.assert_allclose(oc.mean_n, case["mean_n"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(oc.mean_dlt, case["mean_tox"], rtol=0, atol=1e-12)


def test_viola_has_4693_paths():
    guards = [
        {"kind": "no_skipping"},
        {"kind": "coherent"},
        {"kind": "too_toxic", "limit": 0.3, "certainty": 0.72},
        {"kind": "enough_at_dose", "n": 12, "when": "recommended"},
    ]
    skeleton = [0.03, 0.07, 0.12, 0.2, 0.3, 0.4, 0.52]
    design = plan(skeleton, 0.2, 21, start=3, guards=guards, prior_sd=0.75**0.5)
    assert enumerate_plan(design).paths_total == MODELS["viola_paths"]
