"""The topic oversight: reviews of the audit trail and of access, rights in an emergency, notices."""

from escalon.conduct.act import Command
from escalon.conduct.oversight import access_review, audit_review, break_glass, notices
from escalon.conduct.oversight import commands as c
from escalon.conduct.oversight.apply import APPLY
from escalon.conduct.people.security import SYSTEM
from escalon.conduct.topic import Decide, Topic

RIGHTS = ("administrator", "sponsor")

DECIDE: dict[type[Command], Decide] = {
    c.RecordAuditReview: audit_review.record_audit_review,
    c.ReviewAccess: access_review.review_access,
    c.BreakGlass: break_glass.break_glass,
    c.ReviewBreakGlass: break_glass.review_break_glass,
    c.RecordNoticeSent: notices.record_notice_sent,
}

ALLOWED: dict[type[Command], tuple[str, ...]] = {
    c.RecordAuditReview: ("data_manager", "medical_monitor", "sponsor"),
    c.ReviewAccess: RIGHTS,
    c.BreakGlass: ("coordinator", "investigator", "medical_monitor", "safety_officer", "data_manager"),
    c.ReviewBreakGlass: RIGHTS,
    c.RecordNoticeSent: ("administrator", SYSTEM),
}

AFTER_CLOSURE = frozenset(ALLOWED) - {c.BreakGlass}
"""Reviews go on and notices leave after the study is closed."""

TOPIC = Topic("oversight", DECIDE, ALLOWED, APPLY, None, notices.raise_notices, AFTER_CLOSURE)
