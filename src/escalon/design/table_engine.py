"""Bridge between a plan with a decision table and the compiled loops of `kernels`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import comb
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from escalon.design.guards import Coherent, EnoughAtDose, NoSkipping, StopBelowLowest
from escalon.design.rules.base import BoolArray, FloatArray, IntArray, States
from escalon.design.rules.tables import DE_ESCALATE, TableRule

if TYPE_CHECKING:
    from escalon.design.plan import EscalationPlan

NEVER = 1 << 30


@dataclass(frozen=True)
class TableWalk:
    """A plan as arrays: what `kernels.next_level` and `kernels.select_level` read.

    `sizes[k]`: size of the cohort that starts after k patients; `tables`: the arguments of `next_level`
    from `moves` on; `selection`: those of `select_level` from `estimate` to `eliminate_lowest`;
    `options`: bound, tilt, slack, target.
    """

    levels: int
    planned: int
    start: int
    sizes: IntArray
    tables: tuple[Any, ...]
    selection: tuple[FloatArray, FloatArray, BoolArray, BoolArray]
    options: FloatArray


def can_walk(plan: "EscalationPlan") -> bool:
    """True when the plan is a decision table with guards the compiled walk knows."""
    return (
        isinstance(plan.rule, TableRule)
        and not plan.titration
        and not plan.weighted
        and not plan.rule.late_onset
        and all(
            isinstance(guard, NoSkipping | Coherent | EnoughAtDose | StopBelowLowest) for guard in plan.guards
        )
    )


def fits_two_words(plan: "EscalationPlan") -> bool:
    """True when the counts of a plan fit the two words of a compiled key."""
    bits = plan.max_total.bit_length()
    return plan.levels <= 64 // (2 * bits) + 59 // (2 * bits)


@lru_cache(maxsize=64)
def table_walk(plan: "EscalationPlan") -> TableWalk:
    """The arrays of a plan for which `can_walk` is true."""
    rule = plan.rule
    assert isinstance(rule, TableRule)
    table, selection = rule.table(plan.max_n), rule.selection(plan.max_n)
    planned = plan.max_total
    edges = np.cumsum(plan.cohort_sizes)
    index = np.minimum(np.searchsorted(edges, np.arange(planned), side="right"), edges.size - 1)
    sizes = np.minimum(np.asarray(plan.cohort_sizes)[index], planned - np.arange(planned))
    enough = min(
        [g.n for g in plan.guards if isinstance(g, EnoughAtDose) and g.when == "stay"], default=NEVER
    )
    anywhere = [g.n for g in plan.guards if isinstance(g, EnoughAtDose) and g.when == "recommended"]
    stops_below = any(isinstance(guard, StopBelowLowest) for guard in plan.guards)
    moves = np.where(table.eliminate, DE_ESCALATE, table.decision).astype(np.int8)
    tables = (
        moves,
        table.closed,
        table.eliminate | table.stop_lowest | (stops_below & (moves == DE_ESCALATE)),
        _toxic(plan, int(sizes.max())),
        min(enough, *anywhere) if anywhere else enough,
        bool(anywhere),
    )
    return TableWalk(
        levels=plan.levels,
        planned=planned,
        start=plan.start_level - 1,
        sizes=sizes.astype(np.int64),
        tables=tables,
        selection=(selection.estimate, selection.weight, selection.eliminate, selection.eliminate_lowest),
        options=np.array([selection.bound, selection.tilt, selection.slack, selection.target]),
    )


def _toxic(plan: "EscalationPlan", largest: int) -> BoolArray:
    """[size, DLTs]: the cohort bars escalation."""
    size, dlts = np.meshgrid(np.arange(largest + 1), np.arange(largest + 1), indexing="ij")
    toxic = np.zeros(size.shape, dtype=bool)
    for guard in plan.guards:
        if isinstance(guard, Coherent):
            limit = 1 if guard.after == "any_dlt" else plan.rule.target_rate * size - 1e-12
            toxic |= dlts >= limit
    return toxic


@dataclass(frozen=True)
class Ends:
    """Terminal states of a walk; see `exact.Enumeration`."""

    n: IntArray
    y: IntArray
    stop: IntArray
    mtd: IntArray
    coefficient: FloatArray
    paths: FloatArray
    x: IntArray | None = None


def enumerate_walk(walk: TableWalk, start: States, check: Callable[[int, int, int], None]) -> Ends:
    """All terminal states; `check(live states, ended, treated)` raises when there are too many."""
    from escalon.design import kernels

    bits = walk.planned.bit_length()
    keys = _pack(start, bits)
    live: tuple[Any, ...] = (*keys, np.ones(1), np.ones(1))
    ends: list[tuple[Any, ...]] = []
    treated = int(start.n.sum())
    while live[0].size:
        check(live[0].size, sum(part[0].size for part in ends), treated)
        size = int(walk.sizes[treated])
        choose = _choose(size)
        *after, going = kernels.expand_layer(  # type: ignore[call-arg]
            *live, size, treated, walk.planned, walk.levels, bits, choose, *walk.tables
        )
        ends.append(tuple(part[going:] for part in after))
        live = tuple(part[:going] for part in after)
        treated += size
    low, high, coefficient, paths = (np.concatenate(parts) for parts in zip(*ends, strict=True))
    n = np.empty((low.size, walk.levels), np.int64)
    y = np.empty_like(n)
    stop, mtd = kernels.select_levels(low, high, bits, n, y, *walk.selection, walk.options)
    return Ends(n, y, stop, mtd, coefficient, paths)


@lru_cache(maxsize=64)
def _choose(size: int) -> FloatArray:
    return np.array([comb(size, t) for t in range(size + 1)], dtype=np.float64)


def _pack(start: States, bits: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """One state as the two words of a key; the layout is that of `kernels.unpack`."""
    half = 64 // (2 * bits)
    words = [0, int(start.current[0]) << 59]
    for j in range(start.n.shape[1]):
        field = (int(start.n[0, j]) << bits) + int(start.y[0, j])
        words[j >= half] += field << (2 * bits * (j if j < half else j - half))
    return np.array(words[:1], dtype=np.uint64), np.array(words[1:], dtype=np.uint64)
