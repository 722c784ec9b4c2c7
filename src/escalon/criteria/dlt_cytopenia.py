"""Late cytopenia as a dose-limiting toxicity: still there on the check day, in a poor marrow without
leukemia.

Conventions (assumption; the day 42 rule itself was published for the UCART19 trials): the cytopenia must have
the grade at the end of the window and keep it, without a recorded recovery, to the check day; days without a
test carry the last value; a count or an ongoing event within ``check_day_window`` days is needed to say that
it persisted, and a marrow within it to say why.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import floor
from typing import Any

from escalon.criteria.ctcae import grade_lab
from escalon.criteria.dlt_definition import CytopeniaClause, DltDefinition
from escalon.criteria.dlt_record import AdverseEvent, MarrowPoint, PatientRecord
from escalon.criteria.operators import is_met
from escalon.criteria.relatedness import is_related
from escalon.criteria.tables import load_table


def load_lineages() -> Mapping[str, Mapping[str, Any]]:
    """Each lineage with the name of its cytopenia, its count, laboratory term per CTCAE version, and event terms."""
    lineages: Mapping[str, Mapping[str, Any]] = load_table("dlt_default.json")["lineages"]
    return lineages


def _names(lineage: str, event: AdverseEvent) -> bool:
    """Whether the event is a cytopenia of the lineage by its term, without regard to case."""
    terms = {term.lower() for term in load_lineages()[lineage]["event_terms"]}
    return event.category == "CYTOPENIA" and event.term.lower() in terms


@dataclass(frozen=True, slots=True)
class Judgement:
    """Outcome of the clause: met, or why not, and whether time or a missing test could still change it."""

    met: bool
    open: bool
    day: float
    evidence: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Seen:
    day: float
    severe: bool
    source: str


def judge_late_cytopenia(
    clause: CytopeniaClause, record: PatientRecord, definition: DltDefinition, cut: float
) -> Judgement | None:
    """Judge the clause at a cut (days from infusion); None without such a cytopenia at the window's end."""
    if cut < definition.window_days:
        return None
    judged = []
    for lineage in clause.lineages:
        seen = _timeline(lineage, clause, record, definition.ctcae_version, cut)
        start = _severe_at(seen, definition.window_days)
        if start is not None:
            judged.append(_judge_lineage(lineage, seen, start, clause, record, definition, cut))
    best = {(True, False): 0, (False, True): 1, (False, False): 2}
    return min(judged, key=lambda found: best[found.met, found.open], default=None)


def _timeline(
    lineage: str, clause: CytopeniaClause, record: PatientRecord, version: str, cut: float
) -> list[_Seen]:
    origin = record.infusion_day or 0.0
    known = load_lineages()[lineage]
    field, term = known["count"], known["laboratory_terms"][version]
    seen = []
    for count in record.counts:
        value = getattr(count, field)
        if value is not None:
            grade = _grade(term, value, version)
            severe = grade is not None and grade >= clause.grade
            seen.append(_Seen(count.day - origin, severe, f"{field} {value:g} on day {count.day - origin:g}"))
    for event in record.events:
        if _names(lineage, event):
            seen += _from_event(event, clause, origin, cut)
    # the worse value of a day stands for the day
    worst = {}
    for row in sorted((row for row in seen if row.day < cut + 1), key=lambda row: row.severe):
        worst[floor(row.day)] = row
    return [worst[day] for day in sorted(worst)]


@lru_cache(maxsize=16384)
def _grade(term: str, value: float, version: str) -> int | None:
    """Grade of a count; kept, because every review of a patient reads all counts again."""
    return grade_lab(term, value, version=version).grade


