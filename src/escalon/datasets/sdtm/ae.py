"""AE and SUPPAE: adverse events, their causality to each product and what they were graded on."""

import polars as pl

from escalon.conduct.opinions import CAUSES, SponsorView, sponsor_views
from escalon.conduct.state import State
from escalon.datasets.sdtm.subject import Row, Subject, frame, number_rows, render_iso, subjects
from escalon.datasets.sdtm.supplemental import supplement
from escalon.datasets.spec import load_table
from escalon.protocol.study import Study

__all__ = ["derive_ae", "derive_suppae"]

QUALIFIERS = {
    row["qnam"]: (row["label"], row["origin"]) for row in load_table("adverse_event_qualifiers.csv")
}
"""Label and origin of each supplemental qualifier."""
_SAME = ("AETERM", "AEDECOD", "AECAT", "AEBODSYS", "AESER", "AEOUT", "AESDTH", "AESHOSP", "AESLIFE")
_OPTIONAL = ("AESCONG", "AESDISAB", "AESMIE")
_JUDGED = (*(f"AEREL{ending}" for ending in CAUSES if ending != "UC"), "AEEXPLD")
_SPONSOR = (*(f"SREL{ending}" for ending in CAUSES), "SSERCRIT")
_MOMENTS = ("AEIMPDTC", "AEGRDTC")


def derive_ae(state: State, study: Study) -> pl.DataFrame:
    """Return AE: one record per event. AEREL is the relation to UCART22; the other products stand in
    SUPPAE."""
    return frame("AE", _rows(state, study))


def derive_suppae(state: State, study: Study) -> pl.DataFrame:
    """Return SUPPAE: relation to the lymphodepleting products and other causes, the sponsor's view, grading system
    and its inputs."""
    return supplement("AE", _rows(state, study), QUALIFIERS, _JUDGED, _SPONSOR)


def _rows(state: State, study: Study) -> list[Row]:
    rows = []
    for subject in subjects(state, study):
        views = sponsor_views(state, subject.patient.patient)
        for record in subject.patient.forms("AE"):
            rows.append(_row(subject, record.record, record.values, views.get(record.record)))
    return number_rows("AE", rows, ("AESTDTC", "AEDECOD"))


def _row(subject: Subject, key: str, values: Row, sponsor: SponsorView | None) -> Row:
    start, end = render_iso(values["AESTDTC"]), render_iso(values.get("AEENDTC"))
    ongoing = end is None and values["AEOUT"] != "FATAL"
    given = {f"_{name}": values.get(name) for name in QUALIFIERS}
    given |= {f"_{name}": render_iso(values.get(name)) for name in _MOMENTS}
    if sponsor is not None:
        given |= {f"_SREL{ending}": sponsor.causality.get(cause) for ending, cause in CAUSES.items()}
        given["_SSERCRIT"] = ", ".join(sponsor.serious) or None
    return (
        subject.row("AE")
        | {name: values[name] for name in _SAME}
        | {name: values.get(name) for name in _OPTIONAL}
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
