"""A patient's course as marks on lanes: consent, slot, treatment, window, events by grade, response, samples, death."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from escalon.conduct.events import DltStatus
from escalon.conduct.redaction.marker import Redacted
from escalon.conduct.state import Patient, Record, State
from escalon.protocol import StudyFolder

SLOT_WORDS = {"requested": "slot requested", "reserved": "seat reserved", "confirmed": "slot confirmed"}
STATUS_WORDS = {"DLT": "DLT", "NO_DLT": "no DLT", "NOT_EVALUABLE": "not evaluable", "PENDING": "pending"}


@dataclass(frozen=True, slots=True)
class CourseMark:
    """Something at a day or over days; ``end`` None is a moment, ``open_end`` something that still lasts.

    ``style`` is a class of the page: milestone, dose, infusion, window-STATUS, grade-N, response, sample, death.
    """

    start: float
    end: float | None
    text: str
    style: str
    record: str = ""
    open_end: bool = False


@dataclass(frozen=True, slots=True)
class Lane:
    """A line of the picture; the marks of a ``stacked`` lane get a line each."""

    label: str
    marks: tuple[CourseMark, ...]
    stacked: bool = False


@dataclass(frozen=True, slots=True)
class Course:
    """The lanes, the moment of day 0 (the first infusion, or the consent), and what has no date to be drawn at."""

    lanes: tuple[Lane, ...]
    origin: datetime
    infused: bool
    undrawn: tuple[str, ...]
    window: int

    @property
    def marks(self) -> tuple[CourseMark, ...]:
        """All marks, the earliest first."""
        found = [mark for lane in self.lanes for mark in lane.marks]
        return tuple(sorted(found, key=lambda mark: (mark.start, mark.text)))


def course_of(state: State, patient: Patient, folder: StudyFolder) -> Course:
    """Return the course of ``patient``; ``folder`` is the version of the study consented to."""
    infused = patient.infused_at
    origin = (
        infused if infused is not None else datetime.fromisoformat(patient.consented_on).replace(tzinfo=UTC)
    )
    window = folder.study.dlt.window_days
    records = [one for one in patient.records.values() if not one.withdrawn]
    draft = _Draft(origin, _last_known(records, origin))
    cells = folder.study.cell_kinetics.analyte
    lanes = (
        Lane("Milestones", tuple(_together(_milestones(draft, state, patient, records))), stacked=True),
        *_treatments(draft, records, cells),
        Lane(cells, tuple(_infusions(draft, state, patient))),
        Lane("DLT window", tuple(_windows(draft, state, patient, window))),
        Lane("Adverse events", tuple(_events(draft, records)), stacked=True),
        Lane("Response", tuple(_dated(draft, records, "RS", "RSDTC", "RSORRES", "response"))),
        *_samples(draft, records),
        Lane("Death", tuple(_deaths(draft, records))),
    )
    shown = tuple(lane for lane in lanes if lane.marks)
    return Course(shown, origin, infused is not None, tuple(draft.undrawn), window)


class _Draft:
    """Days since the origin, the last day anything is known of, and a list of what has no day."""

    def __init__(self, origin: datetime, last: float) -> None:
        self.origin, self.last = origin, last
        self.undrawn: list[str] = []

    def day(self, record: Record, item: str) -> float | None:
        found = _day(record.entered.get(item), self.origin)
        if found is None:
            self.undrawn.append(f"{record.record}: {item} is not a whole date")
        return found


def _last_known(records: list[Record], origin: datetime) -> float:
    """The day of death, else the day of the last entry: what is ongoing lasts to then, as far as is known."""
    deaths = [_day(one.entered.get("DSSTDTC"), origin) for one in records if _is_death(one)]
    days = [day for day in deaths if day is not None]
    days = days or [day for one in records if (day := _day(one.recorded_at, origin)) is not None]
    return max(days, default=0.0)


def _is_death(record: Record) -> bool:
    return record.form == "DS" and record.entered.get("DSDECOD") == "DEATH"


def _together(marks: Iterator[CourseMark]) -> Iterator[CourseMark]:
    """Join the milestones of one day into one mark with all their words."""
    days: dict[int, list[CourseMark]] = {}
    for mark in marks:
        days.setdefault(int(mark.start // 1), []).append(mark)
    for _, found in sorted(days.items()):
        words = ", ".join(dict.fromkeys(mark.text for mark in found))
        record = next((mark.record for mark in found if mark.record), "")
        yield CourseMark(found[0].start, None, words, "milestone", record)


def _day(value: Any, origin: datetime) -> float | None:
    """Days from ``origin`` to a date or moment; None for anything else, a partial or redacted date too."""
    if isinstance(value, datetime):
        return (value - origin).total_seconds() / 86400
    if not isinstance(value, str) or isinstance(value, Redacted):
        return None
    try:
        if len(value) == len("2021-03-04"):
            return float((date.fromisoformat(value) - origin.date()).days)
        return _day(datetime.fromisoformat(value), origin) if "T" in value else None
    except (ValueError, TypeError):
        return None


def _milestones(draft: _Draft, state: State, patient: Patient, records: list[Record]) -> Iterator[CourseMark]:
    consent = _day(patient.consented_on, draft.origin)
    if consent is not None:
        yield CourseMark(consent, None, "consent", "milestone")
    slot = state.slots.of_patient(patient.patient)
    for step in slot.history if slot is not None else ():
        day = _day(step.at, draft.origin)
        if day is not None and step.status.value in SLOT_WORDS:
            yield CourseMark(day, None, SLOT_WORDS[step.status.value], "milestone")
    for record in records:
        word = record.entered.get("DSDECOD")
        if record.form != "DS" or not isinstance(word, str) or word in ("DEATH", "INFORMED CONSENT OBTAINED"):
            continue
        day = draft.day(record, "DSSTDTC")
        if day is not None:
            yield CourseMark(day, None, word.lower(), "milestone", record.record)


def _treatments(draft: _Draft, records: list[Record], cells: str) -> Iterator[Lane]:
    """Yield a lane for each product but the cells, whose infusions are facts of their own."""
    doses: dict[str, list[CourseMark]] = {}
    for record in records:
        product = str(record.entered.get("EXTRT"))
        if record.form != "EX" or product == cells:
            continue
        day = draft.day(record, "EXSTDTC")
        if day is not None:
            amount = f"{record.entered.get('EXDOSE')} {record.entered.get('EXDOSU')}"
            doses.setdefault(product, []).append(
                CourseMark(day, None, f"{product} {amount}", "dose", record.record)
            )
    for product, marks in doses.items():
        yield Lane(product.capitalize() if product.isalpha() else product, tuple(marks))


def _infusions(draft: _Draft, state: State, patient: Patient) -> Iterator[CourseMark]:
    given = [(1, patient.infused_at, patient.dose_level)]
    given += [
        (one.exposure, one.infused_at, one.dose_level)
        for one in state.slots.exposures
        if one.patient == patient.patient and one.exposure > 1
    ]
    for number, at, level in given:
        day = _day(at, draft.origin)
        if day is not None:
            yield CourseMark(day, None, f"infusion {number}, level {level}", "infusion")


def _windows(draft: _Draft, state: State, patient: Patient, days: int) -> Iterator[CourseMark]:
    """Yield the window of each infusion with what was judged of it; the first is judged in the patient."""
    if patient.infused_at is not None:
        yield _window(0.0, days, patient.dlt_status, patient.dlt_clause)
    for one in state.slots.exposures:
        day = _day(one.infused_at, draft.origin)
        if one.patient == patient.patient and one.exposure > 1 and day is not None:
            judged = one.judged if not one.reopened else None
            status = DltStatus.PENDING if judged is None else judged.status
            yield _window(day, days, status, None if judged is None else judged.clause)


def _window(start: float, days: int, status: DltStatus, clause: str | None) -> CourseMark:
    words = STATUS_WORDS[status.value] + (f" (clause {clause})" if clause else "")
    return CourseMark(start, start + days, words, f"window-{status.value}")


def _events(draft: _Draft, records: list[Record]) -> Iterator[CourseMark]:
    found = []
    for record in records:
        if record.form != "AE":
            continue
        start = draft.day(record, "AESTDTC")
        if start is None:
            continue
        values = record.entered
        end = _day(values.get("AEENDTC"), draft.origin)
        grade = values.get("AETOXGR")
        serious = ", serious" if values.get("AESER") == "Y" else ""
        text = f"G{grade} {values.get('AEDECOD')}{serious}"
        style = f"grade-{grade}" if grade in (1, 2, 3, 4, 5) else "grade-unknown"
        last = max(start, draft.last) if end is None else end
        found.append(CourseMark(start, last, text, style, record.record, open_end=end is None))
    yield from sorted(found, key=lambda mark: (mark.start, mark.record))


def _dated(
    draft: _Draft, records: list[Record], form: str, when: str, what: str, style: str
) -> Iterator[CourseMark]:
    for record in records:
        if record.form == form and record.entered.get(what) is not None:
            day = draft.day(record, when)
            if day is not None:
                yield CourseMark(day, None, str(record.entered[what]), style, record.record)


def _samples(draft: _Draft, records: list[Record]) -> Iterator[Lane]:
    tests = dict.fromkeys(str(one.entered.get("PCTEST")) for one in records if one.form == "PC")
    for test in tests:
        chosen = [one for one in records if str(one.entered.get("PCTEST")) == test]
        yield Lane(f"{test} samples", tuple(_dated(draft, chosen, "PC", "PCDTC", "PCTEST", "sample")))


def _deaths(draft: _Draft, records: list[Record]) -> Iterator[CourseMark]:
    for record in records:
        if _is_death(record):
            day = draft.day(record, "DSSTDTC")
            cause = record.entered.get("DTHCAUS")
            if day is not None:
                words = f", {cause.lower()}" if isinstance(cause, str) else ""
                yield CourseMark(day, None, f"death{words}", "death", record.record)
