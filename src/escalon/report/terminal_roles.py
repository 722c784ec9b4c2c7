"""Who may do what, as two tables for the terminal."""

from collections.abc import Iterable, Mapping

from rich.table import Table

from escalon.report.terminal_text import table_text


def render_roles(
    acts: Iterable[tuple[str, str, str, tuple[str, ...]]], reading: Mapping[str, Mapping[str, str]]
) -> str:
    """Return the acts (topic, name, meaning, roles) and what is read (by role: own site or all) as text."""
    done = _table("Acts: what is not named is refused", "Topic", "Act", "What it does", "Roles")
    for topic, name, meaning, roles in acts:
        done.add_row(topic, name, meaning, _words(roles))
    read = _table("Reading: of the own site only, or of all", "What", "Own site", "All sites")
    for what, scopes in reading.items():
        read.add_row(
            what, *(_words(role for role in scopes if scopes[role] == one) for one in ("own", "all"))
        )
    return f"{table_text(done)}\n{table_text(read)}"


def _table(title: str, *names: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _words(roles: Iterable[str]) -> str:
    return ", ".join(role.replace("_", " ") for role in roles)
