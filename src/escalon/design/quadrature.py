"""Posterior expectations on a fixed grid: deterministic, many data sets at once.

The trapezoidal rule on an evenly spaced grid converges exponentially for smooth densities that vanish at
both ends (Trefethen, Weideman 2014, SIAM Review 56:385, doi 10.1137/130932132): with spacing h and posterior
standard deviation s the error is of the order exp(-2 pi^2 s^2 / h^2). `spacing` chooses h from the largest
information the data can hold, so that s >= h / 0.8 and the error stays below 1e-13.

Probabilities of half-lines stay as exact: the integral from c on of the grid's band-limited interpolant
(Whittaker) weighs node u_k by 1/2 + Si(pi (u_k - c)/h)/pi, where Si is the sine integral. The interpolant
needs twice the nodes of the trapezoidal rule for the same error, exp(-pi^2 s^2 / (2 h^2)), so half-lines use
a grid of half the spacing. No indicator function is ever summed over a grid.
"""

from dataclasses import dataclass

import numpy as np

from escalon.design.rules.base import FloatArray, IntArray

REACH = 8.0
"""Half-width of a grid in prior standard deviations; the prior mass beyond is 1.2e-15."""
BLOCK = 2_000_000
"""Data sets times nodes held at one moment, to bound memory."""


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
        likelihood = np.concatenate([self.log_p, self.log_q], axis=1).T
        counts = np.concatenate([y, n - y], axis=1).astype(np.float64)
        columns = np.column_stack([values, np.ones(values.shape[0])])
        result = np.empty((n.shape[0], values.shape[1]))
        rows = max(16, BLOCK // self.log_prior.size)
        for first in range(0, n.shape[0], rows):
            part = slice(first, first + rows)
            weight = counts[part] @ likelihood
            weight += self.log_prior
            weight -= weight.max(axis=1, keepdims=True)
            np.exp(weight, out=weight)
            sums = weight @ columns
            result[part] = sums[:, :-1] / sums[:, -1:]
        return result

    def expect_weighted(self, log_likelihood: FloatArray, values: FloatArray) -> FloatArray:
        """The same for one data set given by its log-likelihood at the nodes, shape (nodes,)."""
        log_weight = self.log_prior + log_likelihood
        weight = np.exp(log_weight - log_weight.max())
        return np.asarray(weight @ values / weight.sum())


def spacing(prior_sd: float, information: float) -> float:
    """Grid spacing for a parameter whose data can hold at most `information` (one over its variance)."""
    return float(0.8 / np.sqrt(1 / prior_sd**2 + information))


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
