"""BOP2, the Bayesian optimal phase II design, with futility and, as BOP2-FE, efficacy boundaries.

Patients fall into cells with a Dirichlet prior whose parameters are the null probabilities (one patient's worth
of information); the rate of every endpoint is a sum of cells, so its posterior is a Beta distribution. With n
of N patients and phi the null rate of an endpoint,

    futile     P(rate > phi | data) <  lambda (n/N)^gamma
    effective  P(rate > phi | data) >= 1 - (1 - lambda) (n/N)^eta                        ("power")
               P(rate > phi | data) >= 2 Phi(Phi^-1((1 + lambda)/2) / sqrt(n/N)) - 1     ("obrien_fleming")

with P(rate <= phi) for toxicity. Both cut-offs are lambda at the last look, where success is whatever is not
futile.

| endpoint | cells, in this order | endpoints | stop for futility | stop for efficacy |
|---|---|---|---|---|
| binary | (event,) | event | futile | effective |
| nested | (CR, PR, neither) | CR; CR or PR | both futile | either effective |
| co_primary | (both, first only, second only, neither) | first; second | both futile | either effective |
| efficacy_toxicity | (both, response only, toxicity only, neither) | response; toxicity | either | both effective |

Conventions: a boundary that no count can reach is None; the package BOP2FE 1.0.3 sets it to 0 and so always
stops a trial without any response. lambda, gamma and eta that maximise power at a given type I error are not
unique; `calibrate_bop2` then takes the smallest expected size under the null, then the smallest parameters.

Sources: Zhou, Lee, Yuan 2017, doi 10.1002/sim.7338; Xu et al. 2025, doi 10.1080/10543406.2025.2558142.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, Literal

import numpy as np

from escalon.design.expansion.checks import check_looks, check_probability
from escalon.design.expansion.sequential import (
    EFFICACY,
    FUTILITY,
    CodeArray,
    FloatArray,
    IntArray,
    SequentialCharacteristics,
    characteristics,
    walk,
)

EndpointKind = Literal["binary", "nested", "co_primary", "efficacy_toxicity"]
EfficacyBoundary = Literal["power", "obrien_fleming"]

# per kind: names of the endpoints, and for every cell which endpoints it counts for
_KINDS: dict[str, tuple[tuple[str, ...], tuple[tuple[int, ...], ...]]] = {
    "binary": (("response",), ((1,), (0,))),
    "nested": (("complete response", "complete or partial response"), ((1, 1), (0, 1), (0, 0))),
    "co_primary": (("first", "second"), ((1, 1), (1, 0), (0, 1), (0, 0))),
    "efficacy_toxicity": (("response", "toxicity"), ((1, 1), (1, 0), (0, 1), (0, 0))),
}
_CHUNK = 2_000_000


@dataclass(frozen=True)
class Bop2Boundary:
    """Boundary of one endpoint, one entry per look; None where no count reaches it.

    When `high_is_good`: futile with `futility` events or fewer, effective with `efficacy` or more. For
    toxicity the other way round: futile with `futility` or more, effective with `efficacy` or fewer.
    """

    endpoint: str
    high_is_good: bool
    futility: tuple[int | None, ...]
    efficacy: tuple[int | None, ...]


@dataclass(frozen=True)
class Bop2Design:
    """A BOP2 design; see the module for the formulas.

    `null`: null probability of every cell, in the order of the module's table, summing to 1 (binary: one
    probability); `looks`: cumulative patients, the last the full size; `lam`, 0-1; `gamma`, `eta`, 0 or more;
    `efficacy`: shape of the efficacy boundary, None for futility stopping only (BOP2).

    Raises ValueError for impossible numbers.

    >>> design = Bop2Design("binary", (0.2,), tuple(range(10, 41, 5)), lam=0.9, gamma=1, eta=2.1)
    >>> design.boundaries[0].futility
    (1, 2, 3, 5, 7, 9, 11)
    """

    kind: EndpointKind
    null: tuple[float, ...]
    looks: tuple[int, ...]
    lam: float
    gamma: float
    eta: float = 1.0
    efficacy: EfficacyBoundary | None = "power"

    def __post_init__(self) -> None:
        check_cells("null", self.kind, self.null)
        object.__setattr__(self, "looks", check_looks("looks", self.looks))
        check_probability("lam", self.lam)
        for name in ("gamma", "eta"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
                raise ValueError(f"{name}: got {value}; must be a number of at least 0")
        if self.efficacy not in ("power", "obrien_fleming", None):
            raise ValueError(f"efficacy: got {self.efficacy!r}; choose 'power', 'obrien_fleming' or None")

    @cached_property
    def boundaries(self) -> tuple[Bop2Boundary, ...]:
        """Boundaries of every endpoint in counts of events."""
        low, high = self._bounds
        result = []
        for j, name in enumerate(_KINDS[self.kind][0]):
            good = name != "toxicity"
            futility, efficacy = [], []
            for k, n in enumerate(self.looks):
                below, above = int(low[0, k, j]), int(high[0, k, j])
                futility.append(None if below < 0 else below if good else n - below)
                efficacy.append(None if above > n else above if good else n - above)
            result.append(Bop2Boundary(name, good, tuple(futility), tuple(efficacy)))
        return tuple(result)

    @cached_property
    def _bounds(self) -> tuple[IntArray, IntArray]:
        grid = np.array([[self.lam, self.gamma, self.eta]])
        return _bounds(self.kind, self.null, self.looks, grid, self.efficacy)

    def oc(self, probabilities: Sequence[float]) -> SequentialCharacteristics:
        """Exact characteristics when the cells have these true probabilities (binary: one probability).

        Raises ValueError for probabilities that do not fit.
        """
        cells = check_cells("probabilities", self.kind, probabilities, open_interval=False)
        low, high = self._bounds
        return characteristics(
            self.looks,
            _joint_cells(self.kind, cells),
            lambda k: _codes(self.kind, low[:, k], high[:, k], self.looks[k]),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: parameters and boundaries."""
        return {
            "kind": self.kind,
            "null": list(self.null),
            "looks": list(self.looks),
            "lambda": self.lam,
            "gamma": self.gamma,
            "eta": self.eta if self.efficacy == "power" else None,
            "efficacy": self.efficacy,
            "boundaries": [
                {**b.__dict__, "futility": list(b.futility), "efficacy": list(b.efficacy)}
                for b in self.boundaries
            ],
        }


