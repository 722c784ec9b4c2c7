"""Compiled loops for rules whose posterior couples two groups of parameters. Arrays in, arrays out."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@njit(cache=True)
def couple(
    first: Floats, second: Floats, weight: Floats, c: Floats, c_weight: Floats, sign: Floats, power: Ints
) -> Floats:
    """sum_j weight_j sum_m c_weight_m prod_g (1 + sign_g c_m first_ig second_jg)^power_g for every i.

    `first`: shape (nodes, groups); `second`: shape (other nodes, groups); `weight`: (other nodes,); `c`,
    `c_weight`: (association nodes,); `sign`, `power`: (groups,). Returns shape (nodes,).
    """
    result = np.zeros(first.shape[0])
    for i in range(first.shape[0]):
        total = 0.0
        for j in range(second.shape[0]):
            inner = 0.0
            for m in range(c.size):
                product = c_weight[m]
                for g in range(sign.size):
                    factor = 1.0 + sign[g] * c[m] * first[i, g] * second[j, g]
                    for _ in range(power[g]):
                        product *= factor
                inner += product
            total += weight[j] * inner
        result[i] = total
    return result
