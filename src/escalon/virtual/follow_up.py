"""Survival contacts, other therapies and the end of the study for a patient; nothing is entered after it."""

import math
from dataclasses import dataclass

from escalon.protocol.scenarios import FollowUp
from escalon.virtual.acts import Day, Draft
from escalon.virtual.leukemia import DiseaseCourse
from escalon.virtual.streams import Streams
from escalon.virtual.visits import VisitPlan

_EARLIEST = 60.0
_THERAPIES = ("INOTUZUMAB OZOGAMICIN", "BLINATUMOMAB", "SALVAGE CHEMOTHERAPY", "VENETOCLAX AND NAVITOCLAX")


@dataclass(frozen=True, slots=True)
class Departure:
    """The patient leaves before the end: whole ``day`` and reason as on the form."""

    day: int
    reason: str
    therapy: str


def draw_departure(streams: Streams, number: int, follow_up: FollowUp, disease: DiseaseCourse) -> Departure:
    """Draw loss to follow-up or withdrawal (often past the horizon) and the next therapy's name."""
    rng = streams.generator(number, "departure")
    lost, left = rng.exponential(size=2) * 365.25
    lost_day = _EARLIEST + lost / follow_up.lost_per_year if follow_up.lost_per_year else math.inf
    left_day = _EARLIEST + left / follow_up.withdrawn_per_year if follow_up.withdrawn_per_year else math.inf
    reason = "LOST TO FOLLOW-UP" if lost_day <= left_day else "WITHDRAWAL BY SUBJECT"
    therapy = _THERAPIES[int(rng.integers(len(_THERAPIES)))]
    return Departure(math.floor(min(lost_day, left_day, 1e6)), reason, therapy)


def contact_drafts(
    drafts: list[Draft], visits: VisitPlan, disease: DiseaseCourse, departure: Departure
) -> list[Draft]:
    """Add contacts, transplant, new therapy and the end of study, and cut whatever lies after it."""
    last = max(visit.day for visit in visits.visits)
    death = math.inf if disease.death_day is None else disease.death_day
    end = min(death, departure.day, last)
    added = [
        Draft(
            visit.day + 0.02,
            "SS",
            f"SS-{visit.visit.id}",
            {"SSDTC": Day(visit.day), "SSORRES": "ALIVE"},
            visit.label,
        )
        for visit in visits.visits
        if "SS" in visit.visit.forms and visit.attended and visit.day < end + (end == last)
    ]
    if disease.transplant_day is not None:
        day = disease.transplant_day
        added.append(Draft(day + 0.2, "PR", "PR-HSCT", {"PRTRT": "ALLOGENEIC HSCT", "PRSTDTC": Day(day)}))
    if disease.new_therapy_day is not None:
        added.append(_therapy(disease.new_therapy_day, departure.therapy))
    if end == death:
        return _died(drafts + added, disease)
    if end == departure.day:
        values = {"DSDECOD": departure.reason, "DSSTDTC": Day(departure.day)}
        kept = [draft for draft in drafts + added if draft.day < end]
        return [*kept, Draft(end + 0.1, "DS", "DS-END", values)]
    values = {"DSDECOD": "COMPLETED", "DSSTDTC": Day(last)}
    kept = [draft for draft in drafts + added if draft.day <= last + 0.3]
    return [*kept, Draft(last + 0.35, "DS", "DS-END", values, visits.visits[-1].label)]


def _therapy(day: int, name: str) -> Draft:
    values = {"CMTRT": name, "CMCAT": "NEW ANTI-LEUKEMIC THERAPY", "CMSTDTC": Day(day)}
    return Draft(day + 0.2, "CM", "CM-NEXT", values)


def _died(drafts: list[Draft], disease: DiseaseCourse) -> list[Draft]:
    assert disease.death_day is not None
    day = disease.death_day
    kept = [draft for draft in drafts if draft.day < day or _ends_fatally(draft)]
    disposition = {"DSDECOD": "DEATH", "DSSTDTC": Day(day), "DTHCAUS": disease.death_cause}
    return [
        *kept,
        Draft(day + 0.45, "SS", "SS-DEATH", {"SSDTC": Day(day), "SSORRES": "DEAD"}),
        Draft(day + 0.46, "DS", "DS-END", disposition),
    ]


def _ends_fatally(draft: Draft) -> bool:
    return draft.form == "AE" and draft.values.get("AEOUT") == "FATAL"
