"""Assessment, reports, acknowledgements and medical closure: commands to facts."""

import re
from datetime import datetime

from escalon.conduct.act import Event, Outcome, Refused, Signed
from escalon.conduct.derived_grades import worst_grade
from escalon.conduct.holds import new_hold
from escalon.conduct.monitoring import held_by
from escalon.conduct.people.signatures import content_hash, valid_signatures
from escalon.conduct.safety import commands as c
from escalon.conduct.safety import events as ev
from escalon.conduct.safety.clocks import next_number, start_clocks
from escalon.conduct.safety.icsr.send import missing_elements
from escalon.conduct.safety.reading import investigational, investigator_causality, is_fatal, onset_date
from escalon.conduct.safety.state import Case, Clock
from escalon.conduct.state import State
from escalon.criteria.relatedness import combine
from escalon.criteria.seriousness import SERIOUS, Judgement, judge_expectedness
from escalon.protocol import StudyFolder
from escalon.protocol.conduct.safety import Purpose

_HASH = re.compile(r"[0-9a-f]{64}")


def assess_case(state: State, signed: Signed, command: c.AssessCase, folder: StudyFolder) -> Outcome:
    """Record the sponsor's assessment; a SUSAR starts its clocks and, if the study says so, holds enrolment."""
    cases = state.safety.cases
    if not 1 <= command.case <= len(cases):
        return Refused("SF-12 case", f"there is no case {command.case}; {len(cases)} were opened")
    case = cases[command.case - 1]
    if not command.narrative.strip():
        return Refused("SF-5 narrative", "an assessed case needs a narrative")
    unknown = [code for code in command.serious if code not in SERIOUS]
    if unknown:
        return Refused("SF-8 seriousness", f"{unknown[0]} is no criterion; they are {', '.join(SERIOUS)}")
    missing = [product for product in investigational(folder) if product not in command.causality]
    if missing:
        return Refused("SF-6 causality", f"the sponsor's opinion is missing for {', '.join(missing)}")
    try:
        assessed = _assessed(state, case, command, folder)
    except ValueError as error:
        return Refused("SF-6 causality", str(error))
    held = _held(state, case, assessed, signed, folder)
    return (assessed, *held, *_follows(state, case, assessed, signed.at, folder, len(held)))


def _assessed(state: State, case: Case, command: c.AssessCase, folder: StudyFolder) -> ev.CaseAssessed:
    values = state.patients[case.patient].records[case.record].values
    investigator = investigator_causality(values)
    susar = False
    reasons: list[str] = []
    expectedness: dict[str, str] = {}
    for product in investigational(folder):
        related = combine(product, investigator.get(product), command.causality[product])
        expected: Judgement = judge_expectedness(
            values["AEDECOD"],
            worst_grade(values),
            product,
            onset_date(values),
            folder.study.safety_references,
        )
        expectedness[product] = expected.clause
        word = "related" if related.related else "not related"
        reasons.append(f"{product}: {word} ({'; '.join(related.reasons)}); {expected.clause}")
        susar = susar or (related.related and expected.holds is False)
    serious = tuple(code for code in SERIOUS if code in case.serious or code in command.serious)
    return ev.CaseAssessed(
        case.number, command.causality, serious, expectedness, susar, tuple(reasons), command.narrative
    )


def _held(
    state: State, case: Case, assessed: ev.CaseAssessed, signed: Signed, folder: StudyFolder
) -> tuple[Event, ...]:
    """A stopping rule that the event meets only now, because the sponsor sees a relation."""
    from escalon.conduct.fold import state_after

    values = state.patients[case.patient].records[case.record].values
    after = state_after(state, (assessed,), signed)
    return held_by(after, case.patient, values, folder, case.record)


def _follows(
    state: State, case: Case, assessed: ev.CaseAssessed, now: datetime, folder: StudyFolder, held: int
) -> tuple[Event, ...]:
    if not assessed.susar:
        return ()
    fatal, number = is_fatal(assessed.serious), next_number(state, ())
    if case.susar:
        upgraded = {"sponsor_awareness": now, "determination": now}
        return (
            start_clocks(case.number, "upgrade", upgraded, folder, number) if fatal and not case.fatal else ()
        )
    purpose: Purpose = "susar_fatal" if fatal else "susar_other"
    # A case judged before becomes reportable by what came since; its earlier clock-free time is no delay.
    aware = case.sponsor_aware_at if case.susar is None else case.updated_at
    moments = {"sponsor_awareness": aware, "determination": now}
    clocks: tuple[Event, ...] = start_clocks(case.number, purpose, moments, folder, number)
    if not folder.conduct.safety.freeze_on_susar:
        return clocks
    reason = f"case {case.number}, patient {case.patient}: {case.term} is a SUSAR"
    scope, affected = folder.conduct.safety.hold_scope.susar, [state.patients[case.patient]]
    return (*clocks, new_hold(len(state.holds) + 1 + held, "susar", reason, scope, affected))


