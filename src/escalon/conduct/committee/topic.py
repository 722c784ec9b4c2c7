"""The topic committee: data cuts, reviews, interests and votes."""

from escalon.conduct.act import Command
from escalon.conduct.committee import commands as c
from escalon.conduct.committee import decide
from escalon.conduct.committee.apply import APPLY
from escalon.conduct.committee.futility import react
from escalon.conduct.topic import Decide, Topic

DECIDE: dict[type[Command], Decide] = {
    c.AppointMember: decide.appoint_member,
    c.TakeCut: decide.take_cut,
    c.OpenReview: decide.open_review,
    c.DeclareInterest: decide.declare_interest,
    c.CastVote: decide.cast_vote,
}
ALLOWED: dict[type[Command], tuple[str, ...]] = {
    c.AppointMember: ("sponsor",),
    c.TakeCut: ("statistician", "data_manager"),
    c.OpenReview: ("committee_member",),
    c.DeclareInterest: ("committee_member",),
    c.CastVote: ("committee_member",),
}
TOPIC = Topic("committee", DECIDE, ALLOWED, APPLY, react=react)
