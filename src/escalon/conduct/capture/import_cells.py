"""One cell of a file: its text becomes the answer to an item, in the unit of the form."""

from typing import Any

from escalon.protocol.conduct.imports import ImportColumn, ImportMapping
from escalon.protocol.forms_items import NUMBERS, Item
from escalon.protocol.forms_ucum import ucum_factor


def answer(text: str, unit: str | None, column: ImportColumn, mapping: ImportMapping, item: Item) -> Any:
    """Return the answer that ``text`` gives, None for a blank; what is no number stays a text, for the form to refuse.

    Args:
        text: the cell, stripped.
        unit: what the column of units says, or None where the mapping has none.
        column, mapping, item: what the study says of it.

    Raises:
        ValueError: the unit is none of the mapping's.
    """
    if not text:
        return None
    if text in mapping.missing:
        return {"missing": mapping.missing[text]}
    if item.type not in NUMBERS:
        return column.codes.get(text, text)
    factor = _factor(column, unit, item)
    number = _number(text, whole=item.type == "integer" and factor is None)
    if number is None or factor is None:
        return text if number is None else number
    # 7100 /uL is 7.1 10*9/L, not 7.1000000000000005
    converted = float(f"{number * factor:.12g}")
    return int(converted) if item.type == "integer" and converted.is_integer() else converted


def _number(text: str, whole: bool) -> float | int | None:
    """The number ``text`` spells; before a conversion also a whole number may be spelled with decimals."""
    try:
        number: float = int(text) if whole else float(text)
    except ValueError:
        return None
    return None if "_" in text else number  # Python's own spelling of numbers, in no laboratory's


def _factor(column: ImportColumn, unit: str | None, item: Item) -> float | None:
    """The factor into the unit of the form; None where nothing is to be converted."""
    if column.unit is not None:
        return ucum_factor(column.unit, str(item.unit))
    if not (column.units or column.factors):
        return None
    if unit in column.factors:
        return column.factors[unit]
    if unit in column.units:
        return ucum_factor(column.units[unit], str(item.unit))
    known = ", ".join((*column.factors, *column.units))
    raise ValueError(f"the unit {unit!r} is none of {known}")


def needed_columns(mapping: ImportMapping) -> tuple[str, ...]:
    """Return the columns a file of ``mapping`` has, in the order in which their absence is told."""
    columns = [one.column for one in mapping.columns]
    columns += [one.unit_column for one in mapping.columns]
    long = mapping.long
    own = (long.item, long.value, long.unit, long.row, long.form) if long is not None else ()
    named = (mapping.patient, mapping.record, mapping.visit, *own, *columns)
    return tuple(dict.fromkeys(name for name in named if name is not None))
