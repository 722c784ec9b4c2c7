"""LB: laboratory panels, and the marrow, blood and MRD results of the disease assessments.

Reference limits are the study's (``reference_ranges``), by sex. Results of a disease assessment carry LBCAT DISEASE
ASSESSMENT and the link group of their RS records; test codes of theirs are the sponsor's own.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import polars as pl

from escalon.conduct.state import Record, State
from escalon.datasets.sdtm.subject import (
    Row,
    Subject,
    flag_last_before,
    frame,
    number_rows,
    render_iso,
    render_number,
    subjects,
)
from escalon.datasets.spec import load_table
from escalon.protocol.study import ReferenceRange, Study

__all__ = ["ASSESSMENT", "derive_lb"]

ASSESSMENT = "DISEASE ASSESSMENT"


@cache
def _tests(name: str) -> tuple[dict[str, str], ...]:
    return tuple(load_table(name))


def derive_lb(state: State, study: Study) -> pl.DataFrame:
    """Return LB: one record per result; an item left empty on the form gives no record, an MRD not done says
    so."""
    people = subjects(state, study)
    ranges = {row.item: row for row in study.reference_ranges}
    rows: list[Row] = []
    for subject in people:
        sex = next((record.values.get("SEX") for record in subject.patient.forms("DM")), None)
        for record in subject.patient.forms("LB"):
            rows += _panel(subject, record, sex, ranges)
        for record in subject.patient.forms("RS"):
            rows += _assessment(subject, record)
    ordered = number_rows("LB", rows, ("LBDTC", "LBCAT", "LBTESTCD"))
    flag_last_before("LB", ordered, people)
    return frame("LB", ordered)


def _timing(subject: Subject, record: Record, item: str) -> Row:
    moment = render_iso(record.values[item])
    timing = {"LBDTC": moment, "LBDY": subject.study_day(moment), "EPOCH": subject.epoch(moment)}
    return subject.row("LB") | {"LBSPID": record.record} | subject.visit(record) | timing


def _panel(
    subject: Subject, record: Record, sex: str | None, ranges: Mapping[str, ReferenceRange]
) -> list[Row]:
    common = _timing(subject, record, "LBDTC")
    rows = []
    for test in _tests("laboratory.csv"):
        value = record.values.get(test["form_item"])
        if value is not None:
            limits = {"LBCAT": test["category"]} | _limits(ranges.get(test["form_item"]), sex, float(value))
            rows.append(common | _result(test, value) | limits)
    return rows


def _result(test: Mapping[str, str], value: float) -> Row:
    text = render_number(value)
    return {
        "LBTESTCD": test["testcd"],
        "LBTEST": test["test"],
        "LBORRES": text,
        "LBORRESU": test["unit"] or None,
        "LBSTRESC": text,
        "LBSTRESN": float(value),
        "LBSTRESU": test["unit"] or None,
        "LBSPEC": test["specimen"],
    }


def _limits(range_: ReferenceRange | None, sex: str | None, value: float) -> Row:
    lower, upper = (None, None) if range_ is None else range_.limits(sex)
    indicator = None if lower is None and upper is None else "NORMAL"
    if lower is not None and value < lower:
        indicator = "LOW"
    elif upper is not None and value > upper:
        indicator = "HIGH"
    return {
        "LBORNRLO": None if lower is None else render_number(lower),
        "LBORNRHI": None if upper is None else render_number(upper),
        "LBSTNRLO": lower,
        "LBSTNRHI": upper,
        "LBNRIND": indicator,
    }


def _assessment(subject: Subject, record: Record) -> list[Row]:
    common = _timing(subject, record, "RSDTC") | {"LBCAT": ASSESSMENT, "LBLNKGRP": record.record}
    rows = [
        common | _result(test, record.values[test["form_item"]])
        for test in _tests("assessment.csv")
        if record.values.get(test["form_item"]) is not None
    ]
    mrd = _mrd(record.values)
    return [*rows, common | mrd] if mrd else rows


def _mrd(values: Mapping[str, Any]) -> Row | None:
    """Return MRD: the fraction when detected with a value, else the words of the form."""
    found = values.get("MRDRES")
    if found is None:
        return None
    row: Row = {"LBTESTCD": "MRD", "LBTEST": "Measurable Residual Disease", "LBSPEC": "BONE MARROW"}
    if found == "NOT DONE":
        return row | {"LBSTAT": "NOT DONE"}
    value = values.get("MRDVAL") if found == "DETECTED" else None
    text = found if value is None else render_number(value)
    unit = None if value is None else "FRACTION OF 1"
    return row | {
        "LBORRES": text,
        "LBORRESU": unit,
        "LBLLOD": render_number(values.get("MRDSENS")),
        "LBSTRESC": text,
        "LBSTRESN": None if value is None else float(value),
        "LBSTRESU": unit,
        "LBMETHOD": values.get("MRDMETH"),
    }
