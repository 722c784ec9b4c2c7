"""The user's own licensed dictionaries, read from text: MedDRA for events, WHODrug for medicines. None is shipped.

Formats: MedDRA as CSV
``llt_code,llt_term,pt_code,pt_term,hlt_code,hlt_term,hlgt_code,hlgt_term,soc_code,soc_term``; drugs as CSV
``code,name,atc_code,atc_text``. The version belongs to the study and is given by the caller. Reading files is
the caller's part.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class EventCode:
    """One lowest level term with its place in the hierarchy; ``current`` is False for a retired one."""

    llt_code: str
    llt_term: str
    pt_code: str
    pt_term: str
    hlt_code: str
    hlt_term: str
    hlgt_code: str
    hlgt_term: str
    soc_code: str
    soc_term: str
    current: bool = True


EVENT_COLUMNS = tuple(item.name for item in fields(EventCode) if item.name != "current")


@dataclass(frozen=True, slots=True)
class DrugCode:
    """One medicine with its ATC class."""

    code: str
    name: str
    atc_code: str
    atc_text: str


@dataclass(frozen=True, slots=True)
class EventDictionary:
    """Event codes by lowest level term (lower case), of one version."""

    version: str
    terms: Mapping[str, EventCode]

    def find(self, term: str) -> EventCode:
        """Code of a term, without regard to case.

        Raises:
            ValueError: when the dictionary does not hold the term.
        """
        found = self.terms.get(term.strip().lower())
        if found is None:
            raise ValueError(
                f"term: {term!r} is not a lowest level term of the event dictionary {self.version}"
            )
        return found


@dataclass(frozen=True, slots=True)
class DrugDictionary:
    """Drug codes by name (lower case), of one version; one name may have several ATC classes."""

    version: str
    names: Mapping[str, tuple[DrugCode, ...]]

    def find(self, name: str) -> tuple[DrugCode, ...]:
        """All codes of a name, without regard to case.

        Raises:
            ValueError: when the dictionary does not hold the name.
        """
        found = self.names.get(name.strip().lower())
        if found is None:
            raise ValueError(f"name: {name!r} is not in the drug dictionary {self.version}")
        return found


def load_event_dictionary(text: str, version: str) -> EventDictionary:
    """Read an event dictionary from the text of a CSV file.

    Args:
        text: the file's content, with its header.
        version: version of the dictionary, for example ``27.1``.

    Raises:
        ValueError: for a wrong header, an empty cell, or a term with two codes, with the line.
    """
    terms: dict[str, EventCode] = {}
    for line, cells in _rows(text, EVENT_COLUMNS, version):
        row = EventCode(**dict[str, Any](cells))
        old = terms.setdefault(row.llt_term.lower(), row)
        if old != row:
            raise ValueError(f"line {line}: {row.llt_term!r} has codes {old.llt_code} and {row.llt_code}")
    return EventDictionary(version, MappingProxyType(terms))


def load_drug_dictionary(text: str, version: str) -> DrugDictionary:
    """Read a drug dictionary from the text of a CSV file.

    Args:
        text: the file's content, with its header.
        version: version of the dictionary.

    Raises:
        ValueError: for a wrong header or an empty cell, with the line.
    """
    names: dict[str, tuple[DrugCode, ...]] = {}
    for _, cells in _rows(text, tuple(field.name for field in fields(DrugCode)), version):
        row = DrugCode(**cells)
        known = names.get(row.name.lower(), ())
        names[row.name.lower()] = known if row in known else (*known, row)
    return DrugDictionary(version, MappingProxyType(names))


def _rows(text: str, header: tuple[str, ...], version: str) -> Iterator[tuple[int, dict[str, str]]]:
    if not version.strip():
        raise ValueError("version: empty; name the version of the dictionary")
    reader = csv.reader(text.lstrip("\ufeff").splitlines())
    found = tuple(cell.strip() for cell in next(reader, []))
    if found != header:
        raise ValueError(f"line 1: header is {','.join(found) or 'missing'}; it must be {','.join(header)}")
    empty = True
    for cells in reader:
        if not cells:
            continue
        empty = False
        values = [cell.strip() for cell in cells]
        if len(values) != len(header) or not all(values):
            wrong = next(
                (name for name, cell in zip(header, values, strict=False) if not cell), "number of cells"
            )
            raise ValueError(
                f"line {reader.line_num}: {wrong} is wrong or empty; {len(header)} cells are needed"
            )
        yield reader.line_num, dict(zip(header, values, strict=True))
    if empty:
        raise ValueError("line 2: the dictionary holds no row")