@dataclass(frozen=True)
class Bop2Calibration:
    """Result of `calibrate_bop2`.

    `type1`: success probability under the null (the largest of several); `power`: under the alternative;
    `mean_n_null`: expected patients under the null; `candidates`: parameter sets tried; `distinct`: designs
    with different boundaries among them.
    """

    design: Bop2Design
    type1: float
    power: float
    mean_n_null: float
    candidates: int
    distinct: int


def calibrate_bop2(
    kind: EndpointKind,
    null: Sequence[float],
    alternative: Sequence[float],
    looks: Sequence[int],
    alpha: float,
    efficacy: EfficacyBoundary | None = "power",
    lams: Sequence[float] | None = None,
    gammas: Sequence[float] | None = None,
    etas: Sequence[float] | None = None,
    more_nulls: Sequence[Sequence[float]] = (),
) -> Bop2Calibration:
    """The parameters with the most power whose type I error is at most `alpha`, all exact.

    Parameters: `null`, `alternative`: cell probabilities (binary: one); `lams`, `gammas`, `etas`: grids,
    by default 0.50-0.98 by 0.02, 0-1 by 0.1 and 0-3 by 0.25; `more_nulls`: further scenarios in which
    success must not be likelier than `alpha`, e.g. effective but toxic.

    Raises ValueError for impossible numbers, or when no parameters keep `alpha`.
    """
    check_probability("alpha", alpha)
    nulls = [check_cells("null", kind, null), *(check_cells("more_nulls", kind, p) for p in more_nulls)]
    target = check_cells("alternative", kind, alternative)
    sizes = check_looks("looks", looks)
    grid = _grid(lams, gammas, etas, efficacy)
    low, high = _bounds(kind, null, sizes, grid, efficacy)
    keys = np.concatenate([low, high], axis=2).reshape(len(grid), -1)
    _, first = np.unique(keys, axis=0, return_index=True)
    first = np.sort(first)
    low, high, chosen = low[first], high[first], grid[first]
    errors = [_success(kind, sizes, low, high, p) for p in nulls]
    type1 = np.max([success for success, _ in errors], axis=0)
    power = np.where(type1 <= alpha, _success(kind, sizes, low, high, target)[0], -1.0)
    if power.max() < 0:
        raise ValueError(f"alpha: no design of the grid has type I error <= {alpha}; extend `lams` upwards")
    # ties in power within rounding: fewest patients under the null, then the first of the grid
    tied = np.flatnonzero(power >= power.max() - 1e-12)
    best = int(tied[np.argmin(errors[0][1][tied].round(10))])
    lam, gamma, eta = (float(value) for value in chosen[best])
    return Bop2Calibration(
        design=Bop2Design(kind, tuple(float(p) for p in null), sizes, lam, gamma, eta, efficacy),
        type1=float(type1[best]),
        power=float(power[best]),
        mean_n_null=float(errors[0][1][best]),
        candidates=len(grid),
        distinct=len(first),
    )


