"""What the safety desk sees: cases, open tasks, reports sent, the calendar and tables of the yearly report."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from escalon.cli import safety_acts, safety_coding, safety_reports
from escalon.cli.common import AsJson, bad_input, show
from escalon.cli.oneself import As, reading
from escalon.cli.sending import Study, folder_of

safety_app = typer.Typer(help="Serious adverse events: cases, reporting clocks, reports.")
Ledger = Annotated[str, typer.Argument(metavar="LEDGER", help="Ledger file, or database URL.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file to ``app``."""
    safety_reports.add_to(safety_app)
    safety_acts.add_to(safety_app)
    safety_coding.add_to(safety_app)
    app.add_typer(safety_app, name="safety")


@safety_app.callback()
def safety_root() -> None:
    """Serious adverse events: cases, reporting clocks, reports."""


@safety_app.command("cases")
def safety_cases(ledger: Ledger, as_json: AsJson = False, as_person: As = None) -> None:
    """Every case with its seriousness, whether it is a SUSAR, open tasks and reports sent."""
    from escalon.conduct.fold import fold
    from escalon.report.terminal_safety import case_rows, render_cases
    from escalon.store.ledger import read_facts

    with bad_input():
        reading(ledger, as_person, "safety cases", "", "viewed", "all cases")
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
    as_person: As = None,
) -> None:
    """Open reporting tasks, the strictest first, with how long there is left or how late they are."""
    from escalon.conduct.fold import cut, fold
    from escalon.report.terminal_safety import clock_rows, render_clocks
    from escalon.store.ledger import read_facts

    with bad_input():
        reading(ledger, as_person, "safety cases", "", "viewed", "open tasks")
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


@safety_app.command("reports")
def safety_reports_sent(ledger: Ledger, as_json: AsJson = False, as_person: As = None) -> None:
    """Every report sent: when, whether in time, what the authority answered, who has read it and who has not."""
    from escalon.conduct.fold import fold
    from escalon.report.terminal_reports import render_reports, report_rows
    from escalon.store.ledger import read_facts

    with bad_input():
        reading(ledger, as_person, "safety cases", "", "viewed", "reports")
        rows = report_rows(fold(read_facts(ledger)))
    if as_json:
        show({"reports": rows})
    else:
        typer.echo(render_reports(rows), nl=False)


@safety_app.command("calendar")
def safety_calendar(
    ledger: Ledger,
    study: Study = None,
    at: Annotated[str | None, typer.Option("--at", help="Moment with its zone; default: now.")] = None,
    as_json: AsJson = False,
    as_person: As = None,
) -> None:
    """Data lock points of the yearly report from the birth date on: when each is due and where it stands."""
    from escalon.conduct.fold import cut
    from escalon.conduct.safety.due import awareness_date
    from escalon.conduct.safety.lock_points import calendar
    from escalon.report.terminal_reports import period_rows, render_periods
    from escalon.store.ledger import read_facts

    with bad_input():
        moment = _moment(at) if at is not None else datetime.now(UTC)
        reading(ledger, as_person, "safety cases", "", "viewed", "the calendar of yearly reports")
        folder = folder_of(ledger, study)
        today = awareness_date(moment, folder.conduct.safety.zone)
        rows = period_rows(calendar(folder, cut(read_facts(ledger), moment).safety, today), today)
    if as_json:
        show({"at": moment.isoformat(), "periods": rows})
    else:
        typer.echo(render_periods(rows), nl=False)


@safety_app.command("dsur")
def safety_dsur(
    ledger: Ledger,
    lock_point: Annotated[str, typer.Option("--lock-point", help="Data lock point, a day: 2026-05-04.")],
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    study: Study = None,
    layout: Annotated[
        str, typer.Option(help="dsur (ICH E2F), or annual-report (FDA, 21 CFR 312.33) of the same data.")
    ] = "dsur",
    as_person: As = None,
) -> None:
    """Write the pack of the yearly safety report as of a data lock point: page, tables, and their hashes."""
    from hashlib import sha256

    from escalon.report.dsur_layouts import LAYOUTS
    from escalon.report.dsur_page import write_dsur
    from escalon.store.ledger import read_facts

    with bad_input():
        reading(ledger, as_person, "safety cases", "", "exported", "tables of the yearly report")
        try:
            day = date.fromisoformat(lock_point)
        except ValueError:
            raise ValueError(f"--lock-point {lock_point}: right is a day, 2026-05-04") from None
        kind = next((one for one in LAYOUTS if one == layout), None)
        if kind is None:
            raise ValueError(f"--layout {layout}: right is {' or '.join(LAYOUTS)}")
        files = write_dsur(read_facts(ledger), folder_of(ledger, study), day, out, kind)
    for path in files:
        typer.echo(str(path))
    typer.echo(
        f"SHA-256 of {files[-1].name}, which pins the pack: {sha256(files[-1].read_bytes()).hexdigest()}"
    )


def _moment(text: str) -> datetime:
    """Read a moment with its zone; ValueError says what would be right."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"--at {text}: right is a moment, 2026-05-04T14:30Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"--at {text}: a moment needs its zone, as 2026-05-04T14:30Z")
    return moment
