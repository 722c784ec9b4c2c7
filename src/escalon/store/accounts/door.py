"""The door: accounts, passwords, second factors, logins. Each step is first a fact in the ledger, then done.

The administrator makes and closes accounts and never learns a token: links go to the person through ``deliver``
(SG-9). What is refused is one ``LoginRefused`` with the same words, whatever was wrong, and a failed login in the
ledger.
"""

import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from axes.handlers.proxy import AxesProxyHandler
from axes.utils import reset
from django.contrib.auth import authenticate as check_credentials
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django_otp.plugins.otp_totp.models import TOTPDevice

from escalon.conduct.act import Actor, Command, Refused, Signed
from escalon.conduct.people.commands import RecordSecurityEvent, VerifyIdentity
from escalon.conduct.people.security import SYSTEM
from escalon.protocol import StudyFolder
from escalon.store.accounts.installed import obey
from escalon.store.accounts.models import Account, Link
from escalon.store.accounts.passwords import check_password_rules
from escalon.store.execute import LedgerWriter
from escalon.store.notices import Send, deliver_notices, sender_of

SOFTWARE = Actor(SYSTEM, "Escalon accounts", SYSTEM)
Deliver = Callable[[str, str], None]


class LoginRefused(ValueError):
    """Login or re-authentication failed; it does not say which part was wrong."""


class AccountRefused(ValueError):
    """An act on accounts that is not possible or not allowed; the message says why."""


