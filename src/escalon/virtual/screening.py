"""What a site enters at screening."""

from typing import Any

from escalon.protocol.study import Regimen
from escalon.virtual.acts import Consent, Day, Draft
from escalon.virtual.patients import VirtualPatient
from escalon.virtual.visits import VisitPlan


def screening_drafts(visits: VisitPlan, regimen: Regimen, patient: VirtualPatient) -> list[Draft]:
    """Return consent, demography, history and eligibility of ``patient``."""
    screening = next(v for v in visits.visits if "DM" in v.visit.forms)
    day, label = screening.day - 0.08, screening.label
    demography: dict[str, Any] = {
        "AGE": patient.age,
        "SEX": patient.sex,
        "RACE": patient.race,
        "ETHNIC": patient.ethnicity,
        "COUNTRY": patient.country,
    }
    history: dict[str, Any] = {
        "MHTERM": "B-cell acute lymphoblastic leukemia",
        "PRIORLIN": patient.prior_lines,
        "PRIORSCT": "Y" if patient.prior_transplant else "N",
        "PRIORCD19": "Y" if patient.prior_cd19 else "N",
        "CD22PCT": patient.cd22,
    }
    consent = {"DSDECOD": "INFORMED CONSENT OBTAINED", "DSSTDTC": Consent()}
    eligible = {"DSDECOD": "ELIGIBILITY CRITERIA MET", "DSSTDTC": Day(regimen.first_day - 1)}
    return [
        Draft(day - 0.02, "DS", "DS-CONSENT", consent, label),
        Draft(day, "DM", "DM", demography, label),
        Draft(day + 0.005, "MH", "MH", history, label),
        Draft(regimen.first_day - 0.7, "DS", "DS-ELIGIBLE", eligible, label),
    ]
