"""Derive time to event for each patient and analysis, with a sentence that says why.

The earliest event counts, ``priority`` deciding on one day. A cut (transplant, new therapy) strictly before
the event censors at the last adequate assessment not after the cut; an event on the day of the cut stands.
Missed visits: scheduled assessments are missed when their window closed before the event without an
adequate assessment in it; so many in a row right before the event censor it at the last adequate
assessment. A visit after the event is not missed, and an assessment between ends the row. Without event the
closing rule gives the date. Nothing after the horizon is seen: what would end later is censored at the
horizon, which is kept as it is (24 x 30.4375 days) for the comparison and rounded down for the date.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from escalon.analysis.survival.rules import BALLI_ANALYSES, KINDS, RULES, Analysis, Rule

__all__ = ["derive_time_to_event"]

_SOURCE = ("SRCDOM", "SRCVAR", "SRCSEQ")


@dataclass(frozen=True, slots=True)
class _Record:
    """One dated fact of a patient; ``day`` is a day number."""

    kind: str
    day: int
    source: tuple[Any, ...] = (None, None, None)


@dataclass(frozen=True, slots=True)
class _Outcome:
    rule: Rule
    day: int
    record: _Record | None
    because: str


def derive_time_to_event(
    records: pl.DataFrame,
    analyses: Sequence[Analysis] = BALLI_ANALYSES,
    patients: Sequence[str] | None = None,
) -> pl.DataFrame:
    """One row per patient and analysis.

    ``records``: USUBJID, KIND (see ``rules.KINDS``), ADT (Date, or a whole number of days), and where known
    SRCDOM, SRCVAR, SRCSEQ; cut at the data cut-off. ``patients`` limits and orders the patients (default:
    all in ``records``).

    Returns USUBJID PARAMCD PARAM STARTDT ADT AVAL (days) CNSR EVNTDESC CNSDTDSC RULE STRATEGY SRCDOM SRCVAR
    SRCSEQ SENTENCE. A patient without the origin has null AVAL and CNSR and a SENTENCE that says so. Raises
    ValueError for an unknown kind, a missing date or column, a patient alive after death.
    """
    facts, dated = _read(records)
    order = list(patients) if patients is not None else sorted(facts)
    rows = [
        _one(usubjid, facts.get(usubjid, []), analysis, dated) for analysis in analyses for usubjid in order
    ]
    day = pl.Date if dated else pl.Int64
    schema = {
        "USUBJID": pl.String, "PARAMCD": pl.String, "PARAM": pl.String, "STARTDT": day, "ADT": day, "AVAL": pl.Float64,
        "CNSR": pl.Int64, "EVNTDESC": pl.String, "CNSDTDSC": pl.String, "RULE": pl.String, "STRATEGY": pl.String,
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


def _one(usubjid: str, facts: list[_Record], analysis: Analysis, dated: bool) -> tuple[Any, ...]:
    """The row of one patient in one analysis."""
    starts = [r for r in facts if r.kind == analysis.origin]
    if not starts:
        sentence = f"{usubjid}: not in {analysis.paramcd}, no {analysis.origin} record"
        return (usubjid, analysis.paramcd, analysis.param, *(None,) * 11, sentence)
    start = min(r.day for r in starts)
    infusions = [r.day for r in facts if r.kind == "ORIGIN_INFUSION"]
    outcome = _outcome(facts, start, min(infusions, default=start), analysis)
    aval = float(outcome.day - start) + (1.0 if analysis.plus_one else 0.0)
    source = outcome.record.source if outcome.record else (None, None, None)
    rule = outcome.rule
    return (
        usubjid, analysis.paramcd, analysis.param, _day(start, dated), _day(outcome.day, dated), aval, rule.cnsr,
        rule.evntdesc, rule.cnsdtdsc or None, rule.rule_id, rule.strategy or None,
        *source, _sentence(usubjid, analysis, outcome, start, dated),
    )  # fmt: skip


def _outcome(facts: list[_Record], start: int, infusion: int, analysis: Analysis) -> _Outcome:
    """Event, cut, missed visits, closing, horizon: in this order of thought."""
    adequate = sorted((r for r in facts if r.kind == "ASSESSMENT" and r.day >= start), key=lambda r: r.day)
    if analysis.needs_baseline and not any(r.kind == "BASELINE" for r in facts):
        return _Outcome(RULES["NOBASE"], start, None, "no baseline assessment")
    event = _first(facts, start, analysis.events)
    cut = _first(facts, start, analysis.cuts)
    if cut is not None and (event is None or cut[1].day < event[1].day):
        found = _before(
            cut[0], adequate, cut[1].day, start, f"the {cut[0].evntdesc.lower()} on {{{cut[1].day}}}"
        )
    elif event is not None:
        found = _event(event, adequate, start, infusion, analysis)
    else:
        found = _closing(facts, adequate, start, analysis)
    return _within_horizon(found, start, analysis)


def _first(facts: list[_Record], start: int, rule_ids: Sequence[str]) -> tuple[Rule, _Record] | None:
    """Earliest record of these rules from the start on; the rule's priority decides within a day."""
    found = [(RULES[i], r) for i in rule_ids for r in facts if r.kind == RULES[i].kind and r.day >= start]
    return min(found, key=lambda pair: (pair[1].day, pair[0].priority), default=None)


