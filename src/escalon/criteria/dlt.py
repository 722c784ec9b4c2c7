"""Dose-limiting toxicity: what is proposed, and whether the patient is evaluable. A person adjudicates.

Conventions: day 0 is the first infusion; the window is day 0 to ``window_days``, both whole days included,
and closes with the end of its last day, so a cut on that day finds it closed. An early departure is one
before the last day of the window. An under-dosed patient with a DLT counts as DLT unless the definition says
otherwise.
"""

from dataclasses import dataclass
from math import floor

from escalon.criteria.dlt_definition import CytopeniaClause, DltDefinition, load_default_definition
from escalon.criteria.dlt_proposals import Proposal, Proposals, propose
from escalon.criteria.dlt_record import (
    AdverseEvent,
    CountPoint,
    GradePoint,
    LiverPoint,
    MarrowPoint,
    PatientRecord,
)
from escalon.criteria.operators import is_met

__all__ = [
    "STATUSES",
    "AdverseEvent",
    "CountPoint",
    "DltDefinition",
    "Evaluability",
    "GradePoint",
    "LiverPoint",
    "MarrowPoint",
    "PatientRecord",
    "Proposal",
    "Proposals",
    "evaluability",
    "load_default_definition",
    "propose",
]

STATUSES = ("PENDING", "DLT", "NO_DLT", "NOT_EVALUABLE")


@dataclass(frozen=True, slots=True)
class Evaluability:
    """Proposed DLT status of one patient.

    Attributes:
        status: ``PENDING``, ``DLT``, ``NO_DLT`` or ``NOT_EVALUABLE``.
        clause: the clause met, or the rule that decided.
        reasons: why, in order.
        replace: whether the patient is to be replaced in the cohort.
        proposals: everything ``propose`` found at this cut.
    """

    status: str
    clause: str
    reasons: tuple[str, ...]
    replace: bool
    proposals: Proposals

    @property
    def grade(self) -> str:
        """The status, under the name every result object carries."""
        return self.status


_Answer = tuple[str, str, tuple[str, ...]]


def evaluability(record: PatientRecord, definition: DltDefinition, as_of_day: float) -> Evaluability:
    """Proposed DLT status of one patient at a cut.

    Args:
        record: the patient's facts.
        definition: the study's definition.
        as_of_day: cut on the record's axis, at the end of that day.

    Returns:
        ``DLT`` when a clause is met; ``NOT_EVALUABLE`` after lymphodepletion only, an early departure, too
        small a dose or missing assessments without a DLT; ``PENDING`` while the window or a clause is open;
        else ``NO_DLT``.
    """
    proposals = propose(record, definition, as_of_day)
    day = None if record.infusion_day is None else floor(as_of_day - record.infusion_day)
    answer = (
        _not_treated(day)
        or _dose_limiting(record, definition, proposals)
        or _early(record, definition, day or 0, proposals)
        or _closed(record, definition, day or 0, proposals)
    )
    status, clause, reasons = answer
    return Evaluability(status, clause, reasons, status == "NOT_EVALUABLE", proposals)


def _not_treated(day: int | None) -> _Answer | None:
    if day is None:
        return "NOT_EVALUABLE", "dose received", ("lymphodepletion only: no infusion",)
    if day < 0:
        return "PENDING", "dose received", ("not infused at the cut",)
    return None


def _small(record: PatientRecord, definition: DltDefinition) -> str:
    """The dose in words when it is below the minimum, else empty."""
    given = record.dose_fraction
    if given is None or not is_met(given, "<", definition.min_dose_fraction):
        return ""
    return f"{100 * given:g} % of the dose, below {100 * definition.min_dose_fraction:g} %"


def _dose_limiting(
    record: PatientRecord, definition: DltDefinition, proposals: tuple[Proposal, ...]
) -> _Answer | None:
    small = _small(record, definition)
    if small and not definition.count_dlt_below_min_dose:
        return "NOT_EVALUABLE", "dose received", (small, "a DLT below this dose is not counted")
    met = [proposal for proposal in proposals if proposal.status == "dlt"]
    if not met:
        return None
    reasons = [reason for proposal in met for reason in proposal.reasons]
    return "DLT", met[0].clause, (*reasons, small) if small else tuple(reasons)


def _early(
    record: PatientRecord, definition: DltDefinition, day: int, proposals: tuple[Proposal, ...]
) -> _Answer | None:
    left = record.departure()
    gone = left is not None and floor(left[0]) <= day
    dead = record.death_day is not None and floor(record.death_day - (record.infusion_day or 0.0)) <= day
    late = {clause.id for clause in definition.clauses if isinstance(clause, CytopeniaClause)}
    running = [proposal for proposal in proposals if proposal.open and proposal.clause not in late]
    if running and not dead:
        return "PENDING", running[0].clause, running[0].reasons
    if left is not None and gone and floor(left[0]) < definition.window_days:
        return _departed(record, definition, left, proposals)
    if day < definition.window_days:
        return "PENDING", "window", (f"day {day} of {definition.window_days}, no DLT so far",)
    return None


def _departed(
    record: PatientRecord, definition: DltDefinition, left: tuple[float, str], proposals: tuple[Proposal, ...]
) -> _Answer:
    when = f"{left[1]} on day {left[0]:g}, before day {definition.window_days}, without a DLT"
    judged = any(proposal.grade == 5 for proposal in proposals)
    if left[1] == "death" and record.death_cause not in ("DISEASE", "OTHER") and not judged:
        cause = record.death_cause or "not recorded"
        return (
            "PENDING",
            "fatal event",
            (f"death on day {left[0]:g}, cause {cause}, has no grade 5 event to judge",),
        )
    return "NOT_EVALUABLE", "window", (when,)


def _closed(
    record: PatientRecord, definition: DltDefinition, day: int, proposals: tuple[Proposal, ...]
) -> _Answer:
    small = _small(record, definition)
    if small:
        return "NOT_EVALUABLE", "dose received", (small, "no DLT")
    if record.dose_fraction is None:
        return "PENDING", "dose received", ("dose given is not recorded",)
    if record.assessments_complete is None:
        return "PENDING", "assessments", ("key safety assessments of the window not yet confirmed",)
    if not record.assessments_complete:
        return "NOT_EVALUABLE", "assessments", ("key safety assessments of the window are missing, no DLT",)
    late = next((proposal for proposal in proposals if proposal.open), None)
    left = record.departure()
    if late is None:
        return "NO_DLT", "window", (f"day {definition.window_days} completed, no clause met",)
    if left is not None and floor(left[0]) <= day:
        why = f"clause {late.clause} could not be completed: {left[1]} on day {left[0]:g}"
        return "NO_DLT", "window", (f"day {definition.window_days} completed, no clause met", why)
    return "PENDING", late.clause, late.reasons
