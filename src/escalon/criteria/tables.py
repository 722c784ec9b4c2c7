"""Reads the threshold tables that lie beside the code."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from escalon.criteria.result import check_code


@cache
def load_text(name: str) -> str:
    """Text of one package data file of this room, read once."""
    return files("escalon.criteria").joinpath("data", name).read_text(encoding="utf-8")


@cache
def load_table(name: str) -> dict[str, Any]:
    """One JSON table of this room, for example ``astct.json``, read once; callers do not change it."""
    table: dict[str, Any] = json.loads(load_text(name))
    return table


@dataclass(frozen=True, slots=True)
class Source:
    """Where a row comes from: ``registry``, ``publication``, ``derived`` or ``assumption``, and the citation."""

    tag: str
    text: str


def find_source(key: str) -> Source:
    """The source of a row by its key.

    Raises:
        ValueError: for an unknown key.
    """
    table = load_table("sources.json")
    check_code("source", key, tuple(table))
    return Source(**table[key])
