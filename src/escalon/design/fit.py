"""The posterior of a model-based rule from single patients."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from escalon.design.plan import EscalationPlan


def fit(
    plan: "EscalationPlan",
    levels: Sequence[int],
    tox: Sequence[int],
    weights: Sequence[float] | None = None,
) -> Any:
    """See `EscalationPlan.fit`."""
    model = getattr(plan.rule, "fit", None)
    if model is None:
        raise ValueError(f"fit: rule {plan.rule.kind} has no model")
    level = np.asarray(levels, dtype=np.int64)
    flag = np.asarray(tox, dtype=np.int64)
    weight = np.ones(level.size) if weights is None else np.asarray(weights, dtype=np.float64)
    if level.ndim != 1 or flag.shape != level.shape or weight.shape != level.shape:
        raise ValueError(
            "fit: levels, tox and weights need one entry per patient; "
            f"got {level.size}, {flag.size}, {weight.size}"
        )
    if np.any((level < 1) | (level > plan.levels)):
        raise ValueError(f"levels: 1 to {plan.levels} expected; got {level.tolist()}")
    if np.any((flag != 0) & (flag != 1)):
        raise ValueError(f"tox: 0 or 1 expected; got {flag.tolist()}")
    if not np.all((weight >= 0) & (weight <= 1)):
        raise ValueError(f"weights: values from 0 to 1 expected; got {weight.tolist()}")
    return model(level - 1, flag, weight)
