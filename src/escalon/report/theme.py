"""How figures look: colours that colour-blind readers can tell apart, and the way from a chart to SVG text."""

import re
from collections.abc import Sequence
from html import escape

import altair as alt
import vl_convert

# Okabe and Ito, Color Universal Design; the dose levels take them in a fixed order.
BLUE, ORANGE, GREEN, VERMILLION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PURPLE, YELLOW, BLACK = "#56B4E9", "#CC79A7", "#F0E442", "#1B1F24"
GREY, LIGHT, INK = "#8A929C", "#E7EAEE", "#2B323B"

DLT_COLOURS = {
    "DLT": VERMILLION,
    "No DLT": BLUE,
    "Not evaluable": "#B4BBC4",
    "Pending": YELLOW,
}
RESPONSE_COLOURS = {
    "CR": "#00633F",
    "CRh": "#00825A",
    "CRi": GREEN,
    "MLFS": "#7CC9A9",
    "PR": SKY,
    "No response": "#C9CED5",
    "Relapse or progression": VERMILLION,
    "Not assessed or not evaluable": "#FFFFFF",
}
LEVEL_COLOURS = ("#56B4E9", "#0072B2", "#CC79A7", "#D55E00", "#009E73", "#E69F00", "#1B1F24", "#8A929C")
FONT = "Arial, Liberation Sans, Helvetica, sans-serif"

AnyChart = alt.Chart | alt.LayerChart | alt.VConcatChart | alt.HConcatChart | alt.FacetChart


def level_scale(labels: Sequence[str]) -> alt.Scale:
    """Colour scale of the dose levels, the same in every figure."""
    return alt.Scale(domain=list(labels), range=list(LEVEL_COLOURS[: len(labels)]))


_TEXT = {"labelFontSize": 11, "labelColor": INK, "titleColor": INK, "titleFontWeight": "normal"}
CONFIG = {
    "aria": False,
    "font": FONT,
    "background": "#ffffff",
    "padding": 4,
    "view": {"stroke": None},
    "axis": _TEXT | {"titleFontSize": 11.5, "gridColor": LIGHT, "domainColor": GREY, "tickColor": GREY},
    "legend": _TEXT | {"titleFontSize": 11, "labelLimit": 300},
    "title": {"fontSize": 12, "fontWeight": "bold", "anchor": "start", "color": INK},
}
"""The house style, merged into the finished specification: setting it on a chart copies the chart each time."""


def render_svg(chart: AnyChart, ident: str, label: str) -> str:
    """SVG text of a chart for a page: own ids, a text alternative, and a size that follows the page.

    Parameters: ``ident`` unique on the page and valid as an HTML id; ``label`` what the figure shows, in words.
    The same chart gives the same bytes: the converter counts its ids over the whole process, so they are
    numbered again here, under ``ident`` so that two figures of a page never share one.
    """
    spec = chart.to_dict(validate=False)
    spec["config"] = spec.get("config", {}) | CONFIG
    svg = vl_convert.vegalite_to_svg(vl_spec=spec, vl_version="6.4")
    numbers: dict[str, str] = {}
    for found in re.findall(r'\bid="([^"]+)"', svg):
        numbers.setdefault(found, f"{ident}-{len(numbers) + 1}")
    svg = re.sub(r'\bid="([^"]+)"', lambda m: f'id="{numbers[m[1]]}"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", lambda m: f"url(#{numbers.get(m[1], m[1])})", svg)
    svg = svg.replace(' xmlns="http://www.w3.org/2000/svg"', "").replace(
        ' xmlns:xlink="http://www.w3.org/1999/xlink"', ""
    )
    # The page gives the figure one name; a name for each of its marks would only be noise.
    svg = re.sub(r' (?:aria-[a-z]+|role)="[^"]*"', "", svg)
    svg = re.sub(r' class="(?!marks)[^"]*"', "", svg)
    width = re.search(r'<svg[^>]*? width="([\d.]+)"', svg)
    natural = width[1] if width else "960"
    head = f'<svg role="img" aria-label="{escape(label)}" style="max-width:{natural}px"'
    return re.sub(r'<svg(?P<a>[^>]*?) width="[\d.]+" height="[\d.]+"', rf"{head}\g<a>", svg, count=1)
