"""The queue for slots as sites see it, and how evenly they were served; coded ids, no health data."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from escalon.cli.calendar import At, Ledger, state_at
from escalon.cli.common import AsJson, bad_input, show
from escalon.cli.oneself import As, reading
from escalon.cli.sending import Study


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file to ``app``."""
    app.command("queue")(show_queue)
    app.command("fairness")(show_fairness)


def show_queue(
    ledger: Ledger,
    study: Study = None,
    site: Annotated[str | None, typer.Option(help="Show codes of this site's candidates only.")] = None,
    at: At = None,
    as_json: AsJson = False,
    as_person: As = None,
) -> None:
    """Who waits for a place, and when one may open; reservations with their end and how they are handed back."""
    from escalon.conduct.slots.prediction import ASSUMED, predict
    from escalon.conduct.slots.queue import expires_at
    from escalon.conduct.slots.state import Status

    with bad_input():
        reading(ledger, as_person, "slots and cohorts", "", "viewed", "the queue")
        state, folder = state_at(ledger, study, at)
        if site is not None and site not in state.people.sites:
            raise ValueError(
                f"--site {site}: the ledger knows sites {', '.join(state.people.sites) or 'none'}"
            )
        if state.at is None:
            raise ValueError(f"{ledger}: the ledger is empty")
        waiting: list[dict[str, Any]] = [
            {
                "position": one.place.position,
                "slot": one.place.slot,
                "site": one.place.site,
                "candidate": one.place.candidate if site in (None, one.place.site) else None,
                "backfill": one.place.backfill,
                "since": one.place.since.isoformat(),
                "line": one.line,
                "earliest": _text(one.earliest),
                "latest": _text(one.latest),
                "why": one.why,
            }
            for one in predict(state, folder, state.at)
        ]
        reserved = [
            {
                "slot": slot.number,
                "site": slot.site,
                "candidate": slot.candidate if site in (None, slot.site) else None,
                "dose_level": slot.dose_level,
                "expires": _text(expires_at(state, slot, folder)),
            }
            for slot in state.slots.slots
            if slot.status is Status.RESERVED
        ]
    if as_json:
        show(
            {
                "as_of": state.at.isoformat(),
                "waiting": waiting,
                "reserved": reserved,
                "assumed": list(ASSUMED),
            }
        )
        return
    typer.echo(f"As of {_shown(state.at.isoformat())}: {len(waiting)} waiting, {len(reserved)} reserved")
    for row in waiting:
        kind = "backfill, " if row["backfill"] else ""
        typer.echo(
            f"{row['position']:>3}  slot {row['slot']}, site {row['site']}, {row['candidate'] or 'other site'} "
            f"({kind}since {_shown(row['since'])}): {_shown(row['earliest'])} to {_shown(row['latest'])}; {row['why']}"
        )
    for row in reserved:
        end = "its clock stands during a hold" if row["expires"] is None else f"ends {_shown(row['expires'])}"
        typer.echo(
            f"  slot {row['slot']}, site {row['site']}, {row['candidate'] or 'other site'}, level "
            f"{row['dose_level']}: reserved, {end}; the site can hand it back before (ReleaseSlot)"
        )
    if waiting:
        typer.echo("Assumed, " + "; ".join(ASSUMED))


def show_fairness(
    ledger: Ledger, study: Study = None, at: At = None, as_json: AsJson = False, as_person: As = None
) -> None:
    """Per site: requests, seats, releases, expiries, and waits in hours (median, quartiles)."""
    from escalon.conduct.slots.fairness import fairness

    with bad_input():
        reading(ledger, as_person, "slots and cohorts", "", "viewed", "service per site")
        state, folder = state_at(ledger, study, at)
        rows = fairness(state)
    if as_json:
        policy = folder.conduct.slots.policy
        show({"as_of": _text(state.at), "policy": policy, "sites": [asdict(row) for row in rows]})
        return
    typer.echo(
        "site  requests  reserved  confirmed  released  expired  waiting  unserved  wait h: median (quartiles)"
    )
    for row in rows:
        counts = (
            row.requests,
            row.reserved,
            row.confirmed,
            row.released,
            row.expired,
            row.waiting,
            row.gone_unserved,
        )
        widths = (8, 8, 9, 8, 7, 7, 8)
        cells = "  ".join(f"{count:>{width}}" for count, width in zip(counts, widths, strict=True))
        wait = (
            "-"
            if row.wait_median is None
            else f"{row.wait_median:g} ({row.wait_lower:g} to {row.wait_upper:g})"
        )
        typer.echo(f"{row.site:<4}  {cells}  {wait}")


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _shown(moment: str | None) -> str:
    return "not known" if moment is None else f"{datetime.fromisoformat(moment):%d %b %Y %H:%M} UTC"
