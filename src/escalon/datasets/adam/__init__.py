"""ADaM: analysis data sets, derived from SDTM and the rules of the study."""

from collections.abc import Mapping

import polars as pl

from escalon.conduct.state import State
from escalon.datasets.adam.adae import derive_adae
from escalon.datasets.adam.adicaht import derive_adicaht
from escalon.datasets.adam.adlb import derive_adlb
from escalon.datasets.adam.adpc import derive_adpc
from escalon.datasets.adam.adpp import derive_adpp
from escalon.datasets.adam.adrs import derive_adrs
from escalon.datasets.adam.adsl import derive_adsl
from escalon.datasets.adam.adtte import derive_adtte
from escalon.protocol.pk_choices import PkChoices
from escalon.protocol.study import Study

__all__ = [
    "build_adam",
    "derive_adae",
    "derive_adicaht",
    "derive_adlb",
    "derive_adpc",
    "derive_adpp",
    "derive_adrs",
    "derive_adsl",
    "derive_adtte",
]


def build_adam(
    sdtm: Mapping[str, pl.DataFrame], state: State, study: Study, choices: PkChoices | None = None
) -> dict[str, pl.DataFrame]:
    """Return every ADaM data set by name; each has exactly the variables of ``specs/adam.csv``, in their
    order.

    Everything is derived from ``sdtm``, ``study`` and the ``choices`` of a person, so that each value can be traced
    to an SDTM record.
    ``state`` is only compared: a table made from frames of another cut would be wrong without looking wrong.

    Raises:
        ValueError: when ``sdtm`` and ``state`` do not hold the same patients, or a choice names a sample that is
            not there.
    """
    patients = set(sdtm["DM"]["SUBJID"].to_list())
    if patients != set(state.patients):
        others = ", ".join(sorted(patients ^ set(state.patients)))
        raise ValueError(f"sdtm and state differ in patients {others}: both must come from one data cut")
    adsl = derive_adsl(sdtm, study)
    adlb = derive_adlb(sdtm, adsl, study)
    adpc = derive_adpc(sdtm, adsl)
    adrs = derive_adrs(sdtm, adsl, study)
    return {
        "ADSL": adsl,
        "ADAE": derive_adae(sdtm, adsl, adlb, study),
        "ADRS": adrs,
        "ADTTE": derive_adtte(sdtm, adsl, study),
        "ADPC": adpc,
        "ADPP": derive_adpp(sdtm, adsl, adpc, study, choices),
        "ADLB": adlb,
        "ADICAHT": derive_adicaht(adsl, adlb, adrs),
    }
