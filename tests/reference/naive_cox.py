"""Partial likelihoods of one covariate, written out: every factor, and every subset for exact ties."""

from itertools import combinations
from math import exp, log, prod


def loglik(beta, time, event, x, ties):
    total = 0.0
    for moment in sorted({t for t, e in zip(time, event, strict=True) if e}):
        risk = [exp(beta * v) for t, v in zip(time, x, strict=True) if t >= moment]
        tied = [exp(beta * v) for t, e, v in zip(time, event, x, strict=True) if e and t == moment]
        total += log(prod(tied))
        if ties == "exact":
            total -= log(sum(prod(some) for some in combinations(risk, len(tied))))
        for k in range(len(tied)):
            share = k / len(tied) if ties == "efron" else 0.0
            total -= log(sum(risk) - share * sum(tied)) if ties != "exact" else 0.0
    return total


def maximum(time, event, x, ties, low=-8.0, high=8.0):
    """Coefficient by golden section, and its standard error from the second difference there."""
    ratio = (5**0.5 - 1) / 2
    while high - low > 1e-9:
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        if loglik(a, time, event, x, ties) < loglik(b, time, event, x, ties):
            low = a
        else:
            high = b
    beta, h = (low + high) / 2, 1e-3
    at = [loglik(beta + k * h, time, event, x, ties) for k in (-1, 0, 1)]
    return beta, (-(at[0] - 2 * at[1] + at[2]) / h**2) ** -0.5
