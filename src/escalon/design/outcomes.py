"""Outcome strings such as "1NNN 2NTN" and the counts they stand for."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

_COHORT = re.compile(r"(-?\d+)([A-Za-z]+)")


@dataclass(frozen=True)
class Cohort:
    """Patients evaluated together: `level` is 1-based; `dlt` holds one flag per patient, in order."""

    level: int
    dlt: tuple[bool, ...]

    @property
    def n(self) -> int:
        """Number of patients."""
        return len(self.dlt)

    @property
    def y(self) -> int:
        """Number of patients with a dose-limiting toxicity (DLT)."""
        return sum(self.dlt)


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
    def current_level(self) -> int | None:
        """1-based level of the last cohort, None before the first patient."""
        return self.cohorts[-1].level if self.cohorts else None

    def _count(self, what: Callable[[Cohort], int]) -> IntArray:
        counts = np.zeros(self.levels, dtype=np.int64)
        for cohort in self.cohorts:
            counts[cohort.level - 1] += what(cohort)
        return counts


def parse_outcomes(text: str, levels: int) -> Outcomes:
    """Read an outcome string.

    Parameters: `text`, cohorts separated by blanks, each a 1-based level followed by one letter per
    patient, N (no DLT) or T (DLT), e.g. "1NNN 2NTN"; `levels`, the number of dose levels of the plan.

    Raises ValueError naming the faulty part for an unknown letter, an unknown level or stray text.

    >>> parse_outcomes("1NNN 2NTN", 4).y.tolist()
    [0, 1, 0, 0]
    """
    return Outcomes(tuple(_parse_cohort(part, levels) for part in text.replace(",", " ").split()), levels)


def _parse_cohort(part: str, levels: int) -> Cohort:
    match = _COHORT.fullmatch(part)
    if match is None:
        raise ValueError(
            f"outcomes: {part!r} is not a cohort; write the level and one letter per patient, such as 2NTN"
        )
    level, letters = int(match[1]), match[2].upper()
    if not 1 <= level <= levels:
        raise ValueError(f"outcomes: level {level} in {part!r} is unknown; the plan has levels 1 to {levels}")
    unknown = sorted(set(letters) - {"N", "T"})
    if unknown:
        raise ValueError(
            f"outcomes: unknown letter {', '.join(unknown)} in {part!r}; use N (no DLT) and T (DLT)"
        )
    return Cohort(level, tuple(letter == "T" for letter in letters))


def format_outcomes(cohorts: Iterable[Cohort]) -> str:
    """Write cohorts as an outcome string; the inverse of `parse_outcomes`.

    >>> format_outcomes([Cohort(1, (False, False, True))])
    '1NNT'
    """
    return " ".join(
        f"{cohort.level}{''.join('T' if dlt else 'N' for dlt in cohort.dlt)}" for cohort in cohorts
    )


def check_counts(
    n: Sequence[int] | IntArray, y: Sequence[int] | IntArray, levels: int
) -> tuple[IntArray, IntArray]:
    """Counts per level as two int64 arrays of shape (levels,).

    Raises ValueError for a wrong length, a negative or fractional count, or more DLTs than patients.
    """
    arrays = []
    for name, values in (("n", n), ("y", y)):
        array = np.asarray(values)
        if array.shape != (levels,):
            raise ValueError(f"{name}: {levels} counts expected, one per level; got shape {array.shape}")
        if not np.issubdtype(array.dtype, np.number) or np.any(array != np.floor(array)) or np.any(array < 0):
            raise ValueError(f"{name}: counts must be whole numbers of at least 0; got {array.tolist()}")
        arrays.append(array.astype(np.int64))
    too_many = np.flatnonzero(arrays[1] > arrays[0])
    if too_many.size:
        level = int(too_many[0])
        raise ValueError(
            f"y: {arrays[1][level]} patients with a DLT at level {level + 1}, "
            f"but only n = {arrays[0][level]} were treated there"
        )
    return arrays[0], arrays[1]
