"""Commands on people: who may do what, and who had which rights when."""

from datetime import UTC, date, datetime, time
from typing import Annotated

import typer

from escalon.cli.common import AsJson, bad_input, show
from escalon.cli.oneself import As, reading


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file to ``app``."""
    app.command()(roles)
    app.command()(access)


def roles(
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the page docs/roles.md.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show who may do what: every act and every kind of reading, with the roles that may."""
    from escalon.conduct.people.reading import READS
    from escalon.conduct.roles import command_rows, roles_page
    from escalon.report.terminal_roles import render_roles

    if as_json:
        acts = [{"topic": t, "act": n, "meaning": m, "roles": list(r)} for t, n, m, r in command_rows()]
        show({"acts": acts, "reading": READS})
    elif markdown:
        typer.echo(roles_page(), nl=False)
    else:
        typer.echo(render_roles(command_rows(), READS), nl=False)


def access(
    ledger: Annotated[str, typer.Argument(help="Ledger file, or database URL.")],
    on: Annotated[str, typer.Option("--on", help="Day (2026-05-04, UTC) or moment with its zone.")],
    as_json: AsJson = False,
    as_person: As = None,
) -> None:
    """Show who had which rights on a day, or at a moment: role, site, from when until when, and why it ended."""
    from escalon.conduct.fold import fold
    from escalon.conduct.people.rights import rights_during
    from escalon.store.ledger import read_facts

    with bad_input():
        reading(ledger, as_person, "user history", "", "viewed", f"rights on {on}")
        start, end = _span(on)
        found = rights_during(fold(read_facts(ledger)), start, end)
    if as_json:
        keys = ("person", "name", "organisation", "role", "site", "ends")
        rows = [
            {key: getattr(right, key) for key in keys}
            | {"since": right.since.isoformat(), "until": right.until and right.until.isoformat()}
            for right in found
        ]
        show({"on": on, "rights": rows})
        return
    for right in found:
        until = f"{right.until:%Y-%m-%d %H:%M}" if right.until else ""
        where = right.site or "all"
        why = f"({right.ends})" if right.ends else ""
        when = f"{right.since:%Y-%m-%d %H:%M} to {until:<16}"
        typer.echo(f"{right.person:<18} {right.name:<32} {right.role:<17} {where:<4} {when} {why}".rstrip())
    typer.echo(f"{len(found)} rights of {len({right.person for right in found})} persons on {on} (UTC)")


def _span(text: str) -> tuple[datetime, datetime]:
    """Return the first and last moment meant; ValueError says what would be right."""
    try:
        if len(text) == len("2026-05-04"):
            day = date.fromisoformat(text)
            return datetime.combine(day, time.min, UTC), datetime.combine(day, time.max, UTC)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"--on {text}: right is a day, 2026-05-04, or a moment, 2026-05-04T14:30Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"--on {text}: a moment needs its zone, as 2026-05-04T14:30Z")
    return moment, moment
