"""Blood counts and chemistry over time: smooth courses per patient, printed with noise at each sample."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from escalon.protocol.scenarios import Laboratory
from escalon.virtual.leukemia import DiseaseCourse
from escalon.virtual.patients import VirtualPatient
from escalon.virtual.pharmacokinetics import Exposure
from escalon.virtual.streams import Streams, uniform

Knots = tuple[tuple[float, float], ...]
CHEMISTRY = ("ALT", "BILI", "CREAT", "CRP", "FERRITIN", "AST", "ALP")
DIGITS = {
    "NEUT": 2,
    "PLAT": 0,
    "LYM": 2,
    "WBC": 2,
    "HGB": 0,
    "ALT": 0,
    "BILI": 0,
    "CREAT": 0,
    "CRP": 1,
    "FERRITIN": 0,
    "AST": 0,
    "ALP": 0,
}
_NOISE = {"HGB": 0.33, "ALT": 1.5, "AST": 1.5, "CRP": 2.5, "FERRITIN": 1.5}
"""Noise of a parameter, relative to that of the counts."""
_FLOORS = {"HGB": 55.0, "PLAT": 3.0}


@dataclass(frozen=True, slots=True)
class Bump:
    """A passing rise of one parameter: ramps up, holds ``height`` above the start value, ramps down; days."""

    parameter: str
    start: float
    peak: float
    until: float
    end: float
    height: float

    def values(self, days: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the rise on ``days``."""
        knots = (self.start, self.peak, self.until, self.end)
        return np.interp(days, knots, (0.0, self.height, self.height, 0.0))


@dataclass(frozen=True, slots=True)
class LabCourse:
    """Courses of one patient without noise. ``counts`` holds (day, value) knots of NEUT, PLAT and HGB.

    ``floors`` keeps printed values of a span of days above a grade the patient's course never reaches there.
    """

    counts: dict[str, Knots]
    start: dict[str, float]
    bumps: tuple[Bump, ...]
    exposure: Exposure
    blasts: Knots
    noise: float
    floors: tuple[tuple[str, float, float, float], ...]

    def values(self, parameter: str, days: ArrayLike) -> NDArray[np.float64]:
        """Return one parameter on ``days`` without noise, in the unit of the form."""
        t = np.atleast_1d(np.asarray(days, dtype=float))
        if parameter == "LYM":
            return self.exposure.lymphocytes(t)
        if parameter in self.counts:
            knots, values = zip(*self.counts[parameter], strict=True)
            course: NDArray[np.float64] = np.exp(np.interp(t, knots, np.log(values)))
            return course
        rises = [bump.values(t) for bump in self.bumps if bump.parameter == parameter]
        total: NDArray[np.float64] = np.sum([np.full_like(t, self.start[parameter]), *rises], axis=0)
        return total

    def panel(self, rng: np.random.Generator, day: float) -> dict[str, float]:
        """Return a laboratory panel on ``day`` as printed."""
        panel: dict[str, float] = {}
        for name in ("NEUT", "PLAT", "LYM", "HGB", *CHEMISTRY):
            noise = self.noise * _NOISE.get(name, 1.0)
            value = float(self.values(name, day)[0]) * math.exp(
                noise * float(np.clip(rng.standard_normal(), -2.5, 2.5))
            )
            value = max(value, _FLOORS.get(name, 0.0), self._floor(name, day))
            panel[name] = round(value, DIGITS[name])
        days, blasts = zip(*self.blasts, strict=True)
        other = float(np.interp(day, days, blasts)) + 0.08 * panel["NEUT"]
        panel["WBC"] = round(panel["NEUT"] + panel["LYM"] + other, 2)
        return panel

    def _floor(self, name: str, day: float) -> float:
        return max(
            (low for what, begin, end, low in self.floors if what == name and begin <= day <= end),
            default=0.0,
        )


def draw_laboratory(
    streams: Streams,
    patient: VirtualPatient,
    lab: Laboratory,
    disease: DiseaseCourse,
    exposure: Exposure,
    first_day: int,
    aplasia: bool,
    bumps: tuple[Bump, ...],
    fourth: Mapping[str, float],
) -> LabCourse:
    """Draw the patient's courses; ``aplasia`` (dose limiting) keeps counts at grade 4 past Day 42.

    ``fourth`` gives the count below which NEUT and PLAT are grade 4 in the study's CTCAE version.
    """
    rng = streams.generator(patient.number, "laboratory")
    neutrophils, recovery = _neutrophils(rng, lab, disease, first_day, aplasia, fourth["NEUT"])
    platelets, platelets_back = _platelets(rng, lab, disease, first_day, aplasia, fourth["PLAT"])
    start = {
        "ALT": uniform(rng, lab.alt),
        "BILI": uniform(rng, lab.bilirubin),
        "CREAT": uniform(rng, lab.creatinine),
        "CRP": uniform(rng, lab.crp),
        "FERRITIN": uniform(rng, lab.ferritin),
    }
    enzymes = streams.generator(patient.number, "liver enzymes")
    start |= {"AST": uniform(enzymes, lab.ast), "ALP": uniform(enzymes, lab.alp)}
    bumps += tuple(
        replace(bump, parameter="AST", height=lab.ast_with_alt * bump.height)
        for bump in bumps
        if bump.parameter == "ALT"
    )
    counts = {"NEUT": neutrophils, "PLAT": platelets, "HGB": _hemoglobin(rng, lab, disease, first_day)}
    blood = patient.blood_blasts
    late = disease.progression_day or 9e5
    blasts: Knots = (
        (-99.0, blood),
        (first_day, blood),
        (1.0, 0.1 * blood),
        (27.0, 0.0),
        (late, 0.0),
        (late + 40.0, 2.0),
    )
    if not disease.remission:
        blasts = (
            (-99.0, blood),
            (first_day, blood),
            (1.0, 0.1 * blood),
            (27.0, 0.6 * blood),
            (90.0, 1.5 * blood),
        )
    floors: tuple[tuple[str, float, float, float], ...] = ()
    if not aplasia:
        quiet = disease.detected_day if disease.remission and disease.detected_day else 60.0
        floors = (
            ("NEUT", recovery, max(quiet, 43.0), 1.04 * fourth["NEUT"]),
            ("PLAT", platelets_back, max(quiet, 43.0), 1.04 * fourth["PLAT"]),
        )
    return LabCourse(counts, start, bumps, exposure, blasts, lab.noise, floors)


