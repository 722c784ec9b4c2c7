"""Why: patients left out of a population, and the day on which each observation ended."""

from collections.abc import Mapping

import polars as pl

from escalon.report.results.disposition import POPULATIONS
from escalon.report.results.groups import derive_people
from escalon.report.results.survival import ENDPOINTS, SENSITIVITY
from escalon.report.tables.layout import Grid
from escalon.report.wording import render_date, render_number


def render_exclusions(adam: Mapping[str, pl.DataFrame]) -> str:
    """Each population with the patients who are not in it, by reason."""
    grid = Grid(
        "t-exclusions",
        "Patients left out of each population, with the reason",
        "Reason",
        {"n": "Patients", "who": "Who"},
        {},
        ["The first criterion of the population that the patient does not meet."],
        ["who"],
    )
    people = derive_people(adam)
    for flag, title in POPULATIONS.items():
        reason = f"{flag.removesuffix('FL')}RS"
        if reason not in people.columns:
            continue
        outside = people.filter(pl.col(flag) != "Y")
        groups = outside.group_by(reason, maintain_order=True).agg(pl.col("SUBJID").sort()).sort(reason)
        for why, who in groups.iter_rows():
            grid.add(str(why), {"n": str(len(who)), "who": ", ".join(who)}, title)
    return grid.render()


def render_sentences(adam: Mapping[str, pl.DataFrame]) -> str:
    """One line per patient and analysis: day, event or censored, and the sentence that says why."""
    grid = Grid(
        "t-time-to-event",
        "Why the event or the censoring fell on that day, every patient and analysis",
        "Patient",
        {"months": "Months", "date": "Date", "outcome": "Outcome", "why": "Why"},
        {},
        ["In brackets: the rule, and the record the day was read from. Analyses as in the tables above."],
        ["date", "outcome", "why"],
    )
    if "SENTENCE" not in adam["ADTTE"].columns:
        return grid.render()
    titles = {**ENDPOINTS, "DORC": "Duration of response, transplant competing", **SENSITIVITY}
    people = derive_people(adam).select("USUBJID", "SUBJID")
    rows = adam["ADTTE"].filter(pl.col("AVAL").is_not_null()).drop("SUBJID", strict=False)
    rows = rows.join(people, on="USUBJID").sort("SUBJID")
    for code, title in titles.items():
        for row in rows.filter(pl.col("PARAMCD") == code).iter_rows(named=True):
            outcome = "event" if row["CNSR"] == 0 else f"censored ({row['CNSR']})"
            cells = {
                "months": render_number(row["AVALM"], 1),
                "date": render_date(row["ADT"]),
                "outcome": outcome,
                "why": _because(row["SENTENCE"]),
            }
            grid.add(row["SUBJID"], cells, title)
    return grid.render()


def _because(sentence: str) -> str:
    """What follows the date and the days, which have columns of their own."""
    return sentence.partition(": ")[2] or sentence
