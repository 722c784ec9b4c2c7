"""Matters that are notified apart from a case, and the way of a report to those who have to read it (SF-10)."""

from datetime import datetime

from escalon.conduct.act import Outcome, Refused, Signed
from escalon.conduct.safety import commands as c
from escalon.conduct.safety import events as ev
from escalon.conduct.safety.clocks import next_number, start_clocks
from escalon.conduct.safety.due import awareness_date
from escalon.conduct.safety.lock_points import birth_date
from escalon.conduct.safety.state import Report
from escalon.conduct.state import State
from escalon.protocol import StudyFolder
from escalon.protocol.conduct.safety import Purpose, Start

STARTS: dict[Purpose, Start] = {
    "urgent_safety_measure": "measure_taken",
    "serious_breach": "breach_awareness",
    "dsur": "data_lock_point",
}
COMMITTEE = "committee:"


def record_matter(state: State, signed: Signed, command: c.RecordMatter, folder: StudyFolder) -> Outcome:
    """Record a matter and start its clock in every jurisdiction that has one."""
    purpose = next((one for one in STARTS if one == command.kind), None)
    if purpose is None:
        return Refused("SF-10 kind", f"{command.kind} is no matter; they are {', '.join(STARTS)}")
    if not command.summary.strip():
        return Refused("SF-10 summary", "say in words what happened and what was done")
    if command.at.tzinfo is None:
        return Refused("SF-3 moment", f"{command.at} has no time zone; a clock needs one")
    if command.at > signed.at:
        return Refused("SF-4 moment", f"{command.at:%d %b %Y %H:%M} lies in the future")
    wrong = _lock_point_fault(state, command.at, folder) if purpose == "dsur" else None
    if wrong is not None:
        return Refused("SF-11 lock point", wrong)
    number = len(state.safety.matters) + 1
    moments: dict[str, datetime] = {STARTS[purpose]: command.at}
    clocks = start_clocks(0, purpose, moments, folder, next_number(state, ()), matter=number)
    return (ev.MatterRecorded(number, command.kind, command.summary, command.at), *clocks)


def _lock_point_fault(state: State, at: datetime, folder: StudyFolder) -> str | None:
    """Why a yearly report cannot be cut on the day of ``at``; None when it can."""
    zone = folder.conduct.safety.zone
    day, born = awareness_date(at, zone), birth_date(folder)
    if day < born:
        return f"{day:%d %b %Y} lies before the development birth date {born:%d %b %Y}"
    known = [one for one in state.safety.matters if one.kind == "dsur"]
    same = next((one for one in known if awareness_date(one.happened_at, zone) == day), None)
    return (
        None
        if same is None
        else f"the lock point {day:%d %b %Y} is recorded already, as matter {same.number}"
    )


def distribute_report(
    state: State, signed: Signed, command: c.DistributeReport, folder: StudyFolder
) -> Outcome:
    """Record to whom a report was sent on; persons are known, committees are named."""
    report = _report(state, command.report)
    if isinstance(report, Refused):
        return report
    if not command.recipients:
        return Refused("SF-10 recipients", "name at least one recipient")
    for recipient in command.recipients:
        named = recipient.startswith(COMMITTEE) and recipient.removeprefix(COMMITTEE).strip()
        if not named and recipient not in state.people.persons:
            return Refused(
                "SF-10 recipients",
                f"{recipient} is no person of the study; a committee is written {COMMITTEE}NAME",
            )
    return (ev.ReportDistributed(report.number, command.recipients),)


def confirm_reading(state: State, signed: Signed, command: c.ConfirmReading, folder: StudyFolder) -> Outcome:
    """Record a receipt: everybody for oneself, the safety officer for a committee."""
    report = _report(state, command.report)
    if isinstance(report, Refused):
        return report
    recipient = command.recipient or signed.actor.id
    for_committee = recipient.startswith(COMMITTEE) and signed.actor.role == "safety_officer"
    if recipient != signed.actor.id and not for_committee:
        return Refused("SF-10 receipt", f"{signed.actor.name} cannot confirm for {recipient}")
    if recipient not in report.recipients:
        return Refused("SF-10 receipt", f"report {report.number} was not sent to {recipient}")
    if recipient in report.read:
        when = report.read[recipient]
        return Refused("SF-10 receipt", f"{recipient} read report {report.number} on {when:%d %b %Y}")
    return (ev.ReportRead(report.number, recipient),)


def _report(state: State, number: int) -> Report | Refused:
    reports = state.safety.reports
    if not 1 <= number <= len(reports):
        return Refused("SF-9 report", f"there is no report {number}; {len(reports)} were sent")
    return reports[number - 1]