def _neutrophils(
    rng: np.random.Generator,
    lab: Laboratory,
    disease: DiseaseCourse,
    first_day: int,
    aplasia: bool,
    fourth: float,
) -> tuple[Knots, float]:
    base, nadir = uniform(rng, lab.neutrophils), uniform(rng, lab.neutrophil_nadir)
    begin, recovery = uniform(rng, lab.nadir_from), uniform(rng, lab.neutrophil_recovery)
    low, full, later = 0.60 + 0.25 * rng.random(), 1.6 + 2.0 * rng.random(), rng.random()
    if aplasia:
        recovery = 60.0 + 20.0 * later
        nadir = min(nadir, 0.3 * fourth)
    knots = [(-99.0, base), (first_day, base), (begin, nadir), (recovery - 5.0, nadir), (recovery, 1.06)]
    knots.append((recovery + 1.5, 1.3))
    settled = max(recovery + 3.0, 26.0)
    if disease.depth in ("CR", "CRi", "PR"):
        knots.append((settled, full))
    else:  # a second dip: usual after CAR-T cells, and with leukemia in the marrow
        knots.append((settled, low))
        if disease.counts_day is not None and disease.counts_day > settled:
            knots += [(disease.counts_day, low), (disease.counts_day + 6.0, full)]
    return _relapsing(knots, disease, 0.6), recovery


def _platelets(
    rng: np.random.Generator,
    lab: Laboratory,
    disease: DiseaseCourse,
    first_day: int,
    aplasia: bool,
    fourth: float,
) -> tuple[Knots, float]:
    base, nadir = uniform(rng, lab.platelets), uniform(rng, lab.platelet_nadir)
    begin, recovery = uniform(rng, lab.nadir_from) + 2.0, uniform(rng, lab.platelet_recovery)
    u, later = rng.random(), rng.random()
    nadir = min(nadir, 0.9 * base)
    if aplasia:
        nadir, recovery = min(nadir, 0.56 * fourth), 62.0 + 20.0 * later
    elif disease.depth == "MLFS":
        nadir, base = max(nadir, 29.0), max(base, 32.0)
    knots = [(-99.0, base), (first_day, base), (begin, nadir), (max(begin + 1.0, recovery - 6.0), nadir)]
    settled = max(recovery + 2.0, 26.0)
    level = {"CR": 130 + 90 * u, "PR": 115 + 60 * u, "CRi": 58 + 32 * u, "MLFS": 31 + 14 * u}.get(
        disease.depth, 30 + 30 * u
    )
    if disease.depth != "MLFS" or aplasia:
        knots.append((recovery, 53.0))
    knots.append((settled, level))
    if disease.counts_day is not None and disease.counts_day > settled:
        knots += [(disease.counts_day, level), (disease.counts_day + 8.0, 140.0 + 80.0 * u)]
    return _relapsing(knots, disease, 34.0), recovery


def _hemoglobin(rng: np.random.Generator, lab: Laboratory, disease: DiseaseCourse, first_day: int) -> Knots:
    base, nadir = uniform(rng, lab.hemoglobin), uniform(rng, lab.hemoglobin_nadir)
    later = uniform(rng, (98.0, 128.0)) if disease.remission else uniform(rng, (84.0, 98.0))
    nadir = min(nadir, base)
    knots = [(-99.0, base), (first_day, base), (8.0, nadir), (13.0, nadir), (27.0, 90.0), (80.0, later)]
    return _relapsing(knots, disease, 84.0)


def _relapsing(knots: list[tuple[float, float]], disease: DiseaseCourse, low: float) -> Knots:
    """Let the counts fall to ``low`` in the four weeks after a relapse of a remission."""
    relapse = disease.progression_day
    if not disease.remission or relapse is None or disease.extramedullary:
        return tuple(knots)
    kept = [knot for knot in knots if knot[0] < relapse - 1.0]
    days, values = zip(*knots, strict=True)
    before = math.exp(float(np.interp(relapse, days, np.log(values))))
    return (*kept, (relapse, before), (relapse + 28.0, min(low, before)))
