"""The signed review of access (AC-5): the table of all rights as it is, confirmed or with rights to take away."""

from typing import Any

from escalon.conduct.act import Outcome, Refused, Signed
from escalon.conduct.oversight.commands import ReviewAccess, RightNamed
from escalon.conduct.oversight.events import AccessReviewed
from escalon.conduct.oversight.signed_act import sign_here
from escalon.conduct.people.events import RoleRevoked
from escalon.conduct.people.rights import Right, rights_during
from escalon.conduct.people.signatures import content_hash
from escalon.conduct.state import State
from escalon.protocol import StudyFolder


def access_content(state: State) -> dict[str, Any]:
    """Return the table the reviewer is shown: every right that holds now or begins later, with its dates."""
    return {"rights": [_said(right) for right in standing_rights(state)]}


def access_hash(state: State) -> str:
    """Return the SHA-256 of the table; it changes with every right given, changed, or over."""
    return content_hash(access_content(state))


def standing_rights(state: State) -> tuple[Right, ...]:
    """Return the rights that are not over at the last fact of ``state``, those that begin later too."""
    from datetime import UTC, datetime

    moment = state.at or datetime.min.replace(tzinfo=UTC)
    return rights_during(state, moment, datetime.max.replace(tzinfo=UTC))


def _said(right: Right) -> dict[str, Any]:
    return {
        "person": right.person,
        "name": right.name,
        "organisation": right.organisation,
        "role": right.role,
        "site": right.site,
        "since": right.since,
        "until": right.until,
        "ends": right.ends,
    }


def review_access(state: State, signed: Signed, command: ReviewAccess, folder: StudyFolder) -> Outcome:
    """Sign the table and end the rights that are named, in one act."""
    if command.content_hash != access_hash(state):
        return Refused("SG-3", "the table of rights has changed since it was shown; read it again and sign")
    if not command.conclusion.strip():
        return Refused("AC-5 conclusion", "a review of access ends with a conclusion")
    refused = _refuse_named(state, command.revoke)
    if refused is not None:
        return refused
    number, content = len(state.oversight.access_reviews) + 1, access_content(state)
    shown = {**content, "revoke": command.revoke, "conclusion": command.conclusion}
    signature = sign_here(state, signed, f"access-review:{number}", shown, folder)
    if isinstance(signature, Refused):
        return signature
    why = f"review of access {number}"
    return (
        signature,
        AccessReviewed(
            number,
            command.content_hash,
            len(content["rights"]),
            command.revoke,
            command.conclusion,
            signature.signature,
        ),
        *(RoleRevoked(one.person, one.role, one.site, why) for one in command.revoke),
    )


def _refuse_named(state: State, revoke: tuple[RightNamed, ...]) -> Refused | None:
    standing = {(right.person, right.role, right.site) for right in standing_rights(state)}
    if len(set(revoke)) != len(revoke):
        return Refused("AC-5 right", "a right to take away is named twice")
    for one in revoke:
        if (one.person, one.role, one.site) not in standing:
            where = f"at site {one.site}" if one.site else "for the whole study"
            return Refused("AC-5 right", f"the table has no {one.role} {one.person} {where}")
    left = {role for person, role, site in standing - {(r.person, r.role, r.site) for r in revoke}}
    for role in ("administrator", "sponsor"):
        if role not in left:
            return Refused("AC-5 right", f"nobody would be {role} any more; name a successor first")
    return None
