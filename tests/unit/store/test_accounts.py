"""Accounts with the real parts: Argon2, validators, lock-out, authenticator codes; every step is in the ledger."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from escalon.conduct import commands as core
from escalon.conduct.people import commands as c
from escalon.conduct.people.events import RoleGranted, SecurityEventRecorded
from escalon.conduct.people.security import COMPONENTS, KINDS
from escalon.protocol import StudyFolder
from escalon.protocol.conduct.people import Lockout
from escalon.store.connection import connect_accounts
from escalon.store.execute import LedgerWriter
from escalon.store.ledger import read_facts
from tests.act import ADMINISTRATOR, COORDINATOR, IDENTITY, SPONSOR, T0, enlist

PASSPHRASE = "seven grey herons at dawn"
SHORT = "herons 7 dawn"  # 13 characters


@dataclass
class Office:
    """The door, the letters it sent, and the ledger it writes."""

    url: str
    folder: StudyFolder
    ledger: LedgerWriter
    letters: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        from escalon.store.accounts.door import Accounts

        self.door = Accounts(
            self.ledger, self.folder, lambda address, token: self.letters.append((address, token))
        )

    def kinds(self) -> list[str]:
        events = [fact.event for fact in read_facts(self.url)]
        return [event.kind for event in events if isinstance(event, SecurityEventRecorded)]

    def invited(self) -> str:
        self.door.create_account(ADMINISTRATOR, COORDINATOR.id, "co@site.example")
        return self.letters[-1][1]

    def ready(self) -> None:
        self.door.set_password(self.invited(), PASSPHRASE)


def hasty(folder: StudyFolder) -> StudyFolder:
    """The study with a lock-out after two failures."""
    access = folder.conduct.access.model_copy(update={"lockout": Lockout(failures=2, minutes=10)})
    return replace(folder, conduct=folder.conduct.model_copy(update={"access": access}))


@pytest.fixture
def office(tmp_path: Path, balli: StudyFolder) -> Iterator[Office]:
    url = str(tmp_path / "ledger.db")
    with LedgerWriter(url, balli) as ledger:
        connect_accounts(str(tmp_path / "accounts.db"))
        acts = [(SPONSOR, core.OpenStudy(balli.hash, "0", "test")), *enlist(ADMINISTRATOR, T0)]
        acts.append((ADMINISTRATOR, c.RegisterSite("01", "Site", "USA", "America/New_York")))
        until = datetime(2100, 1, 1, tzinfo=UTC)
        for actor, command in [*acts, *enlist(COORDINATOR, T0)]:
            if isinstance(command, c.GrantRole):  # accounts act at the time of the clock
                command = c.GrantRole(command.person, command.role, command.site, T0, None, until)
            assert not isinstance(ledger.execute(core.Signed(command, actor, T0)), core.Refused)
        yield Office(url, hasty(balli), ledger)


def code(otpauth: str, ahead: int = 0) -> str:
    """The code an authenticator shows, ``ahead`` steps of 30 seconds from now; RFC 6238 by hand."""
    import base64
    import hmac

    secret = base64.b32decode(parse_qs(urlsplit(otpauth).query)["secret"][0])
    digest = hmac.digest(secret, (int(time.time()) // 30 + ahead).to_bytes(8, "big"), "sha1")
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 10**6:06d}"


def refused(office: Office, *args: str) -> bool:
    from escalon.store.accounts.door import LoginRefused

    try:
        office.door.login(*args)
    except LoginRefused:
        return True
    return False


def test_the_person_sets_the_password_and_nobody_else_ever_sees_it(office: Office) -> None:
    from escalon.store.accounts.door import LoginRefused
    from escalon.store.accounts.models import Account, Link

    token = office.invited()
    assert office.letters == [("co@site.example", token)]
    assert refused(office, COORDINATOR.id, "")
    assert token not in str(list(Link.objects.values()))
    office.door.set_password(token, PASSPHRASE)
    stored = Account.objects.get(person=COORDINATOR.id).password
    assert stored.startswith("argon2$argon2id$")
    assert office.door.login(COORDINATOR.id, PASSPHRASE) == "id+password"
    with pytest.raises(LoginRefused, match="not good"):
        office.door.set_password(token, "another long pass phrase")
    assert PASSPHRASE not in Path(office.url).read_bytes().decode("latin-1")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        (SHORT, "at least 15"),
        ("12345678910", "too common"),
        ("123456789987654321", "too common"),
        ("co@site.example1", "too similar"),
    ],
)
def test_a_weak_password_is_refused_and_the_link_stays_good(office: Office, password: str, why: str) -> None:
    from escalon.store.accounts.passwords import WeakPassword

    token = office.invited()
    with pytest.raises(WeakPassword, match=why):
        office.door.set_password(token, password)
    assert "password_set" not in office.kinds()
    office.door.set_password(token, PASSPHRASE)


def test_with_a_second_factor_twelve_characters_do_and_the_code_is_asked_for(office: Office) -> None:
    token = office.invited()
    otpauth = office.door.add_second_factor(token)
    with pytest.raises(ValueError, match="code"):
        office.door.confirm_second_factor(token, "000000" if code(otpauth) != "000000" else "000001")
    time.sleep(1.1)  # a wrong code is followed by a pause of a second
    office.door.confirm_second_factor(token, code(otpauth, -1))
    office.door.set_password(token, SHORT)
    assert refused(office, COORDINATOR.id, SHORT)
    used = code(otpauth)
    assert office.door.login(COORDINATOR.id, SHORT, used) == "password+otp"
    assert refused(office, COORDINATOR.id, SHORT, used), "a code is good once"
    time.sleep(1.1)
    assert office.door.authenticate_again(COORDINATOR.id, otp=code(otpauth, 1)) == "otp"
    assert office.door.authenticate_again(COORDINATOR.id, password=SHORT) == "password"
    assert {"password+otp", "otp", "password", "id+password"} <= set(COMPONENTS)


def test_failed_logins_lock_the_account_until_an_administrator_or_time_opens_it(office: Office) -> None:
    office.ready()
    limit = office.folder.conduct.access.lockout.failures
    assert all(refused(office, COORDINATOR.id, "wrong") for _ in range(limit))
    assert office.door.is_locked(COORDINATOR.id)
    assert refused(office, COORDINATOR.id, PASSPHRASE)
    assert office.kinds().count("lockout") == 1
    assert office.kinds().count("login_failed") == limit + 1
    office.door.unlock(ADMINISTRATOR, COORDINATOR.id)
    assert office.door.login(COORDINATOR.id, PASSPHRASE) == "id+password"


def test_a_success_in_between_counts_failures_anew(office: Office) -> None:
    office.ready()
    limit = office.folder.conduct.access.lockout.failures
    for _ in range(2):
        assert all(refused(office, COORDINATOR.id, "wrong") for _ in range(limit - 1))
        assert office.door.login(COORDINATOR.id, PASSPHRASE) == "id+password"


def test_a_reset_takes_password_and_links_back(office: Office) -> None:
    from escalon.store.accounts.door import LoginRefused

    office.ready()
    office.door.reset_password(ADMINISTRATOR, COORDINATOR.id)
    first = office.letters[-1][1]
    assert refused(office, COORDINATOR.id, PASSPHRASE)
    office.door.reset_second_factor(ADMINISTRATOR, COORDINATOR.id)
    with pytest.raises(LoginRefused, match="not good"):
        office.door.set_password(first, PASSPHRASE)
    office.door.set_password(office.letters[-1][1], PASSPHRASE + "!")
    assert office.door.login(COORDINATOR.id, PASSPHRASE + "!") == "id+password"


def test_who_is_no_administrator_makes_no_account(office: Office) -> None:
    from escalon.store.accounts.door import AccountRefused
    from escalon.store.accounts.models import Account

    for actor in (SPONSOR, COORDINATOR):
        with pytest.raises(AccountRefused, match="role"):
            office.door.create_account(actor, COORDINATOR.id, "co@site.example")
    assert not Account.objects.exists()
    assert office.letters == []
    for person in ("nobody", COORDINATOR.id):
        if person == COORDINATOR.id:
            office.invited()
        with pytest.raises(AccountRefused):
            office.door.create_account(ADMINISTRATOR, person, "x@site.example")


def test_who_was_deactivated_does_not_come_in(office: Office) -> None:
    office.ready()
    gone = c.DeactivatePerson(COORDINATOR.id, "left")
    office.ledger.execute(core.Signed(gone, ADMINISTRATOR, datetime.now(UTC)))
    assert refused(office, COORDINATOR.id, PASSPHRASE)
    office.door.close_account(ADMINISTRATOR, COORDINATOR.id)
    assert office.kinds()[-1] == "account_closed"


def test_an_unknown_id_is_not_written_down(office: Office) -> None:
    assert refused(office, "my secret pass phrase", "x")
    last = read_facts(office.url)[-1].event
    assert last == SecurityEventRecorded("login_failed", "", "password")


def test_every_security_event_of_the_list_is_in_the_ledger(office: Office) -> None:
    """AT-8: account creation, role change, login, failed login, logout, timeout, lock-out, resets, view, export."""
    token = office.invited()
    office.door.confirm_second_factor(token, code(office.door.add_second_factor(token)))
    office.door.reset_second_factor(ADMINISTRATOR, COORDINATOR.id)
    office.door.second_factor_lost(ADMINISTRATOR, COORDINATOR.id, IDENTITY)
    office.door.set_password(office.letters[-1][1], PASSPHRASE)
    office.door.login(COORDINATOR.id, PASSPHRASE)
    office.door.session_ended(COORDINATOR.id, "idle")
    office.door.logout(COORDINATOR.id)
    for _ in range(office.folder.conduct.access.lockout.failures):
        assert refused(office, COORDINATOR.id, "wrong")
    office.door.unlock(ADMINISTRATOR, COORDINATOR.id)
    office.door.viewed(COORDINATOR.id, "safety case 3")
    office.door.exported(COORDINATOR.id, "casebook:001")
    office.door.letter_sent(ADMINISTRATOR, COORDINATOR.id, "by post")
    office.door.close_account(ADMINISTRATOR, COORDINATOR.id)
    assert set(office.kinds()) == set(KINDS)
    assert any(isinstance(fact.event, RoleGranted) for fact in read_facts(office.url))
