import numpy as np
import pytest
from scipy.special import betaincc

from escalon.design import EscalationPlan, quadrature
from escalon.design.counts_keys import distinct_counts
from escalon.design.rules.base import beta_prob_above

CRM = {"kind": "crm", "target": 0.3, "skeleton": [0.05, 0.11, 0.2, 0.3]}
BLRM = {"kind": "blrm", "doses": [10, 20, 40, 60], "ref_dose": 60, "prior_mean": [-0.85, 0]}


def counts(states: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    n = random.integers(0, 8, (states, 4))
    return n, random.integers(0, n + 1)


@pytest.mark.parametrize("rule", [CRM, BLRM], ids=["crm", "blrm"])
def test_products_of_powers_equal_exponentials(rule, monkeypatch):
    plan = EscalationPlan.model_validate({"rule": rule, "levels": 4, "max_patients": 30})
    n, y = counts(quadrature.MANY + 50)
    grid = plan.rule.grid(30)
    many = grid.expect(n, y, grid.p)
    monkeypatch.setattr(quadrature, "LARGEST_TABLE", 0)
    # rounding of sums over some thousand nodes
    np.testing.assert_allclose(grid.expect(n, y, grid.p), many, rtol=0, atol=1e-13)
    monkeypatch.setattr(quadrature, "SHIFT_FROM", 0)
    np.testing.assert_allclose(grid.expect(n, y, grid.p), many, rtol=0, atol=1e-13)
    one = np.concatenate([grid.expect(n[i : i + 1], y[i : i + 1], grid.p) for i in range(5)])
    np.testing.assert_allclose(one, many[:5], rtol=0, atol=1e-13)


def test_distinct_counts_point_back_to_every_row():
    n, y = counts(500)
    n, y = np.minimum(n, 2), np.minimum(y, 1)
    rows, place = distinct_counts(n, y)
    np.testing.assert_array_equal(n[rows][place], n)
    np.testing.assert_array_equal(y[rows][place], y)
    assert rows.size == len({(*a, *b) for a, b in zip(n.tolist(), y.tolist(), strict=True)}) < 500


@pytest.mark.parametrize("limit", [0.05, 0.3, 1 / 3, 0.9])
def test_tabulated_tails_equal_the_incomplete_beta_function(limit):
    n, y = np.meshgrid(np.arange(61), np.arange(61), indexing="ij")
    y = np.minimum(n, y)
    found = beta_prob_above(n, y, limit)
    np.testing.assert_allclose(found, betaincc(1.0 + y, 1.0 + n - y, limit), rtol=1e-12, atol=1e-15)
    assert found.max() <= 1
