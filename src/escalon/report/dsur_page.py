"""The yearly safety report as one page, a CSV file per table, and a list of the files with their hashes."""

import json
from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from markupsafe import Markup

from escalon.conduct.state import Fact
from escalon.protocol import StudyFolder
from escalon.report.dsur import Dsur, Layout, derive_dsur
from escalon.report.dsur_layouts import BORN, CAPTIONS, LAYOUTS, TITLES
from escalon.report.html import _environment, _style

RIGHT = ("report", "case", "age", "level", "grade", "day", "patients", "number", "expected terms")
DAYS = ("onset", "died", "date", "ended", "received", "sent", "in force from")
HIDDEN = {"reactions": ("related to",)}
"""Columns of the files that the page leaves out: both opinions name the product."""
MANIFEST = "pack.json"


def render_dsur(dsur: Dsur, simulated: bool) -> str:
    """Return the page."""
    style = (files("escalon.report") / "templates" / "dsur.css").read_text(encoding="utf-8")
    return (
        _environment()
        .get_template("dsur.html.j2")
        .render(
            dsur=dsur,
            title=TITLES[dsur.layout],
            born=BORN[dsur.layout],
            sections=LAYOUTS[dsur.layout],
            captions=CAPTIONS,
            hidden=HIDDEN,
            days=DAYS,
            counts=_counts,
            simulated=simulated,
            style=Markup(_style() + style),
        )
    )


def _counts(name: str, column: str) -> bool:
    """Whether a column holds numbers, which stand on the right."""
    tabulated = name in ("events", "cumulative_reactions")
    return (
        column in RIGHT
        or (tabulated and column not in ("term", "system organ class"))
        or (name == "exposure" and column == "in the interval")
    )


def write_dsur(
    facts: Sequence[Fact], folder: StudyFolder, lock_point: date, out: Path, layout: Layout = "dsur"
) -> tuple[Path, ...]:
    """Write the page, the tables and the list of both with their hashes to ``out``; return the files, the list last.

    Raises:
        ValueError: the lock point lies before the day from which the years are counted; nothing is written.
    """
    dsur = derive_dsur(facts, folder, lock_point, layout)
    simulated = bool(facts) and getattr(facts[0].event, "origin", "") == "virtual"
    texts = {f"{layout}.html": render_dsur(dsur, simulated)}
    used = {name for section in LAYOUTS[layout] for name in section.tables}
    texts |= {f"{name}.csv": table.write_csv() for name, table in dsur.tables.items() if name in used}
    texts[MANIFEST] = _manifest(dsur, folder, texts)
    out.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (out / name).write_bytes(text.encode())
    return tuple(out / name for name in texts)


def _manifest(dsur: Dsur, folder: StudyFolder, texts: dict[str, str]) -> str:
    """The list of the files, so that one hash pins the whole pack."""
    content = {
        "study": dsur.study_id,
        "study_version": folder.hash,
        "layout": dsur.layout,
        "interval": [dsur.start.isoformat(), dsur.lock_point.isoformat()],
        "due": {name: day.isoformat() for name, day in dsur.due.items()},
        "events_of_the_ledger": dsur.facts,
        "sha256": {name: sha256(text.encode()).hexdigest() for name, text in texts.items()},
    }
    return json.dumps(content, indent=1, sort_keys=True) + "\n"