def _from_event(event: AdverseEvent, clause: CytopeniaClause, origin: float, cut: float) -> list[_Seen]:
    course = [point for point in event.points() if point.day != event.end_day or point.grade]
    rows = [_Seen(point.day - origin, point.grade >= clause.grade, f"event {event.id}") for point in course]
    if rows and event.end_day is not None:  # the last day of the event still has it; the next day is free
        last = floor(event.end_day - origin)
        rows += [
            _Seen(last, rows[-1].severe, f"event {event.id}"),
            _Seen(last + 1, False, f"event {event.id}"),
        ]
    elif rows and rows[-1].severe:
        rows.append(_Seen(min(cut, float(clause.check_day)), True, f"event {event.id}, ongoing"))
    return rows


def _severe_at(seen: list[_Seen], day: float) -> _Seen | None:
    known = [row for row in seen if floor(row.day) <= day]
    return known[-1] if known and known[-1].severe else None


def _judge_lineage(
    lineage: str,
    seen: list[_Seen],
    start: _Seen,
    clause: CytopeniaClause,
    record: PatientRecord,
    definition: DltDefinition,
    cut: float,
) -> Judgement:
    name = f"grade {clause.grade} {load_lineages()[lineage]['name']}"
    later = [row for row in seen if definition.window_days < floor(row.day) <= clause.check_day]
    recovered = next((row for row in later if not row.severe), None)
    evidence = tuple(dict.fromkeys((start.source, *(row.source for row in later))))
    at_end = f"{name} at day {definition.window_days}"

    def judgement(*reasons: str, met: bool = False, open_: bool = False) -> Judgement:
        return Judgement(met, open_, start.day, evidence, (at_end, *reasons))

    if recovered is not None:
        return judgement(f"recovered by day {recovered.day:g}")
    if cut < clause.check_day:
        return judgement(f"day {clause.check_day} not reached", open_=True)
    near = [row for row in seen if abs(floor(row.day) - clause.check_day) <= clause.check_day_window]
    if not near:
        return judgement(f"no count near day {clause.check_day}", open_=True)
    if not near[0].severe:
        return judgement(f"recovered by day {near[0].day:g}")
    unrelated = _unrelated(lineage, clause, record, definition)
    if unrelated:
        return judgement(f"still there on day {clause.check_day}", unrelated)
    reason, met, open_ = _marrow(clause, record)
    return judgement(f"still there on day {clause.check_day}", reason, met=met, open_=open_)


def _unrelated(
    lineage: str, clause: CytopeniaClause, record: PatientRecord, definition: DltDefinition
) -> str:
    """Why the cytopenia is not attributed, when every event of the lineage says so; else empty."""
    named = clause.attribution or definition.attribution
    rows = [event for event in record.events if _names(lineage, event)]
    opinions = [event.relation.get(product) for event in rows for product in named.products]
    if not opinions or any(value is None or is_related(value, named.minimum) for value in opinions):
        return ""
    return f"not related to {', '.join(named.products)}: below {named.minimum}"


def _marrow(clause: CytopeniaClause, record: PatientRecord) -> tuple[str, bool, bool]:
    origin = record.infusion_day or 0.0
    near = [
        m for m in record.marrows if abs(floor(m.day - origin) - clause.check_day) <= clause.check_day_window
    ]
    ranked = sorted(near, key=lambda m: (_unknown(m), abs(m.day - origin - clause.check_day)))
    if not ranked:
        return f"no marrow near day {clause.check_day}", False, True
    marrow = ranked[0]
    if marrow.blasts is not None and is_met(marrow.blasts, ">=", clause.leukemia_blasts):
        return f"leukemia: {marrow.blasts:g} % marrow blasts", False, False
    if marrow.cellularity is not None and not is_met(marrow.cellularity, "<", clause.max_cellularity):
        return f"cellularity {marrow.cellularity:g} %, not below {clause.max_cellularity:g} %", False, False
    if _unknown(marrow):
        return f"marrow near day {clause.check_day} without cellularity or blasts", False, True
    poor = f"cellularity {marrow.cellularity:g} %, below {clause.max_cellularity:g} %"
    return f"{poor}, blasts {marrow.blasts:g} %", True, False


def _unknown(marrow: MarrowPoint) -> bool:
    return marrow.cellularity is None or marrow.blasts is None
