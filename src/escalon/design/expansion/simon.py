"""Simon's two-stage design, with inference after stopping.

Treat n1 patients; stop for futility if responses X1 <= r1; else treat n in all and reject p0 if X > r.
PET(p) = B(r1; n1, p); EN(p) = n1 + (1 - PET)(n - n1); P(reject) = sum over x > r1 of b(x; n1, p)
P(X2 > r - x). Optimal: least EN(p0); minimax: least n, then least EN(p0); admissible: least
q n + (1 - q) EN(p0) for some q in [0, 1].

Sources: Simon 1989, doi 10.1016/0197-2456(89)90015-9; admissible designs, Jung, Lee, Kim, George 2004,
doi 10.1002/sim.1600; unbiased estimate, Jung, Kim 2004, doi 10.1002/sim.1758; interval and p-value by the
ordering of Koyama, Chen 2008, doi 10.1002/sim.3188.
"""

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from escalon.design.rules.base import FloatArray


@dataclass(frozen=True)
class SimonDesign:
    """A two-stage design: bounds and sizes, its error rates and its expected size under p0."""

    r1: int
    n1: int
    r: int
    n: int
    en0: float
    pet0: float
    alpha: float
    power: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True)
class SimonDesigns:
    """The optimal, the minimax and all admissible designs (from minimax to optimal)."""

    optimal: SimonDesign
    minimax: SimonDesign
    admissible: tuple[SimonDesign, ...]


@lru_cache(maxsize=4096)
def pmf(n: int, p: float) -> FloatArray:
    """Binomial probabilities of 0..n successes."""
    from scipy.special import gammaln, xlog1py, xlogy

    x = np.arange(n + 1)
    log_choose = gammaln(n + 1) - gammaln(x + 1) - gammaln(n - x + 1)
    result = np.asarray(np.exp(log_choose + xlogy(x, p) + xlog1py(n - x, -p)))
    result.flags.writeable = False
    return result


def reject_probability(r1: int, n1: int, r: int, n: int, p: float) -> float:
    """P(reject p0) of one design when the response probability is p."""
    tail = np.concatenate([np.cumsum(pmf(n - n1, p)[::-1])[::-1], [0.0]])
    x = np.arange(r1 + 1, n1 + 1)
    need = np.clip(r - x + 1, 0, n - n1 + 1)
    return float(pmf(n1, p)[x] @ tail[need])


def find_simon_designs(p0: float, p1: float, alpha: float, beta: float, nmax: int = 100) -> SimonDesigns:
    """Optimal, minimax and admissible two-stage designs.

    Parameters: response probabilities `p0` < `p1`; `alpha` type I and `beta` type II error; `nmax`, largest
    total size tried. Raises ValueError for impossible numbers or when no design fits within `nmax`.

    >>> design = find_simon_designs(0.2, 0.4, 0.05, 0.2).optimal
    >>> (design.r1, design.n1, design.r, design.n)
    (3, 13, 12, 43)
    """
    _check(p0, p1, alpha, beta, nmax)
    best: dict[int, SimonDesign] = {}
    for n in range(2, nmax + 1):
        design = _best_of_size(p0, p1, alpha, beta, n)
        if design is not None:
            best[n] = design
    if not best:
        raise ValueError(f"nmax: no two-stage design for these errors with at most {nmax} patients")
    optimal = min(best.values(), key=lambda design: (design.en0, design.n))
    minimax = best[min(best)]
    return SimonDesigns(optimal, minimax, _hull([best[n] for n in sorted(best)], optimal))


def _check(p0: float, p1: float, alpha: float, beta: float, nmax: int) -> None:
    if not 0 < p0 < p1 < 1:
        raise ValueError(f"p0, p1: 0 < p0 < p1 < 1 is required; got {p0}, {p1}")
    for name, value in (("alpha", alpha), ("beta", beta)):
        if not 0 < value < 1:
            raise ValueError(f"{name}: must lie inside (0, 1); got {value}")
    if not 2 <= nmax <= 500:
        raise ValueError(f"nmax: 2 to 500 expected; got {nmax}")


