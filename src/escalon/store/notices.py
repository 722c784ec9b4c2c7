"""Notices leave: into an outbox folder or by mail, as the operator says in ``ESCALON_MAIL``; each is recorded once.

A notice that cannot leave stays waiting and is tried again; no act fails because of it. Between sending and recording a
crash can make a mail leave twice; in the outbox the file has the notice's number and is not written twice.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from smtplib import SMTPException
from urllib.parse import unquote, urlsplit

from django.db import DatabaseError

from escalon.conduct.act import Actor, Refused, Signed
from escalon.conduct.oversight.commands import RecordNoticeSent
from escalon.conduct.oversight.notices import waiting
from escalon.conduct.oversight.state import Notice
from escalon.conduct.people.security import SYSTEM
from escalon.store.execute import LedgerWriter

SOFTWARE = Actor(SYSTEM, "Escalon notices", SYSTEM)
Send = Callable[[str, EmailMessage], str]
"""Takes a name and the message; returns by which means it left, or raises OSError or SMTPException."""


def sender_of(setting: str | None = None) -> Send | None:
    """Return how messages leave, as ``setting`` (default: ESCALON_MAIL) says; None if it says nothing.

    Args:
        setting: ``outbox:FOLDER``, ``smtp://USER:PASSWORD@HOST:PORT`` (STARTTLS) or ``smtps://...`` (TLS).

    Raises:
        ValueError: the setting is neither.
    """
    said = os.environ.get("ESCALON_MAIL", "") if setting is None else setting
    if not said:
        return None
    if said.startswith("outbox:"):
        folder = Path(said.removeprefix("outbox:"))
        return lambda name, message: _into_outbox(folder, name, message)
    parts = urlsplit(said)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("ESCALON_MAIL: right is outbox:FOLDER or smtp://USER:PASSWORD@HOST:PORT")
    return lambda name, message: _by_mail(said, message)


def _into_outbox(folder: Path, name: str, message: EmailMessage) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.eml"
    if not path.exists():
        part = path.with_suffix(".part")
        part.write_bytes(bytes(message))
        part.replace(path)
    return f"outbox {path.name}"


def _by_mail(url: str, message: EmailMessage) -> str:
    from django.core.mail import EmailMessage as Mail
    from django.core.mail import get_connection

    parts = urlsplit(url)
    connection = get_connection(
        "django.core.mail.backends.smtp.EmailBackend",
        host=parts.hostname,
        port=parts.port or (465 if parts.scheme == "smtps" else 587),
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        use_ssl=parts.scheme == "smtps",
        use_tls=parts.scheme == "smtp" and bool(parts.username),
        timeout=20,
    )
    to = [one.strip() for one in str(message["To"]).split(",")]
    mail = Mail(
        str(message["Subject"]), message.get_content(), str(message["From"]), to, connection=connection
    )
    mail.send()
    return "mail"


def deliver_notices(ledger: LedgerWriter, send: Send) -> tuple[Notice, ...]:
    """Send every notice that waits and has somebody to go to; return those that left."""
    gone = []
    for notice in waiting(ledger.state):
        to = addresses(notice)
        if not to:
            continue
        try:
            means = send(f"{ledger.state.study_id}-notice-{notice.number}", _message(ledger, notice, to))
        except (OSError, SMTPException):
            continue  # it stays waiting
        signed = Signed(RecordNoticeSent(notice.number, means), SOFTWARE, datetime.now(UTC), "none")
        if not isinstance(ledger.execute(signed), Refused):
            gone.append(notice)
    return tuple(gone)


def addresses(notice: Notice) -> tuple[str, ...]:
    """Return where a notice goes: addresses as they are, persons by the address of their open account."""
    found = [_address(one) for one in notice.to]
    return tuple(dict.fromkeys(one for one in found if one))


def _address(who: str) -> str:
    if "@" in who:
        return who
    from escalon.store.accounts.models import Account  # models are there once a database is connected

    try:
        account = Account.objects.filter(person=who, is_active=True).first()
    except DatabaseError:  # accounts are kept elsewhere, or nowhere
        return ""
    return "" if account is None else str(account.address)


def _message(ledger: LedgerWriter, notice: Notice, to: tuple[str, ...]) -> EmailMessage:
    message = EmailMessage()
    message["From"] = os.environ.get("ESCALON_MAIL_FROM", "escalon@localhost")
    message["To"] = ", ".join(to)
    message["Subject"] = f"[{ledger.state.study_id}] {notice.subject}"
    message.set_content(f"{notice.text}\nNotice {notice.number} of study {ledger.state.study_id}.\n")
    return message
