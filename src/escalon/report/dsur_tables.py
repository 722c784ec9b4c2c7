"""Tables of the yearly safety report, each from the state at the data lock point.

Conventions: a serious adverse reaction is a serious event related to an investigational product in the combined
opinion of investigator and sponsor. An event belongs to the interval in which the sponsor received it, a death or
another end to the one in which its day lies. A case whose record was taken back is left out.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from escalon.conduct.safety.due import awareness_date
from escalon.conduct.safety.reading import investigational, investigator_causality
from escalon.conduct.safety.state import Case
from escalon.conduct.state import Patient, State
from escalon.criteria.relatedness import combine
from escalon.protocol import StudyFolder
from escalon.report.wording import render_dose

AGE_GROUPS = ((0, 17, "under 18"), (18, 64, "18 to 64"), (65, 200, "65 or older"))
UNKNOWN = "not recorded"
LEFT = ("NOT INFUSED", "LOST TO FOLLOW-UP", "WITHDRAWAL BY SUBJECT")


@dataclass(frozen=True, slots=True)
class Cut:
    """What a table is made of: the state at the lock point, the study, the interval (both days count)."""

    state: State
    folder: StudyFolder
    start: date
    end: date

    def holds(self, day: date | str) -> bool:
        """Tell whether a day lies in the interval."""
        return self.start.isoformat() <= str(day)[:10] <= self.end.isoformat()

    def holds_moment(self, moment: datetime) -> bool:
        """Tell whether the day of ``moment``, in the sponsor's zone, lies in the interval."""
        return self.holds(awareness_date(moment, self.folder.conduct.safety.zone))

    def cases(self) -> tuple[Case, ...]:
        """Cases whose record stands."""
        return tuple(one for one in self.state.safety.cases if not self._record(one).withdrawn)

    def values(self, case: Case) -> dict[str, Any]:
        """The record of a case."""
        return self._record(case).values

    def _record(self, case: Case) -> Any:
        return self.state.patients[case.patient].records[case.record]

    def related(self, case: Case) -> tuple[str, ...]:
        """Investigational products the event is related to in the combined opinion."""
        said = investigator_causality(self.values(case))
        return tuple(
            product
            for product in investigational(self.folder)
            if combine(product, said.get(product), case.causality.get(product)).related
        )


def tabulate_reactions(cut: Cut) -> pl.DataFrame:
    """Line listing of the serious adverse reactions of the interval (E2F 7.2)."""
    rows = [
        _reaction(cut, case, related)
        for case in cut.cases()
        if (related := cut.related(case)) and cut.holds_moment(case.sponsor_aware_at)
    ]
    return frame(rows, "case", "patient", "event")


def _reaction(cut: Cut, case: Case, related: tuple[str, ...]) -> dict[str, Any]:
    patient, values = cut.state.patients[case.patient], cut.values(case)
    said, site = investigator_causality(values), cut.state.people.sites.get(patient.site)

    def per_product(opinions: dict[str, str], otherwise: str) -> str:
        return "; ".join(f"{name} {opinions.get(name, otherwise)}" for name in related)

    return {
        "case": case.number,
        "patient": case.patient,
        "country": site.country if site else UNKNOWN,
        "age": _demographics(patient).get("AGE"),
        "sex": _demographics(patient).get("SEX"),
        "level": patient.dose_level,
        "regimen": patient.regimen,
        "event": case.term,
        "grade": values["AETOXGR"],
        "onset": case.onset[:10],
        "day": _day(patient, case.onset),
        "outcome": values["AEOUT"].lower(),
        "serious": _words(case.serious),
        "related to": ", ".join(related),
        "investigator": per_product({name: word.lower() for name, word in said.items()}, "not given"),
        "sponsor": per_product({name: word.lower() for name, word in case.causality.items()}, "not given"),
        "expectedness": per_product(case.expectedness, "not judged"),
        "SUSAR": {None: "to assess", True: "yes", False: "no"}[case.susar],
    }


def tabulate_events(cut: Cut) -> pl.DataFrame:
    """Serious adverse events by system organ class and term: since the birth date and in the interval (E2F 7.3)."""
    return _by_term(cut, "serious events", lambda case: True)


def tabulate_cumulative_reactions(cut: Cut) -> pl.DataFrame:
    """Serious adverse reactions by system organ class and term since the birth date (E2F 16)."""
    return _by_term(cut, "serious reactions", lambda case: bool(cut.related(case)))


def _by_term(cut: Cut, what: str, belongs: Callable[[Case], bool]) -> pl.DataFrame:
    products = investigational(cut.folder)
    counts: dict[tuple[str, str], Counter[str]] = {}
    for case in filter(belongs, cut.cases()):
        found = counts.setdefault((cut.values(case)["AEBODSYS"], case.term), Counter())
        found[what] += 1
        found["in the interval"] += cut.holds_moment(case.sponsor_aware_at)
        found.update(f"related to {product}" for product in cut.related(case))
    columns = (what, "in the interval", *(f"related to {product}" for product in products))
    rows = [
        {"system organ class": soc, "term": term, **{name: found[name] for name in columns}}
        for (soc, term), found in sorted(counts.items())
    ]
    return frame(rows, "system organ class", "term", *columns)


