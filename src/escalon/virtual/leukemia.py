"""The leukemia after UCART22: response, relapse, transplant, new therapy, death.

A responder is drawn from the scenario's ``prob_response`` at the dose level through a normal latent that is
correlated with the expansion of UCART22, so that the marginal probability is exactly the scenario's.
Everything after is a hazard in months of 30.4375 days. Rates are assumptions of ``scenarios.yaml``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from escalon.protocol.scenarios import LeukemiaCourse, Scenario
from escalon.virtual.cell_kinetics import CellCourse
from escalon.virtual.patients import VirtualPatient
from escalon.virtual.streams import Streams, pick, uniform

MONTH = 30.4375
FIRST_ASSESSMENT = 28
REMISSION = ("CR", "CRi", "MLFS")
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class DiseaseCourse:
    """What the leukemia does; days after the infusion, None when it never happens.

    Attributes:
        depth: CR, CRi, MLFS, PR, NR or PD as seen at Day 28.
        mrd: residual disease in remission, fraction of cells; 0 is not detectable.
        counts_day: day from which counts are full in CRi and MLFS.
        progression_day: true relapse or progression.
        detected_day: day of the marrow that shows it; ``unscheduled`` when it is no planned visit.
        extramedullary: relapse outside the marrow only.
        new_therapy_day, transplant_day, death_day: whole days.
        death_cause: as on the disposition form.
    """

    depth: str
    mrd: float = 0.0
    counts_day: float | None = None
    progression_day: float | None = None
    detected_day: int | None = None
    unscheduled: bool = False
    extramedullary: bool = False
    new_therapy_day: int | None = None
    transplant_day: int | None = None
    death_day: int | None = None
    death_cause: str | None = None

    @property
    def remission(self) -> bool:
        """Is it a remission at Day 28?"""
        return self.depth in REMISSION

    @property
    def assessed_until(self) -> float:
        """Last day on which marrow is still looked at."""
        ends = (self.detected_day, self.new_therapy_day, self.death_day)
        return min((float(end) for end in ends if end is not None), default=math.inf)


def draw_response(
    streams: Streams,
    number: int,
    course: LeukemiaCourse,
    scenario: Scenario,
    dose_level: int,
    cells: CellCourse,
    with_clls52: bool,
) -> str:
    """Draw the depth of response at Day 28 for a patient infused at ``dose_level`` (1-based)."""
    rng = streams.generator(number, "response")
    probability = scenario.prob_response[dose_level - 1]
    if not with_clls52:
        probability = change_odds(probability, course.odds_without_clls52)
    respond = correlated_uniform(rng, course.expansion_correlation, cells.deviate) > 1.0 - probability
    return pick(rng, course.response_depth if respond else course.failure_depth)


def change_odds(probability: float, ratio: float) -> float:
    """Return the probability whose odds are ``ratio`` times those of ``probability``."""
    return probability * ratio / (1.0 - probability + probability * ratio)


def correlated_uniform(rng: np.random.Generator, correlation: float, deviate: float) -> float:
    """Return a uniform number whose normal score has ``correlation`` with the standard normal ``deviate``."""
    return _NORMAL.cdf(correlation * deviate + math.sqrt(1.0 - correlation**2) * float(rng.standard_normal()))


def draw_disease(
    streams: Streams,
    number: int,
    course: LeukemiaCourse,
    depth: str,
    assessments: Sequence[int],
    spared_until: int,
    fatal_day: int | None,
) -> DiseaseCourse:
    """Draw relapse, transplant, new therapy and death.

    Args:
        streams, number: random streams and patient.
        course: rates.
        depth: response at Day 28.
        assessments: days of planned disease assessments, ascending.
        spared_until: no death of another cause and no new therapy before this day (open DLT evaluation).
        fatal_day: death of a dose-limiting toxicity, if any.

    Returns:
        The course; every later event falls away once an earlier one excludes it.
    """
    rng = streams.generator(number, "leukemia")
    disease = DiseaseCourse(depth, _draw_mrd(rng, course))
    counts = rng.random() < course.count_recovery
    day = uniform(rng, course.count_recovery_day)
    if depth in ("CRi", "MLFS") and counts:
        disease = replace(disease, counts_day=day)
    disease = _draw_transplant(rng, course, disease)
    disease = _draw_progression(rng, course, disease, assessments)
    disease = _draw_death(rng, course, disease, spared_until, fatal_day)
    return _tidy(disease, rng, course)


def _draw_mrd(rng: np.random.Generator, course: LeukemiaCourse) -> float:
    negative, exponent = rng.random() < course.mrd_negative, -3.9 + 1.8 * rng.random()
    return 0.0 if negative else float(f"{10**exponent:.2g}")


def _draw_transplant(
    rng: np.random.Generator, course: LeukemiaCourse, disease: DiseaseCourse
) -> DiseaseCourse:
    wanted, day = rng.random() < course.transplant, round(uniform(rng, course.transplant_day))
    return replace(disease, transplant_day=day) if wanted and disease.depth in ("CR", "CRi") else disease


def _draw_progression(
    rng: np.random.Generator, course: LeukemiaCourse, disease: DiseaseCourse, assessments: Sequence[int]
) -> DiseaseCourse:
    """True progression, and the marrow that shows it: the next planned one or an earlier unscheduled one."""
    exposure, delay, outside = rng.exponential(), uniform(rng, course.detection_delay), rng.random()
    if disease.depth == "PD":
        progression = FIRST_ASSESSMENT - 6.0
    elif not disease.remission:
        progression = 33.0 + 40.0 * exposure
    else:
        hazard = course.relapse_per_month["MRD_POSITIVE" if disease.mrd >= 1e-4 else "MRD_NEGATIVE"] / MONTH
        progression = FIRST_ASSESSMENT + 4.0 + exposure / hazard
        transplant = disease.transplant_day
        if transplant is not None and progression > transplant:
            progression = transplant + (progression - transplant) / course.transplant_relapse_factor
    planned = next((day for day in assessments if day >= progression), None)
    prompted = math.ceil(progression + delay)
    if disease.depth == "PD" or (planned is not None and planned <= prompted + 3):
        detected, unscheduled = planned, False
    else:
        detected, unscheduled = prompted, True
    return replace(
        disease,
        progression_day=progression,
        detected_day=detected,
        unscheduled=unscheduled,
        extramedullary=disease.remission and outside < course.extramedullary_relapse,
    )


def _draw_death(
    rng: np.random.Generator,
    course: LeukemiaCourse,
    disease: DiseaseCourse,
    spared_until: int,
    fatal_day: int | None,
) -> DiseaseCourse:
    waits = rng.exponential(size=3)
    early, early_day = rng.random() < course.early_progression_death, 13 + int(14 * rng.random())
    if fatal_day is not None:
        return replace(disease, death_day=fatal_day, death_cause="ADVERSE EVENT")
    if early and not disease.remission and spared_until == 0:
        return replace(disease, death_day=early_day, death_cause="DISEASE PROGRESSION")
    known = disease.detected_day if disease.detected_day is not None else math.inf
    failure = known if disease.remission else FIRST_ASSESSMENT + 2.0
    failed = max(failure, FIRST_ASSESSMENT + 5.0, spared_until) + 3.0
    candidates = [(failed + waits[0] * MONTH / course.death_after_failure_per_month, "DISEASE PROGRESSION")]
    well = max(42.0, spared_until) + waits[1] * MONTH / course.death_in_remission_per_month
    if well < failure:
        candidates.append((well, "ADVERSE EVENT"))
    if disease.transplant_day is not None:
        after = disease.transplant_day + 5.0 + waits[2] * MONTH / course.transplant_death_per_month
        if after < min(failure, disease.transplant_day + 365.0):
            candidates.append((after, "TRANSPLANT-RELATED"))
    day, cause = min(candidates)
    return replace(disease, death_day=math.ceil(day), death_cause=cause) if math.isfinite(day) else disease


def _tidy(disease: DiseaseCourse, rng: np.random.Generator, course: LeukemiaCourse) -> DiseaseCourse:
    """Let new therapy follow failure, and drop what a transplant, progression or death excludes."""
    wanted, delay = rng.random() < course.new_therapy, uniform(rng, course.new_therapy_delay)
    death = math.inf if disease.death_day is None else disease.death_day
    transplant = disease.transplant_day
    if transplant is not None and transplant >= min(disease.progression_day or math.inf, death):
        disease = replace(disease, transplant_day=None)
    if disease.detected_day is not None and disease.detected_day >= death:
        disease = replace(disease, detected_day=None, unscheduled=False)
    failure = disease.detected_day if disease.remission or disease.depth == "PD" else FIRST_ASSESSMENT + 4
    if wanted and failure is not None:
        start = max(round(failure + delay), FIRST_ASSESSMENT + 4)
        if start < death:
            disease = replace(disease, new_therapy_day=start)
    therapy = disease.new_therapy_day
    if therapy is not None and disease.detected_day is not None and disease.detected_day > therapy:
        disease = replace(disease, detected_day=None, unscheduled=False)
    return disease


def assess_marrow(
    rng: np.random.Generator,
    patient: VirtualPatient,
    disease: DiseaseCourse,
    day: int,
    aplastic: bool,
    marrow_done: bool,
) -> dict[str, float | int | str]:
    """Return the findings of a disease assessment on ``day``, without blood counts; keys as on the form."""
    shown = disease.progression_day is not None and day >= disease.progression_day
    blasts, blood = _blasts(rng, patient, disease, day, shown)
    clear = disease.remission and (not shown or disease.extramedullary) and day > 0
    emd = patient.extramedullary if day <= 0 or not disease.remission else shown and disease.extramedullary
    cells = int(rng.integers(40, 160)) if aplastic else int(rng.integers(250, 501))
    values: dict[str, float | int | str] = {
        "BMBLAST": round(blasts, 1),
        "BMCOUNT": cells,
        "BMCELL": round(float(2 + 2 * rng.random() if aplastic else 15 + 60 * rng.random())),
        "PBBLAST": round(blood, 2),
        "EMD": "PRESENT" if emd else "ABSENT",
        "CNS": "CNS1",
    }
    values |= _mrd(rng, disease.mrd, clear)
    if not marrow_done:
        for name in ("BMBLAST", "BMCOUNT", "BMCELL", "MRDVAL", "MRDSENS", "MRDMETH"):
            values.pop(name, None)
        values["MRDRES"] = "NOT DONE"
    return values


def _blasts(
    rng: np.random.Generator, patient: VirtualPatient, disease: DiseaseCourse, day: int, shown: bool
) -> tuple[float, float]:
    """Marrow blasts in percent and blood blasts in 10^9/L."""
    u, v = rng.random(), rng.random()
    start, blood = patient.blasts, patient.blood_blasts
    if day <= 0:
        return start, blood
    if disease.remission and (not shown or disease.extramedullary):
        return 3.5 * u * u, 0.0
    if disease.remission:
        return 12.0 + 80.0 * u, max(0.0, 3.0 * (v - 0.4))
    if shown:
        return min(98.0, max(start * (1.4 + 0.6 * u), 30.0)), 1.6 * blood + 0.3 + v
    if disease.depth == "PR":
        return max(5.2, min(24.0, start * (0.2 + 0.05 * u))), 0.0
    return float(np.clip(start * (0.90 + 0.10 * u), 6.0, 97.0)), blood * (0.6 + 0.3 * v)


def _mrd(rng: np.random.Generator, mrd: float, clear: bool) -> dict[str, float | str]:
    deep, noise = rng.random() < 0.25, math.exp(0.2 * float(rng.standard_normal()))
    if not clear:
        return {"MRDRES": "NOT DONE"}
    sensitivity = {"MRDSENS": 1e-6 if deep else 1e-4, "MRDMETH": "NGS" if deep else "FLOW CYTOMETRY"}
    if mrd == 0.0:
        return {"MRDRES": "NOT DETECTED", **sensitivity}
    return {"MRDRES": "DETECTED", "MRDVAL": min(float(f"{mrd * noise:.2g}"), 0.009), **sensitivity}
