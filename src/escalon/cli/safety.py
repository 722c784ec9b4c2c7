"""Commands of the safety desk: cases, open tasks, the annual report."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from escalon.cli import safety_reports
from escalon.cli.common import AsJson, bad_input, show

safety_app = typer.Typer(help="Serious adverse events: cases, reporting clocks, reports.")
Ledger = Annotated[str, typer.Argument(metavar="LEDGER", help="Ledger file, or database URL.")]
Study = Annotated[Path, typer.Option("--study", help="Study folder.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file to ``app``."""
    safety_reports.add_to(safety_app)
    app.add_typer(safety_app, name="safety")


@safety_app.callback()
def safety_root() -> None:
    """Serious adverse events: cases, reporting clocks, reports."""


@safety_app.command("cases")
def safety_cases(ledger: Ledger, as_json: AsJson = False) -> None:
    """Every case with its seriousness, whether it is a SUSAR, open tasks and reports sent."""
    from escalon.conduct.fold import fold
    from escalon.report.terminal_safety import case_rows, render_cases
    from escalon.store.ledger import read_facts

    with bad_input():
        rows = case_rows(fold(read_facts(ledger)))
    if as_json:
        show({"cases": rows})
    else:
        typer.echo(render_cases(rows), nl=False)


@safety_app.command("clocks")
def safety_clocks(
    ledger: Ledger,
    at: Annotated[
        str | None, typer.Option("--at", help="Moment with its zone; now, or the end of a virtual trial.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Open reporting tasks, the strictest first, with how long there is left or how late they are."""
    from escalon.conduct.fold import cut, fold
    from escalon.report.terminal_safety import clock_rows, render_clocks
    from escalon.store.ledger import read_facts

    with bad_input():
        facts = read_facts(ledger)
        state = fold(facts)
        moment = datetime.now(UTC) if state.origin != "virtual" else state.at or datetime.now(UTC)
        if at is not None:
            moment = _moment(at)
            state = cut(facts, moment)
        rows = clock_rows(state, moment)
    if as_json:
        show({"at": moment.isoformat(), "clocks": rows})
    else:
        typer.echo(render_clocks(rows, moment), nl=False)


@safety_app.command("dsur")
def safety_dsur(
    ledger: Ledger,
    study: Study,
    lock_point: Annotated[str, typer.Option("--lock-point", help="Data lock point, a day: 2026-05-04.")],
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
) -> None:
    """Write the tables of the development safety update report (ICH E2F) up to a data lock point."""
    from escalon.pipeline import open_study
    from escalon.report.dsur_page import write_dsur
    from escalon.store.ledger import read_facts

    with bad_input():
        try:
            day = date.fromisoformat(lock_point)
        except ValueError:
            raise ValueError(f"--lock-point {lock_point}: right is a day, 2026-05-04") from None
        files = write_dsur(read_facts(ledger), open_study(study), day, out)
    for path in files:
        typer.echo(str(path))


def _moment(text: str) -> datetime:
    """Read a moment with its zone; ValueError says what would be right."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"--at {text}: right is a moment, 2026-05-04T14:30Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"--at {text}: a moment needs its zone, as 2026-05-04T14:30Z")
    return moment
