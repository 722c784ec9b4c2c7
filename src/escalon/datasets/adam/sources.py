"""SDTM frames as Python reads them, and the few conversions every analysis data set needs."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from escalon.datasets.spec import conform, load_spec

__all__ = ["KEYS", "as_date", "as_moment", "by_patient", "days_between", "finish", "qualifiers"]

Row = dict[str, Any]
Frames = Mapping[str, pl.DataFrame]

KEYS = (
    "STUDYID",
    "USUBJID",
    "SUBJID",
    "PART",
    "COHORT",
    "DOSELVL",
    "TRT01P",
    "TRT01A",
    "LDREGI",
    "PROCESS",
    "SAFFL",
    "LDFL",
)
"""Variables of ADSL that stand in every analysis data set."""


def as_date(dtc: str | None) -> date | None:
    """Return the date of an ISO text; None for None."""
    return None if dtc is None else date.fromisoformat(dtc[:10])


def as_moment(dtc: str | None) -> datetime | None:
    """Return the UTC moment of an ISO text; None for a date without time."""
    return None if dtc is None or len(dtc) <= 10 else datetime.fromisoformat(dtc).replace(tzinfo=UTC)


def days_between(start: date | None, end: date | None) -> int | None:
    """Return end minus start in days; None when one is missing."""
    return None if start is None or end is None else (end - start).days


def by_patient(frame: pl.DataFrame) -> dict[str, list[Row]]:
    """Return the rows of ``frame`` by USUBJID, in the order of the frame; a patient without rows has an empty
    list."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in frame.iter_rows(named=True):
        found[row["USUBJID"]].append(row)
    return found


def qualifiers(frame: pl.DataFrame) -> dict[tuple[str, str], Row]:
    """Return SUPP-- as (USUBJID, IDVARVAL) to qualifier values."""
    found: dict[tuple[str, str], Row] = defaultdict(dict)
    columns = ("USUBJID", "IDVARVAL", "QNAM", "QVAL")
    for usubjid, parent, name, value in frame.select(columns).iter_rows():
        found[usubjid, parent or ""][name] = value
    return found


def finish(name: str, rows: Iterable[Row], adsl: pl.DataFrame, sort: Sequence[str]) -> pl.DataFrame:
    """Return ``rows`` with the keys of ADSL as data set ``name``, in order of patient and ``sort``."""
    keys = {row["USUBJID"]: row for row in adsl.select(KEYS).iter_rows(named=True)}
    joined = [keys[row["USUBJID"]] | row for row in rows]
    frame = conform(joined, load_spec("adam")[name])
    return frame.sort("USUBJID", *sort, nulls_last=True, maintain_order=True)
