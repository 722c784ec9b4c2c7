"""Cuts, reviews, declarations and votes: commands to facts."""

from escalon.conduct.act import Outcome, Refused, Signed
from escalon.conduct.committee import commands as c
from escalon.conduct.committee import events as ev
from escalon.conduct.committee.cut import cut_hash
from escalon.conduct.committee.packet import build_packet, packet_hash
from escalon.conduct.committee.state import Review
from escalon.conduct.state import State
from escalon.protocol import StudyFolder

ACTIONS = {
    "dose": ("open", "escalate", "stay", "de_escalate", "stop"),
    "rp2d": ("rp2d",),
}


def appoint_member(state: State, signed: Signed, command: c.AppointMember, folder: StudyFolder) -> Outcome:
    """Appoint a member with a function of the charter."""
    functions = folder.conduct.committee.functions
    if command.function not in functions:
        return Refused("PH-9 function", f"the charter has the functions {', '.join(functions)}")
    return (ev.MemberAppointed(command.person, command.function),)


def take_cut(state: State, signed: Signed, command: c.TakeCut, folder: StudyFolder) -> Outcome:
    """Take a data cut of the state as it is."""
    parts = [part.id for part in folder.study.parts]
    if command.part not in parts:
        return Refused("DC-10 cut", f"the study has the parts {', '.join(parts)}, not {command.part!r}")
    number = len(state.committee.cuts) + 1
    content = cut_hash(state, command.part)
    return (ev.CutTaken(number, command.part, command.purpose, state.seq, content),)


def open_review(state: State, signed: Signed, command: c.OpenReview, folder: StudyFolder) -> Outcome:
    """Open a review on a cut that still says what is true."""
    cuts = state.committee.cuts
    if not 1 <= command.cut <= len(cuts):
        return Refused("DC-10 cut", f"there is no data cut {command.cut}; {len(cuts)} were taken")
    if command.subject not in ACTIONS:
        return Refused("PH-9 subject", f"a review is about {' or '.join(ACTIONS)}, not {command.subject!r}")
    if any(not review.decided and review.subject == command.subject for review in state.committee.reviews):
        return Refused("PH-9 review", f"a review about {command.subject} is open; decide it first")
    cut = cuts[command.cut - 1]
    if cut_hash(state, cut.part) != cut.content_hash:
        return Refused("DC-10 cut", f"records changed after data cut {cut.number}; take a new cut")
    packet = build_packet(state, folder, cut)
    recommendation = state.recommendations[-1].number if state.recommendations else None
    number = len(state.committee.reviews) + 1
    return (ev.ReviewOpened(number, command.cut, command.subject, recommendation, packet_hash(packet)),)


def declare_interest(
    state: State, signed: Signed, command: c.DeclareInterest, folder: StudyFolder
) -> Outcome:
    """Record the acting member's declaration."""
    found = _open_review(state, signed, command.review)
    if isinstance(found, Refused):
        return found
    if not command.statement.strip():
        return Refused(
            "PH-9 interest", "a declaration of interest needs a statement, also when there is none"
        )
    if signed.actor.id in found.votes:
        return Refused("PH-9 interest", f"{signed.actor.name} has voted; interests are declared before")
    return (ev.InterestDeclared(command.review, signed.actor.id, command.conflict, command.statement),)


def cast_vote(state: State, signed: Signed, command: c.CastVote, folder: StudyFolder) -> Outcome:
    """Record the acting member's vote."""
    found = _open_review(state, signed, command.review)
    if isinstance(found, Refused):
        return found
    interest = found.interests.get(signed.actor.id)
    if interest is None:
        return Refused("PH-9 interest", f"{signed.actor.name} has not declared interests for this review")
    if interest.conflict:
        return Refused("PH-9 recusal", f"{signed.actor.name} declared a conflict and is recused")
    if command.action not in ACTIONS[found.subject]:
        return Refused("PH-9 vote", f"vote for one of {', '.join(ACTIONS[found.subject])}")
    if (command.dose_level is None) is not (command.action == "stop") and command.action != "rp2d":
        return Refused("PH-9 vote", "a vote names a dose level, and only a vote to stop names none")
    if not command.reason.strip():
        return Refused("PH-9 vote", "a vote needs a reason")
    return (ev.VoteCast(command.review, signed.actor.id, command.action, command.dose_level, command.reason),)


def _open_review(state: State, signed: Signed, number: int) -> Review | Refused:
    review = state.committee.review(number)
    if review is None:
        return Refused("PH-9 review", f"there is no review {number}")
    if review.decided:
        return Refused("PH-9 review", f"review {number} is decided")
    if signed.actor.id not in state.committee.members:
        return Refused("PH-9 member", f"{signed.actor.name} is no appointed member of the committee")
    return review
