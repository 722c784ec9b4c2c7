"""Tables as text that fits the terminal it is printed in, and stays as wide as it needs in a file or a pipe."""

import shutil

from rich.console import Console
from rich.table import Table

NARROWEST = 60


def table_text(table: Table, widest: int = 120) -> str:
    """Return ``table`` as plain lines without blanks at their ends.

    Args:
        table: what to print.
        widest: columns used where there is no terminal; a terminal (or the variable COLUMNS) may have fewer.
    """
    there = shutil.get_terminal_size((widest, 24)).columns
    console = Console(width=min(widest, max(there, NARROWEST)), force_terminal=False, color_system=None)
    with console.capture() as captured:
        console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())
