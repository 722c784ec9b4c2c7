"""Source verification and second-person confirmation (DC-2): marks on items, withdrawn when the item changes."""

from collections.abc import Mapping

from escalon.conduct.act import Event, Outcome, Refused, Signed
from escalon.conduct.capture import commands as c
from escalon.conduct.capture import events as ev
from escalon.conduct.capture.state import Mark, Marks
from escalon.conduct.capture.versions import folder_of
from escalon.conduct.events import FormRecorded
from escalon.conduct.state import Patient, Record, State
from escalon.protocol import StudyFolder


def marks_on(state: State, patient: str, record: str) -> Marks:
    """Return the marks that hold on a record now."""
    return state.capture.marks.get(patient, {}).get(record, Marks())


def critical_items(record: Record, folder: StudyFolder) -> tuple[str, ...]:
    """Return the critical items the record answers."""
    form = folder.forms.get(record.form)
    return () if form is None else form.critical_items(record.entered)


def unconfirmed(state: State, folder: StudyFolder, patient: str) -> tuple[tuple[str, str], ...]:
    """Return (record, item) of the patient's critical items that wait for the second person."""
    version = folder_of(state, folder, patient)
    return tuple(
        (record.record, item)
        for record in state.patients[patient].records.values()
        for item in critical_items(record, version)
        if item not in marks_on(state, patient, record.record).confirmed
    )


def unverified(state: State, patient: str, forms: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return (record, item) of the patient's answers on ``forms`` that no monitor has verified."""
    return tuple(
        (record.record, item)
        for record in state.patients[patient].records.values()
        if record.form in forms
        for item in _entered(record)
        if item not in marks_on(state, patient, record.record).verified
    )


def verify_source(state: State, signed: Signed, command: c.VerifySource, folder: StudyFolder) -> Outcome:
    """Mark items of the latest version as agreeing with the source."""
    found = _find(state, command.patient, command.record)
    if isinstance(found, Refused):
        return found
    _, record = found
    items = command.items or _entered(record)
    unknown = [item for item in items if item not in _entered(record)]
    if unknown:
        return Refused("DC-3", f"{record.record} has no answer to {unknown[0]} that could be verified")
    new = _new(items, marks_on(state, command.patient, command.record).verified)
    if not new:
        return Refused("DC-3", f"all of that in {record.record} is verified already")
    return (ev.SourceVerified(command.patient, command.record, record.version, new),)


def confirm_critical(
    state: State, signed: Signed, command: c.ConfirmCritical, folder: StudyFolder
) -> Outcome:
    """Confirm critical items as somebody who did not enter them."""
    found = _find(state, command.patient, command.record)
    if isinstance(found, Refused):
        return found
    patient, record = found
    if signed.actor.site not in ("", patient.site):
        return Refused("site", f"patient {patient.patient} belongs to site {patient.site}")
    critical = critical_items(record, folder_of(state, folder, command.patient))
    items = command.items or critical
    strange = [item for item in items if item not in critical]
    if strange or not items:
        what = strange[0] if strange else "any item"
        return Refused("DC-2", f"{what} of {record.record} is not critical; nothing to confirm")
    own = [item for item in items if entered_by(record, item) == signed.actor.id]
    if own:
        return Refused("DC-2", f"{signed.actor.name} entered {own[0]}; another person confirms it")
    new = _new(items, marks_on(state, command.patient, command.record).confirmed)
    if not new:
        return Refused("DC-2", f"all of that in {record.record} is confirmed already")
    return (ev.CriticalConfirmed(command.patient, command.record, record.version, new),)


def entered_by(record: Record, item: str) -> str:
    """Return who entered the value ``item`` has now: the author of the version that brought it."""
    here = record
    while here.before is not None and same_value(here, here.before, item):
        here = here.before
    return here.by


def same_value(one: Record, other: Record, item: str) -> bool:
    """Tell whether an item says the same in two versions; 1 and True, None and no entry are told apart."""
    first, second = (_typed(record, item) for record in (one, other))
    return first == second


def _typed(record: Record, item: str) -> tuple[bool, str, object]:
    value = record.entered.get(item)
    return item in record.entered, type(value).__name__, value


def withdraw(state: State, events: tuple[Event, ...]) -> tuple[Event, ...]:
    """Return the marks that fall because their item changed."""
    fallen: list[Event] = []
    for event in events:
        if not isinstance(event, FormRecorded) or event.version == 1:
            continue
        before = state.patients[event.patient].records[event.record]
        marks = marks_on(state, event.patient, event.record)
        verified = _changed(marks.verified, before, event)
        confirmed = _changed(marks.confirmed, before, event)
        if verified or confirmed:
            withdrawn = ev.MarksWithdrawn(event.patient, event.record, event.version, verified, confirmed)
            fallen.append(withdrawn)
    return tuple(fallen)


def _changed(marks: Mapping[str, Mark], before: Record, event: FormRecorded) -> tuple[str, ...]:
    return tuple(item for item in marks if before.entered.get(item) != event.values.get(item))


def _entered(record: Record) -> tuple[str, ...]:
    return tuple(name for name, value in record.entered.items() if value is not None)


def _new(items: tuple[str, ...], marks: Mapping[str, Mark]) -> tuple[str, ...]:
    return tuple(item for item in dict.fromkeys(items) if item not in marks)


def _find(state: State, patient: str, record: str) -> tuple[Patient, Record] | Refused:
    known = state.patients.get(patient)
    if known is None:
        return Refused("patient", f"there is no patient {patient}")
    if record not in known.records:
        return Refused("record", f"patient {patient} has no record {record}")
    return known, known.records[record]
