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

from escalon.design.counts_keys import distinct_counts
from escalon.design.rules.base import FloatArray, IntArray

REACH = 7.5
"""Half-width of a grid in prior standard deviations; the prior mass beyond is 6.4e-14."""
NODES = 128
"""Nodes weighed at one moment."""
PRODUCT = 262_144
"""Largest matrix product (rows x columns x inner length) asked for at once: what the linear algebra library still
does on one thread, so that results do not depend on the number of cores, and what a core keeps in its cache."""
MANY = 200
"""Data sets from which powers of the probabilities are tabulated."""
LARGEST_TABLE = 2_000_000
"""Largest such table: 16 MB."""
SHIFT_FROM = 300
"""Patients from which likelihoods are scaled before they are exponentiated."""

LADDER = tuple(float(p) for p in 1 / (1 + np.exp(-np.linspace(-8, 6, 15))))
"""Limits at which the distribution is evaluated for quantiles; between them it is close to normal in the logit."""


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

        `n`, `y`: shape (states, levels). Returns shape (states, columns). Equal rows are weighed once.
        """
        if n.shape[0] > 1:
            rows, place = distinct_counts(n, y)
            if rows.size < n.shape[0]:
                return np.asarray(self._expect(n[rows], y[rows], values)[place])
        return self._expect(n, y, values)

    def _expect(self, n: IntArray, y: IntArray, values: FloatArray) -> FloatArray:
        counts = np.concatenate([y, n - y, np.ones((n.shape[0], 1))], axis=1, dtype=np.float64)
        columns = np.column_stack([values, np.ones(values.shape[0])])
        sums = np.zeros((n.shape[0], columns.shape[1]))
        # at the maximum every patient costs at most log 2 and the prior little: no underflow below SHIFT_FROM
        shift = int(n.sum(axis=1).max(initial=0)) >= SHIFT_FROM
        powers = None if shift else self._powers_for(n)
        nodes = columns.shape[0] if shift else min(NODES, columns.shape[0])
        rows = max(1, PRODUCT // (nodes * max(counts.shape[1], columns.shape[1])))
        for first in range(0, n.shape[0], rows):
            part = slice(first, first + rows)
            for node in range(0, columns.shape[0], nodes):
                some = slice(node, node + nodes)
                if powers is None:
                    weight = self._weights(counts[part], some, shift)
                else:
                    from escalon.design.rules import kernels

                    weight = np.empty((counts[part].shape[0], columns[some].shape[0]))
                    kernels.multiply_powers(n[part], y[part], node, powers[0], powers[1], powers[2], weight)
                sums[part] += weight @ columns[some]
        return np.asarray(sums[:, :-1] / sums[:, -1:])

    def _weights(self, counts: FloatArray, nodes: slice, shift: bool) -> FloatArray:
        """Prior times likelihood at some nodes, shape (states, nodes); `shift`: up to a factor per state."""
        weight = counts @ self._log_terms[:, nodes]
        if shift:
            weight -= weight.max(axis=1, keepdims=True)
        return np.asarray(np.exp(weight, out=weight))

    def _powers_for(self, n: IntArray) -> tuple[FloatArray, FloatArray, FloatArray] | None:
        """Powers of p and 1 - p, each of shape (levels, powers, nodes), and the prior, where there are so many
        data sets that products of powers cost less than one exponential each; None otherwise."""
        nodes, levels = self.log_p.shape
        most = 8 * -(-int(n.max(initial=0)) // 8)
        if n.shape[0] < MANY or levels * (most + 1) * nodes > LARGEST_TABLE:
            return None
        if most not in self._powers:
            exponents = np.arange(most + 1)[:, None]
            self._powers[most] = (
                np.stack([np.exp(exponents * log_p) for log_p in self.log_p.T]),
                np.stack([np.exp(exponents * log_q) for log_q in self.log_q.T]),
                np.exp(self.log_prior),
            )
        return self._powers[most]

    @cached_property
    def _powers(self) -> dict[int, tuple[FloatArray, FloatArray, FloatArray]]:
        return {}

    @cached_property
    def _log_terms(self) -> FloatArray:
        """Log-likelihood of one DLT and one patient without, per level, and the prior; (2 levels + 1, nodes)."""
        return np.concatenate([self.log_p.T, self.log_q.T, self.log_prior[None, :]])

    def weigh(self, levels: IntArray, tox: IntArray, weights: FloatArray) -> FloatArray:
        """Posterior weight of every node, summing to 1, from single patients.

        0-based `levels`, DLT flags, weights; likelihood: product of (w p)^y (1 - w p)^(1 - y), where a patient
        with a DLT counts with weight 1.
        """
        from escalon.design.rules import kernels

        weight = np.empty(self.log_prior.size)
        kernels.weigh_patients(levels, tox, weights, self.log_p, self.log_q, self.log_prior, weight)
        return weight


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


def quantile_on_ladder(above: FloatArray, probability: float) -> float:
    """Quantile from P(p > limit) on LADDER, linear in the normal score against the logit."""
    from scipy.special import expit, logit, ndtri

    score = ndtri(np.clip(1 - np.minimum.accumulate(above), 1e-6, 1 - 1e-6))
    return float(expit(np.interp(ndtri(probability), score, logit(np.array(LADDER)))))
