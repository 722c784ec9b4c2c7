"""Is this installation what was released, and its database guarded? Run by whoever installs, and again later."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from escalon.cli.common import AsJson, bad_input, show

if TYPE_CHECKING:
    from escalon.store.install.finding import Finding


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file to ``app``."""
    app.command("verify-install")(verify_install)


def verify_install(
    ledger: Annotated[
        str | None, typer.Argument(help="Ledger file or database URL, as the application uses it.")
    ] = None,
    writer: Annotated[
        str | None, typer.Option(help="Role that writes, if the URL is that of another (PostgreSQL).")
    ] = None,
    backup: Annotated[
        Path | None, typer.Option(help="A backup, or the folder that holds all of them.")
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="Public key (hexadecimal) the backup must be signed with.")
    ] = None,
    max_backup_hours: Annotated[float, typer.Option(help="How old the last backup may be.")] = 25.0,
    as_json: AsJson = False,
) -> None:
    """Check version, files, database, clock, TLS and last backup; exit code 1 if anything fails."""
    from escalon.store.install.clock import check_clock
    from escalon.store.install.database import check_database
    from escalon.store.install.finding import Finding
    from escalon.store.install.last_backup import check_backup
    from escalon.store.install.program import check_program

    now = datetime.now(UTC)
    with bad_input():
        found = [*check_program(), check_clock()]
        if ledger is None:
            found.append(Finding("database", "all of it", "not applicable", "name the ledger to check it"))
        else:
            found += check_database(ledger, writer)
        reachable = not any(one.what == "reachable" for one in found)
        found += check_backup(backup, ledger if reachable else None, now, max_backup_hours, key)
    failed = sum(one.outcome == "fail" for one in found)
    if as_json:
        show(
            {
                "at": now.isoformat(timespec="seconds"),
                "failed": failed,
                "checks": [asdict(one) for one in found],
            }
        )
    else:
        typer.echo(_table(found), nl=False)
        passed = sum(one.outcome == "pass" for one in found)
        typer.echo(
            f"{passed} pass, {failed} fail, {len(found) - passed - failed} not applicable; {now:%Y-%m-%d %H:%M} UTC"
        )
    if failed:
        raise typer.Exit(1)


def _table(found: "list[Finding]") -> str:
    """Return the findings as lines of four columns."""
    rows = [("area", "check", "outcome", "found")]
    rows += [(one.area, one.what, one.outcome, one.detail) for one in found]
    widths = [max(len(row[place]) for row in rows) for place in range(3)]
    lines = (
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]])
        for row in rows
    )
    return "".join(f"{line}\n" for line in lines)
