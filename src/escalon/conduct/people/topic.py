"""The topic people: sites, persons, roles with their dates, electronic signatures."""

from escalon.conduct.act import Command, Event, Signed
from escalon.conduct.people import batch, registry
from escalon.conduct.people import commands as c
from escalon.conduct.people.apply import APPLY
from escalon.conduct.people.rights import enter_opener, guard
from escalon.conduct.people.security import SYSTEM
from escalon.conduct.people.signatures import give_signature, void_changed
from escalon.conduct.state import State
from escalon.conduct.topic import Decide, Topic
from escalon.protocol import StudyFolder

SIGNERS = (
    "coordinator",
    "investigator",
    "monitor",
    "medical_monitor",
    "statistician",
    "committee_member",
    "data_manager",
    "safety_officer",
    "sponsor",
    "administrator",
)
RIGHTS = ("administrator", "sponsor")

ALLOWED: dict[type[Command], tuple[str, ...]] = {
    c.RegisterSite: RIGHTS,
    c.ApproveVersion: ("sponsor", "monitor"),
    c.RegisterPerson: RIGHTS,
    c.VerifyIdentity: RIGHTS,
    c.GrantRole: RIGHTS,
    c.RevokeRole: RIGHTS,
    c.DeactivatePerson: RIGHTS,
    c.RecordSecurityEvent: ("administrator", SYSTEM),
    c.GiveSignature: SIGNERS,
    c.ShowObject: batch.SIGNERS,
    c.SignBatch: batch.SIGNERS,
}

DECIDE: dict[type[Command], Decide] = {
    c.RegisterSite: registry.register_site,
    c.ApproveVersion: registry.approve_version,
    c.RegisterPerson: registry.register_person,
    c.VerifyIdentity: registry.verify_identity,
    c.GrantRole: registry.grant_role,
    c.RevokeRole: registry.revoke_role,
    c.DeactivatePerson: registry.deactivate_person,
    c.RecordSecurityEvent: registry.record_security_event,
    c.GiveSignature: give_signature,
    c.ShowObject: batch.show_object,
    c.SignBatch: batch.sign_batch,
}

AFTER_CLOSURE = frozenset(ALLOWED) - {c.ApproveVersion}
"""Inspectors come, rights end and archives are signed after the study is closed."""


def _react(state: State, events: tuple[Event, ...], signed: Signed, folder: StudyFolder) -> tuple[Event, ...]:
    return (*enter_opener(state, events, signed, folder), *void_changed(state, events, signed, folder))


TOPIC = Topic("people", DECIDE, ALLOWED, APPLY, guard, _react, AFTER_CLOSURE)
