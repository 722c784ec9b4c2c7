"""Signatures on what slots asks to be signed: the object, its content, and whether enough people signed it."""

from typing import Any

from escalon.conduct.act import Refused
from escalon.conduct.canonical import content_hash
from escalon.conduct.people.signatures import valid_signatures
from escalon.conduct.state import State

MEANING = "approved"


def sentinel_object(cohort: int, reason: str) -> tuple[str, dict[str, Any]]:
    """Return object and content signed for a sentinel review."""
    return f"sentinel:{cohort}", {"cohort": cohort, "reason": reason}


def replacement_object(patient: str, reason: str) -> tuple[str, dict[str, Any]]:
    """Return object and content signed for a replacement."""
    return f"replacement:{patient}", {"patient": patient, "reason": reason}


def override_object(patient: str, not_before: str, reason: str) -> tuple[str, dict[str, Any]]:
    """Return object and content signed for an override of the stagger."""
    return f"override:{patient}", {"patient": patient, "not_before": not_before, "reason": reason}


def clearance_object(regimen: str, process: str, dose_level: int, reason: str) -> tuple[str, dict[str, Any]]:
    """Return object and content signed for a clearance in another stratum."""
    content = {"regimen": regimen, "process": process, "dose_level": dose_level, "reason": reason}
    return f"clearance:{regimen}:{process}", content


def redosing_object(patient: str, exposure: int, dose_level: int, reason: str) -> tuple[str, dict[str, Any]]:
    """Return object and content signed for a further infusion: a signature for one is none for the next."""
    content = {"patient": patient, "exposure": exposure, "dose_level": dose_level, "reason": reason}
    return f"redosing:{patient}:{exposure}", content


def refuse_unsigned(
    state: State, rule: str, signed: tuple[str, dict[str, Any]], signers: tuple[str, ...], needed: int
) -> Refused | None:
    """Refuse unless ``needed`` different persons signed exactly this content.

    A study that registers its people takes electronic signatures only; without a register of people there is
    nobody who could sign, and the names given count.
    """
    if len(set(signers)) < needed:
        return Refused(
            rule, f"{needed} different persons sign this; named are {', '.join(signers) or 'none'}"
        )
    if not state.people.persons:
        return None
    object_ref, content = signed
    given = {one.signer for one in valid_signatures(state, object_ref, content_hash(content), MEANING)}
    missing = [one for one in dict.fromkeys(signers) if one not in given]
    if missing:
        return Refused(rule, f"{', '.join(missing)} did not sign {object_ref} as {MEANING} in this content")
    return None
