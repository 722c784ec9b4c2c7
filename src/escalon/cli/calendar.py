"""The calendar feed of a site."""

from pathlib import Path
from typing import Annotated

import typer

from escalon.cli.common import bad_input


def add_to(app: typer.Typer) -> None:
    """Add the command of this file to ``app``."""
    app.command()(calendar)


def calendar(
    ledger: Annotated[str, typer.Argument(help="Ledger file, or database URL.")],
    study: Annotated[Path, typer.Option(help="Study folder the trial was opened on.")],
    site: Annotated[str, typer.Option(help="Site whose calendar is written.")],
    out: Annotated[Path, typer.Option(help="File to write, such as site-01.ics.")],
) -> None:
    """Write a site's calendar: earliest infusions with their reason, windows, reservations; coded ids only."""
    from escalon.conduct.fold import fold
    from escalon.pipeline import open_study
    from escalon.report.calendar_feed import calendar_entries, render_calendar
    from escalon.store.ledger import read_facts

    with bad_input():
        folder, state = open_study(study), fold(read_facts(ledger))
        if state.study_hash != folder.hash:
            raise ValueError(f"{study}: not the version of the study the ledger is on")
        content = render_calendar(state, folder, site)
        out.write_bytes(content)
    typer.echo(f"{out}: {len(calendar_entries(state, folder, site))} entries for site {site}")
