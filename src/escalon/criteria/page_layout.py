"""Markdown of a documentation page: title, grids, and the citation of every source a row names."""

from collections.abc import Iterable, Sequence
from typing import Any

from escalon.criteria.tables import find_source


def render_page(title: str, keys: Iterable[str], *blocks: Iterable[str]) -> str:
    """One page: the blocks, then the citations of ``keys`` with their tags, each once in order of appearance."""
    lines = [f"# {title}", ""]
    for block in blocks:
        lines += [*block, ""]
    lines += ["## Sources", ""]
    cited = ((key, find_source(key)) for key in dict.fromkeys(key for key in keys if key))
    lines += [f"- `{key}` ({source.tag}): {source.text}" for key, source in cited]
    return "\n".join(lines).rstrip() + "\n"


def render_grid(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    """A table, one line per row."""

    def line(cells: Sequence[Any]) -> str:
        return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"

    return [line(head), line(["---"] * len(head)), *(line(row) for row in rows)]


def find_keys(value: Any) -> list[str]:
    """Every source key that a table, or a part of one, names in its rows."""
    if isinstance(value, dict):
        own = [value["source"]] if isinstance(value.get("source"), str) and "version" not in value else []
        return own + [key for part in value.values() for key in find_keys(part)]
    if isinstance(value, list):
        return [key for part in value for key in find_keys(part)]
    return []


def limit_text(row: Any) -> str:
    """Operator and limit of a row."""
    return f"{row['op']} {row['limit']:g}"
