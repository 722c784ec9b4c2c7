"""Commands on decisions of the committee and what it had before it."""

from pathlib import Path
from typing import Annotated

import typer

from escalon.cli.common import AsJson, bad_input, show

decision_app = typer.Typer(help="Recommendations and decisions in a ledger.")


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file to ``app``."""
    app.add_typer(decision_app, name="decision")


@decision_app.callback()
def decision_root() -> None:
    """Recommendations and decisions in a ledger."""


@decision_app.command("replay")
def decision_replay(
    number: Annotated[int, typer.Argument(help="Number of the recommendation, from 1.")],
    ledger: Annotated[str, typer.Option(help="Ledger file, or database URL.")],
    study: Annotated[Path, typer.Option(help="Study folder the trial was opened on.")],
    as_json: AsJson = False,
) -> None:
    """Ask the plan again on the facts of the cut; exit code 0 only if the answer is the same byte for byte."""
    from escalon.conduct.replay import replay_recommendation
    from escalon.pipeline import open_study
    from escalon.store.ledger import read_facts

    with bad_input():
        replay = replay_recommendation(read_facts(ledger), number, open_study(study))
    if as_json:
        keys = ("number", "cut_seq", "same", "recorded", "replayed")
        show({key: getattr(replay, key) for key in keys})
    else:
        word = "gives the same bytes" if replay.same else "DIFFERS"
        typer.echo(f"Recommendation {number}, from the first {replay.cut_seq} events: the replay {word}")
        typer.echo(replay.recorded)
        if not replay.same:
            typer.echo(replay.replayed, err=True)
    if not replay.same:
        raise typer.Exit(1)
