"""Signing as part of an act: the signature is on the very content of the act, and both are written or neither."""

from typing import Any

from escalon.conduct.act import Refused, Signed
from escalon.conduct.people.commands import GiveSignature
from escalon.conduct.people.events import SignatureGiven
from escalon.conduct.people.signatures import content_hash, give_signature
from escalon.conduct.state import State
from escalon.protocol import StudyFolder

MEANING = "reviewed"


def sign_here(
    state: State, signed: Signed, object_ref: str, content: dict[str, Any], folder: StudyFolder
) -> SignatureGiven | Refused:
    """Return the signature of who acts on ``content`` as reviewed, or why there can be none (SG-5, SG-7)."""
    outcome = give_signature(state, signed, GiveSignature(object_ref, MEANING, content_hash(content)), folder)
    if isinstance(outcome, Refused):
        return outcome
    (signature,) = outcome
    assert isinstance(signature, SignatureGiven)
    return signature
