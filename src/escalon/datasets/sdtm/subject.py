"""One patient on the study's clocks: reference date, study days, epochs, visits.

Study day (--DY): date minus the date of the first dose of any study treatment, plus one from that date on;
there is no day 0. Epochs: SCREENING before the first dose, LYMPHODEPLETION to the infusion, TREATMENT from
the infusion to the end of the DLT window, FOLLOW-UP after it. Moments are written in UTC as ISO 8601 without
an offset; a date stays a date.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from escalon.conduct.state import Patient, Record, State
from escalon.datasets.spec import conform, load_spec
from escalon.protocol.study import Study

Row = dict[str, Any]
UNSCHEDULED = "UNSCHEDULED"


def render_iso(value: str | datetime | date | None) -> str | None:
    """Return a date as YYYY-MM-DD or a moment in UTC as YYYY-MM-DDTHH:MM:SS; ValueError when it is neither.

    >>> render_iso("2021-03-04T10:30:00+02:00")
    '2021-03-04T08:30:00'
    """
    if value is None:
        return None
    if isinstance(value, str) and len(value) == 10:
        return date.fromisoformat(value).isoformat()
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(moment, datetime):
        return moment.isoformat()
    if moment.tzinfo is None:
        raise ValueError(f"{value}: a moment needs its zone, for example 2021-03-04T10:30:00+00:00")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")


def render_number(value: float | int | None) -> str | None:
    """Return a number as the shortest text that reads back as the same number.

    >>> render_number(5.0), render_number(0.00012)
    ('5', '0.00012')
    """
    if value is None:
        return None
    if float(value).is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = repr(float(value))
    return f"{value:.17f}".rstrip("0") if "e-" in text and float(f"{value:.17f}") == value else text


@dataclass(frozen=True, slots=True)
class Subject:
    """A patient with the anchors every domain needs; moments as ISO text (see ``render_iso``)."""

    patient: Patient
    study_id: str
    usubjid: str
    first_dose: str | None
    last_dose: str | None
    infusion: str | None
    treatment_end: str | None
    visits: Mapping[str, tuple[int, str]]

    def row(self, domain: str) -> Row:
        """Return the identifiers every record starts with."""
        return {"STUDYID": self.study_id, "DOMAIN": domain, "USUBJID": self.usubjid}

    def study_day(self, moment: str | None) -> int | None:
        """Return the study day of ``moment``; None without a first dose or a moment."""
        if moment is None or self.first_dose is None:
            return None
        days = (date.fromisoformat(moment[:10]) - date.fromisoformat(self.first_dose[:10])).days
        return days + 1 if days >= 0 else days

    def epoch(self, moment: str | None) -> str | None:
        """Return the epoch ``moment`` lies in; a date without time is compared as a date."""
        if moment is None:
            return None
        anchors = (
            ("FOLLOW-UP", self.treatment_end),
            ("TREATMENT", self.infusion),
            ("LYMPHODEPLETION", self.first_dose),
        )
        for name, start in anchors:
            if start is not None and moment[: len(start)] >= start[: len(moment)]:
                return name
        return "SCREENING"

    def visit(self, record: Record) -> Row:
        """Return VISITNUM and VISIT of a record; a record without a visit is unscheduled."""
        if record.visit is None:
            return {"VISITNUM": None, "VISIT": UNSCHEDULED}
        number, label = self.visits[record.visit]
        return {"VISITNUM": float(number), "VISIT": label}

    def before_treatment(self, moment: str | None) -> bool:
        """Whether ``moment`` precedes the first dose; a date alone counts when it is not after that day."""
        if moment is None or self.first_dose is None:
            return moment is not None
        return moment <= self.first_dose[: len(moment)]


def subjects(state: State, study: Study) -> tuple[Subject, ...]:
    """Return every enrolled patient in order of patient number."""
    study_id = study.identity.study_id
    visits = {visit.id: (place, visit.label.upper()) for place, visit in enumerate(study.visits, 1)}
    return tuple(
        _subject(patient, study_id, visits, study.dlt.window_days)
        for _, patient in sorted(state.patients.items())
    )


def _subject(
    patient: Patient, study_id: str, visits: Mapping[str, tuple[int, str]], window_days: int
) -> Subject:
    doses = [record.values for record in patient.forms("EX")]
    starts = [render_iso(values["EXSTDTC"]) or "" for values in doses]
    ends = [render_iso(values["EXENDTC"]) or "" for values in doses]
    infusion = None if patient.infused_at is None else render_iso(patient.infused_at)
    end = None
    if infusion is not None:
        # The DLT window includes its last day: follow-up starts the day after.
        end = (date.fromisoformat(infusion[:10]) + timedelta(days=window_days + 1)).isoformat()
    return Subject(
        patient,
        study_id,
        f"{study_id}-{patient.site}-{patient.patient}",
        min(starts, default=None),
        max(ends, default=None),
        infusion,
        end,
        visits,
    )


def number_rows(domain: str, rows: Iterable[Row], sort: Sequence[str]) -> list[Row]:
    """Return ``rows`` in order of patient and ``sort`` (missing first), numbered 1, 2, ... within the
    patient.

    The order of records recorded alike is settled by their sponsor identifier, so that it never depends on
    the ledger.
    """
    keys = ("USUBJID", *sort, f"{domain}SPID")
    ordered = sorted(rows, key=lambda row: tuple((row.get(k) is not None, row.get(k) or "") for k in keys))
    counts: dict[str, int] = {}
    for row in ordered:
        counts[row["USUBJID"]] = counts.get(row["USUBJID"], 0) + 1
        row[f"{domain}SEQ"] = counts[row["USUBJID"]]
    return ordered


def flag_last_before(domain: str, rows: Sequence[Row], people: Iterable[Subject]) -> None:
    """Set --LOBXFL on the last result of each test on or before the first dose."""
    by_id = {subject.usubjid: subject for subject in people}
    last: dict[tuple[str, ...], Row] = {}
    for row in rows:
        row[f"{domain}LOBXFL"] = None
        result, moment = row.get(f"{domain}STRESC"), row.get(f"{domain}DTC")
        if result is None or not by_id[row["USUBJID"]].before_treatment(moment):
            continue
        test = tuple(str(row.get(f"{domain}{part}")) for part in ("TESTCD", "CAT", "SPEC"))
        key = (row["USUBJID"], *test)
        if key not in last or (last[key][f"{domain}DTC"], last[key][f"{domain}SEQ"]) < (
            moment,
            row[f"{domain}SEQ"],
        ):
            last[key] = row
    for row in last.values():
        row[f"{domain}LOBXFL"] = "Y"


def frame(domain: str, rows: Sequence[Row]) -> pl.DataFrame:
    """Return ``rows`` as the data set of the specification."""
    return conform(rows, load_spec("sdtm")[domain])
