"""VS, CM and PR: vital signs, other therapies and transplants."""

import polars as pl

from escalon.conduct.state import State
from escalon.datasets.sdtm.subject import (
    Row,
    flag_last_before,
    frame,
    number_rows,
    render_iso,
    render_number,
    subjects,
)
from escalon.protocol.study import Study

__all__ = ["derive_cm", "derive_pr", "derive_vs"]

_SIGNS = (("WEIGHT", "Weight", "kg"), ("HEIGHT", "Height", "cm"))


def derive_vs(state: State, study: Study) -> pl.DataFrame:
    """Return VS: weight (kg) and height (cm)."""
    people = subjects(state, study)
    rows: list[Row] = []
    for subject in people:
        for record in subject.patient.forms("VS"):
            moment = render_iso(record.values["VSDTC"])
            timing = {"VSDTC": moment, "VSDY": subject.study_day(moment), "EPOCH": subject.epoch(moment)}
            common = subject.row("VS") | {"VSSPID": record.record} | subject.visit(record) | timing
            for code, name, unit in _SIGNS:
                value = record.values.get(code)
                if value is not None:
                    text = render_number(value)
                    given = {"VSTESTCD": code, "VSTEST": name, "VSORRES": text, "VSORRESU": unit}
                    standard = {"VSSTRESC": text, "VSSTRESN": float(value), "VSSTRESU": unit}
                    rows.append(common | given | standard)
    ordered = number_rows("VS", rows, ("VSDTC", "VSTESTCD"))
    flag_last_before("VS", ordered, people)
    return frame("VS", ordered)


def derive_cm(state: State, study: Study) -> pl.DataFrame:
    """Return CM: other therapies, new anti-leukemic therapy among them."""
    rows = []
    for subject in subjects(state, study):
        for record in subject.patient.forms("CM"):
            values = record.values
            start, end = render_iso(values["CMSTDTC"]), render_iso(values.get("CMENDTC"))
            named = {"CMSPID": record.record, "CMTRT": values["CMTRT"], "CMCAT": values["CMCAT"]}
            timing = {"EPOCH": subject.epoch(start), "CMSTDTC": start, "CMENDTC": end}
            days = {"CMSTDY": subject.study_day(start), "CMENDY": subject.study_day(end)}
            rows.append(subject.row("CM") | named | timing | days)
    return frame("CM", number_rows("CM", rows, ("CMSTDTC", "CMTRT")))


def derive_pr(state: State, study: Study) -> pl.DataFrame:
    """Return PR: procedures, allogeneic transplants among them."""
    rows = []
    for subject in subjects(state, study):
        for record in subject.patient.forms("PR"):
            start = render_iso(record.values["PRSTDTC"])
            timing = {"EPOCH": subject.epoch(start), "PRSTDTC": start, "PRSTDY": subject.study_day(start)}
            named = {"PRSPID": record.record, "PRTRT": record.values["PRTRT"]}
            rows.append(subject.row("PR") | named | timing)
    return frame("PR", number_rows("PR", rows, ("PRSTDTC", "PRTRT")))
