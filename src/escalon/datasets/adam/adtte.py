"""ADTTE: duration of response, progression-free and overall survival, each with its sensitivity variants.

AVAL is ADT minus STARTDT in days, AVALM the same in months of ``days_per_month``. Events, origins, censoring
reasons and their order are data: ``specs/time_to_event.yaml``; the study's switches and numbers come from
``time_to_event`` of study.yaml. The time frame ends on ``horizon_day`` after the infusion (after the first
dose for a patient never infused).
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import polars as pl

from escalon.datasets.adam.assessments import PROGRESSIONS, Assessed, Course, read_courses
from escalon.datasets.adam.sources import Frames, Row, as_date, by_patient, finish
from escalon.datasets.adam.time_to_event import Case, Outcome, decide, visit_groups
from escalon.datasets.adam.vital_status import Source, deaths, last_alive, load_time_to_event
from escalon.protocol.study import Study

__all__ = ["derive_adtte"]


def derive_adtte(sdtm: Frames, adsl: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Return ADTTE: one record per patient and parameter whose origin the patient reached."""
    table = load_time_to_event()
    courses, died, alive = read_courses(sdtm, study), deaths(sdtm), last_alive(sdtm)
    doses = by_patient(sdtm["EX"])
    rows: list[Row] = []
    for person in adsl.iter_rows(named=True):
        usubjid = person["USUBJID"]
        patient = _Patient(person, doses.get(usubjid, []), courses.get(usubjid), study)
        for parameter in table["parameters"]:
            case = patient.case(parameter, died.get(usubjid), alive.get(usubjid))
            if case is not None:
                outcome = decide(case, parameter["rules"], _switched_off(table, study))
                rows.append(_row(case, outcome, parameter, table, study) | {"USUBJID": usubjid})
    order = {parameter["paramcd"]: place for place, parameter in enumerate(table["parameters"])}
    rows.sort(key=lambda row: order[row["PARAMCD"]])
    return finish("ADTTE", rows, adsl, ())


def _switched_off(table: Mapping[str, Any], study: Study) -> frozenset[str]:
    settings = {name: rule["setting"] for name, rule in table["rules"].items() if "setting" in rule}
    return frozenset(name for name, setting in settings.items() if not getattr(study.time_to_event, setting))


class _Patient:
    """Dates of one patient, with the records they stand in."""

    def __init__(self, person: Row, doses: list[Row], course: Course | None, study: Study) -> None:
        self.person, self.course, self.study = person, course, study
        self.first_dose = _dose(doses)
        self.infusion = _dose([row for row in doses if row["EXTRT"] == study.cell_kinetics.analyte])
        self.assessed = course.assessed if course else ()

    def case(self, parameter: Row, death: Source | None, alive: Source | None) -> Case | None:
        """Return the case of one parameter; None when the patient never reached its origin."""
        start = self._origin(parameter["origin"])
        if start is None or self.first_dose is None:
            return None
        anchor = self.infusion or self.first_dose
        rules = self.study.time_to_event
        horizon_day = anchor.date + timedelta(days=rules.horizon_day)
        adequate = tuple(_source(a) for a in self.assessed if a.adequate and a.date >= start.date)
        name, event = self._first_event(parameter["events"], start.date, death)
        followed = adequate[-1] if adequate else None
        return Case(
            start=start,
            event=event,
            event_name=name,
            adequate=adequate,
            transplant=self.person["SCTDT"],
            new_therapy=self.person["NEWTRTDT"],
            alive=alive,
            followed=followed if "PROGRESSION" in parameter["events"] else alive,
            infusion=self.infusion.date if self.infusion else None,
            horizon=Source(horizon_day, anchor.dataset, anchor.variable, anchor.seq),
            windows=visit_groups(self.study.response_visits),
            missed=rules.missed_visits,
        )

    def _origin(self, name: str) -> Source | None:
        if name == "study":
            name = self.study.time_to_event.origin
        if name == "first_response":
            return self._first_response()
        return self.first_dose if name == "first_study_treatment" else self.infusion

    def _first_response(self) -> Source | None:
        """The first response of the numerator among the assessments read for best response."""
        if self.course is None:
            return None
        numerator = self.study.response.numerator
        read = self.assessed[: self.course.read]
        found = (item for item in read if item.response.response in numerator)
        first = next(found, None)
        return None if first is None else _source(first)

    def _first_event(
        self, names: list[str], start: date, death: Source | None
    ) -> tuple[str | None, Source | None]:
        found: list[tuple[date, int, str, Source]] = []
        if "PROGRESSION" in names:
            for item in self.assessed:
                if item.response.response in PROGRESSIONS and item.date >= start:
                    found.append((item.date, 0, "PROGRESSION", _source(item)))
        if "DEATH" in names and death is not None and death.date >= start:
            found.append((death.date, 1, "DEATH", death))
        if not found:
            return None, None
        _, _, name, source = min(found, key=lambda entry: entry[:2])
        return name, source


def _source(item: Assessed) -> Source:
    return Source(item.date, "RS", "RSDTC", item.rsseq)


def _dose(doses: list[Row]) -> Source | None:
    first = min(doses, key=lambda row: (row["EXSTDTC"], row["EXSEQ"]), default=None)
    day = as_date(first["EXSTDTC"]) if first else None
    return None if first is None or day is None else Source(day, "EX", "EXSTDTC", first["EXSEQ"])


def _row(case: Case, outcome: Outcome, parameter: Row, table: Mapping[str, Any], study: Study) -> Row:
    rule, source = table["rules"][outcome.rule], outcome.source
    days = (source.date - case.start.date).days
    event = outcome.rule == "EVENT"
    described = table["events"][case.event_name]["evntdesc"] if event else rule["evntdesc"]
    return {
        "PARAMCD": parameter["paramcd"],
        "PARAM": parameter["param"],
        "AVAL": float(days),
        "AVALU": "DAYS",
        "AVALM": days / study.time_to_event.days_per_month,
        "STARTDT": case.start.date,
        "ADT": source.date,
        "CNSR": rule["cnsr"],
        "EVNTDESC": described,
        "CNSDTDSC": None if event else _capitalised(rule["date"]),
        "RULEID": case.event_name if event else outcome.rule,
        "SRCDOM": source.dataset,
        "SRCVAR": source.variable,
        "SRCSEQ": source.seq,
    }


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
