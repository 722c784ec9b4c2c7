"""Predictive probability design of Lee and Liu.

With x responses in n of N patients and p ~ Beta(a, b), the responses still to come are Beta-binomial and

    PP = sum over i of BetaBinomial(i; N - n, a + x, b + n - x) 1{P(p > p0 | x + i of N) > theta_t}.

Stop for futility if PP < theta_l, for efficacy if PP > theta_u; after N patients success is declared when
P(p > p0 | data) > theta_t. theta_u = 1 never stops for efficacy.

Conventions: strict comparisons at all three thresholds. PP depends on theta_t only through the smallest final
number of responses that succeeds, so designs differ only in that number and in theta_l. The default prior of a
design is Beta(p0, 1 - p0), of mean p0 and the weight of one patient, as in the paper.

Source: Lee, Liu 2008, doi 10.1177/1740774508089279.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from escalon.design.expansion.checks import (
    check_looks,
    check_nulls,
    check_prior,
    check_probability,
    check_whole,
)
from escalon.design.expansion.sequential import (
    EFFICACY,
    FUTILITY,
    CodeArray,
    FloatArray,
    SequentialCharacteristics,
    characteristics,
    most_power,
    single_cells,
)


def posterior_probability(x: int, n: int, p0: float, a: float = 1.0, b: float = 1.0) -> float:
    """P(p > p0) after `x` of `n` responses under the prior Beta(a, b). Raises ValueError for bad numbers."""
    from scipy.special import betaincc

    check_whole("n", n, 0)
    check_whole("x", x, 0, n, "n")
    check_probability("p0", p0)
    check_prior("prior", (a, b))
    return float(betaincc(a + x, b + n - x, p0))


def predictive_probability(
    x: int, n: int, total: int, p0: float, theta: float, a: float = 1.0, b: float = 1.0
) -> float:
    """Probability that the final analysis of `total` patients will show P(p > p0) > theta.

    Raises ValueError for impossible counts or probabilities.

    >>> round(predictive_probability(16, 23, 40, 0.6, 0.9, 0.6, 0.4), 10)
    0.5655588975
    """
    if not 0 <= x <= n <= total:
        raise ValueError(f"counts: 0 <= x <= n <= total is required; got {x}, {n}, {total}")
    check_probability("p0", p0)
    check_probability("theta", theta)
    check_prior("prior", (a, b))
    needed = _needed(total, p0, theta, a, b)
    return float(_predictive(n, total, needed, a, b)[x])


def _needed(total: int, p0: float, theta: float, a: float, b: float) -> int:
    """Smallest number of responses in `total` with P(p > p0) > theta; total + 1 for none."""
    from scipy.special import betaincc

    x = np.arange(total + 1)
    return int(np.sum(betaincc(a + x, b + total - x, p0) <= theta))


def _predictive(n: int, total: int, needed: int, a: float, b: float) -> FloatArray:
    """PP for x = 0..n responses in n; exactly 0 or 1 where the end is certain."""
    from scipy.special import betaln, gammaln

    left = total - n
    x, i = np.arange(n + 1)[:, None], np.arange(left + 1)[None, :]
    ways = gammaln(left + 1) - gammaln(i + 1) - gammaln(left - i + 1)
    chance = np.exp(ways + betaln(a + x + i, b + total - x - i) - betaln(a + x, b + n - x))
    result = np.minimum(np.sum(np.where(x + i >= needed, chance, 0.0), axis=1), 1.0)
    return np.asarray(np.where(x[:, 0] >= needed, 1.0, result))


@dataclass(frozen=True)
class PredictiveDesign:
    """A predictive probability design.

    `p0`: unacceptable rate; `looks`: cumulative patients, the last the full size; `theta_t`: posterior
    certainty for success at the end; `theta_l`, `theta_u`: predictive probabilities below and above which the
    trial stops; `prior`: Beta(a, b), None for Beta(p0, 1 - p0). Raises ValueError for impossible numbers.

    >>> PredictiveDesign(0.2, (10, 17, 21, 36), theta_t=0.9, theta_l=0.001).futility
    (0, 1, 2, 10)
    """

    p0: float
    looks: tuple[int, ...]
    theta_t: float
    theta_l: float
    theta_u: float = 1.0
    prior: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        check_probability("p0", self.p0)
        object.__setattr__(self, "looks", check_looks("looks", self.looks))
        check_probability("theta_t", self.theta_t)
        check_probability("theta_l", self.theta_l, open_interval=False)
        check_probability("theta_u", self.theta_u, open_interval=False)
        if self.theta_l >= self.theta_u:
            raise ValueError(f"theta_u: got {self.theta_u}; must exceed theta_l = {self.theta_l}")
        if self.prior is not None:
            check_prior("prior", self.prior)

    @property
    def beta(self) -> tuple[float, float]:
        """Parameters of the prior."""
        return (self.p0, 1 - self.p0) if self.prior is None else self.prior

    @property
    def needed(self) -> int:
        """Smallest final number of responses that succeeds."""
        return _needed(self.looks[-1], self.p0, self.theta_t, *self.beta)

    @cached_property
    def futility(self) -> tuple[int | None, ...]:
        """Largest number of responses that stops for futility at each look; None for no such number."""
        below = [int(np.sum(code[0] == FUTILITY)) - 1 for code in self._codes]
        return tuple(None if count < 0 else count for count in below)

    @cached_property
    def efficacy(self) -> tuple[int | None, ...]:
        """Smallest number of responses that stops for efficacy at each look; None for no such number."""
        wins = [int(np.sum(code[0] == EFFICACY)) for code in self._codes]
        return tuple(None if count == 0 else n + 1 - count for n, count in zip(self.looks, wins, strict=True))

    @cached_property
    def _codes(self) -> tuple[CodeArray, ...]:
        total, result = self.looks[-1], []
        for n in self.looks[:-1]:
            value = _predictive(n, total, self.needed, *self.beta)
            codes = np.where(value < self.theta_l, FUTILITY, np.where(value > self.theta_u, EFFICACY, 0))
            result.append(codes.astype(np.int8)[None, :])
        last = np.where(np.arange(total + 1) >= self.needed, EFFICACY, FUTILITY)
        return (*result, last.astype(np.int8)[None, :])

    def oc(self, p: float) -> SequentialCharacteristics:
        """Exact characteristics at the true response rate `p` (0-1)."""
        rate = check_probability("p", p, open_interval=False)
        return characteristics(self.looks, single_cells(rate), lambda k: self._codes[k])


@dataclass(frozen=True)
class PredictiveSearch:
    """Result of `find_predictive_design`.

    `theta_t_range`: every theta_t from the first, included, to the second, excluded, gives this design;
    `type1`, `power`: success probability at p0 and p1; `mean_n0`: expected patients at p0.
    """

    design: PredictiveDesign
    theta_t_range: tuple[float, float]
    type1: float
    power: float
    mean_n0: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        design = self.design
        return {
            "looks": list(design.looks),
            "futility": list(design.futility),
            "needed": design.needed,
            "theta_t": design.theta_t,
            "theta_l": design.theta_l,
            "theta_t_range": list(self.theta_t_range),
            "type1": self.type1,
            "power": self.power,
            "mean_n0": self.mean_n0,
        }


def find_predictive_design(
    p0: float,
    p1: float,
    alpha: float,
    beta: float,
    first_look: int = 10,
    step: int = 1,
    nmax: int = 100,
    theta_l: Sequence[float] = (0.001, 0.01, 0.05, 0.1, 0.2),
    prior: tuple[float, float] | None = None,
) -> PredictiveSearch:
    """The smallest trial that keeps both errors, monitored for futility from `first_look` by `step` patients.

    Among the designs of that size the one with the most power, then the smallest expected size at p0.
    Parameters: `nmax`, largest size tried; `theta_l`, futility thresholds tried. Raises ValueError for
    impossible numbers or when no design fits.
    """
    low, high = check_nulls(p0, p1)
    check_probability("alpha", alpha)
    check_probability("beta", beta)
    check_whole("first_look", first_look, 1)
    check_whole("step", step, 1)
    check_whole("nmax", nmax, first_look + 1)
    a, b = (low, 1 - low) if prior is None else check_prior("prior", prior)
    for n in range(first_look + 1, nmax + 1):
        if most_power(n, low, high, alpha) < 1 - beta - 1e-9:
            continue
        looks = (*range(first_look, n, step), n)
        fitting = []
        for needed in _plausible(n, low, high, alpha, beta):
            interval = _theta_interval(n, needed, low, a, b)
            middle = (interval[0] + interval[1]) / 2
            for threshold in theta_l:
                design = PredictiveDesign(low, looks, middle, threshold, 1.0, (a, b))
                at0 = design.oc(low)
                power = design.oc(high).prob_success if at0.prob_success <= alpha else 0.0
                if power >= 1 - beta:
                    fitting.append(PredictiveSearch(design, interval, at0.prob_success, power, at0.mean_n))
        if fitting:
            return max(fitting, key=lambda found: (round(found.power, 12), -found.mean_n0))
    raise ValueError(
        f"nmax: no design with at most {nmax} patients has type I error <= {alpha} and power >= {1 - beta:g}"
    )


def _plausible(n: int, p0: float, p1: float, alpha: float, beta: float) -> list[int]:
    """Final numbers of responses that can keep both errors.

    Futility stopping loses success probability: at p1 at most `spare`, so at p0 at most `spare` times the
    likelihood ratio of the smallest successful result, which is the largest there is.
    """
    from scipy.special import bdtrc

    needed = np.arange(1, n + 1)
    spare = bdtrc(needed - 1, n, p1) - (1 - beta)
    ratio = np.exp(needed * np.log(p0 / p1) + (n - needed) * np.log((1 - p0) / (1 - p1)))
    possible = (spare >= 0) & (bdtrc(needed - 1, n, p0) - spare * ratio <= alpha * (1 + 1e-9))
    return [int(value) for value in needed[possible]]


def _theta_interval(n: int, needed: int, p0: float, a: float, b: float) -> tuple[float, float]:
    """Thresholds for which exactly `needed` of n responses are needed."""
    return (
        posterior_probability(needed - 1, n, p0, a, b),
        posterior_probability(needed, n, p0, a, b),
    )
