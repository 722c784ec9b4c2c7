"""Commands on decisions of the committee and what it had before it."""

from pathlib import Path
from typing import Annotated

import typer

from escalon.cli.common import AsJson, bad_input, show, target
from escalon.cli.oneself import As, reading
from escalon.cli.sending import Study

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
    ledger: Annotated[str, typer.Option(help="Ledger file, database URL, or an export.")],
    study: Annotated[
        Path | None, typer.Option(help="Study folder; without it the versions kept in the ledger or export.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask the plan again on the facts of the cut; exit code 0 only if the answer is the same byte for byte."""
    from escalon.conduct.replay import replay_recommendation, replay_reviews
    from escalon.pipeline import open_study
    from escalon.store.facts import to_fact
    from escalon.store.source import read_source

    with bad_input():
        source = read_source(ledger)
        facts = [to_fact(entry) for entry in source.entries]
        folder = source.folder(None if study is None else open_study(study))
        replay = replay_recommendation(facts, number, folder)
        checks = replay_reviews(facts, number, folder)
    same = replay.same and all(check.same for check in checks)
    if as_json:
        keys = ("number", "cut_seq", "same", "recorded", "replayed")
        rows = [{"what": one.what, "same": one.same, "recorded": one.recorded} for one in checks]
        show({key: getattr(replay, key) for key in keys} | {"reviews": rows})
    else:
        word = "gives the same bytes" if replay.same else "DIFFERS"
        typer.echo(f"Recommendation {number}, from the first {replay.cut_seq} events: the replay {word}")
        typer.echo(replay.recorded)
        if not replay.same:
            typer.echo(replay.replayed, err=True)
        for check in checks:
            word = "the same hash" if check.same else f"DIFFERS: it is now {check.replayed}"
            typer.echo(f"{check.what}: {check.recorded}: {word}", err=not check.same)
    if not same:
        raise typer.Exit(1)


@decision_app.command("list")
def decision_list(
    ledger: Annotated[str, typer.Option(help="Ledger file, or database URL.")],
    as_json: AsJson = False,
    as_person: As = None,
) -> None:
    """What was recommended and what was decided, with review, votes against and signatures."""
    from escalon.conduct.fold import fold
    from escalon.report.terminal_decisions import decision_rows, render_decisions
    from escalon.store.ledger import read_facts

    with bad_input():
        reading(ledger, as_person, "decisions", "", "viewed", "all")
        rows = decision_rows(fold(read_facts(ledger)))
    if as_json:
        show(rows)
    else:
        typer.echo(render_decisions(rows), nl=False)


@decision_app.command("packet")
def decision_packet(
    number: Annotated[int, typer.Argument(help="Number of the review, from 1; 0 for a preview as of now.")],
    ledger: Annotated[str, typer.Option(help="Ledger file, or database URL.")],
    out: Annotated[Path, typer.Option(help="HTML file to write.", callback=target)],
    study: Study = None,
    part: Annotated[str, typer.Option(help="Part of the study, for a preview.")] = "escalation",
    as_person: As = None,
) -> None:
    """Write the page the safety committee has before it."""
    from escalon.pipeline import open_study, render_review
    from escalon.store.ledger import read_facts
    from escalon.store.study_versions import all_versions

    with bad_input():
        reading(ledger, as_person, "committee packet", "", "exported", f"review {number}")
        folder = all_versions(ledger, None if study is None else open_study(study))
        page = render_review(read_facts(ledger), folder, number, part)
        out.write_text(page, encoding="utf-8")
    typer.echo(f"{out}: packet of {'a preview' if number == 0 else f'review {number}'}")
