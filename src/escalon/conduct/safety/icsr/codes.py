"""Code lists and object identifiers of E2B(R3) that a report uses, as data in ``data/codes.json``."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

ICH = "2.16.840.1.113883.3.989.2.1"
"""Root of the identifiers and code lists of ICH."""
TERMS = f"{ICH}.1.19"
"""Code list of observations."""
MEDDRA = "2.16.840.1.113883.6.163"
COUNTRY = "1.0.3166.1.2.2"
SEX = "1.0.5218"
NCI = "2.16.840.1.113883.3.26.1.1"
"""NCI thesaurus, for race, ethnicity and the regional elements of FDA."""
FDA = "2.16.840.1.113883.3.989.5.1.2.2.1"
"""Root of the identifiers of FDA before marketing."""


@cache
def read_table(name: str) -> Any:
    """Return the JSON table ``name`` of this folder."""
    path = files("escalon.conduct.safety.icsr") / "data" / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def code_of(table: str, value: str | None) -> str | None:
    """Return the code of ``value`` in ``table``; None when there is none.

    >>> code_of("outcome", "FATAL"), code_of("race", "OTHER")
    ('5', None)
    """
    found: dict[str, str] = read_table("codes")[table]
    return None if value is None else found.get(value)
