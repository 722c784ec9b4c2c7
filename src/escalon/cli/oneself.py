"""Who is at the terminal: reading under a person's name (``--as``), and proving it with password and second factor."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from escalon.cli.common import fail

if TYPE_CHECKING:
    from escalon.conduct.act import Command, Event
    from escalon.conduct.state import State
    from escalon.protocol import StudyFolder
    from escalon.store.execute import LedgerWriter

As = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="PERSON",
        envvar="ESCALON_PERSON",
        help="Read as this registered person: the right is checked and the reading is written into the ledger.",
    ),
]
AccountsUrl = Annotated[
    str | None,
    typer.Option(
        "--accounts", envvar="ESCALON_ACCOUNTS", help="Database of the accounts; default: the ledger's."
    ),
]
Otp = Annotated[str | None, typer.Option("--code", help="Code of the second factor, if the account has one.")]
REFUSED = 3
"""Exit code of what a person has no right to read."""


def reading(ledger: str, person: str | None, what: str, site: str, kind: str, about: str) -> None:
    """Let ``person`` read, or leave with exit code 3; without a person nothing is checked and nothing is written.

    Args:
        ledger: where it is.
        person: id of the person; None for who holds the ledger and reads it offline.
        what: key of ``people.reading.READS``.
        site: the site the data are of; '' for all.
        kind: ``viewed`` or ``exported``.
        about: what exactly, for the ledger; names objects, not their content.
    """
    if person is None:
        return
    from escalon.conduct.people.commands import RecordSecurityEvent
    from escalon.conduct.people.reading import may_read

    with _writer(ledger) as writer:
        state, now = writer.state, datetime.now(UTC)
        if person not in state.people.persons:
            fail(
                f"--as {person}: no person with this id is registered in the ledger; nothing is shown",
                REFUSED,
            )
        if not may_read(state, person, what, site, now):
            where = (
                f"of site {site}"
                if site
                else "of the whole study; name your site where the command takes one"
            )
            fail(
                f"--as {person}: {state.people.persons[person].name} may not read {what} {where} (AC-2)",
                REFUSED,
            )
        _software(writer, RecordSecurityEvent(kind, person, f"{what}: {about}"))


def site_of(ledger: str, patient: str | None, person: str | None) -> str:
    """Return the site of ``patient`` for who reads under a name; '' for all patients, or when nobody is named."""
    if patient is None or person is None:
        return ""
    from escalon.cli.sending import current

    known = current(ledger, None)[0].patients.get(patient)
    if known is None:
        raise ValueError(f"there is no patient {patient}")
    return known.site


def may_see(state: "State", person: str | None, what: str, site: str = "") -> bool:
    """Tell whether ``person`` may read ``what`` now; who is not named reads everything."""
    from escalon.conduct.people.reading import may_read

    return person is None or may_read(state, person, what, site, datetime.now(UTC))


def _software(writer: "LedgerWriter", command: "Command") -> None:
    from escalon.conduct.act import Actor, Refused, Signed
    from escalon.conduct.people.security import SYSTEM

    signed = Signed(command, Actor(SYSTEM, "Escalon terminal", SYSTEM), datetime.now(UTC), "none")
    outcome = writer.execute(signed)
    if isinstance(outcome, Refused):
        fail(f"the reading could not be recorded, so nothing is shown: {outcome.reason} ({outcome.rule})")


def _writer(ledger: str, folder: "StudyFolder | None" = None) -> "LedgerWriter":
    from escalon.cli.sending import current
    from escalon.store.execute import LedgerWriter

    return LedgerWriter(ledger, folder or current(ledger, None)[1], origin="ui")


def carry_out_proved(
    ledger: str,
    person: str,
    command: "Command",
    accounts: str | None,
    code: str | None,
    roles: tuple[str, ...] | None = None,
) -> "tuple[Event, ...]":
    """Ask for the password, prove who is there, and send ``command``; ValueError if one or the other is refused."""
    from escalon.cli.sending import actor_of, current
    from escalon.conduct.act import Refused, Signed
    from escalon.store.connection import connect_accounts
    from escalon.store.notices import deliver_notices, sender_of

    _, folder = current(ledger, None)  # before accounts are made at a place that holds no ledger
    connect_accounts(accounts or ledger)
    from escalon.store.accounts.door import Accounts  # only once Django is set up

    with _writer(ledger, folder) as writer:
        actor = actor_of(writer.state, person, command, datetime.now(UTC), roles)
        password = typer.prompt("Password", hide_input=True, err=True)
        how = Accounts(writer, folder, _no_letter).authenticate(person, password, code)
        outcome = writer.execute(Signed(command, actor, datetime.now(UTC), how))
        if isinstance(outcome, Refused):
            raise ValueError(f"{outcome.reason} ({outcome.rule}); nothing was written")
        if (send := sender_of()) is not None:
            deliver_notices(writer, send)
    return outcome


def _no_letter(address: str, token: str) -> None:
    raise RuntimeError("the terminal sends no links")
