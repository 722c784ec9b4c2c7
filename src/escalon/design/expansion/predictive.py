"""Predictive probability of success at the end of a single-arm expansion.

PP = sum over i of BetaBinomial(i; N - n, a + x, b + n - x) 1{P(p > p0 | x + i of N) > theta}.

Source: Lee, Liu 2008, doi 10.1177/1740774508089279. Convention: ">" at theta.
"""

import numpy as np


def posterior_probability(x: int, n: int, p0: float, a: float, b: float) -> float:
    """P(p > p0) after x of n responses under the prior Beta(a, b)."""
    from scipy.special import betaincc

    return float(betaincc(a + x, b + n - x, p0))


def predictive_probability(
    x: int, n: int, total: int, p0: float, theta: float, a: float = 1.0, b: float = 1.0
) -> float:
    """Probability that the final analysis of `total` patients will show P(p > p0) > theta.

    Raises ValueError for impossible counts or probabilities.

    >>> round(predictive_probability(16, 23, 40, 0.6, 0.9, 0.6, 0.4), 10)
    0.5655588975
    """
    from scipy.special import betaln, gammaln

    if not 0 <= x <= n <= total:
        raise ValueError(f"counts: 0 <= x <= n <= total is required; got {x}, {n}, {total}")
    if not 0 < p0 < 1 or not 0 < theta < 1 or min(a, b) <= 0:
        raise ValueError("predictive: 0 < p0 < 1, 0 < theta < 1 and a, b > 0 are required")
    left = total - n
    i = np.arange(left + 1)
    log_choose = gammaln(left + 1) - gammaln(i + 1) - gammaln(left - i + 1)
    chance = np.exp(log_choose + betaln(a + x + i, b + n - x + left - i) - betaln(a + x, b + n - x))
    success = np.array([posterior_probability(x + int(k), total, p0, a, b) > theta for k in i])
    return float(chance[success].sum())
