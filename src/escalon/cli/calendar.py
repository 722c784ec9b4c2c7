"""The calendar feed of a site, as it is or as it stood, and what is held."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from escalon.cli.common import AsJson, bad_input, show, target
from escalon.cli.oneself import As, reading
from escalon.cli.sending import Study

if TYPE_CHECKING:
    from escalon.conduct.state import State
    from escalon.protocol import StudyFolder

Ledger = Annotated[str, typer.Argument(help="Ledger file, or database URL.")]
At = Annotated[
    str | None, typer.Option(help="Moment to go back to, with its zone, such as 2020-03-01T12:00:00Z.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file to ``app``."""
    app.command()(calendar)
    app.command()(holds)


def calendar(
    ledger: Ledger,
    site: Annotated[str, typer.Option(help="Site whose calendar is written.")],
    out: Annotated[Path, typer.Option(help="File to write, such as site-01.ics.", callback=target)],
    study: Study = None,
    at: At = None,
    as_person: As = None,
) -> None:
    """Write a site's calendar: earliest infusions with their reason, windows, reservations; coded ids only.

    With --at the feed as it stood at that moment, byte for byte.
    """
    from escalon.report.calendar_feed import calendar_entries, render_calendar

    with bad_input():
        reading(ledger, as_person, "slots and cohorts", "", "exported", f"the calendar of site {site}")
        state, folder = state_at(ledger, study, at)
        content = render_calendar(state, folder, site)
        entries = calendar_entries(state, folder, site)
        out.write_bytes(content)
    stood = "" if at is None else f" as of event {state.seq}, {state.at:%d %b %Y %H:%M} UTC"
    typer.echo(f"{out}: {len(entries)} entries for site {site}{stood}")


def holds(
    ledger: Ledger,
    at: At = None,
    everything: Annotated[bool, typer.Option("--all", help="Lifted holds as well.")] = False,
    as_json: AsJson = False,
    as_person: As = None,
) -> None:
    """What is held, since when and why."""
    from escalon.conduct.holds import scope_words

    with bad_input():
        reading(ledger, as_person, "slots and cohorts", "", "viewed", "holds")
        state = _state(ledger, at)
        found = state.holds if everything else state.open_holds
        rows: list[dict[str, Any]] = [
            {
                "hold": hold.number,
                "cause": hold.rule,
                "held": scope_words(hold),
                "since": hold.at.isoformat(),
                "lifted": None if hold.lifted_at is None else hold.lifted_at.isoformat(),
                "reason": hold.reason,
            }
            for hold in found
        ]
    if as_json:
        show({"holds": rows})
        return
    for hold in found:
        end = "open" if hold.lifted_at is None else f"lifted {hold.lifted_at:%d %b %Y %H:%M} UTC"
        since = f"{hold.at:%d %b %Y %H:%M} UTC"
        typer.echo(
            f"hold {hold.number} ({hold.rule}), {end}: {scope_words(hold)}, since {since}; {hold.reason}"
        )
    if not found:
        typer.echo("nothing is held")


def state_at(ledger: str, study: Path | None, at: str | None) -> "tuple[State, StudyFolder]":
    """Return the state at that moment (None: now) and the version of the study in force then.

    Raises:
        ValueError: no moment with a zone, before the first fact, or the version in force is not at hand.
    """
    from escalon.conduct.replay import version_in_force
    from escalon.pipeline import open_study
    from escalon.store.study_versions import all_versions

    folder, state = None if study is None else open_study(study), _state(ledger, at)
    if at is None and folder is not None and state.study_hash != folder.hash:
        raise ValueError(
            f"{study}: not the version of the study the ledger is on; without --study that version is used"
        )
    return state, version_in_force(state, all_versions(ledger, folder))


def _state(ledger: str, at: str | None) -> "State":
    from escalon.conduct.fold import cut, fold
    from escalon.store.ledger import read_facts

    facts = read_facts(ledger)
    if at is None:
        return fold(facts)
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise ValueError(f"--at {at}: no moment; right is, for example, 2020-03-01T12:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"--at {at}: a moment needs its zone; right is {moment.isoformat()}Z for UTC")
    try:
        state = cut(facts, moment.astimezone(UTC))
    except OverflowError:
        raise ValueError(f"--at {at}: no calendar goes there") from None
    if state.at is None:
        raise ValueError(f"--at {at}: nothing had happened yet; the ledger begins later")
    return state
