"""Proposals of dose-limiting toxicity: each clause of the definition against each fact of the patient.

Conventions: day 0 is the first infusion; the window is day 0 to ``window_days``, both whole days included,
and closes with the end of its last day, so a cut on that day finds it closed. What counts is the day on which
the qualifying grade was reached. A duration must exceed its limit: 72 hours exactly is not more than 72
hours. A clause may open its window earlier, with the first dose of a product it names (``opens_with``); it closes
with the others. Only facts up to the cut are read, so an earlier cut gives what was known then. An event without a
recorded relation counts as related.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import floor, inf

from escalon.criteria.dlt_cytopenia import judge_late_cytopenia
from escalon.criteria.dlt_definition import (
    CytopeniaClause,
    DltDefinition,
    Exemption,
    FatalClause,
    GradedClause,
    HysLawClause,
)
from escalon.criteria.dlt_liver import judge_liver
from escalon.criteria.dlt_record import AdverseEvent, GradePoint, PatientRecord
from escalon.criteria.operators import is_met
from escalon.criteria.relatedness import is_related


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the engine lays before the person who adjudicates.

    Attributes:
        clause: number of the clause.
        text: the clause in words.
        status: ``dlt`` or ``near_miss`` (severe enough, but something else of the clause is not met).
        open: True when time alone could still turn a near miss into a DLT.
        day: days from infusion on which the qualifying grade was reached.
        grade: highest grade seen, or None for clauses without one.
        evidence: identifiers of the rows read.
        reasons: what was met and what was not.
    """

    clause: str
    text: str
    status: str
    open: bool
    day: float
    grade: int | None
    evidence: tuple[str, ...]
    reasons: tuple[str, ...]


class Proposals(tuple[Proposal, ...]):
    """The proposals of one patient as a tuple, with what every result object carries.

    ``status`` is ``dlt``, ``near_miss`` or ``none``; with ``none`` the reasons say what was read.
    """

    read: tuple[str, ...]

    def __new__(cls, found: Iterable[Proposal] = (), read: tuple[str, ...] = ()) -> "Proposals":
        """Return the proposals with the words on what was read."""
        made = super().__new__(cls, tuple(found))
        made.read = read
        return made

    @property
    def first(self) -> Proposal | None:
        """The first DLT, else the first near miss, else None."""
        return next((row for row in self if row.status == "dlt"), self[0] if self else None)

    @property
    def status(self) -> str:
        """``dlt``, ``near_miss`` or ``none``."""
        return "none" if self.first is None else self.first.status

    @property
    def grade(self) -> str:
        """The status, under the name every result object carries."""
        return self.status

    @property
    def clause(self) -> str:
        """Number and words of the clause of ``first``, or that none was reached."""
        return "no clause reached" if self.first is None else f"{self.first.clause}: {self.first.text}"

    @property
    def reasons(self) -> tuple[str, ...]:
        """Reasons of ``first``; without one, what was read."""
        return self.read if self.first is None else self.first.reasons


def propose(record: PatientRecord, definition: DltDefinition, as_of_day: float | None = None) -> Proposals:
    """DLTs and near misses of one patient, clause by clause.

    Args:
        record: the patient's facts.
        definition: the study's definition.
        as_of_day: cut on the record's axis (end of that day); None reads everything.

    Returns:
        Proposals in the order of the clauses, those of one clause in order of day: a tuple with ``status``
        (``dlt``, ``near_miss`` or ``none``), ``clause`` and ``reasons``; empty without an infusion.

    Example:
        >>> crs = AdverseEvent(id="AE1", term="CRS", category="CRS", start_day=5, grade=4)
        >>> clause = {"id": "2", "text": "CRS grade 4", "kind": "graded"}
        >>> clause |= {"categories": ["CRS"], "immediate_grade": 4}
        >>> patient = PatientRecord(patient="001", infusion_day=0, events=(crs,))
        >>> propose(patient, DltDefinition.model_validate({"clauses": [clause]}))[0].status
        'dlt'
    """
    if record.infusion_day is None:
        return Proposals(read=("lymphodepletion only: no infusion",))
    cut = inf if as_of_day is None else floor(as_of_day - record.infusion_day)
    found: list[Proposal] = []
    for clause in definition.clauses:
        if isinstance(clause, FatalClause):
            found += _fatal(clause, record, definition, cut)
        elif isinstance(clause, GradedClause):
            found += _graded(clause, record, definition, cut)
        elif isinstance(clause, HysLawClause):
            found += _hys_law(clause, record, definition, cut)
        else:
            found += _late_cytopenia(clause, record, definition, cut)
    return Proposals(found, _read(record, definition, cut))


