"""Taking an import back (DC-7): all its records in one act, every version of them stays readable."""

from collections.abc import Iterator

from escalon.conduct.act import Event, Outcome, Refused, Signed
from escalon.conduct.capture import commands as c
from escalon.conduct.capture import events as ev
from escalon.conduct.capture import locks
from escalon.conduct.capture.edit_checks import Checked, check_entry, soft_events
from escalon.conduct.capture.import_plan import after, written
from escalon.conduct.capture.imports import find_import, stands
from escalon.conduct.capture.ownership import refuse_owner
from escalon.conduct.capture.state import Import
from escalon.conduct.capture.versions import folder_of
from escalon.conduct.commands import RecordForm
from escalon.conduct.events import FormRecorded
from escalon.conduct.state import Record, State
from escalon.protocol import StudyFolder


def rollback_import(state: State, signed: Signed, command: c.RollbackImport, folder: StudyFolder) -> Outcome:
    """Write, for every record of an import, the version before it again; a record it brought becomes empty."""
    found = find_import(state, command.number)
    if isinstance(found, Refused):
        return found
    if not stands(found):
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
            state = after(state, back, signed)
    records = written(tuple(events))
    return (*events, ev.ImportRolledBack(found.number, command.reason, records, command.keep))


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
