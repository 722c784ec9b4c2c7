"""Reads the threshold tables that lie beside the code."""

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def load_text(name: str) -> str:
    """Text of one package data file of this room, read once."""
    return files("escalon.criteria").joinpath("data", name).read_text(encoding="utf-8")


@cache
def load_table(name: str) -> dict[str, Any]:
    """One JSON table of this room, for example ``astct.json``, read once; callers do not change it."""
    table: dict[str, Any] = json.loads(load_text(name))
    return table
