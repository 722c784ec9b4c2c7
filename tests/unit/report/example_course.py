"""The drawn course of each example patient, and the keys every ADaM row carries."""

from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from tests.unit.report.example import Fate, make_patient

LABELS = {1: "DL1", 2: "DL2", 3: "DL2i", 4: "DL3"}


def keys(fate: Fate) -> dict[str, Any]:
    """Subject keys of every ADaM row."""
    patient = make_patient(fate)
    return {
        "USUBJID": f"BALLI-01-{patient.site}-{fate.patient}",
        "PART": fate.part.upper(),
        "COHORT": fate.cohort,
        "DOSELVL": fate.level,
        "TRT01A": LABELS[fate.level] if fate.infused else None,
        "LDREGI": patient.regimen,
        "PROCESS": patient.process,
        "SAFFL": "Y" if fate.infused else "N",
        "LDFL": "Y",
    }


def infusion(fate: Fate) -> date:
    """Day 0, or the day the infusion would have been."""
    start = fate.infused or datetime.fromisoformat(make_patient(fate).consented_on) + timedelta(days=16)
    return start.date()


class Course:
    """The drawn course of one patient, in days from the infusion."""

    def __init__(self, fate: Fate, rng: np.random.Generator) -> None:
        self.fate = fate
        self.weight = float(np.round(rng.uniform(48, 104), 1))
        self.age = int(rng.integers(16, 70))
        self.responds = bool(rng.random() < 0.2 + 0.12 * fate.level)
        self.best = str(rng.choice(["CR", "CRi", "MLFS"])) if self.responds else "NR"
        self.relapse = int(rng.exponential(260)) + 60 if self.responds else int(rng.integers(28, 80))
        self.hsct = int(rng.integers(70, 120)) if self.responds and rng.random() < 0.6 else None
        self.newtrt = None if self.responds else self.relapse + 15 if rng.random() < 0.4 else None
        self.death = int(self.relapse + rng.exponential(240) + 10)
        if rng.random() < 0.08:
            self.death = 24
        self.last = min(self.death, 731)
        self.dead = self.death <= 731
        if self.hsct and self.hsct >= self.death:
            self.hsct = None
        self.auc = float(rng.lognormal(4.2, 0.5) * 70 / self.weight)
