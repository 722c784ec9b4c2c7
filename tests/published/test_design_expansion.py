"""Simon designs (clinfun 1.1.5, n <= 100), BOP2-FE, predictive probability, skeletons (dfcrm getprior)."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from escalon.design.calibrate import compute_skeleton
from escalon.design.expansion.monitoring import bop2_bounds, monitor_oc
from escalon.design.expansion.predictive import posterior_probability, predictive_probability
from escalon.design.expansion.simon import find_simon_designs

HERE = Path(__file__).parent
FIGURES = json.loads((HERE / "design_expansion.json").read_text())


def rows(name):
    with (HERE / name).open() as file:
        return list(csv.DictReader(file))


SIMON = rows("design_simon.csv")


@pytest.mark.parametrize("first", range(0, 60, 12))
def test_simon_optimal_designs(first):
    for row in SIMON[first : first + 12]:
        found = find_simon_designs(*(float(row[name]) for name in ("p0", "p1", "alpha", "beta"))).optimal
        assert [found.r1, found.n1, found.r, found.n] == [int(row[k]) for k in ("r1", "n1", "r", "n")]
        assert found.en0 == pytest.approx(float(row["EN0"]), abs=1e-11)
        assert found.pet0 == pytest.approx(float(row["PET0"]), abs=1e-13)


def test_simon_minimax_of_the_1989_paper():
    # Simon 1989, Table 1: p0 0.20, p1 0.40, alpha 0.05, beta 0.20: 4/18, 10/33, EN(p0) 22.3, PET 0.72
    found = find_simon_designs(0.2, 0.4, 0.05, 0.2).minimax
    assert (found.r1, found.n1, found.r, found.n) == (4, 18, 10, 33)
    assert found.en0 == pytest.approx(22.3, abs=0.05)
    assert found.pet0 == pytest.approx(0.72, abs=0.005)


def test_bop2_bounds_and_characteristics():
    case = FIGURES["bop2fe"]
    monitor = bop2_bounds(case["H0"], case["looks"], case["lambda"], case["gamma"], case["eta"])
    assert list(monitor.stop_le) == case["futility_le"]
    assert list(monitor.stop_ge) == case["efficacy_ge"]
    for rate, key in ((case["H0"], "exact_oc_H0"), (case["H1"], "exact_oc_H1")):
        found, expected = monitor_oc(monitor, rate), case[key]
        assert found.early_low == pytest.approx(expected["early_fut"], abs=5.1e-11)
        assert found.early_high == pytest.approx(expected["early_eff"], abs=5.1e-11)
        assert found.mean_n == pytest.approx(expected["EN"], abs=5.1e-11)
        assert found.prob_high == pytest.approx(expected["reject"], abs=7e-11)  # its last digit is rounded up


def test_predictive_probability_of_lee_and_liu():
    case = FIGURES["lee_liu_pp"]
    a, b = case["prior"]
    assert posterior_probability(case["x"], case["n"], case["p"], a, b) == pytest.approx(
        case["postprob"], abs=5.1e-11
    )
    found = predictive_probability(case["x"], case["n"], case["Nmax"], case["p"], case["thetaT"], a, b)
    assert found == pytest.approx(case["predprob"], abs=5.1e-11)


def test_skeletons_of_getprior():
    cases = rows("design_getprior_grid.csv")
    assert len(cases) == 352
    for case in cases:
        found = compute_skeleton(
            float(case["halfwidth"]),
            float(case["target"]),
            int(case["nu"]),
            int(case["nlevel"]),
            case["model"],
        )
        # printed with 12 decimals
        np.testing.assert_allclose(found, [float(p) for p in case["skeleton"].split()], rtol=0, atol=5.1e-13)
