"""The command that shows the audit trail: filtered, flagged, with what has been reviewed."""

import json
import sys
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from escalon.cli.common import AsJson, bad_input
from escalon.cli.oneself import As, may_see, reading

if TYPE_CHECKING:
    from escalon.conduct.oversight.trail import Row
    from escalon.conduct.state import State
    from escalon.protocol import StudyFolder
    from escalon.protocol.conduct.oversight import AuditSelection

    Shown = tuple[Row, tuple[int, ...]]

Many = list[str] | None
SECURITY = "SecurityEventRecorded"

SHOWN = 12
"""Names a message lists at most."""


def add_to(app: typer.Typer) -> None:
    """Add the command of this file to ``app``."""
    app.command()(audit)


def audit(
    ledger: Annotated[str, typer.Argument(help="Ledger file, or database URL.")],
    since: Annotated[
        str | None, typer.Option(help="First day (2026-05-04, UTC) or moment with zone.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Last day (whole) or moment, inclusive.")] = None,
    patient: Annotated[Many, typer.Option(help="Only this patient; options may be given again.")] = None,
    site: Annotated[Many, typer.Option(help="Only this site.")] = None,
    form: Annotated[Many, typer.Option(help="Only this form, such as AE.")] = None,
    item: Annotated[Many, typer.Option(help="Only this item, such as AETOXGR.")] = None,
    person: Annotated[Many, typer.Option(help="Only what this person did.")] = None,
    role: Annotated[Many, typer.Option(help="Only what was done in this role.")] = None,
    kind: Annotated[Many, typer.Option(help="Only events of this kind, such as FormRecorded.")] = None,
    origin: Annotated[Many, typer.Option(help="ui, api, import, system or virtual.")] = None,
    flag: Annotated[
        Many,
        typer.Option(
            help="after_adjudication, after_signature, near_cut, late_entry or after_lock; one is enough."
        ),
    ] = None,
    text: Annotated[str, typer.Option(help="Part of a value, reason or name.")] = "",
    definition: Annotated[
        str | None, typer.Option(help="Rows of this saved review; the other filters narrow them.")
    ] = None,
    unreviewed: Annotated[
        bool, typer.Option("--unreviewed", help="Only rows that no signed review has covered.")
    ] = False,
    last: Annotated[int, typer.Option(help="Rows of the table to show, from the end; 0: all.", min=0)] = 50,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print every row as CSV.")] = False,
    as_json: AsJson = False,
    study: Annotated[
        Path | None, typer.Option(help="Study folder, for a ledger that keeps no version of its study.")
    ] = None,
    as_person: As = None,
) -> None:
    """Show the audit trail: who changed what from what to what, when and why, with flags and reviews."""
    from escalon.cli.sending import current
    from escalon.protocol.conduct.oversight import AuditSelection
    from escalon.report.terminal_audit import ReadingProgress
    from escalon.store.audit import open_trail

    with bad_input():
        if as_csv and as_json:
            raise ValueError("give either --csv or --json")
        given = {
            "patients": patient,
            "sites": site,
            "forms": form,
            "items": item,
            "persons": person,
            "roles": role,
            "kinds": kind,
            "origins": origin,
            "flags": flag,
        }
        wish = AuditSelection.model_validate({**{k: v for k, v in given.items() if v}, "text": text})
        start, end = _moment(since, "--since", False), _moment(until, "--until", True)
        if start is not None and end is not None and end < start:
            raise ValueError(f"--since {since} lies after --until {until}; no event is in between")
        state, folder = current(ledger, study)
        _check_names(state, wish)
        saved = _saved(folder, definition)
        whose = (site or [""])[0] if len(site or ()) == 1 else ""
        reading(
            ledger, as_person, "audit trail", whose, "exported" if as_csv or as_json else "viewed", "rows"
        )
        security = may_see(state, as_person, "security events")

        def wanted(shown: "Shown") -> bool:
            row, reviews = shown
            return (
                (start is None or start <= row.at)
                and (end is None or row.at <= end)
                and not (unreviewed and reviews)
                and (security or row.kind != SECURITY)
                and _selects(wish, row)
                and (saved is None or _selects(saved, row))
            )

        with ReadingProgress(quiet=as_csv or as_json) as progress, open_trail(ledger) as trail:
            rows = _with_reviews(trail.rows(folder, told=progress.told), state)
            _print(filter(wanted, rows), last, as_csv, as_json, progress.__exit__)