def _best_of_size(p0: float, p1: float, alpha: float, beta: float, n: int) -> SimonDesign | None:
    """Least EN(p0) among designs with n patients in all.

    For one n1, EN(p0) falls as r1 rises: the largest r1 with a fitting r is the best.
    """
    if _most_power(n, p0, p1, alpha) < 1 - beta:
        return None
    best: SimonDesign | None = None
    for n1 in range(1, n):
        first0, first1 = pmf(n1, p0), pmf(n1, p1)
        second0, second1 = pmf(n - n1, p0), pmf(n - n1, p1)
        pet0 = np.cumsum(first0)
        for r1 in range(int((np.cumsum(first1) <= beta).sum()) - 1, -1, -1):
            en0 = n1 + (1 - pet0[r1]) * (n - n1)
            if best is not None and en0 >= best.en0 - 1e-12:
                break
            size, power = _above(first0, second0, r1), _above(first1, second1, r1)
            fits = np.flatnonzero((size[r1:] <= alpha) & (power[r1:] >= 1 - beta))
            if fits.size:
                r = int(fits[0]) + r1
                best = SimonDesign(r1, n1, r, n, float(en0), float(pet0[r1]), float(size[r]), float(power[r]))
                break
    return best


def _above(first: FloatArray, second: FloatArray, r1: int) -> FloatArray:
    """P(X1 > r1 and X > r) for r = 0..n."""
    total = np.convolve(np.where(np.arange(first.size) > r1, first, 0.0), second)
    return np.concatenate([np.cumsum(total[::-1])[::-1][1:], [0.0]])


def _most_power(n: int, p0: float, p1: float, alpha: float) -> float:
    """Power of the randomised one-stage test of size alpha: no design of n patients has more."""
    under0, under1 = pmf(n, p0)[::-1], pmf(n, p1)[::-1]
    size = np.cumsum(under0)
    k = int((size <= alpha).sum())
    left = alpha - (size[k - 1] if k else 0.0)
    return float(under1[:k].sum() + under1[k] * left / under0[k])


def _hull(designs: list[SimonDesign], optimal: SimonDesign) -> tuple[SimonDesign, ...]:
    """Lower convex hull of (n, EN(p0)) from minimax to optimal."""
    kept: list[SimonDesign] = []
    for design in (d for d in designs if d.n <= optimal.n):
        while kept and kept[-1].en0 <= design.en0:
            break
        else:
            while len(kept) > 1 and _over_line(kept[-2], kept[-1], design):
                kept.pop()
            kept.append(design)
    return tuple(kept)


def _over_line(left: SimonDesign, middle: SimonDesign, right: SimonDesign) -> bool:
    slope = (right.en0 - left.en0) / (right.n - left.n)
    return middle.en0 >= left.en0 + slope * (middle.n - left.n)


@dataclass(frozen=True)
class SimonInference:
    """After the trial: naive rate, unbiased estimate, p-value and exact interval, both design-aware."""

    rate: float
    umvue: float
    p_value: float
    lower: float
    upper: float
    rejected: bool


def estimate_after_simon(
    r1: int, n1: int, r: int, n: int, responses: int, p0: float, coverage: float = 0.95
) -> SimonInference:
    """Inference from the responses when the trial ended: after stage one if `responses` <= r1, else after n.

    The unbiased estimate conditions on the sufficient statistic (stage, total); p-value and equal-tailed
    interval order the results by stage, then responses. Raises ValueError for an impossible count.
    """
    from math import comb

    stopped = responses <= r1
    treated = n1 if stopped else n
    if not 0 <= responses <= treated:
        raise ValueError(f"responses: 0 to {treated} expected; got {responses}")
    n2 = n - n1
    if stopped:
        umvue = responses / n1
    else:
        firsts = range(max(r1 + 1, responses - n2), min(n1, responses) + 1)
        ways = [(x, comb(n1, x) * comb(n2, responses - x)) for x in firsts]
        favourable = sum(comb(n1 - 1, x - 1) * comb(n2, responses - x) for x, _ in ways if x)
        umvue = favourable / sum(way for _, way in ways)

    def at_least(p: float) -> float:
        """P(result at least as extreme as the observed one)."""
        if stopped:
            return float(pmf(n1, p)[responses:].sum())
        return reject_probability(r1, n1, responses - 1, n, p)

    def at_most(p: float) -> float:
        if stopped:
            return float(pmf(n1, p)[: responses + 1].sum())
        return 1 - reject_probability(r1, n1, responses, n, p)

    tail = (1 - coverage) / 2
    lower = 0.0 if responses == 0 else _root(lambda p: at_least(p) - tail)
    upper = 1.0 if responses == treated else _root(lambda p: tail - at_most(p))
    return SimonInference(
        responses / treated, umvue, at_least(p0), lower, upper, not stopped and responses > r
    )


def _root(rising: Any) -> float:
    low, high = 0.0, 1.0
    for _ in range(200):
        middle = (low + high) / 2
        if rising(middle) < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2
