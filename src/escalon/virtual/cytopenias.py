"""Blood counts as adverse events, by the laboratory rules of the study's CTCAE version."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from escalon.criteria.ctcae import find_rule, grade_labs
from escalon.protocol.scenarios import Cause
from escalon.protocol.study import Study
from escalon.virtual.adverse_events import AdverseEvent, draw_relation
from escalon.virtual.laboratory import DIGITS, LabCourse

COUNTS = ("NEUT", "PLAT", "LYM", "HGB")
Panel = tuple[float, dict[str, float]]
"""Day and results of a laboratory panel as printed."""


def find_cytopenias(
    rng: np.random.Generator,
    lab: LabCourse,
    study: Study,
    sex: str,
    first_day: int,
    until: float,
    with_clls52: bool,
) -> list[AdverseEvent]:
    """Turn the blood counts from lymphodepletion to ``until`` into events of grade 3 and 4, one per episode.

    A parameter that already had the grade before treatment gives no event until it is worse. Each event comes with the
    lowest count of its episode, taken because of it.
    """
    cause: Cause = "CLLS52" if with_clls52 else "LYMPHODEPLETION"
    days = np.arange(first_day, until, 0.25)
    found = []
    for item, term in _terms(study).items():
        values = lab.values(item, days)
        before = int(_grades(study, sex, item, term, lab.values(item, first_day - 5.0))[0])
        grades = _grades(study, sex, item, term, values)
        for begin, end in _episodes(grades >= 3):
            worst = int(grades[begin:end].max())
            if worst <= before and begin == 0:
                continue
            first = begin if begin > 0 or before < 3 else begin + int(np.argmax(grades[begin:end] == worst))
            onset = float(days[first])
            over = float(days[end]) if end < len(days) else None
            lowest = max(begin + int(np.argmin(values[begin:end])), first, 4)  # after the first doses
            relation = draw_relation(rng, cause if item == "LYM" else "LYMPHODEPLETION", onset, with_clls52)
            found.append(
                AdverseEvent(
                    term,
                    find_rule(term, study.grading.ctcae).soc,
                    "CYTOPENIA",
                    onset,
                    over,
                    worst,
                    relation,
                    improved=over,
                    expected=True,
                    tests=_sample(item, days, values, lowest, end),
                )
            )
    return found


def fourth_limits(study: Study) -> dict[str, float]:
    """Return the counts (10^9/L) below which neutrophils and platelets are grade 4 in the study's version."""
    limits = {}
    for item, term in _terms(study).items():
        grades = dict(find_rule(term, study.grading.ctcae).grades)
        if item in ("NEUT", "PLAT"):
            limits[item] = next(t.limit for a in grades[4] for t in a.tests if t.limit is not None)
    return limits


def raise_to_panels(event: AdverseEvent, panels: Sequence[Panel], study: Study, sex: str) -> AdverseEvent:
    """Return ``event`` with the grade of the worst printed result during it: a site grades what it sees."""
    item = next((item for item, term in _terms(study).items() if term == event.term), None)
    if item is None or event.category != "CYTOPENIA":
        return event
    end = math.inf if event.end is None else event.end
    seen = [panel[item] for day, panel in panels if item in panel and event.onset <= day <= end]
    if not seen:
        return event
    worst = int(_grades(study, sex, item, event.term, np.array(seen)).max())
    return replace(event, grade=max(event.grade, worst))


def _terms(study: Study) -> dict[str, str]:
    """Item to term of the counts that have a laboratory rule in the study's version."""
    known = {row.item: term for term, row in study.grading.laboratory_terms().items()}
    return {item: known[item] for item in COUNTS if item in known}


def _grades(study: Study, sex: str, item: str, term: str, values: NDArray[np.float64]) -> NDArray[np.int8]:
    """Grade by the criteria; a value without a grade (no limit known) counts as 0."""
    row = study.grading.laboratory_terms()[term]
    lower, upper = next((r.limits(sex) for r in study.reference_ranges if r.item == item), (None, None))
    grade = grade_labs(term, values, row.unit, lower, upper, version=study.grading.ctcae).grade
    return np.maximum(grade, 0)


def _sample(
    item: str, days: NDArray[np.float64], values: NDArray[np.float64], place: int, end: int
) -> tuple[tuple[str, float, float], ...]:
    """The count at ``place`` as printed, never above the true one; none when the episode ends before it."""
    if place >= end:
        return ()
    scale = 10 ** DIGITS[item]
    return ((item, float(days[place]), math.floor(float(values[place]) * scale) / scale),)


def _episodes(low: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Begin and end (exclusive) of the runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], low, [False]]).astype(int)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
