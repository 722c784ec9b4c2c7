"""What is known of one patient for judging dose-limiting toxicity: plain facts, no opinion of the engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from escalon.criteria.dlt_definition import Category, Flag
from escalon.criteria.relatedness import rank
from escalon.criteria.result import check_code, check_day, check_finite, check_flag, check_whole

CATEGORIES: tuple[str, ...] = Category.__args__  # type: ignore[attr-defined]
_FLAGS: tuple[str, ...] = Flag.__args__  # type: ignore[attr-defined]
_DAYS = ("infusion_day", "death_day", "progression_day", "withdrawal_day", "new_therapy_day")
DEATH_CAUSES = ("DISEASE", "TOXICITY", "OTHER", "UNKNOWN")


@dataclass(frozen=True, slots=True)
class GradePoint:
    """From ``day`` on (the record's axis, hours as fractions) the event has this grade; 0 is resolved."""

    day: float
    grade: int

    def __post_init__(self) -> None:
        check_day("day", self.day, required=True)
        if self.grade is None:
            raise ValueError("grade: missing; 0 is resolved")
        check_whole("grade", self.grade, high=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdverseEvent:
    """One event with its grade over time.

    Attributes:
        id: row identifier, shown as evidence.
        term: event term.
        category: ``CRS``, ``ICANS``, ``GVHD``, ``IEC-HS``, ``INFUSION REACTION``, ``CYTOPENIA``,
            ``INFECTION``, ``LAB`` or ``OTHER``.
        start_day: onset, days on the record's axis; hours as fractions.
        end_day: end, or None when ongoing.
        grade: the one grade of the event; or give ``course``.
        course: grade over time, in order of day; each point holds until the next or the end.
        relation: combined relatedness by product or cause (see ``relatedness``); a product not named is
            related.
        controlled: nausea or vomiting under control with treatment.
        laboratory_only: laboratory finding without clinical consequence.
        expected_after_lymphodepletion: named by the protocol as expected after lymphodepletion.
        responded: infection that answered to treatment.
        due_to_disease: due to progression of leukemia.
        steroid_refractory: GvHD that did not answer to steroids by the protocol's rule.
        serious: meets a seriousness criterion.
    """

    id: str
    term: str
    category: str
    start_day: float
    end_day: float | None = None
    grade: int | None = None
    course: tuple[GradePoint, ...] = ()
    relation: Mapping[str, str] = field(default_factory=dict)
    controlled: bool = False
    laboratory_only: bool = False
    expected_after_lymphodepletion: bool = False
    responded: bool = False
    due_to_disease: bool = False
    steroid_refractory: bool = False
    serious: bool = False

    def __post_init__(self) -> None:
        check_code(f"category of event {self.id}", self.category, CATEGORIES)
        check_day(f"start_day of event {self.id}", self.start_day, required=True)
        check_day(f"end_day of event {self.id}", self.end_day)
        check_whole(f"grade of event {self.id}", self.grade, high=5)
        for name in (*_FLAGS, "serious"):
            check_flag(f"{name} of event {self.id}", getattr(self, name))
        for value in self.relation.values():
            rank(value)
        if self.grade is None and not self.course:
            raise ValueError(f"event {self.id}: give grade or course")
        if self.end_day is not None and self.end_day < self.start_day:
            raise ValueError(
                f"event {self.id}: it ends on day {self.end_day:g}, before its start {self.start_day:g}"
            )
        days = [point.day for point in self.course]
        if days != sorted(days):
            raise ValueError(f"event {self.id}: the course is not in order of day")

    def points(self) -> tuple[GradePoint, ...]:
        """Grade over time, closed by a grade 0 at the end of the event."""
        course = self.course or (GradePoint(self.start_day, self.grade or 0),)
        fatal = course[-1].grade == 5
        return course if self.end_day is None or fatal else (*course, GradePoint(self.end_day, 0))


@dataclass(frozen=True, slots=True)
class CountPoint:
    """Blood counts of one day, 10^9/L."""

    day: float
    anc: float | None = None
    platelets: float | None = None

    def __post_init__(self) -> None:
        check_day("day", self.day, required=True)
        check_finite("anc", self.anc)
        check_finite("platelets", self.platelets)


@dataclass(frozen=True, slots=True)
class MarrowPoint:
    """Marrow of one day: cellularity and blasts in percent."""

    day: float
    cellularity: float | None = None
    blasts: float | None = None

    def __post_init__(self) -> None:
        check_day("day", self.day, required=True)
        check_finite("cellularity", self.cellularity, high=100.0)
        check_finite("blasts", self.blasts, high=100.0)


@dataclass(frozen=True, slots=True)
class LiverPoint:
    """Liver tests of one day, as multiples of the upper limit.

    ``cholestasis`` is the clinical finding, None when not judged; ``other_cause`` explains the tests otherwise;
    ``before_infusion`` marks tests of the day of the infusion that were taken before it.
    """

    day: float
    alt_uln: float | None = None
    ast_uln: float | None = None
    bilirubin_uln: float | None = None
    other_cause: bool = False
    alp_uln: float | None = None
    cholestasis: bool | None = None
    before_infusion: bool = False

    def __post_init__(self) -> None:
        check_day("day", self.day, required=True)
        check_flag("other_cause", self.other_cause)
        check_flag("before_infusion", self.before_infusion)
        check_flag("cholestasis", self.cholestasis, unknown=True)
        for name in ("alt_uln", "ast_uln", "bilirubin_uln", "alp_uln"):
            check_finite(name, getattr(self, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientRecord:
    """One patient as the DLT rules see it. All days share one axis; only differences from ``infusion_day``
    count.

    Attributes:
        patient: identifier.
        infusion_day: day of first infusion; None when only lymphodepleted.
        dose_fraction: given over assigned viable dose, fraction above 0.
        events: adverse events.
        counts: blood counts.
        marrows: marrows.
        liver: liver tests.
        death_day: day of death, or None.
        death_cause: ``DISEASE``, ``TOXICITY``, ``OTHER`` or ``UNKNOWN``; with ``death_day`` only.
        progression_day: day of progression that ended follow-up for DLT, or None.
        withdrawal_day: day the patient left, or None.
        new_therapy_day: first day of new anti-leukemic therapy, or None.
        first_doses: day of the first dose of each product of lymphodepletion that was given, such as
            ``{"CLLS52": -5.0}``; a product not named is not recorded.
        assessments_complete: key safety assessments of the window done; None when not yet known.
    """

    patient: str
    infusion_day: float | None
    dose_fraction: float | None = 1.0
    events: tuple[AdverseEvent, ...] = ()
    counts: tuple[CountPoint, ...] = ()
    marrows: tuple[MarrowPoint, ...] = ()
    liver: tuple[LiverPoint, ...] = ()
    death_day: float | None = None
    death_cause: str | None = None
    progression_day: float | None = None
    withdrawal_day: float | None = None
    new_therapy_day: float | None = None
    assessments_complete: bool | None = None
    first_doses: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_finite("dose_fraction", self.dose_fraction, high=2.0)
        for name in _DAYS:
            check_day(name, getattr(self, name))
        for product, dose in self.first_doses.items():
            check_day(f"first_doses of {product}", dose, required=True)
        check_flag("assessments_complete", self.assessments_complete, unknown=True)
        if self.death_cause is not None:
            check_code("death_cause", self.death_cause, DEATH_CAUSES)
            if self.death_day is None:
                raise ValueError("death_cause: given without a death_day")
        ids = [event.id for event in self.events]
        if len(set(ids)) != len(ids):
            raise ValueError(f"events of {self.patient}: an id appears twice")

    def departure(self) -> tuple[float, str] | None:
        """First day, from infusion, on which follow-up for DLT ended early, and why; None when it did not."""
        if self.infusion_day is None:
            return None
        ends = (
            (self.death_day, "death"),
            (self.progression_day, "progression"),
            (self.withdrawal_day, "withdrawal"),
            (self.new_therapy_day, "new anti-leukemic therapy"),
        )
        return min(((day - self.infusion_day, why) for day, why in ends if day is not None), default=None)
