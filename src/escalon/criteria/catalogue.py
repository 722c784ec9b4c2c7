"""The CTCAE term catalogues: system organ class, term and the grades each term has, for entry and search.

Version 5.0 is complete. Of version 6.0 the platform holds the laboratory terms only, with their grades 1 to 4 from
the laboratory rules; no clinical catalogue of 6.0 ships. What is not held is not checked: any other term of 6.0, and
grade 5 of any, are accepted as entered. Grade 5 exists only as a death. The catalogues carry no MedDRA codes; those
come from the user's own licensed file.

Source: NCI CTCAE v5.0, 27 Nov 2017; NCI CTCAE v6.0.
"""

import csv
import difflib
from dataclasses import dataclass
from functools import cache

from escalon.criteria.ctcae import check_version
from escalon.criteria.lab_rules import load_rules
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


DEATH = 5
COMPLETE = ("5.0",)
"""Versions whose every term is held; of the others only laboratory terms are known, and only they are checked."""


@cache
def load_terms(version: str = "5.0") -> tuple[Term, ...]:
    """The terms held of a version, in table order: all 837 of 5.0, the laboratory terms of 6.0.

    Raises:
        ValueError: for another version.
    """
    if check_version(version) not in COMPLETE:
        return _laboratory_terms(version)
    rows = csv.DictReader(load_text("ctcae_v5_terms.csv").splitlines())
    return tuple(
        Term(row["term"], row["soc"], tuple(grade for grade in range(1, 6) if row[f"has_g{grade}"] == "true"))
        for row in rows
    )


def _laboratory_terms(version: str) -> tuple[Term, ...]:
    """Terms of the laboratory rules; one that is split, such as by fasting, has the grades of its parts too."""
    rules = load_rules(version).values()
    grades = {
        rule.term: {grade for grade, _ in (*rule.grades, *rule.clinical)}
        | {grade for part in rules if part.term.startswith(f"{rule.term} (") for grade, _ in part.grades}
        for rule in rules
    }
    return tuple(Term(rule.term, rule.soc, tuple(sorted(grades[rule.term]))) for rule in rules)


@cache
def _by_name(version: str) -> dict[str, Term]:
    return {term.term.lower(): term for term in load_terms(version)}


def find_term(term: str, version: str = "5.0") -> Term:
    """The catalogue row of a term, without regard to case.

    Raises:
        ValueError: for a term the platform does not hold, with the nearest ones.

    Example:
        >>> find_term("sepsis").grades
        (3, 4, 5)
    """
    known = _by_name(version)
    found = known.get(term.strip().lower())
    if found is None:
        near = difflib.get_close_matches(term.strip().lower(), known, n=3, cutoff=0.6)
        hint = "; near: " + ", ".join(known[name].term for name in near) if near else ""
        kind = "term" if version in COMPLETE else "laboratory term, and no others are held"
        raise ValueError(f"term: {term!r} is not a CTCAE v{version} {kind}{hint}")
    return found


def check_grade(term: str, grade: int, version: str = "5.0") -> None:
    """Refuse a grade that the term does not have, as far as the version is held (see the head of this file).

    Raises:
        ValueError: for an unknown term of a complete version, or a grade outside the term's own.
    """
    if version not in COMPLETE and (term.strip().lower() not in _by_name(version) or grade == DEATH):
        return
    row = find_term(term, version)
    if grade not in row.grades:
        raise ValueError(
            f"grade: {grade} does not exist for {row.term}; it has {', '.join(map(str, row.grades))}"
        )


def search_terms(
    text: str, limit: int = 20, soc: str | None = None, version: str = "5.0"
) -> tuple[Term, ...]:
    """Terms that hold every word of ``text``, those that begin with it first.

    Raises:
        ValueError: for an unknown system organ class or a limit below 1.
    """
    if limit < 1:
        raise ValueError(f"limit: {limit} is below 1")
    if soc is not None:
        check_code("soc", soc, system_organ_classes(version))
    words = text.lower().split()
    hits = [
        term
        for term in load_terms(version)
        if soc in (None, term.soc) and all(w in term.term.lower() for w in words)
    ]
    hits.sort(
        key=lambda term: (not term.term.lower().startswith(text.lower().strip()), term.is_other, term.term)
    )
    return tuple(hits[:limit])


def system_organ_classes(version: str = "5.0") -> tuple[str, ...]:
    """The system organ classes of the terms held, in catalogue order: all 26 of version 5.0."""
    return tuple(dict.fromkeys(term.soc for term in load_terms(version)))
