"""Reading a CSV file by a mapping of the study: each row becomes the entry of one record, or a named problem."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Any

from escalon.conduct.commands import RecordForm
from escalon.protocol.conduct.capture import ImportColumn, ImportMapping
from escalon.protocol.forms import Form
from escalon.protocol.forms_items import NUMBERS


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its line in the file (the header is line 1), what it enters, and what is wrong with it."""

    line: int
    command: RecordForm
    problems: tuple[str, ...]


def header_problems(text: str, mapping: ImportMapping, form: Form) -> tuple[str, ...]:
    """Return why the file as a whole does not fit the mapping, or the mapping the form."""
    strange = [one.item for one in mapping.columns if one.item not in {item.name for item in form.items}]
    if strange:
        return tuple(
            f"the mapping {mapping.id} names {form.form}.{name}, which is no item" for name in strange
        )
    try:
        header, *_ = [*csv.reader(StringIO(text))] or [[]]
    except csv.Error as error:
        return (f"this is no CSV file: {error}",)
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        return tuple(f"line 1, column {name}: stands twice" for name in twice)
    return tuple(f"line 1: the column {name} is missing" for name in _needed(mapping) if name not in header)


def _needed(mapping: ImportMapping) -> tuple[str, ...]:
    columns = [one.column for one in mapping.columns]
    columns += [one.unit_column for one in mapping.columns if one.unit_column is not None]
    return tuple(dict.fromkeys((mapping.patient, mapping.record, *filter(None, [mapping.visit]), *columns)))


def read_rows(text: str, mapping: ImportMapping, form: Form) -> Iterator[Row]:
    """Yield the rows of a file whose header fits; a row of blanks only is left out."""
    reader = csv.reader(StringIO(text))
    header = next(reader)
    seen: dict[tuple[str, str], int] = {}
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        line = reader.line_num
        if len(cells) != len(header):
            short = f"line {line}: {len(cells)} cells; the header has {len(header)}"
            yield Row(line, RecordForm("", form.form, ""), (short,))
            continue
        row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
        command, problems = _entry(row, line, mapping, form)
        key = (command.patient, command.record)
        if key in seen:
            problems.append(
                f"line {line}, column {mapping.record}: {key[1]} of {key[0]} stands on line {seen[key]} already"
            )
        seen.setdefault(key, line)
        yield Row(line, command, tuple(problems))


def _entry(
    row: Mapping[str, str], line: int, mapping: ImportMapping, form: Form
) -> tuple[RecordForm, list[str]]:
    values: dict[str, Any] = {}
    problems: list[str] = []
    for column in mapping.columns:
        try:
            value = _value(row, column, mapping, form)
        except ValueError as error:
            problems.append(f"line {line}, column {error}")
            continue
        if value is not None:
            values[column.item] = value
    for name in (mapping.patient, mapping.record):
        if not row[name]:
            problems.append(f"line {line}, column {name}: is empty")
    visit = row[mapping.visit] or None if mapping.visit is not None else None
    record = f"{mapping.prefix}{row[mapping.record]}"
    return RecordForm(row[mapping.patient], form.form, record, values, visit), problems


def _value(row: Mapping[str, str], column: ImportColumn, mapping: ImportMapping, form: Form) -> Any:
    """The answer in a cell; ValueError begins with the column at fault. What is no number stays a text."""
    text = row[column.column]
    item = form.item(column.item)
    if not text or item is None:
        return None
    if text in mapping.missing:
        return {"missing": mapping.missing[text]}
    if item.type not in NUMBERS:
        return column.codes.get(text, text)
    try:
        number: float = int(text) if item.type == "integer" else float(text)
        if "_" in text:  # Python's own spelling of numbers, in no laboratory's
            return text
    except ValueError:
        return text
    if column.unit_column is None:
        return number
    unit = row[column.unit_column]
    if unit not in column.factors:
        raise ValueError(f"{column.unit_column}: the unit {unit!r} is none of {', '.join(column.factors)}")
    return float(f"{number * column.factors[unit]:.12g}")  # 7100 /uL is 7.1 10*9/L, not 7.1000000000000005


def named(problem: str, line: int, mapping: ImportMapping, form: Form, row: RecordForm) -> str:
    """Return a problem of a form with the line and column it stands in, and what stands there."""
    for column in mapping.columns:
        if problem.startswith(f"{form.form}.{column.item} ("):
            got = row.values.get(column.item)
            shown = "" if got is None else f"; got {got!r}"
            return f"line {line}, column {column.column}: {problem}{shown}"
    return f"line {line}: {problem}"
