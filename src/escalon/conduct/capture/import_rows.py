"""Reading a CSV file by a mapping of the study: its rows are gathered into entries of records, or named as problems.

In the wide layout a row is one record, or one row of a group of a record; in the long layout it is one answer.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

from escalon.conduct.capture.import_cells import answer, needed_columns
from escalon.conduct.commands import RecordForm
from escalon.protocol.conduct.import_checks import group_of
from escalon.protocol.conduct.imports import ImportColumn, ImportMapping, LongLayout
from escalon.protocol.forms import Form
from escalon.protocol.forms_items import Item

Cells = dict[str, str]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer stands: line (the header is line 1), column, and what was read there."""

    line: int
    column: str
    value: Any


@dataclass(slots=True)
class Entry:
    """What a file says of one record: the entry, the lines it comes from, and what is wrong with it.

    ``spoken`` are the items and groups the file speaks of, blanks too; ``places`` tells where each answer stands, by
    the name a problem of the form gives it (``NEUT``, ``DRUGS[2].DAYS``).
    """

    patient: str
    record: str
    visit: str | None
    lines: list[int] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    rows: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)
    spoken: set[str] = field(default_factory=set)
    places: dict[str, Place] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def command(self, form: Form) -> RecordForm:
        """The entry as a person would make it."""
        groups = {name: [found[number] for number in sorted(found)] for name, found in self.rows.items()}
        return RecordForm(self.patient, form.form, self.record, {**self.values, **groups}, self.visit)

    def named(self, problem: str, form: Form) -> str:
        """Return a problem of the form with the line and column it stands in, and what stands there."""
        name = problem.split(" (")[0].split(": ")[0].removeprefix(f"{form.form}.")
        place = self.places.get(name)
        if place is None:
            return f"line {self.lines[0]}: {problem}"
        shown = "" if place.value is None else f"; got {place.value!r}"
        return f"line {place.line}, column {place.column}: {problem}{shown}"


@dataclass(slots=True)
class FileRead:
    """A file as it was read: the entries in order of their first lines, and the rows that could not be read."""

    entries: list[Entry]
    unread: list[str]
    blank: int

    @property
    def lines(self) -> int:
        """Rows of the file that hold anything."""
        return len(self.unread) + sum(len(entry.lines) for entry in self.entries)


def header_problems(text: str, mapping: ImportMapping) -> tuple[str, ...]:
    """Return why the file as a whole does not fit the mapping."""
    try:
        header, *_ = [*csv.reader(StringIO(text))] or [[]]
    except csv.Error as error:
        return (f"this is no CSV file: {error}",)
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        return tuple(f"line 1, column {name}: stands twice" for name in twice)
    return tuple(
        f"line 1: the column {name} is missing" for name in needed_columns(mapping) if name not in header
    )


def read_file(text: str, mapping: ImportMapping, form: Form) -> FileRead:
    """Read a file whose header fits; a row of blanks only is counted and left out."""
    reader = csv.reader(StringIO(text))
    header = next(reader)
    gathered = _Gathered(mapping, form)
    unread: list[str] = []
    blank = 0
    for cells in reader:
        line = reader.line_num
        if not any(cell.strip() for cell in cells):
            blank += 1
        elif len(cells) != len(header):
            unread.append(f"line {line}: {len(cells)} cells; the header has {len(header)}")
        else:
            row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
            gathered.add(row, line)
    return FileRead(gathered.finished(), unread, blank)


