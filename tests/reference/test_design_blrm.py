"""The two-parameter posterior against nested Gauss-Legendre panels split at the threshold."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from escalon.design.rules import Blrm

NODES, WEIGHTS = np.polynomial.legendre.leggauss(24)
DOSES = (5.0, 15.0, 40.0)


def panels(low, high, count):
    edges = np.linspace(low, high, count + 1)
    half = (high - low) / count / 2
    return (edges[:-1, None] + half * (1 + NODES)).ravel(), np.tile(half * WEIGHTS, count)


def naive_above(n, y, mean, sd, corr, ref, limit):
    """P(p_j > limit) per dose; the inner integral over log a starts at each dose's own threshold."""
    x = np.log(np.array(DOSES) / ref)
    inner_sd = sd[0] * np.sqrt(1 - corr**2)

    def slice_mass(v, start):
        centre = mean[0] + corr * sd[0] * (v - mean[1]) / sd[1]
        start = max(start, centre - 8 * inner_sd)
        if start >= centre + 8 * inner_sd:
            return 0.0
        u, w = panels(start, centre + 8 * inner_sd, 10)
        eta = u[:, None] + np.exp(v) * x
        log_likelihood = (-y * np.logaddexp(0, -eta) - (n - y) * np.logaddexp(0, eta)).sum(axis=1)
        prior = -0.5 * ((u - centre) / inner_sd) ** 2 - 0.5 * ((v - mean[1]) / sd[1]) ** 2
        return float(w @ np.exp(log_likelihood + prior))

    outer, outer_w = panels(mean[1] - 8 * sd[1], mean[1] + 8 * sd[1], 8)
    mass = sum(w * slice_mass(v, -np.inf) for v, w in zip(outer, outer_w, strict=True))
    logit = np.log(limit / (1 - limit))
    tails = [
        sum(w * slice_mass(v, logit - np.exp(v) * xj) for v, w in zip(outer, outer_w, strict=True))
        for xj in x
    ]
    return np.array(tails) / mass


@given(
    counts=st.lists(
        st.integers(0, 9).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), min_size=3, max_size=3
    ),
    corr=st.sampled_from([0.0, -0.5, 0.4]),
)
@settings(max_examples=12, deadline=None)
def test_prob_above(counts, corr):
    n, y = (np.array([count[k] for count in counts]) for k in (0, 1))
    mean, sd = (-0.5, 0.1), (1.5, 0.7)
    rule = Blrm(doses=DOSES, ref_dose=15.0, prior_mean=mean, prior_sd=sd, prior_corr=corr)
    found = rule.prob_above(n[None, :], y[None, :], 0.35)[0]
    np.testing.assert_allclose(found, naive_above(n, y, mean, sd, corr, 15.0, 0.35), rtol=0, atol=1e-7)
