"""Fields of a grading system from the text of a file: JSON as it is, or CSV with one row per day.

A CSV row is one assessment (``best-overall``), one count (``icaht``, ``t-icaht``, ``icaht-series``) or one day
(``visits``); its columns are field names. An empty cell is missing; several days in one cell stand apart by
semicolons.
"""

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

from escalon.criteria.answers import read_value
from escalon.criteria.result import check_code

ROWS = {
    "best-overall": "assessments",
    "icaht": "",
    "t-icaht": "",
    "icaht-series": "",
    "visits": "",
}
_COLUMNS = {
    "icaht": {"day": "days", "anc": "anc"},
    "t-icaht": {"day": "days", "platelets": "platelets"},
    "icaht-series": {"day": "days", "count": "counts"},
    "visits": {"day": "days"},
}
_LISTS = ("platelet_transfusion_days", "gcsf_days", "red_cell_transfusion_days")


def read_fields(system: str, name: str, text: str) -> dict[str, Any]:
    """Fields of ``system`` from a file called ``name`` with content ``text``.

    Raises:
        ValueError: naming the file and the line, for what is neither JSON nor CSV of the right shape.

    Example:
        >>> read_fields("icaht", "counts.csv", "day,anc\\n0,2.0\\n5,0.4\\n")
        {'days': [0, 5], 'anc': [2.0, 0.4]}
    """
    if name.lower().endswith(".json"):
        try:
            found = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"{name} line {error.lineno}: not JSON ({error.msg})") from error
        if isinstance(found, list):
            return _from_rows(system, name, found)
        if not isinstance(found, dict):
            raise ValueError(
                f"{name}: holds {type(found).__name__}; give an object of fields, or a list of rows"
            )
        return found
    if not name.lower().endswith(".csv"):
        raise ValueError(f"{name}: give a file that ends in .json or .csv")
    return _from_rows(system, name, _csv_rows(name, text))


def _csv_rows(name: str, text: str) -> list[dict[str, Any]]:
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    if not reader.fieldnames:
        raise ValueError(f"{name} line 1: header is missing")
    rows = []
    for number, row in enumerate(reader, 2):
        if None in row or None in row.values():
            raise ValueError(
                f"{name} line {number}: number of cells differs from the header's {len(reader.fieldnames)}"
            )
        rows.append({column: _cell(column, cell) for column, cell in row.items()})
    return rows


def _cell(column: str, cell: str) -> Any:
    if column in _LISTS:
        return [read_value(part) for part in cell.split(";") if part.strip()]
    return read_value(cell.strip())


def _from_rows(system: str, name: str, rows: list[Any]) -> dict[str, Any]:
    check_code(f"{name}: rows for system", system, tuple(ROWS))
    if not rows or not all(isinstance(row, Mapping) for row in rows):
        raise ValueError(f"{name}: holds no rows; give one per day, with a header")
    if ROWS[system]:
        return {ROWS[system]: [{k: v for k, v in row.items() if v is not None} for row in rows]}
    columns = _COLUMNS[system]
    for column in columns:
        for place, row in enumerate(rows, 1):
            if row.get(column) is None:
                raise ValueError(
                    f"{name} row {place}: {column} is missing; a row has {' and '.join(columns)}"
                )
    return {field: [row[column] for row in rows] for column, field in columns.items()}