def _check_names(state: "State", wish: "AuditSelection") -> None:
    """Raise ValueError for a name the ledger does not know: a slip must not read as "nothing happened"."""
    from escalon.conduct.encoding import KINDS
    from escalon.conduct.people.security import SYSTEM
    from escalon.protocol.conduct.people import ROLES

    coded = {slot.patient for slot in state.slots.slots if slot.patient is not None}
    known = {
        "patient": (wish.patients, {*state.patients, *coded}),
        "site": (wish.sites, {*state.people.sites, *(one.site for one in state.patients.values())}),
        "person": (
            wish.persons,
            {*state.people.persons, SYSTEM} if state.people.persons else set(wish.persons),
        ),
        "role": (wish.roles, {*ROLES, SYSTEM}),
        "kind": (wish.kinds, set(KINDS)),
    }
    for what, (named, there) in known.items():
        strange = [name for name in named if name not in there]
        if strange:
            few = sorted(there)[:SHOWN]
            more = f" and {len(there) - SHOWN} more" if len(there) > SHOWN else ""
            names = f"it has {', '.join(few)}{more}" if few else "it has none"
            raise ValueError(f"--{what} {strange[0]}: the ledger knows no such {what}; {names}")


def _selects(selection: "AuditSelection", row: "Row") -> bool:
    from escalon.conduct.oversight.select import selects

    return selects(selection, row)


def _with_reviews(rows: "Iterator[Row]", state: "State") -> "Iterator[Shown]":
    """Yield each row with the numbers of the signed reviews that covered it."""
    from escalon.conduct.oversight.audit_review import selection_of

    done = [
        (one.number, one.from_seq, one.to_seq, selection_of(one)) for one in state.oversight.audit_reviews
    ]
    for row in rows:
        yield (
            row,
            tuple(
                number
                for number, first, final, selection in done
                if first <= row.seq <= final and _selects(selection, row)
            ),
        )


def _print(rows: "Iterator[Shown]", last: int, as_csv: bool, as_json: bool, end: Callable[[], None]) -> None:
    from escalon.report.terminal_audit import render_audit

    if as_json:
        _stream_json(rows)
        return
    if as_csv:
        _stream_csv(rows)
        return
    kept: deque[Shown] = deque(maxlen=last or None)
    matched = waiting = 0
    for shown in rows:
        kept.append(shown)
        matched += 1
        waiting += not shown[1]
    end()
    typer.echo(render_audit(kept, matched, waiting), nl=False)


def _stream_json(rows: "Iterator[Shown]") -> None:
    from escalon.report.terminal_audit import audit_json

    between = ""
    sys.stdout.write('{"rows": [')
    for row, reviews in rows:
        sys.stdout.write(f"{between}\n{json.dumps(audit_json(row, reviews), allow_nan=False)}")
        between = ","
    sys.stdout.write("\n]}\n")


def _stream_csv(rows: "Iterator[Shown]") -> None:
    import csv

    from escalon.report.terminal_audit import COLUMNS, audit_csv

    writer = csv.DictWriter(sys.stdout, fieldnames=COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row, reviews in rows:
        writer.writerow(audit_csv(row, reviews))


def _saved(folder: "StudyFolder", name: str | None) -> "AuditSelection | None":
    if name is None:
        return None
    found = folder.conduct.oversight.audit_review(name)
    if found is None:
        known = ", ".join(one.id for one in folder.conduct.oversight.audit_reviews) or "none"
        raise ValueError(f"--definition {name}: the study has no review of this id; it has {known}")
    return found.select


def _moment(text: str | None, option: str, whole_day: bool) -> datetime | None:
    """Return the moment meant; of a day its first moment, or with ``whole_day`` its last."""
    if text is None:
        return None
    from datetime import UTC, date, time

    right = f"{option} {text}: right is a day, 2026-05-04, or a moment with zone, 2026-05-04T14:30Z"
    try:
        if len(text) == len("2026-05-04"):
            start = datetime.combine(date.fromisoformat(text), time.min, UTC)
            return start + timedelta(days=1) - timedelta(microseconds=1) if whole_day else start
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(right) from None
    if moment.tzinfo is None:
        raise ValueError(right)
    return moment
