"""Commands on recorded data: import of a file."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from escalon.cli.common import bad_input, fail

if TYPE_CHECKING:
    from escalon.conduct.act import Actor, Command, Event
    from escalon.conduct.capture.imports import Plan
    from escalon.conduct.state import State
    from escalon.protocol import StudyFolder
    from escalon.store.execute import LedgerWriter


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file to ``app``."""
    app.command("import")(import_file)


def import_file(
    ledger: Annotated[str, typer.Argument(help="Ledger file, or database URL.")],
    file: Annotated[Path, typer.Argument(help="CSV file in UTF-8; its first line names the columns.")],
    study: Annotated[Path, typer.Option(help="Study folder; its conduct.yaml holds the mappings.")],
    by: Annotated[str, typer.Option(help="Id of the registered person who imports.")],
    mapping: Annotated[str | None, typer.Option(help="Mapping, if the study has several.")] = None,
    reason: Annotated[str, typer.Option(help="Why earlier records change, if any does.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check; write nothing.")] = False,
) -> None:
    """Import a file as one unit: every row is checked first, and all of them are recorded or none."""
    from escalon.conduct.capture import commands as c
    from escalon.conduct.capture.events import ImportApplied, ImportStaged
    from escalon.pipeline import open_study
    from escalon.store.execute import LedgerWriter

    with bad_input():
        text = file.read_bytes().decode("utf-8-sig")
        folder = open_study(study)
        name = _only(mapping, [one.id for one in folder.conduct.capture.imports])
        with LedgerWriter(ledger, folder, origin="import") as writer:
            actor = _importer(writer.state, by)
            plan = _plan(
                writer.state, actor, folder, name, text, reason or ("to be given" if dry_run else "")
            )
            if plan.problems:
                count = len(plan.problems)
                rows = f"{count} problem{'s' if count > 1 else ''}; nothing was written"
                fail("\n".join([*plan.problems, rows]))
            if dry_run:
                _say("would be imported", plan)
                return
            with writer.batch():
                (staged,) = _sent(writer, actor, c.StageImport(file.name, name, text))
                assert isinstance(staged, ImportStaged)
                applied = _sent(writer, actor, c.ApplyImport(staged.number, text, reason))
    done = next(event for event in applied if isinstance(event, ImportApplied))
    _say(f"import {done.number}", plan)
    typer.echo(f"{file.name}: SHA-256 {done.checksum}")


def _only(name: str | None, known: list[str]) -> str:
    if name is None and len(known) == 1:
        return known[0]
    if name not in known:
        raise ValueError(f"--mapping: name one of the study's mappings: {', '.join(known) or 'it has none'}")
    return name


def _importer(state: "State", person: str) -> "Actor":
    from escalon.conduct.act import Actor
    from escalon.conduct.capture.topic import IMPORTERS
    from escalon.conduct.people.rights import rights_on

    known = state.people.persons.get(person)
    held = [one for one in rights_on(state, person, datetime.now(UTC)) if one.role in IMPORTERS]
    if known is None or not held:
        raise ValueError(f"--by {person}: nobody of this id holds a role of {', '.join(IMPORTERS)} now")
    return Actor(person, known.name, held[-1].role, held[-1].site)


def _plan(
    state: "State", actor: "Actor", folder: "StudyFolder", mapping: str, text: str, reason: str
) -> "Plan":
    from escalon.conduct.act import Signed
    from escalon.conduct.capture.commands import StageImport
    from escalon.conduct.capture.imports import plan_import

    rules = next(one for one in folder.conduct.capture.imports if one.id == mapping)
    signed = Signed(StageImport("", mapping, text), actor, datetime.now(UTC))
    return plan_import(state, signed, folder, rules, text, reason)


def _sent(writer: "LedgerWriter", actor: "Actor", command: "Command") -> "tuple[Event, ...]":
    from escalon.conduct.act import Refused, Signed

    outcome = writer.execute(Signed(command, actor, datetime.now(UTC)))
    if isinstance(outcome, Refused):
        raise ValueError(f"{outcome.rule}: {outcome.reason}; nothing was written")
    return outcome


def _say(what: str, plan: "Plan") -> None:
    counts = plan.counts
    typer.echo(
        f"{what}: {counts.rows} rows, {counts.new} new, {counts.changed} changed, {counts.unchanged} unchanged"
    )
