"""A decision table of the protocol's own, checked before it is used.

Each row holds, for n patients at the current level, one decision per number of DLTs y = 0..n: E (escalate),
S (stay), D (de-escalate) or DU (de-escalate and never return; at the lowest level, stop). Checks:

- monotone: at one n, more DLTs never give a bolder decision;
- coherent: between rows n < m, further patients without a DLT never give a more cautious decision, further
  patients all with a DLT never a bolder one;
- nested elimination: a level eliminated at (n, y) is also eliminated at (m, y + m - n).

Selection of the dose by isotonic regression with BOIN's conventions over levels the table does not eliminate.
"""

import csv
import io
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from pydantic import Field, field_serializer, field_validator

from escalon.design.rules.base import IntArray, observed
from escalon.design.rules.tables import DE_ESCALATE, ESCALATE, STAY, Table, TableRule

RANK = {"E": 3, "S": 2, "D": 1, "DU": 0}
CODE = {"E": ESCALATE, "S": STAY, "D": DE_ESCALATE, "DU": DE_ESCALATE}
Rows = tuple[tuple[int, tuple[str, ...]], ...]


class CustomTable(TableRule):
    """A custom decision table: `decisions` maps n to its row, "E S D DU" or a list; see the module."""

    kind: Literal["table"] = "table"
    decisions: Rows = Field(description="rows by n, each with n + 1 decisions for y = 0..n")

    @field_validator("decisions", mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        rows = []
        for n, row in value.items():
            letters = row.replace(",", " ").split() if isinstance(row, str) else row
            rows.append((int(n), tuple(str(letter).strip().upper() for letter in letters)))
        return tuple(sorted(rows))

    @field_validator("decisions")
    @classmethod
    def _check_rows(cls, rows: Rows) -> Rows:
        check_table(dict(rows))
        return rows

    @field_serializer("decisions")
    def _write(self, rows: Rows) -> dict[int, str]:
        return {n: " ".join(row) for n, row in rows}

    def has_row(self, n: int) -> bool:
        """True when the table speaks about n patients."""
        return any(size == n for size, _ in self.decisions)

    def check(self, levels: int, sizes: set[int]) -> None:
        """Raise ValueError when a number of patients the plan can reach has no row."""
        missing = sorted(size for size in sizes if not self.has_row(size))
        if missing:
            have = ", ".join(str(n) for n, _ in self.decisions)
            raise ValueError(
                f"decisions: no row for n = {missing[0]}, which the plan can reach; rows: {have}"
            )

    def build_table(self, max_n: int) -> Table:
        """The rows as arrays; an n without a row stays (an unfinished cohort is completed)."""
        decision = np.zeros((max_n + 1, max_n + 1), dtype=np.int8)
        eliminate = np.zeros(decision.shape, dtype=bool)
        for n, row in self.decisions:
            if n <= max_n:
                decision[n, : n + 1] = [CODE[letter] for letter in row]
                eliminate[n, : n + 1] = [letter == "DU" for letter in row]
        return Table(decision, eliminate, eliminate, np.zeros_like(eliminate))

    def explain(self, n: IntArray, y: IntArray, current: int) -> list[str]:
        """Counts and the entry read."""
        nd = int(n[current])
        if not self.has_row(nd):
            return [observed(n, y, current), f"The table has no row for {nd} patients: complete the cohort."]
        return [observed(n, y, current), self.table_entry(n, y, current)]


def read_table_csv(text: str) -> dict[int, tuple[str, ...]]:
    """Rows from CSV: a header "n,0,1,2,..." and one line per n; cells beyond y = n stay empty.

    Raises ValueError naming line and value.
    """
    rows: dict[int, tuple[str, ...]] = {}
    for line, cells in enumerate(csv.reader(io.StringIO(text)), start=1):
        if line == 1 or not any(cell.strip() for cell in cells):
            continue
        if not cells[0].strip().isdigit():
            raise ValueError(f"table, line {line}: {cells[0]!r} is not a number of patients")
        n = int(cells[0])
        if n in rows:
            raise ValueError(f"table, line {line}: a second row for n = {n}")
        rows[n] = tuple(cell.strip().upper() for cell in cells[1:] if cell.strip())
    check_table(rows)
    return rows


def check_table(rows: Mapping[int, tuple[str, ...]]) -> None:
    """Raise ValueError for a table that is malformed, not monotone, not coherent or not nested."""
    if not rows:
        raise ValueError("decisions: the table has no row")
    for n, row in rows.items():
        _check_row(n, row)
    sizes = sorted(rows)
    for i, n in enumerate(sizes):
        for m in sizes[i + 1 :]:
            _check_pair(n, rows[n], m, rows[m])


def _check_row(n: int, row: tuple[str, ...]) -> None:
    if n < 1 or len(row) != n + 1:
        raise ValueError(f"decisions: row n = {n} needs {n + 1} decisions, for y = 0..{n}; got {len(row)}")
    unknown = [letter for letter in row if letter not in RANK]
    if unknown:
        raise ValueError(f"decisions: row n = {n} holds {unknown[0]!r}; use E, S, D or DU")
    for y in range(n):
        if RANK[row[y + 1]] > RANK[row[y]]:
            raise ValueError(
                f"decisions: not monotone: at n = {n}, {row[y]} for {y} DLTs but {row[y + 1]} for {y + 1}"
            )


def _check_pair(n: int, first: tuple[str, ...], m: int, second: tuple[str, ...]) -> None:
    for y in range(n + 1):
        before, clean, toxic = first[y], second[y], second[y + m - n]
        if RANK[clean] < RANK[before]:
            raise ValueError(
                f"decisions: not coherent: {before} at {y}/{n}, but {clean} at {y}/{m}, without a new DLT"
            )
        if before == "DU" and toxic != "DU":
            raise ValueError(
                f"decisions: elimination not nested: DU at {y}/{n}, but {toxic} at {y + m - n}/{m}"
            )
        if RANK[toxic] > RANK[before]:
            raise ValueError(
                f"decisions: not coherent: {before} at {y}/{n}, but {toxic} at {y + m - n}/{m}, new DLTs only"
            )
