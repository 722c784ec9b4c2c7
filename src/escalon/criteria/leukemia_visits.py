"""Which assessment belongs to which visit, so that one marrow never counts twice.

Conventions (assumption): an assessment goes to the nearest nominal day whose window holds it, at equal
distance to the earlier visit; of several candidates for one visit the nearest wins, at equal distance the
later, and the others stay unscheduled. Under the policy ``shared`` an assessment inside the window of an
empty visit also fills it, flagged.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from escalon.criteria.result import check_code
from escalon.criteria.tables import load_table

POLICIES: tuple[str, ...] = tuple(load_table("visits.json")["policies"])


@dataclass(frozen=True, slots=True)
class VisitWindow:
    """A planned visit: nominal day and inclusive window, in days from first infusion."""

    id: str
    day: int
    low: int
    high: int

    def __post_init__(self) -> None:
        if not self.low <= self.day <= self.high:
            raise ValueError(
                f"visit {self.id}: day {self.day} lies outside its window {self.low} to {self.high}"
            )


@dataclass(frozen=True, slots=True)
class VisitAssignment:
    """Where one assessment went.

    Attributes:
        index: position in the list of days given.
        day: its day.
        visit: visit it belongs to, or None when unscheduled (it still counts, once, for best response).
        shared_visit: an otherwise empty visit it also fills under ``shared``, else None.
        reason: why.
    """

    index: int
    day: float
    visit: str | None
    shared_visit: str | None
    reason: str

    @property
    def response(self) -> str | None:
        """The visit, under a name every result object carries."""
        return self.visit

    @property
    def grade(self) -> str:
        """The visit, or ``unscheduled``, under the name every result object carries."""
        return self.visit or "unscheduled"

    @property
    def clause(self) -> str:
        """The rule that decided."""
        return self.reason

    @property
    def reasons(self) -> tuple[str, ...]:
        """The rule, and a second visit where it fills one."""
        also = f"also fills {self.shared_visit}, otherwise empty"
        return (self.reason,) if self.shared_visit is None else (self.reason, also)


def load_visits() -> tuple[VisitWindow, ...]:
    """The response visits that ship, from day 28 to month 24 (windows: assumption), in order of day."""
    rows = load_table("visits.json")["visits"]
    return tuple(VisitWindow(row["id"], row["day"], row["low"], row["high"]) for row in rows)


def assign_visits(
    days: Sequence[float], visits: Sequence[VisitWindow], policy: str = "nearest_unique"
) -> tuple[VisitAssignment, ...]:
    """Assign assessments to visits, in the order of ``days``.

    Raises:
        ValueError: for an unknown policy, a repeated visit id or a day that is not finite.

    Example:
        >>> planned = (VisitWindow("D84", 84, 77, 91), VisitWindow("M3", 91, 84, 98))
        >>> [given.visit for given in assign_visits([87, 88], planned)]
        ['D84', 'M3']
    """
    check_code("policy", policy, POLICIES)
    planned = sorted(visits, key=lambda visit: visit.day)
    if len({visit.id for visit in planned}) != len(planned):
        raise ValueError("visits: an id appears twice")
    if any(day != day or abs(day) == float("inf") for day in days):
        raise ValueError("days: every day must be a finite number")
    wanted = [_nearest(day, planned) for day in days]
    winners = {
        visit.id: _winner(visit, [i for i, w in enumerate(wanted) if w == visit], days) for visit in planned
    }
    shared: dict[int, str] = {}
    for visit in planned if policy == "shared" else ():
        if winners[visit.id] is None:
            inside = [i for i, day in enumerate(days) if visit.low <= day <= visit.high and i not in shared]
            chosen = _winner(visit, inside, days)
            if chosen is not None:
                shared[chosen] = visit.id
    return tuple(_assignment(i, days[i], wanted[i], winners, shared.get(i)) for i in range(len(days)))


def _nearest(day: float, planned: Sequence[VisitWindow]) -> VisitWindow | None:
    holding = [visit for visit in planned if visit.low <= day <= visit.high]
    return min(holding, key=lambda visit: (abs(day - visit.day), visit.day), default=None)


def _winner(visit: VisitWindow, candidates: Sequence[int], days: Sequence[float]) -> int | None:
    return min(candidates, key=lambda i: (abs(days[i] - visit.day), -days[i], -i), default=None)


def _assignment(
    index: int, day: float, wanted: VisitWindow | None, winners: dict[str, int | None], shared: str | None
) -> VisitAssignment:
    if wanted is None:
        return VisitAssignment(index, day, None, None, "outside every window: unscheduled")
    if winners[wanted.id] == index:
        return VisitAssignment(index, day, wanted.id, shared, f"nearest to {wanted.id}, day {wanted.day}")
    reason = f"another assessment is nearer to {wanted.id}: unscheduled"
    return VisitAssignment(index, day, None, shared, reason)