class Accounts:
    """Accounts of the persons of one study."""

    def __init__(
        self, ledger: LedgerWriter, folder: StudyFolder, deliver: Deliver, send: Send | None = None
    ) -> None:
        """Open the door.

        Args:
            ledger: of the study; gets every security event.
            folder: the study; says password rules, lock-out, and how long a link is good.
            deliver: sends a token to an address; the only way a token leaves.
            send: how notices of lock-outs leave; default: as ESCALON_MAIL says, else they wait in the ledger.
        """
        self._ledger, self._access, self._deliver = ledger, folder.conduct.access, deliver
        self._send = send or sender_of()
        obey(self._access)

    # What administrators do

    def create_account(self, administrator: Actor, person: str, address: str) -> None:
        """Make an account for a registered person and send the link to set a password."""
        known = self._ledger.state.people.persons.get(person)
        if known is None or known.deactivated_at is not None:
            raise AccountRefused(f"there is no active person {person} in this study")
        if Account.objects.filter(person=person).exists():
            raise AccountRefused(f"{person} has an account; an id is never used for two")
        self._record("account_created", person, "", administrator)
        account = Account(person=person, address=address, created_at=_now())
        account.set_unusable_password()
        account.save(force_insert=True)
        self._invite(account)

    def reset_password(self, administrator: Actor, person: str) -> None:
        """Take the password back and send a new link; nobody can log in before the person used it."""
        account = self._account(person)
        self._record("password_reset", person, "", administrator)
        account.set_unusable_password()
        account.save()
        self._invite(account)

    def reset_second_factor(self, administrator: Actor, person: str) -> None:
        """Revoke a lost second factor, and the password with it: both are set anew through a link (AC-8)."""
        self._account(person)
        self._record("second_factor_reset", person, "", administrator)
        TOTPDevice.objects.filter(user_id=person).delete()
        self.reset_password(administrator, person)

    def second_factor_lost(self, administrator: Actor, person: str, identity_method: str) -> None:
        """Replace a second factor reported lost or stolen: revoked at once, issued with the rigour of the first (AC-8).

        The identity of who reports it is checked anew, by one of the study's methods; the device, every open link and
        the password are revoked, and a new link goes to the address of the account. The security contacts get notice.

        Raises:
            AccountRefused: no open account, no such way to check identity, or no right.
        """
        self._account(person)
        methods = self._access.identity_methods
        if identity_method not in methods:
            raise AccountRefused(f"identity is checked by one of: {'; '.join(methods)}")
        self._record("second_factor_lost", person, identity_method, administrator)
        TOTPDevice.objects.filter(user_id=person).delete()
        self._execute(VerifyIdentity(person, identity_method), administrator)
        self.reset_password(administrator, person)

    def unlock(self, administrator: Actor, person: str) -> None:
        """End a lock-out before its time."""
        self._account(person)
        self._record("unlocked", person, "", administrator)
        reset(username=person)

    def close_account(self, administrator: Actor, person: str) -> None:
        """Close an account for good."""
        account = self._account(person)
        self._record("account_closed", person, "", administrator)
        account.is_active = False
        account.set_unusable_password()
        account.save()

    def letter_sent(self, administrator: Actor, person: str, detail: str) -> None:
        """Record that the letter of non-repudiation was sent (SG-8)."""
        self._record("letter_sent", person, detail, administrator)

    # What persons do

    def add_second_factor(self, token: str) -> str:
        """Return the ``otpauth:`` address for the person's authenticator; it counts once confirmed."""
        link = self._link(token)
        TOTPDevice.objects.filter(user=link.account, confirmed=False).delete()
        device = TOTPDevice.objects.create(user=link.account, name="authenticator", confirmed=False)
        return str(device.config_url)

    def confirm_second_factor(self, token: str, otp: str) -> None:
        """Confirm the second factor with its first code."""
        link = self._link(token)
        device = TOTPDevice.objects.filter(user=link.account, confirmed=False).first()
        if device is None or not device.verify_token(otp):
            raise LoginRefused("the code is not the one of this authenticator now")
        self._record("second_factor_added", link.account.person)
        TOTPDevice.objects.filter(user=link.account, confirmed=True).delete()
        device.confirmed = True
        device.save()

    def set_password(self, token: str, password: str) -> None:
        """Set the password with a link, once; WeakPassword when it breaks the rules (the link stays good)."""
        link = self._link(token)
        account = link.account
        check_password_rules(password, account, self._access.password, self._has_second_factor(account))
        self._record("password_set", account.person)
        account.set_password(password)
        account.password_set_at = _now()
        account.save()
        link.used_at = _now()
        link.save()

    def login(
        self, person: str, password: str, otp: str | None = None, request: HttpRequest | None = None
    ) -> str:
        """Log in; return how: ``id+password``, or ``password+otp`` when the account has a second factor."""
        how = self.authenticate(person, password, otp, request)
        self._record("login", person, how)
        return how

    def logout(self, person: str) -> None:
        """End a session by the person's wish."""
        self._record("logout", person)

    def session_ended(self, person: str, limit: str) -> None:
        """End a session by its limits (``idle`` or ``absolute``)."""
        self._record("session_timeout", person, limit)

    def viewed(self, person: str, what: str) -> None:
        """Record that unblinded or personal data were looked at; ``what`` names the object, not its content."""
        self._record("viewed", person, what)

    def exported(self, person: str, what: str) -> None:
        """Record an export; ``what`` names the object, not its content."""
        self._record("exported", person, what)

    def authenticate(
        self, person: str, password: str, otp: str | None = None, request: HttpRequest | None = None
    ) -> str:
        """Check id, password and second factor; used at login and at the first signature of a period.

        Returns:
            How the person authenticated, a key of ``people.security.COMPONENTS``.

        Raises:
            LoginRefused: something was wrong, the account is locked or closed, or the password expired.
        """
        account = self._check_password(person, password, request)
        if not self._has_second_factor(account):
            return "id+password"
        if otp is None or not self.verify_otp(person, otp):
            self._fail(person, "second factor")
        return "password+otp"

    def authenticate_again(self, person: str, *, password: str | None = None, otp: str | None = None) -> str:
        """Check one component in a session of that person: for a later signature (SG-5)."""
        if (password is None) == (otp is None):
            raise LoginRefused("give the password or the code of the second factor")
        if password is not None:
            self._check_password(person, password, None)
            return "password"
        assert otp is not None
        if not self.verify_otp(person, otp):
            self._fail(person, "second factor")
        return "otp"

    def verify_otp(self, person: str, otp: str) -> bool:
        """Check a code against the person's second factor; a code is good once, and guessing is slowed down."""
        device = TOTPDevice.objects.filter(user_id=person, user__is_active=True, confirmed=True).first()
        return device is not None and bool(device.verify_is_allowed()[0] and device.verify_token(otp))

    def is_locked(self, person: str) -> bool:
        """Tell whether failed logins have locked the account."""
        return bool(AxesProxyHandler.is_locked(_bare_request(), {"username": person}))

    def _check_password(self, person: str, password: str, request: HttpRequest | None) -> Account:
        request = request or _bare_request()
        locked = self.is_locked(person)
        account = check_credentials(request, username=person, password=password)
        known = self._ledger.state.people.persons.get(person)
        if account is None or known is None or known.deactivated_at is not None:
            if self.is_locked(person) and not locked:
                self._record("lockout", person if known else "", f"{self._access.lockout.minutes} minutes")
            self._fail(person, "locked" if locked else "password")
        reset(username=person)
        days = self._access.password.expires_days
        if days is not None and account.password_set_at + timedelta(days=days) <= _now():
            self._fail(person, "password expired")
        return account

    def _fail(self, person: str, part: str) -> None:
        known = person in self._ledger.state.people.persons
        # An unknown id is not written down: people type passwords into the wrong field.
        self._record("login_failed", person if known else "", part)
        raise LoginRefused(
            "login refused: id, password or code are wrong, or the account is locked or closed"
        )

    def _account(self, person: str) -> Account:
        account = Account.objects.filter(person=person, is_active=True).first()
        if account is None:
            raise AccountRefused(f"{person} has no open account")
        return account

    def _invite(self, account: Account) -> None:
        Link.objects.filter(account=account, used_at=None, revoked_at=None).update(revoked_at=_now())
        token = secrets.token_urlsafe(32)
        self._record("invitation_sent", account.person)
        until = _now() + timedelta(hours=self._access.password.invitation_hours)
        Link.objects.create(token_hash=_hash(token), account=account, made_at=_now(), expires_at=until)
        self._deliver(account.address, token)

    def _link(self, token: str) -> Link:
        link = Link.objects.select_related("account").filter(token_hash=_hash(token)).first()
        if link is None or link.used_at or link.revoked_at or link.expires_at <= _now():
            raise LoginRefused("this link is not good, or no longer; ask the administrator for a new one")
        if not link.account.is_active:
            raise LoginRefused("the account is closed")
        return link

    def _has_second_factor(self, account: Account) -> bool:
        return TOTPDevice.objects.filter(user=account, confirmed=True).exists()

    def _record(self, kind: str, person: str, detail: str = "", by: Actor = SOFTWARE) -> None:
        self._execute(RecordSecurityEvent(kind, person, detail), by)
        if self._send is not None:
            deliver_notices(self._ledger, self._send)

    def _execute(self, command: Command, by: Actor) -> None:
        how = "none" if by is SOFTWARE else "session"
        outcome = self._ledger.execute(Signed(command, by, _now(), how))
        if isinstance(outcome, Refused):
            raise AccountRefused(f"{outcome.rule}: {outcome.reason}") from PermissionDenied(outcome.rule)


def _now() -> datetime:
    return datetime.now(UTC)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _bare_request() -> HttpRequest:
    """A request for logins that come from no browser; lock-out counts by account."""
    request = HttpRequest()
    request.META = {"REMOTE_ADDR": "127.0.0.1"}
    return request
