"""Electronic signatures: given with a meaning on the hash of what was shown, void after a change, kept for ever.

An object is named ``kind:id``: ``form:PATIENT:RECORD``, ``casebook:PATIENT``, ``review:3`` ... For forms and casebooks
the hash given is compared with the data of this moment; other topics compare theirs through ``valid_signatures``.
"""

import re
from typing import Any

from escalon.conduct.act import Event, Outcome, Refused, Signed
from escalon.conduct.canonical import content_hash
from escalon.conduct.events import FormRecorded
from escalon.conduct.people.commands import GiveSignature
from escalon.conduct.people.events import SignatureGiven, SignatureInvalidated
from escalon.conduct.people.security import COMPONENTS
from escalon.conduct.people.state import Signature
from escalon.conduct.state import Record, State
from escalon.protocol import StudyFolder
from escalon.protocol.conduct.people import Meaning

__all__ = [
    "casebook_content",
    "casebook_ref",
    "content_hash",
    "form_content",
    "form_ref",
    "give_signature",
    "to_sign_again",
    "valid_signatures",
    "void_changed",
]
_HASH = re.compile(r"[0-9a-f]{64}")
_OBJECT = re.compile(r"[a-z][a-z_-]*:\S.*")


def form_ref(patient: str, record: str) -> str:
    """Return the name under which one form record is signed."""
    return f"form:{patient}:{record}"


def casebook_ref(patient: str) -> str:
    """Return the name under which a patient's casebook is signed."""
    return f"casebook:{patient}"


def form_content(state: State, patient: str, record: str) -> dict[str, Any]:
    """Return what the signer of one form record is shown; KeyError when there is none."""
    return {"patient": patient, **_shown(state.patients[patient].records[record])}


def casebook_content(state: State, patient: str) -> dict[str, Any]:
    """Return what the signer of a casebook is shown: every record in its latest version.

    Data as entered, no judgement of them: an adjudication has signatures of its own and leaves this one valid.
    """
    known = state.patients[patient]
    return {
        "patient": patient,
        "records": [_shown(record) for _, record in sorted(known.records.items())],
    }


def _shown(record: Record) -> dict[str, Any]:
    return {
        "form": record.form,
        "record": record.record,
        "version": record.version,
        "visit": record.visit,
        "values": record.entered,  # missing codes with their reasons: other than left open or not asked (AT-2)
    }


def valid_signatures(
    state: State, object_ref: str, content_hash: str | None = None, meaning: str | None = None
) -> tuple[Signature, ...]:
    """Return the valid signatures on an object, in the order they were given.

    Args:
        state: the fold.
        object_ref: the object.
        content_hash: only signatures on exactly this content.
        meaning: only signatures of this meaning.
    """
    return tuple(
        signature
        for signature in state.people.signatures
        if signature.object_ref == object_ref
        and signature.invalidated_at is None
        and content_hash in (None, signature.content_hash)
        and meaning in (None, signature.meaning)
    )


def to_sign_again(state: State, person: str) -> tuple[Signature, ...]:
    """Return the signatures of ``person`` that became void and were not given again (SG-4)."""
    mine = [signature for signature in state.people.signatures if signature.signer == person]
    return tuple(
        void
        for void in mine
        if void.invalidated_at is not None
        and not any(
            (later.object_ref, later.meaning) == (void.object_ref, void.meaning)
            and later.number > void.number
            for later in mine
        )
    )


def give_signature(state: State, signed: Signed, command: GiveSignature, folder: StudyFolder) -> Outcome:
    """Sign, or refuse with the requirement that is not met."""
    refused = refuse_signature(state, signed, command, folder)
    if refused is not None:
        return refused
    return (signature_given(len(state.people.signatures) + 1, signed, command),)


def refuse_signature(
    state: State, signed: Signed, command: GiveSignature, folder: StudyFolder
) -> Refused | None:
    """Return why ``command`` cannot be signed now by who acts, or None."""
    return (
        _refuse_words(signed, command, folder)
        or _refuse_person(state, signed, folder)
        or _refuse_object(state, signed, command)
    )


def signature_given(number: int, signed: Signed, command: GiveSignature) -> SignatureGiven:
    """Return signature ``number``, by who acts, with name, role and site of this moment."""
    actor = signed.actor
    return SignatureGiven(
        number,
        command.object_ref,
        actor.id,
        actor.name,
        actor.role,
        command.meaning,
        command.content_hash,
        signed.authenticated,
        actor.site,
    )


