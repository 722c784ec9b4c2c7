"""Posterior expectations on a fixed grid: deterministic, many data sets at once.

The trapezoidal rule on an evenly spaced grid converges exponentially for smooth densities that vanish at
both ends (Trefethen, Weideman 2014, SIAM Review 56:385, doi 10.1137/130932132): with spacing h and posterior
standard deviation s the error is of the order exp(-2 pi^2 s^2 / h^2). `spacing` chooses h from the largest
information the data can hold, so that s >= h / 0.9 and the error stays below 3e-11.

Probabilities of half-lines stay as exact: the integral from c on of the grid's band-limited interpolant
(Whittaker) weighs node u_k by 1/2 + Si(pi (u_k - c)/h)/pi, where Si is the sine integral. The interpolant
needs twice the nodes of the trapezoidal rule for the same error, exp(-pi^2 s^2 / (2 h^2)), so half-lines use
a grid of half the spacing. No indicator function is ever summed over a grid.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from escalon.design.rules.base import FloatArray, IntArray

REACH = 7.5
"""Half-width of a grid in prior standard deviations; the prior mass beyond is 6.4e-14."""
BLOCK = 250_000
"""Data sets times nodes held at one moment: about what a core keeps in its cache."""
SHIFT_FROM = 300
"""Patients from which likelihoods are scaled before they are exponentiated."""


@dataclass(frozen=True)
class PosteriorGrid:
    """A model on its grid.

    `parameters`: shape (nodes, parameters); `log_prior`: shape (nodes,), up to a constant, quadrature weights
    included; `log_p`, `log_q`: log of DLT and no-DLT probability, shape (nodes, levels).
    """

    parameters: FloatArray
    log_prior: FloatArray
    log_p: FloatArray
    log_q: FloatArray

    @property
    def p(self) -> FloatArray:
        """DLT probabilities, shape (nodes, levels)."""
        return np.asarray(np.exp(self.log_p))

    def expect(self, n: IntArray, y: IntArray, values: FloatArray) -> FloatArray:
        """Posterior expectation of each column of `values` (nodes, columns) for every row of counts.

        `n`, `y`: shape (states, levels). Returns shape (states, columns).
        """
        counts = np.concatenate([y, n - y, np.ones((n.shape[0], 1))], axis=1, dtype=np.float64)
        columns = np.column_stack([values, np.ones(values.shape[0])])
        result = np.empty((n.shape[0], values.shape[1]))
        # at the maximum every patient costs at most log 2 and the prior little: no underflow below SHIFT_FROM
        shift = int(n.sum(axis=1).max(initial=0)) >= SHIFT_FROM
        rows = max(16, BLOCK // self.log_prior.size)
        for first in range(0, n.shape[0], rows):
            part = slice(first, first + rows)
            weight = counts[part] @ self._log_terms
            if shift:
                weight -= weight.max(axis=1, keepdims=True)
            np.exp(weight, out=weight)
            sums = weight @ columns
            result[part] = sums[:, :-1] / sums[:, -1:]
        return result

    @cached_property
    def _log_terms(self) -> FloatArray:
        """Log-likelihood of one DLT and one patient without, per level, and the prior; (2 levels + 1, nodes)."""
        return np.concatenate([self.log_p.T, self.log_q.T, self.log_prior[None, :]])

    def weigh(self, levels: IntArray, tox: IntArray, weights: FloatArray) -> FloatArray:
        """Posterior weight of every node, summing to 1, from single patients.

        0-based `levels`, DLT flags, weights; likelihood: product of (w p)^y (1 - w p)^(1 - y), where a patient
        with a DLT counts with weight 1.
        """
        size = self.log_p.shape[1]
        full = (tox == 1) | (weights == 1)
        terms = np.ones(2 * size + 1)
        terms[:-1] = np.bincount(levels[full] + size * (1 - tox[full]), minlength=2 * size)
        log_weight = terms @ self._log_terms
        for i in np.flatnonzero(~full):
            log_weight += np.log1p(-weights[i] * np.exp(self.log_p[:, levels[i]]))
        weight = np.exp(log_weight - log_weight.max())
        return np.asarray(weight / weight.sum())


def spacing(prior_sd: float, information: float) -> float:
    """Grid spacing for a parameter whose data can hold at most `information` (one over its variance)."""
    return float(0.9 / np.sqrt(1 / prior_sd**2 + information))


def even_nodes(mean: float, sd: float, h: float) -> FloatArray:
    """Evenly spaced nodes over mean +- REACH sd with spacing h at most."""
    half = int(np.ceil(REACH * sd / h))
    return np.asarray(mean + np.arange(-half, half + 1) * (REACH * sd / half))


def half_line_weights(nodes: FloatArray, h: float, threshold: FloatArray | float) -> FloatArray:
    """Weights that integrate over values above `threshold`; broadcasts nodes against thresholds."""
    from scipy.special import sici

    return np.asarray(0.5 + sici(np.pi * (nodes - threshold) / h)[0] / np.pi)


def log_expit(eta: FloatArray) -> FloatArray:
    """log(1 / (1 + exp(-eta))), stable."""
    return np.asarray(-np.logaddexp(0.0, -eta))
