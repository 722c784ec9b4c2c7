"""Adverse events of special interest in time: rates, onset, resolution; deaths by cause."""

from collections.abc import Mapping

import polars as pl

from escalon.analysis.safety_time import deaths, exposure_adjusted, onset_and_resolution
from escalon.conduct.state import State
from escalon.protocol.study import Study
from escalon.report.ard import Rows
from escalon.report.results.groups import TOTAL, derive_people, level_labels

EVENTS: Mapping[str, tuple[str, pl.Expr]] = {
    "any": ("Any adverse event", pl.lit(True)),
    "grade3": ("Grade 3 or higher", pl.col("ATOXGRN") >= 3),
    "serious": ("Serious", pl.col("ANYSER") == "Y"),
    "CRS": ("Cytokine release syndrome", pl.col("AESICAT") == "CRS"),
    "ICANS": ("ICANS", pl.col("AESICAT") == "ICANS"),
    "GVHD": ("Graft-versus-host disease", pl.col("AESICAT") == "GVHD"),
    "CYTOPENIA": ("Cytopenia", pl.col("AESICAT") == "CYTOPENIA"),
    "INFECTION": ("Infection", pl.col("AESICAT") == "INFECTION"),
}
"""Events from the infusion on, in infused patients."""


def _observed(adam: Mapping[str, pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Infused patients with LASTDY (last day observed after the infusion), and their events from it on.

    The day of the infusion is observed, so a patient contributes LASTDY + 1 days.
    """
    last = pl.max_horizontal("LSTALVDT", "DTHDT", "EOSDT", "INFDT")
    people = derive_people(adam).filter(pl.col("SAFFL") == "Y")
    people = people.with_columns(LASTDY=(last - pl.col("INFDT")).dt.total_days())
    people = people.with_columns(ATRISK=pl.col("LASTDY") + 1)
    days = people.select("USUBJID", "INFDT", "LASTDY")
    events = (
        adam["ADAE"].filter(pl.col("TRTEMFL") == "Y").drop("INFDT", strict=False).join(days, on="USUBJID")
    )
    # An event that still goes on at the last contact is open; one first reported after it starts on that day.
    end = (pl.col("AENDT") - pl.col("INFDT")).dt.total_days()
    start = pl.min_horizontal((pl.col("ASTDT") - pl.col("INFDT")).dt.total_days(), "LASTDY")
    return people, events.with_columns(ONSET=start, ENDS=pl.when(end <= pl.col("LASTDY")).then(end))


def derive_events_in_time(adam: Mapping[str, pl.DataFrame], state: State, study: Study) -> pl.DataFrame:
    """Events per patient-year, day of the first one, time to its resolution; by level and in total."""
    rows = Rows("events in time", "LEVEL")
    people, events = _observed(adam)
    for name, (_, where) in EVENTS.items():
        keys = {"by": "LEVEL", "levels": level_labels(study), "total": TOTAL, "where": where}
        for row in exposure_adjusted(events, people, "ATRISK", **keys).iter_rows(named=True):
            stats = {
                "events": row["n_events"], "years": row["patient_years"], "rate": row["rate"],
                "conf.low": row["low"], "conf.high": row["high"], "N": row["n_population"],
            }  # fmt: skip
            rows.add(name, "rate", "rate", stats, row["group"], reason="no time at risk")
        for row in onset_and_resolution(events, people, "ONSET", "ENDS", "LASTDY", **keys).iter_rows(
            named=True
        ):
            stats = {
                "n": row["n_patients"], "median": row["onset_median"], "min": row["onset_min"], "max": row["onset_max"],
            }  # fmt: skip
            rows.add(name, "onset", "continuous", stats, row["group"], unit="days", reason="no event")
            stats = {
                "n": row["n_resolved"], "median": row["resolution_median"], "conf.low": row["resolution_low"],
                "conf.high": row["resolution_high"],
            }  # fmt: skip
            rows.add(name, "resolution", "survival", stats, row["group"], unit="days", reason="not reached")
    return rows.frame()


def derive_deaths(adam: Mapping[str, pl.DataFrame], state: State, study: Study) -> pl.DataFrame:
    """Deaths of infused patients by cause."""
    rows = Rows("deaths", "LEVEL")
    table = deaths(derive_people(adam), "LEVEL", levels=level_labels(study), total=TOTAL)
    for row in table.iter_rows(named=True):
        stats = {"n": row["n_patients"], "N": row["n_population"]}
        rows.add("death", row["cause"] or "Any cause", "count", stats, row["group"])
    return rows.frame()
