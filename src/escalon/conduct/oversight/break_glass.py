"""Rights in an emergency (AC-12): taken with a reason, for hours, told to two sides at once, reviewed by another."""

from datetime import timedelta

from escalon.conduct.act import Outcome, Refused, Signed
from escalon.conduct.oversight.commands import BreakGlass, ReviewBreakGlass
from escalon.conduct.oversight.events import BreakGlassOpened, BreakGlassReviewed, NoticeRaised
from escalon.conduct.oversight.signed_act import sign_here
from escalon.conduct.people.events import RoleGranted
from escalon.conduct.people.registry import refuse_exclusive
from escalon.conduct.people.rights import rights_on
from escalon.conduct.people.security import COMPONENTS
from escalon.conduct.state import State
from escalon.protocol import StudyFolder
from escalon.protocol.conduct.people import SITE_ROLES


def break_glass(state: State, signed: Signed, command: BreakGlass, folder: StudyFolder) -> Outcome:
    """Give who acts the role until it runs out, and tell the security contacts and those who must review it."""
    refused = _refuse_authentication(signed) or _refuse_wish(signed, command, folder)
    refused = refused or _refuse_person(state, signed, command, folder)
    if refused is not None:
        return refused
    actor, rules = signed.actor, folder.conduct.oversight
    until = signed.at + timedelta(hours=command.hours)
    due = signed.at + timedelta(days=rules.break_glass.review_days)
    number = len(state.oversight.emergencies) + 1
    where = f"at site {command.site}" if command.site else "of the study"
    text = f"{actor.name} ({actor.id}) took the role {command.role} {where} until {until:%Y-%m-%d %H:%M} UTC."
    subject, first = f"Emergency access {number}", len(state.oversight.notices) + 1
    review = f"{text} Review its use before {due:%Y-%m-%d %H:%M} UTC."
    return (
        BreakGlassOpened(number, actor.id, command.role, command.site, command.reason, until, due),
        RoleGranted(actor.id, command.role, command.site, signed.at, until, until),
        NoticeRaised(first, subject, text, rules.security_contacts),
        NoticeRaised(first + 1, subject, review, reviewers(state, signed)),
    )


def reviewers(state: State, signed: Signed) -> tuple[str, ...]:
    """Return the ids of the sponsor's persons and administrators of that moment, without who acts."""
    return tuple(
        person
        for person in sorted(state.people.persons)
        if person != signed.actor.id
        and any(right.role in ("sponsor", "administrator") for right in rights_on(state, person, signed.at))
    )


def _refuse_authentication(signed: Signed) -> Refused | None:
    if COMPONENTS.get(signed.authenticated, 0) > 0:
        return None
    return Refused("AC-9", "an emergency right needs the password or the second factor, given at the act")


def _refuse_wish(signed: Signed, command: BreakGlass, folder: StudyFolder) -> Refused | None:
    rules = folder.conduct.oversight.break_glass
    if command.role not in rules.roles:
        return Refused("AC-12", f"in an emergency one can become {', '.join(rules.roles) or 'nothing'}")
    if not command.reason.strip():
        return Refused("AC-12 reason", "an emergency right needs a reason")
    if not 0 < command.hours <= rules.hours:
        return Refused("AC-12 hours", f"an emergency right lasts at most {rules.hours:g} hours")
    if (command.role in SITE_ROLES) != bool(signed.actor.site):
        return Refused(
            "DC-4", "people of a site take roles of the site, people of the sponsor those of the sponsor"
        )
    if command.site != signed.actor.site:
        return Refused("site", f"{signed.actor.name} acts for {signed.actor.site or 'no site'}")
    return None


def _refuse_person(state: State, signed: Signed, command: BreakGlass, folder: StudyFolder) -> Refused | None:
    person = state.people.persons[signed.actor.id]
    standing = any(
        (grant.role, grant.site, grant.ended_at) == (command.role, command.site, None)
        and (grant.valid_until is None or signed.at < grant.valid_until)
        for grant in person.grants
    )
    if standing:
        return Refused("AC-12", f"{person.name} was given the role {command.role} already")
    return refuse_exclusive(person, command.role, signed, folder)


def review_break_glass(
    state: State, signed: Signed, command: ReviewBreakGlass, folder: StudyFolder
) -> Outcome:
    """Sign the review of an emergency right that is over; not by who took it."""
    known = state.oversight.emergencies
    if not 1 <= command.access <= len(known) or known[command.access - 1].reviewed_at is not None:
        return Refused("AC-12", f"there is no emergency right {command.access} that waits for its review")
    emergency = known[command.access - 1]
    if emergency.person == signed.actor.id:
        return Refused("AC-3 emergency", f"{signed.actor.name} took it; another person reviews")
    if signed.at < emergency.until and _still_holds(state, emergency.person, emergency.role, signed):
        return Refused("AC-12", f"the right runs until {emergency.until:%Y-%m-%d %H:%M} UTC; review it then")
    if not command.conclusion.strip():
        return Refused("AC-12 conclusion", "a review ends with a conclusion")
    content = {"emergency": emergency, "conclusion": command.conclusion}
    signature = sign_here(state, signed, f"emergency:{command.access}", content, folder)
    if isinstance(signature, Refused):
        return signature
    return (signature, BreakGlassReviewed(command.access, command.conclusion, signature.signature))


def _still_holds(state: State, person: str, role: str, signed: Signed) -> bool:
    return any(right.role == role for right in rights_on(state, person, signed.at))
