"""Commands on recorded data: import of a file."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from escalon.cli.common import bad_input, fail

if TYPE_CHECKING:
    from escalon.conduct.act import Actor, Command, Event
    from escalon.conduct.capture.import_plan import Plan
    from escalon.conduct.state import State
    from escalon.protocol import StudyFolder
    from escalon.store.execute import LedgerWriter


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file to ``app``."""
    app.command("import")(import_file)


def import_file(
    ledger: Annotated[str, typer.Argument(help="Ledger file, or database URL.")],
    study: Annotated[Path, typer.Option(help="Study folder; its conduct.yaml holds the mappings.")],
    by: Annotated[str, typer.Option(help="Id of the registered person who imports.")],
    file: Annotated[
        Path | None, typer.Argument(help="CSV file in UTF-8; its first line names the columns.")
    ] = None,
    mapping: Annotated[str | None, typer.Option(help="Mapping, if the study has several.")] = None,
    reason: Annotated[
        str, typer.Option(help="Why earlier records change, if any does; or why an import is taken back.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check; write nothing.")] = False,
    undo: Annotated[
        int | None, typer.Option(help="Take the import of this number back as a whole, instead of a file.")
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(help="With --undo: PATIENT:RECORD changed since by a person, which stays so."),
    ] = None,
) -> None:
    """Import a file as one unit, or take an import back: every row is checked first, and all are recorded or none."""
    with bad_input():
        if (file is None) == (undo is None):
            raise ValueError("give either a FILE to import, or --undo NUMBER to take an import back")
        if undo is not None:
            if mapping is not None or dry_run:
                raise ValueError("--mapping and --dry-run belong to a FILE; --undo takes a number")
            _undo(ledger, study, by, undo, reason, tuple(keep or ()))
            return
        if keep:
            raise ValueError("--keep belongs to --undo")
        assert file is not None
        _import(ledger, study, by, file, mapping, reason, dry_run)


def _import(
    ledger: str, study: Path, by: str, file: Path, mapping: str | None, reason: str, dry_run: bool
) -> None:
    from escalon.conduct.capture import commands as c
    from escalon.conduct.capture.events import ImportApplied, ImportStaged
    from escalon.conduct.capture.import_plan import compare
    from escalon.pipeline import open_study
    from escalon.report.terminal_imports import render_import
    from escalon.store.execute import LedgerWriter

    text = _text(file)
    folder = open_study(study)
    name = _only(mapping, [one.id for one in folder.conduct.capture.imports])
    with LedgerWriter(ledger, folder, origin="import") as writer:
        actor = _importer(writer.state, by)
        plan = _plan(writer.state, actor, folder, name, text, reason or ("to be given" if dry_run else ""))
        if plan.problems:
            table = render_import(file.name, text, name, plan, "nothing was written")
            count = len(plan.problems)
            closing = f"{count} problem{'s' if count > 1 else ''}; nothing was written"
            fail("\n".join([*plan.problems, table, closing]))
        if dry_run:
            typer.echo(render_import(file.name, text, name, plan, "would be imported; nothing was written"))
            return
        with writer.batch():
            (staged,) = _sent(writer, actor, c.StageImport(file.name, name, text))
            assert isinstance(staged, ImportStaged)
            applied = _sent(writer, actor, c.ApplyImport(staged.number, text, reason))
        done = next(event for event in applied if isinstance(event, ImportApplied))
        rules = next(one for one in folder.conduct.capture.imports if one.id == name)
        read_back = compare(writer.state, folder, rules, text)
    typer.echo(render_import(file.name, text, name, plan, f"import {done.number}", read_back))
    if read_back.differing:
        patient, record, item = read_back.differing[0]
        fail(
            f"{len(read_back.differing)} answers differ from the file; the first is {patient} {record} {item}",
            1,
        )


def _undo(ledger: str, study: Path, by: str, number: int, reason: str, keep: tuple[str, ...]) -> None:
    from escalon.conduct.capture.commands import RollbackImport
    from escalon.conduct.capture.events import ImportRolledBack
    from escalon.pipeline import open_study
    from escalon.report.terminal_imports import render_undo
    from escalon.store.execute import LedgerWriter

    folder = open_study(study)
    with LedgerWriter(ledger, folder, origin="import") as writer:
        actor = _importer(writer.state, by)
        events = _sent(writer, actor, RollbackImport(number, reason, keep))
        done = next(event for event in events if isinstance(event, ImportRolledBack))
        typer.echo(render_undo(writer.state, done))


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{file}: is no UTF-8 text: {error.reason} at byte {error.start}") from None


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
    from escalon.conduct.capture.import_plan import plan_import

    rules = next(one for one in folder.conduct.capture.imports if one.id == mapping)
    signed = Signed(StageImport("", mapping, text), actor, datetime.now(UTC))
    return plan_import(state, signed, folder, rules, text, reason)


def _sent(writer: "LedgerWriter", actor: "Actor", command: "Command") -> "tuple[Event, ...]":
    from escalon.conduct.act import Refused, Signed

    outcome = writer.execute(Signed(command, actor, datetime.now(UTC)))
    if isinstance(outcome, Refused):
        raise ValueError(f"{outcome.rule}: {outcome.reason}; nothing was written")
    return outcome
