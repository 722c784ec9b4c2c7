"""Continuous monitoring with Beta-binomial rules, exact characteristics, several rules at once.

A rule watches one binary endpoint. After y events in n patients the rate has posterior Beta(a + y, b + n - y):

    toxicity   stop when P(rate > limit | data) > certainty
    futility   stop when P(rate < limit | data) > certainty
    efficacy   stop when P(rate > limit | data) > certainty   (the same sum; the reason differs)

so that every rule is a list of stopping counts, the smallest (toxicity, efficacy) or the largest (futility).
Comparisons are strict. A cell therapy is usually watched by several rules: dose-limiting toxicity, CRS or ICANS,
GvHD, prolonged cytopenia, treatment-related death. Endpoints are independent unless the joint probabilities of
one patient's endpoints are given; rules on the same endpoint share its counts.

`Monitor` holds stopping counts given directly, as a protocol prints them.

Source: Thall, Simon 1994, doi 10.2307/2533377; recursion in `sequential`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from escalon.design.expansion.checks import check_looks, check_prior, check_probability, check_whole
from escalon.design.expansion.sequential import (
    CodeArray,
    FloatArray,
    IntArray,
    single_cells,
    walk,
)

RuleKind = Literal["toxicity", "futility", "efficacy"]


def prob_rate_above(n: int, y: int, limit: float, prior: Sequence[float] = (1.0, 1.0)) -> float:
    """Posterior P(rate > limit) after `y` events in `n` patients, prior Beta(a, b).

    Raises ValueError for impossible numbers.

    >>> round(prob_rate_above(6, 4, 0.25), 4)
    0.9871
    """
    from scipy.special import betaincc

    check_whole("n", n, 0)
    check_whole("y", y, 0, n, "n")
    check_probability("limit", limit)
    a, b = check_prior("prior", prior)
    return float(betaincc(a + y, b + n - y, limit))


@dataclass(frozen=True)
class MonitoringRule:
    """A stopping rule; see the module for the formulas.

    `name`: what is watched, printed with its stops; `kind`; `limit`, `certainty`: 0-1; `prior`: Beta(a, b);
    `min_n`: patients before the rule is first applied; `endpoint`: whose events are counted, `name` by default.
    Raises ValueError for impossible numbers, and for a rule that its prior alone would stop.

    >>> dlt = MonitoringRule("DLT", "toxicity", limit=0.25, certainty=0.95)
    >>> [dlt.boundary(n) for n in (3, 6, 9, 12)]
    [3, 4, 5, 6]
    """

    name: str
    kind: RuleKind
    limit: float
    certainty: float
    prior: tuple[float, float] = (1.0, 1.0)
    min_n: int = 1
    endpoint: str = ""

    def __post_init__(self) -> None:
        if self.kind not in ("toxicity", "futility", "efficacy"):
            raise ValueError(f"kind: got {self.kind!r}; choose 'toxicity', 'futility' or 'efficacy'")
        check_probability(f"{self.name}.limit", self.limit)
        check_probability(f"{self.name}.certainty", self.certainty)
        object.__setattr__(self, "prior", check_prior(f"{self.name}.prior", self.prior))
        check_whole(f"{self.name}.min_n", self.min_n, 1)
        best = self.min_n if self.kind == "futility" else 0
        if bool(self.stops(self.min_n, best)):
            raise ValueError(
                f"{self.name}: the rule stops after {best} events in {self.min_n} patients, on its prior "
                f"Beta{self.prior} alone; raise min_n or choose another prior"
            )

    @property
    def watches(self) -> str:
        """Name of the endpoint whose events are counted."""
        return self.endpoint or self.name

    def stops(self, n: int | IntArray, y: int | IntArray) -> Any:
        """True where the rule stops after `y` events in `n` patients, elementwise; 0 <= y <= n."""
        from scipy.special import betainc, betaincc

        a, b = self.prior
        tail = betainc if self.kind == "futility" else betaincc
        return (tail(a + y, b + np.subtract(n, y), self.limit) > self.certainty) & (
            np.asarray(n) >= self.min_n
        )

    def boundary(self, n: int) -> int | None:
        """The smallest count that stops after `n` patients (futility: the largest); None for no count."""
        check_whole("n", n, 0)
        y = np.flatnonzero(self.stops(n, np.arange(n + 1)))
        if y.size == 0:
            return None
        return int(y[-1] if self.kind == "futility" else y[0])


def stopping_boundaries(
    rules: Sequence[MonitoringRule], looks: Sequence[int]
) -> dict[str, tuple[int | None, ...]]:
    """The boundary of every rule at every look, by the rule's name. Raises ValueError as `monitoring_oc`."""
    sizes = check_looks("looks", looks)
    return {rule.name: tuple(rule.boundary(n) for n in sizes) for rule in check_rules(rules)}


def check_rules(rules: Sequence[MonitoringRule]) -> tuple[MonitoringRule, ...]:
    """The rules. Raises ValueError when there are none or two of the same name."""
    found = tuple(rules)
    if not found:
        raise ValueError("rules: got none; at least one rule is needed")
    names = [rule.name for rule in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"rules: two rules are called {twice[0]!r}; every rule needs a name of its own")
    return found


