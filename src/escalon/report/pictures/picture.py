"""A figure as the page shows it."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from escalon.report.theme import AnyChart, render_svg

Adam = Mapping[str, pl.DataFrame]


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure as the page shows it: SVG text, or empty when there is nothing to draw."""

    ident: str
    title: str
    svg: str
    caption: str


def make_picture(ident: str, title: str, caption: str, chart: AnyChart | None) -> Picture:
    """Render a chart (None: nothing to draw) with its title and caption."""
    return Picture(
        ident, title, "" if chart is None else render_svg(chart, ident, f"{title}. {caption}"), caption
    )
