"""Tables of the development safety update report (ICH E2F), from the facts up to the data lock point.

Conventions: the interval runs from the last anniversary of the development birth date (or, without one, of the start
of the study) to the lock point; both days count, in the sponsor's zone. A serious adverse reaction is a serious event
related to an investigational product in the combined opinion of investigator and sponsor. It is listed in the interval
in which the sponsor received it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from escalon.conduct.fold import cut
from escalon.conduct.safety.due import due_date
from escalon.conduct.safety.reading import investigational, investigator_causality
from escalon.conduct.safety.state import Case
from escalon.conduct.state import Fact, Patient, State
from escalon.criteria.relatedness import combine
from escalon.protocol import StudyFolder

AGE_GROUPS = ((0, 17, "under 18"), (18, 64, "18 to 64"), (65, 200, "65 or older"))
UNKNOWN = "not recorded"


@dataclass(frozen=True, slots=True)
class Dsur:
    """The report.

    Attributes:
        start: first day of the interval.
        lock_point: its last day.
        due: last day to submit, per jurisdiction.
        reactions: line listing of serious adverse reactions in the interval.
        events: serious adverse events since the start by system organ class and term, all and related per product.
        exposure: patients who received the cell product since the start, by dose level, regimen, age and sex.
        deaths: all deaths since the start, with whether they lie in the interval.
        discontinuations: patients who left before completion, since the start.
    """

    study_id: str
    title: str
    birth_date: date
    start: date
    lock_point: date
    due: dict[str, date]
    enrolled: int
    infused: int
    reactions: pl.DataFrame
    events: pl.DataFrame
    exposure: pl.DataFrame
    deaths: pl.DataFrame
    discontinuations: pl.DataFrame

    def tables(self) -> dict[str, pl.DataFrame]:
        """All tables by the name of their file."""
        return {
            "reactions": self.reactions,
            "events": self.events,
            "exposure": self.exposure,
            "deaths": self.deaths,
            "discontinuations": self.discontinuations,
        }


def derive_dsur(facts: Sequence[Fact], folder: StudyFolder, lock_point: date) -> Dsur:
    """Return the report with data up to the end of ``lock_point``.

    Raises:
        ValueError: the lock point lies before the development birth date.
    """
    rules, identity = folder.conduct.safety, folder.study.identity
    zone = ZoneInfo(rules.zone)
    born = rules.development_birth_date or identity.start_date
    if lock_point < born:
        raise ValueError(f"lock point {lock_point}: it lies before the development birth date {born}")
    locked = datetime.combine(lock_point, time.max, zone)
    start = interval_start(born, lock_point)
    state = cut(facts, locked.astimezone(UTC))
    yearly = sorted(rules.rules_for("dsur", lock_point), key=lambda rule: rule.jurisdiction)
    due = {rule.jurisdiction: due_date(rule, locked, rules.zone) for rule in yearly}
    patients = state.patients.values()
    return Dsur(
        identity.study_id,
        identity.brief_title,
        born,
        start,
        lock_point,
        due,
        len(patients),
        sum(patient.infused_at is not None for patient in patients),
        _reactions(state, folder, datetime.combine(start, time(), zone)),
        _events(state, folder),
        _exposure(state, folder),
        _deaths(state, start),
        _discontinuations(state),
    )


def interval_start(born: date, lock_point: date) -> date:
    """Return the last anniversary of ``born`` on or before ``lock_point``; of 29 February it is 1 March.

    >>> interval_start(date(2019, 10, 14), date(2022, 10, 13)).isoformat()
    '2021-10-14'
    """

    def anniversary(year: int) -> date:
        try:
            return born.replace(year=year)
        except ValueError:
            return date(year, 3, 1)

    this = anniversary(lock_point.year)
    return this if this <= lock_point else anniversary(lock_point.year - 1)


def _related(state: State, case: Case, folder: StudyFolder) -> tuple[str, ...]:
    """Investigational products the event is related to in the combined opinion."""
    values = state.patients[case.patient].records[case.record].values
    said = investigator_causality(values)
    return tuple(
        product
        for product in investigational(folder)
        if combine(product, said.get(product), case.causality.get(product)).related
    )


def _reactions(state: State, folder: StudyFolder, start: datetime) -> pl.DataFrame:
    rows = []
    for case in state.safety.cases:
        related = _related(state, case, folder)
        if not related or case.sponsor_aware_at < start:
            continue
        patient = state.patients[case.patient]
        values = patient.records[case.record].values
        said = investigator_causality(values)
        site = state.people.sites.get(patient.site)
        rows.append(
            {
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
                "serious": ", ".join(code.replace("_", " ").lower() for code in case.serious),
                "related to": ", ".join(related),
                "investigator": "; ".join(
                    f"{name} {said.get(name, 'not given').lower()}" for name in related
                ),
                "sponsor": "; ".join(
                    f"{name} {case.causality.get(name, 'not given').lower()}" for name in related
                ),
                "expectedness": "; ".join(
                    f"{name} {case.expectedness.get(name, 'not judged')}" for name in related
                ),
                "SUSAR": {None: "to assess", True: "yes", False: "no"}[case.susar],
            }
        )
    return _frame(rows, "case", "patient", "event")


def _events(state: State, folder: StudyFolder) -> pl.DataFrame:
    products = investigational(folder)
    counts: dict[tuple[str, str], Counter[str]] = {}
    for case in state.safety.cases:
        values = state.patients[case.patient].records[case.record].values
        found = counts.setdefault((values["AEBODSYS"], case.term), Counter())
        found["all"] += 1
        found.update(_related(state, case, folder))
    rows = [
        {
            "system organ class": soc,
            "term": term,
            "serious events": found["all"],
            **{f"related to {product}": found[product] for product in products},
        }
        for (soc, term), found in sorted(counts.items())
    ]
    return _frame(rows, "system organ class", "term", "serious events")


def _exposure(state: State, folder: StudyFolder) -> pl.DataFrame:
    counts: Counter[tuple[str, str]] = Counter()
    for patient in state.patients.values():
        if patient.infused_at is None:
            continue
        level = folder.study.dose_level(patient.dose_level or 1)
        demographics = _demographics(patient)
        counts["dose level", f"{level.level}: {level.label}, {level.dose:g} {level.unit.lower()}"] += 1
        counts["regimen", patient.regimen or UNKNOWN] += 1
        counts["age", _age_group(demographics.get("AGE"))] += 1
        counts["sex", demographics.get("SEX") or UNKNOWN] += 1
    order = ("dose level", "regimen", "age", "sex")
    ages = [label for *_, label in AGE_GROUPS]
    ordered = sorted(
        counts, key=lambda key: (order.index(key[0]), ages.index(key[1]) if key[1] in ages else 9, key[1])
    )
    rows = [{"by": by, "group": group, "patients": counts[by, group]} for by, group in ordered]
    return _frame(rows, "by", "group", "patients")


def _age_group(age: int | None) -> str:
    return next((label for low, high, label in AGE_GROUPS if age is not None and low <= age <= high), UNKNOWN)


def _deaths(state: State, start: date) -> pl.DataFrame:
    rows = []
    for patient in state.patients.values():
        for record in patient.forms("DS"):
            if record.values["DSDECOD"] != "DEATH":
                continue
            died = record.values["DSSTDTC"][:10]
            rows.append(
                {
                    "patient": patient.patient,
                    "level": patient.dose_level,
                    "died": died,
                    "day": _day(patient, died),
                    "cause": (record.values.get("DTHCAUS") or UNKNOWN).lower(),
                    "in the interval": "yes" if died >= start.isoformat() else "no",
                }
            )
    return _frame(rows, "patient", "died", "cause")


def _discontinuations(state: State) -> pl.DataFrame:
    ends = ("NOT INFUSED", "LOST TO FOLLOW-UP", "WITHDRAWAL BY SUBJECT")
    rows = [
        {
            "patient": patient.patient,
            "level": patient.dose_level,
            "date": record.values["DSSTDTC"][:10],
            "reason": record.values["DSDECOD"].lower(),
            "detail": record.values.get("DSTERM") or "",
        }
        for patient in state.patients.values()
        for record in patient.forms("DS")
        if record.values["DSDECOD"] in ends
    ]
    return _frame(rows, "patient", "date", "reason")


def _demographics(patient: Patient) -> dict[str, Any]:
    records = patient.forms("DM")
    return records[-1].values if records else {}


def _day(patient: Patient, moment: str) -> int | None:
    """Days after the infusion; None without one."""
    if patient.infused_at is None:
        return None
    passed: timedelta = date.fromisoformat(moment[:10]) - patient.infused_at.date()
    return passed.days


def _frame(rows: list[dict[str, Any]], *columns: str) -> pl.DataFrame:
    """A table of ``rows``; without rows it still names its main columns."""
    return (
        pl.DataFrame(rows, infer_schema_length=None) if rows else pl.DataFrame({name: [] for name in columns})
    )
