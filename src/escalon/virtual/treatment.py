"""Study treatment as given, and the samples that follow it."""

import math
from dataclasses import dataclass

import numpy as np

from escalon.protocol.scenarios import FollowUp, VirtualPatientAssumptions
from escalon.protocol.study import Regimen, Study
from escalon.virtual.acts import Day, Draft, Moment
from escalon.virtual.adverse_events import AdverseEvent
from escalon.virtual.cell_kinetics import CellCourse
from escalon.virtual.pharmacokinetics import Exposure, Infusion
from escalon.virtual.streams import Streams, significant, uniform

_START_HOURS = {"CLLS52": 0.0, "FLUDARABINE": 3.5, "CYCLOPHOSPHAMIDE": 5.0}
"""Hours after the clock time of the UCART22 infusion at which a drug starts on its days."""
CELL_INFUSION_DAYS = 10.0 / 1440.0


@dataclass(frozen=True, slots=True)
class CellDose:
    """UCART22 as given: ``planned`` and ``given`` in cells/kg."""

    planned: float
    given: float
    lot: str
    process: str


def draw_infusions(streams: Streams, number: int, regimen: Regimen) -> tuple[Infusion, ...]:
    """Draw the lymphodepleting doses of ``regimen`` with actual times, in order of time."""
    rng = streams.generator(number, "lymphodepletion")
    infusions = [
        Infusion(
            product=dose.product,
            start=day * 24.0 + _START_HOURS.get(dose.product, 0.0) + round(20 * rng.random()) / 60.0,
            hours=dose.infusion_hours,
            amount=dose.amount,
        )
        for dose in regimen.doses
        for day in dose.days
    ]
    return tuple(sorted(infusions, key=lambda infusion: (infusion.start, infusion.product)))


def draw_cell_dose(
    streams: Streams, number: int, study: Study, follow_up: FollowUp, dose_level: int, process: str
) -> CellDose:
    """Draw the dose given; now and then less than the minimum fraction can be given."""
    rng = streams.generator(number, "cell dose")
    planned = study.dose_level(dose_level).dose
    short, fraction, lot = rng.random() < follow_up.underdosed, rng.random(), int(rng.integers(100, 1000))
    share = study.dlt.min_dose_fraction - 0.05 - 0.25 * fraction if short else 0.93 + 0.07 * fraction
    return CellDose(planned, significant(planned * share), f"U22-{process or 'P1'}-{lot}", process)


def lymphodepletion_drafts(
    infusions: tuple[Infusion, ...], regimen: Regimen, label: str | None
) -> list[Draft]:
    """Return one EX entry per lymphodepleting dose."""
    units = {dose.product: dose.unit for dose in regimen.doses}
    counts: dict[str, int] = {}
    drafts = []
    for infusion in infusions:
        counts[infusion.product] = number = counts.get(infusion.product, 0) + 1
        begin, end = infusion.start / 24.0, (infusion.start + infusion.hours) / 24.0
        values = {
            "EXTRT": infusion.product,
            "EXDOSE": infusion.amount,
            "EXDOSU": units[infusion.product],
            "EXPDOSE": infusion.amount,
            "EXSTDTC": Moment(begin),
            "EXENDTC": Moment(end),
            "EXROUTE": "INTRAVENOUS",
        }
        drafts.append(Draft(end + 0.02, "EX", f"EX-{infusion.product}-{number}", values, label))
    return drafts


def cell_draft(dose: CellDose) -> Draft:
    """Return the EX entry of the UCART22 infusion, day 0."""
    values = {
        "EXTRT": "UCART22",
        "EXDOSE": dose.given,
        "EXDOSU": "CELLS/KG",
        "EXPDOSE": dose.planned,
        "EXSTDTC": Moment(0.0),
        "EXENDTC": Moment(CELL_INFUSION_DAYS),
        "EXROUTE": "INTRAVENOUS",
        "EXLOT": dose.lot,
    }
    if dose.process:
        values["EXPROC"] = dose.process
    return Draft(CELL_INFUSION_DAYS, "EX", "EX-UCART22-1", values, "D0")


