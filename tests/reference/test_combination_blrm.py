"""The two-agent BLRM posterior against nested Gauss-Legendre in other coordinates (combination_blrm)."""

import numpy as np
import pytest

from escalon.design.rules import BlrmCombination
from tests.reference.combination_blrm import posterior

PRIORS = [(-1.5, 1.0), (0.0, 0.5), (-1.0, 1.0), (0.1, 0.5), (0.1, 0.5)]
RULE = BlrmCombination(
    doses_a=(10, 20), doses_b=(50, 100, 200), ref_dose_a=20, ref_dose_b=100,
    prior_mean_a=(-1.5, 0), prior_sd_a=(1, 0.5), prior_mean_b=(-1, 0.1), prior_sd_b=(1, 0.5),
    prior_interaction=(0.1, 0.5),
)  # fmt: skip
A, B = np.repeat([0.5, 1.0], 3), np.tile([0.5, 1.0, 2.0], 2)


@pytest.mark.parametrize(
    ("n", "y", "level"),
    [([3, 3, 0, 3, 0, 0], [0, 1, 0, 1, 0, 0], 4), ([6, 3, 0, 12, 6, 0], [0, 0, 0, 3, 3, 0], 0)],
)
def test_posterior(n, y, level):
    counts = np.array(n), np.array(y)
    found = RULE.posterior(*counts, np.array([level]))
    mean, above = posterior(A, B, PRIORS, *counts, level, 0.35, outer=28, inner=20)
    assert found.prob_tox[level] == pytest.approx(mean, abs=2e-4)
    # the reference itself moves by 4e-4 between 28 and 34 nodes
    assert found.above[1, level] == pytest.approx(above, abs=1e-3)
