"""Compiled loops for posteriors on a grid. Arrays in, arrays out."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@njit(cache=True)
def multiply_powers(
    n: Ints, y: Ints, first: int, p_powers: Floats, q_powers: Floats, prior: Floats, weight: Floats
) -> None:
    """Fill `weight[i, k]` with prior times likelihood of data set i at node `first` + k.

    `n`, `y`: shape (data sets, levels); `p_powers[j, c]`, `q_powers[j, c]`: p and 1 - p of level j to the power c
    at every node; `prior`: at every node.
    """
    nodes = weight.shape[1]
    for i in range(n.shape[0]):
        row = weight[i]
        row[:] = prior[first : first + nodes]
        for j in range(n.shape[1]):
            if n[i, j] == 0:
                continue
            p = p_powers[j, y[i, j]]
            q = q_powers[j, n[i, j] - y[i, j]]
            for k in range(nodes):
                row[k] *= p[first + k] * q[first + k]


@njit(cache=True)
def weigh_patients(
    levels: Ints, tox: Ints, weights: Floats, log_p: Floats, log_q: Floats, log_prior: Floats, out: Floats
) -> None:
    """Fill `out` with the posterior weight of every node, summing to 1; see `PosteriorGrid.weigh`."""
    out[:] = log_prior
    for i in range(levels.size):
        j, partial = levels[i], weights[i] < 1
        for k in range(out.size):
            if tox[i] == 1:
                out[k] += log_p[k, j]
            elif partial:
                out[k] += np.log1p(-weights[i] * np.exp(log_p[k, j]))
            else:
                out[k] += log_q[k, j]
    top, total = out.max(), 0.0
    for k in range(out.size):
        out[k] = np.exp(out[k] - top)
        total += out[k]
    for k in range(out.size):
        out[k] /= total


@njit(cache=True)
def couple(
    first: Floats, second: Floats, weight: Floats, c: Floats, c_weight: Floats, sign: Floats, power: Ints
) -> Floats:
    """sum_j weight_j sum_m c_weight_m prod_g (1 + sign_g c_m first_ig second_gj)^power_g for every i.

    `first`: shape (nodes, groups); `second`: shape (groups, other nodes); `weight`: (other nodes,); `c`,
    `c_weight`: (association nodes,); `sign`, `power`: (groups,). Returns shape (nodes,). The innermost loop runs
    over the other nodes, independent of each other: several are computed at once.
    """
    result = np.zeros(first.shape[0])
    others = weight.size
    product = np.empty(others)
    for i in range(first.shape[0]):
        total = 0.0
        for m in range(c.size):
            product[:] = weight
            for g in range(sign.size):
                slope, row, times = sign[g] * c[m] * first[i, g], second[g], power[g]
                for _ in range(times):
                    for j in range(others):
                        product[j] *= 1.0 + slope * row[j]
            inner = 0.0
            for j in range(others):
                inner += product[j]
            total += c_weight[m] * inner
        result[i] = total
    return result
