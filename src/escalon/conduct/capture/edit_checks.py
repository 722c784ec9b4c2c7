"""Edit checks when a form is recorded (DC-1): hard ones refuse, soft ones take a reason or open a query."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from escalon.conduct.act import Event, Refused
from escalon.conduct.canonical import utc_text
from escalon.conduct.capture import events as ev
from escalon.conduct.capture.queries import SOURCE_CHECK, queries_on
from escalon.conduct.capture.state import Marks, QueryStatus
from escalon.conduct.commands import RecordForm
from escalon.conduct.state import Patient, Record, State
from escalon.protocol import StudyFolder
from escalon.protocol.forms import Form
from escalon.protocol.forms_checks import EditCheck, Finding
from escalon.protocol.forms_conditions import Answers


@dataclass(frozen=True, slots=True)
class Checked:
    """What the edit checks say of an entry: the hard findings, and the soft ones by id of the check."""

    hard: tuple[Finding, ...]
    soft: dict[str, Finding]


def answers_of(
    patient: Patient, record: str, values: Mapping[str, Any], form: Form, folder: StudyFolder
) -> Answers:
    """Return what the checks of ``form`` can look at: this entry, the other records they name, facts of the patient."""
    read = form.forms_read
    # A patient has hundreds of records, and most forms look at none of them.
    others = [
        (r.form, r.visit, r.entered)
        for r in (patient.records.values() if read else ())
        if r.form in read and r.record != record and not r.withdrawn
    ]
    facts: dict[str, Any] = {
        "consented_on": patient.consented_on,
        "enrolled_at": utc_text(patient.enrolled_at),
    }
    if patient.infused_at is not None:
        facts["infused_at"] = utc_text(patient.infused_at)
    if patient.dose_level is not None:
        facts["assigned_dose"] = folder.study.dose_level(patient.dose_level).dose
    return Answers(values, others, facts)


def check_entry(patient: Patient, command: RecordForm, form: Form, folder: StudyFolder) -> Checked:
    """Run the checks of ``form`` on an entry."""
    if not form.checks:
        return Checked((), {})
    found = form.findings(answers_of(patient, command.record, command.values, form, folder))
    hard = tuple(finding for finding in found if finding.severity == "hard")
    soft: dict[str, Finding] = {}
    for finding in found:
        if finding.severity == "soft":
            soft.setdefault(finding.check, finding)
    return Checked(hard, soft)


def refuse_entry(checked: Checked, command: RecordForm) -> Refused | None:
    """Return why the entry is refused: a hard finding, or an override that overrides nothing."""
    if checked.hard:
        first = checked.hard[0]
        said = "; ".join(_sentence(command, finding) for finding in checked.hard)
        return Refused(f"DC-1 {first.check}", said)
    for check, reason in command.overrides.items():
        if check not in checked.soft:
            return Refused("DC-1 override", f"{check} is no soft check that finds something here")
        if not reason.strip():
            return Refused("DC-1 override", f"overriding {check} needs a reason")
    return None


def _sentence(command: RecordForm, finding: Finding) -> str:
    row = f"[{finding.row}]" if finding.row is not None else ""
    return f"{command.form}.{finding.item}{row}: {finding.message} ({finding.check})"


def soft_events(
    state: State, command: RecordForm, version: int, checked: Checked, form: Form
) -> tuple[Event, ...]:
    """Return what follows from the soft checks: overrides kept, new queries, and queries that are settled."""
    found: list[Event] = []
    number = len(state.capture.queries)
    marks = state.capture.marks.get(command.patient, {}).get(command.record, Marks())
    before = state.patients[command.patient].records.get(command.record)
    for check in (check for check in form.checks if check.id in checked.soft):
        reason = command.overrides.get(check.id)
        if reason is not None:
            found.append(ev.CheckOverridden(command.patient, command.record, version, check.id, reason))
        elif not _asked_before(state, command, check, marks, before):
            number += 1
            finding = checked.soft[check.id]
            text = _sentence(command, finding)
            asked = ev.QueryOpened(number, command.patient, command.record, finding.item, text, check.id)
            found.append(asked)
    return (*found, *_settled(state, command, checked))


def _asked_before(
    state: State, command: RecordForm, check: EditCheck, marks: Marks, before: Record | None
) -> bool:
    """An open query, or an override or closed query about the very values that stand here now, is enough."""
    queries = [q for q in queries_on(state, command.patient, command.record) if q.check == check.id]
    if any(query.status is not QueryStatus.CLOSED for query in queries):
        return True
    if before is None or not (queries or check.id in marks.overridden):
        return False
    looked_at = {source.item for source in check.when.sources() if source.form is None and source.item}
    looked_at |= {check.group} if check.group else set()
    return all(before.entered.get(name) == command.values.get(name) for name in looked_at)


def _settled(state: State, command: RecordForm, checked: Checked) -> tuple[Event, ...]:
    return tuple(
        ev.QueryClosed(query.query, _settled_because(query.check, command.overrides))
        for query in queries_on(state, command.patient, command.record)
        if query.check not in ("", SOURCE_CHECK)
        and query.status is not QueryStatus.CLOSED
        and (query.check not in checked.soft or query.check in command.overrides)
    )


def _settled_because(check: str, overrides: Mapping[str, str]) -> str:
    return f"overridden: {overrides[check]}" if check in overrides else f"{check} finds nothing any more"
