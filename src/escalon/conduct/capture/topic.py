"""The topic capture: queries, marks, freeze, lock, versions of the study."""

from escalon.conduct.act import Command, Event, Signed
from escalon.conduct.capture import commands as c
from escalon.conduct.capture import import_rollback, imports, locks, marks, origins, queries, versions
from escalon.conduct.capture.apply import APPLY
from escalon.conduct.events import FormRecorded
from escalon.conduct.people.events import SignatureInvalidated
from escalon.conduct.people.signatures import casebook_ref, valid_signatures
from escalon.conduct.state import State
from escalon.conduct.topic import Decide, Topic
from escalon.protocol import StudyFolder

SITE = ("coordinator", "investigator")
IMPORTERS = (*SITE, "data_manager")

DECIDE: dict[type[Command], Decide] = {
    c.OpenQuery: queries.open_query,
    c.AnswerQuery: queries.answer_query,
    c.CloseQuery: queries.close_query,
    c.ReopenQuery: queries.reopen_query,
    c.VerifySource: marks.verify_source,
    c.ConfirmCritical: marks.confirm_critical,
    c.FreezeRecords: locks.freeze_records,
    c.UnfreezeRecords: locks.unfreeze_records,
    c.LockCasebook: locks.lock_casebook,
    c.UnlockCasebook: locks.unlock_casebook,
    c.StageImport: imports.stage_import,
    c.ApplyImport: imports.apply_import,
    c.RollbackImport: import_rollback.rollback_import,
    c.AmendStudy: versions.amend_study,
    c.Reconsent: versions.reconsent,
}

ALLOWED: dict[type[Command], tuple[str, ...]] = {
    c.OpenQuery: queries.OPENERS,
    c.AnswerQuery: SITE,
    c.CloseQuery: queries.OPENERS,
    c.ReopenQuery: queries.OPENERS,
    c.VerifySource: ("monitor",),
    c.ConfirmCritical: (*SITE, "monitor"),
    c.FreezeRecords: ("monitor", "data_manager"),
    c.UnfreezeRecords: ("data_manager",),
    c.LockCasebook: ("data_manager",),
    c.UnlockCasebook: ("data_manager",),
    c.StageImport: IMPORTERS,
    c.ApplyImport: IMPORTERS,
    c.RollbackImport: IMPORTERS,
    c.AmendStudy: ("sponsor",),
    c.Reconsent: SITE,
}


def react(state: State, events: tuple[Event, ...], signed: Signed, folder: StudyFolder) -> tuple[Event, ...]:
    """Return what follows for data: versions of new patients, marks that fall, signatures that grew old, queries."""
    return (
        *versions.set_versions(state, events),
        *marks.withdraw(state, events),
        *_outgrown(state, events),
        *origins.ask(state, events, signed, folder),
    )


def _outgrown(state: State, events: tuple[Event, ...]) -> tuple[Event, ...]:
    """A new record makes a signature on the whole casebook void; changed records void theirs in ``people``."""
    void = {event.signature for event in events if isinstance(event, SignatureInvalidated)}
    found: list[Event] = []
    for event in events:
        if not isinstance(event, FormRecorded) or event.version > 1:
            continue
        for signature in valid_signatures(state, casebook_ref(event.patient)):
            if signature.number not in void:
                found.append(SignatureInvalidated(signature.number, f"{event.record} was added"))
                void.add(signature.number)
    return tuple(found)


TOPIC = Topic("capture", DECIDE, ALLOWED, APPLY, locks.guard, react)