def _read(record: PatientRecord, definition: DltDefinition, cut: float) -> tuple[str, ...]:
    rows = {
        "events": record.events,
        "blood counts": record.counts,
        "marrows": record.marrows,
        "liver tests": record.liver,
    }
    until = "" if cut == inf else f" to day {cut:g}"
    counted = ", ".join(f"{len(found)} {name}" for name, found in rows.items())
    clauses = ", ".join(clause.id for clause in definition.clauses)
    return (f"read{until}: {counted}", f"no finding under the clauses {clauses}")


def _course(event: AdverseEvent, record: PatientRecord, cut: float) -> list[GradePoint]:
    """Grade over time in days from infusion, as known at the end of day ``cut``."""
    origin = record.infusion_day or 0.0
    points = [GradePoint(point.day - origin, point.grade) for point in event.points()]
    return [point for point in points if point.day < cut + 1]


def _opening(clause: FatalClause | GradedClause, record: PatientRecord) -> tuple[float, tuple[str, ...]]:
    """Day on which the window of a clause opens, and the products whose first dose is not recorded."""
    origin = record.infusion_day or 0.0
    days = [record.first_doses[name] - origin for name in clause.opens_with if name in record.first_doses]
    return min([0.0, *days]), tuple(name for name in clause.opens_with if name not in record.first_doses)


def _outside(
    clause: FatalClause | GradedClause, record: PatientRecord, day: float, definition: DltDefinition
) -> list[str]:
    opening, unknown = _opening(clause, record)
    if opening <= day and floor(day) <= definition.window_days:
        return []
    found = [f"reached on day {day:g}, outside day {opening:g} to {definition.window_days}"]
    if day < opening and unknown:
        found.append(f"first dose of {', '.join(unknown)} not recorded")
    return found


def _fatal(
    clause: FatalClause, record: PatientRecord, definition: DltDefinition, cut: float
) -> Iterator[Proposal]:
    for event in record.events:
        deaths = [point for point in _course(event, record, cut) if point.grade == 5]
        if not deaths:
            continue
        obstacles = [f"{flag.replace('_', ' ')}" for flag in clause.unless if getattr(event, flag)]
        obstacles += _obstacles(clause, event, deaths[0].day, record, definition)
        yield _proposal(clause, event, deaths[0].day, 5, [f"{event.term}: grade 5"], obstacles, open_=False)


def _obstacles(
    clause: FatalClause | GradedClause,
    event: AdverseEvent,
    day: float,
    record: PatientRecord,
    definition: DltDefinition,
) -> list[str]:
    # A death is judged by its own clause; no list of expected events takes it out.
    never = () if isinstance(clause, FatalClause) else definition.never
    found = [f"never a DLT: {rule.text()}" for rule in never if _exempt(event, rule)]
    found += _outside(clause, record, day, definition)
    named = clause.attribution or definition.attribution
    opinions = {product: event.relation.get(product) for product in named.products}
    if not any(value is None or is_related(value, named.minimum) for value in opinions.values()):
        said = ", ".join(f"{product} {value}" for product, value in opinions.items())
        found.append(f"not related: {said} is below {named.minimum}")
    return found


def _exempt(event: AdverseEvent, rule: Exemption) -> bool:
    named = event.category in rule.categories or event.term.lower() in {term.lower() for term in rule.terms}
    return named and all(getattr(event, flag) for flag in rule.needs)


def _graded(
    clause: GradedClause, record: PatientRecord, definition: DltDefinition, cut: float
) -> Iterator[Proposal]:
    for event in record.events:
        if event.category not in clause.categories:
            continue
        course = _course(event, record, cut)
        opening, unknown = _opening(clause, record)
        judged = _judged(clause, event, course, cut, opening, record, definition)
        if not judged and unknown:  # what came before the window cannot be placed, and is shown for that
            judged = _judged(clause, event, course, cut, -inf, record, definition)
        if not judged:
            continue
        hit, obstacles = min(judged, key=lambda pair: len(pair[1]))
        highest = max(point.grade for point in course)
        still_open = hit.running and len(obstacles) == 1
        yield _proposal(clause, event, hit.day, highest, [hit.reason], obstacles, open_=still_open)


def _judged(
    clause: GradedClause,
    event: AdverseEvent,
    course: list[GradePoint],
    cut: float,
    first: float,
    record: PatientRecord,
    definition: DltDefinition,
) -> list[tuple["_Hit", list[str]]]:
    """What of one event reached the clause from day ``first`` on, each with what stands against it."""
    hits = (_immediate(clause, event, course, first), _sustained(clause, event, course, cut, first))
    return [(hit, _all_obstacles(clause, event, hit, record, definition)) for hit in hits if hit is not None]


