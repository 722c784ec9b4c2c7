"""EffTox posterior by brute force, in the plainest coordinates; imports nothing from the package.

Gauss-Legendre panels on every parameter's own prior range; the joint likelihood is multiplied patient by patient.
For probabilities of exceeding a limit the intercept is replaced by the logit at that dose and the range of that
logit is split at the limit, so that no indicator is summed.
"""

from itertools import pairwise

import numpy as np


def panels(edges, count):
    x, w = np.polynomial.legendre.leggauss(count)
    nodes = [low + (high - low) * (x + 1) / 2 for low, high in pairwise(edges)]
    weights = [w * (high - low) / 2 for low, high in pairwise(edges)]
    return np.concatenate(nodes), np.concatenate(weights)


def normal(x, prior):
    return np.exp(-0.5 * ((x - prior[0]) / prior[1]) ** 2)


def hermite(prior, count=6):
    """Nodes for a parameter on which the data hold little; weights without the prior density."""
    x, w = np.polynomial.hermite_e.hermegauss(count)
    return prior[0] + prior[1] * x, w / normal(prior[0] + prior[1] * x, prior)


def around(prior):
    return prior[0] - 6 * prior[1], prior[0] + 6 * prior[1]


def grid(x, priors, at, cut, count):
    """Probabilities per dose and prior weights of one logistic regression (slopes then intercept in `priors`), on a
    grid of the slopes and of the logit at dose `at`, split at `cut`."""
    powers = [x**k for k in range(1, len(priors))]
    slopes = [hermite(prior) if prior[1] < 0.5 else panels(around(prior), count) for prior in priors[:-1]]
    spread = 6 * np.sqrt(
        sum((prior[1] * f[at]) ** 2 for prior, f in zip(priors, [*powers, x**0], strict=True))
    )
    middle = sum(prior[0] * f[at] for prior, f in zip(priors, [*powers, x**0], strict=True))
    low, high = min(middle - spread, cut - 1), max(middle + spread, cut + 1)
    logit, logit_weight = panels((low, cut, high), count)
    mesh = np.meshgrid(*[s[0] for s in slopes], logit, indexing="ij")
    weight = np.ones(mesh[0].shape)
    for axis, w in enumerate([*[s[1] for s in slopes], logit_weight]):
        weight = weight * w.reshape([-1 if k == axis else 1 for k in range(len(mesh))])
    shift = sum(b * f[at] for b, f in zip(mesh[:-1], powers, strict=True))
    parameters = [*mesh[:-1], mesh[-1] - shift]
    for value, prior in zip(parameters, priors, strict=True):
        weight = weight * normal(value, prior)
    eta = sum(b.ravel()[:, None] * f for b, f in zip(parameters, [*powers, x**0], strict=True))
    return 1 / (1 + np.exp(-eta)), weight.ravel(), mesh[-1].ravel() > cut


def posterior(doses, eff_priors, tox_priors, psi, patients, limits, at, count=24):
    """Mean efficacy and toxicity per dose; P(pE > limit) and P(pT < limit) at dose `at` (0-based).

    `eff_priors`: b1E, b2E, muE; `tox_priors`: bT, muT; (mean, sd) each; `patients`: (level, efficacy, toxicity).
    """
    x = np.log(doses) - np.mean(np.log(doses))
    cuts = [np.log(limit / (1 - limit)) for limit in limits]
    p_e, w_e, above = grid(x, eff_priors, at, cuts[0], count)
    p_t, w_t, over = grid(x, tox_priors, at, cuts[1], count)
    association, w_psi = hermite(psi, 8)
    total_e, total_t = np.zeros(w_e.size), np.zeros(w_t.size)
    for value, weight in zip(association, w_psi * normal(association, psi), strict=True):
        c = (np.exp(value) - 1) / (np.exp(value) + 1)
        like = np.ones((w_e.size, w_t.size))
        for level, a, b in patients:
            e, t = p_e[:, level - 1][:, None], p_t[:, level - 1][None, :]
            own = (e if a else 1 - e) * (t if b else 1 - t)
            like *= own + (-1) ** (a + b) * e * (1 - e) * t * (1 - t) * c
        total_e += weight * w_e * (like @ w_t)
        total_t += weight * w_t * (w_e @ like)
    total_e, total_t = total_e / total_e.sum(), total_t / total_t.sum()
    return total_e @ p_e, total_t @ p_t, total_e @ above, total_t @ ~over
