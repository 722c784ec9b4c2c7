"""Marrow blasts of the infused patients, day by day: what the waterfall and the spider are drawn from."""

from datetime import date

import polars as pl

from escalon.conduct.state import State

__all__ = ["FORM", "derive_marrow"]

FORM = "RS"


def derive_marrow(people: pl.DataFrame, state: State) -> pl.DataFrame:
    """Blasts in marrow (percent of cells) of each disease assessment.

    ``people``: infused patients with USUBJID, SUBJID, INFDT. Returns USUBJID, ADY (days from the infusion), AVAL (null:
    no marrow, or not counted). The counts of an assessment are not in ADLB: they come from its form.
    """
    rows = []
    for usubjid, subjid, infused in people.select("USUBJID", "SUBJID", "INFDT").iter_rows():
        for record in state.patients[subjid].records.values() if subjid in state.patients else ():
            if record.form == FORM and record.values.get("RSDTC"):
                day = (date.fromisoformat(str(record.values["RSDTC"])[:10]) - infused).days
                rows.append((usubjid, day, record.values.get("BMBLAST")))
    schema = {"USUBJID": pl.String, "ADY": pl.Int64, "AVAL": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row").sort("USUBJID", "ADY")
