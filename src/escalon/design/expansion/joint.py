"""Exact characteristics of escalation followed by expansion at the selected dose.

The patients treated at the recommended dose during the escalation are carried into the monitoring rule: each
terminal state of the escalation knows how many there were and how many had a DLT. Responses of those patients
are not part of the escalation state; given their number they are binomial.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from escalon.design.expansion.monitoring import Monitor, monitor_oc
from escalon.design.expansion.simon import pmf
from escalon.design.operating_characteristics import check_prob_tox
from escalon.design.rules.base import FloatArray, IntArray

if TYPE_CHECKING:
    from escalon.design.exact import Enumeration


@dataclass(frozen=True)
class JointCharacteristics:
    """Escalation and expansion together.

    `prob_none`: no dose selected; per level, shape (levels,): `prob_select`; `prob_too_toxic`, selected and
    stopped for toxicity in the expansion; `prob_effective`, selected and the response monitor ended high;
    `mean_n_expansion`, expected further patients. `prob_success`: sum of `prob_effective`; `mean_total_n`:
    escalation and expansion. Toxicity and response monitors are read apart: `prob_effective` does not take
    toxicity stops into account, and `mean_n_expansion` counts until the first of the two only if one is given.
    """

    prob_none: float
    prob_select: FloatArray
    prob_too_toxic: FloatArray
    prob_effective: FloatArray
    mean_n_expansion: FloatArray
    prob_success: float
    mean_total_n: float


def joint_oc(
    ends: "Enumeration",
    prob_tox: Sequence[float] | FloatArray,
    response: Monitor | None = None,
    prob_response: Sequence[float] | FloatArray | None = None,
    toxicity: Monitor | None = None,
    carry: bool = True,
) -> JointCharacteristics:
    """Exact joint characteristics; one of `response` (with `prob_response`) and `toxicity` is given.

    `carry`: escalation patients at the selected dose count in the monitor. Raises ValueError otherwise.
    """
    if (response is None) == (toxicity is None):
        raise ValueError("joint: give either a response monitor or a toxicity monitor")
    p = check_prob_tox(prob_tox, ends.levels)
    weight = ends.probabilities(p)
    rate = p if toxicity is not None else _response(prob_response, ends.levels)
    levels = ends.levels
    select, high, more = np.zeros(levels), np.zeros(levels), np.zeros(levels)
    for level in range(levels):
        chosen = np.flatnonzero(ends.mtd == level)
        select[level] = weight[chosen].sum()
        for n, start, mass in _starts(ends, chosen, weight, level, rate[level], toxicity is not None, carry):
            monitor = toxicity if toxicity is not None else response
            assert monitor is not None
            result = monitor_oc(monitor, float(rate[level]), (n, start))
            high[level] += mass * result.prob_high
            more[level] += mass * max(result.mean_n - n, 0.0)
    zeros = np.zeros(levels)
    toxic, effective = (high, zeros) if toxicity is not None else (zeros, high)
    return JointCharacteristics(
        prob_none=float(weight[ends.mtd < 0].sum()),
        prob_select=select,
        prob_too_toxic=toxic,
        prob_effective=effective,
        mean_n_expansion=more,
        prob_success=float(effective.sum()),
        mean_total_n=float(weight @ ends.n.sum(axis=1) + more.sum()),
    )


def _response(prob_response: Sequence[float] | FloatArray | None, levels: int) -> FloatArray:
    if prob_response is None:
        raise ValueError("joint: a response monitor needs prob_response, one probability per level")
    rate = np.asarray(prob_response, dtype=np.float64)
    if rate.shape != (levels,) or np.any((rate < 0) | (rate > 1)):
        raise ValueError(f"prob_response: {levels} probabilities between 0 and 1 expected")
    return rate


def _starts(
    ends: "Enumeration",
    chosen: IntArray,
    weight: FloatArray,
    level: int,
    rate: float,
    toxicity: bool,
    carry: bool,
) -> list[tuple[int, FloatArray, float]]:
    """(patients carried, distribution of their count, probability) for every distinct start."""
    if chosen.size == 0:
        return []
    if not carry:
        return [(0, np.ones(1), float(weight[chosen].sum()))]
    n, y = ends.n[chosen, level], ends.y[chosen, level]
    result = []
    for treated in np.unique(n):
        here = n == treated
        mass = float(weight[chosen][here].sum())
        if toxicity:
            count = np.bincount(y[here], weights=weight[chosen][here], minlength=treated + 1).astype(
                np.float64
            )
            result.append((int(treated), count / mass if mass else count, mass))
        else:
            result.append((int(treated), pmf(int(treated), rate), mass))
    return result
