"""What the safety officer records at the terminal: a report sent, a matter, to whom a report went, who read it."""

from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from escalon.cli.common import bad_input

if TYPE_CHECKING:
    from escalon.conduct.act import Event

Ledger = Annotated[str, typer.Argument(metavar="LEDGER", help="Ledger file, or database URL.")]
Study = Annotated[
    Path | None, typer.Option("--study", help="Study folder; default: the one the ledger keeps.")
]
By = Annotated[str, typer.Option("--by", help="Id of the registered person who acts.")]
Report = Annotated[int, typer.Option("--report", help="Number of the report; see `escalon safety reports`.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file to ``app``."""
    app.command("submit")(submit)
    app.command("matter")(matter)
    app.command("distribute")(distribute)
    app.command("read")(read)


def submit(
    ledger: Ledger,
    clock: Annotated[int, typer.Option(help="Number of the task; see `escalon safety clocks`.")],
    file: Annotated[Path, typer.Option(help="The file that was sent; the ledger keeps its SHA-256.")],
    receiver: Annotated[str, typer.Option(help="To whom it was sent.")],
    by: By,
    late_reason: Annotated[str | None, typer.Option(help="Why it is late, when it is.")] = None,
    study: Study = None,
) -> None:
    """Record that a report was sent; it stops its clock."""
    from escalon.cli.sending import carry_out
    from escalon.conduct.safety.commands import SubmitReport
    from escalon.conduct.safety.events import ReportSubmitted

    with bad_input():
        pinned = sha256(file.read_bytes()).hexdigest()
        events = carry_out(ledger, study, by, SubmitReport(clock, receiver, pinned, late_reason))
    numbers = [event.report for event in events if isinstance(event, ReportSubmitted)]
    typer.echo(f"Report {numbers[0]} to {receiver}: SHA-256 {pinned}")
    _say_clocks(events)


def matter(
    ledger: Ledger,
    kind: Annotated[str, typer.Option(help="urgent_safety_measure, serious_breach or dsur.")],
    at: Annotated[
        str,
        typer.Option(
            help="When it was taken or became known, with its zone; of a data lock point the day suffices."
        ),
    ],
    summary: Annotated[str, typer.Option(help="What happened and what was done.")],
    by: By,
    study: Study = None,
) -> None:
    """Record an urgent safety measure, a serious breach or a data lock point; it starts its clocks."""
    from escalon.cli.sending import carry_out, current
    from escalon.conduct.safety.commands import RecordMatter
    from escalon.conduct.safety.events import MatterRecorded

    with bad_input():
        _, folder = current(ledger, study)
        moment = _when(at, kind, folder.conduct.safety.zone)
        events = carry_out(ledger, study, by, RecordMatter(kind, summary, moment))
    numbers = [event.matter for event in events if isinstance(event, MatterRecorded)]
    typer.echo(f"Matter {numbers[0]} is recorded")
    _say_clocks(events)


def distribute(
    ledger: Ledger,
    report: Report,
    to: Annotated[
        list[str], typer.Option("--to", help="Id of a person, or committee:NAME; may be given again.")
    ],
    by: By,
    study: Study = None,
) -> None:
    """Record to whom a report was sent on; each of them confirms reading."""
    from escalon.cli.sending import carry_out
    from escalon.conduct.safety.commands import DistributeReport

    with bad_input():
        carry_out(ledger, study, by, DistributeReport(report, tuple(to)))
    typer.echo(f"Report {report} was sent on to {', '.join(to)}")


def read(
    ledger: Ledger,
    report: Report,
    by: By,
    recipient: Annotated[
        str, typer.Option("--for", help="committee:NAME, whose receipt the safety officer enters.")
    ] = "",
    study: Study = None,
) -> None:
    """Confirm that a report was read: by oneself, or by a committee."""
    from escalon.cli.sending import carry_out
    from escalon.conduct.safety.commands import ConfirmReading

    with bad_input():
        carry_out(ledger, study, by, ConfirmReading(report, recipient))
    typer.echo(f"{recipient or by} has read report {report}")


def _when(text: str, kind: str, zone: str) -> datetime:
    """Read a moment; the day of a data lock point is its end in the sponsor's zone."""
    from escalon.conduct.safety.lock_points import end_of_day

    try:
        if kind == "dsur" and len(text) == len("2026-05-04"):
            return end_of_day(date.fromisoformat(text), zone)
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"--at {text}: right is a moment, 2026-05-04T14:30Z") from None


def _say_clocks(events: "tuple[Event, ...]") -> None:
    from escalon.conduct.safety.events import ClockStarted
    from escalon.report.terminal_safety import PURPOSES

    for event in events:
        if isinstance(event, ClockStarted):
            due = f"{event.due_at:%d %b %Y %H:%M} UTC"
            typer.echo(f"Clock {event.clock}, {PURPOSES[event.purpose]}, {event.jurisdiction}: due {due}")