def _all_obstacles(
    clause: GradedClause, event: AdverseEvent, hit: "_Hit", record: PatientRecord, definition: DltDefinition
) -> list[str]:
    duration = [hit.obstacle] if hit.obstacle else []
    exempt = [f"exempt: {rule.text()}" for rule in clause.exempt if _exempt(event, rule)]
    return duration + exempt + _obstacles(clause, event, hit.day, record, definition)


@dataclass(frozen=True, slots=True)
class _Hit:
    day: float
    reason: str
    obstacle: str = ""
    running: bool = False


def _immediate(
    clause: GradedClause, event: AdverseEvent, course: list[GradePoint], first: float
) -> _Hit | None:
    needed = [clause.immediate_grade]
    if clause.flag is not None and getattr(event, clause.flag):
        needed.append(clause.flag_grade)
    least = min((grade for grade in needed if grade is not None), default=6)
    # what was there before the window opened and did not change is not counted
    reached = next((point for point in course if point.grade >= least and point.day >= first), None)
    if reached is None:
        return None
    why = "" if least == clause.immediate_grade else f" with {str(clause.flag).replace('_', ' ')}"
    return _Hit(reached.day, f"{event.term}: grade {reached.grade} on day {reached.day:g}{why}")


def _sustained(
    clause: GradedClause, event: AdverseEvent, course: list[GradePoint], cut: float, first: float
) -> _Hit | None:
    if clause.sustained_grade is None or clause.sustained_hours is None:
        return None
    laboratory = event.category == "LAB" and clause.laboratory_hours is not None
    limit = clause.laboratory_hours if laboratory and clause.laboratory_hours else clause.sustained_hours
    hits = []
    for start, end in _runs(course, clause.sustained_grade, clause.improve_to):
        if start < first:
            continue
        running = end is None
        until = end if end is not None else (cut if cut < inf else start)
        hours = 24.0 * max(until - start, 0.0)
        reason = f"{event.term}: grade {clause.sustained_grade} or higher from day {start:g}, {hours:g} h"
        if is_met(hours, ">", limit):
            return _Hit(start, f"{reason}, more than {limit:g} h")
        state = "still running" if running else f"grade {clause.improve_to} or lower by then"
        hits.append(_Hit(start, reason, f"not more than {limit:g} h: {state}", running))
    return next((hit for hit in hits if hit.running), hits[0] if hits else None)


def _runs(course: list[GradePoint], grade: int, improve_to: int) -> Iterator[tuple[float, float | None]]:
    start: float | None = None
    for point in course:
        if start is None and point.grade >= grade:
            start = point.day
        elif start is not None and point.grade <= improve_to:
            yield start, point.day
            start = None
    if start is not None:
        yield start, None


def _hys_law(
    clause: HysLawClause, record: PatientRecord, definition: DltDefinition, cut: float
) -> Iterator[Proposal]:
    for judged in judge_liver(clause, record, cut):
        obstacles = judged.obstacles
        if floor(judged.day) > definition.window_days:
            obstacles += (f"on day {judged.day:g}, outside day 0 to {definition.window_days}",)
        status = "near_miss" if obstacles else "dlt"
        evidence = (f"liver tests day {judged.point.day:g}",)
        reasons = (*judged.reasons, *obstacles)
        yield Proposal(clause.id, clause.text, status, False, judged.day, None, evidence, reasons)


def _late_cytopenia(
    clause: CytopeniaClause, record: PatientRecord, definition: DltDefinition, cut: float
) -> Iterator[Proposal]:
    judged = judge_late_cytopenia(clause, record, definition, cut)
    if judged is not None:
        status = "dlt" if judged.met else "near_miss"
        yield Proposal(
            clause.id,
            clause.text,
            status,
            judged.open,
            judged.day,
            clause.grade,
            judged.evidence,
            judged.reasons,
        )


def _proposal(
    clause: FatalClause | GradedClause,
    event: AdverseEvent,
    day: float,
    grade: int,
    reasons: list[str],
    obstacles: list[str],
    *,
    open_: bool,
) -> Proposal:
    if not event.relation:
        reasons.append("relation not recorded: counted as related")
    status = "near_miss" if obstacles else "dlt"
    return Proposal(clause.id, clause.text, status, open_, day, grade, (event.id,), (*reasons, *obstacles))
