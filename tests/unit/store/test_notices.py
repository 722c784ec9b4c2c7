"""Notices leave by outbox or mail, once each, and no act fails because one cannot; lost second factors are replaced."""

import email
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import ClassVar

import pytest

from escalon.conduct.oversight.notices import waiting
from escalon.conduct.people.events import IdentityVerified
from escalon.protocol import StudyFolder
from escalon.protocol.conduct.oversight import OversightRules
from escalon.store.ledger import read_facts
from escalon.store.notices import deliver_notices, sender_of
from tests.act import ADMINISTRATOR, COORDINATOR, IDENTITY, SPONSOR
from tests.unit.store.test_accounts import PASSPHRASE, Office, code, office, refused

__all__ = ["office"]
CONTACT = "security@example.org"


def told(folder: StudyFolder, contacts: tuple[str, ...] = (CONTACT,)) -> StudyFolder:
    rules = OversightRules(security_contacts=contacts, failed_logins=10)
    return replace(folder, conduct=folder.conduct.model_copy(update={"oversight": rules}))


@pytest.fixture
def informed(office: Office, tmp_path: Path) -> Office:
    """An office whose study names a security contact, with an outbox."""
    office.folder = told(office.folder)
    from escalon.store.accounts.door import Accounts

    office.ledger._folder = office.folder
    letters, send = office.letters, sender_of(f"outbox:{tmp_path / 'outbox'}")
    office.door = Accounts(office.ledger, office.folder, lambda to, token: letters.append((to, token)), send)
    office.ready()
    return office


def lock_out(office: Office) -> None:
    for _ in range(2):
        assert refused(office, COORDINATOR.id, "wrong")


def test_a_lockout_leaves_at_once_and_once(informed: Office, tmp_path: Path) -> None:
    lock_out(informed)
    (path,) = (tmp_path / "outbox").iterdir()
    message = email.message_from_bytes(path.read_bytes())
    assert message["To"] == CONTACT
    assert "Account locked" in message["Subject"]
    assert COORDINATOR.id in str(message.get_payload())
    assert refused(informed, COORDINATOR.id, PASSPHRASE)
    assert len(list((tmp_path / "outbox").iterdir())) == 1
    assert not waiting(informed.ledger.state)
    kinds = [type(fact.event).__name__ for fact in read_facts(informed.url)]
    assert kinds.count("NoticeRaised") == kinds.count("NoticeSent") == 1


def test_without_a_way_out_it_waits_and_the_login_is_refused_as_ever(office: Office) -> None:
    office.ledger._folder = told(office.folder)
    office.ready()
    lock_out(office)
    assert [one.to for one in waiting(office.ledger.state)] == [(CONTACT,)]


def test_a_way_out_that_fails_stops_nothing_and_is_tried_again(informed: Office, tmp_path: Path) -> None:
    def broken(name: str, message: EmailMessage) -> str:
        raise OSError("no route to host")

    informed.door._send = broken
    lock_out(informed)
    assert len(waiting(informed.ledger.state)) == 1
    send = sender_of(f"outbox:{tmp_path / 'later'}")
    assert send is not None
    assert len(deliver_notices(informed.ledger, send)) == 1
    assert deliver_notices(informed.ledger, send) == ()


def test_a_notice_to_nobody_waits(office: Office, tmp_path: Path) -> None:
    office.ledger._folder = told(office.folder, ())
    office.ready()
    lock_out(office)
    send = sender_of(f"outbox:{tmp_path / 'outbox'}")
    assert send is not None
    assert deliver_notices(office.ledger, send) == ()
    assert len(waiting(office.ledger.state)) == 1


@pytest.mark.parametrize("setting", ["ftp://host", "outbox", "smtp://"])
def test_a_setting_that_is_none_says_what_would_be_right(setting: str) -> None:
    with pytest.raises(ValueError, match="outbox:FOLDER"):
        sender_of(setting)
    assert sender_of("") is None


class Postman(socketserver.StreamRequestHandler):
    """As much of SMTP (RFC 5321) as one mail needs."""

    got: ClassVar[list[bytes]] = []

    def handle(self) -> None:
        self.wfile.write(b"220 ready\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                self.got.append(b"".join(iter(self.rfile.readline, b".\r\n")))
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            if word == b"QUIT":
                return


@pytest.fixture
def post() -> Iterator[str]:
    Postman.got.clear()
    with socketserver.TCPServer(("127.0.0.1", 0), Postman) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"smtp://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_notice_leaves_by_mail(informed: Office, post: str) -> None:
    informed.door._send = sender_of(post)
    lock_out(informed)
    (mail,) = Postman.got
    assert f"To: {CONTACT}".encode() in mail
    assert b"Account locked" in mail
    assert informed.ledger.state.oversight.notices[0].means == "mail"


def test_a_lost_second_factor_is_revoked_told_and_issued_with_the_rigour_of_the_first(
    office: Office,
) -> None:
    from django_otp.plugins.otp_totp.models import TOTPDevice

    from escalon.store.accounts.door import AccountRefused, LoginRefused

    office.ledger._folder = told(office.folder)
    token = office.invited()
    device = office.door.add_second_factor(token)
    office.door.confirm_second_factor(token, code(device))
    office.door.set_password(token, PASSPHRASE)
    with pytest.raises(AccountRefused, match="identity is checked by"):
        office.door.second_factor_lost(ADMINISTRATOR, COORDINATOR.id, "sounded right")
    with pytest.raises(AccountRefused, match="role"):
        office.door.second_factor_lost(COORDINATOR, COORDINATOR.id, IDENTITY)
    assert TOTPDevice.objects.filter(user_id=COORDINATOR.id).count() == 1
    office.door.second_factor_lost(ADMINISTRATOR, COORDINATOR.id, IDENTITY)
    assert not TOTPDevice.objects.filter(user_id=COORDINATOR.id).exists()
    with pytest.raises(LoginRefused):
        office.door.login(COORDINATOR.id, PASSPHRASE, code(device, 1))
    last = [fact.event for fact in read_facts(office.url)]
    assert IdentityVerified(COORDINATOR.id, IDENTITY) in last[-8:]
    kinds = office.kinds()
    assert kinds.index("second_factor_lost") < kinds.index("password_reset")
    assert "Second factor lost" in waiting(office.ledger.state)[0].subject
    fresh = office.letters[-1][1]
    again = office.door.add_second_factor(fresh)
    office.door.confirm_second_factor(fresh, code(again))
    office.door.set_password(fresh, PASSPHRASE)
    assert office.door.login(COORDINATOR.id, PASSPHRASE, code(again, 1)) == "password+otp"


def test_only_the_administrator_is_let(office: Office) -> None:
    from escalon.store.accounts.door import AccountRefused

    office.ready()
    with pytest.raises(AccountRefused, match="role"):
        office.door.second_factor_lost(SPONSOR, COORDINATOR.id, IDENTITY)
