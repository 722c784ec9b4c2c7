"""Simon's two-stage designs: optimal, minimax and admissible, by an exact search.

Treat n1 patients; stop when X1 <= r1 respond; else treat n in all and reject p <= p0 when X > r respond.

    PET(p) = B(r1; n1, p)               EN(p) = n1 + (1 - PET(p)) (n - n1)
    P(reject | p) = sum over x > r1 of b(x; n1, p) P(X2 > r - x),   X2 ~ Binomial(n - n1, p)

A design is feasible when P(reject | p0) <= alpha and P(reject | p1) >= 1 - beta. Optimal: least EN(p0).
Minimax: least n, then least EN(p0). Admissible: least q n + (1 - q) EN(p0) for some q in 0-1; these are the
corners of the lower convex hull of the best designs in the plane of (n, EN(p0)).

Conventions: `r1` and `r` are the largest counts that fail; r1 >= 0, so a first stage can always stop; of
several r for the same (r1, n1, n) the smallest, which has the most power.

Search. For (n, r) only the loss P(X1 <= r1, X > r) depends on the first stage. Under p1 it may not exceed
d = P(X > r | p1) - (1 - beta); likelihood ratios fall with x, so under p0 it is at most d times the ratio at
r + 1, and r with P(X > r | p0) - d ratio > alpha are left out without a search. Sizes n at which the most powerful
one-stage test of size alpha lacks the power are skipped (Neyman and Pearson). Without `nmax` the search ends
where it can prove that no larger n has a smaller EN(p0): EN(p0) of every first stage that keeps the power
grows with n.

Sources: Simon 1989, doi 10.1016/0197-2456(89)90015-9; admissible: Jung, Lee, Kim, George 2004,
doi 10.1002/sim.1600.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from escalon.design.expansion.checks import check_nulls, check_probability, check_whole
from escalon.design.expansion.sequential import FloatArray, IntArray, most_power

MAX_N = 1000
"""Largest sample size searched when `nmax` is not given."""


@dataclass(frozen=True)
class TwoStageDesign:
    """A two-stage design: stop after `n1` with `r1` responses or fewer; success with more than `r` of `n`.

    Raises ValueError unless 0 <= r1 < n1 < n and r1 <= r < n.

    >>> design = TwoStageDesign(r1=3, n1=13, r=12, n=43)
    >>> round(design.prob_reject(0.2), 4), round(design.prob_reject(0.4), 4)
    (0.0496, 0.8002)
    """

    r1: int
    n1: int
    r: int
    n: int

    def __post_init__(self) -> None:
        check_whole("n", self.n, 2)
        check_whole("n1", self.n1, 1, self.n - 1, "n - 1")
        check_whole("r1", self.r1, 0, self.n1 - 1, "n1 - 1")
        check_whole("r", self.r, self.r1, self.n - 1, "n - 1")

    def prob_early_stop(self, p: float) -> float:
        """PET: probability of stopping after the first stage at response rate `p` (0-1)."""
        from scipy.special import bdtr

        return float(bdtr(self.r1, self.n1, check_probability("p", p, open_interval=False)))

    def mean_n(self, p: float) -> float:
        """Expected sample size at response rate `p` (0-1)."""
        return self.n1 + (1 - self.prob_early_stop(p)) * (self.n - self.n1)

    def prob_reject(self, p: float) -> float:
        """Probability of declaring success at response rate `p` (0-1)."""
        check_probability("p", p, open_interval=False)
        x = np.arange(self.r1 + 1, self.n1 + 1)
        return float(pmf(self.n1, p)[x] @ _above(self.r - x, self.n - self.n1, p))


@dataclass(frozen=True)
class SimonDesign(TwoStageDesign):
    """A two-stage design with what it was searched for.

    `en0`, `pet0`: expected sample size and probability of stopping early at p0; `en1`, `pet1`: at p1;
    `type1`: P(reject | p0); `power`: P(reject | p1); `q`: the weights of n, lowest and highest, for which
    the design is admissible (None when it was not asked).
    """

    en0: float
    pet0: float
    en1: float
    pet1: float
    type1: float
    power: float
    q: tuple[float, float] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**self.__dict__, "q": None if self.q is None else list(self.q)}


@dataclass(frozen=True)
class SimonDesigns:
    """Result of `find_simon_designs`.

    `best`: by sample size, the designs with a smaller EN(p0) than any smaller trial, the minimax design
    first and the optimal one last; `admissible`: those of them that are admissible, with their weights;
    `proven`: no trial of any size has a smaller EN(p0) than the optimal one; False when `nmax` cut the search.
    """

    p0: float
    p1: float
    alpha: float
    beta: float
    nmax: int | None
    best: tuple[SimonDesign, ...]
    admissible: tuple[SimonDesign, ...]
    proven: bool

    @property
    def minimax(self) -> SimonDesign:
        """Least n, then least EN(p0)."""
        return self.best[0]

    @property
    def optimal(self) -> SimonDesign:
        """Least EN(p0) of every n searched."""
        return self.best[-1]


def find_simon_designs(
    p0: float, p1: float, alpha: float, beta: float, nmax: int | None = 100
) -> SimonDesigns:
    """Every two-stage design worth choosing.

    Parameters: `p0`, `p1`, unacceptable and desirable response rate, 0 < p0 < p1 < 1; `alpha`, `beta`,
    bounds of the error probabilities, 0-1; `nmax`, largest sample size, 100 as in clinfun's
    `ph2simon`; None searches until no larger trial can have a smaller EN(p0).

    Raises ValueError for impossible parameters, or when no design exists within the size.

    >>> found = find_simon_designs(0.2, 0.4, 0.05, 0.2)
    >>> found.minimax.r1, found.minimax.n1, found.minimax.r, found.minimax.n
    (4, 18, 10, 33)
    """
    p0, p1 = check_nulls(p0, p1)
    alpha, beta = check_probability("alpha", alpha), check_probability("beta", beta)
    if alpha + beta >= 1:
        raise ValueError(f"beta: got {beta}; alpha + beta must stay below 1 (alpha = {alpha})")
    limit = MAX_N if nmax is None else check_whole("nmax", nmax, 2)
    best: list[SimonDesign] = []
    least, proven = np.inf, False
    tables = _Tables((p0, p1), alpha, beta, min(limit, 64))
    for n in range(2, limit + 1):
        if n > tables.size:
            tables = tables.grown(limit)
        proven = bool(best) and not tables.can_improve(n, least)
        if proven:
            break
        found = _best_of_size(tables, n, least) if most_power(n, p0, p1, alpha) >= 1 - beta - 1e-9 else None
        if found is not None:
            best.append(_describe(found, p0, p1))
            least = best[-1].en0
    else:
        if nmax is None:
            raise ValueError(
                f"p1: the search for p0 = {p0}, p1 = {p1}, alpha = {alpha}, beta = {beta} is not over at "
                f"n = {MAX_N}; p1 is too close to p0, give nmax to accept the best design up to it"
            )
    if not best:
        raise ValueError(
            f"nmax: no two-stage design with n <= {limit} has type I error <= {alpha} at p0 = {p0} "
            f"and power >= {1 - beta:g} at p1 = {p1}"
        )
    return SimonDesigns(p0, p1, alpha, beta, nmax, tuple(best), _admissible(best), proven)


def simon_answer(p0: float, p1: float, alpha: float, beta: float, nmax: int | None = None) -> dict[str, Any]:
    """The designs as plain values: `optimal` and `minimax` {r1, n1, r, n, en0, pet0, ...}, `admissible` a list.

    Parameters and errors as `find_simon_designs`.

    >>> simon_answer(0.2, 0.4, 0.05, 0.2)["optimal"]["n"]
    43
    """
    found = find_simon_designs(p0, p1, alpha, beta, nmax)
    return {
        "p0": found.p0,
        "p1": found.p1,
        "alpha": found.alpha,
        "beta": found.beta,
        "nmax": found.nmax,
        "proven": found.proven,
        "optimal": found.optimal.to_dict(),
        "minimax": found.minimax.to_dict(),
        "admissible": [design.to_dict() for design in found.admissible],
    }


@lru_cache(maxsize=4096)
def pmf(n: int, p: float) -> FloatArray:
    """Binomial probabilities of 0..n events, shape (n + 1,), read-only."""
    from scipy.special import gammaln, xlog1py, xlogy

    x = np.arange(n + 1)
    choose = gammaln(n + 1) - gammaln(x + 1) - gammaln(n - x + 1)
    result = np.asarray(np.exp(choose + xlogy(x, p) + xlog1py(n - x, -p)))
    result.flags.writeable = False
    return result


def _above(k: IntArray, n: int, p: float) -> FloatArray:
    """P(X > k), X ~ Binomial(n, p), for every integer k."""
    from scipy.special import bdtrc

    inside = bdtrc(np.clip(k, 0, n), n, p)
    return np.asarray(np.where(k < 0, 1.0, np.where(k >= n, 0.0, inside)))


class _Tables:
    """Binomial tables up to `size` patients for both rates, and the bounds of the search.

    `pmf[i][n, x]`: probability of x responses in n; `above[i][n, k + 1]`: of more than k; `cdf[i][n, x]`;
    `kept[n1]`: largest r1 with P(X1 <= r1 | p1) <= beta, -1 for none; `pet[n1]`: P(X1 <= kept | p0).
    """

    def __init__(self, rates: tuple[float, float], alpha: float, beta: float, size: int) -> None:
        self.rates, self.alpha, self.beta, self.size = rates, alpha, beta, size
        self.pmf, self.above, self.cdf = [], [], []
        for p in rates:
            pmf = np.zeros((size + 1, size + 1))
            pmf[0, 0] = 1
            for n in range(1, size + 1):
                pmf[n, : n + 1] = (1 - p) * pmf[n - 1, : n + 1]
                pmf[n, 1 : n + 1] += p * pmf[n - 1, :n]
            self.pmf.append(pmf)
            self.cdf.append(np.cumsum(pmf, axis=1))
            tail = np.cumsum(pmf[:, ::-1], axis=1)[:, ::-1]
            self.above.append(np.concatenate([tail, np.zeros((size + 1, 1))], axis=1))
        n1 = np.arange(size + 1)
        self.kept = np.minimum(np.sum(self.cdf[1] <= beta, axis=1) - 1, n1 - 1)
        self.pet = np.where(self.kept >= 0, self.cdf[0][n1, self.kept], 0.0)

    def grown(self, limit: int) -> "_Tables":
        """The same tables, twice as large, at most `limit`."""
        return _Tables(self.rates, self.alpha, self.beta, min(limit, 2 * self.size))

    def can_improve(self, n: int, least: float) -> bool:
        """False when every first stage that keeps the power has EN(p0) >= `least` with n patients or more."""
        n1 = np.arange(1, int(min(n, np.ceil(least))))
        en0 = n1 + (1 - self.pet[n1]) * (n - n1)
        return n < least or bool(np.any((self.kept[n1] >= 0) & (en0 < least)))

    def final_cutoffs(self, n: int) -> list[int]:
        """Values of r that a first stage could make feasible; see the module's docstring."""
        p0, p1 = self.rates
        r = np.arange(n)
        spare = self.above[1][n, r + 1] - (1 - self.beta)
        ratio = np.exp((r + 1) * np.log(p0 / p1) + (n - r - 1) * np.log((1 - p0) / (1 - p1)))
        fits = (spare >= 0) & (self.above[0][n, r + 1] - spare * ratio <= self.alpha * (1 + 1e-9))
        return [int(value) for value in np.flatnonzero(fits)]

    def first_stages(self, n: int, r: int, least: float) -> tuple[IntArray, FloatArray]:
        """First stages that keep the power, can lower type I error to alpha, and have EN(p0) below `least`.

        Returns n1, shape (stages, 1), and EN(p0), shape (stages, columns), of r1 = 0, 1, ... in the columns;
        infinite where (r1, n1) is none of them.
        """
        n1 = np.arange(1, int(min(n, np.ceil(least))))
        # a first stage takes away at most P(X1 <= r1 | p0) of the type I error
        enough = self.pet[n1] >= self.above[0][n, r + 1] - self.alpha - 1e-12
        enough &= (self.kept[n1] >= 0) & (n1 + (1 - self.pet[n1]) * (n - n1) < least)
        n1 = n1[enough][:, None]
        kept = np.minimum(self.kept[n1], r)
        x = np.arange(int(kept.max(initial=-1)) + 1)[None, :]
        en0 = n1 + (1 - self.cdf[0][n1, x]) * (n - n1)
        return n1, np.where((x <= kept) & (en0 < least), en0, np.inf)


