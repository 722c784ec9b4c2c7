"""Meetings of the virtual committee: cut, review, declarations, votes, signatures, decision."""

from collections.abc import Callable, Iterator
from typing import Any

from escalon.conduct import commands as c
from escalon.conduct.act import Actor, Command
from escalon.conduct.committee import commands as cc
from escalon.conduct.committee.carried import decision_content, decision_ref
from escalon.conduct.committee.state import Review
from escalon.conduct.doses import newly_counted_backfill
from escalon.conduct.people.commands import GiveSignature
from escalon.conduct.people.signatures import content_hash
from escalon.conduct.state import State
from escalon.virtual.opening import sign_casebooks
from escalon.virtual.staff import CHAIR, MEMBERS, PHYSICIAN, SPONSOR, STATISTICIAN

Sent = tuple[Actor, Command]
Now = Callable[[], State]
FUNCTIONS = ("chair", "clinician", "statistician")
NO_INTEREST = "No interest to declare"


def appoint_members() -> Iterator[Sent]:
    """Yield the appointment of every member."""
    for member, function in zip(MEMBERS, FUNCTIONS, strict=True):
        yield SPONSOR, cc.AppointMember(member.id, function)


def decide_dose(state: Now, action: str, dose_level: int | None, reason: str) -> Iterator[Sent]:
    """Yield a whole meeting about the next dose; ``state`` gives the state after each command sent."""
    cohort = state().cohort
    if cohort is not None:
        yield from sign_casebooks(state(), [*cohort.patients, *newly_counted_backfill(state())])
    yield from _open_review(state, "dose")
    review = state().committee.reviews[-1]
    yield from _vote(state(), review, action, dose_level, reason)
    yield from _sign(review, action, dose_level, _voters_for(state(), review, action, dose_level))
    yield CHAIR, c.DecideDose(action, dose_level, reason, review.number)


def decide_rp2d(state: Now, dose_level: int | None, reason: str, evidence: dict[str, Any]) -> Iterator[Sent]:
    """Yield a whole meeting about the recommended phase 2 dose."""
    yield from _open_review(state, "rp2d")
    review = state().committee.reviews[-1]
    for member in MEMBERS:
        yield member, cc.DeclareInterest(review.number, False, NO_INTEREST)
        yield member, cc.CastVote(review.number, "rp2d", dose_level, reason)
    yield from _sign(review, "rp2d", dose_level, MEMBERS)
    yield CHAIR, c.DecideRp2d(dose_level, reason, evidence, review.number)


def open_expansion(state: Now) -> Iterator[Sent]:
    """Yield the two signatures on the expansion and its opening."""
    rp2d = state().rp2d
    assert rp2d is not None
    digest = content_hash({"dose_level": rp2d.dose_level})
    for signer in (CHAIR, PHYSICIAN):
        yield signer, GiveSignature("expansion:rp2d", "approved", digest)
    yield SPONSOR, c.OpenExpansion()


def lift_hold(hold: int, reason: str) -> Iterator[Sent]:
    """Yield the two signatures on the lifting of a hold, and the lifting."""
    digest = content_hash({"hold": hold, "reason": reason})
    for signer in (CHAIR, PHYSICIAN):
        yield signer, GiveSignature(f"hold:{hold}", "approved", digest)
    yield CHAIR, c.LiftHold(hold, reason)


def _open_review(state: Now, subject: cc.Subject) -> Iterator[Sent]:
    yield STATISTICIAN, cc.TakeCut("escalation", f"review about the {subject}")
    yield CHAIR, cc.OpenReview(state().committee.cuts[-1].number, subject)


def _vote(state: State, review: Review, action: str, dose_level: int | None, reason: str) -> Iterator[Sent]:
    for member in MEMBERS:
        yield member, cc.DeclareInterest(review.number, False, NO_INTEREST)
        if member is MEMBERS[-1] and action == "escalate" and _any_dlt(state):
            why = "A DLT was seen at this level; I would treat one more cohort here first"
            assert state.cohort is not None
            yield member, cc.CastVote(review.number, "stay", state.cohort.dose_level, why)
        else:
            yield member, cc.CastVote(review.number, action, dose_level, reason)


def _any_dlt(state: State) -> bool:
    """Tell whether the last recommendation counted a DLT at the current level."""
    inputs = state.recommendations[-1].inputs
    return bool(inputs["y"][inputs["current_level"] - 1])


def _voters_for(state: State, review: Review, action: str, dose_level: int | None) -> tuple[Actor, ...]:
    votes = state.committee.reviews[review.number - 1].votes
    return tuple(
        member
        for member in MEMBERS
        if (votes[member.id].action, votes[member.id].dose_level) == (action, dose_level)
    )


def _sign(review: Review, action: str, dose_level: int | None, members: tuple[Actor, ...]) -> Iterator[Sent]:
    digest = content_hash(decision_content(review, action, dose_level))
    for signer in (*members, PHYSICIAN):
        yield signer, GiveSignature(decision_ref(review.number), "approved", digest)