def check_cells(
    name: str, kind: EndpointKind, cells: Sequence[float], open_interval: bool = True
) -> tuple[float, ...]:
    """Probabilities of all cells, the complement added for a binary endpoint.

    Raises ValueError for an unknown kind, a wrong number of cells, or a sum other than 1.
    """
    if kind not in _KINDS:
        raise ValueError(f"kind: got {kind!r}; choose one of {', '.join(_KINDS)}")
    values = tuple(cells)
    needed = 1 if kind == "binary" else len(_KINDS[kind][1])
    if len(values) != needed:
        raise ValueError(f"{name}: {needed} probabilities expected for {kind}; got {len(values)}")
    found = tuple(check_probability(f"{name}[{i}]", p, open_interval) for i, p in enumerate(values))
    if kind == "binary":
        return (found[0], 1 - found[0])
    if abs(sum(found) - 1) > 1e-9:
        raise ValueError(f"{name}: the probabilities of the cells must add up to 1; got {sum(found):g}")
    return found


def _grid(
    lams: Sequence[float] | None,
    gammas: Sequence[float] | None,
    etas: Sequence[float] | None,
    efficacy: EfficacyBoundary | None,
) -> FloatArray:
    """Every (lambda, gamma, eta), shape (candidates, 3)."""
    first = np.arange(50, 99, 2) / 100 if lams is None else np.asarray(lams, dtype=np.float64)
    second = np.arange(11) / 10 if gammas is None else np.asarray(gammas, dtype=np.float64)
    third = np.arange(13) / 4 if etas is None else np.asarray(etas, dtype=np.float64)
    if efficacy != "power":
        third = np.ones(1)
    for name, values in (("lams", first), ("gammas", second), ("etas", third)):
        if values.size == 0 or not np.all(np.isfinite(values) & (values >= 0)):
            raise ValueError(f"{name}: a list of numbers of at least 0 is needed; got {values.tolist()}")
    if np.any(first >= 1) or np.any(first <= 0):
        raise ValueError(f"lams: every value must lie strictly between 0 and 1; got {first.tolist()}")
    return np.array(list(product(first, second, third)))


