"""Signed reviews of the audit trail (AT-9): a definition, a range of events without a gap, findings, conclusion."""

import re
from dataclasses import asdict
from typing import Any

from escalon.conduct.act import Outcome, Refused, Signed
from escalon.conduct.canonical import plain
from escalon.conduct.oversight.commands import RecordAuditReview
from escalon.conduct.oversight.events import AuditReviewed
from escalon.conduct.oversight.signed_act import sign_here
from escalon.conduct.oversight.state import AuditReview
from escalon.conduct.state import State
from escalon.protocol import StudyFolder
from escalon.protocol.conduct.oversight import AuditSelection

_HASH = re.compile(r"[0-9a-f]{64}")


def audit_review_ref(definition: str, from_seq: int, to_seq: int) -> str:
    """Return the name under which a review is signed."""
    return f"audit-review:{definition}:{from_seq}-{to_seq}"


def reviewed_up_to(state: State, definition: str) -> int:
    """Return the number of the last event that reviews by ``definition`` have covered; 0 for none."""
    return max(
        (one.to_seq for one in state.oversight.audit_reviews if one.definition == definition), default=0
    )


def selection_of(review: AuditReview) -> AuditSelection:
    """Return the rows a past review took, as its definition said then."""
    return AuditSelection.model_validate(review.selection)


def record_audit_review(
    state: State, signed: Signed, command: RecordAuditReview, folder: StudyFolder
) -> Outcome:
    """Sign and record a review, or say what is missing."""
    definition = folder.conduct.oversight.audit_review(command.definition)
    if definition is None:
        known = ", ".join(one.id for one in folder.conduct.oversight.audit_reviews) or "none"
        return Refused("AT-9", f"the study has no audit review {command.definition!r}; it has {known}")
    if signed.actor.role not in definition.roles:
        return Refused("AT-9 role", f"{definition.id} is reviewed by {', '.join(definition.roles)}")
    refused = _refuse_range(state, command) or _refuse_words(command)
    if refused is not None:
        return refused
    selection = definition.select.model_dump(mode="json", exclude_defaults=True)
    content: dict[str, Any] = plain({**asdict(command), "selection": selection})
    ref = audit_review_ref(command.definition, command.from_seq, command.to_seq)
    signature = sign_here(state, signed, ref, content, folder)
    if isinstance(signature, Refused):
        return signature
    done = AuditReviewed(
        len(state.oversight.audit_reviews) + 1,
        command.definition,
        selection,
        command.from_seq,
        command.to_seq,
        command.rows,
        command.trail_hash,
        command.findings,
        command.conclusion,
        signature.signature,
    )
    return (signature, done)


def _refuse_range(state: State, command: RecordAuditReview) -> Refused | None:
    first = reviewed_up_to(state, command.definition) + 1
    if not 1 <= command.from_seq <= command.to_seq <= state.seq:
        said = f"{command.from_seq} to {command.to_seq}"
        return Refused("AT-9 range", f"{said} is no range of the events 1 to {state.seq}")
    if command.from_seq > first:
        return Refused("AT-9 range", f"events {first} to {command.from_seq - 1} would be left out")
    if command.to_seq < first:
        return Refused("AT-9 range", f"events up to {first - 1} are reviewed by {command.definition} already")
    return None


def _refuse_words(command: RecordAuditReview) -> Refused | None:
    if not command.conclusion.strip():
        return Refused("AT-9 conclusion", "a review ends with a conclusion; say what follows from it")
    if command.rows < 0 or not _HASH.fullmatch(command.trail_hash):
        return Refused("SG-3", "a review names the rows that were shown: their number and SHA-256")
    return None