def _before(rule: Rule, adequate: list[_Record], day: int, start: int, why: str) -> _Outcome:
    """Censored at the last adequate assessment not after ``day``, else at the start."""
    last = next((r for r in reversed(adequate) if r.day <= day), None)
    if last is None:
        return _Outcome(rule, start, None, f"no adequate assessment before {why}")
    return _Outcome(rule, last.day, last, f"last adequate assessment before {why}")


def _event(
    event: tuple[Rule, _Record], adequate: list[_Record], start: int, infusion: int, analysis: Analysis
) -> _Outcome:
    rule, record = event
    if analysis.missed is not None:
        missed = _missed_before(record.day, adequate, start, infusion, analysis)
        if len(missed) >= analysis.missed:
            why = f"{len(missed)} missed visits ({', '.join(missed)}) and {rule.evntdesc.lower()} on {{{record.day}}}"
            return _before(RULES["MISSED"], adequate, record.day, start, why)
    return _Outcome(rule, record.day, record, rule.evntdesc.lower())


def _missed_before(
    day: int, adequate: list[_Record], start: int, infusion: int, analysis: Analysis
) -> list[str]:
    """Names of the visits missed in a row right before ``day``, in the order of the schedule."""
    days = [r.day for r in adequate if r.day <= day]
    last = max(days, default=start)
    missed = []
    for visit in analysis.visits:
        opens, closes = infusion + visit.day - visit.before, infusion + visit.day + visit.after
        if opens > last and closes < day:
            missed.append(visit.name)
    return missed


def _closing(facts: list[_Record], adequate: list[_Record], start: int, analysis: Analysis) -> _Outcome:
    """No event and no cut: the one declared source of the last date."""
    rule = RULES[analysis.closing]
    if analysis.closing == "ADEQUATE":
        if not adequate:
            return _Outcome(RULES["NOASSESS"], start, None, "no adequate assessment after the start")
        return _Outcome(rule, adequate[-1].day, adequate[-1], "no event by the last adequate assessment")
    seen = [r for r in facts if r.kind == rule.kind and r.day >= start]
    if not seen:
        return _Outcome(rule, start, None, "no later date known alive")
    last = max(seen, key=lambda r: r.day)
    return _Outcome(rule, last.day, last, "last known alive")


def _within_horizon(found: _Outcome, start: int, analysis: Analysis) -> _Outcome:
    if analysis.horizon_days is None or found.day - start <= analysis.horizon_days:
        return found
    end = start + int(analysis.horizon_days)
    why = f"no event by the end of the period, {found.because} only on {{{found.day}}}"
    return _Outcome(RULES["HORIZON"], end, None, why)


def _day(day: int, dated: bool) -> date | int:
    return date.fromordinal(day) if dated else day


def _sentence(usubjid: str, analysis: Analysis, outcome: _Outcome, start: int, dated: bool) -> str:
    """Why the event or the censoring fell on that day, in one sentence."""
    verb = "event" if outcome.rule.cnsr == 0 else "censored"
    because = re.sub(r"\{(-?\d+)\}", lambda m: _text(int(m[1]), dated), outcome.because)
    days = outcome.day - start
    source = ""
    if outcome.record is not None and outcome.record.source[0] is not None:
        domain, variable, sequence = outcome.record.source
        source = f"; source {domain}.{variable}" + ("" if sequence is None else f" {domain}SEQ {sequence}")
    return (
        f"{usubjid}: {analysis.paramcd} {verb} on {_text(outcome.day, dated)}, {days} days after the start on "
        f"{_text(start, dated)}: {because} (rule {outcome.rule.rule_id}{source})"
    )


def _text(day: int, dated: bool) -> str:
    return (date.min + timedelta(day - 1)).isoformat() if dated else f"day {day}"
