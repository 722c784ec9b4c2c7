"""Exact recursion over the looks of a trial with one or several binary endpoints.

The state after n patients is the vector of event counts, one per endpoint. One more patient moves it by 0
or 1 in every endpoint; which combination happens has probability `cells[d_1, ..., d_K]`. So

    f_{n+1}(y) = sum over d of cells[d] f_n(y - d),

and at a look the states that stop leave the sum. Nothing is simulated, and endpoints may be associated in
any way. With one endpoint this is the binomial recursion of Schultz, Nichol, Elfring, Weed,
Biometrics 1973;29:293-300.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
CodeArray = NDArray[np.int8]

GO_ON, FUTILITY, EFFICACY = 0, 1, 2
"""What a look says about a state."""

MAX_STATES = 20_000_000
"""Counts at one look beyond which a recursion is refused (160 MB)."""


@dataclass(frozen=True)
class SequentialCharacteristics:
    """Exact behaviour of a design with looks, under one scenario. Probabilities are 0-1.

    `looks`: cumulative patients; `prob_futility`, `prob_efficacy`: probability of ending at each look for
    that reason, the last look included; `prob_success`: of ending with the treatment declared effective,
    at any look; `prob_early_futility`, `prob_early_efficacy`: the same before the last look; `mean_n`:
    expected patients; `n_distribution`: probability of each sample size; `mean_events`: expected events
    per endpoint.
    """

    looks: tuple[int, ...]
    prob_futility: tuple[float, ...]
    prob_efficacy: tuple[float, ...]
    prob_success: float
    prob_early_futility: float
    prob_early_efficacy: float
    mean_n: float
    n_distribution: dict[int, float]
    mean_events: tuple[float, ...]

    @property
    def prob_early_stop(self) -> float:
        """Probability of ending before the last look."""
        return self.prob_early_futility + self.prob_early_efficacy

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        result = dict(self.__dict__)
        result["n_distribution"] = {str(n): p for n, p in self.n_distribution.items()}
        return {name: list(v) if isinstance(v, tuple) else v for name, v in result.items()}


def single_cells(rate: float) -> FloatArray:
    """Cells of one endpoint: (no event, event)."""
    return np.array([1 - rate, rate])


def independent_cells(rates: Sequence[float]) -> FloatArray:
    """Cells of independent endpoints, shape (2,) * len(rates)."""
    cells = np.ones(())
    for rate in rates:
        cells = np.multiply.outer(cells, single_cells(rate))
    return np.asarray(cells)


def advance(mass: FloatArray, cells: FloatArray, patients: int) -> FloatArray:
    """The distribution after `patients` more.

    `mass`: shape (designs, n_1 + 1, ..., n_K + 1), of the counts so far, for several designs at once;
    `cells`: shape (2,) * K. Every count axis of the result is longer by `patients`.
    """
    moves = [(move, float(cells[move])) for move in np.ndindex(cells.shape) if cells[move] > 0]
    for _ in range(patients):
        longer = np.zeros((mass.shape[0], *(size + 1 for size in mass.shape[1:])))
        for move, probability in moves:
            window = tuple(slice(d, d + size) for d, size in zip(move, mass.shape[1:], strict=True))
            longer[(slice(None), *window)] += probability * mass
        mass = longer
    return mass


def walk(
    looks: Sequence[int],
    cells: FloatArray,
    codes: Callable[[int], CodeArray],
    start: FloatArray | None = None,
) -> Iterator[tuple[int, FloatArray, CodeArray]]:
    """Patients, distribution just before the decision, and decision at every look.

    `codes(k)`: GO_ON or a reason to end, per state at look k, broadcastable to shape (designs, counts of
    endpoint 1, ..., counts of endpoint K); states that do not go on leave the recursion. `start`: distribution
    of the counts before the first patient, of that shape; by default one design and no events. Raises
    ValueError when the states are too many.
    """
    mass = np.ones((1,) * (1 + cells.ndim)) if start is None else start
    states = mass.shape[0] * int(np.prod([size + looks[-1] for size in mass.shape[1:]]))
    if states > MAX_STATES:
        raise ValueError(
            f"looks: {looks[-1]} patients with {cells.ndim} associated endpoints need {states} states; "
            f"at most {MAX_STATES} can be held"
        )
    treated = 0
    for k, look in enumerate(looks):
        mass = advance(mass, cells, look - treated)
        treated = look
        decision = codes(k)
        yield look, mass, decision
        mass = np.where(decision == GO_ON, mass, 0.0)


def characteristics(
    looks: Sequence[int], cells: FloatArray, codes: Callable[[int], CodeArray]
) -> SequentialCharacteristics:
    """Exact characteristics of one design; see `walk`. The last look must leave no state going on."""
    futility, efficacy, sizes = [], [], {}
    events = np.zeros(cells.ndim)
    for look, mass, decision in walk(looks, cells, codes):
        ended = np.where(decision == GO_ON, 0.0, mass)[0]
        futility.append(float(mass[decision == FUTILITY].sum()))
        efficacy.append(float(mass[decision == EFFICACY].sum()))
        sizes[look] = futility[-1] + efficacy[-1]
        for j in range(cells.ndim):
            axes = tuple(i for i in range(cells.ndim) if i != j)
            events[j] += float(ended.sum(axis=axes) @ np.arange(look + 1))
    return SequentialCharacteristics(
        looks=tuple(looks),
        prob_futility=tuple(futility),
        prob_efficacy=tuple(efficacy),
        prob_success=sum(efficacy),
        prob_early_futility=sum(futility[:-1]),
        prob_early_efficacy=sum(efficacy[:-1]),
        mean_n=sum(n * p for n, p in sizes.items()),
        n_distribution=sizes,
        mean_events=tuple(float(value) for value in events),
    )


def most_power(n: int, p0: float, p1: float, alpha: float) -> float:
    """Power at p1 > p0 of the randomised test of size alpha that looks once, at n patients.

    No test of n patients, with or without early looks, has more (Neyman and Pearson).
    """
    from scipy.special import bdtrc

    at_least = np.arange(n + 2)
    size, power = (np.where(at_least > n, 0.0, bdtrc(at_least - 1.0, n, p)) for p in (p0, p1))
    size[0] = power[0] = 1.0
    # rejects with x + 1 events or more, and with exactly x as often as is left of alpha
    x = int(np.sum(size > alpha)) - 1
    left = (alpha - size[x + 1]) / (size[x] - size[x + 1])
    return float(power[x + 1] + left * (power[x] - power[x + 1]))
