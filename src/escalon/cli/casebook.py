"""Casebooks: one page a patient with every value and its history."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from escalon.cli.common import bad_input, target
from escalon.cli.oneself import As, reading, site_of


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file to ``app``."""
    app.command()(casebook)


def casebook(
    ledger: Annotated[str, typer.Argument(help="Ledger file, database URL, folder of a run, or an export.")],
    patient: Annotated[str | None, typer.Option(help="Number of the patient.")] = None,
    every: Annotated[bool, typer.Option("--all", help="One page for every patient enrolled.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="File to write; with --all the folder. Default: casebook-PATIENT.html."),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(help="Show what the ledger held at this moment: 2021-03-04T12:00:00+00:00.")
    ] = None,
    study: Annotated[
        Path | None, typer.Option(help="Study folder, for a ledger that keeps no version of its study.")
    ] = None,
    study_id: Annotated[
        str | None, typer.Option("--study-id", help="Study, if the ledger holds several.")
    ] = None,
    as_person: As = None,
) -> None:
    """Write a patient's casebook: every value with its history, queries, verification, signatures, and the course."""
    from escalon.pipeline import open_study
    from escalon.report.casebook.page import read_ledger, render_casebook
    from escalon.store.source import read_source

    with bad_input():
        if every == (patient is not None):
            raise ValueError("give either --patient NUMBER or --all")
        if every and out is None:
            raise ValueError("--all needs --out FOLDER")
        reading(
            ledger,
            as_person,
            "casebook",
            site_of(ledger, patient, as_person),
            "exported",
            "all" if patient is None else f"casebook:{patient}",
        )
        moment = None if as_of is None else _moment(as_of)
        source = read_source(ledger, study_id)
        folder = source.folder(None if study is None else open_study(study))
        read = read_ledger(source.study_id, source.entries, moment)
        place = out or Path(f"casebook-{patient}.html")
        if patient is not None:
            _write(place, render_casebook(read, patient, folder))
            typer.echo(f"{place}: patient {patient}, event {read.gathered.seq}, head {read.gathered.head}")
        else:
            for name in _shown(read.patients):
                _write(place / f"casebook-{name}.html", render_casebook(read, name, folder))
            count = len(read.patients)
            typer.echo(f"{place}: {count} casebooks, event {read.gathered.seq}, head {read.gathered.head}")
    if read.problems:
        typer.echo(f"the ledger does not verify; the pages say so: {read.problems[0]}", err=True)
        raise typer.Exit(1)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"--as-of: {text!r} is no moment; right is 2021-03-04T12:00:00+00:00") from None
    if moment.tzinfo is None:
        raise ValueError(f"--as-of: {text} needs its zone, as in {text}+00:00")
    return moment.astimezone(UTC)


def _shown(patients: Sequence[str]) -> Iterator[str]:
    """Yield the patients; a bar appears on standard error once it has taken two seconds."""
    import time

    from rich.console import Console
    from rich.progress import Progress

    began = time.monotonic()
    progress = Progress(console=Console(stderr=True), transient=True)
    task = progress.add_task("Casebooks", total=len(patients))
    try:
        for name in patients:
            yield name
            progress.advance(task)
            if not progress.live.is_started and time.monotonic() - began > 2:
                progress.start()
    finally:
        progress.stop()


def _write(path: Path, page: str) -> None:
    target(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(page, encoding="utf-8")
    part.replace(path)
