"""What the committee has before it when it names the RP2D: the study's evidence list, filled from the state."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from escalon.conduct.canonical import utc_text
from escalon.conduct.cohorts import counts
from escalon.conduct.derived_grades import worst_grade
from escalon.conduct.state import Patient, State
from escalon.protocol import StudyFolder

INTEREST = ("CRS", "ICANS", "GVHD", "IEC-HS", "INFECTION")
LATE_DAY = 28


@dataclass(frozen=True, slots=True)
class LevelEvidence:
    """One dose level: ``n`` evaluable, ``y`` with DLT, ``infused``, and ``responders`` by the study's numerator."""

    level: int
    n: int
    y: int
    infused: int
    responders: int

    @property
    def response_rate(self) -> float:
        """Responders over infused; 0 when nobody was infused."""
        return self.responders / self.infused if self.infused else 0.0


def level_evidence(state: State, folder: StudyFolder) -> tuple[LevelEvidence, ...]:
    """Return DLT and response counts at every level."""
    levels = folder.study.escalation.levels
    n, y = counts(state.patients.values(), levels)
    numerator = set(folder.study.response.numerator)
    rows = []
    for level in range(1, levels + 1):
        infused = _infused(state, level)
        responders = sum(responded(patient, numerator) for patient in infused)
        rows.append(LevelEvidence(level, n[level - 1], y[level - 1], len(infused), responders))
    return tuple(rows)


def rp2d_evidence(state: State, folder: StudyFolder, cut_off: datetime) -> dict[str, Any]:
    """Return the study's evidence list with its values as of ``cut_off``, per dose level."""
    plan = folder.study.escalation
    rows = level_evidence(state, folder)
    values: dict[str, Any] = {
        "DLT estimate per level": {
            row.level: {"n": row.n, "dlt": row.y, "estimate": _estimate(state, folder, row.level)}
            for row in rows
        },
        "response per level": {
            row.level: {"infused": row.infused, "responders": row.responders} for row in rows
        },
        "grade 3 or higher AEs of interest over all follow-up": _per_level(
            state, plan.levels, _severe_interest
        ),
        "UCART22 Cmax and persistence": _per_level(state, plan.levels, _expansion),
        "CLLS52 exposure": _per_level(state, plan.levels, _exposure),
        "late cytopenia and infection": _per_level(state, plan.levels, _late),
        "lymphodepletion regimen and product process": _per_level(state, plan.levels, _mix),
        "maximum tolerated dose and the rule's last recommendation": _rule(state),
        "data cut-off": utc_text(cut_off),
    }
    evidence = {item: values.get(item, "not available") for item in folder.study.rp2d.evidence}
    return {
        item: {str(key): value for key, value in found.items()} if isinstance(found, dict) else found
        for item, found in evidence.items()
    }


def _estimate(state: State, folder: StudyFolder, level: int) -> float | None:
    n, y = counts(state.patients.values(), folder.study.escalation.levels)
    if not n[level - 1]:
        return None
    plan = folder.study.escalation
    if plan.backfill is not None:  # the estimate of a level rests on its counts, whoever was backfilled
        plan = plan.model_copy(update={"backfill": None})
    estimate = plan.recommend((n, y, level)).estimates[level - 1].estimate
    return None if estimate is None else round(float(estimate), 4)


def _per_level(state: State, levels: int, summary: Any) -> dict[int, Any]:
    return {level: summary(_infused(state, level)) for level in range(1, levels + 1)}


def _infused(state: State, level: int) -> list[Patient]:
    return [p for p in state.patients.values() if p.infused_at is not None and p.dose_level == level]


def responded(patient: Patient, numerator: set[str]) -> bool:
    """A response of the numerator before any transplant or new anti-leukemic therapy."""
    ends = [record.values["PRSTDTC"] for record in patient.forms("PR")]
    ends += [
        record.values["CMSTDTC"]
        for record in patient.forms("CM")
        if record.values["CMCAT"] == "NEW ANTI-LEUKEMIC THERAPY"
    ]
    last = min(ends, default="9999")
    return any(
        record.values.get("RSORRES") in numerator and record.values["RSDTC"] <= last
        for record in patient.forms("RS")
    )


