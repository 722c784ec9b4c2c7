"""How safety facts change the state."""

from dataclasses import replace
from typing import Any

from escalon.conduct.act import Event
from escalon.conduct.safety import events as ev
from escalon.conduct.safety.reading import is_fatal
from escalon.conduct.safety.state import Case, Clock, Coding, Matter, Report
from escalon.conduct.state import Fact, State
from escalon.conduct.topic import Apply


def _case_opened(state: State, fact: Fact, event: ev.CaseOpened) -> State:
    case = Case(
        event.case,
        event.patient,
        event.record,
        event.term,
        event.onset,
        event.serious,
        event.fatal,
        event.site_aware_at,
        fact.at,
        fact.at,
        informed_at=(fact.at,),
    )
    return _with(state, cases=(*state.safety.cases, case))


def _case_updated(state: State, fact: Fact, event: ev.CaseUpdated) -> State:
    return _change(
        state,
        "cases",
        event.case,
        version=event.version,
        term=event.term,
        serious=event.serious,
        fatal=event.fatal,
        updated_at=fact.at,
        informed_at=(*state.safety.cases[event.case - 1].informed_at, fact.at),
    )


def _case_assessed(state: State, fact: Fact, event: ev.CaseAssessed) -> State:
    return _change(
        state,
        "cases",
        event.case,
        causality=event.causality,
        serious=event.serious,
        fatal=is_fatal(event.serious),
        expectedness=event.expectedness,
        susar=event.susar,
        narrative=event.narrative,
        determined_at=fact.at,
        assessed_version=state.safety.cases[event.case - 1].version,
    )


def _clock_started(state: State, fact: Fact, event: ev.ClockStarted) -> State:
    clock = Clock(
        event.clock,
        event.case,
        event.rule,
        event.rule_version,
        event.jurisdiction,
        event.purpose,
        event.started_at,
        event.due_at,
        matter=event.matter,
    )
    return _with(state, clocks=(*state.safety.clocks, clock))


def _clock_stopped(state: State, fact: Fact, event: ev.ClockStopped) -> State:
    last = state.safety.reports[-1] if state.safety.reports else None
    if last is not None and (last.clock, last.at) == (event.clock, fact.at):
        # A rejection opens the clock again; the reason belongs to the report that was late.
        state = _change(state, "reports", last.number, late_reason=event.late_reason)
    return _change(
        state,
        "clocks",
        event.clock,
        stopped_at=fact.at,
        stopped_because=event.because,
        late_reason=event.late_reason,
    )


def _clock_reopened(state: State, fact: Fact, event: ev.ClockReopened) -> State:
    return _change(state, "clocks", event.clock, stopped_at=None, stopped_because="", late_reason=None)


def _report_submitted(state: State, fact: Fact, event: ev.ReportSubmitted) -> State:
    report = Report(event.report, event.case, event.clock, event.receiver, event.content_hash, fact.at)
    return _with(state, reports=(*state.safety.reports, report))


def _report_acknowledged(state: State, fact: Fact, event: ev.ReportAcknowledged) -> State:
    return _change(
        state,
        "reports",
        event.report,
        accepted=event.accepted,
        acknowledged_at=fact.at,
        answered_at=event.answered_at,
        detail=event.detail,
    )


def _matter_recorded(state: State, fact: Fact, event: ev.MatterRecorded) -> State:
    matter = Matter(event.matter, event.kind, event.summary, event.happened_at, fact.at)
    return _with(state, matters=(*state.safety.matters, matter))


def _report_distributed(state: State, fact: Fact, event: ev.ReportDistributed) -> State:
    known = state.safety.reports[event.report - 1].recipients
    return _change(
        state, "reports", event.report, recipients=tuple(dict.fromkeys((*known, *event.recipients)))
    )


def _report_read(state: State, fact: Fact, event: ev.ReportRead) -> State:
    read = {**state.safety.reports[event.report - 1].read, event.recipient: fact.at}
    return _change(state, "reports", event.report, read=read)


def _term_coded(state: State, fact: Fact, event: ev.TermCoded) -> State:
    coding = Coding(
        event.term,
        event.llt_code,
        event.llt_term,
        event.pt_code,
        event.pt_term,
        event.soc_code,
        event.soc_term,
        event.version,
        event.reason,
        fact.at,
    )
    return _with(state, codings={**state.safety.codings, f"{event.patient}:{event.record}": coding})


def _change(state: State, name: str, number: int, **changes: Any) -> State:
    rows = list(getattr(state.safety, name))
    rows[number - 1] = replace(rows[number - 1], **changes)
    return _with(state, **{name: tuple(rows)})


def _with(state: State, **changes: Any) -> State:
    return replace(state, safety=replace(state.safety, **changes))


APPLY: dict[type[Event], Apply] = {
    ev.CaseOpened: _case_opened,
    ev.CaseUpdated: _case_updated,
    ev.CaseAssessed: _case_assessed,
    ev.ClockStarted: _clock_started,
    ev.ClockStopped: _clock_stopped,
    ev.ClockReopened: _clock_reopened,
    ev.ReportSubmitted: _report_submitted,
    ev.ReportAcknowledged: _report_acknowledged,
    ev.MatterRecorded: _matter_recorded,
    ev.ReportDistributed: _report_distributed,
    ev.ReportRead: _report_read,
    ev.TermCoded: _term_coded,
}
