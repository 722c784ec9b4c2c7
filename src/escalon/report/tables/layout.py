"""One table look: caption, row names, text cells, notes below; ids fixed so that pages compare byte by byte."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

import polars as pl
from great_tables import GT

STUB, GROUP = "__row", "__group"


@dataclass
class Grid:
    """A table in the making: ``columns`` key to heading, then rows of text by key.

    ``ident`` is unique on the page; ``spanners`` put one heading over several columns; ``left`` names the columns
    of words, all others hold numbers and are set right.
    """

    ident: str
    caption: str
    stub: str
    columns: Mapping[str, str]
    spanners: Mapping[str, Sequence[str]] = field(default_factory=dict)
    notes: Sequence[str] = ()
    left: Sequence[str] = ()
    rows: list[dict[str, str]] = field(default_factory=list)

    def add(
        self, name: str, cells: Mapping[str, str], group: str | None = None, indent: bool = False
    ) -> None:
        """Add a row; an indented one belongs to the row above it."""
        shown = f"\u2003{name}" if indent else name
        self.rows.append(
            {GROUP: group or "", STUB: shown} | {key: cells.get(key, "") for key in self.columns}
        )

    def render(self) -> str:
        """HTML of the table; a sentence instead when there is no row."""
        if not self.rows:
            return f'<p class="empty" id="{self.ident}">{escape(self.caption)}: nothing to show.</p>'
        grouped = any(row[GROUP] for row in self.rows)
        frame = pl.DataFrame(self.rows, schema={key: pl.String for key in (GROUP, STUB, *self.columns)})
        if not grouped:
            frame = frame.drop(GROUP)
        table = GT(frame, id=self.ident, rowname_col=STUB, groupname_col=GROUP if grouped else None)
        table = table.tab_stubhead(self.stub).cols_label(dict(self.columns))
        table = table.cols_align("right", [key for key in self.columns if key not in self.left])
        if self.left:
            table = table.cols_align("left", list(self.left))
        for label, keys in self.spanners.items():
            table = table.tab_spanner(label, list(keys))
        return self._finish(table.as_raw_html())

    def _finish(self, text: str) -> str:
        """Take the style out (the page has one for all tables) and put the caption in; notes go below the table."""
        text = re.sub(r"<style>.*?</style>", "", text, flags=re.S)
        text = re.sub(
            r'<div id="([^"]+)" style="[^"]*">', r'<div id="\1" class="table" tabindex="0">', text, count=1
        )
        text = re.sub(r' data-quarto-[a-z-]+="[^"]*"', "", text)
        caption = f"<caption>{escape(self.caption)}</caption>"
        text = re.sub(r'(<table class="gt_table"[^>]*>)', lambda m: m[1] + caption, text, count=1)
        text = re.sub(r"\n\s*\n+", "\n", text)
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes if note)
        return f'{text}<div class="notes">{notes}</div>' if notes else text
