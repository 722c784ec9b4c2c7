"""Criteria: 100,000 laboratory values graded, with all limits and with none, and 1,000 courses of response."""

from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.figure import Figure, best_of
from escalon.criteria import ctcae
from escalon.criteria.leukemia_response import Assessment, best_overall

VALUES = 100_000
COURSES = 1_000
LIMITS = {"lln": 1.0, "uln": 100.0, "baseline": 50.0}


def grade_all(limits: dict[str, float]) -> Callable[[], object]:
    """Spread the values over all terms of version 5.0."""
    terms = ctcae.terms("5.0")
    values = np.random.Generator(np.random.Philox(4)).uniform(0.0, 300.0, VALUES // len(terms))
    return lambda: [ctcae.grade_labs(term, values, **limits) for term in terms]


def courses() -> object:
    """Four assessments each."""
    found = [
        Assessment(day=day, bm_blasts=2.0, pb_blasts=0.0, emd="absent", anc=1.5, platelets=150.0)
        for day in (28.0, 56.0, 84.0, 183.0)
    ]
    return [best_overall(found) for _ in range(COURSES)]


def figures() -> Iterator[Figure]:
    yield Figure("CTCAE, 100,000 values, all limits", best_of(grade_all(LIMITS)), 1.0, "s")
    yield Figure("CTCAE, 100,000 values, no limits", best_of(grade_all({})), 1.0, "s")
    yield Figure("best response, 1,000 courses", best_of(courses), 2.0, "s")
