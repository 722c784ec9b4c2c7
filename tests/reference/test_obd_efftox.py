"""The EffTox posterior against the brute-force grid of obd_efftox."""

import numpy as np
import pytest

from escalon.design.rules import EffTox
from tests.reference.obd_efftox import posterior

DOSES = (1.0, 2.5, 5.0)
EFF, TOX, PSI = [(1.0, 1.0), (0.0, 0.2), (0.2, 1.3)], [(0.8, 1.0), (-1.0, 1.3)], (0.5, 1.0)


@pytest.mark.parametrize(
    ("patients", "at"),
    [
        ([(1, 0, 0), (1, 0, 0), (2, 1, 0), (2, 0, 1), (3, 1, 0), (3, 0, 1), (3, 1, 1)], 2),
        ([(1, 1, 1), (1, 1, 1), (1, 0, 0), (2, 1, 1)], 0),
    ],
)
def test_posterior(patients, at):
    rule = EffTox(
        doses=DOSES, eff_limit=0.5, tox_limit=0.3, contour_eff=0.5, contour_tox=0.65, contour_point=(0.7, 0.25),
        prior_eff_slope=EFF[0], prior_eff_curve=EFF[1], prior_eff_intercept=EFF[2],
        prior_tox_slope=TOX[0], prior_tox_intercept=TOX[1], prior_association=PSI,
    )  # fmt: skip
    cells = {"n": lambda a, b: 1, "y": lambda a, b: b, "e": lambda a, b: a, "both": lambda a, b: a * b}
    counts = [
        np.array([sum(f(a, b) for level, a, b in patients if level == j + 1) for j in range(3)])
        for f in cells.values()
    ]
    found = rule.posterior(*counts)
    eff, tox, above, below = posterior(np.array(DOSES), EFF, TOX, PSI, patients, (0.5, 0.3), at, count=20)
    # with 20 nodes per panel the brute-force means are good to 6e-6 (with 24: 1e-6)
    np.testing.assert_allclose(found.prob_eff, eff, rtol=0, atol=1e-5)
    np.testing.assert_allclose(found.prob_tox, tox, rtol=0, atol=1e-5)
    assert found.prob_acceptable_eff[at] == pytest.approx(above, abs=1e-4)
    assert found.prob_acceptable_tox[at] == pytest.approx(below, abs=1e-4)
