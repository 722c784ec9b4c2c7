"""Oversight from the terminal: what is due, signed reviews, a right in an emergency, notices."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from escalon.cli.common import AsJson, bad_input, show
from escalon.cli.oneself import AccountsUrl, Otp, carry_out_proved

if TYPE_CHECKING:
    from escalon.conduct.oversight.commands import RightNamed
    from escalon.conduct.oversight.state import Notice

review_app = typer.Typer(help="Signed reviews of the audit trail, of access and of emergency rights.")
Ledger = Annotated[str, typer.Argument(help="Ledger file, or database URL.")]
By = Annotated[str, typer.Option("--by", help="Id of the registered person who signs.")]
Conclusion = Annotated[str, typer.Option(help="What follows from the review.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file to ``app``."""
    app.add_typer(review_app, name="review")
    app.command("break-glass")(break_glass)
    app.command()(notices)


@review_app.callback()
def review_root() -> None:
    """Signed reviews of the audit trail, of access and of emergency rights."""


@review_app.command("list")
def review_list(ledger: Ledger, as_json: AsJson = False) -> None:
    """Show which reviews are due when, and which are overdue."""
    from escalon.cli.sending import current
    from escalon.conduct.oversight.due import reviews_due
    from escalon.report.terminal_audit import render_due

    with bad_input():
        state, folder = current(ledger, None)
        now = datetime.now(UTC) if state.origin != "virtual" else state.at or datetime.now(UTC)
        rows = reviews_due(state, folder)
    if as_json:
        said = [
            {
                "what": one.what,
                "name": one.name,
                "roles": list(one.roles),
                "last": one.last and one.last.isoformat(),
                "due": one.due.isoformat(),
                "overdue": one.overdue(now),
                "to_do": one.to_do,
            }
            for one in rows
        ]
        show({"at": now.isoformat(), "reviews": said})
    else:
        typer.echo(render_due(rows, now), nl=False)


@review_app.command("audit")
def review_audit(
    ledger: Ledger,
    by: By,
    definition: Annotated[str, typer.Option(help="Id of the saved review.")],
    conclusion: Conclusion,
    findings: Annotated[str, typer.Option(help="What was found; nothing if it is left out.")] = "",
    upto: Annotated[
        int | None, typer.Option(help="Last event covered; default: the last of the ledger.")
    ] = None,
    accounts: AccountsUrl = None,
    code: Otp = None,
) -> None:
    """Sign a review of the audit trail, from the first event it has not covered; see `escalon audit --definition`."""
    from escalon.cli.sending import current
    from escalon.conduct.oversight.audit_review import reviewed_up_to
    from escalon.conduct.oversight.commands import RecordAuditReview
    from escalon.store.audit import pin_rows

    with bad_input():
        state, folder = current(ledger, None)
        rule = folder.conduct.oversight.audit_review(definition)
        if rule is None:
            known = ", ".join(one.id for one in folder.conduct.oversight.audit_reviews) or "none"
            raise ValueError(f"--definition {definition}: the study has no review of this id; it has {known}")
        first, final = reviewed_up_to(state, definition) + 1, state.seq if upto is None else upto
        count, pinned = pin_rows(ledger, folder, rule.select, first, final)
        command = RecordAuditReview(definition, first, final, count, pinned, findings, conclusion)
        carry_out_proved(ledger, by, command, accounts, code, rule.roles)
    typer.echo(f"reviewed: {definition}, events {first} to {final}, {count} rows, SHA-256 {pinned}")


@review_app.command("check")
def review_check(
    number: Annotated[int, typer.Argument(help="Number of a signed review of the audit trail.")],
    ledger: Annotated[str, typer.Option(help="Ledger file, or database URL.")],
) -> None:
    """Make the rows of a signed review again; exit code 0 only if they are those that were signed."""
    from escalon.cli.sending import current
    from escalon.conduct.oversight.audit_review import selection_of
    from escalon.store.audit import pin_rows

    with bad_input():
        state, folder = current(ledger, None)
        done = state.oversight.audit_reviews
        if not 1 <= number <= len(done):
            raise ValueError(f"there is no review {number}; the ledger holds {len(done)}")
        one = done[number - 1]
        found = pin_rows(ledger, folder, selection_of(one), one.from_seq, one.to_seq, one.seq - 1)
    same = found == (one.rows, one.trail_hash)
    word = "the rows that were signed" if same else f"DIFFERS: {found[0]} rows, SHA-256 {found[1]}"
    typer.echo(f"Review {number}, {one.definition}, events {one.from_seq} to {one.to_seq}: {word}")
    if not same:
        raise typer.Exit(1)


