"""ADICAHT: hematotoxicity after the infusion, graded from the series of counts (ICAHT and T-ICAHT, early and late).

Counts are the panel results of ADLB by day from the infusion. Counting stops with progression or relapse, the next
anti-leukemic therapy, a transplant (its conditioning is a therapy; assumption) or death; of a patient who was not
followed to the end of the early period and is alive, the grade is that of the day last seen.
"""

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from escalon.criteria.icaht import grade_series
from escalon.datasets.adam.sources import Row, by_patient, days_between, finish

__all__ = ["derive_adicaht"]

SERIES = (("NEUT", "neutrophils", "ICAHT", "by neutrophils"), ("PLAT", "platelets", "TICAHT", "by platelets"))
"""ADLB parameter, name of the series, start of PARAMCD and words."""
PERIODS = {"early": ("E", 0, 30), "late": ("L", 31, 10**6)}
"""Ending of PARAMCD, first and last day."""
EARLY_END = 30
TEXT = 200


def derive_adicaht(adsl: pl.DataFrame, adlb: pl.DataFrame, adrs: pl.DataFrame) -> pl.DataFrame:
    """Return ADICAHT: four rows for every infused patient, a grade or the reason why there is none."""
    results = by_patient(adlb.filter(pl.col("AVAL").is_not_null() & pl.col("ARDY").is_not_null()))
    progressed = by_patient(
        adrs.filter(pl.col("PARAMCD") == "OVRLRESP", pl.col("AVALC").is_in(["PD", "RELAPSE"])).sort("ADT")
    )
    rows = []
    for person in adsl.filter(pl.col("INFDT").is_not_null()).iter_rows(named=True):
        usubjid = person["USUBJID"]
        first = next((row["ADT"] for row in progressed.get(usubjid, [])), None)
        rows += _patient(person, results.get(usubjid, []), first)
    return finish("ADICAHT", rows, adsl, ("PARAMCD",))


def _patient(person: Row, results: Sequence[Row], progressed: date | None) -> list[Row]:
    stop, why = _stop(person, progressed)
    seen = days_between(person["INFDT"], person["LSTALVDT"])
    short = stop is None and seen is not None and seen < EARLY_END
    rows = []
    for code, name, start, words in SERIES:
        counts = [(row["ARDY"], row["AVAL"]) for row in results if row["PARAMCD"] == code]
        days, values = [float(day) for day, _ in counts], [value for _, value in counts]
        graded = grade_series(days, values, name, stop_day=stop, through_day=seen if short else None)
        for period, (ending, low, high) in PERIODS.items():
            grade = graded[period]
            tests = [day for day in days if low <= day <= high and (stop is None or day < stop)]
            rows.append(
                {
                    "USUBJID": person["USUBJID"],
                    "PARAMCD": f"{start}{ending}",
                    "PARAM": f"{grade.system} Grade, {period} ({words})",
                    "AVAL": None if grade.grade is None else float(grade.grade),
                    "AVALC": "NOT GRADABLE" if grade.grade is None else f"GRADE {grade.grade}",
                    "GRDSYS": f"{grade.system} {grade.version}",
                    "CLAUSE": grade.clause[:TEXT],
                    "REASON": "; ".join(grade.reasons)[:TEXT] or None,
                    "NTEST": len(tests),
                    "STOPDY": stop,
                    "STOPRS": why,
                    "SRCDOM": "ADLB",
                }
            )
    return rows


def _stop(person: Row, progressed: date | None) -> tuple[int | None, str | None]:
    """First day from the infusion that no longer counts, and why; None while counting goes on."""
    ends: Mapping[str, date | None] = {
        "progression or relapse": progressed,
        "new anti-leukemic therapy": person["NEWTRTDT"],
        "transplant": person["SCTDT"],
        "death": person["DTHDT"],
    }
    days = [(days_between(person["INFDT"], day), why) for why, day in ends.items()]
    known = [(day, why) for day, why in days if day is not None]
    return min(known, default=(None, None))