def shown_hash(state: State, object_ref: str) -> str | None:
    """Return the hash of a form or casebook in its latest version; None if it is neither or is not there."""
    kind, _, rest = object_ref.partition(":")
    patient, _, record = rest.partition(":")
    known = state.patients.get(patient)
    if known is None or kind not in ("form", "casebook") or (kind == "form" and record not in known.records):
        return None
    return content_hash(
        form_content(state, patient, record) if kind == "form" else casebook_content(state, patient)
    )


def _refuse_words(signed: Signed, command: GiveSignature, folder: StudyFolder) -> Refused | None:
    meanings = folder.conduct.access.meanings
    meaning: Meaning | None = meanings.get(command.meaning)
    if meaning is None:
        return Refused("SG-2", f"a signature means one of {', '.join(meanings)}, not {command.meaning!r}")
    if meaning.roles and signed.actor.role not in meaning.roles:
        return Refused("SG-2 role", f"{command.meaning} is signed by {', '.join(meaning.roles)}")
    if not _OBJECT.fullmatch(command.object_ref):
        return Refused("SG-3", f"{command.object_ref!r} names no object; right is kind:id, as casebook:001")
    if not _HASH.fullmatch(command.content_hash):
        return Refused("SG-3", "a signature needs the SHA-256 of what was shown: 64 hexadecimal digits")
    return None


def _refuse_person(state: State, signed: Signed, folder: StudyFolder) -> Refused | None:
    person = state.people.persons.get(signed.actor.id)
    if person is None or person.identity is None:
        return Refused(
            "SG-7", f"the identity of {signed.actor.name} was not checked; no signature before that"
        )
    given = COMPONENTS.get(signed.authenticated, 0)
    access = folder.conduct.access
    if given < 1:
        return Refused("SG-5", "a signature needs the password or the second factor, given at the signature")
    if continuous(state, signed, folder):
        return None
    if access.sign_with_second_factor and signed.authenticated != "password+otp":
        return Refused("SG-12", "the first signature of a session needs password and second factor")
    if given < 2:
        return Refused("SG-5", "the first signature of a session needs two components: id and password")
    return None


def continuous(state: State, signed: Signed, folder: StudyFolder) -> bool:
    """Tell whether the person is in a continuous period of signing: begun, not broken, within both limits."""
    period = state.people.signing.get(signed.actor.id)
    if period is None:
        return False
    limits = folder.conduct.access.session
    idle = (signed.at - period.last).total_seconds() / 60
    lasted = (signed.at - period.since).total_seconds() / 3600
    return idle <= limits.idle_minutes and lasted <= limits.absolute_hours


def _refuse_object(state: State, signed: Signed, command: GiveSignature) -> Refused | None:
    same = valid_signatures(state, command.object_ref, command.content_hash, command.meaning)
    if any(signature.signer == signed.actor.id for signature in same):
        return Refused("SG-6", f"{signed.actor.name} has signed this already")
    kind, _, rest = command.object_ref.partition(":")
    if kind not in ("form", "casebook"):
        return None
    patient, _, record = rest.partition(":")
    known = state.patients.get(patient)
    if known is None or (kind == "form" and record not in known.records):
        return Refused("SG-3", f"there is no {command.object_ref}")
    if signed.actor.site not in ("", known.site):
        return Refused("site", f"patient {patient} belongs to site {known.site}")
    content = form_content(state, patient, record) if kind == "form" else casebook_content(state, patient)
    if content_hash(content) != command.content_hash:
        return Refused("SG-3", f"{command.object_ref} has changed since it was shown; read it again and sign")
    return None


def void_changed(
    state: State, events: tuple[Event, ...], signed: Signed, folder: StudyFolder
) -> tuple[Event, ...]:
    """Return what follows from changed records: signatures on them and on their casebook are void (SG-4)."""
    void: list[SignatureInvalidated] = []
    for event in events:
        if not isinstance(event, FormRecorded) or event.version == 1:
            continue
        reason = f"{event.record} was changed to version {event.version}"
        for ref in (form_ref(event.patient, event.record), casebook_ref(event.patient)):
            void += [SignatureInvalidated(one.number, reason) for one in valid_signatures(state, ref)]
    return tuple({one.signature: one for one in reversed(void)}.values())[::-1]
