"""The answer every criterion gives: a grade or a reason for its absence, with the clause that gave it."""

from dataclasses import dataclass
from numbers import Real


@dataclass(frozen=True, slots=True)
class Grade:
    """A derived grade with the clause that produced it.

    Attributes:
        grade: 0 to 5, or None when the input does not allow a grade (never 0 for a missing value).
        clause: the rule that decided, in words a clinician can read.
        reasons: the values, notes and assumptions behind the decision, in order.
        system: grading system, for example ``ASTCT CRS``; systems are never mixed in one count.
        version: version of the system.
    """

    grade: int | None
    clause: str
    reasons: tuple[str, ...]
    system: str
    version: str


def check_finite(field: str, value: float | None, *, low: float = 0.0, high: float | None = None) -> None:
    """Refuse what is not a finite number or lies outside ``low`` to ``high`` (inclusive); None passes.

    Raises:
        ValueError: naming the field, the value and the accepted range.
    """
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ValueError(f"{field}: {value!r} is not a number")
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError(f"{field}: {value!r} is not a finite number")
    if value < low or (high is not None and value > high):
        upper = "" if high is None else f" and at most {high:g}"
        raise ValueError(f"{field}: {value:g} is out of range; it must be at least {low:g}{upper}")


def check_day(field: str, value: float | None, *, required: bool = False) -> None:
    """Refuse a day that is not a finite number, of any sign; None passes unless ``required``.

    Raises:
        ValueError: naming the field and the value.
    """
    if value is None and required:
        raise ValueError(f"{field}: missing; give a day")
    check_finite(field, value, low=float("-inf"))


def check_whole(field: str, value: float | None, *, high: int) -> None:
    """Refuse what is not a whole number from 0 to ``high``; None passes.

    Raises:
        ValueError: naming the field and the value.
    """
    check_finite(field, value, high=high)
    if value is not None and value != int(value):
        raise ValueError(f"{field}: {value!r} is not a whole number")


def check_flag(field: str, value: object, *, unknown: bool = False) -> None:
    """Refuse what is neither true nor false, such as the word "no"; None passes only where ``unknown``.

    Raises:
        ValueError: naming the field and the value.
    """
    if not (isinstance(value, bool) or (unknown and value is None)):
        raise ValueError(f"{field}: {value!r} is neither true nor false")


def check_code(field: str, value: str, accepted: tuple[str, ...]) -> None:
    """Refuse a code that is not one of ``accepted``.

    Raises:
        ValueError: naming the field, the value and the accepted codes.
    """
    if value not in accepted:
        raise ValueError(f"{field}: {value!r} is not known; use one of {', '.join(accepted)}")
