"""One-parameter CRM by brute force: Gauss-Legendre panels up to each threshold. Imports nothing of ours."""

from math import log

import numpy as np

NODES, WEIGHTS = np.polynomial.legendre.leggauss(20)


def curve(b, skeleton, model, intercept):
    """DLT probabilities at an array of b, one column per level."""
    b = np.asarray(b)[:, None]
    s = np.asarray(skeleton)
    if model == "empiric":
        return s ** np.exp(b)
    eta = intercept + np.exp(b) * (np.log(s / (1 - s)) - intercept)
    return 1 / (1 + np.exp(np.minimum(-eta, 700.0)))


def posterior(skeleton, sd, n, y, model="empiric", intercept=3.0, limit=0.3, panels=60):
    """Mean and variance of b, and P(p_j > limit) per level."""

    def log_density(b):
        p = np.clip(curve(b, skeleton, model, intercept), 1e-300, 1 - 1e-16)
        y_, n_ = np.asarray(y), np.asarray(n)
        return (y_ * np.log(p) + (n_ - y_) * np.log1p(-p)).sum(axis=1) - b * b / (2 * sd * sd)

    low, high = -8 * sd, 8 * sd
    shift = log_density(np.linspace(low, high, 500)).max()

    def integral(power, upper):
        edges = np.linspace(low, upper, panels + 1)
        half = (upper - low) / panels / 2
        total = 0.0
        for left in edges[:-1]:
            b = left + half * (1 + NODES)
            total += half * float(WEIGHTS @ (b**power * np.exp(log_density(b) - shift)))
        return total

    mass = integral(0, high)
    mean = integral(1, high) / mass
    tails = []
    for s in skeleton:
        if model == "empiric":
            edge = log(log(limit) / log(s))
        else:
            edge = log((log(limit / (1 - limit)) - intercept) / (log(s / (1 - s)) - intercept))
        tails.append(integral(0, min(max(edge, low), high)) / mass)
    return mean, integral(2, high) / mass - mean**2, tails
