"""The posterior of a model-based rule from single patients."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from escalon.design.rules.base import IntArray

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
    level, flag = _whole(levels, "levels"), _whole(tox, "tox")
    weight = np.ones(level.size) if weights is None else np.asarray(weights, dtype=np.float64)
    if level.ndim != 1 or flag.shape != level.shape or weight.shape != level.shape:
        raise ValueError(
            "fit: levels, tox and weights need one entry per patient; "
            f"got {level.size}, {flag.size}, {weight.size}"
        )
    if level.min(initial=1) < 1 or level.max(initial=1) > plan.levels:
        raise ValueError(f"levels: 1 to {plan.levels} expected; got {level.tolist()}")
    if flag.min(initial=0) < 0 or flag.max(initial=0) > 1:
        raise ValueError(f"tox: 0 or 1 expected; got {flag.tolist()}")
    if weights is not None and not ((weight >= 0) & (weight <= 1)).all():
        raise ValueError(f"weights: values from 0 to 1 expected; got {weight.tolist()}")
    return model(level - 1, flag, weight)


def _whole(values: Sequence[int], name: str) -> IntArray:
    array = np.asarray(values)
    if array.dtype.kind not in "iub":
        if array.size and not (array.dtype.kind == "f" and (array == np.floor(array)).all()):
            raise ValueError(f"{name}: whole numbers expected; got {array.tolist()}")
        return array.astype(np.int64)
    return array
