"""ADAE: adverse events with analysis dates, grades, emergence and relation as flags.

Related means possible or above. TRTEMFL: onset at or after the first infusion; LDEMFL: onset at or after the
first lymphodepleting dose (a moment is compared as a moment, a date as a date). ARDY counts days from the
infusion, day 0.
"""

import polars as pl

from escalon.criteria.relatedness import is_related
from escalon.datasets.adam.sources import (
    Frames,
    Row,
    as_date,
    as_moment,
    by_patient,
    days_between,
    finish,
    qualifiers,
)
from escalon.datasets.spec import load_spec
from escalon.protocol.study import Study

__all__ = ["derive_adae"]

SPECIAL = ("CRS", "ICANS", "GVHD", "INFECTION", "INFUSION REACTION", "IEC-HS", "TLS", "CYTOPENIA")
"""Categories of special interest (assumption of the platform)."""


def derive_adae(sdtm: Frames, adsl: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Return ADAE: every record of AE with the keys of ADSL."""
    extra = qualifiers(sdtm["SUPPAE"])
    doses = by_patient(sdtm["EX"])
    people = {row["USUBJID"]: row for row in adsl.iter_rows(named=True)}
    kept = [name for name in sdtm["AE"].columns if name in load_spec("adam")["ADAE"].schema]
    cells = study.cell_kinetics.analyte
    rows = []
    for ae in sdtm["AE"].iter_rows(named=True):
        usubjid = ae["USUBJID"]
        starts = [(row["EXSTDTC"], row["EXTRT"]) for row in doses.get(usubjid, [])]
        infusion = min((start for start, product in starts if product == cells), default=None)
        depletion = min((start for start, product in starts if product != cells), default=None)
        row = {name: ae[name] for name in kept} | _timing(ae, people[usubjid])
        row |= _relation(ae, extra.get((usubjid, str(ae["AESEQ"])), {}))
        row["TRTEMFL"] = _emergent(ae["AESTDTC"], infusion)
        row["LDEMFL"] = _emergent(ae["AESTDTC"], depletion)
        rows.append(row)
    return finish("ADAE", rows, adsl, ("AESEQ",))


def _emergent(onset: str | None, start: str | None) -> str:
    if onset is None or start is None:
        return "N"
    size = min(len(onset), len(start))
    return "Y" if onset[:size] >= start[:size] else "N"


def _timing(ae: Row, person: Row) -> Row:
    start, end = as_date(ae["AESTDTC"]), as_date(ae["AEENDTC"])
    days = days_between(start, end)
    return {
        "ASTDT": start,
        "ASTDTM": as_moment(ae["AESTDTC"]),
        "AENDT": end,
        "AENDTM": as_moment(ae["AEENDTC"]),
        "ASTDY": ae["AESTDY"],
        "AENDY": ae["AEENDY"],
        "ARDY": days_between(person["INFDT"], start),
        "AEDUR": None if days is None else float(days + 1),
    }


def _relation(ae: Row, given: Row) -> Row:
    flags = {
        "RELUC": ae["AEREL"],
        "RELCL": given.get("AERELCL"),
        "RELFL": given.get("AERELFL"),
        "RELCY": given.get("AERELCY"),
    }
    # An opinion that was not recorded counts as related, as everywhere in the criteria.
    row: Row = {name: "Y" if value is None or is_related(value) else "N" for name, value in flags.items()}
    row["RELLD"] = "Y" if "Y" in (row["RELCL"], row["RELFL"], row["RELCY"]) else "N"
    special = ae["AECAT"] in SPECIAL
    return row | {
        "ATOXGRN": int(ae["AETOXGR"]),
        "AEGRSYS": given.get("AEGRSYS"),
        "AERELDS": given.get("AERELDS"),
        "AEEXPLD": given.get("AEEXPLD"),
        "ANYSER": "Y" if ae["AESER"] == "Y" else "N",
        "AESIFL": "Y" if special else "N",
        "AESICAT": ae["AECAT"] if special else None,
        "SRCDOM": "AE",
        "SRCSEQ": ae["AESEQ"],
    }