def submit_report(state: State, signed: Signed, command: c.SubmitReport, folder: StudyFolder) -> Outcome:
    """Record a report; it stops its clock, and a 7-day report starts the clock of the complete one."""
    clock = _running(state, command.clock)
    if isinstance(clock, Refused):
        return clock
    if not _HASH.fullmatch(command.content_hash):
        return Refused(
            "SF-9 report", "a report is pinned by the SHA-256 of the file sent: 64 hexadecimal digits"
        )
    late = signed.at > clock.due_at
    if late and not (command.late_reason or "").strip():
        return Refused(
            "SF-2 late", f"clock {clock.number} was due {clock.due_at:%d %b %Y}; a late report needs a reason"
        )
    if clock.case:
        missing = missing_elements(state, folder, clock, signed.at)
        if missing:
            return Refused(
                f"SF-5 {missing[0].element}",
                f"case {clock.case} cannot be reported yet: {'; '.join(str(one) for one in missing)}",
            )
    number = len(state.safety.reports) + 1
    because = f"report {number} to {command.receiver}"
    sent: tuple[Event, ...] = (
        ev.ReportSubmitted(number, clock.case, clock.number, command.receiver, command.content_hash),
        ev.ClockStopped(clock.number, because, command.late_reason if late else None),
    )
    again = any(report.clock == clock.number for report in state.safety.reports)
    if clock.purpose not in ("susar_fatal", "upgrade") or again:
        return sent  # a report sent again after its rejection: the complete one counts from the first filing
    complete = start_clocks(
        clock.case,
        "complete_report",
        {"filing": signed.at},
        folder,
        next_number(state, ()),
        clock.jurisdiction,
    )
    return (*sent, *complete)


def acknowledge_report(
    state: State, signed: Signed, command: c.AcknowledgeReport, folder: StudyFolder
) -> Outcome:
    """Record an acknowledgement; a rejection opens the task again."""
    reports = state.safety.reports
    if not 1 <= command.report <= len(reports):
        return Refused("SF-9 report", f"there is no report {command.report}; {len(reports)} were sent")
    report = reports[command.report - 1]
    if report.accepted is not None:
        said = "accepted" if report.accepted else "rejected"
        return Refused(
            "SF-9 report",
            f"report {report.number} is {said} since {report.acknowledged_at:%d %b %Y %H:%M} UTC; "
            "the answer to a report is recorded once",
        )
    if command.content_hash and not _HASH.fullmatch(command.content_hash):
        return Refused("SF-9 report", "an acknowledgement is pinned by the SHA-256 of its file")
    if not command.accepted and not command.detail.strip():
        return Refused("SF-9 report", "say why the report was rejected")
    acknowledged = ev.ReportAcknowledged(
        command.report, command.accepted, command.detail, command.answered_at, command.content_hash
    )
    if command.accepted:
        return (acknowledged,)
    return acknowledged, ev.ClockReopened(
        report.clock, f"report {report.number} was rejected: {command.detail}"
    )


def close_clock(state: State, signed: Signed, command: c.CloseClock, folder: StudyFolder) -> Outcome:
    """Stop a clock by a medical judgement that the medical monitor has signed."""
    clock = _running(state, command.clock)
    if isinstance(clock, Refused):
        return clock
    if not command.reason.strip():
        return Refused("SF-4 reason", "closing a clock without a report needs a reason")
    shown = content_hash({"clock": command.clock, "reason": command.reason})
    signed_by = valid_signatures(state, f"clock:{command.clock}", shown)
    if not any(one.role == "medical_monitor" for one in signed_by):
        return Refused(
            "SF-4 sign-off", f"clock {clock.number} closes only on the signature of the medical monitor"
        )
    late = command.reason if signed.at > clock.due_at else None
    return (ev.ClockStopped(clock.number, f"medical judgement: {command.reason}", late),)


def _running(state: State, number: int) -> Clock | Refused:
    clocks = state.safety.clocks
    if not 1 <= number <= len(clocks):
        return Refused("SF-2 clock", f"there is no clock {number}; {len(clocks)} were started")
    if clocks[number - 1].stopped_at is not None:
        return Refused("SF-2 clock", f"clock {number} stopped: {clocks[number - 1].stopped_because}")
    return clocks[number - 1]
