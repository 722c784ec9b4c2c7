"""Derive time to event for each patient and analysis, with a sentence that says why.

Each rule of an analysis happens on a day or not at all; the first decides, ``rules`` giving the order within a
day. An event on the day of a transplant or new therapy therefore stands. Missed visits: those whose window
opened after the last adequate assessment and closed before the event. So many of them break the follow-up on
the day the last one needed closes; the assessment that finds a progression does not close the gap before it,
an adequate one on the day of a death does. Nothing after the time frame is seen, except that it shows the
patient was followed to its end.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from escalon.analysis.survival.rules import KINDS, Analysis, Rule, VisitWindow, join_windows

__all__ = ["derive_time_to_event"]

_SOURCE = ("SRCDOM", "SRCVAR", "SRCSEQ")
_LAST_OF_ALL = date.max.toordinal()


@dataclass(frozen=True, slots=True)
class _Record:
    """One dated fact of a patient; ``day`` is a day number."""

    kind: str
    day: int
    source: tuple[Any, ...] = (None, None, None)


@dataclass(frozen=True, slots=True)
class _Case:
    """One patient in one analysis: the facts from the start on, in order of day.

    ``end`` is the last day of the time frame, with the record it is counted from; ``infusion`` the day the
    visits are counted from (None: no visit schedule); ``windows`` the visits, overlapping ones joined.
    """

    analysis: Analysis
    start: _Record
    facts: tuple[_Record, ...]
    baseline: bool
    infusion: int | None
    end: _Record | None
    windows: tuple[VisitWindow, ...]

    def first(self, kind: str) -> _Record | None:
        """First record of ``kind``."""
        return next((r for r in self.facts if r.kind == kind), None)

    def last(self, kind: str, until: int = _LAST_OF_ALL) -> _Record | None:
        """Last record of ``kind`` up to ``until``."""
        return next((r for r in reversed(self.facts) if r.kind == kind and r.day <= until), None)

    @property
    def event(self) -> tuple[Rule, _Record] | None:
        """First event of the analysis, in or after the time frame."""
        rules = [rule for rule in self.analysis.rules if rule.cnsr == 0]
        found = [(rule, r) for rule in rules if (r := self.first(rule.when)) is not None]
        return min(found, key=lambda pair: pair[1].day, default=None)


@dataclass(frozen=True, slots=True)
class _Outcome:
    rule: Rule
    record: _Record
    because: str


def derive_time_to_event(
    records: pl.DataFrame, analyses: Sequence[Analysis], patients: Sequence[str] | None = None
) -> pl.DataFrame:
    """One row per patient and analysis.

    ``records``: USUBJID, KIND (see ``rules.KINDS``), ADT (Date, or a whole number of days), and where known
    SRCDOM, SRCVAR, SRCSEQ; cut at the data cut-off. ``patients`` limits and orders the patients (default:
    all in ``records``).

    Returns USUBJID PARAMCD PARAM STARTDT ADT AVAL (days) CNSR EVNTDESC CNSDTDSC RULEID STRATEGY SRCDOM SRCVAR
    SRCSEQ (the record of ADT; of the time frame the record it is counted from) SENTENCE. A patient without the
    origin has null AVAL and CNSR and a SENTENCE that says so. Raises ValueError for an unknown kind, a missing
    date or column, a patient alive after death.
    """
    facts, dated = _read(records)
    order = list(patients) if patients is not None else sorted(facts)
    rows: list[tuple[Any, ...]] = []
    for analysis in analyses:
        windows = join_windows(analysis.visits)
        rows += [(usubjid, *_one(facts.get(usubjid, []), analysis, windows, dated)) for usubjid in order]
    day = pl.Date if dated else pl.Int64
    schema = {
        "USUBJID": pl.String, "PARAMCD": pl.String, "PARAM": pl.String, "STARTDT": day, "ADT": day, "AVAL": pl.Float64,
        "CNSR": pl.Int64, "EVNTDESC": pl.String, "CNSDTDSC": pl.String, "RULEID": pl.String, "STRATEGY": pl.String,
        "SRCDOM": pl.String, "SRCVAR": pl.String, "SRCSEQ": pl.Int64, "SENTENCE": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def _read(records: pl.DataFrame) -> tuple[dict[str, list[_Record]], bool]:
    """Facts of each patient, and whether days are dates."""
    absent = [c for c in ("USUBJID", "KIND", "ADT") if c not in records.columns]
    if absent:
        raise ValueError(f"records lacks {', '.join(absent)}")
    unknown = sorted(set(records["KIND"].to_list()) - set(KINDS), key=str)
    if unknown:
        raise ValueError(f"records.KIND holds {unknown[0]!r}: one of {', '.join(KINDS)} is expected")
    dated = records.schema["ADT"] == pl.Date
    if not dated and not records.schema["ADT"].is_integer():
        raise ValueError(f"records.ADT has type {records.schema['ADT']}: Date or whole days are expected")
    facts: dict[str, list[_Record]] = {}
    sources = [records[c].to_list() if c in records.columns else [None] * records.height for c in _SOURCE]
    columns = (records["USUBJID"].to_list(), records["KIND"].to_list(), records["ADT"].to_list())
    for usubjid, kind, adt, *source in zip(*columns, *sources, strict=True):
        if adt is None:
            raise ValueError(f"patient {usubjid}: a {kind} record has no date")
        day = adt.toordinal() if dated else int(adt)
        facts.setdefault(usubjid, []).append(_Record(kind, day, tuple(source)))
    for usubjid, known in facts.items():
        dead = min((r.day for r in known if r.kind == "DEATH"), default=None)
        if dead is not None and any(r.kind == "LAST_ALIVE" and r.day > dead for r in known):
            raise ValueError(f"patient {usubjid}: LAST_ALIVE lies after DEATH; one of the two dates is wrong")
    return facts, dated


def _one(
    known: list[_Record], analysis: Analysis, windows: tuple[VisitWindow, ...], dated: bool
) -> tuple[Any, ...]:
    """The row of one patient in one analysis, without the patient."""
    case = _case(known, analysis, windows)
    if case is None:
        sentence = f"not in {analysis.paramcd}: no {analysis.origin} record"
        return (analysis.paramcd, analysis.param, *(None,) * 11, sentence)
    outcome = _outcome(case)
    rule, start, end = outcome.rule, case.start.day, outcome.record.day
    return (
        analysis.paramcd, analysis.param, _day(start, dated), _day(end, dated), float(end - start + analysis.plus_one),
        rule.cnsr, rule.evntdesc, rule.cnsdtdsc or None, rule.rule_id, rule.strategy or None,
        *outcome.record.source, _sentence(case, outcome, dated),
    )  # fmt: skip


def _case(known: list[_Record], analysis: Analysis, windows: tuple[VisitWindow, ...]) -> _Case | None:
    """The facts from the origin on; None for a patient who never reached it."""
    # Sources only decide which of two records of one day is named; the order of the rows never does.
    ordered = sorted(known, key=lambda r: (r.day, str(r.source[0]), str(r.source[1]), r.source[2] or 0))
    start = next((r for r in ordered if r.kind == analysis.origin), None)
    if start is None:
        return None
    infusion = next((r for r in ordered if r.kind == "ORIGIN_INFUSION"), None)
    anchor = infusion or next((r for r in ordered if r.kind == "ORIGIN_TREATMENT"), start)
    end = None
    if analysis.horizon_day is not None:
        end = _Record("", anchor.day + analysis.horizon_day, anchor.source)
        # A response first seen after the time frame has no follow-up inside it.
        end = start if start.day > end.day else end
    return _Case(
        analysis,
        start,
        tuple(r for r in ordered if r.day >= start.day),
        any(r.kind == "BASELINE" for r in known),
        None if infusion is None else infusion.day,
        end,
        windows,
    )


def _outcome(case: _Case) -> _Outcome:
    """The rule that happened first; the last rule of an analysis always does."""
    found = []
    for place, rule in enumerate(case.analysis.rules):
        happened = _STATES.get(rule.when, _recorded)(rule, case)
        if happened is not None:
            found.append((happened[0], place, rule, happened[1]))
    at, _, rule, because = min(found, key=lambda item: item[:2])
    return _dated(rule, case, at, because)


_Happened = tuple[int, str] | None


def _recorded(rule: Rule, case: _Case) -> _Happened:
    """First record of the kind. A therapy after the time frame is not seen."""
    record = case.first(rule.when)
    if record is None or (rule.cnsr and case.end is not None and record.day > case.end.day):
        return None
    return record.day, _lower(rule) if rule.cnsr == 0 else f"{_lower(rule)} on {{{record.day}}}"


def _no_baseline(rule: Rule, case: _Case) -> _Happened:
    return None if case.baseline else (case.start.day, _lower(rule))


def _missed_visits(rule: Rule, case: _Case) -> _Happened:
    needed, event = case.analysis.missed, case.event
    # Without an infusion there is no visit to miss.
    if needed is None or event is None or case.infusion is None:
        return None
    attended = [case.last(kind, event[1].day) for kind in ("ASSESSMENT", "INADEQUATE")]
    seen = max(record.day for record in (*attended, case.start) if record is not None) - case.infusion
    until = event[1].day - case.infusion
    missed = [visit for visit in case.windows if visit.opens > seen and visit.closes < until]
    if len(missed) < needed:
        return None
    why = f"{len(missed)} missed visits from {missed[0].name} on and {_lower(event[0])} on {{{event[1].day}}}"
    return case.infusion + missed[needed - 1].closes, why


def _frame_over(rule: Rule, case: _Case) -> _Happened:
    if case.end is None:
        return None
    event = case.event
    if event is not None:
        later = f"{_lower(event[0])} only on {{{event[1].day}}}" if event[1].day > case.end.day else None
    else:
        last = case.last("LAST_ALIVE" if case.analysis.rules[-1].date == "last alive" else "ASSESSMENT")
        later = f"followed to {{{last.day}}}" if last is not None and last.day > case.end.day else None
    return None if later is None else (case.end.day, later)


def _never_assessed(rule: Rule, case: _Case) -> _Happened:
    return None if case.last("ASSESSMENT") else (_LAST_OF_ALL, _lower(rule))


def _otherwise(rule: Rule, case: _Case) -> _Happened:
    return _LAST_OF_ALL, _lower(rule)


_STATES: dict[str, Callable[[Rule, _Case], _Happened]] = {
    "no baseline": _no_baseline,
    "missed visits": _missed_visits,
    "frame over": _frame_over,
    "never assessed": _never_assessed,
    "otherwise": _otherwise,
}


def _dated(rule: Rule, case: _Case, at: int, because: str) -> _Outcome:
    """The record of the day the rule counts, ``at`` being the day on which it happened."""
    if rule.date == "start":
        return _Outcome(rule, case.start, because)
    if rule.date == "frame end":
        return _Outcome(rule, case.end or case.start, f"end of the time frame, {because}")
    if rule.date == "own":
        return _Outcome(rule, case.first(rule.when) or case.start, because)
    kind, noun = _LAST[rule.date]
    record = case.last(kind, at)
    if rule.when != "otherwise":
        because = f"{'no' if record is None else 'last'} {noun} before {because}"
    return _Outcome(rule, record or case.start, because)


_LAST = {
    "last adequate": ("ASSESSMENT", "adequate assessment"),
    "last alive": ("LAST_ALIVE", "day known alive"),
}


def _lower(rule: Rule) -> str:
    """The description inside a sentence; names such as UCART22 keep their capitals."""
    return rule.evntdesc[:1].lower() + rule.evntdesc[1:]


def _day(day: int, dated: bool) -> date | int:
    return date.fromordinal(day) if dated else day


def _sentence(case: _Case, outcome: _Outcome, dated: bool) -> str:
    """Why the event or the censoring fell on that day, in one sentence of at most 200 characters."""
    verb = "event" if outcome.rule.cnsr == 0 else "censored"
    because = re.sub(r"\{(-?\d+)\}", lambda m: _text(int(m[1]), dated), outcome.because)
    start, end = case.start.day, outcome.record.day
    named = [outcome.rule.rule_id]
    domain, variable, sequence = outcome.record.source
    if domain is not None:
        named.append(f"{domain}.{variable}" + ("" if sequence is None else f" {domain}SEQ {sequence}"))
    when = f"on {_text(end, dated)}, {end - start} days from {_text(start, dated)}"
    return f"{case.analysis.paramcd} {verb} {when}: {because} ({', '.join(named)})"


def _text(day: int, dated: bool) -> str:
    return date.fromordinal(day).isoformat() if dated else f"day {day}"
