"""The cohort board: where every cohort stands and why, and who holds which seat."""

from typing import Annotated

import typer

from escalon.cli.calendar import At, Ledger, state_at
from escalon.cli.common import AsJson, bad_input, show
from escalon.cli.oneself import As, reading
from escalon.cli.sending import Study


def add_to(app: typer.Typer) -> None:
    """Add the command of this file to ``app``."""
    app.command("cohorts")(show_cohorts)


def show_cohorts(
    ledger: Ledger,
    study: Study = None,
    cohort: Annotated[int | None, typer.Option(help="Show the seats of this cohort only.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Show the seats of decided and closed cohorts as well.")
    ] = False,
    at: At = None,
    as_json: AsJson = False,
    as_person: As = None,
) -> None:
    """Where every cohort stands and what it waits for; seats, windows and earliest infusions of those that go on."""
    from escalon.report.terminal_cohorts import cohort_rows, render_cohorts

    with bad_input():
        reading(ledger, as_person, "slots and cohorts", "", "viewed", "the cohort board")
        state, folder = state_at(ledger, study, at)
        if state.at is None:
            raise ValueError(f"{ledger}: the ledger is empty")
        known = [one.cohort for one in state.cohorts]
        if cohort is not None and cohort not in known:
            raise ValueError(f"--cohort {cohort}: the ledger holds cohorts {known or 'none'}")
        rows = cohort_rows(state, folder, state.at)
    if as_json:
        shown = [row for row in rows if cohort in (None, row["cohort"])]
        show({"as_of": state.at.isoformat(), "event": state.seq, "cohorts": shown})
    else:
        typer.echo(render_cohorts(rows, state, state.at, cohort, everything), nl=False)