def _mix(patients: list[Patient]) -> dict[str, int]:
    """Infused patients by regimen and by process."""
    names = sorted({p.regimen or "" for p in patients}) + sorted({p.process or "" for p in patients})
    return {name: sum(name in (p.regimen, p.process) for p in patients) for name in names}


def _rule(state: State) -> dict[str, Any]:
    recommended = state.recommendations[-1] if state.recommendations else None
    return {
        "mtd_level": state.mtd.dose_level if state.mtd else None,
        "recommendation": recommended.reasons[-1] if recommended else None,
    }


def _severe_interest(patients: list[Patient]) -> int:
    """Patients with a grade 3 or higher event of interest, recorded or derived from its components."""
    return sum(
        any(r.values["AECAT"] in INTEREST and worst_grade(r.values) >= 3 for r in patient.forms("AE"))
        for patient in patients
    )


def _late(patients: list[Patient]) -> int:
    """Patients with a grade 3 or higher cytopenia or infection that began after Day 28."""
    return sum(
        any(
            r.values["AECAT"] in ("CYTOPENIA", "INFECTION")
            and r.values["AETOXGR"] >= 3
            and _day(patient, r.values["AESTDTC"]) > LATE_DAY
            for r in patient.forms("AE")
        )
        for patient in patients
    )


def _expansion(patients: list[Patient]) -> dict[str, Any]:
    peaks = [peak(patient, "UCART22") for patient in patients]
    lasts = [_last_quantified(patient, "UCART22") for patient in patients]
    areas = [_area(patient, "UCART22") for patient in patients]
    return {
        "median Cmax (copies/ug DNA)": _median(peaks),
        "median AUC to Day 28 (day*copies/ug DNA)": _median(areas),
        "median last day quantified": _median(lasts),
    }


def _exposure(patients: list[Patient]) -> dict[str, Any]:
    return {"median Cmax (ug/mL)": _median([peak(patient, "CLLS52") for patient in patients])}


def _samples(patient: Patient, analyte: str) -> list[dict[str, Any]]:
    rows = [record.values for record in patient.forms("PC") if record.values["PCTEST"] == analyte]
    return [row for row in rows if row.get("PCORRES") is not None and row["PCBLQ"] == "N"]


def peak(patient: Patient, analyte: str) -> float | None:
    """Return the highest measured concentration of ``analyte``; None without one above quantification."""
    return max((float(row["PCORRES"]) for row in _samples(patient, analyte)), default=None)


def _area(patient: Patient, analyte: str) -> float | None:
    """Linear trapezoids over the samples to Day 28, values below quantification as 0: for orientation."""
    rows = [r.values for r in patient.forms("PC") if r.values["PCTEST"] == analyte]
    points = sorted((_day(patient, row["PCDTC"]), float(row.get("PCORRES") or 0.0)) for row in rows)
    points = [point for point in points if 0 <= point[0] <= LATE_DAY]
    if len(points) < 2:
        return None
    return round(sum((t2 - t1) * (c1 + c2) / 2 for (t1, c1), (t2, c2) in pairwise(points)), 1)


def _last_quantified(patient: Patient, analyte: str) -> float | None:
    return max((float(_day(patient, row["PCDTC"])) for row in _samples(patient, analyte)), default=None)


def _day(patient: Patient, moment: str) -> int:
    assert patient.infused_at is not None
    return (datetime.fromisoformat(moment).date() - patient.infused_at.date()).days


def _median(values: list[float | None]) -> float | None:
    known = sorted(value for value in values if value is not None)
    if not known:
        return None
    middle = len(known) // 2
    return known[middle] if len(known) % 2 else (known[middle - 1] + known[middle]) / 2
