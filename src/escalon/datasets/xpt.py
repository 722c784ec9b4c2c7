"""SAS transport files, version 5: pyreadstat writes them, the guards below refuse what the format cannot
hold.

The format allows names of 8 and labels of 40 bytes, character values of 200 bytes, ASCII, and numbers as IBM
hexadecimal floats (size 5.4e-79 to 9.0e74). Writers cut or lose silently what does not fit; here it is
an error that names the data set, variable and value. Dates are days and moments seconds since 1 January 1960,
with a format. A character variable is as long as its longest value. The times of creation in the header are
those of the data cut, so that equal data give equal bytes. Format: SAS technical note TS-140.
"""

import os
import re
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pyreadstat

from escalon.datasets.spec import DatasetSpec

__all__ = ["check_transport", "render_xpt", "write_xpt"]

# What the writer brings back exactly, found by trial: the format itself would reach 16**63.
SMALLEST, LIMIT = 16.0**-65, 2.0**249
_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,7}")
_SAS_EPOCH = date(1960, 1, 1)
_FORMATS = {"date": "DATE9.", "datetime": "DATETIME20."}
_RECORD = 80
# (record, first byte): created and modified times of the library and of its only member.
_STAMPS = ((1, 64), (2, 0), (5, 64), (6, 0))


def write_xpt(frame: pl.DataFrame, path: Path, spec: DatasetSpec, moment: datetime) -> None:
    """Write ``frame`` as SAS transport file version 5; ``moment`` is the time of creation in its header.

    Raises:
        ValueError: listing every name, label, value or number the format cannot hold.
    """
    path.write_bytes(render_xpt(frame, spec, moment))


def render_xpt(frame: pl.DataFrame, spec: DatasetSpec, moment: datetime) -> bytes:
    """Return the bytes of the transport file of ``frame``; the same data and ``moment`` give the same
    bytes."""
    problems = check_transport(frame, spec)
    if problems:
        raise ValueError("; ".join(problems))
    labels: dict[str, str | None] = {item.variable: item.label for item in spec.variables}
    formats = {item.variable: _FORMATS[item.type] for item in spec.variables if item.type in _FORMATS}
    handle, name = tempfile.mkstemp(suffix=".xpt")
    os.close(handle)
    try:
        pyreadstat.write_xport(
            _numbers(frame),
            name,
            file_label=spec.label,
            column_labels=labels,
            table_name=spec.name,
            file_format_version=5,
            variable_format=formats,
        )
        return _stamp(Path(name).read_bytes(), moment)
    finally:
        os.unlink(name)


def check_transport(frame: pl.DataFrame, spec: DatasetSpec) -> list[str]:
    """Return everything in ``frame`` that a transport file cannot hold, one sentence each."""
    problems: list[str] = []
    if not _NAME.fullmatch(spec.name):
        problems.append(f"data set name {spec.name!r}: 1 to 8 of A-Z, 0-9 and _, a letter first")
    if len(spec.label.encode()) > 40 or not spec.label.isascii():
        problems.append(f"{spec.name}: label of {len(spec.label.encode())} bytes; at most 40 bytes of ASCII")
    labels = {item.variable: item.label for item in spec.variables}
    for name, column in zip(frame.columns, frame.iter_columns(), strict=True):
        where = f"{spec.name}.{name}"
        label = labels.get(name, "")
        if not _NAME.fullmatch(name):
            problems.append(f"{where}: a variable name has 1 to 8 of A-Z, 0-9 and _, a letter first")
        if not label or len(label.encode()) > 40 or not label.isascii():
            problems.append(f"{where}: label {label!r}; 1 to 40 bytes of ASCII")
        problems += _check_values(where, column)
    return problems


def _check_values(where: str, column: pl.Series) -> list[str]:
    if column.dtype == pl.String:
        return _check_text(where, column)
    if column.dtype.is_float():
        values = column.drop_nulls()
        size = values.abs()
        wrong = values.filter(~values.is_finite() | (size >= LIMIT) | ((size < SMALLEST) & (size > 0)))
        if wrong.len():
            return [
                f"{where}: {wrong[0]!r}; a number is finite, 0 or {SMALLEST:.2g} to below {LIMIT:.2g} in size"
            ]
    if column.dtype.is_integer():
        wrong = column.drop_nulls().filter(column.drop_nulls().abs() > 2**53)
        if wrong.len():
            return [f"{where}: {wrong[0]}; whole numbers are exact up to 2**53"]
    return []


def _check_text(where: str, column: pl.Series) -> list[str]:
    problems: list[str] = []
    longest = column.str.len_bytes().max()
    if isinstance(longest, int) and longest > 200:
        problems.append(f"{where}: a value of {longest} bytes; a character value has at most 200 bytes")
    outside = column.drop_nulls().filter(column.drop_nulls().str.contains(r"[^\x20-\x7E]"))
    if outside.len():
        problems.append(f"{where}: {outside[0]!r}; only printable ASCII is allowed")
    return problems


def _numbers(frame: pl.DataFrame) -> pl.DataFrame:
    """Dates to days and moments to seconds since 1960; whole numbers to floats; missing text to blank."""
    columns = []
    for name, kind in frame.schema.items():
        column = pl.col(name)
        if kind == pl.Date:
            column = (column - pl.lit(_SAS_EPOCH)).dt.total_days().cast(pl.Float64)
        elif isinstance(kind, pl.Datetime):
            start = datetime(1960, 1, 1, tzinfo=UTC)
            column = (column - pl.lit(start)).dt.total_microseconds().cast(pl.Float64) / 1e6
        elif kind == pl.String:
            column = column.fill_null("")
        else:
            column = column.cast(pl.Float64)
        columns.append(column.alias(name))
    return frame.select(columns)


def _stamp(data: bytes, moment: datetime) -> bytes:
    """Put ``moment`` into the four time fields of the header."""
    stamp = moment.astimezone(UTC).strftime("%d%b%y:%H:%M:%S").upper().encode("ascii")
    out = bytearray(data)
    for record, first in _STAMPS:
        start = record * _RECORD + first
        field = bytes(out[start : start + 16])
        if not re.fullmatch(rb"\d\d[A-Z]{3}\d\d:\d\d:\d\d:\d\d", field):
            raise ValueError(f"transport header: {field!r} where a time of creation was expected")
        out[start : start + 16] = stamp
    return bytes(out)
