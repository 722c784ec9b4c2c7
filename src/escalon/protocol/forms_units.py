"""Units of measure as UCUM codes: is this text a code of the grammar, built of units a trial may meet?

Source: The Unified Code for Units of Measure, version 2.2, https://ucum.org (case-sensitive codes). The grammar is
whole; of the unit atoms those of medicine and its laboratories are known.
"""

import re

PREFIXES = (
    "Y",
    "Z",
    "E",
    "P",
    "T",
    "G",
    "M",
    "k",
    "h",
    "da",
    "d",
    "c",
    "m",
    "u",
    "n",
    "p",
    "f",
    "a",
    "z",
    "y",
)
# fmt: off
# Units that take a prefix.
METRIC = (
    "m", "s", "g", "rad", "K", "C", "cd", "mol", "sr", "Hz", "N", "Pa", "J", "W", "A", "V", "F", "Ohm", "S",
    "Wb", "Cel", "T", "H", "lm", "lx", "Bq", "Gy", "Sv", "L", "l", "bar", "u", "eV", "cal", "U", "kat",
    "eq", "osm", "m[Hg]", "m[H2O]", "[IU]", "[iU]", "B", "Np", "t",
)
# Units that take none.
OTHER = (
    "10*", "10^", "%", "[ppth]", "[ppm]", "[ppb]", "[pptr]", "min", "h", "d", "wk", "mo", "a", "mo_j",
    "a_j", "mo_g", "a_g", "deg", "'", "''", "[pH]", "[in_i]", "[ft_i]", "[lb_av]", "[oz_av]", "[degF]",
    "[drp]", "[HPF]", "[LPF]", "[CFU]", "[PFU]", "[FFU]", "[arb'U]", "[USP'U]", "[ELU]", "[EU]", "[APL'U]",
    "[GPL'U]", "[MPL'U]", "[TCID_50]", "[CCID_50]", "[EID_50]", "[Cal]", "[hp'_X]", "[pt_us]", "[cup_us]",
    "[tsp_us]", "[tbs_us]",
)
# fmt: on
_ATOMS = frozenset([*OTHER, *METRIC, *(prefix + unit for prefix in PREFIXES for unit in METRIC)])
_TOKEN = re.compile(
    r"\((?P<open>)|\)(?P<close>)|(?P<operator>[./])|(?P<annotation>\{[!-z|~]*\})"
    r"|(?P<atom>10[*^]|(?:[A-Za-z%'_]|\[[^\[\]{}]+\])+)(?P<power>[+-]?[1-9][0-9]*)?|(?P<number>[1-9][0-9]*)"
)


def is_ucum(code: str) -> bool:
    """Tell whether ``code`` is a UCUM code.

    Example:
        >>> is_ucum("10*9/L"), is_ucum("umol/L"), is_ucum("{copies}/ug"), is_ucum("years")
        (True, True, True, False)
    """
    kinds: list[str] = []
    at = 0
    while at < len(code):
        found = _TOKEN.match(code, at)
        if found is None or (found["atom"] is not None and found["atom"] not in _ATOMS):
            return False
        kinds.append(_kind(found))
        at = found.end()
    return bool(kinds) and _is_term(kinds)


def _kind(found: "re.Match[str]") -> str:
    """The letter of a token in the pattern of a term: unit, annotation, operator or parenthesis."""
    text = found.group()
    if text in "()./":
        return text
    return "n" if found["annotation"] is not None else "u"


def _is_term(kinds: list[str]) -> bool:
    """A term is components joined by . or /; a leading / means one over; a component may carry an annotation."""
    text = "".join(kinds)
    component = re.compile(r"\((?:/)?(?:un|u|n)(?:[./](?:un|u|n))*\)n?")
    while component.search(text):
        text = component.sub("u", text)
    return re.fullmatch(r"/?(?:un|u|n)(?:[./](?:un|u|n))*", text) is not None
