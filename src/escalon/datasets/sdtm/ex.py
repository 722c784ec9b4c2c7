"""EX and SUPPEX: every dose given, with its lot, process and planned dose."""

import polars as pl

from escalon.conduct.state import State
from escalon.datasets.sdtm.subject import Row, frame, number_rows, render_iso, subjects
from escalon.datasets.sdtm.supplemental import supplement
from escalon.protocol.study import Study

__all__ = ["derive_ex", "derive_suppex"]

QUALIFIERS = {
    "EXPDOSE": ("Planned Dose", "Protocol"),
    "EXPROC": ("Manufacturing Process of the Cells", "Collected"),
}


def derive_ex(state: State, study: Study) -> pl.DataFrame:
    """Return EX: one record per administration of a study treatment."""
    return frame("EX", _rows(state, study))


def derive_suppex(state: State, study: Study) -> pl.DataFrame:
    """Return SUPPEX: planned dose and manufacturing process."""
    return supplement("EX", _rows(state, study), QUALIFIERS)


def _rows(state: State, study: Study) -> list[Row]:
    roles = {product.name: product.role for product in study.products}
    rows = []
    for subject in subjects(state, study):
        for record in subject.patient.forms("EX"):
            values = record.values
            start, end = render_iso(values["EXSTDTC"]), render_iso(values["EXENDTC"])
            role = roles.get(values["EXTRT"], "")
            cells = role == "investigational cell product"
            rows.append(
                subject.row("EX")
                | {
                    "EXSPID": record.record,
                    "EXTRT": values["EXTRT"],
                    "EXCAT": role.upper() or None,
                    "EXDOSE": float(values["EXDOSE"]),
                    "EXDOSU": values["EXDOSU"],
                    "EXDOSFRM": "SUSPENSION" if cells else "SOLUTION",
                    "EXROUTE": values["EXROUTE"],
                    "EXLOT": values.get("EXLOT"),
                    "EPOCH": subject.epoch(start),
                    "EXSTDTC": start,
                    "EXENDTC": end,
                    "EXSTDY": subject.study_day(start),
                    "EXENDY": subject.study_day(end),
                    "_EXPDOSE": values["EXPDOSE"],
                    "_EXPROC": values.get("EXPROC"),
                }
            )
    return number_rows("EX", rows, ("EXSTDTC", "EXTRT"))
