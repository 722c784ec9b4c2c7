"""Signatures on a casebook and its records: printed name, date and time, meaning (P11.50), and whether they stand."""

from dataclasses import dataclass

from escalon.conduct.people.signatures import casebook_ref, form_ref
from escalon.conduct.people.state import Signature
from escalon.report.casebook.gather import Gathered
from escalon.report.casebook.stamp import Stamp
from escalon.report.casebook.trail import Landmarks, Reason, reason_of


@dataclass(frozen=True, slots=True)
class SignatureShown:
    """A signature; ``voided`` says when and by whose act it became void, ``record`` which change did it."""

    signature: Signature
    stamp: Stamp
    meaning: str
    voided: Stamp | None
    because: Reason | None
    record: str
    version: int | None

    @property
    def valid(self) -> bool:
        """True while it stands."""
        return self.voided is None


def signatures_of(gathered: Gathered, patient: str) -> tuple[SignatureShown, ...]:
    """Return the signatures on a patient's casebook, records and adjudication, in order."""
    refs = (casebook_ref(patient), f"dlt:{patient}")
    prefix = f"form:{patient}:"
    return tuple(
        _shown(gathered, one)
        for one in gathered.state.people.signatures
        if one.object_ref in refs or one.object_ref.startswith(prefix)
    )


def _shown(gathered: Gathered, one: Signature) -> SignatureShown:
    seq = gathered.voided.get(one.number)
    cause = None if seq is None else gathered.causes.get(seq)
    return SignatureShown(
        one,
        gathered.stamps[gathered.given[one.number]],
        one.meaning.replace("_", " "),
        None if seq is None else gathered.stamps[seq],
        reason_of(one.invalidated_because),
        "" if cause is None else cause.record,
        None if cause is None else cause.version,
    )


def landmarks_of(
    signatures: tuple[SignatureShown, ...],
    patient: str,
    record: str,
    adjudications: tuple[tuple[int, str], ...],
) -> Landmarks:
    """Return what makes a change of ``record`` worth noticing: signatures that cover it, adjudications."""
    refs = (casebook_ref(patient), form_ref(patient, record))
    covering = [one for one in signatures if one.signature.object_ref in refs]
    marks = tuple(
        (one.stamp.seq, f"signature {one.signature.number} of {one.stamp.name}") for one in covering
    )
    return Landmarks(marks, adjudications)
