"""The development safety update report as one page and a CSV file per table."""

from collections.abc import Sequence
from datetime import date
from importlib.resources import files
from pathlib import Path

from markupsafe import Markup

from escalon.conduct.state import Fact
from escalon.protocol import StudyFolder
from escalon.report.dsur import Dsur, derive_dsur
from escalon.report.html import _environment, _style

CAPTIONS = {
    "reactions": ("Serious adverse reactions of the interval", "Line listing"),
    "events": ("Serious adverse events since the development birth date", "By system organ class and term"),
    "exposure": ("Cumulative exposure", "Patients who received the cell product"),
    "deaths": ("Deaths since the development birth date", "All causes"),
    "discontinuations": ("Patients who left before completion", "Since the development birth date"),
}
RIGHT = ("case", "age", "level", "grade", "day", "patients", "serious events")

HIDDEN = ("related to",)
"""Columns of the files that the page leaves out: both opinions name the product."""


def render_dsur(dsur: Dsur, simulated: bool) -> str:
    """Return the page."""
    style = (files("escalon.report") / "templates" / "dsur.css").read_text(encoding="utf-8")
    return (
        _environment()
        .get_template("dsur.html.j2")
        .render(
            dsur=dsur,
            tables=dsur.tables(),
            captions=CAPTIONS,
            right=RIGHT,
            hidden=HIDDEN,
            simulated=simulated,
            style=Markup(_style() + style),
        )
    )


def write_dsur(facts: Sequence[Fact], folder: StudyFolder, lock_point: date, out: Path) -> tuple[Path, ...]:
    """Write the page and the tables to ``out`` and return the files.

    Raises:
        ValueError: the lock point lies before the development birth date; nothing is written.
    """
    dsur = derive_dsur(facts, folder, lock_point)
    simulated = bool(facts) and getattr(facts[0].event, "origin", "") == "virtual"
    texts = {"dsur.html": render_dsur(dsur, simulated)}
    texts |= {f"{name}.csv": table.write_csv() for name, table in dsur.tables().items()}
    out.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (out / name).write_text(text, encoding="utf-8")
    return tuple(out / name for name in texts)
