"""RS and SUPPRS: disease assessments as the investigator made them, and ECOG performance status.

The investigator's response stands under RSTESTCD OVRLRESP; an assessment without one has RSSTAT NOT DONE, so
that every assessment has its record. Marrow, blood and MRD results of the same form are in LB, linked by
RSLNKGRP and LBLNKGRP.
"""

import polars as pl

from escalon.conduct.state import Record, State
from escalon.datasets.sdtm.subject import (
    Row,
    Subject,
    flag_last_before,
    frame,
    number_rows,
    render_iso,
    subjects,
)
from escalon.datasets.sdtm.supplemental import supplement
from escalon.protocol.study import Study

__all__ = ["derive_rs", "derive_supprs"]

QUALIFIERS = {
    "PLTTRANS": ("Platelet Transfusion within 7 Days", "Collected"),
    "GCSF": ("Growth Factor within 7 Days", "Collected"),
}
_TESTS = (
    ("RSORRES", "OVRLRESP", "Overall Response", ""),
    ("EMD", "EMD", "Extramedullary Disease", "NOT ASSESSED"),
    ("CNS", "CNSSTAT", "Central Nervous System Status", "NOT DONE"),
)


def derive_rs(state: State, study: Study) -> pl.DataFrame:
    """Return RS: overall response, extramedullary disease and CNS status per assessment; ECOG per
    examination."""
    return frame("RS", _rows(state, study))


def derive_supprs(state: State, study: Study) -> pl.DataFrame:
    """Return SUPPRS: transfusion and growth factor in the week before an assessment."""
    return supplement("RS", _rows(state, study), QUALIFIERS)


def _rows(state: State, study: Study) -> list[Row]:
    people = subjects(state, study)
    category = f"ALL RESPONSE ({study.response.criteria_set.upper()})"
    rows: list[Row] = []
    for subject in people:
        for record in subject.patient.forms("RS"):
            rows += _assessment(subject, record, category)
        rows += [_ecog(s, r) for s, r in _examinations(subject)]
    ordered = number_rows("RS", rows, ("RSDTC", "RSCAT", "RSTESTCD"))
    flag_last_before("RS", ordered, people)
    return ordered


def _timing(subject: Subject, record: Record, item: str) -> Row:
    moment = render_iso(record.values[item])
    timing = {"RSDTC": moment, "RSDY": subject.study_day(moment), "EPOCH": subject.epoch(moment)}
    return subject.row("RS") | {"RSSPID": record.record} | subject.visit(record) | timing


def _assessment(subject: Subject, record: Record, category: str) -> list[Row]:
    common = _timing(subject, record, "RSDTC") | {"RSLNKGRP": record.record, "RSCAT": category}
    rows = []
    for item, code, name, not_done in _TESTS:
        value = record.values.get(item)
        row = common | {"RSTESTCD": code, "RSTEST": name, "RSEVAL": "INVESTIGATOR"}
        if value is not None and value != not_done:
            rows.append(row | {"RSORRES": value, "RSSTRESC": value})
        elif value is not None or code == "OVRLRESP":
            rows.append(row | {"RSSTAT": "NOT DONE"})
    rows[0] |= {f"_{name}": record.values.get(name) for name in QUALIFIERS}
    return rows


def _examinations(subject: Subject) -> list[tuple[Subject, Record]]:
    return [(subject, r) for r in subject.patient.forms("VS") if r.values.get("ECOG") is not None]


def _ecog(subject: Subject, record: Record) -> Row:
    grade = record.values["ECOG"]
    return _timing(subject, record, "VSDTC") | {
        "RSTESTCD": "ECOG101",
        "RSTEST": "ECOG1-Performance Status",
        "RSCAT": "ECOG",
        "RSORRES": str(grade),
        "RSSTRESC": str(grade),
        "RSSTRESN": float(grade),
        "RSEVAL": "INVESTIGATOR",
    }
