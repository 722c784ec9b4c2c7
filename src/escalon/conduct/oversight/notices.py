"""Notices that must leave at once (AC-7): lock-outs, failed logins in a row, lost second factors."""

from escalon.conduct.act import Event, Outcome, Refused, Signed
from escalon.conduct.oversight.commands import RecordNoticeSent
from escalon.conduct.oversight.events import NoticeRaised, NoticeSent
from escalon.conduct.oversight.state import Notice
from escalon.conduct.people.events import SecurityEventRecorded
from escalon.conduct.state import State
from escalon.protocol import StudyFolder


def waiting(state: State) -> tuple[Notice, ...]:
    """Return the notices that have not left."""
    return tuple(notice for notice in state.oversight.notices if notice.sent_at is None)


def raise_notices(
    state: State, events: tuple[Event, ...], signed: Signed, folder: StudyFolder
) -> tuple[Event, ...]:
    """Return a notice for each security event that must be told: one act, one notice, so none is told twice."""
    number = len(state.oversight.notices) + sum(isinstance(event, NoticeRaised) for event in events)
    found: list[NoticeRaised] = []
    for event in events:
        if isinstance(event, SecurityEventRecorded):
            subject = _subject(state, event, folder)
            if subject:
                number += 1
                text = f"{subject}: account {event.person or 'unknown'}, {signed.at:%Y-%m-%d %H:%M:%S} UTC."
                to = folder.conduct.oversight.security_contacts
                found.append(NoticeRaised(number, subject, text, to))
    return tuple(found)


def _subject(state: State, event: SecurityEventRecorded, folder: StudyFolder) -> str:
    if event.kind == "lockout":
        return "Account locked after failed logins"
    if event.kind == "second_factor_lost":
        return "Second factor lost and revoked"
    failures = state.people.failures.get(event.person, 0) + 1
    if event.kind == "login_failed" and failures % folder.conduct.oversight.failed_logins == 0:
        return f"{failures} failed logins in a row"
    return ""


def record_notice_sent(
    state: State, signed: Signed, command: RecordNoticeSent, folder: StudyFolder
) -> Outcome:
    """Record that a notice left; once."""
    if not any(notice.number == command.notice for notice in waiting(state)):
        return Refused("AC-7", f"there is no notice {command.notice} that waits")
    return (NoticeSent(command.notice, command.means),)
