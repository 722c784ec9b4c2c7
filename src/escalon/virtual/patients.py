"""Who a virtual patient is before any treatment."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from escalon.protocol.scenarios import Population, Site, VirtualPatientAssumptions
from escalon.virtual.streams import Streams, pick, uniform


@dataclass(frozen=True, slots=True)
class VirtualPatient:
    """A patient at screening.

    Attributes:
        number: 1, 2, 3 ... in order of enrolment.
        site, country: where the patient is treated.
        age: years. weight: kg. height: cm.
        blasts: marrow blasts, percent. blood_blasts: 10^9/L.
        lymphocytes: host lymphocytes before lymphodepletion, 10^9/L.
        cd22: CD22-positive blasts, percent.
    """

    number: int
    site: str
    country: str
    age: int
    sex: Literal["M", "F"]
    race: str
    ethnicity: str
    weight: float
    height: float
    ecog: int
    prior_lines: int
    prior_transplant: bool
    prior_cd19: bool
    cd22: float
    blasts: float
    blood_blasts: float
    extramedullary: bool
    lymphocytes: float


def draw_site(streams: Streams, number: int, assumptions: VirtualPatientAssumptions) -> Site:
    """Draw the site that treats patient ``number``."""
    shares = {site.id: site.share for site in assumptions.sites}
    site_id = pick(streams.generator(number, "site"), shares)
    return next(site for site in assumptions.sites if site.id == site_id)


def draw_patient(
    streams: Streams, number: int, assumptions: VirtualPatientAssumptions, ages: tuple[int, int]
) -> VirtualPatient:
    """Draw patient ``number``; ``ages`` are the study's lowest and highest age in years, both allowed."""
    rng = streams.generator(number, "patient")
    population = assumptions.population
    site = draw_site(streams, number, assumptions)
    sex: Literal["M", "F"] = "F" if rng.random() < population.female else "M"
    low, high = population.marrow_blasts
    present = rng.random() < population.blood_blasts_present
    blood = _log_normal(rng, population.blood_blasts_median, population.blood_blasts_sd_log, (0.01, 80.0))
    return VirtualPatient(
        number=number,
        site=site.id,
        country=site.country,
        age=_draw_age(rng, population, ages),
        sex=sex,
        race=pick(rng, population.race),
        ethnicity=pick(rng, population.ethnicity),
        weight=round(
            _log_normal(rng, population.weight_median[sex], population.weight_sd_log, (40.0, 160.0)), 1
        ),
        height=round(float(np.clip(rng.normal(population.height_mean[sex], population.height_sd), 140, 205))),
        ecog=int(pick(rng, population.ecog)),
        prior_lines=int(pick(rng, population.prior_lines)),
        prior_transplant=bool(rng.random() < population.prior_transplant),
        prior_cd19=bool(rng.random() < population.prior_cd19),
        cd22=round(uniform(rng, population.cd22_positive), 1),
        blasts=round(low + (high - low) * float(rng.beta(*population.marrow_blasts_shape)), 1),
        blood_blasts=round(blood, 2) if present else 0.0,
        extramedullary=bool(rng.random() < population.extramedullary),
        lymphocytes=round(
            _log_normal(rng, population.lymphocytes_median, population.lymphocytes_sd_log, (0.05, 8.0)), 2
        ),
    )


def _draw_age(rng: np.random.Generator, population: Population, ages: tuple[int, int]) -> int:
    """Normal age, drawn again until it is allowed: clipping would heap patients on the two limits."""
    for _ in range(1000):
        age = int(rng.normal(population.age_mean, population.age_sd))
        if ages[0] <= age <= ages[1]:
            return age
    wanted = f"{ages[0]} to {ages[1]}"
    raise ValueError(
        f"population: mean age {population.age_mean:g}, sd {population.age_sd:g} never gives {wanted}"
    )


def _log_normal(rng: np.random.Generator, median: float, sd_log: float, bounds: tuple[float, float]) -> float:
    return float(np.clip(median * math.exp(sd_log * rng.standard_normal()), *bounds))
