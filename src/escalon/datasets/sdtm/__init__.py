"""SDTM: the records of the trial in the study data tabulation model, SDTMIG 3.4."""

from collections.abc import Callable, Mapping

import polars as pl

from escalon.conduct.state import State
from escalon.datasets.sdtm.ae import derive_ae, derive_suppae
from escalon.datasets.sdtm.dm import derive_dm, derive_suppdm
from escalon.datasets.sdtm.events import derive_ds, derive_mh, derive_ss, derive_suppds, derive_suppmh
from escalon.datasets.sdtm.ex import derive_ex, derive_suppex
from escalon.datasets.sdtm.lb import derive_lb
from escalon.datasets.sdtm.pc import derive_pc
from escalon.datasets.sdtm.relrec import derive_relrec
from escalon.datasets.sdtm.rs import derive_rs, derive_supprs
from escalon.datasets.sdtm.therapy import derive_cm, derive_pr, derive_vs
from escalon.protocol.study import Study

__all__ = [
    "DERIVATIONS",
    "build_sdtm",
    "derive_ae",
    "derive_cm",
    "derive_dm",
    "derive_ds",
    "derive_ex",
    "derive_lb",
    "derive_mh",
    "derive_pc",
    "derive_pr",
    "derive_relrec",
    "derive_rs",
    "derive_ss",
    "derive_suppae",
    "derive_suppdm",
    "derive_suppds",
    "derive_suppex",
    "derive_suppmh",
    "derive_supprs",
    "derive_vs",
]

DERIVATIONS: Mapping[str, Callable[[State, Study], pl.DataFrame]] = {
    "DM": derive_dm,
    "EX": derive_ex,
    "AE": derive_ae,
    "LB": derive_lb,
    "VS": derive_vs,
    "RS": derive_rs,
    "PC": derive_pc,
    "DS": derive_ds,
    "CM": derive_cm,
    "PR": derive_pr,
    "SS": derive_ss,
    "MH": derive_mh,
    "SUPPDM": derive_suppdm,
    "SUPPEX": derive_suppex,
    "SUPPAE": derive_suppae,
    "SUPPRS": derive_supprs,
    "SUPPDS": derive_suppds,
    "SUPPMH": derive_suppmh,
    "RELREC": derive_relrec,
}


def build_sdtm(state: State, study: Study) -> dict[str, pl.DataFrame]:
    """Return every SDTM data set by name; each has exactly the variables of ``specs/sdtm.csv``, in their
    order.

    Args:
        state: the fold of the trial's events, whole or cut at a moment.
        study: what the study says.
    """
    return {name: derive(state, study) for name, derive in DERIVATIONS.items()}