class _Gathered:
    """Entries by patient and record, built row by row."""

    def __init__(self, mapping: ImportMapping, form: Form) -> None:
        self._mapping, self._form = mapping, form
        self._entries: dict[tuple[str, str], Entry] = {}
        self._rows: dict[tuple[str, ...], int] = {}
        self._by_code = {column.code: column for column in mapping.columns if column.code is not None}

    def add(self, row: Cells, line: int) -> None:
        """Take one row into the entry of its record."""
        mapping = self._mapping
        record = f"{mapping.prefix}{row[mapping.record]}"
        visit = None if mapping.visit is None else row[mapping.visit] or None
        key = (row[mapping.patient], record)
        first = key not in self._entries
        entry = self._entries.setdefault(key, Entry(*key, visit))
        entry.lines.append(line)
        for name in (mapping.patient, mapping.record):
            if not row[name]:
                entry.problems.append(f"line {line}, column {name}: is empty")
        if entry.visit != visit:
            entry.problems.append(
                f"line {line}, column {mapping.visit}: {visit!r} differs from line {entry.lines[0]}"
            )
        if not first and self._repeated(entry, row, line):
            return
        self._rows.setdefault(tuple(row.values()), line)
        for place, column, value in self._answers(entry, row, line):
            self._put(entry, place, column, value)
        if mapping.long is not None:
            self._long(entry, row, line, mapping.long)

    def _repeated(self, entry: Entry, row: Cells, line: int) -> bool:
        """Name a row that must not stand a second time."""
        if self._mapping.long is not None:
            return False
        seen = entry.lines[0] if self._mapping.group is None else self._rows.get(tuple(row.values()))
        if seen is None:
            return False
        entry.problems.append(
            f"line {line}, column {self._mapping.record}: {entry.record} of {entry.patient} "
            f"stands on line {seen} already"
        )
        return True

    def _answers(self, entry: Entry, row: Cells, line: int) -> Iterator[tuple[Place, ImportColumn, Any]]:
        """The answers that have columns of their own."""
        for column in self._mapping.columns:
            item = self._form.item(column.item)
            if column.column is None or item is None:
                continue
            unit = None if column.unit_column is None else row[column.unit_column]
            value = self._read(entry, row[column.column], unit, column, item, line)
            yield Place(line, column.column, value), column, value

    def _read(
        self, entry: Entry, text: str, unit: str | None, column: ImportColumn, item: Item, line: int
    ) -> Any:
        try:
            return answer(text, unit, column, self._mapping, item)
        except ValueError as error:
            where = column.unit_column or (self._mapping.long.unit if self._mapping.long else None)
            entry.problems.append(f"line {line}, column {where}: {error}")
            return None

    def _put(self, entry: Entry, place: Place, column: ImportColumn, value: Any) -> None:
        """Keep the answer of a column: of the record, the same on all its rows, or of the next row of the group."""
        group = self._mapping.group
        if group is not None and group_of(self._form, column.item) == group:
            number = len(entry.lines)
            self._put_row(entry, place, group, number, column.item, value)
            return
        before = entry.places.get(column.item)
        if before is not None and before.value != value:
            entry.problems.append(
                f"line {place.line}, column {place.column}: {value!r} differs from line {before.line}"
            )
        entry.spoken.add(column.item)
        entry.places.setdefault(column.item, place)
        if value is not None:
            entry.values[column.item] = value

    def _put_row(self, entry: Entry, place: Place, group: str, number: int, item: str, value: Any) -> None:
        entry.spoken.add(group)
        entry.places[f"{group}[{number}].{item}"] = place
        row = entry.rows.setdefault(group, {}).setdefault(number, {})
        if value is not None:
            row[item] = value

    def _long(self, entry: Entry, row: Cells, line: int, long: LongLayout) -> None:
        """Take the one answer of a row of the long layout."""
        if long.form is not None and row[long.form] != self._form.form:
            rule = f"{row[long.form]!r} is not {self._form.form}, the form of the mapping"
            entry.problems.append(f"line {line}, column {long.form}: {rule}")
            return
        column = self._by_code.get(row[long.item])
        item = None if column is None else self._form.item(column.item)
        if column is None or item is None:
            known = ", ".join(self._by_code)
            entry.problems.append(f"line {line}, column {long.item}: {row[long.item]!r} is none of {known}")
            return
        number = self._row_number(entry, row, line, long, item)
        group = group_of(self._form, item.name)
        name = item.name if group is None else f"{group}[{number}].{item.name}"
        if name in entry.places:
            entry.problems.append(
                f"line {line}, column {long.item}: {row[long.item]} of {entry.record} of {entry.patient} "
                f"stands on line {entry.places[name].line} already"
            )
            return
        value = self._read(
            entry, row[long.value], None if long.unit is None else row[long.unit], column, item, line
        )
        place = Place(line, long.value, value)
        if group is None:
            self._put(entry, place, column, value)
        else:
            self._put_row(entry, place, group, number, item.name, value)

    def _row_number(self, entry: Entry, row: Cells, line: int, long: LongLayout, item: Item) -> int:
        """The row of the item's group, 1, 2, ...; 0 where the item stands in no group."""
        text = "" if long.row is None else row[long.row]
        group = group_of(self._form, item.name)
        if group is None:
            if text:
                rule = f"{item.name} stands in no group; leave the row empty"
                entry.problems.append(f"line {line}, column {long.row}: {rule}")
            return 0
        if not (text.isascii() and text.isdigit() and len(text) < 5 and int(text) > 0):
            rule = f"{text!r} is no row of {group}; rows count 1, 2, ..."
            entry.problems.append(f"line {line}, column {long.row}: {rule}")
            return 0
        return int(text)

    def finished(self) -> list[Entry]:
        """Return the entries; rows of a group have to count from 1 without gaps."""
        for entry in self._entries.values():
            for group, rows in entry.rows.items():
                numbers = sorted(rows)
                if numbers != [*range(1, len(numbers) + 1)] and not entry.problems:
                    shown = ", ".join(map(str, numbers))
                    rule = f"the rows of {group} are {shown}; they count 1, 2, ... without gaps"
                    entry.problems.append(f"line {entry.lines[0]}: {rule}")
        return [*self._entries.values()]
