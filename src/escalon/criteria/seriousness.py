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

from escalon.criteria.result import check_code, check_day, check_whole
from escalon.criteria.tables import load_table

SERIOUS: tuple[str, ...] = tuple(load_table("events.json")["seriousness"])


@dataclass(frozen=True, slots=True)
class Judgement:
    """A yes, a no or not known (None), with the clause and the reasons."""

    holds: bool | None
    clause: str
    reasons: tuple[str, ...]

    @property
    def response(self) -> str | None:
        """``YES``, ``NO`` or None when not known."""
        return None if self.holds is None else "YES" if self.holds else "NO"

    @property
    def grade(self) -> str | None:
        """The response, under the name every result object carries."""
        return self.response


def judge_seriousness(
    investigator: Collection[str] | None, sponsor: Collection[str] | None = ()
) -> Judgement:
    """Whether an event is serious: any criterion named by either.

    Args:
        investigator: codes of ``SERIOUS`` the investigator named; None when not yet judged.
        sponsor: codes the sponsor named; None when not yet judged.

    Returns:
        ``holds`` None while no criterion is named and one of the two has not judged.

    Raises:
        ValueError: for an unknown code.

    Example:
        >>> judge_seriousness((), ("LIFE_THREATENING",)).holds
        True
    """
    views = (("investigator", investigator or ()), ("sponsor", sponsor or ()))
    for name, codes in views:
        if isinstance(codes, str):
            raise ValueError(f"{name}: {codes!r} is one word; give a list of criteria")
        for code in codes:
            check_code(name, code, SERIOUS)
    named = [code for code in SERIOUS if any(code in codes for _, codes in views)]
    reasons = tuple(f"{code}: {' and '.join(who for who, codes in views if code in codes)}" for code in named)
    if named:
        return Judgement(True, named[0], reasons)
    open_ = [who for who, codes in (("investigator", investigator), ("sponsor", sponsor)) if codes is None]
    if open_:
        return Judgement(None, "not known", tuple(f"{who}: not yet judged" for who in open_))
    return Judgement(False, "no criterion of seriousness", ("investigator: none", "sponsor: none"))


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
            _check_grade(f"expected grade of {term}", grade)


def _check_grade(field: str, grade: int) -> None:
    check_whole(field, grade, high=5)
    if grade < 1:
        raise ValueError(f"{field}: {grade} is out of range; a grade runs from 1 to 5")


def judge_expectedness(
    term: str,
    grade: int | None,
    product: str,
    onset: date | None,
    references: Sequence[ReferenceSafetyInformation],
) -> Judgement:
    """Whether an event is expected for a product, by the reference in force on the day of onset.

    Returns:
        ``holds`` True for expected; False when the term is not listed, its grade is higher than listed, or no
        reference was in force; None when grade or onset is not known.

    Raises:
        ValueError: for a grade outside 1 to 5, or two references of the product from the same day.
    """
    if grade is not None:
        _check_grade("grade", grade)
    own = sorted((ref for ref in references if ref.product == product), key=lambda ref: ref.valid_from)
    days = [ref.valid_from for ref in own]
    if len(set(days)) != len(days):
        raise ValueError(f"references: {product} has two from the same day")
    if onset is None or grade is None:
        missing = " and ".join(name for name, value in (("onset", onset), ("grade", grade)) if value is None)
        return Judgement(None, "not known", (f"{missing} not known",))
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
    check_day("onset_day", onset_day)
    check_day("worsened_day", worsened_day)
    for product, dose in first_doses.items():
        check_day(f"first_doses of {product}", dose)
    return {product: _emergence(onset_day, dose, worsened_day) for product, dose in first_doses.items()}


def _emergence(onset: float | None, dose: float | None, worsened: float | None) -> Judgement:
    if dose is None:
        return Judgement(False, "product not given", ("no first dose of it",))
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
