"""Outcome strings such as "1NNN 2NTN" and the counts they stand for.

Letters: N neither, T dose-limiting toxicity; for designs that look at efficacy too, E efficacy without toxicity
and B both. U is a patient without DLT who cannot be judged in full, such as an under-dosed one: see
`non_evaluable`. A cohort that starts with "+", such as "+1NE", holds backfill patients.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

_COHORT = re.compile(r"(\+?)(-?\d+)([A-Za-z]+)")
_LETTERS = {(False, False): "N", (True, False): "T", (False, True): "E", (True, True): "B"}


@dataclass(frozen=True)
class Cohort:
    """Patients evaluated together: `level` is 1-based; `dlt` holds one flag per patient, in order.

    `eff`: one flag per patient for efficacy, None where efficacy is not observed; `backfill`: treated below
    the current level, outside the escalation; `not_evaluable`: number of further patients without DLT who cannot
    be judged in full.
    """

    level: int
    dlt: tuple[bool, ...]
    eff: tuple[bool, ...] | None = None
    backfill: bool = False
    not_evaluable: int = 0

    @property
    def n(self) -> int:
        """Number of evaluable patients."""
        return len(self.dlt)

    @property
    def y(self) -> int:
        """Number of patients with a dose-limiting toxicity (DLT)."""
        return sum(self.dlt)

    @property
    def e(self) -> int:
        """Number of patients with efficacy."""
        return sum(self.eff or ())

    @property
    def both(self) -> int:
        """Number of patients with a DLT and efficacy."""
        return sum(tox and eff for tox, eff in zip(self.dlt, self.eff or (), strict=False))


@dataclass(frozen=True)
class Outcomes:
    """What has been observed so far, cohort by cohort.

    `n` and `y` are arrays of shape (levels,); `current_level` is the level of the last cohort, or None
    when nobody has been treated.
    """

    cohorts: tuple[Cohort, ...]
    levels: int

    @property
    def n(self) -> IntArray:
        """Evaluable patients per level, shape (levels,)."""
        return self._count(lambda cohort: cohort.n)

    @property
    def y(self) -> IntArray:
        """Patients with a DLT per level, shape (levels,)."""
        return self._count(lambda cohort: cohort.y)

    @property
    def x(self) -> IntArray:
        """Patients without DLT who cannot be judged in full, per level, shape (levels,)."""
        return self._count(lambda cohort: cohort.not_evaluable)

    @property
    def e(self) -> IntArray:
        """Patients with efficacy per level, shape (levels,)."""
        return self._count(lambda cohort: cohort.e)

    @property
    def both(self) -> IntArray:
        """Patients with a DLT and efficacy per level, shape (levels,)."""
        return self._count(lambda cohort: cohort.both)

    @property
    def current_level(self) -> int | None:
        """1-based level of the last cohort of the escalation, None before the first patient."""
        return next((cohort.level for cohort in reversed(self.cohorts) if not cohort.backfill), None)

    def _count(self, what: Callable[[Cohort], int]) -> IntArray:
        counts = np.zeros(self.levels, dtype=np.int64)
        for cohort in self.cohorts:
            counts[cohort.level - 1] += what(cohort)
        return counts


def parse_outcomes(text: str, levels: int, efficacy: bool = False) -> Outcomes:
    """Read an outcome string.

    Parameters: `text`, cohorts separated by blanks, each a 1-based level followed by one letter per
    patient, N (no DLT), T (DLT) or U (no DLT, cannot be judged in full), e.g.
    "1NNN 2NTN"; `levels`, the number of dose levels of the plan;
    `efficacy`, True to read E (efficacy), B (both) and backfill cohorts "+1NE" as well.

    Raises ValueError naming the faulty part for an unknown letter, an unknown level or stray text.

    >>> parse_outcomes("1NNN 2NTN", 4).y.tolist()
    [0, 1, 0, 0]
    """
    parts = text.replace(",", " ").split()
    return Outcomes(tuple(_parse_cohort(part, levels, efficacy) for part in parts), levels)


def _parse_cohort(part: str, levels: int, efficacy: bool) -> Cohort:
    match = _COHORT.fullmatch(part)
    if match is None or (match[1] and not efficacy):
        raise ValueError(
            f"outcomes: {part!r} is not a cohort; write the level and one letter per patient, such as 2NTN"
        )
    level, letters = int(match[2]), match[3].upper()
    if not 1 <= level <= levels:
        raise ValueError(f"outcomes: level {level} in {part!r} is unknown; the plan has levels 1 to {levels}")
    unknown = sorted(set(letters) - set("NTEB" if efficacy else "NTU"))
    if unknown:
        known = "N (no DLT), T (DLT) and U (not evaluable)"
        if efficacy:
            known = "N (neither), T (DLT), E (efficacy) and B (both)"
        raise ValueError(f"outcomes: unknown letter {', '.join(unknown)} in {part!r}; use {known}")
    missing = letters.count("U")
    letters = letters.replace("U", "")
    dlt = tuple(letter in "TB" for letter in letters)
    eff = tuple(letter in "EB" for letter in letters) if efficacy else None
    return Cohort(level, dlt, eff, bool(match[1]), missing)


def format_outcomes(cohorts: Iterable[Cohort]) -> str:
    """Write cohorts as an outcome string; the inverse of `parse_outcomes`.

    >>> format_outcomes([Cohort(1, (False, False, True))])
    '1NNT'
    """
    return " ".join(_format_cohort(cohort) for cohort in cohorts)


def _format_cohort(cohort: Cohort) -> str:
    eff = cohort.eff or (False,) * cohort.n
    letters = "".join(_LETTERS[pair] for pair in zip(cohort.dlt, eff, strict=True))
    return f"{'+' if cohort.backfill else ''}{cohort.level}{letters}{'U' * cohort.not_evaluable}"


def check_counts(
    n: Sequence[int] | IntArray, y: Sequence[int] | IntArray, levels: int, name: str = "y"
) -> tuple[IntArray, IntArray]:
    """Counts per level as two int64 arrays of shape (levels,). `name`: what the second one is called.

    Raises ValueError for a wrong length, a negative or fractional count, or more DLTs than patients.
    """
    arrays = []
    for label, values in (("n", n), (name, y)):
        array = np.asarray(values)
        if array.shape != (levels,):
            raise ValueError(f"{label}: {levels} counts expected, one per level; got shape {array.shape}")
        if not np.issubdtype(array.dtype, np.number) or np.any(array != np.floor(array)) or np.any(array < 0):
            raise ValueError(f"{label}: counts must be whole numbers of at least 0; got {array.tolist()}")
        arrays.append(array.astype(np.int64))
    too_many = np.flatnonzero(arrays[1] > arrays[0])
    if too_many.size:
        level = int(too_many[0])
        what = {"y": "with a DLT", "e": "with efficacy"}.get(name, "with both")
        raise ValueError(
            f"{name}: {arrays[1][level]} patients {what} at level {level + 1}, "
            f"but only n = {arrays[0][level]} were treated there"
        )
    return arrays[0], arrays[1]
