"""The command line: parse, call, print. Heavy libraries are imported by the commands that need them."""

from typing import Annotated

import typer

from escalon.cli import (
    acts,
    analysis,
    audit,
    calendar,
    capture,
    casebook,
    cohorts,
    criteria,
    decision,
    design,
    install,
    people,
    queue,
    reviews,
    safety,
    store,
    study,
)

app = typer.Typer(
    name="escalon",
    help="Runs a first-in-human dose-escalation and expansion trial from protocol to report.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
study.add_to(app)
store.add_to(app)
acts.add_to(app)
design.add_to(app)
decision.add_to(app)
criteria.add_to(app)
analysis.add_to(app)
people.add_to(app)
audit.add_to(app)
reviews.add_to(app)
calendar.add_to(app)
cohorts.add_to(app)
queue.add_to(app)
capture.add_to(app)
casebook.add_to(app)
install.add_to(app)
safety.add_to(app)


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