def tabulate_exposure(cut: Cut) -> pl.DataFrame:
    """Patients exposed since the birth date and first exposed in the interval, by product, dose and person (E2F 6)."""
    counts: dict[tuple[str, str], list[int]] = {}
    for patient in cut.state.patients.values():
        for key, first in _groups(cut, patient):
            found = counts.setdefault(key, [0, 0])
            found[0] += 1
            found[1] += cut.holds(first)
    order = ("product", "dose level", "regimen", "age", "sex", "race")
    ages = [label for *_, label in AGE_GROUPS]
    ordered = sorted(
        counts, key=lambda key: (order.index(key[0]), ages.index(key[1]) if key[1] in ages else 9, key[1])
    )
    rows = [
        {"by": by, "group": group, "patients": counts[by, group][0], "in the interval": counts[by, group][1]}
        for by, group in ordered
    ]
    return frame(rows, "by", "group", "patients", "in the interval")


def _groups(cut: Cut, patient: Patient) -> list[tuple[tuple[str, str], str]]:
    """The groups a patient counts in, each with the day of the first exposure."""
    days: dict[str, str] = {}
    for record in patient.forms("EX"):
        name, day = record.values["EXTRT"], record.values["EXSTDTC"][:10]
        if name in investigational(cut.folder) and record.values["EXDOSE"] > 0:
            days[name] = min(day, days.get(name, day))
    found = [(("product", name), day) for name, day in days.items()]
    if patient.infused_at is None:
        return found
    level, who = cut.folder.study.dose_level(patient.dose_level or 1), _demographics(patient)
    groups = {
        "dose level": f"{level.level}: {level.label}, {render_dose(level.dose)} {level.unit.lower()}",
        "regimen": patient.regimen or UNKNOWN,
        "age": _age_group(who.get("AGE")),
        "sex": who.get("SEX") or UNKNOWN,
        "race": (who.get("RACE") or UNKNOWN).lower(),
    }
    return found + [(key, patient.infused_at.isoformat()[:10]) for key in groups.items()]


def _age_group(age: int | None) -> str:
    return next((label for low, high, label in AGE_GROUPS if age is not None and low <= age <= high), UNKNOWN)


def tabulate_deaths(cut: Cut) -> pl.DataFrame:
    """All deaths since the birth date with their cause and the case of the fatal event."""
    rows = []
    for patient, values in _ends(cut, ("DEATH",)):
        died = values["DSSTDTC"][:10]
        fatal = [
            one
            for one in cut.cases()
            if one.patient == patient.patient and cut.values(one).get("AESDTH") == "Y"
        ]
        rows.append(
            {
                "patient": patient.patient,
                "level": patient.dose_level,
                "died": died,
                "day": _day(patient, died),
                "cause": (values.get("DTHCAUS") or UNKNOWN).lower(),
                "fatal event": "; ".join(f"{one.term} (case {one.number})" for one in fatal)
                or "none recorded",
                "related to": ", ".join(dict.fromkeys(name for one in fatal for name in cut.related(one)))
                or "none",
                "in the interval": _yes(cut.holds(died)),
            }
        )
    return frame(rows, "patient", "died", "cause", "in the interval")


def tabulate_discontinuations(cut: Cut) -> pl.DataFrame:
    """Patients who left before completion, with the adverse events that were not resolved on that day."""
    rows = []
    for patient, values in _ends(cut, LEFT):
        day = values["DSSTDTC"][:10]
        rows.append(
            {
                "patient": patient.patient,
                "level": patient.dose_level,
                "date": day,
                "reason": values["DSDECOD"].lower(),
                "detail": values.get("DSTERM") or "",
                "adverse events unresolved then": "; ".join(_unresolved(patient, day)) or "none",
                "in the interval": _yes(cut.holds(day)),
            }
        )
    return frame(rows, "patient", "date", "reason", "in the interval")


def _unresolved(patient: Patient, day: str) -> list[str]:
    """Adverse events that had begun and not ended on ``day``."""
    return [
        f"{record.values['AEDECOD']}, grade {record.values['AETOXGR']}"
        for record in patient.forms("AE")
        if record.values["AESTDTC"][:10] <= day and (record.values.get("AEENDTC") or "9")[:10] > day
    ]


def _ends(cut: Cut, reasons: tuple[str, ...]) -> list[tuple[Patient, dict[str, Any]]]:
    return [
        (patient, record.values)
        for patient in cut.state.patients.values()
        for record in patient.forms("DS")
        if record.values["DSDECOD"] in reasons
    ]


def _demographics(patient: Patient) -> dict[str, Any]:
    records = patient.forms("DM")
    return records[-1].values if records else {}


def _day(patient: Patient, moment: str) -> int | None:
    """Days after the infusion; None without one."""
    if patient.infused_at is None:
        return None
    passed: timedelta = date.fromisoformat(moment[:10]) - patient.infused_at.date()
    return passed.days


def _words(codes: tuple[str, ...]) -> str:
    return ", ".join(code.replace("_", " ").lower() for code in codes)


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"


def frame(rows: list[dict[str, Any]], *columns: str) -> pl.DataFrame:
    """A table of ``rows``; without rows it still names its main columns."""
    return (
        pl.DataFrame(rows, infer_schema_length=None) if rows else pl.DataFrame({name: [] for name in columns})
    )