@review_app.command("access")
def review_access(
    ledger: Ledger,
    by: By,
    conclusion: Conclusion,
    revoke: Annotated[
        list[str] | None,
        typer.Option(help="Right to take away, as PERSON:ROLE or PERSON:ROLE:SITE; repeatable."),
    ] = None,
    accounts: AccountsUrl = None,
    code: Otp = None,
) -> None:
    """Sign the table of all rights as they are; the rights named by --revoke end, the others are confirmed."""
    from escalon.cli.sending import current
    from escalon.conduct.oversight.access_review import access_hash, standing_rights
    from escalon.conduct.oversight.commands import ReviewAccess

    with bad_input():
        state, _ = current(ledger, None)
        gone = tuple(_right(one) for one in revoke or ())
        for right in standing_rights(state):
            where = f" at site {right.site}" if right.site else ""
            typer.echo(f"{right.person:<18} {right.name:<32} {right.role.replace('_', ' ')}{where}")
        carry_out_proved(ledger, by, ReviewAccess(access_hash(state), gone, conclusion), accounts, code)
    typer.echo(f"access reviewed: {len(standing_rights(state))} rights, {len(gone)} taken away")


@review_app.command("emergency")
def review_emergency(
    ledger: Ledger,
    by: By,
    number: Annotated[int, typer.Option(help="Number of the emergency right.")],
    conclusion: Conclusion,
    accounts: AccountsUrl = None,
    code: Otp = None,
) -> None:
    """Sign the review of an emergency right that is over; `escalon audit --person` shows what was done under it."""
    from escalon.conduct.oversight.commands import ReviewBreakGlass

    with bad_input():
        carry_out_proved(ledger, by, ReviewBreakGlass(number, conclusion), accounts, code)
    typer.echo(f"emergency right {number} is reviewed")


def break_glass(
    ledger: Ledger,
    by: By,
    role: Annotated[str, typer.Option(help="Role that is needed now.")],
    reason: Annotated[str, typer.Option(help="Why it cannot wait.")],
    hours: Annotated[float, typer.Option(help="For how long.")],
    site: Annotated[str, typer.Option(help="Your site, if you act for one.")] = "",
    accounts: AccountsUrl = None,
    code: Otp = None,
) -> None:
    """Take a role for some hours in an emergency: it is told at once and must be reviewed afterwards."""
    from math import inf

    from escalon.conduct.oversight.commands import BreakGlass
    from escalon.conduct.roles import ROLES

    with bad_input():
        if role not in ROLES:
            raise ValueError(f"--role {role}: no such role; there are {', '.join(ROLES)}")
        if not 0 < hours < inf:
            raise ValueError(f"--hours {hours}: right is a number of hours above 0")
        events = carry_out_proved(ledger, by, BreakGlass(role, site, reason, hours), accounts, code)
    opened = events[0]
    typer.echo(f"emergency right {opened.access}: {role} until {opened.until:%Y-%m-%d %H:%M} UTC")  # type: ignore[attr-defined]


def notices(
    ledger: Ledger,
    send: Annotated[bool, typer.Option("--send", help="Send what waits, as ESCALON_MAIL says.")] = False,
    accounts: AccountsUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show notices of lock-outs and emergencies, and send those that wait; exit code 1 if some still wait then."""
    from escalon.cli.sending import current
    from escalon.conduct.oversight.notices import waiting
    from escalon.store.connection import connect_accounts
    from escalon.store.execute import LedgerWriter
    from escalon.store.notices import deliver_notices, sender_of

    with bad_input():
        state, folder = current(ledger, None)
        if send:
            sender = sender_of()
            if sender is None:
                raise ValueError(
                    "--send: say how in ESCALON_MAIL: outbox:FOLDER or smtp://USER:PASSWORD@HOST:PORT"
                )
            connect_accounts(accounts or ledger)
            with LedgerWriter(ledger, folder, origin="system") as writer:
                deliver_notices(writer, sender)
                state = writer.state
        rows = [_notice(one) for one in state.oversight.notices]
    if as_json:
        show({"notices": rows})
    for row in () if as_json else rows:
        typer.echo(
            f"{row['notice']:>4} {row['at'][:16]} {row['sent']:<28} {row['to'] or '(nobody named)'}: {row['text']}"
        )
    left = len(waiting(state))
    if not as_json:
        typer.echo(f"{len(rows)} notices, {left} wait")
    if send and left:
        raise typer.Exit(1)


def _notice(one: "Notice") -> dict[str, str]:
    sent = f"{one.means} {one.sent_at:%Y-%m-%d %H:%M}" if one.sent_at else "WAITS"
    return {
        "notice": str(one.number),
        "at": one.at.isoformat(),
        "sent": sent,
        "to": ", ".join(one.to),
        "text": one.text,
    }


def _right(text: str) -> "RightNamed":
    from escalon.conduct.oversight.commands import RightNamed

    parts = text.split(":")
    if len(parts) not in (2, 3) or not all(parts[:2]):
        raise ValueError(f"--revoke {text}: right is PERSON:ROLE or, for a role at a site, PERSON:ROLE:SITE")
    return RightNamed(parts[0], parts[1], parts[2] if len(parts) == 3 else "")
