"""RELREC: a disease assessment in RS and the laboratory results it was made on share a link group."""

import polars as pl

from escalon.conduct.state import State
from escalon.datasets.sdtm.subject import Row, frame
from escalon.protocol.study import Study

__all__ = ["derive_relrec"]


def derive_relrec(state: State, study: Study) -> pl.DataFrame:
    """Return RELREC: the data sets LB and RS are related by link group, many records to many."""
    if not any(patient.forms("RS") for patient in state.patients.values()):
        return frame("RELREC", [])
    common = {"STUDYID": study.identity.study_id, "USUBJID": "", "IDVARVAL": "", "RELID": "RSLB"}
    rows: list[Row] = [
        common | {"RDOMAIN": domain, "IDVAR": f"{domain}LNKGRP", "RELTYPE": "MANY"} for domain in ("LB", "RS")
    ]
    return frame("RELREC", rows)
