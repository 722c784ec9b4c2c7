"""The development safety update report (ICH E2F), and with the same data the FDA annual report (21 CFR 312.33).

Conventions: the data are cut at the end of the lock point in the sponsor's zone; what came later is not known. The
interval runs from the day after the last scheduled lock point, or from the birth date, to the lock point; both days
count. An annual report counts its years from the day the IND went into effect, where the study names it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date
from typing import Literal

import polars as pl

from escalon.conduct.fold import cut
from escalon.conduct.safety.lock_points import birth_date, due_dates, end_of_day, interval_start
from escalon.conduct.state import Fact
from escalon.protocol import StudyFolder
from escalon.report import dsur_tables, dsur_trial
from escalon.report.dsur_tables import Cut

Layout = Literal["dsur", "annual-report"]
TABLES = {
    "status": dsur_trial.tabulate_status,
    "actions": dsur_trial.tabulate_actions,
    "references": dsur_trial.tabulate_references,
    "exposure": dsur_tables.tabulate_exposure,
    "reactions": dsur_tables.tabulate_reactions,
    "events": dsur_tables.tabulate_events,
    "cumulative_reactions": dsur_tables.tabulate_cumulative_reactions,
    "deaths": dsur_tables.tabulate_deaths,
    "discontinuations": dsur_tables.tabulate_discontinuations,
    "expedited": dsur_trial.tabulate_expedited,
    "modifications": dsur_trial.tabulate_modifications,
}


@dataclass(frozen=True, slots=True)
class Dsur:
    """The report.

    Attributes:
        birth_date: day from which the years are counted.
        start: first day of the interval.
        lock_point: its last day.
        due: last day to submit, per jurisdiction.
        facts: number of facts of the ledger up to the lock point.
        tables: every table by the name of its file.
    """

    study_id: str
    title: str
    layout: Layout
    birth_date: date
    start: date
    lock_point: date
    due: dict[str, date]
    facts: int
    enrolled: int
    infused: int
    tables: dict[str, pl.DataFrame]


def derive_dsur(
    facts: Sequence[Fact], folder: StudyFolder, lock_point: date, layout: Layout = "dsur"
) -> Dsur:
    """Return the report with data up to the end of ``lock_point``.

    Raises:
        ValueError: the lock point lies before the day from which the years are counted.
    """
    rules, identity = folder.conduct.safety, folder.study.identity
    born, what = birth_date(folder), "development birth date"
    if layout == "annual-report" and rules.ind_effective_date is not None:
        born, what = rules.ind_effective_date, "day the IND went into effect"
    if lock_point < born:
        raise ValueError(f"lock point {lock_point}: it lies before the {what} {born}")
    state = cut(facts, end_of_day(lock_point, rules.zone).replace(microsecond=999_999).astimezone(UTC))
    start = interval_start(born, lock_point, rules.data_lock_point)
    due = due_dates(rules, lock_point)
    if layout == "annual-report":
        due = {name: day for name, day in due.items() if name == "US"}
    made_of = Cut(state, folder, start, lock_point)
    return Dsur(
        identity.study_id,
        identity.brief_title,
        layout,
        born,
        start,
        lock_point,
        due,
        state.seq,
        len(state.patients),
        sum(patient.infused_at is not None for patient in state.patients.values()),
        {name: tabulate(made_of) for name, tabulate in TABLES.items()},
    )
