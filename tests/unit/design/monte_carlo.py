"""Simulated and exact characteristics as arrays of the same shape."""

import numpy as np


def numbers(oc, name):
    """A characteristic as an array; the distribution of the sample size over 0..500 patients."""
    value = getattr(oc, name)
    return np.array([value.get(n, 0.0) for n in range(501)]) if isinstance(value, dict) else np.asarray(value)


def flat(error, oc, exact):
    """Standard errors in the shape of `numbers`.

    Sizes of the sample may be too rare for an estimated error: theirs comes from the exact probability, at least
    that of one trial.
    """
    if not isinstance(error, dict):
        return np.asarray(error)
    p = numbers(exact, "n_distribution")
    return np.maximum(np.sqrt(p * (1 - p) / oc.trials), 1 / oc.trials)
