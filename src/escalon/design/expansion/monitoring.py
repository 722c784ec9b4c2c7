"""Group-sequential monitoring of one binary endpoint with exact characteristics.

BOP2: stop for futility if P(p > p0 | data) < lambda (n/N)^gamma; with efficacy stopping also if
P(p > p0 | data) >= 1 - (1 - lambda)(n/N)^eta. Prior Beta(p0, 1 - p0). Toxicity: stop if
P(p_tox > limit | data) > cutoff. Characteristics by binomial recursion over the looks, without simulation.

Sources: Zhou, Lee, Yuan 2017, doi 10.1002/sim.7338; Xu et al. 2025, doi 10.1080/10543406.2025.2558142; Thall,
Simon, Estey, see Thall, Simon 1994, doi 10.2307/2533377.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from escalon.design.expansion.simon import pmf
from escalon.design.rules.base import FloatArray


@dataclass(frozen=True)
class Monitor:
    """Stopping bounds per look.

    `looks`: patients evaluated at each look, increasing, the last one final; `stop_le[i]`: stop when the
    count is at most this (-1: never); `stop_ge[i]`: stop when it is at least this (looks[i] + 1: never).
    For response, low counts are futile and high counts promising; for toxicity only `stop_ge` is used.
    """

    looks: tuple[int, ...]
    stop_le: tuple[int, ...]
    stop_ge: tuple[int, ...]


@dataclass(frozen=True)
class MonitorCharacteristics:
    """Exact characteristics at one true probability.

    `stop_low`, `stop_high`: probability of stopping at each look by the lower and the upper bound (the last
    entries are the final verdicts); `prob_high`, `prob_low`: their sums; `early_low`, `early_high`: before
    the last look; `mean_n`: expected patients.
    """

    stop_low: tuple[float, ...]
    stop_high: tuple[float, ...]
    prob_low: float
    prob_high: float
    early_low: float
    early_high: float
    mean_n: float


def _above(n: int, p0: float, a: float, b: float) -> FloatArray:
    """P(p > p0) for 0..n successes under the prior Beta(a, b)."""
    from scipy.special import betaincc

    x = np.arange(n + 1)
    return np.asarray(betaincc(a + x, b + n - x, p0))


def _check_looks(looks: Sequence[int]) -> tuple[int, ...]:
    result = tuple(int(look) for look in looks)
    if not result or result[0] < 1 or any(a >= b for a, b in pairwise(result)):
        raise ValueError(f"looks: increasing whole numbers of at least 1 expected; got {list(looks)}")
    return result


def bop2_bounds(
    p0: float, looks: Sequence[int], lam: float, gamma: float, eta: float | None = None
) -> Monitor:
    """BOP2 bounds; with `eta` also efficacy stopping (BOP2-FE). At the last look no count is left undecided.

    >>> bop2_bounds(0.2, range(10, 41, 5), 0.9, 1.0, 2.1).stop_le
    (1, 2, 3, 5, 7, 9, 11)
    """
    if not 0 < p0 < 1 or not 0 < lam < 1 or gamma < 0 or (eta is not None and eta < 0):
        raise ValueError("bop2: 0 < p0 < 1, 0 < lambda < 1, gamma >= 0 and eta >= 0 are required")
    sizes = _check_looks(looks)
    total = sizes[-1]
    low, high = [], []
    for n in sizes:
        above = _above(n, p0, p0, 1 - p0)
        low.append(int((above < lam * (n / total) ** gamma).sum()) - 1)
        bound = 1 - (1 - lam) * (n / total) ** eta if eta is not None else np.inf
        high.append(n + 1 - int((above >= bound).sum()))
    high[-1] = low[-1] + 1
    return Monitor(sizes, tuple(low), tuple(high))


def toxicity_bounds(
    limit: float, cutoff: float, looks: Sequence[int], a: float = 1.0, b: float = 1.0
) -> Monitor:
    """Beta-binomial toxicity monitoring: stop when P(p_tox > limit | data) > cutoff, prior Beta(a, b)."""
    if not 0 < limit < 1 or not 0 < cutoff < 1 or min(a, b) <= 0:
        raise ValueError("toxicity: 0 < limit < 1, 0 < cutoff < 1 and a, b > 0 are required")
    sizes = _check_looks(looks)
    high = [n + 1 - int((_above(n, limit, a, b) > cutoff).sum()) for n in sizes]
    return Monitor(sizes, (-1,) * len(sizes), tuple(high))


def futility_bounds(
    p0: float, cutoff: float, looks: Sequence[int], delta: float = 0.0, a: float = 1.0, b: float = 1.0
) -> Monitor:
    """Thall-Simon futility: stop when P(p > p0 + delta | data) < cutoff, prior Beta(a, b)."""
    sizes = _check_looks(looks)
    low = [int((_above(n, p0 + delta, a, b) < cutoff).sum()) - 1 for n in sizes]
    return Monitor(sizes, tuple(low), tuple(n + 1 for n in sizes))


def monitor_oc(
    monitor: Monitor, p: float, start: tuple[int, FloatArray] | None = None
) -> MonitorCharacteristics:
    """Exact characteristics when the true probability is `p`.

    `start`: patients already evaluated and the distribution of their count (shape (patients + 1,)), carried
    from the escalation; looks at or below that number are skipped. Counts undecided at the last look belong
    to neither side.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"p: must lie in [0, 1]; got {p}")
    done, alive = (0, np.ones(1)) if start is None else start
    low, high, mean_n = [], [], 0.0
    for look, stop_le, stop_ge in zip(monitor.looks, monitor.stop_le, monitor.stop_ge, strict=True):
        if look < done:
            low.append(0.0)
            high.append(0.0)
            continue
        alive = np.convolve(alive, pmf(look - done, p))
        done = look
        count = np.arange(alive.size)
        falls, rises = count <= stop_le, count >= stop_ge
        low.append(float(alive[falls].sum()))
        high.append(float(alive[rises & ~falls].sum()))
        mean_n += look * (low[-1] + high[-1])
        alive = np.where(falls | rises, 0.0, alive)
    mean_n += done * float(alive.sum())
    return MonitorCharacteristics(
        tuple(low), tuple(high), sum(low), sum(high), sum(low[:-1]), sum(high[:-1]), mean_n
    )
