"""Tables fit the terminal: none is wider than it, and none is wider than it may be in a file."""

import pytest
from rich.cells import cell_len
from rich.table import Table

from escalon.report.terminal_text import NARROWEST, table_text


def table() -> Table:
    made = Table("Event", "What", title="Long", title_justify="left", box=None, pad_edge=False)
    made.add_row("1", "life threatening, hospitalisation, important medical event; " * 5)
    return made


@pytest.mark.parametrize(
    ("columns", "widest"),
    [("60", 60), ("80", 80), ("120", 120), ("300", 120), ("20", NARROWEST), (None, 120)],
)
def test_a_table_is_as_wide_as_the_terminal(
    columns: str | None, widest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    lines = table_text(table()).splitlines()
    width = max(map(cell_len, lines))
    assert widest - 30 < width <= widest
    assert all(line == line.rstrip() for line in lines)
