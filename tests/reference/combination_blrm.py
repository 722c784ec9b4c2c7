"""Posterior of the two-agent logistic model by nested Gauss-Legendre, in (log a1, log b1, log a2, log b2, eta).

log a1 is the inner variable and its range is split where p meets the limit. Imports nothing from the package.
"""

import numpy as np


def nodes(mean, sd, count, reach=5.5):
    x, w = np.polynomial.legendre.leggauss(count)
    t = mean + reach * sd * x
    return t, w * reach * sd * np.exp(-0.5 * ((t - mean) / sd) ** 2)


def posterior(a, b, priors, n, y, level, limit, outer=13, inner=12):
    """Mean DLT probability and P(p > limit) at `level`; `a`, `b`: dose over reference per level; `priors`: (mean, sd)
    of log a1, log b1, log a2, log b2, eta, independent."""
    axes = [nodes(*prior, outer) for prior in priors[1:]]
    lb1, la2, lb2, eta = (m.ravel() for m in np.meshgrid(*[axis[0] for axis in axes], indexing="ij"))
    weight = np.einsum("i,j,k,l->ijkl", *[axis[1] for axis in axes]).ravel()
    keep = weight > 1e-9 * weight.max()
    lb1, la2, lb2, eta, weight = (part[keep] for part in (lb1, la2, lb2, eta, weight))
    two = np.exp(la2[:, None] + np.exp(lb2)[:, None] * np.log(b))  # odds of agent B
    left = (limit / (1 - limit) * np.exp(-eta * a[level] * b[level]) - two[:, level]) / (1 + two[:, level])
    low, high = priors[0][0] - 5.5 * priors[0][1], priors[0][0] + 5.5 * priors[0][1]
    cut = np.where(left > 0, np.log(np.maximum(left, 1e-300)), low) - np.exp(lb1) * np.log(a[level])
    cut = np.clip(cut, low, high)
    x, w = np.polynomial.legendre.leggauss(inner)
    mass = [0.0, 0.0]
    mean = 0.0
    for side, (start, end) in enumerate(((np.full_like(cut, low), cut), (cut, np.full_like(cut, high)))):
        for xi, wi in zip(x, w, strict=True):
            la1 = start + (end - start) * (xi + 1) / 2
            one = np.exp(la1[:, None] + np.exp(lb1)[:, None] * np.log(a))
            odds = (one + two + one * two) * np.exp(eta[:, None] * a * b)
            p = odds / (1 + odds)
            like = np.prod(p**y * (1 - p) ** (n - y), axis=1)
            prior = np.exp(-0.5 * ((la1 - priors[0][0]) / priors[0][1]) ** 2)
            part = weight * wi * (end - start) / 2 * prior * like
            mass[side] += part.sum()
            mean += (part * p[:, level]).sum()
    return mean / sum(mass), mass[1] / sum(mass)
