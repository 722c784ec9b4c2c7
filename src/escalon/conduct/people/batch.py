"""Signing several records in one act, only after each was displayed to the signer in its latest version (SG-13)."""

from escalon.conduct.act import Outcome, Refused, Signed
from escalon.conduct.people.commands import GiveSignature, ShowObject, SignBatch
from escalon.conduct.people.events import ObjectDisplayed, SignatureGiven
from escalon.conduct.people.reading import may_read
from escalon.conduct.people.signatures import refuse_signature, shown_hash, signature_given
from escalon.conduct.state import State
from escalon.protocol import StudyFolder

SIGNERS = ("coordinator", "investigator", "monitor", "medical_monitor", "data_manager", "safety_officer")
"""Roles that read casebooks and sign."""


def show_object(state: State, signed: Signed, command: ShowObject, folder: StudyFolder) -> Outcome:
    """Record a display, if the hash is that of the latest version and the person may read it."""
    latest = shown_hash(state, command.object_ref)
    if latest is None:
        return Refused("SG-13", f"there is no form or casebook {command.object_ref}")
    patient = state.patients[command.object_ref.split(":")[1]]
    if not may_read(state, signed.actor.id, "casebook", patient.site, signed.at):
        return Refused("site", f"patient {patient.patient} belongs to site {patient.site}")
    if signed.actor.site not in ("", patient.site):
        return Refused("site", f"patient {patient.patient} belongs to site {patient.site}")
    if command.content_hash != latest:
        return Refused("SG-3", f"{command.object_ref} has changed since it was read; display it again")
    return (ObjectDisplayed(command.object_ref, signed.actor.id, latest),)


def sign_batch(state: State, signed: Signed, command: SignBatch, folder: StudyFolder) -> Outcome:
    """Sign all objects or none; the refusal names those that were not displayed as they are now."""
    if not command.objects or len(set(command.objects)) != len(command.objects):
        return Refused("SG-13", "name each record to sign once")
    unknown = [one for one in command.objects if shown_hash(state, one) is None]
    if unknown:
        return Refused("SG-13", f"there is no form or casebook {unknown[0]}")
    seen = state.people.displayed.get(signed.actor.id, {})
    unseen = [one for one in command.objects if seen.get(one) != shown_hash(state, one)]
    if unseen:
        said = "was not displayed to" if len(unseen) == 1 else "were not displayed to"
        return Refused("SG-13", f"{', '.join(unseen)} {said} {signed.actor.name} in the latest version")
    given: list[SignatureGiven] = []
    for number, one in enumerate(command.objects, start=len(state.people.signatures) + 1):
        wish = GiveSignature(one, command.meaning, seen[one])
        refused = refuse_signature(state, signed, wish, folder)
        if refused is not None:
            return Refused(refused.rule, f"{one}: {refused.reason}")
        given.append(signature_given(number, signed, wish))
    return tuple(given)
