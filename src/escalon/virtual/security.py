"""Accounts and rights of the virtual trial: notices leave, somebody is locked out, emergency rights are reviewed."""

from datetime import datetime, timedelta

from escalon.conduct.act import Actor, Command
from escalon.conduct.oversight import commands as c
from escalon.conduct.oversight import events as ev
from escalon.conduct.people.commands import RecordSecurityEvent
from escalon.conduct.people.security import SYSTEM
from escalon.protocol import StudyFolder
from escalon.virtual.clerk import Clerk
from escalon.virtual.staff import ADMINISTRATOR, MEMBERS
from escalon.virtual.streams import Streams

ACCOUNTS = Actor(SYSTEM, "Escalon accounts", SYSTEM)
POST = Actor(SYSTEM, "Escalon notices", SYSTEM)
FORGETFUL = MEMBERS[-1]
LOCKED_OUT_ON = (20, 120)
"""Days after the opening: from the first on, before the second, a member forgets the password."""
TRIES_AGAIN, UNLOCKED_AFTER = timedelta(seconds=20), timedelta(minutes=10)
POSTED_AFTER, EMERGENCY_REVIEWED_AFTER = timedelta(minutes=1), timedelta(days=1)


class Security:
    """Acts beside the trial: none of them keeps the study open."""

    def __init__(self, clerk: Clerk, folder: StudyFolder, streams: Streams) -> None:
        self._clerk, self._folder, self._streams = clerk, folder, streams
        clerk.listen(ev.NoticeRaised, self._post)
        clerk.listen(ev.BreakGlassOpened, self._look_after)

    def start(self, now: datetime) -> None:
        """Plan the day on which a member of the committee is locked out."""
        day = int(self._streams.generator("security", "lock-out").integers(*LOCKED_OUT_ON))
        self._lock_out(now + timedelta(days=day))

    def _plan(self, moment: datetime, actor: Actor, command: Command) -> None:
        self._clerk.at(moment, lambda now: self._send(now, actor, command), beside=True)

    def _send(self, now: datetime, actor: Actor, command: Command) -> None:
        self._clerk.send(now, actor, command)

    def _lock_out(self, moment: datetime) -> None:
        """Wrong passwords until the account is locked; the administrator ends it on the telephone."""
        rules, who = self._folder.conduct.access.lockout, FORGETFUL.id
        for _ in range(rules.failures):
            self._plan(moment, ACCOUNTS, RecordSecurityEvent("login_failed", who, "password"))
            moment += TRIES_AGAIN
        self._plan(moment, ACCOUNTS, RecordSecurityEvent("lockout", who, f"{rules.minutes} minutes"))
        moment += UNLOCKED_AFTER
        self._plan(moment, ADMINISTRATOR, RecordSecurityEvent("unlocked", who, ""))
        self._plan(moment + TRIES_AGAIN, ACCOUNTS, RecordSecurityEvent("login", who, ""))

    def _post(self, now: datetime, event: ev.NoticeRaised) -> None:
        """A notice leaves at once, if somebody is named to get it."""
        if event.to:
            self._plan(now + POSTED_AFTER, POST, c.RecordNoticeSent(event.notice, "virtual mail"))

    def _look_after(self, now: datetime, event: ev.BreakGlassOpened) -> None:
        """The review of an emergency right is done the day after the right has run out."""
        said = "Used for what the reason says and for nothing else"
        moment = event.until + EMERGENCY_REVIEWED_AFTER
        self._plan(moment, ADMINISTRATOR, c.ReviewBreakGlass(event.access, said))
