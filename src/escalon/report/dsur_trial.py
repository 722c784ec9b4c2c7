"""Tables of the yearly safety report about the trial itself: where it stands, what was done, what was sent."""

from datetime import datetime
from typing import Any

import polars as pl

from escalon.conduct.safety.due import awareness_date
from escalon.report.dsur_tables import LEFT, Cut, frame
from escalon.report.terminal_safety import PURPOSES

MATTERS = {"urgent_safety_measure": "urgent safety measure", "serious_breach": "serious breach"}


def tabulate_status(cut: Cut) -> pl.DataFrame:
    """Patients of the trial by where they stand at the lock point (E2F 5; 21 CFR 312.33(a)(2))."""
    patients = cut.state.patients.values()
    ends = {patient.patient: {row.values["DSDECOD"] for row in patient.forms("DS")} for patient in patients}

    def ended(*reasons: str) -> int:
        return sum(bool(found & set(reasons)) for found in ends.values())

    open_ones = sum(not found & {"COMPLETED", "DEATH", *LEFT} for found in ends.values())
    rows = [
        {"where they stand": "planned", "patients": cut.folder.study.identity.enrolment},
        {"where they stand": "enrolled", "patients": len(ends)},
        {
            "where they stand": "received the cell product",
            "patients": sum(one.infused_at is not None for one in patients),
        },
        {"where they stand": "completed as planned", "patients": ended("COMPLETED")},
        {"where they stand": "died", "patients": ended("DEATH")},
        *({"where they stand": reason.lower(), "patients": ended(reason)} for reason in LEFT),
        {"where they stand": "in treatment or follow-up", "patients": open_ones},
    ]
    return frame(rows)


def tabulate_actions(cut: Cut) -> pl.DataFrame:
    """Holds of enrolment, urgent safety measures and serious breaches of the interval (E2F 3)."""
    rows: list[dict[str, Any]] = [
        {
            "date": _day(cut, hold.at),
            "action": f"enrolment held, rule {hold.rule}",
            "reason": hold.reason,
            "ended": _day(cut, hold.lifted_at) if hold.lifted_at else "open",
        }
        for hold in cut.state.holds
        if cut.holds_moment(hold.at)
    ]
    rows += [
        {"date": _day(cut, one.happened_at), "action": MATTERS[one.kind], "reason": one.summary, "ended": ""}
        for one in cut.state.safety.matters
        if one.kind in MATTERS and cut.holds_moment(one.happened_at)
    ]
    return frame(sorted(rows, key=lambda row: str(row["date"])), "date", "action", "reason", "ended")


def tabulate_references(cut: Cut) -> pl.DataFrame:
    """Reference safety information in force at the start of the interval and every version after it (E2F 4, 7.1)."""
    rows = []
    known = sorted(cut.folder.study.safety_references, key=lambda one: (one.product, one.valid_from))
    for one in known:
        later = [other.valid_from for other in known if other.product == one.product]
        followed = min((day for day in later if day > one.valid_from), default=None)
        if one.valid_from > cut.end or (followed is not None and followed <= cut.start):
            continue
        rows.append(
            {
                "product": one.product,
                "version": one.version,
                "in force from": one.valid_from.isoformat(),
                "expected terms": len(one.expected),
                "new in the interval": "yes" if cut.holds(one.valid_from) else "no",
            }
        )
    return frame(rows, "product", "version", "in force from")


def tabulate_modifications(cut: Cut) -> pl.DataFrame:
    """Changes of the version of the study in the interval."""
    rows = [
        {
            "date": _day(cut, one.at),
            "version": one.study_hash[:12],
            "before": one.replaces[:12],
            "reason": one.reason,
        }
        for one in cut.state.capture.amendments
        if cut.holds_moment(one.at)
    ]
    return frame(rows, "date", "version", "reason")


def tabulate_expedited(cut: Cut) -> pl.DataFrame:
    """Expedited reports sent in the interval, with whether they were in time and accepted."""
    safety = cut.state.safety
    rows = []
    for report in safety.reports:
        if not report.case or not cut.holds_moment(report.at):
            continue
        case, clock = safety.cases[report.case - 1], safety.clocks[report.clock - 1]
        rows.append(
            {
                "report": report.number,
                "case": report.case,
                "patient": case.patient,
                "event": case.term,
                "what": PURPOSES[clock.purpose],
                "where": clock.jurisdiction,
                "received": _day(cut, case.sponsor_aware_at),
                "sent": _day(cut, report.at),
                "in time": "yes"
                if report.at <= clock.due_at
                else f"no: {report.late_reason or 'no reason kept'}",
                "answer": {None: "none yet", True: "accepted", False: "rejected"}[report.accepted],
            }
        )
    return frame(rows, "report", "case", "event", "sent")


def _day(cut: Cut, moment: datetime) -> str:
    return awareness_date(moment, cut.folder.conduct.safety.zone).isoformat()
