"""How the events of oversight change the state."""

from dataclasses import replace
from typing import Any

from escalon.conduct.act import Event
from escalon.conduct.oversight import events as ev
from escalon.conduct.oversight.state import AccessReview, AuditReview, Emergency, Notice
from escalon.conduct.state import Fact, State
from escalon.conduct.topic import Apply


def _with(state: State, **changes: Any) -> State:
    return replace(state, oversight=replace(state.oversight, **changes))


def _audit_reviewed(state: State, fact: Fact, event: ev.AuditReviewed) -> State:
    review = AuditReview(
        event.audit_review,
        event.definition,
        event.selection,
        event.from_seq,
        event.to_seq,
        event.rows,
        event.trail_hash,
        event.findings,
        event.conclusion,
        fact.actor_id,
        fact.at,
        fact.seq,
    )
    return _with(state, audit_reviews=(*state.oversight.audit_reviews, review))


def _access_reviewed(state: State, fact: Fact, event: ev.AccessReviewed) -> State:
    review = AccessReview(
        event.access_review,
        event.content_hash,
        event.rights,
        len(event.revoke),
        event.conclusion,
        fact.actor_id,
        fact.at,
    )
    return _with(state, access_reviews=(*state.oversight.access_reviews, review))


def _opened(state: State, fact: Fact, event: ev.BreakGlassOpened) -> State:
    emergency = Emergency(
        event.access,
        event.person,
        event.role,
        event.site,
        event.reason,
        fact.at,
        event.until,
        event.review_due,
    )
    return _with(state, emergencies=(*state.oversight.emergencies, emergency))


def _reviewed(state: State, fact: Fact, event: ev.BreakGlassReviewed) -> State:
    emergencies = tuple(
        replace(one, reviewed_by=fact.actor_id, reviewed_at=fact.at) if one.number == event.access else one
        for one in state.oversight.emergencies
    )
    return _with(state, emergencies=emergencies)


def _raised(state: State, fact: Fact, event: ev.NoticeRaised) -> State:
    notice = Notice(event.notice, event.subject, event.text, event.to, fact.at)
    return _with(state, notices=(*state.oversight.notices, notice))


def _sent(state: State, fact: Fact, event: ev.NoticeSent) -> State:
    notices = tuple(
        replace(one, sent_at=fact.at, means=event.means) if one.number == event.notice else one
        for one in state.oversight.notices
    )
    return _with(state, notices=notices)


APPLY: dict[type[Event], Apply] = {
    ev.AuditReviewed: _audit_reviewed,
    ev.AccessReviewed: _access_reviewed,
    ev.BreakGlassOpened: _opened,
    ev.BreakGlassReviewed: _reviewed,
    ev.NoticeRaised: _raised,
    ev.NoticeSent: _sent,
}
