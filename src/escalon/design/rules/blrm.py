"""BLRM: Bayesian logistic regression model with escalation under overdose control (EWOC).

Two-parameter logistic model of `two_parameter`. A level is admissible when P(p > overdose limit) lies below
the feasibility bound; among the admissible levels the rule takes the one with the highest probability of
the target interval, or the highest one. No admissible level: stop without a dose.

Sources: Neuenschwander, Branson, Gsponer 2008, doi 10.1002/sim.3230; Babb, Rogatko, Zacks 1998,
doi 10.1002/(SICI)1097-0258(19980530)17:10<1103::AID-SIM793>3.0.CO;2-9.

Conventions: target interval (0.20, 0.35], overdose above 0.35, feasibility bound 0.25 compared with "<";
ties take the lower level; `max_increment` 1.0 means at most doubling the current dose. With `stop_min_n` the
escalation is finished once the rule stays at a level with that many patients and either P(target interval)
> `stop_prob_target` there, or `stop_enough_n` patients. The maximum tolerated dose is the recommended level
on the final data among treated levels. A rising feasibility bound can break coherence (Wheeler 2018,
doi 10.1007/s00362-016-0790-7); it is constant here.
"""

from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from escalon.design.rules.base import (
    STOP_FINISHED,
    STOP_UNSAFE,
    BoolArray,
    FloatArray,
    IntArray,
    Proposal,
    States,
    check_target_interval,
    observed,
)
from escalon.design.rules.two_parameter import TwoParameterFit, TwoParameterRule


class Blrm(TwoParameterRule):
    """BLRM with EWOC; see the module."""

    kind: Literal["blrm"] = "blrm"
    target: float = Field(0.3, gt=0, lt=1, description="reference of the overdose metrics")
    target_interval: tuple[float, float] = (0.20, 0.35)
    feasibility: float = Field(0.25, gt=0, lt=1, description="bound on P(p > upper end of the interval)")
    choose: Literal["max_target", "highest"] = "max_target"
    max_increment: float | None = Field(None, gt=0, description="largest relative dose step, 1.0 doubles")
    stop_min_n: int | None = Field(None, ge=1)
    stop_prob_target: float = Field(0.5, gt=0, lt=1)
    stop_enough_n: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _check_interval(self) -> "Blrm":
        check_target_interval(self.target_interval)
        return self

    @property
    def target_rate(self) -> float:
        """Reference of the overdose metrics."""
        return self.target

    def intervals(self, n: IntArray, y: IntArray) -> tuple[FloatArray, FloatArray]:
        """P(overdose) and P(target interval), each of shape (states, levels)."""
        patients = int(n.sum(axis=1).max())
        low, high = self.target_interval
        columns = np.concatenate([self.tail(patients, high), self.tail(patients, low)], axis=1)
        above = self.grid(patients).expect(n, y, columns)
        levels = n.shape[1]
        return above[:, :levels], above[:, levels:] - above[:, :levels]

    def pick(self, over: FloatArray, target: FloatArray, allowed: BoolArray) -> IntArray:
        """0-based level, -1 where none is admissible."""
        admissible = allowed & (over < self.feasibility)
        if self.choose == "highest":
            best = over.shape[1] - 1 - np.argmax(admissible[:, ::-1], axis=1)
        else:
            best = np.argmax(np.where(admissible, target, -1.0), axis=1)
        return np.asarray(np.where(admissible.any(axis=1), best, -1))

    def propose(self, states: States, max_n: int) -> Proposal:
        """EWOC among the levels the increment allows."""
        over, target = self.intervals(states.n, states.y)
        allowed = np.ones(over.shape, dtype=bool)
        if self.max_increment is not None:
            dose = np.asarray(self.doses)
            allowed = dose <= dose[states.current][:, None] * (1 + self.max_increment) * (1 + 1e-12)
        level = self.pick(over, target, allowed)
        open_levels = (over < self.feasibility) & allowed
        level = np.where(level < 0, STOP_UNSAFE, level)
        return Proposal(np.where(self._enough(states, level, target), STOP_FINISHED, level), open_levels)

    def _enough(self, states: States, level: IntArray, target: FloatArray) -> BoolArray:
        held, stays = states.n_current, level == states.current
        done = np.zeros(level.size, dtype=bool)
        if self.stop_min_n is not None:
            sure = target[states.rows, states.current] > self.stop_prob_target
            done |= stays & (held >= self.stop_min_n) & sure
        if self.stop_enough_n is not None:
            done |= stays & (held >= self.stop_enough_n)
        return done

    def select(self, n: IntArray, y: IntArray) -> IntArray:
        """The recommended level on the final data, among treated levels."""
        over, target = self.intervals(n, y)
        return self.pick(over, target, n > 0)

    def fit(self, levels: IntArray, tox: IntArray, weights: FloatArray) -> TwoParameterFit:
        """Posterior from single patients; see `Crm.fit`."""
        weight = self.grid(levels.size).weigh(levels, tox, weights)
        estimate, covariance, p = self.moments(weight, levels.size)
        low, high = self.target_interval
        over, over_low = (weight @ self.tail(levels.size, limit) for limit in (high, low))
        best = int(self.pick(over[None], (over_low - over)[None], np.ones((1, over.size), dtype=bool))[0])
        return TwoParameterFit(
            (float(estimate[0]), float(estimate[1])),
            tuple(tuple(float(v) for v in row) for row in covariance),  # type: ignore[arg-type]
            tuple(float(v) for v in p),
            None if best < 0 else best + 1,
            tuple(float(v) for v in over),
            tuple(float(v) for v in over_low - over),
        )

    def explain(self, n: IntArray, y: IntArray, current: int) -> list[str]:
        """Counts and the interval probabilities of every level."""
        over, target = (part[0] for part in self.intervals(n[None, :], y[None, :]))
        low, high = self.target_interval
        listed = ", ".join(
            f"level {j + 1} {target[j]:.3f} / {over[j]:.3f}{'' if over[j] < self.feasibility else ' (barred)'}"
            for j in range(n.size)
        )
        aim = "highest P(target)" if self.choose == "max_target" else "highest level"
        return [
            observed(n, y, current),
            f"BLRM: P(DLT probability in ({low:.2f}, {high:.2f}]) / P(above {high:.2f}): {listed}.",
            f"Admissible below the feasibility bound {self.feasibility:.2f}; chosen by: {aim}.",
        ]


