"""Who is known alive until when, who died, was transplanted or got a new therapy: each with the record that says so.

Which records of SDTM say it is data: ``specs/dated_facts.yaml``.
"""

from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

import polars as pl
import yaml

from escalon.datasets.adam.sources import Frames, as_date

__all__ = ["Source", "deaths", "first_after", "last_alive", "therapies"]


@dataclass(frozen=True, slots=True)
class Source:
    """A date with the SDTM record it stands in: data set, variable, --SEQ."""

    date: date
    dataset: str
    variable: str
    seq: int


@cache
def _table() -> dict[str, list[dict[str, Any]]]:
    text = files("escalon.datasets").joinpath("specs", "dated_facts.yaml").read_text(encoding="utf-8")
    loaded: dict[str, list[dict[str, Any]]] = yaml.safe_load(text)
    return loaded


def _records(sdtm: Frames, entry: dict[str, Any]) -> pl.DataFrame:
    """Return USUBJID, date text and sequence number of the records an entry names."""
    name, variable = entry["dataset"], entry["variable"]
    frame = sdtm[name].drop_nulls(variable)
    for column, values in entry.get("only", {}).items():
        frame = frame.filter(pl.col(column).is_in(values))
    return frame.select("USUBJID", pl.col(variable).alias("dtc"), pl.col(f"{name}SEQ").alias("seq"))


def deaths(sdtm: Frames) -> dict[str, Source]:
    """Return the death of each patient who died; the earliest record of the first kind listed that has
    one."""
    found: dict[str, Source] = {}
    for entry in reversed(_table()["death"]):
        for usubjid, dtc, seq in _records(sdtm, entry).sort("dtc", descending=True).iter_rows():
            found[usubjid] = Source(_date(dtc), entry["dataset"], entry["variable"], seq)
    return found


def last_alive(sdtm: Frames) -> dict[str, Source]:
    """Return the last record that shows each patient alive, not after the death; the kind listed first wins a
    tie."""
    died = deaths(sdtm)
    found: dict[str, Source] = {}
    for entry in _table()["last_alive"]:
        for usubjid, dtc, seq in _records(sdtm, entry).iter_rows():
            day = _date(dtc)
            if usubjid in died and day > died[usubjid].date:
                continue
            if usubjid not in found or day > found[usubjid].date:
                found[usubjid] = Source(day, entry["dataset"], entry["variable"], seq)
    return found


def therapies(sdtm: Frames, kind: str) -> dict[str, list[Source]]:
    """Return every ``transplant`` or ``new_therapy`` of each patient who had one, in order of date."""
    found: dict[str, list[Source]] = {}
    for entry in _table()[kind]:
        for usubjid, dtc, seq in _records(sdtm, entry).sort("dtc", "seq").iter_rows():
            source = Source(_date(dtc), entry["dataset"], entry["variable"], seq)
            found.setdefault(usubjid, []).append(source)
    return found


def first_after(sources: list[Source], infusion: date | None) -> Source | None:
    """Return the first therapy after the infusion (of all, when the patient was not infused), or None."""
    return next((item for item in sources if infusion is None or item.date > infusion), None)


def _date(dtc: str) -> date:
    day = as_date(dtc)
    assert day is not None
    return day
