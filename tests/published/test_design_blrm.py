"""BLRM against converged quadrature of two published data sets; sources in design_models.json."""

import json
from pathlib import Path

import numpy as np
import pytest

from escalon.design import EscalationPlan

MODELS = json.loads((Path(__file__).parent / "design_models.json").read_text())
DATA = {1: (3, 0), 2.5: (4, 0), 5: (5, 0), 10: (4, 0), 25: (2, 2)}
PRIORS = {
    "blrm_nbg": {
        "ref_dose": 250,
        "prior_mean": [2.15, 0.52],
        "prior_sd": [0.84, 0.8],
        "prior_corr": 0.134 / (0.84 * 0.8),
    },
    "blrm_oncobayes2": {"ref_dose": 50, "prior_mean": [0, 0], "prior_sd": [2, 1]},
}


def fit(name, doses):
    plan = EscalationPlan.model_validate(
        {"rule": {"kind": "blrm", "doses": doses, **PRIORS[name]}, "levels": len(doses), "max_patients": 30}
    )
    levels = [doses.index(dose) + 1 for dose, (n, _) in DATA.items() for _ in range(n)]
    tox = [int(i < y) for n, y in DATA.values() for i in range(n)]
    return plan.fit(levels=levels, tox=tox)


@pytest.mark.parametrize("name", PRIORS)
def test_posterior(name):
    case = MODELS[name]
    found = fit(name, case["doses"])
    # printed with 6 decimals
    assert found.estimate == pytest.approx((case["E_logalpha"], case["E_logbeta"]), abs=7e-7)
    (aa, ab), (_, bb) = found.variance
    assert (aa**0.5, bb**0.5) == pytest.approx((case["sd_logalpha"], case["sd_logbeta"]), abs=7e-7)
    assert ab / (aa * bb) ** 0.5 == pytest.approx(case["corr"], abs=1e-6)
    np.testing.assert_allclose(found.prob_tox, case["mean_p"], rtol=0, atol=7e-7)
    # these come from an unsplit grid and carry its error
    np.testing.assert_allclose(found.prob_overdose, case["P_ge_0.35"], rtol=0, atol=5e-4)
    split = MODELS["split"][name]
    over = [found.prob_overdose[case["doses"].index(dose)] for dose in split["doses"]]
    np.testing.assert_allclose(over, split["prob"], rtol=0, atol=5.1e-6)


@pytest.mark.parametrize(("name", "dose"), [("blrm_nbg", 20), ("blrm_oncobayes2", 15)])
def test_highest_dose_under_overdose_control(name, dose):
    case = MODELS[name]
    over = np.array(fit(name, case["doses"]).prob_overdose)
    assert case["doses"][np.flatnonzero(over < 0.25).max()] == dose
