"""How the committee's facts change the state."""

from dataclasses import replace
from typing import Any

from escalon.conduct.act import Event
from escalon.conduct.committee import events as ev
from escalon.conduct.committee.state import DataCut, Interest, Review, Vote
from escalon.conduct.state import Fact, State
from escalon.conduct.topic import Apply


def _member_appointed(state: State, fact: Fact, event: ev.MemberAppointed) -> State:
    return _with(state, members={**state.committee.members, event.person: event.function})


def _cut_taken(state: State, fact: Fact, event: ev.CutTaken) -> State:
    cut = DataCut(event.cut, event.part, event.purpose, event.cut_seq, event.content_hash, fact.at)
    return _with(state, cuts=(*state.committee.cuts, cut))


def _review_opened(state: State, fact: Fact, event: ev.ReviewOpened) -> State:
    review = Review(event.review, event.cut, event.subject, event.recommendation, event.packet_hash, fact.at)
    return _with(state, reviews=(*state.committee.reviews, review))


def _interest_declared(state: State, fact: Fact, event: ev.InterestDeclared) -> State:
    interest = Interest(event.conflict, event.statement, fact.at)
    review = state.committee.reviews[event.review - 1]
    return with_review(state, event.review, interests={**review.interests, event.person: interest})


def _vote_cast(state: State, fact: Fact, event: ev.VoteCast) -> State:
    vote = Vote(event.action, event.dose_level, event.reason, fact.at)
    review = state.committee.reviews[event.review - 1]
    return with_review(state, event.review, votes={**review.votes, event.person: vote})


def with_review(state: State, number: int, **changes: Any) -> State:
    """Return the state with review ``number`` changed."""
    reviews = list(state.committee.reviews)
    reviews[number - 1] = replace(reviews[number - 1], **changes)
    return _with(state, reviews=tuple(reviews))


def _with(state: State, **changes: Any) -> State:
    return replace(state, committee=replace(state.committee, **changes))


APPLY: dict[type[Event], Apply] = {
    ev.MemberAppointed: _member_appointed,
    ev.CutTaken: _cut_taken,
    ev.ReviewOpened: _review_opened,
    ev.InterestDeclared: _interest_declared,
    ev.VoteCast: _vote_cast,
}
