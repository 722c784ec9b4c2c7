"""Imports (DC-7): a file is checked row by row and staged, applied in one act, and taken back in one act.

The ledger keeps checksum and counts of a staged file, not its rows: applying gives the file again, and the checksum
says that it is the same one. So what is recorded stands in one place only, where it can be corrected and redacted.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from escalon.conduct import core_apply
from escalon.conduct.act import Event, Outcome, Refused, Signed
from escalon.conduct.capture import apply, locks
from escalon.conduct.capture import commands as c
from escalon.conduct.capture import events as ev
from escalon.conduct.capture.edit_checks import Checked, check_entry, soft_events
from escalon.conduct.capture.import_rows import Row, header_problems, named, read_rows
from escalon.conduct.capture.ownership import refuse_owner
from escalon.conduct.capture.state import Import
from escalon.conduct.capture.versions import folder_of
from escalon.conduct.commands import RecordForm
from escalon.conduct.events import FormRecorded
from escalon.conduct.records import record_form
from escalon.conduct.state import Fact, Record, State
from escalon.protocol import StudyFolder
from escalon.protocol.conduct.capture import ImportMapping
from escalon.protocol.forms import Form

_APPLY = {**core_apply.APPLY, **apply.APPLY}
SHOWN = 20
"""Problems a refusal names; more are counted."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a file would do: its counts, events and versions; or what is wrong, each with line and column."""

    counts: ev.ImportCounts
    events: tuple[Event, ...]
    problems: tuple[str, ...]

    @property
    def records(self) -> tuple[ev.ImportedRecord, ...]:
        """The versions written, in the order of the file."""
        return _written(self.events)


