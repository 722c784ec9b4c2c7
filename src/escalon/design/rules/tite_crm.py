"""TITE-CRM: the CRM with weighted partial follow-up.

Likelihood: product of (w p)^y (1 - w p)^(1 - y); w = 1 for a patient with a DLT or a completed window, else the
weight of the follow-up. Linear weight: share of the window seen. Adaptive weight, with z DLT times u_1 <= ... <=
u_z, u_0 = 0, u_(z+1) = window: w = (m + (t - u_m)/(u_(m+1) - u_m))/(z + 1) for u_m <= t < u_(m+1).

Source: Cheung, Chappell 2000, doi 10.1111/j.0006-341X.2000.01177.x; R package dfcrm 0.2-2.1 `titecrm`.

Conventions: everything else as in the CRM; `min_followup` pauses enrolment until every pending patient at the
current level has seen that share of the window (0: no pause).
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import Field

from escalon.design.quadrature import PosteriorGrid
from escalon.design.recommendation import LevelEstimate
from escalon.design.rules.base import WAIT, FloatArray, Proposal, States, level_estimates
from escalon.design.rules.crm import Crm


class TiteCrm(Crm):
    """TITE-CRM; see the module."""

    kind: Literal["tite_crm"] = "tite_crm"  # type: ignore[assignment]
    min_followup: float = Field(0.0, ge=0, le=1, description="share of the window before the next decision")

    @property
    def late_onset(self) -> bool:
        """Pending patients count."""
        return True

    @property
    def counts_only(self) -> bool:
        """Follow-up times matter."""
        return False

    def late_prob(self, states: States) -> FloatArray:
        """Estimated DLT probabilities with linear weights, shape (states, levels)."""
        if states.pending_level is None or states.pending_followup is None:
            return self.levels_prob(states.n, states.y)
        grid = self.grid(int(states.treated.max()))
        weight = self._late_weight(states, grid)
        values = grid.p if self.estimate == "mean" else grid.parameters
        mean = weight @ values / weight.sum(axis=1, keepdims=True)
        return mean if self.estimate == "mean" else self.prob_tox(mean[:, 0])

    def _late_weight(self, states: States, grid: PosteriorGrid) -> FloatArray:
        """Posterior weight of every node, up to a factor per state, shape (states, nodes)."""
        assert states.pending_level is not None
        assert states.pending_followup is not None
        log_weight = states.y @ grid.log_p.T + (states.n - states.y) @ grid.log_q.T + grid.log_prior
        p = grid.p.T
        for column in range(states.pending_level.shape[1]):
            level, weight = states.pending_level[:, column], states.pending_followup[:, column]
            some = np.flatnonzero((level >= 0) & (weight > 0))
            log_weight[some] += np.log1p(-weight[some, None] * p[level[some]])
        log_weight -= log_weight.max(axis=1, keepdims=True)
        return np.asarray(np.exp(log_weight))

    def estimates_pending(self, states: States) -> tuple[LevelEstimate, ...]:
        """Estimate and interval per level with the pending patients' weights."""
        n, y = states.n[0], states.y[0]
        if states.pending_level is None or states.pending_followup is None:
            return self.estimates(n, y)
        patients = int(states.treated.max())
        weight = self._late_weight(states, self.grid(patients, finer=2))[0]
        above = weight @ self.tail(patients, self.target) / weight.sum()
        pairs = zip(states.pending_level[0].tolist(), states.pending_followup[0].tolist(), strict=True)
        pending = [(level, followup) for level, followup in pairs if level >= 0]
        low, high = self.prob_tox(self.quantiles(n, y, pending))[::-1]
        return level_estimates(n, y, self.late_prob(states)[0], low, high, above)

    def propose(self, states: States, max_n: int) -> Proposal:
        """The level nearest the target, or a pause."""
        level = self.closest(self.late_prob(states))
        if states.pending_level is not None and states.pending_followup is not None and self.min_followup:
            here = states.pending_level == states.current[:, None]
            short = (here & (states.pending_followup < self.min_followup - 1e-12)).any(axis=1)
            level = np.where(short, WAIT, level)
        return Proposal(level, np.ones(states.n.shape, dtype=bool))

    def explain_pending(self, states: States) -> list[str]:
        """The estimate with the pending patients' weights."""
        p = self.late_prob(states)[0]
        listed = ", ".join(f"level {j + 1} {value:.4f}" for j, value in enumerate(p))
        count = int((states.pending_level >= 0).sum()) if states.pending_level is not None else 0
        best = int(self.closest(p[None, :])[0]) + 1
        d = int(states.current[0])
        return [
            f"Level {d + 1}: {int(states.n[0, d])} evaluable patients, {int(states.y[0, d])} with a DLT, "
            f"{int(states.pending[0, d])} pending.",
            f"TITE-CRM: {count} pending patient{'s' if count != 1 else ''} weighted by follow-up; estimated DLT "
            f"probabilities: {listed}; closest to the target {self.target:.2f}: level {best}.",
        ]


def adaptive_weights(
    followup: Sequence[float], dlt_times: Sequence[float], window: float = 1.0
) -> list[float]:
    """Adaptive weights of patients followed for `followup` (same unit as `window`), given observed DLT times.

    Raises ValueError for a time outside (0, window].

    >>> adaptive_weights([0.25, 0.5, 1.0], [0.5])
    [0.25, 0.5, 1.0]
    """
    times = sorted(float(time) for time in dlt_times)
    if any(not 0 < time <= window for time in times):
        raise ValueError(f"dlt_times: every time must lie in (0, {window}]; got {times}")
    edges = [0.0, *times, window]
    parts = len(times) + 1
    result = []
    for seen in followup:
        if seen >= window:
            result.append(1.0)
            continue
        m = max(i for i in range(parts) if edges[i] <= seen)
        result.append((m + (seen - edges[m]) / (edges[m + 1] - edges[m])) / parts)
    return result