def sample_drafts(
    streams: Streams,
    number: int,
    study: Study,
    assumptions: VirtualPatientAssumptions,
    infusions: tuple[Infusion, ...],
    exposure: Exposure,
    cells: CellCourse,
) -> list[Draft]:
    """Return the PC entries: CLLS52 only when it was given, and UCART22."""
    drafts = []
    rng = streams.generator(number, "clls52 samples")
    starts = [infusion.start for infusion in infusions if infusion.product == "CLLS52"]
    pk = study.pharmacokinetics
    for nominal in pk.sample_days if starts else ():
        day = _actual_day(rng, nominal, starts, assumptions.follow_up)
        true = float(exposure.concentration(day * 24.0)[0])
        kinetics = assumptions.clls52
        noise = kinetics.residual_proportional * true * rng.standard_normal()
        noise += kinetics.residual_additive * rng.standard_normal() * (true > 0.0)
        if rng.random() < assumptions.follow_up.missing_sample:
            continue
        value = significant(max(true + float(noise), 0.0))
        drafts.append(_sample(study, "CLLS52", nominal, day, value))
    rng = streams.generator(number, "ucart22 samples")
    for nominal in study.cell_kinetics.sample_days:
        day = _actual_day(rng, nominal, [], assumptions.follow_up)
        error = float(np.exp(assumptions.ucart22.residual_log * rng.standard_normal()))
        if rng.random() >= assumptions.follow_up.missing_sample:
            value = significant(float(cells.copies(day)[0]) * error)
            drafts.append(_sample(study, "UCART22", nominal, day, value))
    return drafts


def _actual_day(rng: np.random.Generator, nominal: float, starts: list[float], follow_up: FollowUp) -> float:
    """A sample planned on the day of a dose at its hour is a pre-dose sample and comes before it."""
    delay, ahead = uniform(rng, follow_up.sample_delay), 0.1 + 0.4 * rng.random()
    dose = next((start for start in starts if 0.0 <= start - nominal * 24.0 < 1.0), None)
    hours = nominal * 24.0 + delay if dose is None else min(dose, nominal * 24.0 + 0.4) - ahead
    shift = 0.0
    if nominal >= 7.0:  # whole days within what a visit window allows
        shift = float(np.clip(round(rng.normal() * (0.5 if nominal <= 28.0 else 1.5)), -3, 3))
    return round(hours * 60.0) / 1440.0 + shift


def _sample(study: Study, analyte: str, nominal: float, day: float, value: float) -> Draft:
    rule = study.pharmacokinetics if analyte == "CLLS52" else study.cell_kinetics
    below = value < rule.lloq
    values = {
        "PCTEST": analyte,
        "PCDTC": Moment(day),
        "PCSPEC": "SERUM" if analyte == "CLLS52" else "BLOOD",
        "PCMETHOD": "IMMUNOASSAY" if analyte == "CLLS52" else "QPCR",
        "PCORRESU": rule.unit,
        "PCBLQ": "Y" if below else "N",
        "PCLLOQ": rule.lloq,
        "PCTPT": f"DAY {nominal:g}",
    }
    if not below:
        values["PCORRES"] = value
    label = next(
        (v.id for v in study.visits if "PC" in v.forms and v.window[0] <= day <= v.window[1] + 1), None
    )
    return Draft(day + 0.005, "PC", f"PC-{analyte}-{nominal:g}", values, label)


def crs_drafts(event: AdverseEvent, index: int) -> list[Draft]:
    """Return the CM entries of a CRS: tocilizumab from grade 2, dexamethasone from grade 3."""
    if event.category != "CRS" or event.grade < 2 or event.worst_at is None:
        return []
    drugs = ["TOCILIZUMAB"] + (["DEXAMETHASONE"] if event.grade >= 3 else [])
    day = math.floor(event.worst_at)
    return [
        Draft(
            event.worst_at + 0.08,
            "CM",
            f"CM-CRS-{index:02d}-{line}",
            {"CMTRT": drug, "CMCAT": "CRS TREATMENT", "CMSTDTC": Day(day), "CMENDTC": Day(day)},
        )
        for line, drug in enumerate(drugs, start=1)
    ]