def checksum(text: str) -> str:
    """Return the SHA-256 of a file's text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def plan_import(
    state: State, signed: Signed, folder: StudyFolder, mapping: ImportMapping, text: str, reason: str
) -> Plan:
    """Return what the file does when ``signed.actor`` imports it now; nothing is decided by it.

    Args:
        state, signed, folder: as in ``decide``.
        mapping: one of ``folder.conduct.capture.imports``.
        text: the file.
        reason: why earlier records change; needed only where one does.
    """
    nothing = ev.ImportCounts(0, 0, 0, 0)
    form = folder.forms.get(mapping.form)
    if form is None:
        return Plan(nothing, (), (f"the study has no form {mapping.form}",))
    problems = list(header_problems(text, mapping, form))
    if problems:
        return Plan(nothing, (), tuple(problems))
    events: list[Event] = []
    count = {"new": 0, "changed": 0, "unchanged": 0}
    for read in read_rows(text, mapping, form):
        before = _before(state, read.command)
        row = replace(read, command=_completed(before, read.command, mapping, reason))
        if not row.problems and before is not None and _same(before, row.command):
            count["unchanged"] += 1
            continue
        outcome = _record(state, signed, folder, mapping, form, row)
        if isinstance(outcome, list):
            problems += outcome
            continue
        count["new" if before is None else "changed"] += 1
        events += outcome
        state = _after(state, outcome, signed)
    if not problems and not sum(count.values()):
        problems.append("line 1: the file has no rows")
    return Plan(ev.ImportCounts(sum(count.values()), **count), tuple(events), tuple(problems))


def _record(
    state: State, signed: Signed, folder: StudyFolder, mapping: ImportMapping, form: Form, row: Row
) -> tuple[Event, ...] | list[str]:
    """The events of one row, or its problems with line and column."""
    if row.problems:
        return list(row.problems)
    wrong = form.check(row.command.values, _entered(state, row.command))
    if wrong:
        return [named(problem, row.line, mapping, form, row.command) for problem in wrong]
    outcome = locks.refuse_closed(state, row.command.patient, row.command.record) or record_form(
        state, signed, row.command, folder, "import"
    )
    if isinstance(outcome, Refused):
        column = {"patient": mapping.patient, "site": mapping.patient, "visit": mapping.visit}
        where = column.get(outcome.rule) or mapping.record
        return [f"line {row.line}, column {where}: {outcome.reason} ({outcome.rule})"]
    return outcome


def stage_import(state: State, signed: Signed, command: c.StageImport, folder: StudyFolder) -> Outcome:
    """Check a file and keep its checksum and counts."""
    mapping = _mapping(folder, command.mapping)
    if mapping is None:
        known = ", ".join(one.id for one in folder.conduct.capture.imports) or "none"
        return Refused("DC-7 mapping", f"the study has no mapping {command.mapping!r}; it has {known}")
    digest = checksum(command.text)
    applied = [one for one in state.capture.imports if one.checksum == digest and _stands(one)]
    if applied:
        return Refused("DC-7 file", f"this file was imported already, as import {applied[0].number}")
    # Whether earlier records change is known only now; the reason for it is asked when the file is applied.
    plan = plan_import(state, signed, folder, mapping, command.text, "to be given")
    refused = _refuse_plan(plan)
    if refused is not None:
        return refused
    number = len(state.capture.imports) + 1
    return (ev.ImportStaged(number, command.file, mapping.id, mapping.form, digest, plan.counts),)


def apply_import(state: State, signed: Signed, command: c.ApplyImport, folder: StudyFolder) -> Outcome:
    """Record every row of a staged file in one act, or nothing."""
    staged = _find(state, command.number)
    if isinstance(staged, Refused):
        return staged
    if staged.applied_at is not None:
        return Refused("DC-7 applied", f"import {staged.number} was applied on {staged.applied_at:%d %b %Y}")
    digest = checksum(command.text)
    if digest != staged.checksum:
        return Refused("DC-7 checksum", f"this is not the file that was staged as import {staged.number}")
    if any(one.checksum == digest and _stands(one) for one in state.capture.imports):
        return Refused("DC-7 file", "this file was imported already")
    mapping = _mapping(folder, staged.mapping)
    if mapping is None:
        return Refused(
            "DC-7 mapping", f"the study has no mapping {staged.mapping!r} any more; stage it again"
        )
    plan = plan_import(state, signed, folder, mapping, command.text, command.reason)
    refused = _refuse_plan(plan)
    if refused is not None:
        return refused
    if (plan.counts.rows, len(plan.records)) != (staged.rows, plan.counts.new + plan.counts.changed):
        return Refused("DC-7 counts", f"{staged.rows} rows were staged, {plan.counts.rows} are here")
    return (*plan.events, ev.ImportApplied(staged.number, digest, plan.counts, plan.records))


def rollback_import(state: State, signed: Signed, command: c.RollbackImport, folder: StudyFolder) -> Outcome:
    """Write, for every record of an import, the version before it again; a record it brought becomes empty."""
    found = _find(state, command.number)
    if isinstance(found, Refused):
        return found
    if not _stands(found):
        return Refused("DC-7 applied", f"import {found.number} is not applied; there is nothing to take back")
    if not command.reason.strip():
        return Refused("reason", "taking an import back needs a reason")
    refused = _refuse_rollback(state, signed, found, command, folder)
    if refused is not None:
        return refused
    events: list[Event] = []
    for patient, record, _ in found.records:
        if f"{patient}:{record}" not in command.keep:
            back = tuple(_back(state, state.patients[patient].records[record], command.reason, folder))
            events += back
            state = _after(state, back, signed)
    written = _written(tuple(events))
    return (*events, ev.ImportRolledBack(found.number, command.reason, written, command.keep))


def _refuse_rollback(
    state: State, signed: Signed, found: Import, command: c.RollbackImport, folder: StudyFolder
) -> Refused | None:
    names = {f"{patient}:{record}": (patient, record, version) for patient, record, version in found.records}
    since = [n for n, (p, r, version) in names.items() if state.patients[p].records[r].version != version]
    if set(command.keep) != set(since):
        listed = ", ".join(since) or "none"
        return Refused("DC-7 changed since", f"`keep` names the records changed since the import: {listed}")
    for name, (patient, record, _) in names.items():
        now = state.patients[patient].records[record]
        earlier = {} if now.before is None else now.before.entered
        form = folder_of(state, folder, patient).forms[now.form]
        refused = None if name in since else locks.refuse_closed(state, patient, record)
        refused = refused or refuse_owner(form, now.entered, earlier, signed.actor.role)
        if refused is not None:
            return refused
        if signed.actor.site not in ("", state.patients[patient].site):
            return Refused("site", f"patient {patient} belongs to site {state.patients[patient].site}")
    return None


def _back(state: State, now: Record, reason: str, folder: StudyFolder) -> Iterator[Event]:
    """The version before ``now`` again, and the queries that its checks open and close."""
    earlier = now.before
    values = {} if earlier is None else earlier.entered
    visit = now.visit if earlier is None else earlier.visit
    version = now.version + 1
    yield FormRecorded(now.patient, now.form, now.record, version, visit, values, reason, "rollback")
    command = RecordForm(now.patient, now.form, now.record, values, visit, reason)
    study = folder_of(state, folder, now.patient)
    form = study.forms[now.form]
    checked = check_entry(state.patients[now.patient], command, form, study) if values else Checked((), {})
    yield from soft_events(state, command, version, checked, form)


def _refuse_plan(plan: Plan) -> Refused | None:
    if not plan.problems:
        return None if plan.events else Refused("DC-7 file", "every row is recorded as it stands in the file")
    more = len(plan.problems) - SHOWN
    closing = f"; and {more} more" if more > 0 else ""
    return Refused("DC-7 fields", "; ".join(plan.problems[:SHOWN]) + closing)


def _after(state: State, events: tuple[Event, ...], signed: Signed) -> State:
    for event in events:
        fact = Fact(state.seq + 1, signed.at, signed.actor.id, signed.actor.role, event)
        state = replace(_APPLY[type(event)](state, fact, event), seq=fact.seq)
    return state


def _written(events: tuple[Event, ...]) -> tuple[ev.ImportedRecord, ...]:
    return tuple(
        ev.ImportedRecord(event.patient, event.record, event.version)
        for event in events
        if isinstance(event, FormRecorded)
    )


def _completed(before: Record | None, command: RecordForm, mapping: ImportMapping, reason: str) -> RecordForm:
    """The entry of a row with the answers of the earlier record that the file does not speak of."""
    if before is None:
        return command
    mapped = {column.item for column in mapping.columns}
    kept = {name: value for name, value in before.entered.items() if name not in mapped}
    return replace(command, values={**kept, **command.values}, reason=reason or None)


def _before(state: State, command: RecordForm) -> Record | None:
    patient = state.patients.get(command.patient)
    return None if patient is None else patient.records.get(command.record)


def _entered(state: State, command: RecordForm) -> dict[str, object] | None:
    before = _before(state, command)
    return None if before is None else before.entered


def _same(before: Record, command: RecordForm) -> bool:
    mine = (before.form, before.visit, before.entered)
    return not before.withdrawn and mine == (command.form, command.visit, command.values)


def _mapping(folder: StudyFolder, name: str) -> ImportMapping | None:
    return next((one for one in folder.conduct.capture.imports if one.id == name), None)


def _stands(one: Import) -> bool:
    return one.applied_at is not None and one.rolled_back_at is None


def _find(state: State, number: int) -> Import | Refused:
    if not 1 <= number <= len(state.capture.imports):
        return Refused("DC-7 import", f"there is no import {number}")
    return state.capture.imports[number - 1]
