"""Acts of a person on a ledger from the terminal: redaction by two persons, and going over to an amended study."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from escalon.cli.common import bad_input
from escalon.cli.sending import carry_out, current

if TYPE_CHECKING:
    from escalon.conduct.act import Command

Ledger = Annotated[str, typer.Argument(help="Ledger file, or database URL.")]
By = Annotated[str, typer.Option("--by", help="Id of the registered person who acts.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file to ``app``."""
    app.command()(redact)
    app.command()(amend)


def redact(
    ledger: Ledger,
    by: By,
    event: Annotated[
        int | None, typer.Option(help="Request: number of the event that holds the text.")
    ] = None,
    item: Annotated[
        list[str] | None,
        typer.Option(help="Request: item to destroy, as reason or values.AETERM; may be given again."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Request: why; must not repeat what is redacted.")] = "",
    confirm: Annotated[
        int | None, typer.Option(help="Confirm: number of the redaction another person requested.")
    ] = None,
    study: Annotated[
        Path | None, typer.Option(help="Study folder in force; default: the one the ledger keeps.")
    ] = None,
) -> None:
    """Destroy personal data entered by mistake: one person requests (--event, --item), another confirms (--confirm)."""
    from escalon.conduct.redaction.commands import ConfirmRedaction, RedactValue

    with bad_input():
        if (event is None) == (confirm is None):
            raise ValueError("give either --event with --item and --reason to request, or --confirm NUMBER")
        if confirm is not None and (item or reason):
            raise ValueError("--item and --reason belong to the request; --confirm takes the number only")
        command: Command = (
            ConfirmRedaction(confirm)
            if confirm is not None
            else RedactValue(event or 0, tuple(item or ()), reason)
        )
        (done,) = carry_out(ledger, study, by, command)
    number, target = done.redaction, done.target_seq  # type: ignore[attr-defined]
    if confirm is None:
        typer.echo(f"redaction {number} of event {target} is requested; nothing is destroyed yet")
        typer.echo(f"another person confirms: escalon redact {ledger} --confirm {number} --by PERSON")
    else:
        typer.echo(
            f"redaction {number} is done: event {target} reads 'redacted' and the chain still verifies"
        )
        typer.echo("backups, exports, prints and replicas made before still hold it: see docs/operations.md")


def amend(
    ledger: Ledger,
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Study folder of the amendment.")],
    by: By,
    reason: Annotated[str, typer.Option(help="Why the study is amended.")],
    old: Annotated[
        Path | None, typer.Option(help="Study folder in force, for a ledger that does not keep it.")
    ] = None,
) -> None:
    """Put the study on another version; patients stay on the one they consented to. Print what changes."""
    from escalon.conduct.capture.commands import AmendStudy
    from escalon.pipeline import open_study
    from escalon.protocol.amendments import succeed

    with bad_input():
        folder = open_study(new)
        _, in_force = current(ledger, old)
        command = AmendStudy(folder.hash, reason)
        events = carry_out(ledger, old, by, command, succeed(folder, in_force))
    changes = [change for event in events for change in getattr(event, "changes", ())]
    for change in changes:
        typer.echo(change)
    typer.echo(f"the study is on version {folder.hash[:12]} now, before on {in_force.hash[:12]}")
    typer.echo("each site approves the version before patients are enrolled on it")