def _bounds(
    kind: EndpointKind,
    null: Sequence[float],
    looks: tuple[int, ...],
    grid: FloatArray,
    efficacy: EfficacyBoundary | None,
) -> tuple[IntArray, IntArray]:
    """Futile up to, effective from: counts of good outcomes, shape (candidates, looks, endpoints)."""
    from scipy.special import betaincc, ndtr, ndtri

    names, members = _KINDS[kind]
    rates = np.array(check_cells("null", kind, null)) @ np.array(members)
    low = np.empty((len(grid), len(looks), len(names)), dtype=np.int64)
    high = np.empty_like(low)
    lam, gamma, eta = grid.T
    for k, n in enumerate(looks):
        share = n / looks[-1]
        futile = lam * share**gamma
        effective = np.full_like(lam, np.inf)
        if efficacy == "power":
            effective = 1 - (1 - lam) * share**eta
        elif efficacy == "obrien_fleming":
            effective = 2 * ndtr(ndtri((1 + lam) / 2) / np.sqrt(share)) - 1
        good = np.arange(n + 1)
        for j, name in enumerate(names):
            # toxicity: good outcomes are patients without it, whose null rate is the complement
            rate = 1 - rates[j] if name == "toxicity" else rates[j]
            posterior = betaincc(rate + good, 1 - rate + n - good, rate)
            low[:, k, j] = np.searchsorted(posterior, futile, side="left") - 1
            high[:, k, j] = np.searchsorted(posterior, effective, side="left")
    # at the last look both cut-offs are lambda, whatever their rounding, and no count is left undecided
    high[:, -1] = low[:, -1] + 1
    return low, high


def _codes(kind: EndpointKind, low: IntArray, high: IntArray, n: int) -> CodeArray:
    """Decision per design and state; `low`, `high` of shape (designs, endpoints)."""
    names = _KINDS[kind][0]
    futile, effective = [], []
    for j, name in enumerate(names):
        events = np.arange(n + 1)
        good = n - events if name == "toxicity" else events
        shape = (1,) * (1 + j) + (n + 1,) + (1,) * (len(names) - 1 - j)
        bound = (-1,) + (1,) * len(names)
        futile.append(good.reshape(shape) <= low[:, j].reshape(bound))
        effective.append(good.reshape(shape) >= high[:, j].reshape(bound))
    strict = kind == "efficacy_toxicity"
    either, both = np.logical_or, np.logical_and
    stop = (either if strict else both).reduce(np.broadcast_arrays(*futile))
    win = (both if strict else either).reduce(np.broadcast_arrays(*effective))
    codes = np.where(stop, FUTILITY, np.where(win, EFFICACY, 0))
    return np.asarray(codes, dtype=np.int8)


def _joint_cells(kind: EndpointKind, cells: Sequence[float]) -> FloatArray:
    """Probability of every combination of endpoints, shape (2,) * endpoints."""
    names, members = _KINDS[kind]
    result = np.zeros((2,) * len(names))
    for member, probability in zip(members, cells, strict=True):
        result[member] += probability
    return result


def _chunks(designs: int, states: int) -> Iterator[slice]:
    step = max(1, _CHUNK // states)
    for start in range(0, designs, step):
        yield slice(start, min(start + step, designs))


def _success(
    kind: EndpointKind, looks: tuple[int, ...], low: IntArray, high: IntArray, cells: Sequence[float]
) -> tuple[FloatArray, FloatArray]:
    """Success probability and expected patients of many designs, each of shape (designs,)."""
    joint = _joint_cells(kind, cells)
    success, mean_n = np.zeros(len(low)), np.zeros(len(low))
    axes = tuple(range(1, joint.ndim + 1))
    for part in _chunks(len(low), (looks[-1] + 1) ** joint.ndim):
        start = np.ones((part.stop - part.start, *(1 for _ in axes)))

        def codes(k: int, part: slice = part) -> CodeArray:
            return _codes(kind, low[part, k], high[part, k], looks[k])

        for look, mass, code in walk(looks, joint, codes, start):
            won = np.where(code == EFFICACY, mass, 0.0).sum(axis=axes)
            success[part] += won
            mean_n[part] += look * (won + np.where(code == FUTILITY, mass, 0.0).sum(axis=axes))
    return success, mean_n
