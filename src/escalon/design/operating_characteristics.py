"""One result type for exact and simulated operating characteristics."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from escalon.design.rules.base import FloatArray


@dataclass(frozen=True)
class OperatingCharacteristics:
    """How a plan behaves under one scenario. Probabilities and fractions are 0-1.

    `prob_tox`, `prob_select`, `mean_n`, `mean_dlt`: shape (levels,); `prob_none`: no level selected;
    `mean_total_n`, `mean_total_dlt`: expected totals; `n_distribution`: probability of each total sample
    size; `prob_early_stop`: fewer patients than planned; `prob_overdose_60`, `prob_overdose_80`: more
    than 60% (80%) of the planned patients treated at levels whose DLT probability exceeds the target;
    `prob_select_correct`: the selected level is the one with DLT probability closest to the target
    (the lower on ties); `prob_select_overdose`: the selected level exceeds the target;
    `mean_n_overdose`: expected patients above the target. `standard_error` holds the Monte Carlo
    standard error of every number, empty when exact. `states`: distinct terminal states (exact). `mean_duration`:
    expected duration in DLT windows, where calendar time was simulated. `mean_non_evaluable`: expected patients per
    level who could not be judged in full, beyond `mean_n` if replaced, within it if weighted; None unless the plan
    expects any.
    """

    prob_tox: FloatArray
    prob_select: FloatArray
    prob_none: float
    mean_n: FloatArray
    mean_dlt: FloatArray
    mean_total_n: float
    mean_total_dlt: float
    n_distribution: dict[int, float]
    prob_early_stop: float
    prob_overdose_60: float
    prob_overdose_80: float
    prob_select_correct: float
    prob_select_overdose: float
    mean_n_overdose: float
    target: float
    method: str
    states: int | None = None
    trials: int | None = None
    mean_duration: float | None = None
    mean_non_evaluable: FloatArray | None = None
    standard_error: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        result: dict[str, Any] = {}
        for name, value in self.__dict__.items():
            result[name] = value.tolist() if isinstance(value, np.ndarray) else value
        result["n_distribution"] = {str(n): p for n, p in self.n_distribution.items()}
        return result


def build_oc(
    prob_tox: FloatArray,
    target: float,
    planned: int,
    prob_select: FloatArray,
    prob_none: float,
    mean_n: FloatArray,
    mean_dlt: FloatArray,
    sizes: FloatArray,
    overdose_60: float,
    overdose_80: float,
    **more: Any,
) -> OperatingCharacteristics:
    """Characteristics from their parts; `sizes[k]`: probability of k patients in all, k = 0..planned."""
    above = prob_tox > target
    return OperatingCharacteristics(
        prob_tox=prob_tox,
        prob_select=prob_select,
        prob_none=prob_none,
        mean_n=mean_n,
        mean_dlt=mean_dlt,
        mean_total_n=float(mean_n.sum()),
        mean_total_dlt=float(mean_dlt.sum()),
        n_distribution={int(k): float(sizes[k]) for k in np.flatnonzero(sizes)},
        prob_early_stop=float(sizes[:planned].sum()),
        prob_overdose_60=overdose_60,
        prob_overdose_80=overdose_80,
        prob_select_correct=float(prob_select[int(np.argmin(np.abs(prob_tox - target)))]),
        prob_select_overdose=float(prob_select[above].sum()),
        mean_n_overdose=float(mean_n[above].sum()),
        target=target,
        **more,
    )


def check_prob_tox(prob_tox: Sequence[float] | FloatArray, levels: int) -> FloatArray:
    """The scenario as a float array of shape (levels,).

    Raises ValueError for a wrong length or a value outside 0-1.
    """
    try:
        array = np.asarray(prob_tox, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"prob_tox: numbers expected; got {prob_tox!r}") from None
    if array.shape != (levels,):
        raise ValueError(
            f"prob_tox: {levels} probabilities expected, one per level of the plan; got shape {array.shape}"
        )
    bad = np.flatnonzero(~((array >= 0) & (array <= 1)))
    if bad.size:
        raise ValueError(
            f"prob_tox: level {int(bad[0]) + 1} has {array[bad[0]]}; "
            "DLT probabilities must lie between 0 and 1"
        )
    return array