@dataclass(frozen=True)
class MonitoringCharacteristics:
    """Exact behaviour of the rules together. Probabilities are 0-1.

    `prob_stop`: probability that the rules stop the trial at each look, the last one included;
    `prob_any_stop`: at any look; `prob_early_stop`: before the last look; `prob_fired`: by rule, that it is met
    when the trial stops (several may be); `mean_n`: expected patients; `n_distribution`: probability of each
    sample size; `mean_events`: expected events by endpoint.
    """

    looks: tuple[int, ...]
    prob_stop: tuple[float, ...]
    prob_any_stop: float
    prob_early_stop: float
    prob_fired: dict[str, float]
    mean_n: float
    n_distribution: dict[int, float]
    mean_events: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        result = dict(self.__dict__)
        result["n_distribution"] = {str(n): p for n, p in self.n_distribution.items()}
        return {name: list(v) if isinstance(v, tuple) else v for name, v in result.items()}


def monitoring_oc(
    rules: Sequence[MonitoringRule],
    looks: Sequence[int],
    rates: Mapping[str, float],
    cells: FloatArray | None = None,
) -> MonitoringCharacteristics:
    """Exact characteristics of all rules together.

    Parameters: `looks`: cumulative patients at which every rule is applied, the last the full size; `rates`:
    true rate by endpoint, 0-1; `cells`: joint probabilities of one patient's endpoints, shape (2,) * endpoints
    in the order of `rates`, index 1 where the event occurs; None for independent endpoints.

    Raises ValueError for rules, looks, rates or cells that do not fit.

    >>> dlt = MonitoringRule("DLT", "toxicity", limit=0.25, certainty=0.95)
    >>> round(monitoring_oc([dlt], range(3, 17), {"DLT": 0.25}).prob_any_stop, 4)
    0.1921
    """
    found, sizes = check_rules(rules), check_looks("looks", looks)
    true = {name: check_probability(f"rates[{name}]", rate, False) for name, rate in rates.items()}
    for rule in found:
        if rule.watches not in true:
            raise ValueError(f"rates: no rate for {rule.watches!r}; given are {', '.join(true) or 'none'}")
    if cells is None:
        alive, fired = _independent(found, sizes, true)
    else:
        alive, fired = _associated(found, sizes, true, cells)
    before = np.concatenate([[1.0], alive[:-1]])
    stop = before - alive
    ends = np.concatenate([stop[:-1], before[-1:]])
    mean_n = float(ends @ np.array(sizes))
    return MonitoringCharacteristics(
        looks=sizes,
        prob_stop=tuple(float(p) for p in stop),
        prob_any_stop=float(stop.sum()),
        prob_early_stop=float(stop[:-1].sum()),
        prob_fired={rule.name: float(p) for rule, p in zip(found, fired, strict=True)},
        mean_n=mean_n,
        n_distribution={n: float(p) for n, p in zip(sizes, ends, strict=True)},
        mean_events={name: rate * mean_n for name, rate in true.items()},
    )


def _independent(
    rules: tuple[MonitoringRule, ...], looks: tuple[int, ...], rates: Mapping[str, float]
) -> tuple[FloatArray, FloatArray]:
    """Probability of going on after each look, and of each rule being met at the stop: endpoint by endpoint."""
    names = sorted({rule.watches for rule in rules})
    alive = np.ones((len(names), len(looks)))
    met = np.zeros((len(rules), len(looks)))
    for e, name in enumerate(names):
        own = [i for i, rule in enumerate(rules) if rule.watches == name]
        flags = [[rules[i].stops(n, np.arange(n + 1))[None, :] for i in own] for n in looks]

        def codes(k: int, flags: list[list[Any]] = flags) -> CodeArray:
            return np.asarray(np.logical_or.reduce(flags[k]), dtype=np.int8)

        for k, (_, mass, code) in enumerate(walk(looks, single_cells(rates[name]), codes)):
            alive[e, k] = mass[code == 0].sum()
            for i, flag in zip(own, flags[k], strict=True):
                met[i, k] = mass[flag].sum()
    before = np.concatenate([np.ones((len(names), 1)), alive[:, :-1]], axis=1)
    fired = np.zeros(len(rules))
    for i, rule in enumerate(rules):
        others = [e for e, name in enumerate(names) if name != rule.watches]
        fired[i] = float(met[i] @ before[others].prod(axis=0))
    return np.asarray(alive.prod(axis=0)), fired


