"""ADTTE: duration of response, progression-free and overall survival, each with its sensitivity variants.

The rules and parameters are those of ``analysis.survival`` (``time_to_event.yaml`` there); the origin, time
frame, visits, missed visits and switches come from study.yaml. This file only gathers the dated facts of each
patient, each with its SDTM record. AVAL is ADT minus STARTDT in days, AVALM the same in months of
``days_per_month``.
"""

from collections.abc import Iterator

import polars as pl

from escalon.analysis.survival import Analysis, VisitWindow, derive_time_to_event, load_analyses
from escalon.datasets.adam.assessments import PROGRESSIONS, Assessed, Course, read_courses
from escalon.datasets.adam.dated_facts import Source, deaths, first_after, last_alive, therapies
from escalon.datasets.adam.sources import Frames, Row, as_date, by_patient, finish
from escalon.protocol.study import Study

__all__ = ["derive_adtte", "study_analyses"]

_ORIGINS = {"first_study_treatment": "ORIGIN_TREATMENT", "first_ucart22": "ORIGIN_INFUSION"}
_RECORDS = {
    "USUBJID": pl.String,
    "KIND": pl.String,
    "ADT": pl.Date,
    "SRCDOM": pl.String,
    "SRCVAR": pl.String,
    "SRCSEQ": pl.Int64,
}


def derive_adtte(sdtm: Frames, adsl: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Return ADTTE: one record per patient and parameter whose origin the patient reached."""
    analyses = study_analyses(study)
    found = derive_time_to_event(_records(sdtm, adsl, study), analyses).drop_nulls("AVAL")
    per_month = study.time_to_event.days_per_month
    rows = [
        row | {"AVALU": "DAYS", "AVALM": row["AVAL"] / per_month}
        for row in found.drop("STRATEGY").iter_rows(named=True)
    ]
    return finish("ADTTE", rows, adsl, ())


def study_analyses(study: Study) -> tuple[Analysis, ...]:
    """Return the time-to-event analyses under the settings of the study."""
    rules = study.time_to_event
    switches = {"TRANSPLANT": rules.censor_at_transplant, "NEW_THERAPY": rules.censor_at_new_therapy}
    return load_analyses(
        origin=_ORIGINS[rules.origin],
        horizon_day=rules.horizon_day,
        missed=rules.missed_visits,
        visits=[VisitWindow(visit.id, *visit.window) for visit in study.response_visits],
        switched_off=[name for name, on in switches.items() if not on],
    )


def _records(sdtm: Frames, adsl: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Return the dated facts of all patients, one per row: kind, date and SDTM record."""
    courses, died, alive = read_courses(sdtm, study), deaths(sdtm), last_alive(sdtm)
    transplants, new_therapies = therapies(sdtm, "transplant"), therapies(sdtm, "new_therapy")
    doses = by_patient(sdtm["EX"])
    rows: list[Row] = []
    for person in adsl.iter_rows(named=True):
        usubjid = person["USUBJID"]
        given = doses.get(usubjid, [])
        cells = [row for row in given if row["EXTRT"] == study.cell_kinetics.analyte]
        single = {
            "ORIGIN_TREATMENT": _dose(given),
            "ORIGIN_INFUSION": _dose(cells),
            "DEATH": died.get(usubjid),
            "LAST_ALIVE": alive.get(usubjid),
            "HSCT": first_after(transplants.get(usubjid, []), person["INFDT"]),
            "NEW_THERAPY": first_after(new_therapies.get(usubjid, []), person["INFDT"]),
        }
        facts = [(kind, source) for kind, source in single.items() if source is not None]
        facts += _assessments(courses.get(usubjid), study)
        rows += [{"USUBJID": usubjid, "KIND": kind} | _fields(source) for kind, source in facts]
    return pl.DataFrame(rows, schema=_RECORDS)


def _assessments(course: Course | None, study: Study) -> Iterator[tuple[str, Source]]:
    """Assessments, progressions, and the first response among those read for best response.

    An aplastic marrow was looked at: its visit is not missed, though it can neither show nor exclude a progression.
    """
    if course is None:
        return
    for item in course.assessed:
        if item.response.response in PROGRESSIONS:
            yield "PROGRESSION", _source(item)
        elif item.adequate:
            yield "ASSESSMENT", _source(item)
        elif item.response.response == "NE_APLASTIC":
            yield "INADEQUATE", _source(item)
    read = course.assessed[: course.read]
    responses = (item for item in read if item.response.response in study.response.numerator)
    first = next(responses, None)
    if first is not None:
        yield "RESPONSE", _source(first)


def _source(item: Assessed) -> Source:
    return Source(item.date, "RS", "RSDTC", item.rsseq)


def _dose(doses: list[Row]) -> Source | None:
    first = min(doses, key=lambda row: (row["EXSTDTC"], row["EXSEQ"]), default=None)
    day = as_date(first["EXSTDTC"]) if first else None
    return None if first is None or day is None else Source(day, "EX", "EXSTDTC", first["EXSEQ"])


def _fields(source: Source) -> Row:
    return {
        "ADT": source.date,
        "SRCDOM": source.dataset,
        "SRCVAR": source.variable,
        "SRCSEQ": source.seq,
    }
