"""Overall response at the registered visits, to date, and best overall."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import polars as pl

from escalon.analysis.proportion import proportion
from escalon.analysis.response import mrd_rates, response_by_visit, response_categories, response_rates
from escalon.conduct.state import State
from escalon.protocol.study import Study
from escalon.report.ard import Rows
from escalon.report.results.groups import derive_people, efficacy_groups, in_group

CATEGORIES = (
    "CR", "CRh", "CRi", "MLFS", "PR", "NR", "INDETERMINATE", "PD", "RELAPSE", "NE", "NE_APLASTIC",
)  # fmt: skip
REMISSIONS = ("CR", "CRh", "CRi")
OTHER_INTERVALS = ("wilson", "jeffreys")
"""Intervals beside the exact one, for the sensitivity table."""


def derive_response(adam: Mapping[str, pl.DataFrame], state: State, study: Study) -> pl.DataFrame:
    """Response by visit (at the visit, and to date) and best overall response, by group.

    Denominator: every infused patient of the group; a patient without an assessment counts as no response, an
    unscheduled response counts to date from its own day.
    """
    rows = Rows("response", "GROUP")
    assessed = adam["ADRS"].filter((pl.col("PARAMCD") == "OVRLRESP") & (pl.col("ANL01FL") == "Y"))
    best = adam["ADRS"].filter(pl.col("PARAMCD") == "BOR")
    for group, members in efficacy_groups(derive_people(adam), state, study).items():
        people = members.with_columns(GROUP=pl.lit(group))
        _add_visits(rows, group, in_group(assessed, members), people, study)
        _add_best(rows, group, in_group(best, members), people, study)
        _add_mrd(rows, group, in_group(assessed, members), people, study)
    return rows.frame()


def _add_visits(rows: Rows, group: str, own: pl.DataFrame, people: pl.DataFrame, study: Study) -> None:
    visits = [visit.id for visit in study.response_visits]
    # ADRS has decided at which visits a record stands, so no source record is passed on to be checked.
    found = own.select("USUBJID", "AVISIT", "AVALC", "RESPFL", "ARDY")
    derive = partial(response_by_visit, found, people, visits, "GROUP", total=None, flag="RESPFL")
    closes = {visit.id: visit.window[1] for visit in study.response_visits}
    tables = {"at visit": derive(), "to date": derive(to_date=True, closes=closes)}
    for name, table in tables.items():
        for row in table.iter_rows(named=True):
            rows.add(name, row["AVISIT"], "proportion", _rate(row, "n_responders", "n_due"), group)
            if name == "at visit":
                stats = {"n": row["n_assessed"], "N": row["n_due"]}
                rows.add("assessed", row["AVISIT"], "count", stats, group)


def _rate(row: Mapping[str, Any], n: str, total: str) -> dict[str, float | None]:
    """Counts, rate and exact interval, with the ends of the other intervals for the sensitivity table."""
    others: dict[str, float | None] = {}
    for method in OTHER_INTERVALS:
        found = proportion(row[n], row[total], method)
        others |= {f"{method} low": found.low, f"{method} high": found.high}
    return others | {
        "n": row[n],
        "N": row[total],
        "p": row["fraction"],
        "conf.low": row["low"],
        "conf.high": row["high"],
    }


def _add_best(rows: Rows, group: str, best: pl.DataFrame, people: pl.DataFrame, study: Study) -> None:
    counts = response_categories(best, people, CATEGORIES, "GROUP", total=None)
    for category, n, size in counts.select("category", "n_patients", "n_population").iter_rows():
        name = "not assessed" if category == "Missing" else category
        rows.add("best", name, "count", {"n": n, "N": size}, group)
    for name, numerator in (("ORR", study.response.numerator), ("CR+CRi", REMISSIONS)):
        table = response_rates(best, people, "GROUP", numerator, total=None)
        for row in table.iter_rows(named=True):
            rows.add("best rate", name, "proportion", _rate(row, "n_responders", "n_population"), group)


def _add_mrd(rows: Rows, group: str, own: pl.DataFrame, people: pl.DataFrame, study: Study) -> None:
    """MRD-negative at an assessment in response, among patients who ever responded."""
    responding = own.filter(pl.col("RESPFL") == "Y")
    negative = (pl.col("MRD") == "NEGATIVE").any()
    best = responding.group_by("USUBJID").agg(
        AVALC=pl.col("AVALC").first(), MRD=pl.when(negative).then(pl.lit("NEGATIVE"))
    )
    table = mrd_rates(best, people, "GROUP", study.response.numerator, total=None)
    for row in table.iter_rows(named=True):
        rows.add("best rate", "MRD", "proportion", _rate(row, "n_mrd_negative", "n_responders"), group)
