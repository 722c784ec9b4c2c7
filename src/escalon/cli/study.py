"""Commands on a study folder and its ledger: check, run, verify."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from escalon.cli.common import AsJson, StudyPath, bad_input, show, write_csv

if TYPE_CHECKING:
    from escalon.protocol import StudyFolder

study_app = typer.Typer(help="Study folders.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file to ``app``."""
    app.command()(run)
    app.command()(verify)
    app.add_typer(study_app, name="study")


@study_app.callback()
def study_root() -> None:
    """Study folders."""


@study_app.command("check")
def study_check(study: StudyPath, as_json: AsJson = False) -> None:
    """Check a study folder: a summary, or every fault with file, line, field, value and rule."""
    from escalon.pipeline import open_study

    with bad_input():
        folder = open_study(study)
    from escalon.report.terminal import folder_summary, print_folder

    if as_json:
        show(folder_summary(folder))
    else:
        print_folder(folder)


@study_app.command("diff")
def study_diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="Study folder in force.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Study folder of the amendment.")],
    as_json: AsJson = False,
) -> None:
    """Show what an amendment changes; exit code 1 if it would destroy recorded data and cannot be adopted."""
    from escalon.pipeline import open_study
    from escalon.protocol.amendments import breaking, diff_studies
    from escalon.report.study_diff import diff_answer, print_diff

    with bad_input():
        before, after = open_study(old), open_study(new)
    differences, destroyed = diff_studies(before, after), breaking(before, after)
    if as_json:
        show(diff_answer(differences, destroyed))
    else:
        print_diff(differences, destroyed)
    if destroyed:
        raise typer.Exit(1)


@study_app.command("sources")
def study_sources(
    study: StudyPath,
    ledger: Annotated[
        str | None,
        typer.Option(help="Ledger: how every answer came in, beside what was agreed; --csv has each answer."),
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print the source-data agreement: for every item its source, where that is kept, and whose data they are."""
    from dataclasses import asdict

    from escalon.pipeline import open_study
    from escalon.protocol.forms_sources import source_agreement

    with bad_input():
        folder = open_study(study)
        if ledger is not None:
            _answer_sources(ledger, folder, as_csv, as_json)
            return
    rows = [asdict(row) for row in source_agreement(folder.forms.values())]
    if as_json:
        show({"study": folder.study.identity.study_id, "hash": folder.hash, "items": rows})
    elif as_csv:
        write_csv(rows)
    else:
        for row in rows:
            name = ".".join(part for part in (row["form"], row["group"], row["item"]) if part)
            typer.echo(f"{name:<18} {row['owner']:<8} {row['source']:<12} {row['found_in']}")


def _answer_sources(ledger: str, folder: "StudyFolder", as_csv: bool, as_json: bool) -> None:
    from escalon.conduct.fold import fold
    from escalon.conduct.replay import version_in_force
    from escalon.report.terminal_sources import render_sources, source_counts, source_rows
    from escalon.store.ledger import read_facts
    from escalon.store.study_versions import all_versions

    state = fold(read_facts(ledger))
    rows = source_rows(state, version_in_force(state, all_versions(ledger, folder)))
    if as_csv:
        write_csv(rows)
    elif as_json:
        show({"study": folder.study.identity.study_id, "items": source_counts(rows), "answers": rows})
    else:
        typer.echo(render_sources(rows), nl=False)


def run(
    study: StudyPath,
    seed: Annotated[int, typer.Option(help="The same seed gives the same study, byte for byte.", min=0)] = 1,
    out: Annotated[Path | None, typer.Option(help="Folder for ledger, datasets and report.")] = None,
    scenario: Annotated[str | None, typer.Option(help="True toxicity scenario of the folder.")] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Set a ledger aside that is there; start anew.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run the virtual trial of a study folder, from first patient to report."""
    from escalon.pipeline import endpoints_json, run_study
    from escalon.report.terminal import RunProgress, print_run
    from escalon.store.execute import LedgerMismatch

    target = out or Path("build") / study.resolve().name
    with bad_input(), RunProgress(quiet=as_json) as shown:
        try:
            finished = run_study(
                study, target, seed=seed, scenario=scenario, fresh=fresh, progress=shown.day, step=shown.step
            )
        except LedgerMismatch as error:
            raise ValueError(
                f"{target}: {error}; choose another --out, or add --fresh to set it aside"
            ) from error
    if as_json:
        sys.stdout.write(endpoints_json(finished.analysis))
    else:
        print_run(finished.folder, finished.state, finished.analysis.endpoints, finished.info, finished.out)


def verify(
    ledger: Annotated[str, typer.Argument(help="Ledger file, or database URL.")],
    head: Annotated[
        str | None, typer.Option(help="Hash the last event must have (finds a lost tail).")
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            help="Public key (64 hexadecimal digits) the checkpoint of an export must be signed with."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify the hash chain of a ledger, or of an export without any database; exit code 0 only if it holds."""
    from escalon.store.verify import verify_ledger

    with bad_input():
        if key is not None and re.fullmatch("[0-9a-f]{64}", key) is None:
            raise ValueError(
                f"--key {key}: a public key is 64 hexadecimal digits, as `escalon checkpoint` prints it"
            )
        if head is not None and re.fullmatch("[0-9a-f]{64}", head) is None:
            raise ValueError(f"--head {head}: the hash of an event is 64 hexadecimal digits")
        results = verify_ledger(ledger, head, key)
    if as_json:
        keys = ("study_id", "events", "head", "holds", "problems")
        show({"ledgers": [{key: getattr(result, key) for key in keys} for result in results]})
    else:
        for result in results:
            word = "holds" if result.holds else "DOES NOT HOLD"
            typer.echo(f"{result.study_id}: {result.events} events, the chain {word}; head {result.head}")
            for problem in result.problems:
                typer.echo(f"  {problem}", err=True)
    if not all(result.holds for result in results):
        raise typer.Exit(1)
