"""The topic slots: seats, the queue, clearances, the dose lock and the stagger."""

from escalon.conduct.act import Command
from escalon.conduct.slots import clearance, exposure_changes, lock, redosing, requests, reviews
from escalon.conduct.slots import commands as c
from escalon.conduct.slots.apply import APPLY
from escalon.conduct.slots.react import react
from escalon.conduct.topic import Decide, Topic

SITE = ("coordinator", "investigator")
COMMITTEE = ("medical_monitor", "committee_member")

ALLOWED: dict[type[Command], tuple[str, ...]] = {
    c.RequestSlot: SITE,
    c.ChooseSlot: ("sponsor",),
    c.ConfirmSlot: ("investigator",),
    c.ReleaseSlot: (*SITE, "sponsor"),
    c.ExpireSlots: (*SITE, "sponsor", "data_manager"),
    c.ConfirmEligibility: ("investigator",),
    c.AcknowledgeDecision: SITE,
    c.ReviewSentinel: COMMITTEE,
    c.ApproveReplacement: COMMITTEE,
    c.OverrideStagger: COMMITTEE,
    c.ClearLevel: ("committee_member",),
    c.ApproveRedosing: COMMITTEE,
    c.AdjudicateExposure: ("medical_monitor",),
    c.CloseTask: (*COMMITTEE, "statistician", "data_manager", "sponsor"),
}

DECIDE: dict[type[Command], Decide] = {
    c.RequestSlot: requests.request_slot,
    c.ChooseSlot: requests.choose_slot,
    c.ConfirmSlot: requests.confirm_slot,
    c.ReleaseSlot: requests.release_slot,
    c.ExpireSlots: requests.expire_slots,
    c.ConfirmEligibility: reviews.confirm_eligibility,
    c.AcknowledgeDecision: reviews.acknowledge_decision,
    c.ReviewSentinel: reviews.review_sentinel,
    c.ApproveReplacement: reviews.approve_replacement,
    c.OverrideStagger: reviews.override_stagger,
    c.ClearLevel: clearance.clear_level,
    c.ApproveRedosing: redosing.approve_redosing,
    c.AdjudicateExposure: exposure_changes.adjudicate_exposure,
    c.CloseTask: reviews.close_task,
}

TOPIC = Topic("slots", DECIDE, ALLOWED, APPLY, guard=lock.guard, react=react)
