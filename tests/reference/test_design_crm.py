"""The grid posterior against brute-force integration."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from escalon.design.rules import Crm
from tests.reference import naive_crm

SKELETON = (0.05, 0.12, 0.25, 0.4)


@given(
    counts=st.lists(
        st.integers(0, 12).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), min_size=4, max_size=4
    ),
    model=st.sampled_from(["empiric", "logistic"]),
    sd=st.sampled_from([0.6, 1.34**0.5]),
)
@settings(max_examples=20, deadline=None)
def test_posterior(counts, model, sd):
    n, y = (np.array([[count[k] for count in counts]]) for k in (0, 1))
    rule = Crm(target=0.25, skeleton=SKELETON, model=model, prior_sd=sd)
    grid = rule.grid(int(n.sum()))
    b = grid.parameters[:, 0]
    mean, square = grid.expect(n, y, np.column_stack([b, b**2]))[0]
    expected = naive_crm.posterior(list(SKELETON), sd, n[0].tolist(), y[0].tolist(), model, limit=0.3)
    # both stop 8 prior standard deviations out, which costs up to 1e-9 when every patient has a DLT
    np.testing.assert_allclose([mean, square - mean**2], expected[:2], rtol=0, atol=1e-8)
    np.testing.assert_allclose(rule.prob_above(n, y, 0.3)[0], expected[2], rtol=0, atol=1e-8)
