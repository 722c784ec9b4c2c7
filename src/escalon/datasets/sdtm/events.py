"""DS, MH, SS and their qualifiers: disposition, leukemia history, survival status."""

import polars as pl

from escalon.conduct.state import State
from escalon.datasets.sdtm.subject import Row, frame, number_rows, render_iso, subjects
from escalon.datasets.sdtm.supplemental import supplement
from escalon.protocol.study import Study

__all__ = ["derive_ds", "derive_mh", "derive_ss", "derive_suppds", "derive_suppmh"]

DS_QUALIFIERS = {"DTHCAUS": ("Cause of Death", "Collected")}
MH_QUALIFIERS = {
    "PRIORLIN": ("Lines of Therapy before the Study", "Collected"),
    "PRIORSCT": ("Allogeneic Transplant before the Study", "Collected"),
    "PRIORCD": ("CD19-Directed Therapy before the Study", "Collected"),
    "CD22PCT": ("CD22-Positive Blasts (%)", "Collected"),
}
_CONSENT = "INFORMED CONSENT OBTAINED"
_MILESTONES = (_CONSENT, "ELIGIBILITY CRITERIA MET")


def derive_ds(state: State, study: Study) -> pl.DataFrame:
    """Return DS: protocol milestones and disposition events; consent comes from enrolment when no form tells
    it."""
    return frame("DS", _disposition(state, study))


def derive_suppds(state: State, study: Study) -> pl.DataFrame:
    """Return SUPPDS: cause of death."""
    return supplement("DS", _disposition(state, study), DS_QUALIFIERS, ("DTHCAUS",))


def derive_mh(state: State, study: Study) -> pl.DataFrame:
    """Return MH: the leukemia the patient came with."""
    return frame("MH", _history(state, study))


def derive_suppmh(state: State, study: Study) -> pl.DataFrame:
    """Return SUPPMH: earlier lines, transplant, CD19-directed therapy, CD22 on blasts."""
    return supplement("MH", _history(state, study), MH_QUALIFIERS)


def derive_ss(state: State, study: Study) -> pl.DataFrame:
    """Return SS: survival status at each contact."""
    rows = []
    for subject in subjects(state, study):
        for record in subject.patient.forms("SS"):
            day, status = render_iso(record.values["SSDTC"]), record.values["SSORRES"]
            result = {
                "SSTESTCD": "SURVSTAT",
                "SSTEST": "Survival Status",
                "SSORRES": status,
                "SSSTRESC": status,
            }
            timing = {"EPOCH": subject.epoch(day), "SSDTC": day, "SSDY": subject.study_day(day)}
            row = subject.row("SS") | subject.visit(record) | result | timing
            rows.append(row | {"SSSPID": record.record})
    return frame("SS", number_rows("SS", rows, ("SSDTC",)))


def _disposition(state: State, study: Study) -> list[Row]:
    rows = []
    for subject in subjects(state, study):
        told = [(r.record, r.values) for r in subject.patient.forms("DS")]
        if not any(values["DSDECOD"] == _CONSENT for _, values in told):
            told.append(("ENROLMENT", {"DSDECOD": _CONSENT, "DSSTDTC": subject.patient.consented_on}))
        for key, values in told:
            term, day = values["DSDECOD"], render_iso(values["DSSTDTC"])
            milestone = term in _MILESTONES
            participation = "STUDY TREATMENT" if term == "NOT INFUSED" else "STUDY PARTICIPATION"
            rows.append(
                subject.row("DS")
                | {
                    "DSSPID": key,
                    "DSTERM": values.get("DSTERM") or term,
                    "DSDECOD": term,
                    "DSCAT": "PROTOCOL MILESTONE" if milestone else "DISPOSITION EVENT",
                    "DSSCAT": None if milestone else participation,
                    "EPOCH": subject.epoch(day),
                    "DSSTDTC": day,
                    "DSSTDY": subject.study_day(day),
                    "_DTHCAUS": values.get("DTHCAUS"),
                }
            )
    return number_rows("DS", rows, ("DSSTDTC", "DSDECOD"))


def _history(state: State, study: Study) -> list[Row]:
    rows = []
    for subject in subjects(state, study):
        for record in subject.patient.forms("MH"):
            values = record.values
            qualifiers = {f"_{name}": values.get(name) for name in ("PRIORLIN", "PRIORSCT", "CD22PCT")}
            # A qualifier name has eight characters, the item of the form nine.
            qualifiers["_PRIORCD"] = values.get("PRIORCD19")
            named = {"MHSPID": record.record, "MHTERM": values["MHTERM"], "MHCAT": "PRIMARY DIAGNOSIS"}
            rows.append(subject.row("MH") | named | qualifiers)
    return number_rows("MH", rows, ("MHTERM",))
