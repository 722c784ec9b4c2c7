"""What the migrations put into a database: triggers, and the functions behind them. Read from the migrations."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import iter_modules

from escalon.store import migrations

TRIGGER = re.compile(r"\s*CREATE (?:CONSTRAINT )?TRIGGER (\w+)\s.*?\bON (\w+)", re.DOTALL)
ALWAYS = re.compile(r"\s*ALTER TABLE (\w+) ENABLE ALWAYS TRIGGER (\w+)")
FUNCTION = re.compile(r"\s*CREATE (?:OR REPLACE )?FUNCTION (\w+)\(.*?AS \$\$(.*)\$\$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Guards:
    """Triggers by name, as their statement (SQLite) or their table (PostgreSQL), those that always fire, functions."""

    triggers: dict[str, str] = field(default_factory=dict)
    always: frozenset[str] = frozenset()
    functions: dict[str, str] = field(default_factory=dict)


def migration_names() -> tuple[str, ...]:
    """Return the migrations of the ledger in order."""
    return tuple(sorted(module.name for module in iter_modules(migrations.__path__)))


def sqlite_guards() -> Guards:
    """Return the triggers of a ledger in SQLite with their text."""
    found = {}
    for statement in _statements("SQLITE"):
        if match := TRIGGER.match(statement):
            found[match[1]] = one_line(statement)
    return Guards(found)


def postgresql_guards() -> Guards:
    """Return the triggers of a ledger in PostgreSQL with their tables, and the text of their functions."""
    triggers, always, functions = {}, set(), {}
    for statement in _statements("POSTGRESQL"):
        if match := TRIGGER.match(statement):
            triggers[match[1]] = match[2]
        elif match := ALWAYS.match(statement):
            always.add(match[2])
        elif match := FUNCTION.match(statement):
            functions[match[1]] = one_line(match[2])
    return Guards(triggers, frozenset(always), functions)


def one_line(text: str) -> str:
    """Return a text with every run of blanks as one, so that layout does not count."""
    return " ".join(text.split())


def _statements(vendor: str) -> Iterator[str]:
    for name in migration_names():
        yield from getattr(import_module(f"{migrations.__name__}.{name}"), vendor, ())
