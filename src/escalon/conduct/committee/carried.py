"""Is a decision carried? Quorum, functions, majority and signatures, or what is missing (PH-9, SG-3, DC-6)."""

from typing import Any

from escalon.conduct.act import Refused
from escalon.conduct.committee.state import Review, Vote
from escalon.conduct.people.rights import refuse_sole_person
from escalon.conduct.people.signatures import casebook_ref, content_hash, valid_signatures
from escalon.conduct.people.state import Signature
from escalon.conduct.state import Patient, State
from escalon.protocol import StudyFolder
from escalon.protocol.conduct.committee import CommitteeRules

EXCEPTION = "exception"


def decision_ref(review: int) -> str:
    """What a signature on the decision of ``review`` refers to."""
    return f"review:{review}"


def decision_content(review: Review, action: str, dose_level: int | None) -> dict[str, Any]:
    """What members sign: the packet they were shown, the action and the level."""
    return {"packet": review.packet_hash, "action": action, "dose_level": dose_level}


def carried(
    state: State, review: Review, action: str, dose_level: int | None, folder: StudyFolder
) -> tuple[Signature, ...] | Refused:
    """Return the signatures that carry the decision, or what it lacks."""
    rules = folder.conduct.committee
    refused = _refuse_votes(state, review, action, dose_level, rules)
    if refused is not None:
        return refused
    shown = content_hash(decision_content(review, action, dose_level))
    signatures = tuple(
        one for one in valid_signatures(state, decision_ref(review.number), shown) if one.meaning != EXCEPTION
    )
    signers = {one.signer for one in signatures}
    unsigned = [person for person, vote in review.votes.items() if _for(vote, action, dose_level)]
    unsigned = [person for person in unsigned if person not in signers]
    if unsigned:
        names = ", ".join(_name(state, person) for person in unsigned)
        return Refused("SG-3 signatures", f"not signed yet by {names}, who voted for it")
    if rules.sponsor_signs and not any(one.role == "sponsor" for one in signatures):
        return Refused("SG-3 signatures", "the sponsor has not signed the decision")
    return _refuse_assessor_alone(state, review, action, dose_level, folder) or signatures


def _refuse_assessor_alone(
    state: State, review: Review, action: str, dose_level: int | None, folder: StudyFolder
) -> Refused | None:
    """Who assessed the DLTs is not the only chair of the decision that rests on them (AC-3)."""
    assessors = frozenset(
        patient.dlt_adjudicated_by for patient in state.patients.values() if patient.dlt_adjudicated_by
    )
    chairs = frozenset(
        person
        for person, vote in review.votes.items()
        if _for(vote, action, dose_level) and state.committee.members.get(person) == "chair"
    )
    return refuse_sole_person(folder.conduct.access, "dlt-chair", assessors, chairs)


def exception_signed(state: State, review: Review, action: str, dose_level: int | None) -> bool:
    """Tell whether two different persons signed that this decision is an exception to the rule."""
    shown = content_hash(decision_content(review, action, dose_level))
    found = valid_signatures(state, decision_ref(review.number), shown, EXCEPTION)
    return len({one.signer for one in found}) >= 2


def two_signatures(state: State, object_ref: str, content: dict[str, Any]) -> tuple[Signature, ...] | Refused:
    """Return the signatures of at least two different persons on ``content``, or a refusal."""
    found = valid_signatures(state, object_ref, content_hash(content))
    if len({one.signer for one in found}) < 2:
        return Refused(
            "SG-3 signatures", f"{object_ref} needs the signatures of two persons; it has {len(found)}"
        )
    return found


def unsigned_casebooks(state: State, patients: list[Patient]) -> list[str]:
    """Patients whose casebook no investigator has signed since its last change."""
    return [
        patient.patient
        for patient in patients
        if not any(
            one.role == "investigator" for one in valid_signatures(state, casebook_ref(patient.patient))
        )
    ]


def dissent(state: State, review: Review, action: str, dose_level: int | None) -> tuple[str, ...]:
    """Who voted for something else and why, one sentence each."""
    return tuple(
        f"{_name(state, person)} voted for {_words(vote.action, vote.dose_level)}: {vote.reason}"
        for person, vote in review.votes.items()
        if not _for(vote, action, dose_level)
    )


def _refuse_votes(
    state: State, review: Review, action: str, dose_level: int | None, rules: CommitteeRules
) -> Refused | None:
    voters = len(review.votes)
    if voters < rules.quorum:
        return Refused("PH-9 quorum", f"{voters} members have voted; the quorum is {rules.quorum}")
    present = {state.committee.members[person] for person in review.votes}
    absent = [function for function in rules.required if function not in present]
    if absent:
        return Refused("PH-9 quorum", f"no vote from: {', '.join(absent)}")
    agreed = sum(_for(vote, action, dose_level) for vote in review.votes.values())
    if 2 * agreed <= voters:
        what = _words(action, dose_level)
        return Refused(
            "PH-9 majority", f"{agreed} of {voters} votes are for {what}; more than half is needed"
        )
    return None


def _for(vote: Vote, action: str, dose_level: int | None) -> bool:
    return (vote.action, vote.dose_level) == (action, dose_level)


def _words(action: str, dose_level: int | None) -> str:
    return action if dose_level is None else f"{action} (level {dose_level})"


def _name(state: State, person: str) -> str:
    known = state.people.persons.get(person)
    return known.name if known is not None else person