class Logistic2(TwoParameterRule):
    """Two-parameter logistic CRM: the level whose estimated DLT probability is nearest the target.

    `estimate`: "mean", the posterior mean of p_j, or "plug_in", p_j at the posterior means of (log a, log b).
    Ties take the lower level. Source: see `two_parameter`.
    """

    kind: Literal["logistic2"] = "logistic2"
    target: float = Field(gt=0, lt=1, description="target DLT probability, 0-1")
    estimate: Literal["mean", "plug_in"] = "mean"

    @property
    def target_rate(self) -> float:
        """The target."""
        return self.target

    def levels_prob(self, n: IntArray, y: IntArray) -> FloatArray:
        """Estimated DLT probabilities, shape (states, levels)."""
        if self.estimate == "mean":
            return self.mean_prob(n, y)
        grid = self.grid(int(n.sum(axis=1).max()))
        return self._curve(grid.expect(n, y, grid.parameters))

    def _curve(self, parameters: FloatArray) -> FloatArray:
        x = np.log(np.asarray(self.doses) / self.ref_dose)
        eta = parameters[:, :1] + np.exp(parameters[:, 1:]) * x
        return np.asarray(1 / (1 + np.exp(-eta)))

    def select(self, n: IntArray, y: IntArray) -> IntArray:
        """The recommendation after the last patient."""
        return np.asarray(np.argmin(np.abs(self.levels_prob(n, y) - self.target), axis=1))

    def propose(self, states: States, max_n: int) -> Proposal:
        """The level nearest the target."""
        return Proposal(self.select(states.n, states.y), np.ones(states.n.shape, dtype=bool))

    def fit(self, levels: IntArray, tox: IntArray, weights: FloatArray) -> TwoParameterFit:
        """Posterior from single patients; see `Crm.fit`."""
        weight = self.grid(levels.size).weigh(levels, tox, weights)
        estimate, covariance, p = self.moments(weight, levels.size)
        if self.estimate == "plug_in":
            p = self._curve(estimate[None, :])[0]
        return TwoParameterFit(
            (float(estimate[0]), float(estimate[1])),
            tuple(tuple(float(v) for v in row) for row in covariance),  # type: ignore[arg-type]
            tuple(float(v) for v in p),
            int(np.argmin(np.abs(p - self.target))) + 1,
        )

    def explain(self, n: IntArray, y: IntArray, current: int) -> list[str]:
        """Counts and the estimated probabilities."""
        p = self.levels_prob(n[None, :], y[None, :])[0]
        listed = ", ".join(f"level {j + 1} {value:.4f}" for j, value in enumerate(p))
        best = int(np.argmin(np.abs(p - self.target))) + 1
        return [
            observed(n, y, current),
            f"Two-parameter logistic model, estimated DLT probabilities: {listed}.",
            f"Closest to the target {self.target:.2f}: level {best}.",
        ]
