"""How a signature is shown, the same on screen, in print and in an export (SG-1, SG-11); the letter (SG-8)."""

from datetime import datetime
from zoneinfo import ZoneInfo

from escalon.conduct.people.state import Signature
from escalon.conduct.state import State
from escalon.protocol import StudyFolder

EQUALITY = (
    "This electronic signature is the legally binding equivalent of the signer's handwritten signature "
    "(21 CFR 11.50, 11.100(c))."
)
"""Shown before signing and with every signature."""


def manifestation(state: State, signature: Signature, folder: StudyFolder) -> str:
    """Return a signature as text: printed name, role, meaning, time in UTC and at the site, equality, validity.

    Args:
        state: the fold that holds the signature.
        signature: the signature.
        folder: the study; gives the sentence of the meaning.
    """
    meaning = folder.conduct.access.meanings.get(signature.meaning)
    sentence = meaning.text if meaning is not None else signature.meaning
    lines = [
        f"Signed by {signature.name} ({signature.role.replace('_', ' ')})",
        f"Meaning: {signature.meaning} - {sentence}",
        f"Date and time: {moments(signature.at, zone_of(state, signature))}",
        f"Signed object: {signature.object_ref}, SHA-256 {signature.content_hash}",
        EQUALITY,
    ]
    if signature.invalidated_at is not None:
        void = moments(signature.invalidated_at, "UTC")
        lines.append(f"NO LONGER VALID since {void}: {signature.invalidated_because}")
    return "\n".join(lines)


def zone_of(state: State, signature: Signature) -> str:
    """Return the IANA zone of the site the signer signed for; UTC where there is none."""
    site = state.people.sites.get(signature.site)
    return "UTC" if site is None else site.timezone


def moments(at: datetime, zone: str) -> str:
    """Return ``at`` in UTC and, where it differs, in ``zone``, to the second and with the zone's name."""
    universal = at.astimezone(ZoneInfo("UTC"))
    text = f"{universal:%d %b %Y %H:%M:%S} UTC"
    if zone == "UTC":
        return text
    return f"{text}; {at.astimezone(ZoneInfo(zone)):%d %b %Y %H:%M:%S} {zone}"


def letter(state: State, person: str, folder: StudyFolder) -> str:
    """Return the letter of non-repudiation a person signs by hand (SG-8); that it was sent is a security event.

    Raises:
        KeyError: there is no such person.
    """
    known = state.people.persons[person]
    identity = folder.study.identity
    return (
        f"To: {identity.sponsor}\n"
        f"Study: {identity.study_id} ({identity.registry_number})\n\n"
        f"I, {known.name} ({known.organisation}), confirm that my electronic signatures in this study are the\n"
        "legally binding equivalent of my handwritten signature (21 CFR 11.100(c)). I will not let anybody else\n"
        "use my account, my password or my second factor.\n\n"
        "Date, handwritten signature:\n"
    )
