"""Seriousness, expectedness and treatment-emergence of one event.

Conventions: serious is not severe: grade and seriousness are separate. The opinion of investigator or sponsor
is enough for serious and for life-threatening. Expectedness is judged per product against the reference
safety information in force on the day of onset; a grade above the listed one is unexpected. An event is
treatment-emergent for a product when it starts or worsens on or after the product's own first dose; an onset
that is not known counts as emergent.

Sources: 21 CFR 312.32(a); ICH E2A. Treatment-emergence per product: assumption.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from escalon.criteria.result import check_code, check_finite

SERIOUS = (
    "DEATH",
    "LIFE_THREATENING",
    "HOSPITALISATION",
    "DISABILITY",
    "CONGENITAL_ANOMALY",
    "IMPORTANT_MEDICAL_EVENT",
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A yes, a no or not known (None), with the clause and the reasons."""

    holds: bool | None
    clause: str
    reasons: tuple[str, ...]


def judge_seriousness(investigator: Collection[str], sponsor: Collection[str] = ()) -> Judgement:
    """Whether an event is serious: any criterion named by either.

    Args:
        investigator: codes of ``SERIOUS`` the investigator named.
        sponsor: codes the sponsor named.

    Raises:
        ValueError: for an unknown code.

    Example:
        >>> judge_seriousness((), ("LIFE_THREATENING",)).holds
        True
    """
    views = (("investigator", investigator), ("sponsor", sponsor))
    for name, codes in views:
        for code in codes:
            check_code(name, code, SERIOUS)
    named = [code for code in SERIOUS if code in investigator or code in sponsor]
    reasons = tuple(f"{code}: {' and '.join(who for who, codes in views if code in codes)}" for code in named)
    return Judgement(bool(named), named[0] if named else "no criterion of seriousness", reasons)


@dataclass(frozen=True, slots=True)
class ReferenceSafetyInformation:
    """What is expected for one product from a day on.

    Attributes:
        product: product name.
        version: version of the document.
        valid_from: first day in force.
        expected: highest expected CTCAE grade by term (lower case is compared).
    """

    product: str
    version: str
    valid_from: date
    expected: Mapping[str, int]

    def __post_init__(self) -> None:
        for term, grade in self.expected.items():
            check_finite(f"expected grade of {term}", grade, low=1, high=5)


def judge_expectedness(
    term: str, grade: int, product: str, onset: date, references: Sequence[ReferenceSafetyInformation]
) -> Judgement:
    """Whether an event is expected for a product, by the reference in force on the day of onset.

    Returns:
        ``holds`` True for expected; False when the term is not listed, its grade is higher than listed, or no
        reference was in force.

    Raises:
        ValueError: for a grade outside 1 to 5, or two references of the product from the same day.
    """
    check_finite("grade", grade, low=1, high=5)
    own = sorted((ref for ref in references if ref.product == product), key=lambda ref: ref.valid_from)
    days = [ref.valid_from for ref in own]
    if len(set(days)) != len(days):
        raise ValueError(f"references: {product} has two from the same day")
    valid = [ref for ref in own if ref.valid_from <= onset]
    if not valid:
        return Judgement(False, "unexpected: no reference in force", (f"{product} on {onset.isoformat()}",))
    current = valid[-1]
    listed = {name.lower(): highest for name, highest in current.expected.items()}.get(term.lower())
    source = (f"{product} reference {current.version} of {current.valid_from.isoformat()}",)
    if listed is None:
        return Judgement(False, f"unexpected: {term} is not listed", source)
    if grade > listed:
        return Judgement(False, f"unexpected: grade {grade} is above the listed grade {listed}", source)
    return Judgement(True, f"expected: listed to grade {listed}", source)


def judge_emergence(
    onset_day: float | None, first_doses: Mapping[str, float | None], worsened_day: float | None = None
) -> dict[str, Judgement]:
    """Whether an event is treatment-emergent, for each product relative to its own first dose.

    Args:
        onset_day: day of onset, on the axis of the doses; None when not known.
        first_doses: first dose of each product; None when it was not given.
        worsened_day: day an earlier event became worse, or None.

    Example:
        >>> found = judge_emergence(-2.0, {"CLLS52": -5.0, "UCART22": 0.0})
        >>> found["CLLS52"].holds, found["UCART22"].holds
        (True, False)
    """
    return {product: _emergence(onset_day, dose, worsened_day) for product, dose in first_doses.items()}


def _emergence(onset: float | None, dose: float | None, worsened: float | None) -> Judgement:
    if dose is None:
        return Judgement(False, "product not given", ())
    if onset is None:
        return Judgement(True, "onset not known: counted as emergent", (f"first dose day {dose:g}",))
    reasons = (f"onset day {onset:g}", f"first dose day {dose:g}")
    if onset >= dose:
        return Judgement(True, "starts on or after the first dose", reasons)
    if worsened is not None and worsened >= dose:
        return Judgement(
            True, "worsens on or after the first dose", (*reasons, f"worse from day {worsened:g}")
        )
    return Judgement(False, "starts before the first dose and does not worsen after it", reasons)
