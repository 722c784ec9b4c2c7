"""Relatedness of one event to each product or cause, and what investigator and sponsor say together.

Conventions: the scale runs from not related to definite; related means possible or above (assumption). The
two opinions are kept apart; together the higher one counts, so that the sponsor never lowers the
investigator's. A missing opinion is not "not related": related until recorded, and named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from escalon.criteria.result import check_code
from escalon.criteria.tables import load_table

_TABLE: dict[str, Any] = load_table("events.json")["relatedness"]
SCALE: tuple[str, ...] = tuple(_TABLE["scale"]["value"])
MINIMUM: str = _TABLE["minimum"]["value"]
CAUSES: tuple[str, ...] = tuple(_TABLE["causes"])
LYMPHODEPLETION: tuple[str, ...] = tuple(_TABLE["lymphodepletion"]["value"])


@dataclass(frozen=True, slots=True)
class Relatedness:
    """Both opinions on one cause, and the one that counts.

    Attributes:
        cause: product or other cause.
        investigator: value of the scale, or None when not given.
        sponsor: value of the scale, or None.
        combined: the higher of the two, or None when neither was given.
        related: whether the combined opinion reaches the minimum; True when neither was given.
        reasons: how the two were joined.
    """

    cause: str
    investigator: str | None
    sponsor: str | None
    combined: str | None
    related: bool
    reasons: tuple[str, ...]

    @property
    def response(self) -> str | None:
        """The opinion that counts."""
        return self.combined

    @property
    def grade(self) -> str | None:
        """The opinion that counts, under the name every result object carries."""
        return self.combined

    @property
    def clause(self) -> str:
        """The rule that joined the two."""
        text: str = _TABLE["rules"]["missing" if self.combined is None else "both"]["text"]
        return text


def rank(value: str) -> int:
    """Place on the scale, 0 (not related) to 4 (definite).

    Raises:
        ValueError: for a value off the scale.
    """
    check_code("relatedness", value, SCALE)
    return SCALE.index(value)


def is_related(value: str, minimum: str = MINIMUM) -> bool:
    """Whether a value reaches the minimum, ``POSSIBLE`` unless the study says otherwise.

    Example:
        >>> is_related("UNLIKELY"), is_related("POSSIBLE")
        (False, True)
    """
    return rank(value) >= rank(minimum)


def combine(cause: str, investigator: str | None, sponsor: str | None, minimum: str = MINIMUM) -> Relatedness:
    """Join the opinions of investigator and sponsor on one cause; the higher counts.

    Raises:
        ValueError: for a value off the scale.

    Example:
        >>> combine("UCART22", "PROBABLE", "UNLIKELY").combined
        'PROBABLE'
    """
    given = [value for value in (investigator, sponsor) if value is not None]
    if not given:
        return Relatedness(
            cause, None, None, None, True, ("no opinion recorded: counted as related until there is one",)
        )
    combined = max(given, key=rank)
    reasons = tuple(
        f"{who}: {'not given' if value is None else value}"
        for who, value in (("investigator", investigator), ("sponsor", sponsor))
    )
    if investigator is not None and sponsor is not None and rank(sponsor) < rank(investigator):
        reasons += ("the sponsor does not lower the investigator's opinion",)
    return Relatedness(cause, investigator, sponsor, combined, is_related(combined, minimum), reasons)


def combine_all(
    investigator: Mapping[str, str | None],
    sponsor: Mapping[str, str | None],
    minimum: str = MINIMUM,
    *,
    causes: Sequence[str] = (),
) -> dict[str, Relatedness]:
    """Join two sets of opinions on one event, one result per cause.

    Args:
        investigator: opinion by cause.
        sponsor: opinion by cause.
        minimum: lowest value that counts as related.
        causes: causes asked for besides those either named, such as ``CAUSES``; one that nobody judged is
            related until somebody does.

    Raises:
        ValueError: for a value off the scale.

    Example:
        >>> joined = combine_all({"UCART22": "PROBABLE"}, {"UCART22": "UNLIKELY"}, causes=CAUSES)
        >>> joined["UCART22"].combined, joined["DISEASE"].combined, len(joined)
        ('PROBABLE', None, 9)
    """
    named = list(dict.fromkeys((*causes, *investigator, *sponsor)))
    return {cause: combine(cause, investigator.get(cause), sponsor.get(cause), minimum) for cause in named}
