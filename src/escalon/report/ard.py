"""Analysis results as data: one statistic per row, and every table of the report reads nothing else.

The shape follows the ARD of R's ``cards``: the groups, the variable, the statistic's name, label and value.
``analysis`` names the
analysis a row belongs to; ``reason`` says why a statistic has no value.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

SCHEMA: Mapping[str, Any] = {
    "analysis": pl.String,
    "group1": pl.String,
    "group1_level": pl.String,
    "group2": pl.String,
    "group2_level": pl.String,
    "variable": pl.String,
    "variable_level": pl.String,
    "context": pl.String,
    "stat_name": pl.String,
    "stat_label": pl.String,
    "stat": pl.Float64,
    "unit": pl.String,
    "reason": pl.String,
}
STAT_LABELS: Mapping[str, str] = {
    "n": "Patients",
    "N": "Patients in the group",
    "events": "Events",
    "p": "Fraction",
    "conf.low": "95% CI, lower end",
    "conf.high": "95% CI, upper end",
    "estimate": "Estimate",
    "mean": "Mean",
    "sd": "Standard deviation",
    "median": "Median",
    "min": "Minimum",
    "max": "Maximum",
    "geo_mean": "Geometric mean",
    "geo_cv": "Geometric CV%",
    "missing": "Missing",
    "n.risk": "At risk",
}


class Rows:
    """Collects results of one analysis; ``frame`` gives them in the order they were added."""

    def __init__(self, analysis: str, group1: str = "TRT01A", group2: str | None = None) -> None:
        self._fixed = {"analysis": analysis, "group1": group1, "group2": group2}
        self._rows: list[dict[str, Any]] = []

    def add(
        self,
        variable: str,
        level: str | None,
        context: str,
        stats: Mapping[str, float | int | None],
        group: str | None = None,
        subgroup: str | None = None,
        unit: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Add the statistics of one variable (or one of its levels) in one group.

        ``stats`` maps statistic names to values; None stays None and carries ``reason``.
        """
        for name, value in stats.items():
            number = None if value is None or value != value else float(value)
            self._rows.append(
                self._fixed
                | {
                    "group1_level": group,
                    "group2_level": subgroup,
                    "variable": variable,
                    "variable_level": level,
                    "context": context,
                    "stat_name": name,
                    "stat_label": STAT_LABELS.get(name, name),
                    "stat": number,
                    "unit": unit,
                    "reason": (reason or "not estimable") if number is None else None,
                }
            )

    def frame(self) -> pl.DataFrame:
        """The results as a long frame."""
        return pl.DataFrame(self._rows, schema=dict(SCHEMA))


def combine(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Stack results; an empty sequence gives an empty frame of the right columns."""
    return pl.concat([pl.DataFrame(schema=dict(SCHEMA)), *parts])


class Cells:
    """Read access to the results of one analysis: ``cells.get("n", group="DL1", variable="any")``."""

    def __init__(self, ard: pl.DataFrame, analysis: str) -> None:
        rows = ard.filter(pl.col("analysis") == analysis)
        keys = ("stat_name", "group1_level", "variable", "variable_level", "group2_level")
        self._stats = {tuple(row[k] for k in keys): row for row in rows.iter_rows(named=True)}
        self.groups = _in_order(rows["group1_level"])
        self.subgroups = _in_order(rows["group2_level"])
        self.variables = _in_order(rows["variable"])

    def get(
        self,
        stat: str,
        group: str | None,
        variable: str,
        level: str | None = None,
        subgroup: str | None = None,
    ) -> float | None:
        """One statistic; None when it is not estimable or not among the results."""
        row = self._stats.get((stat, group, variable, level, subgroup))
        return None if row is None else row["stat"]

    def unit(self, stat: str, group: str | None, variable: str, level: str | None = None) -> str | None:
        """Unit of one statistic."""
        row = self._stats.get((stat, group, variable, level, None))
        return None if row is None else row["unit"]

    def reason(self, stat: str, group: str | None, variable: str, level: str | None = None) -> str | None:
        """Why a statistic is missing."""
        row = self._stats.get((stat, group, variable, level, None))
        return None if row is None else row["reason"]

    def levels(self, variable: str) -> list[str | None]:
        """Levels of one variable in the order they were added."""
        return list(dict.fromkeys(key[3] for key in self._stats if key[2] == variable))


def _in_order(column: pl.Series) -> list[str]:
    return [value for value in column.unique(maintain_order=True).to_list() if value is not None]
