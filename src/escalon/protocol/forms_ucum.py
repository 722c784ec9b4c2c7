"""How many of one UCUM unit make one of another: conversion by dimension, exact in fractions.

A unit is a number times base quantities. Mole, international unit and every arbitrary unit are quantities of their
own: a mole is not made a mass here, since that needs the substance. An annotation such as ``{copies}`` is the number
one. Temperatures with another zero (``Cel``, ``[degF]``) and logarithms (``[pH]``) have no factor.

Source: The Unified Code for Units of Measure, version 2.2, tables of prefixes, base units and derived units,
https://ucum.org (case-sensitive codes).
"""

import re
from fractions import Fraction

from escalon.protocol.forms_units import METRIC, is_ucum

Dimension = dict[str, int]
_PREFIX_POWERS = {
    "Y": 24, "Z": 21, "E": 18, "P": 15, "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "da": 1, "d": -1, "c": -2, "m": -3,
    "u": -6, "n": -9, "p": -12, "f": -15, "a": -18, "z": -21, "y": -24,
}  # fmt: skip
# Unit: (factor, base quantities). What is not here is a quantity of its own.
_DERIVED: dict[str, tuple[Fraction, Dimension]] = {
    "10*": (Fraction(10), {}),
    "10^": (Fraction(10), {}),
    "%": (Fraction(1, 100), {}),
    "[ppth]": (Fraction(1, 10**3), {}),
    "[ppm]": (Fraction(1, 10**6), {}),
    "[ppb]": (Fraction(1, 10**9), {}),
    "[pptr]": (Fraction(1, 10**12), {}),
    "min": (Fraction(60), {"s": 1}),
    "h": (Fraction(3600), {"s": 1}),
    "d": (Fraction(86400), {"s": 1}),
    "wk": (Fraction(604800), {"s": 1}),
    "a": (Fraction(31557600), {"s": 1}),
    "a_j": (Fraction(31557600), {"s": 1}),
    "mo": (Fraction(2629800), {"s": 1}),
    "mo_j": (Fraction(2629800), {"s": 1}),
    "L": (Fraction(1, 1000), {"m": 3}),
    "l": (Fraction(1, 1000), {"m": 3}),
    "t": (Fraction(10**6), {"g": 1}),
    "Hz": (Fraction(1), {"s": -1}),
    "N": (Fraction(1000), {"g": 1, "m": 1, "s": -2}),
    "Pa": (Fraction(1000), {"g": 1, "m": -1, "s": -2}),
    "bar": (Fraction(10**8), {"g": 1, "m": -1, "s": -2}),
    "m[Hg]": (Fraction(133322000), {"g": 1, "m": -1, "s": -2}),
    "m[H2O]": (Fraction(9806650), {"g": 1, "m": -1, "s": -2}),
    "J": (Fraction(1000), {"g": 1, "m": 2, "s": -2}),
    "cal": (Fraction(4184), {"g": 1, "m": 2, "s": -2}),
    "[Cal]": (Fraction(4184000), {"g": 1, "m": 2, "s": -2}),
    "W": (Fraction(1000), {"g": 1, "m": 2, "s": -3}),
    "Sv": (Fraction(1), {"Gy": 1}),
    "U": (Fraction(1, 60 * 10**6), {"mol": 1, "s": -1}),
    "kat": (Fraction(1), {"mol": 1, "s": -1}),
    "eq": (Fraction(1), {"mol": 1}),
    "osm": (Fraction(1), {"mol": 1}),
    "[iU]": (Fraction(1), {"[IU]": 1}),
    "[in_i]": (Fraction(254, 10**4), {"m": 1}),
    "[ft_i]": (Fraction(3048, 10**4), {"m": 1}),
    "[lb_av]": (Fraction(45359237, 10**5), {"g": 1}),
    "[oz_av]": (Fraction(45359237, 16 * 10**5), {"g": 1}),
}
_NO_FACTOR = ("Cel", "[degF]", "[pH]", "[hp'_X]", "B", "Np")
_TOKEN = re.compile(
    r"(?P<mark>[()./])|(?P<annotation>\{[^}]*\})|(?P<atom>10[*^]|(?:[A-Za-z%'_]|\[[^\[\]{}]+\])+)(?P<power>[+-]?\d+)?"
    r"|(?P<number>\d+)"
)


def ucum_factor(unit: str, into: str) -> float | None:
    """Return by what a number in ``unit`` is multiplied to be in ``into``; None where no factor leads there.

    Example:
        >>> ucum_factor("/uL", "10*9/L"), ucum_factor("mg/dL", "g/L"), ucum_factor("mg/dL", "umol/L")
        (0.001, 0.01, None)
    """
    if not (is_ucum(unit) and is_ucum(into)):
        return None
    if unit == into:
        return 1.0
    one, other = _measure(unit), _measure(into)
    if one is None or other is None or one[1] != other[1]:
        return None
    return float(one[0] / other[0])


def _measure(code: str) -> tuple[Fraction, Dimension] | None:
    """The factor and base quantities of a code; None for a unit that has no factor."""
    found = [match for match in _TOKEN.finditer(code)]
    if any(match["atom"] in _NO_FACTOR for match in found):
        return None
    factor, dimension, _ = _term(found, 0)
    return factor, {name: power for name, power in dimension.items() if power}


def _term(tokens: "list[re.Match[str]]", at: int) -> tuple[Fraction, Dimension, int]:
    """Read from ``at`` to the closing parenthesis or the end: ``/`` turns only the component right behind it."""
    factor, dimension, sign = Fraction(1), dict[str, int](), 1
    while at < len(tokens):
        mark = tokens[at]["mark"]
        if mark == ")":
            return factor, dimension, at + 1
        if mark in (".", "/"):
            sign, at = (-1 if mark == "/" else 1), at + 1
            continue
        if mark == "(":
            number, powers, at = _term(tokens, at + 1)
        else:
            (number, powers), at = _component(tokens[at]), at + 1
        factor *= number**sign
        for name, power in powers.items():
            dimension[name] = dimension.get(name, 0) + sign * power
    return factor, dimension, at


def _component(token: "re.Match[str]") -> tuple[Fraction, Dimension]:
    if token["annotation"] is not None:
        return Fraction(1), {}
    if token["number"] is not None:
        return Fraction(int(token["number"])), {}
    number, powers = _atom(token["atom"])
    power = int(token["power"] or 1)
    return number**power, {name: each * power for name, each in powers.items()}


def _atom(atom: str) -> tuple[Fraction, Dimension]:
    if atom in _DERIVED:
        return _DERIVED[atom]
    if atom not in METRIC:
        for prefix, power in _PREFIX_POWERS.items():
            unit = atom.removeprefix(prefix)
            if atom.startswith(prefix) and unit in METRIC:
                number, powers = _DERIVED.get(unit, (Fraction(1), {unit: 1}))
                return Fraction(10) ** power * number, powers
    return Fraction(1), {atom: 1}
