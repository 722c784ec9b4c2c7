"""Converts laboratory values between UCUM units through pint, mass to mole where the analyte is known."""

import re
from functools import cache
from typing import TYPE_CHECKING

from escalon.criteria.tables import load_table

if TYPE_CHECKING:
    from pint import UnitRegistry

# One UCUM term: an optional power of ten, then a metric unit of the kinds a laboratory reports.
_TERM = re.compile(
    r"(10[*^]\d{1,2})?(1|mol|mmol|umol|nmol|pmol|meq|eq|kg|g|mg|ug|ng|pg|L|dL|mL|uL|fL|l|dl|ml|ul"
    r"|U|kU|mU|kat|ukat|nkat|s|min|h|mm3|\[pH\])?"
)


@cache
def _registry() -> "UnitRegistry[float]":
    from pint import UnitRegistry  # a quarter of a second, and most values arrive in the table's own unit

    return UnitRegistry()


@cache
def compute_factor(unit: str, to: str, analyte: str | None = None) -> float:
    """Factor that turns a number in ``unit`` into a number in ``to``.

    Args:
        unit: UCUM code, for example ``10*9/L``, ``/uL``, ``mg/dL``, ``umol/L``; common laboratory spellings
            are known.
        to: UCUM code of the result.
        analyte: name in ``data/units.json``, which carries molar mass and valence; None allows no
            mass-to-mole step.

    Raises:
        ValueError: for an unknown unit or one of another kind.

    Example:
        >>> round(compute_factor("mg/dL", "umol/L", "creatinine"), 2)
        88.4
    """
    spelled = [_normal(code) for code in (unit, to)]
    if spelled[0] == spelled[1]:
        return 1.0
    if "[pH]" in spelled:
        raise ValueError(f"unit: {unit!r} cannot be turned into {to!r}; a pH has no other unit")
    source, target = (_quantity(code, analyte) for code in spelled)
    if source[1] == target[1]:
        return source[0] / target[0]
    molar_mass = _molar_mass(analyte)
    kinds = (source[1], target[1])
    if molar_mass is not None and kinds == ("mass", "amount"):
        return source[0] / molar_mass / target[0]
    if molar_mass is not None and kinds == ("amount", "mass"):
        return source[0] * molar_mass / target[0]
    raise ValueError(f"unit: {unit!r} cannot be turned into {to!r}" + (f" for {analyte}" if analyte else ""))


def _normal(code: str) -> str:
    spellings: dict[str, str] = load_table("units.json")["spellings"]
    plain = spellings.get(code.strip(), code.strip())
    return re.sub(r"\{[^}]*\}", "", plain).replace("10^", "10*") or "1"


def _molar_mass(analyte: str | None) -> float | None:
    return None if analyte is None else float(load_table("units.json")["analytes"][analyte]["molar_mass"])


def _quantity(code: str, analyte: str | None) -> tuple[float, str]:
    """Size of a code in g/L, mol/L, 1/L or the kind's own pint units, with the kind."""
    registry = _registry()
    parts = code.split("/")
    if len(parts) > 3 or not all(_TERM.fullmatch(part) for part in parts) or not any(parts):
        raise ValueError(
            f"unit: {code!r} is not a known UCUM code; write for example 10*9/L, g/L, mmol/L or U/L"
        )
    size = registry.Quantity(1.0)
    for position, part in enumerate(parts):
        match = _TERM.fullmatch(part)
        assert match is not None
        power, name = match.groups()
        piece = registry.Quantity(float(power[3:] and f"1e{power[3:]}") if power else 1.0)
        if name and name != "1":
            piece = piece * _unit(name, analyte, registry)
        size = size * piece if position == 0 else size / piece
    for kind, reference in (("mass", "g/L"), ("amount", "mol/L"), ("count", "1/L")):
        if size.is_compatible_with(reference):
            return float(size.to(reference).magnitude), kind
    base = size.to_base_units()
    return float(base.magnitude), str(base.units)


def _unit(name: str, analyte: str | None, registry: "UnitRegistry[float]") -> "object":
    if name in ("eq", "meq"):
        valence = load_table("units.json")["analytes"].get(analyte or "", {}).get("valence")
        if valence is None:
            raise ValueError(
                f"unit: {name!r} needs an ion with a known valence" + (f", not {analyte}" if analyte else "")
            )
        return registry.Quantity(1.0 / valence, "mol" if name == "eq" else "mmol")
    if name in ("U", "kU", "mU"):
        scale = {"U": 1.0, "kU": 1e3, "mU": 1e-3}[name]
        return registry.Quantity(scale, "umol/min")
    return registry.Quantity(
        1.0, {"mm3": "mm**3", "kat": "mol/s", "ukat": "umol/s", "nkat": "nmol/s"}.get(name, name)
    )
