"""The command line: parse, call, print. Heavy libraries are imported by the commands that need them."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from escalon.design import EscalationPlan

app = typer.Typer(
    name="escalon",
    help="Runs a first-in-human dose-escalation and expansion trial from protocol to report.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
study_app = typer.Typer(help="Study folders.", no_args_is_help=True)
app.add_typer(study_app, name="study")

StudyPath = Annotated[Path, typer.Argument(metavar="STUDY", help="Study folder.")]
OptionalStudy = Annotated[Path | None, typer.Argument(metavar="[STUDY]", help="Study folder.")]
PlanPath = Annotated[
    Path | None, typer.Option("--plan", help="YAML file with an escalation plan (instead of a study folder).")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def main() -> None:
    """Entry point of the ``escalon`` program."""
    app()


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Runs a first-in-human dose-escalation and expansion trial from protocol to report."""
    if version:
        from escalon import __version__

        typer.echo(f"escalon {__version__}")
        raise typer.Exit


def fail(message: str, code: int = 2) -> NoReturn:
    """Print ``message`` on standard error and leave with ``code``."""
    typer.echo(message, err=True)
    raise typer.Exit(code)


@contextmanager
def bad_input() -> Iterator[None]:
    """Turn what a person gave wrong into messages, one line for each fault, and exit code 2."""
    from pydantic import ValidationError

    from escalon.protocol.faults import StudyFolderError

    try:
        yield
    except StudyFolderError as error:
        count = len(error.faults)
        fail(
            "\n".join(
                [*map(str, error.faults), f"{count} fault{'s' if count > 1 else ''}; nothing was written"]
            )
        )
    except ValidationError as error:
        fail("\n".join(f"{'.'.join(map(str, row['loc']))}: {row['msg']}" for row in error.errors()))
    except (ValueError, KeyError, OSError) as error:
        fail(str(error.args[0]) if isinstance(error, KeyError) else str(error))


def plan_of(study: Path | None, plan: Path | None) -> "EscalationPlan":
    """Return the escalation plan of a study folder or of a plan file."""
    if (study is None) == (plan is None):
        fail("give either a study folder or --plan FILE")
    from escalon.pipeline import open_plan, open_study

    if plan is not None:
        return open_plan(plan)
    assert study is not None
    return open_study(study).study.escalation


def show(answer: dict[str, Any]) -> None:
    """Print ``answer`` as JSON."""
    typer.echo(json.dumps(answer, indent=2, allow_nan=False))


def numbers(text: str, what: str) -> list[float]:
    """Read comma-separated numbers; ValueError names the one that is none."""
    values = []
    for part in text.split(","):
        try:
            values.append(float(part))
        except ValueError:
            raise ValueError(
                f"{what}: {part.strip()!r} is not a number; give numbers with commas between"
            ) from None
    return values


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


@app.command()
def run(
    study: StudyPath,
    seed: Annotated[
        int, typer.Option(help="Seed; the same seed gives the same study, byte for byte.", min=0)
    ] = 1,
    out: Annotated[Path | None, typer.Option(help="Folder for ledger, datasets and report.")] = None,
    scenario: Annotated[str | None, typer.Option(help="True toxicity scenario of the folder.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run the virtual trial of a study folder, from first patient to report."""
    from escalon.pipeline import endpoints_json, run_study
    from escalon.report.terminal import RunProgress, print_run

    target = out or Path("build") / study.resolve().name
    with bad_input(), RunProgress(quiet=as_json) as shown:
        finished = run_study(study, target, seed=seed, scenario=scenario, progress=shown.day, step=shown.step)
    if as_json:
        sys.stdout.write(endpoints_json(finished.analysis))
    else:
        print_run(finished.folder, finished.state, finished.analysis.endpoints, finished.info, finished.out)


@app.command()
def verify(
    ledger: Annotated[str, typer.Argument(help="Ledger file, or database URL.")],
    head: Annotated[
        str | None, typer.Option(help="Hash the last event must have (finds a cut-off tail).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify the hash chain of a ledger; exit code 0 only if it holds."""
    from escalon.store.verify import verify_ledger

    with bad_input():
        results = verify_ledger(ledger, head)
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


@app.command("next")
def next_dose(
    outcomes: Annotated[str, typer.Option(help='Outcomes so far, such as "1NNN 2NTN" (N none, T toxicity).')],
    study: OptionalStudy = None,
    plan: PlanPath = None,
    as_json: AsJson = False,
) -> None:
    """Say what the escalation rule recommends next, with its reasons."""
    from escalon.design.answers import next_answer
    from escalon.report.terminal import print_next

    with bad_input():
        answer = next_answer(plan_of(study, plan), outcomes)
    if as_json:
        show(answer)
    else:
        print_next(answer)


@app.command()
def table(
    study: OptionalStudy = None,
    plan: PlanPath = None,
    max_n: Annotated[int | None, typer.Option(help="Largest number of patients at a level.", min=1)] = None,
    as_json: AsJson = False,
) -> None:
    """Print the decision table of a plan."""
    from escalon.design.answers import table_answer
    from escalon.report.terminal import print_table

    with bad_input():
        answer = table_answer(plan_of(study, plan), max_n)
    if as_json:
        show(answer)
    else:
        print_table(answer)


@app.command()
def oc(
    prob_tox: Annotated[str, typer.Option(help="True DLT probability per level, such as .05,.1,.2,.3")],
    study: OptionalStudy = None,
    plan: PlanPath = None,
    as_json: AsJson = False,
) -> None:
    """Exact operating characteristics of a plan in one scenario."""
    from escalon.design.answers import oc_answer
    from escalon.report.terminal import print_oc

    with bad_input():
        answer = oc_answer(plan_of(study, plan), numbers(prob_tox, "--prob-tox"))
    if as_json:
        show(answer)
    else:
        print_oc(answer, numbers(prob_tox, "--prob-tox"))


@app.command()
def mtd(
    n: Annotated[str, typer.Option("--n", help="Evaluable patients per level, such as 3,6,9")],
    y: Annotated[str, typer.Option("--y", help="Patients with a DLT per level, such as 0,1,3")],
    study: OptionalStudy = None,
    plan: PlanPath = None,
    as_json: AsJson = False,
) -> None:
    """Select the maximum tolerated dose at the end of escalation."""
    from escalon.design.answers import mtd_answer

    with bad_input():
        answer = mtd_answer(plan_of(study, plan), numbers(n, "--n"), numbers(y, "--y"))
    if as_json:
        show(answer)
    else:
        level = answer["level"]
        typer.echo("No level qualifies as MTD" if level is None else f"MTD: level {level}")
