"""What the rules for two agents share: a grid of combinations, its partial order, isotonic regression on it.

Agent A has `rows` doses, agent B `columns`. Combination (j, k), both counted from 1, is level
(j - 1) columns + k of the plan: the levels run through the doses of B first.
"""

from functools import lru_cache
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from pydantic import Field, model_validator

from escalon.design.rules.base import BoolArray, FloatArray, IntArray, Rule


class GridRule(Rule):
    """A rule for combinations of two agents; see the module."""

    rows: int = Field(ge=1, description="dose levels of agent A")
    columns: int = Field(ge=1, description="dose levels of agent B")

    @model_validator(mode="after")
    def _check_grid(self) -> "GridRule":
        if self.rows * self.columns < 2:
            raise ValueError("rows, columns: at least two combinations are needed")
        return self

    @property
    def one_step(self) -> bool:
        """Levels are ordered by two agents; see `reach`."""
        return False

    @property
    def enumerable_states(self) -> int:
        """Live states beyond which an enumeration is refused."""
        return 4_000_000

    def reach(self, current: int, levels: int) -> BoolArray:
        """Lower combinations, the current one, and one step up in one agent."""
        return np.asarray(reachable(self.rows, self.columns)[current].copy())

    def check(self, levels: int, sizes: set[int]) -> None:
        """One level per combination."""
        if levels != self.rows * self.columns:
            raise ValueError(
                f"levels: {self.rows} x {self.columns} combinations make {self.rows * self.columns} levels; "
                f"got {levels}"
            )

    def check_plan(self, guards: tuple[Any, ...], titration: bool) -> None:
        """No guard that takes the levels for one line, no titration."""
        known = self.known_guards()
        for guard in guards:
            if guard.kind not in known:
                raise ValueError(
                    f"guards: {guard.kind} orders levels on one line and makes no sense with rule {self.kind}; "
                    f"possible are {', '.join(known)}"
                )
        if titration:
            raise ValueError(f"titration: not possible with rule {self.kind}; list cohort sizes instead")

    def known_guards(self) -> tuple[str, ...]:
        """Kinds of guards that fit."""
        return ("enough_at_dose", "too_toxic")

    def name(self, index: int) -> str:
        """Level and doses of a 0-based index."""
        return f"level {index + 1} (A{index // self.columns + 1} with B{index % self.columns + 1})"

    def close_above(self, marked: BoolArray) -> BoolArray:
        """Marked combinations and all with both doses at least as high; shape (states, levels)."""
        grid = marked.reshape(-1, self.rows, self.columns)
        closed = np.logical_or.accumulate(np.logical_or.accumulate(grid, axis=1), axis=2)
        return np.asarray(closed.reshape(marked.shape))

    def isotonic(self, values: FloatArray, weights: FloatArray) -> FloatArray:
        """Weighted isotonic regression that rises in both agents; arrays of shape (states, levels).

        Exact max-min formula: fit_x = max over upper sets U with x of min over lower sets L with x of the
        weighted mean over the combinations in both (Robertson, Wright, Dykstra 1988, Order Restricted
        Statistical Inference, theorem 1.4.4). Weights must be above 0.
        """
        uppers = upper_sets(self.rows, self.columns)
        lowers = ~uppers
        fit = np.full(values.shape, -np.inf)
        for upper in uppers[uppers.any(axis=1)]:
            inside = lowers & upper
            inside = inside[inside.any(axis=1)]
            chosen = inside.T.astype(np.float64)
            mean = (weights * values) @ chosen / (weights @ chosen)
            for x in np.flatnonzero(upper):
                fit[:, x] = np.maximum(fit[:, x], mean[:, inside[:, x]].min(axis=1))
        return fit


@lru_cache(maxsize=64)
def upper_sets(rows: int, columns: int) -> BoolArray:
    """Every set of combinations that holds, with one, all with both doses at least as high; (sets, levels).

    An upper set is given by its first column in every row, which falls from row to row.
    """
    sets = []
    for starts in combinations_with_replacement(range(columns + 1), rows):
        grid = np.arange(columns) >= np.array(starts[::-1])[:, None]
        sets.append(grid.ravel())
    return np.array(sets)


@lru_cache(maxsize=64)
def reachable(rows: int, columns: int) -> BoolArray:
    """[from, to]: not higher in any agent, or one step up in one agent."""
    j, k = np.divmod(np.arange(rows * columns), columns)
    up_a, up_b = j[None, :] - j[:, None], k[None, :] - k[:, None]
    lower = (up_a <= 0) & (up_b <= 0)
    step = ((up_a == 1) & (up_b == 0)) | ((up_a == 0) & (up_b == 1))
    return np.asarray(lower | step)


@lru_cache(maxsize=64)
def neighbours(rows: int, columns: int, step: int) -> IntArray:
    """0-based level one step up (1) or down (-1) in agent A and in agent B, shape (levels, 2); -1: none."""
    j, k = np.divmod(np.arange(rows * columns), columns)
    a = np.where((j + step >= 0) & (j + step < rows), (j + step) * columns + k, -1)
    b = np.where((k + step >= 0) & (k + step < columns), j * columns + k + step, -1)
    return np.stack([a, b], axis=1)