def _best_of_size(tables: _Tables, n: int, least: float) -> TwoStageDesign | None:
    """The feasible design of size n with the least EN(p0), when that is below `least`."""
    found = None
    for r in tables.final_cutoffs(n):
        n1, en0 = tables.first_stages(n, r, least)
        if n1.size == 0:
            continue
        x = np.arange(en0.shape[1])[None, :]
        loss0, loss1 = (
            np.cumsum(pmf[n1, x] * above[n - n1, np.minimum(r - x, n - n1) + 1], axis=1)
            for pmf, above in zip(tables.pmf, tables.above, strict=True)
        )
        type1, power = tables.above[0][n, r + 1] - loss0, tables.above[1][n, r + 1] - loss1
        en0 = np.where((type1 <= tables.alpha) & (power >= 1 - tables.beta), en0, np.inf)
        row, column = np.unravel_index(int(np.argmin(en0)), en0.shape)
        if en0[row, column] < least:
            least = float(en0[row, column])
            found = TwoStageDesign(int(column), int(n1[row, 0]), r, n)
    return found


def _describe(
    design: TwoStageDesign, p0: float, p1: float, q: tuple[float, float] | None = None
) -> SimonDesign:
    return SimonDesign(
        design.r1,
        design.n1,
        design.r,
        design.n,
        en0=design.mean_n(p0),
        pet0=design.prob_early_stop(p0),
        en1=design.mean_n(p1),
        pet1=design.prob_early_stop(p1),
        type1=design.prob_reject(p0),
        power=design.prob_reject(p1),
        q=q,
    )


def _admissible(best: list[SimonDesign]) -> tuple[SimonDesign, ...]:
    """Corners of the lower convex hull of (n, EN(p0)), each with its interval of weights q of n."""
    hull: list[SimonDesign] = []
    for design in best:
        while len(hull) > 1 and _slope(hull[-2], hull[-1]) >= _slope(hull[-1], design):
            hull.pop()
        hull.append(design)
    # q n + (1 - q) EN is equal for two neighbours when q / (1 - q) is the gain in EN per patient
    edges = [-_slope(left, right) for left, right in pairwise(hull)]
    weights = [1.0, *(edge / (1 + edge) for edge in edges), 0.0]
    return tuple(
        SimonDesign(**{**design.__dict__, "q": (low, high)})
        for design, high, low in zip(hull, weights, weights[1:], strict=False)
    )


def _slope(left: SimonDesign, right: SimonDesign) -> float:
    return (right.en0 - left.en0) / (right.n - left.n)
