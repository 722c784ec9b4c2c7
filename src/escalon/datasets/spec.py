"""The specification of every data set, as data: ``specs/*.csv`` say which variables, in which order, labelled
how.

One specification drives selection, order, types, labels and the checks of the written files. SDTM follows
SDTMIG 3.4, ADaM the analysis model of the study. ``length`` is the most bytes a character value may take; the
written length is that of the longest value.
"""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import polars as pl

__all__ = ["DatasetSpec", "Variable", "check_frame", "conform", "load_spec", "load_table"]

Standard = Literal["sdtm", "adam"]
TYPES: Mapping[str, pl.DataType] = {
    "text": pl.String(),
    "integer": pl.Int64(),
    "float": pl.Float64(),
    "date": pl.Date(),
    "datetime": pl.Datetime("us", "UTC"),
}
_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,7}")


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable: ``type`` is text, integer, float, date or datetime; ``core`` Req, Exp or Perm; ``length``
    in bytes."""

    dataset: str
    order: int
    variable: str
    label: str
    type: str
    length: int
    core: str
    origin: str


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    """One data set: its label, class, the variables that identify a record, and all variables in order."""

    standard: str
    name: str
    label: str
    kind: str
    keys: tuple[str, ...]
    variables: tuple[Variable, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Variable names in order."""
        return tuple(item.variable for item in self.variables)

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Polars type of each variable, in order."""
        return {item.variable: TYPES[item.type] for item in self.variables}


def load_table(name: str) -> list[dict[str, str]]:
    """Read one CSV of ``specs/``: one mapping per line."""
    text = files("escalon.datasets").joinpath("specs", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def load_spec(standard: Standard) -> Mapping[str, DatasetSpec]:
    """Load the specification of ``sdtm`` or ``adam``: data sets by name.

    Raises:
        ValueError: for a variable name, label, type or order that the transport format or the standard does
        not allow.
    """
    variables = [_variable(row) for row in load_table(f"{standard}.csv")]
    found: dict[str, DatasetSpec] = {}
    for row in load_table("datasets.csv"):
        if row["standard"] != standard:
            continue
        own = tuple(item for item in variables if item.dataset == row["dataset"])
        keys = tuple(row["keys"].split())
        spec = DatasetSpec(standard, row["dataset"], row["label"], row["class"], keys, own)
        _check_spec(spec)
        found[spec.name] = spec
    orphans = sorted({item.dataset for item in variables} - set(found))
    if orphans:
        raise ValueError(f"specs/{standard}.csv: {', '.join(orphans)} is not listed in datasets.csv")
    return found


def _variable(row: dict[str, str]) -> Variable:
    return Variable(
        row["dataset"],
        int(row["order"]),
        row["variable"],
        row["label"],
        row["type"],
        int(row["length"]),
        row["core"],
        row["origin"],
    )


def _check_spec(spec: DatasetSpec) -> None:
    problems: list[str] = []
    for place, item in enumerate(spec.variables, 1):
        where = f"{spec.name}.{item.variable}"
        if item.order != place:
            problems.append(f"{where}: order {item.order}, expected {place}")
        if not _NAME.fullmatch(item.variable):
            problems.append(f"{where}: a name has 1 to 8 of A-Z, 0-9 and _, a letter first")
        if not item.label or len(item.label.encode()) > 40 or not item.label.isascii():
            problems.append(f"{where}: a label has 1 to 40 ASCII characters, this one {len(item.label)}")
        if item.type not in TYPES or item.core not in ("Req", "Exp", "Perm"):
            problems.append(f"{where}: type {item.type!r} or core {item.core!r} is not known")
        if item.type == "text" and not 1 <= item.length <= 200:
            problems.append(f"{where}: length {item.length}; a character value has at most 200 bytes")
    if len(set(spec.columns)) != len(spec.columns):
        problems.append(f"{spec.name}: a variable stands twice")
    if set(spec.keys) - set(spec.columns):
        problems.append(f"{spec.name}: key {sorted(set(spec.keys) - set(spec.columns))} is not a variable")
    if problems:
        raise ValueError("; ".join(problems))


def conform(
    rows: Sequence[Mapping[str, Any]] | pl.DataFrame, spec: DatasetSpec, optional: Sequence[str] = ()
) -> pl.DataFrame:
    """Return exactly the variables of ``spec``, in order and typed; variables no row has are null.

    Args:
        rows: mappings of variable to value, or a frame; keys that are not in the specification must be named
            in ``optional`` or start with an underscore.
        spec: the specification.
        optional: names that are dropped silently.

    Raises:
        ValueError: for a variable the specification does not know, or a value of another type.
    """
    if isinstance(rows, pl.DataFrame):
        unknown = [c for c in rows.columns if c not in spec.schema and not c.startswith("_")]
        _refuse(spec, [name for name in unknown if name not in optional])
        columns = [
            pl.col(name).cast(kind) if name in rows.columns else pl.lit(None, dtype=kind).alias(name)
            for name, kind in spec.schema.items()
        ]
        return rows.select(columns)
    used = {name for row in rows for name in row if not name.startswith("_")}
    _refuse(spec, sorted(used - set(spec.schema) - set(optional)))
    data = {name: [row.get(name) for row in rows] for name in spec.schema}
    try:
        return pl.DataFrame(data, schema=spec.schema, strict=True)
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        raise ValueError(
            f"{spec.name}: a value has another type than the specification says: {error}"
        ) from error


def _refuse(spec: DatasetSpec, names: Sequence[str]) -> None:
    if names:
        raise ValueError(f"{spec.name}: {', '.join(names)} is not a variable of the specification")


def check_frame(frame: pl.DataFrame, spec: DatasetSpec, complete: bool = True) -> list[str]:
    """Return every way in which ``frame`` departs from ``spec``, one sentence each; an empty list means it
    conforms.

    ``complete`` False leaves out missing values of required variables: at a data cut a form may not be filled
    yet.
    """
    problems: list[str] = []
    if tuple(frame.columns) != spec.columns or frame.schema != pl.Schema(spec.schema):
        return [f"{spec.name}: variables {frame.columns} with their types are not those of the specification"]
    for item in spec.variables:
        column = frame[item.variable]
        where = f"{spec.name}.{item.variable}"
        if complete and item.core == "Req" and column.null_count():
            problems.append(f"{where}: {column.null_count()} missing values in a required variable")
        if item.type == "text":
            longest = column.str.len_bytes().max()
            if isinstance(longest, int) and longest > item.length:
                problems.append(
                    f"{where}: a value of {longest} bytes; the specification allows {item.length}"
                )
    if frame.select(spec.keys).is_duplicated().any():
        problems.append(f"{spec.name}: {', '.join(spec.keys)} do not identify one record")
    return problems
