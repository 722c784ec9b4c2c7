"""A made-up study for the report: a State of about thirty patients, and ADaM frames that agree with it.

Nothing here is a trial or a model of one: it only has the shape of the real inputs, with every special case the
report must print (not infused, not evaluable, no CLLS52, never assessed, transplant, new therapy, death).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from escalon.conduct.events import DltStatus
from escalon.conduct.state import Cohort, Decision, Mtd, Patient, Recommendation, Record, Rp2d, State

OPENED = datetime(2019, 10, 14, 9, tzinfo=UTC)
SIGNERS = ("Chair", "Statistician")

# cohort: part, level, outcomes in order (N no DLT, T DLT, E not evaluable, X lymphodepletion only)
COHORTS: tuple[tuple[str, int, str], ...] = (
    ("escalation", 1, "NNN"),
    ("escalation", 2, "NXNN"),
    ("escalation", 3, "NTEN"),
    ("escalation", 3, "NNN"),
    ("escalation", 4, "TTN"),
    ("escalation", 3, "TNN"),
    ("expansion", 3, "NNTNNNNENNTN"),
)
STATUS = {"N": DltStatus.NO_DLT, "T": DltStatus.DLT, "E": DltStatus.NOT_EVALUABLE, "X": DltStatus.PENDING}
ACTIONS = ("escalate", "escalate", "stay", "escalate", "de_escalate", "stop")
DECIDED = (
    ("open", 1, "First cohort at the start level."),
    ("escalate", 2, "Rule followed: no DLT among three patients."),
    ("escalate", 3, "Rule followed: no DLT among three patients."),
    ("stay", 3, "One DLT among three: three more patients before going on."),
    ("escalate", 4, "One DLT among six lies below the target."),
    ("de_escalate", 3, "Two DLTs among three at DL3 exceed what the committee accepts."),
    ("stop", None, "Nine evaluable patients at one level: the escalation ends."),
)


@dataclass(frozen=True)
class Fate:
    """What the example decided for one patient, shared by the state and the frames."""

    patient: str
    part: str
    cohort: int
    level: int
    code: str
    infused: datetime | None


def make_fates() -> list[Fate]:
    """Patients in order of enrolment."""
    fates: list[Fate] = []
    day = 20
    for cohort, (part, level, codes) in enumerate(COHORTS, start=1):
        for code in codes:
            day += 14 if part == "escalation" else 10
            infused = None if code == "X" else OPENED + timedelta(days=day)
            fates.append(Fate(f"{len(fates) + 1:03d}", part, cohort, level, code, infused))
        day += 30
    return fates


def make_patient(fate: Fate) -> Patient:
    """One patient of the state."""
    start = fate.infused or OPENED + timedelta(days=90)
    fca = fate.cohort > 2
    return Patient(
        patient=fate.patient,
        site="01" if int(fate.patient) % 3 else "02",
        part=fate.part,
        cohort=fate.cohort,
        consented_on=(start - timedelta(days=16)).date().isoformat(),
        replaces=None,
        enrolled_at=start - timedelta(days=16),
        dose_level=fate.level,
        regimen="FCA" if fca else "FC",
        process="P2" if fate.part == "expansion" else "P1",
        infused_at=fate.infused,
        dose_fraction=None if fate.infused is None else 0.98,
        released="Fever before the infusion" if fate.code == "X" else None,
        dlt_status=STATUS[fate.code],
        dlt_clause="2" if fate.code == "T" else None,
        dlt_reason={
            "T": "CRS grade 3 for more than 72 h",
            "E": "Disease progression before Day 28",
            "N": "No clause met by Day 28",
        }.get(fate.code),
        dlt_adjudicated_at=None if fate.code == "X" else start + timedelta(days=30),
        records=make_marrows(fate),
    )


def make_marrows(fate: Fate) -> dict[str, Record]:
    """Marrow blasts before the infusion and at two visits; one patient without baseline, one without any."""
    if fate.infused is None or fate.patient == "003":
        return {}
    base = 20 + int(fate.patient) % 50
    course = {-7: base, 28: base * (0.05 if fate.code == "N" else 1.4), 56: base * 0.5}
    if fate.patient == "004":
        del course[-7]
    records = {}
    for day, blasts in course.items():
        at = fate.infused + timedelta(days=day)
        values = {"RSDTC": at.date().isoformat(), "BMBLAST": float(blasts)}
        records[f"RS/{day}"] = Record(fate.patient, "RS", f"{day}", 1, None, values, at, 1)
    return records


def make_counts(fates: list[Fate], last_cohort: int, levels: int = 4) -> tuple[list[int], list[int]]:
    """Evaluable patients and DLTs per level after ``last_cohort``."""
    n, y = [0] * levels, [0] * levels
    for fate in fates:
        if fate.part == "escalation" and fate.cohort <= last_cohort and fate.code in "NT":
            n[fate.level - 1] += 1
            y[fate.level - 1] += fate.code == "T"
    return n, y


def make_state(study_hash: str = "0" * 64) -> State:
    """The state after the last patient's Month 24."""
    fates = make_fates()
    cohorts, recommendations, decisions = [], [], []
    when = OPENED
    for number, (part, level, codes) in enumerate(COHORTS, start=1):
        seats = tuple(f.patient for f in fates if f.cohort == number and f.code != "X")
        cohorts.append(Cohort(number, part, level, len(codes), when, seats, decided=True))
        when = max(f.infused for f in fates if f.cohort == number and f.infused) + timedelta(days=30)
        if part == "escalation":
            n, y = make_counts(fates, number)
            action, decided = ACTIONS[number - 1], DECIDED[number]
            reasons = (f"{n[level - 1]} patients and {y[level - 1]} DLTs at level {level}", "target 0.30")
            inputs = {"n": n, "y": y, "level": level}
            target = None if action == "stop" else (4 if number == 3 else decided[1])
            recommendations.append(Recommendation(number, number, action, target, reasons, inputs, when))
    for index, (action, level, reason) in enumerate(DECIDED):
        at = OPENED if index == 0 else recommendations[index - 1].at + timedelta(days=1)
        decisions.append(Decision(index + 1, index or None, action, level, reason, SIGNERS, at))
    n, y = make_counts(fates, 6)
    end = recommendations[-1].at
    return State(
        study_id="BALLI-01",
        study_hash=study_hash,
        plan_hash="a1" * 32,
        origin="simulated",
        opened_at=OPENED,
        closed_at=when + timedelta(days=760),
        patients={fate.patient: make_patient(fate) for fate in fates},
        cohorts=tuple(cohorts),
        recommendations=tuple(recommendations),
        decisions=tuple(decisions),
        mtd=Mtd(3, tuple(n), tuple(y), "Isotonic estimate closest to the target", end),
        rp2d=Rp2d(
            3,
            "Tolerable, active, and with expansion of the cells in every responder.",
            {"dlt": "2 of 9 at DL2i", "response": "5 of 9 at DL2i", "data cut-off": "2021-01-31"},
            SIGNERS,
            end + timedelta(days=7),
        ),
        seq=4321,
        at=when + timedelta(days=760),
    )


def make_generator() -> np.random.Generator:
    """The one generator of the example."""
    return np.random.default_rng(20191014)
