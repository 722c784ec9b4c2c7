"""Case safety reports at the terminal: write one, and record what an authority answers."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from escalon.cli.common import AsJson, bad_input, fail, show, target
from escalon.cli.oneself import As, reading
from escalon.cli.sending import Study, folder_of

if TYPE_CHECKING:
    from escalon.criteria.dictionaries import EventDictionary

Ledger = Annotated[str, typer.Argument(metavar="LEDGER", help="Ledger file, or database URL.")]
Dictionary = Annotated[
    Path | None,
    typer.Option(
        "--dictionary",
        help="Your licensed MedDRA: the folder of its ASCII files, or a CSV of `escalon dictionary load`.",
    ),
]
Version = Annotated[
    str, typer.Option("--dictionary-version", help="Version of the dictionary, such as 27.1.")
]
Schema = Annotated[
    Path | None,
    typer.Option("--schema", help="Your copy of the ICH E2B(R3) schema files: a folder to validate against."),
]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file to ``app``."""
    app.command("icsr")(safety_icsr)
    app.command("ack")(safety_ack)


def safety_icsr(
    ledger: Ledger,
    out: Annotated[Path, typer.Option(help="XML file to write.", callback=target)],
    study: Study = None,
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
    schema: Schema = None,
    as_json: AsJson = False,
    as_person: As = None,
) -> None:
    """Write a case, or a report that was sent, as an ICH E2B(R3) message.

    With --report the exit code is 0 only if the file is the one whose hash the ledger holds.
    """
    from escalon.conduct.fold import fold
    from escalon.conduct.safety.icsr.reproduce import reproduce_report
    from escalon.conduct.safety.icsr.send import write_report
    from escalon.store.ledger import read_facts

    if (case is None) == (report is None):
        fail("give either --case or --report")
    same: bool | None = None
    with bad_input():
        reading(
            ledger,
            as_person,
            "safety cases",
            "",
            "exported",
            f"report {report}" if case is None else f"case {case}",
        )
        folder, facts, terms = folder_of(ledger, study), read_facts(ledger), _dictionary(dictionary, version)
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
        _validate(written.text, schema)
        out.write_bytes(written.text.encode())
    answer: dict[str, Any] = {"file": str(out), "sha256": written.hash, "submittable": written.submittable}
    if as_json:
        show(answer | {"same_as_sent": same})
    else:
        typer.echo(f"{out}: SHA-256 {written.hash}")
        if schema is not None:
            typer.echo(f"Valid by the schema files in {schema}")
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


def safety_ack(
    ledger: Ledger,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Acknowledgement file of an authority.")],
    study: Annotated[
        Path | None, typer.Option("--study", help="Study folder; default: the one the ledger keeps.")
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", help="Id of the safety officer who records it; without: only say.")
    ] = None,
    schema: Schema = None,
    as_json: AsJson = False,
) -> None:
    """Say which report an acknowledgement answers and how, and record it; a rejection opens the task again."""
    from escalon.cli.sending import carry_out, current
    from escalon.conduct.safety.events import ClockReopened
    from escalon.conduct.safety.icsr.acknowledge import acknowledge
    from escalon.report.terminal_safety import countdown

    with bad_input():
        content = file.read_bytes()
        state, folder = current(ledger, study)
        found = acknowledge(state, folder, content)
        _validate(content.decode("utf-8-sig"), schema)
        events = carry_out(ledger, study, by, found) if by is not None else ()
    reopened = [event.clock for event in events if isinstance(event, ClockReopened)]
    if as_json:
        keys = ("report", "accepted", "detail", "content_hash")
        answer = {key: getattr(found, key) for key in keys}
        answered = found.answered_at.isoformat() if found.answered_at else None
        show(answer | {"answered_at": answered, "recorded": bool(events), "reopened": reopened})
        return
    typer.echo(f"Report {found.report}: {'accepted' if found.accepted else 'REJECTED'}: {found.detail}")
    if not events:
        typer.echo("Nothing is recorded; the safety officer records it with --by PERSON")
    for number in reopened:
        clock = state.safety.clocks[number - 1]
        left = countdown(clock.due_at - datetime.now(UTC))
        typer.echo(f"Clock {number} is open again; it is due {clock.due_at:%d %b %Y %H:%M} UTC, {left}")


def _dictionary(path: Path | None, version: str) -> "EventDictionary | None":
    from escalon.pipeline import open_dictionary

    return None if path is None else open_dictionary(path, "event", version)  # type: ignore[return-value]


def _attachment(path: Path) -> Any:
    import mimetypes

    from escalon.conduct.safety.icsr.case import Attachment

    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Attachment(path.stem, kind, path.read_bytes())


def _validate(text: str, schemas: Path | None) -> None:
    """ValueError, one line for each fault, when the message is not valid by the schema files given."""
    from escalon.report.icsr_schema import check_schema

    faults = check_schema(text, schemas) if schemas is not None else ()
    if faults:
        raise ValueError("\n".join((*faults, "not valid by the schema; nothing was written")))
