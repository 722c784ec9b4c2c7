"""When a patient really comes: inside the windows mostly, outside sometimes, not at all now and then."""

from dataclasses import dataclass, replace

import numpy as np

from escalon.protocol.scenarios import FollowUp
from escalon.protocol.study import Study, Visit
from escalon.virtual.streams import Streams, uniform


@dataclass(frozen=True, slots=True)
class Attendance:
    """One visit as it happens.

    Attributes:
        visit: the visit of the study.
        day: whole days after the infusion.
        label: visit id the site writes down; None when the day lies outside the window.
        attended: False when the patient did not come.
        assessed: False when the visit has a disease assessment that is not done.
    """

    visit: Visit
    day: int
    label: str | None
    attended: bool
    assessed: bool

    @property
    def disease(self) -> bool:
        """Is leukemia assessed at this visit?"""
        return self.attended and self.assessed and "RS" in self.visit.forms


@dataclass(frozen=True, slots=True)
class VisitPlan:
    """All visits of a patient, in order of the day."""

    visits: tuple[Attendance, ...]

    def assessment_days(self) -> tuple[int, ...]:
        """Days with a disease assessment after the infusion, ascending."""
        return tuple(sorted(v.day for v in self.visits if v.day > 0 and v.disease))


def draw_visits(
    streams: Streams,
    number: int,
    study: Study,
    follow_up: FollowUp,
    first_day: int,
    key_days: tuple[int, ...],
) -> VisitPlan:
    """Draw the visits of a patient.

    Args:
        streams, number: random streams and patient.
        study: visits with windows.
        follow_up: how often visits are missed or out of window.
        first_day: first day of lymphodepletion, negative.
        key_days: nominal days of visits that are never missed or moved out of their window.

    Returns:
        The plan; D84 and M3 mostly share one marrow.
    """
    plan = []
    for visit in study.visits:
        rng = streams.generator(number, f"visit {visit.id}")
        if visit.day <= 0:
            plan.append(_before(visit, rng, follow_up, first_day))
        else:
            plan.append(_after(visit, rng, follow_up, visit.day in key_days))
    shared = _share_marrow(plan, streams.generator(number, "visit D84 or M3"), follow_up)
    return VisitPlan(tuple(sorted(shared, key=lambda attendance: attendance.day)))


def _before(visit: Visit, rng: np.random.Generator, follow_up: FollowUp, first_day: int) -> Attendance:
    if visit.day == 0:
        day = 0
    elif visit.window[0] <= first_day <= visit.window[1]:
        day = first_day
    else:
        before = first_day - round(uniform(rng, follow_up.screening_days))
        day = max(visit.window[0], min(visit.window[1], before))
    return Attendance(visit, day, visit.id, True, True)


def _after(visit: Visit, rng: np.random.Generator, follow_up: FollowUp, key: bool) -> Attendance:
    low, high = visit.window
    shift, (missed, outside, late) = rng.normal(), rng.random(3)
    day = int(np.clip(round(visit.day + shift * max(high - low, 0) / 5.0), low, high))
    if key:
        return Attendance(visit, day, visit.id, True, True)
    attended = bool(missed >= follow_up.missed_visit) or visit.day <= 28
    label: str | None = visit.id
    if visit.day >= 49 and "RS" in visit.forms and not visit.overlaps and outside < follow_up.out_of_window:
        day, label = high + 1 + int(late * 6), None
    return Attendance(visit, day, label, attended, True)


def _share_marrow(plan: list[Attendance], rng: np.random.Generator, follow_up: FollowUp) -> list[Attendance]:
    """Of two visits with overlapping windows, mostly only one has the marrow, on a day between the two."""
    pairs = [
        (a, b)
        for a in plan
        for b in plan
        if b.visit.id in a.visit.overlaps and "RS" in a.visit.forms and "RS" in b.visit.forms
    ]
    for early, late in pairs:
        once, shift = rng.random() < follow_up.marrow_once_around_d84, rng.normal()
        low, high = early.visit.window[0], late.visit.window[1]
        middle = (early.visit.day + late.visit.day) / 2.0
        day = int(np.clip(round(middle + 4.0 * shift), low, high))
        first = abs(day - early.visit.day) <= abs(day - late.visit.day)
        index, other = plan.index(early), plan.index(late)
        if once and first:
            plan[index], plan[other] = replace(early, day=day), replace(late, assessed=False)
        elif once:
            plan[index], plan[other] = replace(early, assessed=False), replace(late, day=day)
        elif late.day <= early.day:
            plan[other] = replace(late, day=min(early.day + 5, late.visit.window[1]))
    return plan
