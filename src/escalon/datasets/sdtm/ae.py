"""AE and SUPPAE: adverse events, their causality to each product and what they were graded on."""

import polars as pl

from escalon.conduct.state import State
from escalon.datasets.sdtm.subject import Row, Subject, frame, number_rows, render_iso, subjects
from escalon.datasets.sdtm.supplemental import supplement
from escalon.protocol.study import Study

__all__ = ["derive_ae", "derive_suppae"]

QUALIFIERS = {
    "AEIMPDTC": ("Date/Time Improved to Grade 2 or Lower", "Collected"),
    "AEGRSYS": ("Grading System", "Collected"),
    "AERELCL": ("Relation to CLLS52", "Collected"),
    "AERELFL": ("Relation to Fludarabine", "Collected"),
    "AERELCY": ("Relation to Cyclophosphamide", "Collected"),
    "AERELDS": ("Relation to the Leukemia", "Collected"),
    "AEEXPLD": ("Expected after Lymphodepletion", "Collected"),
    "CRSTEMP": ("CRS: Highest Temperature (Cel)", "Collected"),
    "CRSPRESS": ("CRS: Vasopressors without Vasopressin", "Collected"),
    "CRSOXY": ("CRS: Oxygen", "Collected"),
    "ICESCORE": ("ICANS: ICE Score", "Collected"),
    "GVSKIN": ("GvHD: Skin Stage", "Collected"),
    "GVLIVER": ("GvHD: Liver Stage", "Collected"),
    "GVUGI": ("GvHD: Upper Gut Stage", "Collected"),
    "GVLGI": ("GvHD: Lower Gut Stage", "Collected"),
}
_SAME = ("AETERM", "AEDECOD", "AECAT", "AEBODSYS", "AESER", "AEOUT", "AESDTH", "AESHOSP", "AESLIFE")
_JUDGED = ("AERELCL", "AERELFL", "AERELCY", "AERELDS", "AEEXPLD")


def derive_ae(state: State, study: Study) -> pl.DataFrame:
    """Return AE: one record per event. AEREL is the relation to UCART22; the other products stand in
    SUPPAE."""
    return frame("AE", _rows(state, study))


def derive_suppae(state: State, study: Study) -> pl.DataFrame:
    """Return SUPPAE: relation to the lymphodepleting products and to the leukemia, grading system and its
    inputs."""
    return supplement("AE", _rows(state, study), QUALIFIERS, _JUDGED)


def _rows(state: State, study: Study) -> list[Row]:
    rows = [
        _row(subject, record.record, record.values)
        for subject in subjects(state, study)
        for record in subject.patient.forms("AE")
    ]
    return number_rows("AE", rows, ("AESTDTC", "AEDECOD"))


def _row(subject: Subject, key: str, values: Row) -> Row:
    start, end = render_iso(values["AESTDTC"]), render_iso(values.get("AEENDTC"))
    ongoing = end is None and values["AEOUT"] != "FATAL"
    given = {f"_{name}": values.get(name) for name in QUALIFIERS}
    given["_AEIMPDTC"] = render_iso(values.get("AEIMPDTC"))
    return (
        subject.row("AE")
        | {name: values[name] for name in _SAME}
        | given
        | {
            "AESPID": key,
            "AESOC": values["AEBODSYS"],
            # A single infusion or a finished course cannot be changed by an event that follows it.
            "AEACN": "NOT APPLICABLE",
            "AEREL": values["AERELUC"],
            "AETOXGR": str(values["AETOXGR"]),
            "EPOCH": subject.epoch(start),
            "AESTDTC": start,
            "AEENDTC": end,
            "AESTDY": subject.study_day(start),
            "AEENDY": subject.study_day(end),
            "AEENRTPT": "ONGOING" if ongoing else None,
            "AEENTPT": "DATA CUT-OFF" if ongoing else None,
        }
    )
