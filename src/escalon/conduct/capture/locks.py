"""Freeze and lock (DC-8): who closes data, what must be done before, and the guard that keeps them closed."""

from collections.abc import Iterator

from escalon.conduct import commands as core
from escalon.conduct.act import Command, Outcome, Refused, Signed
from escalon.conduct.capture import commands as c
from escalon.conduct.capture import events as ev
from escalon.conduct.capture.marks import unconfirmed, unverified
from escalon.conduct.capture.queries import open_queries
from escalon.conduct.people.commands import GiveSignature, SignBatch
from escalon.conduct.people.signatures import (
    casebook_content,
    casebook_ref,
    content_hash,
    valid_signatures,
)
from escalon.conduct.state import State
from escalon.protocol import StudyFolder

SHUT_OUT: tuple[type[Command], ...] = (
    core.RecordForm,
    c.OpenQuery,
    c.AnswerQuery,
    c.CloseQuery,
    c.ReopenQuery,
    c.VerifySource,
    c.ConfirmCritical,
    c.FreezeRecords,
    c.UnfreezeRecords,
    c.LockCasebook,
)
"""What a locked casebook does not take."""


def is_locked(state: State, patient: str, record: str | None = None) -> bool:
    """Tell whether a patient's casebook is locked or, with ``record``, whether that record is closed at all."""
    if patient in state.capture.locked:
        return True
    return record is not None and record in state.capture.frozen.get(patient, frozenset())


def guard(state: State, signed: Signed, folder: StudyFolder) -> Refused | None:
    """Refuse what would change a locked casebook or a frozen record, and a signature before its time."""
    command = signed.command
    if isinstance(command, GiveSignature):
        return _refuse_signature(state, command.object_ref, command.meaning, folder)
    if isinstance(command, SignBatch):
        found = (_refuse_signature(state, one, command.meaning, folder) for one in command.objects or ())
        return next((refused for refused in found if refused is not None), None)
    if not isinstance(command, SHUT_OUT):
        return None
    record = command.record if isinstance(command, core.RecordForm) else None
    return refuse_closed(state, str(getattr(command, "patient", "")), record)


def refuse_closed(state: State, patient: str, record: str | None) -> Refused | None:
    """Return why a locked casebook, or a frozen ``record`` of it, takes no change."""
    lock = state.capture.locked.get(patient)
    if lock is not None:
        return Refused("DC-8 locked", f"the casebook of patient {patient} was locked on {lock.at:%d %b %Y}")
    if record is not None and is_locked(state, patient, record):
        return Refused("DC-8 frozen", f"record {record} of patient {patient} is frozen")
    return None


def _refuse_signature(state: State, object_ref: str, meaning: str, folder: StudyFolder) -> Refused | None:
    """SG-10: the signature that a lock needs is not given while a query is open."""
    kind, _, patient = object_ref.partition(":")
    if kind != "casebook" or meaning not in folder.conduct.capture.lock.signatures:
        return None
    waiting = open_queries(state, patient)
    if not waiting or not folder.conduct.capture.sign_only_without_queries:
        return None
    return Refused(
        "SG-10", f"{len(waiting)} queries of patient {patient} are open; the first is {_name(waiting)}"
    )


def _name(waiting: tuple[object, ...]) -> str:
    return f"number {getattr(waiting[0], 'query', '?')}"


def freeze_records(state: State, signed: Signed, command: c.FreezeRecords, folder: StudyFolder) -> Outcome:
    """Freeze records that are there and not frozen."""
    refused = _refuse(state, command.patient, command.reason, "freezing")
    if refused is not None:
        return refused
    known = state.patients[command.patient].records
    frozen = state.capture.frozen.get(command.patient, frozenset())
    records = command.records or tuple(name for name in known if name not in frozen)
    strange = [name for name in records if name not in known]
    if strange:
        return Refused("record", f"patient {command.patient} has no record {strange[0]}")
    new = tuple(name for name in dict.fromkeys(records) if name not in frozen)
    if not new:
        return Refused("DC-8 frozen", f"these records of patient {command.patient} are frozen already")
    return (ev.RecordsFrozen(command.patient, new, command.reason),)


def unfreeze_records(
    state: State, signed: Signed, command: c.UnfreezeRecords, folder: StudyFolder
) -> Outcome:
    """Unfreeze records that are frozen."""
    refused = _refuse(state, command.patient, command.reason, "unfreezing")
    if refused is not None:
        return refused
    frozen = state.capture.frozen.get(command.patient, frozenset())
    records = command.records or tuple(sorted(frozen))
    strange = [name for name in records if name not in frozen]
    if strange or not records:
        what = strange[0] if strange else f"of patient {command.patient}"
        return Refused("DC-8 frozen", f"no record {what} is frozen")
    return (ev.RecordsUnfrozen(command.patient, tuple(dict.fromkeys(records)), command.reason),)


def lock_casebook(state: State, signed: Signed, command: c.LockCasebook, folder: StudyFolder) -> Outcome:
    """Lock a casebook once nothing of the study's list is open."""
    refused = _refuse(state, command.patient, command.reason, "locking")
    if refused is not None:
        return refused
    missing = next(before_lock(state, folder, command.patient), None)
    if missing is not None:
        return missing
    digest = content_hash(casebook_content(state, command.patient))
    return (ev.CasebookLocked(command.patient, digest, command.reason),)


def before_lock(state: State, folder: StudyFolder, patient: str) -> Iterator[Refused]:
    """Yield everything that still stands against a lock of the casebook."""
    rules = folder.conduct.capture.lock
    waiting = open_queries(state, patient)
    if waiting:
        yield Refused("SG-10 query", f"{len(waiting)} queries are open; the first is {_name(waiting)}")
    if rules.critical_confirmed:
        for record, item in unconfirmed(state, folder, patient)[:1]:
            yield Refused("DC-2", f"{item} of {record} was not confirmed by a second person")
    for record, item in unverified(state, patient, rules.verified_forms)[:1]:
        yield Refused("DC-3", f"{item} of {record} was not verified against the source")
    digest = content_hash(casebook_content(state, patient))
    for meaning in rules.signatures:
        if not valid_signatures(state, casebook_ref(patient), digest, meaning):
            yield Refused("SG-10 signature", f"the casebook as it is now is not signed as {meaning}")


def unlock_casebook(state: State, signed: Signed, command: c.UnlockCasebook, folder: StudyFolder) -> Outcome:
    """Unlock a locked casebook."""
    refused = _refuse(state, command.patient, command.reason, "unlocking")
    if refused is not None:
        return refused
    if command.patient not in state.capture.locked:
        return Refused("DC-8 locked", f"the casebook of patient {command.patient} is not locked")
    return (ev.CasebookUnlocked(command.patient, command.reason),)


def _refuse(state: State, patient: str, reason: str, what: str) -> Refused | None:
    if patient not in state.patients:
        return Refused("patient", f"there is no patient {patient}")
    return None if reason.strip() else Refused("DC-8 reason", f"{what} data needs a reason")