def _associated(
    rules: tuple[MonitoringRule, ...],
    looks: tuple[int, ...],
    rates: Mapping[str, float],
    cells: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """As `_independent`, by recursion over the counts of all endpoints together."""
    names = list(rates)
    joint = _check_joint(cells, names, rates)

    def flag(rule: MonitoringRule, n: int) -> Any:
        shape = [1] * (1 + len(names))
        shape[1 + names.index(rule.watches)] = n + 1
        return rule.stops(n, np.arange(n + 1)).reshape(shape)

    def codes(k: int) -> CodeArray:
        flags = np.broadcast_arrays(*(flag(rule, looks[k]) for rule in rules))
        return np.asarray(np.logical_or.reduce(flags), dtype=np.int8)

    alive, fired = np.zeros(len(looks)), np.zeros(len(rules))
    for k, (n, mass, code) in enumerate(walk(looks, joint, codes)):
        alive[k] = np.where(code == 0, mass, 0.0).sum()
        for i, rule in enumerate(rules):
            fired[i] += np.where(flag(rule, n), mass, 0.0).sum()
    return alive, fired


def _check_joint(cells: FloatArray, names: list[str], rates: Mapping[str, float]) -> FloatArray:
    joint = np.asarray(cells, dtype=np.float64)
    if joint.shape != (2,) * len(names):
        raise ValueError(
            f"cells: shape {(2,) * len(names)} expected, one axis for each of {', '.join(names)}; "
            f"got {joint.shape}"
        )
    if np.any(~(joint >= 0)) or abs(joint.sum() - 1) > 1e-9:
        raise ValueError("cells: joint probabilities must be 0 or more and add up to 1")
    for axis, name in enumerate(names):
        found = float(joint.take(1, axis=axis).sum())
        if abs(found - rates[name]) > 1e-9:
            raise ValueError(
                f"cells: they give {name} the rate {found:g}, but rates[{name}] = {rates[name]:g}"
            )
    return joint


@dataclass(frozen=True)
class Monitor:
    """Stopping counts of one endpoint, given directly, one entry per look.

    `looks`: cumulative patients, the last the full size; `stop_le[i]`: stop when the count is at most this
    (-1: never); `stop_ge[i]`: stop when it is at least this (looks[i] + 1: never). Raises ValueError unless
    the lists are equally long and stop_le stays below stop_ge.
    """

    looks: tuple[int, ...]
    stop_le: tuple[int, ...]
    stop_ge: tuple[int, ...]

    def __post_init__(self) -> None:
        check_looks("looks", self.looks)
        if not len(self.looks) == len(self.stop_le) == len(self.stop_ge):
            raise ValueError("looks, stop_le, stop_ge: one entry per look is needed in each")
        for n, low, high in zip(self.looks, self.stop_le, self.stop_ge, strict=True):
            if low >= high:
                raise ValueError(f"stop_ge: got {high} at {n} patients; must exceed stop_le = {low}")


@dataclass(frozen=True)
class MonitorCharacteristics:
    """Exact characteristics of a `Monitor` at one true rate.

    `stop_low`, `stop_high`: probability of stopping at each look by the lower and the upper count, the last
    look included; `prob_low`, `prob_high`: their sums; `early_low`, `early_high`: before the last look;
    `mean_n`: expected patients. Counts between the two at the last look belong to neither.
    """

    stop_low: tuple[float, ...]
    stop_high: tuple[float, ...]
    prob_low: float
    prob_high: float
    early_low: float
    early_high: float
    mean_n: float


def monitor_oc(monitor: Monitor, p: float) -> MonitorCharacteristics:
    """Exact characteristics at the true rate `p` (0-1).

    >>> round(monitor_oc(Monitor((13, 43), (3, 12), (14, 13)), 0.2).prob_high, 4)  # a Simon design
    0.0496
    """
    rate = check_probability("p", p, open_interval=False)

    def codes(k: int) -> CodeArray:
        y = np.arange(monitor.looks[k] + 1)
        return np.where(y <= monitor.stop_le[k], 1, np.where(y >= monitor.stop_ge[k], 2, 0))[None, :].astype(
            np.int8
        )

    low, high, mean_n, left = [], [], 0.0, 1.0
    for look, mass, code in walk(monitor.looks, single_cells(rate), codes):
        low.append(float(mass[code == 1].sum()))
        high.append(float(mass[code == 2].sum()))
        mean_n += look * (low[-1] + high[-1])
        left = float(mass[code == 0].sum())
    mean_n += monitor.looks[-1] * left
    return MonitorCharacteristics(
        tuple(low), tuple(high), sum(low), sum(high), sum(low[:-1]), sum(high[:-1]), mean_n
    )


def bop2_bounds(
    p0: float, looks: Sequence[int], lam: float, gamma: float, eta: float | None = None
) -> Monitor:
    """Stopping counts of a binary BOP2 design, with `eta` of BOP2-FE; see `bop2`.

    >>> bop2_bounds(0.2, range(10, 41, 5), 0.9, 1.0, 2.1).stop_le
    (1, 2, 3, 5, 7, 9, 11)
    """
    from escalon.design.expansion.bop2 import Bop2Design

    design = Bop2Design(
        "binary",
        (p0,),
        tuple(looks),
        lam,
        gamma,
        0.0 if eta is None else eta,
        None if eta is None else "power",
    )
    (found,) = design.boundaries
    return Monitor(
        design.looks,
        tuple(-1 if count is None else count for count in found.futility),
        tuple(n + 1 if y is None else y for n, y in zip(design.looks, found.efficacy, strict=True)),
    )
