"""ADPC: concentrations on the clock of the analyte's own product.

ARRLT: hours from the first dose of the analyte's product (CLLS52: its first dose; UCART22: the infusion),
actual; NFRLT the planned ones; ARDY: days from the infusion with fraction. A value below quantification has
no AVAL, BLQFL Y. Of two samples of one analyte at one moment the first is used (ANL01FL).
"""

import re
from datetime import datetime
from typing import Any

import polars as pl

from escalon.datasets.adam.sources import Frames, Row, as_moment, finish

__all__ = ["derive_adpc"]

_ELAPSED = re.compile(r"(-?)PT(\d+)H(?:(\d+)M)?")


def derive_adpc(sdtm: Frames, adsl: pl.DataFrame) -> pl.DataFrame:
    """Return ADPC: every record of PC with its times."""
    infused = dict(adsl.select("USUBJID", "INFDTM").iter_rows())
    seen: set[tuple[Any, ...]] = set()
    rows: list[Row] = []
    for pc in sdtm["PC"].iter_rows(named=True):
        moment, reference = as_moment(pc["PCDTC"]), as_moment(pc["PCRFTDTC"])
        key = (pc["USUBJID"], pc["PCTESTCD"], pc["PCDTC"])
        measured = pc["PCSTRESC"] is not None
        used = measured and reference is not None and key not in seen
        if used:
            seen.add(key)
        infusion: datetime | None = infused[pc["USUBJID"]]
        rows.append(
            {
                "USUBJID": pc["USUBJID"],
                "PARAMCD": pc["PCTESTCD"],
                "PARAM": pc["PCTEST"],
                "AVAL": pc["PCSTRESN"],
                "AVALU": pc["PCSTRESU"],
                "AVALC": pc["PCSTRESC"],
                "BLQFL": None if not measured else "Y" if pc["PCSTRESC"] == "BLQ" else "N",
                "LLOQ": pc["PCLLOQ"],
                "ADTM": moment,
                "ADT": moment.date() if moment else None,
                "ARRLT": _hours(reference, moment),
                "NFRLT": _planned(pc["PCELTM"]),
                "ARDY": None if (hours := _hours(infusion, moment)) is None else hours / 24.0,
                "PCTPT": pc["PCTPT"],
                "PCSPEC": pc["PCSPEC"],
                "PCMETHOD": pc["PCMETHOD"],
                "ANL01FL": "Y" if used else "N",
                "SRCDOM": "PC",
                "SRCVAR": "PCSTRESN",
                "SRCSEQ": pc["PCSEQ"],
            }
        )
    return finish("ADPC", rows, adsl, ("PARAMCD", "ADTM", "SRCSEQ"))


def _hours(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else (end - start).total_seconds() / 3600.0


def _planned(elapsed: str | None) -> float | None:
    found = None if elapsed is None else _ELAPSED.fullmatch(elapsed)
    if found is None:
        return None
    hours = int(found[2]) + int(found[3] or 0) / 60.0
    return -hours if found[1] else hours
