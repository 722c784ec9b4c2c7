"""Commands on a ledger: checkpoint, export, backup, restore, and its derived tables and roles."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from escalon.cli.common import AsJson, bad_input, fail, show, target
from escalon.cli.oneself import As, reading

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

store_app = typer.Typer(help="Derived tables and roles of a ledger.", no_args_is_help=True)
Ledger = Annotated[str, typer.Argument(help="Ledger file, or database URL.")]
StudyId = Annotated[str | None, typer.Option("--study-id", help="Study, if the ledger holds several.")]
Key = Annotated[Path | None, typer.Option("--key", help="Private Ed25519 key (PEM) that signs.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file to ``app``."""
    app.command()(checkpoint)
    app.command()(export)
    app.command()(backup)
    app.command()(restore)
    app.add_typer(store_app, name="store")


@store_app.callback()
def store_root() -> None:
    """Derived tables and roles of a ledger."""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _key(path: Path | None) -> "Ed25519PrivateKey | None":
    from escalon.store.signing import read_key

    return None if path is None else read_key(path)


def checkpoint(
    ledger: Ledger,
    key: Annotated[Path, typer.Option("--key", help="Private Ed25519 key (PEM) that signs.")],
    new_key: Annotated[
        bool, typer.Option("--new-key", help="Make the key first; the file must not be there.")
    ] = False,
    study_id: StudyId = None,
    published_to: Annotated[str, typer.Option(help="Where this checkpoint is sent or printed.")] = "",
) -> None:
    """Sign the head of a study and print the checkpoint; keep the print away from the ledger."""
    from dataclasses import asdict

    from escalon.store import signing
    from escalon.store.custody import check_ledger, write_checkpoint

    with bad_input():
        check_ledger(ledger, study_id)
        if new_key:
            signing.new_key(key)
        made = write_checkpoint(ledger, signing.read_key(key), _now(), study_id, published_to)
    show(asdict(made))


def export(
    ledger: Ledger,
    out: Annotated[Path, typer.Option(help="File to write.", callback=target)],
    key: Key = None,
    study_id: StudyId = None,
    as_person: As = None,
) -> None:
    """Write a study's whole ledger as JSON lines that `escalon verify` checks without a database."""
    from escalon.store.custody import write_export

    with bad_input():
        reading(ledger, as_person, "export", "", "exported", "the whole ledger")
        made = write_export(ledger, out, _now(), _key(key), study_id)
    signed = f"signed by {made.public_key}" if made.public_key else "not signed"
    typer.echo(f"{out}: {made.study_id}, {made.upto_seq} events, head {made.root}, {signed}")


def backup(
    ledger: Ledger,
    out: Annotated[Path, typer.Option(help="New folder to write.")],
    key: Key = None,
    accounts: Annotated[
        str,
        typer.Option(help="Where accounts are: ledger (its database), none (left out), or a database URL."),
    ] = "ledger",
) -> None:
    """Write every study of a ledger and its accounts to a new folder, and verify what was written."""
    from escalon.store.backup import read_backup, write_backup

    with bad_input():
        write_backup(ledger, out, _now(), _key(key), accounts)
        made = read_backup(out)
    for study_id, said in made.studies.items():
        versions = f"{len(said['versions'])} version{'s' * (len(said['versions']) != 1)} of the study"
        counts = f"{said['events']} events, {said['values']} values, {versions}"
        typer.echo(f"{study_id}: {counts}, head {said['head']}")
    typer.echo(_accounts_line(made.manifest["accounts"]))
    signer = made.manifest.get("public_key")
    typer.echo(f"signed by {signer}" if signer else "not signed; --key signs it")


def _accounts_line(said: dict[str, Any]) -> str:
    if "file" not in said:
        return f"accounts are not in it: {said['left_out']}"
    rows = said["rows"]
    count = rows["accounts_account"]
    factors = rows["otp_totp_totpdevice"]
    return (
        f"{count} account{'s' * (count != 1)} with password hashes and {factors} second factor"
        f"{'s' * (factors != 1)}: keep the folder encrypted; sessions and lock-outs are not in it"
    )


def restore(
    folder: Annotated[Path, typer.Argument(help="Folder that `escalon backup` wrote.")],
    into: Annotated[str, typer.Option(help="Empty ledger: file or database URL.")],
    study: Annotated[Path, typer.Option(help="Study folder, to write the event of the restore.")],
    by: Annotated[str, typer.Option(help="Id of the registered administrator or sponsor who restores.")],
    reason: Annotated[str, typer.Option(help="Why the ledger is restored.")],
    head: Annotated[
        str | None, typer.Option(help="Hash of an event known elsewhere, e.g. the last checkpoint.")
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="Public key (hexadecimal) the backup must be signed with.")
    ] = None,
    accounts: Annotated[
        str, typer.Option(help="Where accounts go: ledger (its database), none, or a database URL.")
    ] = "ledger",
) -> None:
    """Restore a backup into an empty ledger, verify it, and write into it that it was restored."""
    from escalon.pipeline import open_study
    from escalon.store.restore import restore_and_record

    with bad_input():
        results = restore_and_record(
            folder,
            into,
            open_study(study),
            by,
            reason,
            datetime.now(UTC),
            head,
            key=key,
            accounts=accounts,
        )
    for result in results:
        word = "the chain holds" if result.holds else "the chain DOES NOT HOLD"
        typer.echo(f"{result.study_id}: {result.events} events, {word}; head {result.head}")
    if head is None:
        typer.echo("no root known outside was given (--head): a tail that was cut off would not be seen")
    if not all(result.holds for result in results):
        raise typer.Exit(1)


@store_app.command("rebuild")
def store_rebuild(
    ledger: Ledger,
    check: Annotated[bool, typer.Option("--check", help="Only compare; change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare the derived tables with the ledger, or write them again; exit code 1 if they differed."""
    from escalon.store.rebuild import rebuild

    with bad_input():
        found = rebuild(ledger, check=check)
    if as_json:
        show({"differences": [str(one) for one in found], "rebuilt": not check})
    for one in found:
        typer.echo(str(one), err=as_json)
    if not found and not as_json:
        typer.echo("the derived tables are what the ledger says")
    if found:
        raise typer.Exit(1)


@store_app.command("roles")
def store_roles(
    writer: Annotated[str, typer.Option(help="Name of the database role that writes.")] = "escalon_writer",
    apply_to: Annotated[
        str | None, typer.Option("--apply", help="PostgreSQL URL of the owner: carry the statements out.")
    ] = None,
) -> None:
    """Print the SQL that gives a role the right to append and nothing more; with --apply carry it out."""
    from escalon.store.grants import apply_grants, grants

    with bad_input():
        statements = grants(writer)
        if apply_to is not None:
            if not apply_to.startswith("postgres"):
                fail("roles are for PostgreSQL: SQLite has none, who owns the file owns the data")
            apply_grants(apply_to, writer)
    typer.echo("\n".join(f"{statement};" for statement in statements))
