"""PC: concentrations of CLLS52 in serum and of the UCART22 transgene in blood; assays are never pooled.

PCTPTREF is the first dose of the analyte's own product. The planned time comes from the day written in the
time point's name ("Day -4.9" or "D28": days from the infusion): PCELTM counts from the planned first dose of
that product.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import polars as pl

from escalon.conduct.state import Record, State
from escalon.datasets.sdtm.subject import (
    Row,
    Subject,
    frame,
    number_rows,
    render_iso,
    render_number,
    subjects,
)
from escalon.protocol.study import Study

__all__ = ["derive_pc"]

_DAY = re.compile(r"-?\d+(?:\.\d+)?")


def derive_pc(state: State, study: Study) -> pl.DataFrame:
    """Return PC: one record per sample; below quantification PCSTRESC is BLQ, a sample without result is NOT
    DONE."""
    rows = [
        _row(subject, record, study)
        for subject in subjects(state, study)
        for record in subject.patient.forms("PC")
    ]
    return frame("PC", number_rows("PC", rows, ("PCDTC", "PCTESTCD")))


def planned_day(name: str) -> float | None:
    """Return the day from the infusion a planned time point names; None when it names none.

    >>> planned_day("Day -4.9"), planned_day("D28"), planned_day("END OF INFUSION")
    (-4.9, 28.0, None)
    """
    found = _DAY.search(name)
    return None if found is None else float(found.group())


def _row(subject: Subject, record: Record, study: Study) -> Row:
    values = record.values
    moment = render_iso(values["PCDTC"])
    analyte = values["PCTEST"]
    reference = _first_dose(subject, analyte)
    day = planned_day(values["PCTPT"])
    return (
        subject.row("PC")
        | subject.visit(record)
        | _result(values)
        | {
            "PCSPID": record.record,
            "PCTESTCD": analyte,
            "PCTEST": f"{analyte} {'Concentration' if values['PCSPEC'] == 'SERUM' else 'Transgene'}",
            "PCSPEC": values["PCSPEC"],
            "PCMETHOD": values["PCMETHOD"],
            "PCLLOQ": float(values["PCLLOQ"]),
            "EPOCH": subject.epoch(moment),
            "PCDTC": moment,
            "PCDY": subject.study_day(moment),
            "PCTPT": values["PCTPT"],
            "PCTPTNUM": day,
            "PCELTM": None if day is None else _elapsed(day - _planned_first(subject, analyte, study)),
            "PCTPTREF": f"FIRST DOSE OF {analyte}",
            "PCRFTDTC": reference,
        }
    )


def _result(values: Mapping[str, Any]) -> Row:
    unit = values["PCORRESU"]
    if values["PCBLQ"] == "Y":
        return {"PCORRES": "BLQ", "PCORRESU": unit, "PCSTRESC": "BLQ", "PCSTRESU": unit}
    value = values.get("PCORRES")
    if value is None:
        return {"PCSTAT": "NOT DONE"}
    text = render_number(value)
    number = {"PCSTRESC": text, "PCSTRESN": float(value), "PCSTRESU": unit}
    return {"PCORRES": text, "PCORRESU": unit} | number


def _first_dose(subject: Subject, analyte: str) -> str | None:
    given = (r.values for r in subject.patient.forms("EX") if r.values["EXTRT"] == analyte)
    doses = (render_iso(values["EXSTDTC"]) or "" for values in given if values["EXDOSE"] > 0)
    return min(doses, default=None)


def _planned_first(subject: Subject, analyte: str, study: Study) -> float:
    """Return the planned day of the first dose of ``analyte``: the infusion is day 0."""
    regimen = next((r for r in study.regimens if r.id == subject.patient.regimen), None)
    days = [day for dose in regimen.doses if dose.product == analyte for day in dose.days] if regimen else []
    return float(min(days, default=0))


def _elapsed(days: float) -> str:
    """Return ISO 8601 duration in hours and minutes, such as PT2H24M; negative before the reference."""
    minutes = round(timedelta(days=abs(days)).total_seconds() / 60)
    hours, rest = divmod(minutes, 60)
    sign = "-" if days < 0 and minutes else ""
    return f"{sign}PT{hours}H" + (f"{rest}M" if rest else "")
