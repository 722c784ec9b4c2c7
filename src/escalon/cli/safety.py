"""Commands of the safety desk: cases, open tasks, case safety reports, acknowledgements, the annual report."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from escalon.cli.common import AsJson, bad_input, fail, show

if TYPE_CHECKING:
    from escalon.criteria.dictionaries import EventDictionary

safety_app = typer.Typer(help="Serious adverse events: cases, reporting clocks, reports.")
Ledger = Annotated[str, typer.Argument(metavar="LEDGER", help="Ledger file, or database URL.")]
Study = Annotated[Path, typer.Option("--study", help="Study folder.")]
Dictionary = Annotated[
    Path | None,
    typer.Option("--dictionary", help="Your licensed MedDRA file; see `escalon dictionary load`."),
]
Version = Annotated[
    str, typer.Option("--dictionary-version", help="Version of the dictionary, such as 27.1.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file to ``app``."""
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


@safety_app.command("icsr")
def safety_icsr(
    ledger: Ledger,
    study: Study,
    out: Annotated[Path, typer.Option(help="XML file to write.")],
    case: Annotated[int | None, typer.Option(help="Number of the case, as it stands now.")] = None,
    report: Annotated[
        int | None, typer.Option(help="Number of a report that was sent: write it again.")
    ] = None,
    region: Annotated[
        str, typer.Option(help="EU or US, or another one the study names a receiver for.")
    ] = "EU",
    dictionary: Dictionary = None,
    version: Version = "",
    attach: Annotated[
        list[Path] | None, typer.Option(help="Document to send along; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a case, or a report that was sent, as an ICH E2B(R3) message.

    With --report the exit code is 0 only if the file is the one whose hash the ledger holds.
    """
    from escalon.conduct.fold import fold
    from escalon.conduct.safety.icsr.reproduce import reproduce_report
    from escalon.conduct.safety.icsr.send import write_report
    from escalon.pipeline import open_study
    from escalon.store.ledger import read_facts

    if (case is None) == (report is None):
        fail("give either --case or --report")
    same: bool | None = None
    with bad_input():
        folder, facts, terms = open_study(study), read_facts(ledger), _dictionary(dictionary, version)
        if report is not None:
            found = reproduce_report(facts, report, folder, terms)
            written, same = found.written, found.same
        else:
            state = fold(facts)
            written = write_report(
                state,
                folder,
                case or 0,
                state.at or datetime.now(UTC),
                region,
                dictionary=terms,
                attachments=tuple(_attachment(path) for path in attach or ()),
            )
        out.write_bytes(written.text.encode())
    answer: dict[str, Any] = {"file": str(out), "sha256": written.hash, "submittable": written.submittable}
    if as_json:
        show(answer | {"same_as_sent": same})
    else:
        typer.echo(f"{out}: SHA-256 {written.hash}")
        if not written.submittable:
            typer.echo(
                "Not submittable: the event carries no MedDRA code; give --dictionary with your own file."
            )
        if same is not None:
            typer.echo(
                f"Report {report}: {'the file that was sent' if same else 'DIFFERS from the file that was sent'}"
            )
    if same is False:
        raise typer.Exit(1)


@safety_app.command("ack")
def safety_ack(
    ledger: Ledger,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Acknowledgement file of an authority.")],
    study: Study,
    as_json: AsJson = False,
) -> None:
    """Say which report an acknowledgement answers, and what it says; nothing is recorded."""
    from escalon.conduct.fold import fold
    from escalon.conduct.safety.icsr.acknowledge import acknowledge
    from escalon.pipeline import open_study
    from escalon.store.ledger import read_facts

    with bad_input():
        text = file.read_bytes().decode("utf-8-sig")
        found = acknowledge(fold(read_facts(ledger)), open_study(study), text)
    if as_json:
        keys = ("report", "accepted", "detail")
        show({"acknowledgements": [{key: getattr(one, key) for key in keys} for one in found]})
        return
    for one in found:
        typer.echo(f"Report {one.report}: {'accepted' if one.accepted else 'REJECTED'}: {one.detail}")


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


def _dictionary(path: Path | None, version: str) -> "EventDictionary | None":
    from escalon.criteria.dictionaries import load_event_dictionary

    if path is None:
        return None
    return load_event_dictionary(path.read_text(encoding="utf-8"), version)


def _attachment(path: Path) -> Any:
    import mimetypes

    from escalon.conduct.safety.icsr.case import Attachment

    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Attachment(path.stem, kind, path.read_bytes())


def _moment(text: str) -> datetime:
    """Read a moment with its zone; ValueError says what would be right."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"--at {text}: right is a moment, 2026-05-04T14:30Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"--at {text}: a moment needs its zone, as 2026-05-04T14:30Z")
    return moment
