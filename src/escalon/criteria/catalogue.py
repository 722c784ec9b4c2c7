"""The CTCAE v5.0 term catalogue: system organ class, term and the grades each term has, for entry and search.

Grade 5 exists only as a death. The catalogue carries no MedDRA codes; those come from the user's own licensed
file. Terms of version 6.0 are known to the platform for laboratory values only.

Source: NCI CTCAE v5.0, 27 Nov 2017.
"""

import csv
import difflib
from dataclasses import dataclass
from functools import cache

from escalon.criteria.result import check_code
from escalon.criteria.tables import load_text


@dataclass(frozen=True, slots=True)
class Term:
    """One term of the catalogue with the grades it has."""

    term: str
    soc: str
    grades: tuple[int, ...]

    @property
    def is_other(self) -> bool:
        """Whether it is an "Other, specify" term, which needs the verbatim text."""
        return self.term.endswith("Other, specify")


@cache
def load_terms() -> tuple[Term, ...]:
    """All 837 terms in catalogue order."""
    rows = csv.DictReader(load_text("ctcae_v5_terms.csv").splitlines())
    return tuple(
        Term(row["term"], row["soc"], tuple(grade for grade in range(1, 6) if row[f"has_g{grade}"] == "true"))
        for row in rows
    )


@cache
def _by_name() -> dict[str, Term]:
    return {term.term.lower(): term for term in load_terms()}


def find_term(term: str) -> Term:
    """The catalogue row of a term, without regard to case.

    Raises:
        ValueError: for an unknown term, with the nearest ones.

    Example:
        >>> find_term("sepsis").grades
        (3, 4, 5)
    """
    found = _by_name().get(term.strip().lower())
    if found is None:
        near = difflib.get_close_matches(term.strip().lower(), _by_name(), n=3, cutoff=0.6)
        hint = "; near: " + ", ".join(_by_name()[name].term for name in near) if near else ""
        raise ValueError(f"term: {term!r} is not a CTCAE v5.0 term{hint}")
    return found


def check_grade(term: str, grade: int) -> None:
    """Refuse a grade that the term does not have.

    Raises:
        ValueError: for an unknown term, or a grade outside the term's own.
    """
    row = find_term(term)
    if grade not in row.grades:
        raise ValueError(
            f"grade: {grade} does not exist for {row.term}; it has {', '.join(map(str, row.grades))}"
        )


def search_terms(text: str, limit: int = 20, soc: str | None = None) -> tuple[Term, ...]:
    """Terms that hold every word of ``text``, those that begin with it first.

    Raises:
        ValueError: for an unknown system organ class or a limit below 1.
    """
    if limit < 1:
        raise ValueError(f"limit: {limit} is below 1")
    if soc is not None:
        check_code("soc", soc, system_organ_classes())
    words = text.lower().split()
    hits = [
        term
        for term in load_terms()
        if soc in (None, term.soc) and all(w in term.term.lower() for w in words)
    ]
    hits.sort(
        key=lambda term: (not term.term.lower().startswith(text.lower().strip()), term.is_other, term.term)
    )
    return tuple(hits[:limit])


def system_organ_classes() -> tuple[str, ...]:
    """The 26 system organ classes in catalogue order."""
    return tuple(dict.fromkeys(term.soc for term in load_terms()))
