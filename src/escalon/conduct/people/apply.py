"""How the events of people change the state."""

from dataclasses import replace
from typing import Any

from escalon.conduct.act import Event
from escalon.conduct.people import events as ev
from escalon.conduct.people.security import BREAKS, COMPONENTS
from escalon.conduct.people.state import Grant, Person, Signature, SigningPeriod, Site
from escalon.conduct.state import Fact, State
from escalon.conduct.topic import Apply


def _with(state: State, **changes: Any) -> State:
    return replace(state, people=replace(state.people, **changes))


def _with_person(state: State, person: Person) -> State:
    return _with(state, persons={**state.people.persons, person.person: person})


def _site(state: State, fact: Fact, event: ev.SiteRegistered) -> State:
    site = Site(event.site, event.name, event.country, event.timezone, fact.at)
    return _with(state, sites={**state.people.sites, event.site: site})


def _approved(state: State, fact: Fact, event: ev.VersionApproved) -> State:
    site = state.people.sites[event.site]
    site = replace(site, approved={event.study_hash: fact.at} | site.approved)
    return _with(state, sites={**state.people.sites, event.site: site})


def _person(state: State, fact: Fact, event: ev.PersonRegistered) -> State:
    return _with_person(state, Person(event.person, event.name, event.organisation, fact.at))


def _identity(state: State, fact: Fact, event: ev.IdentityVerified) -> State:
    person = state.people.persons[event.person]
    return _with_person(state, replace(person, identity=event.method, identity_at=fact.at))


def _granted(state: State, fact: Fact, event: ev.RoleGranted) -> State:
    person = state.people.persons[event.person]
    grant = Grant(
        event.person,
        event.role,
        event.site,
        event.valid_from,
        event.valid_until,
        event.trained_until,
        fact.at,
        fact.actor_id,
    )
    before = _ended(person, event.role, event.site, fact, "granted again with new dates")
    return _with_person(state, replace(before, grants=(*before.grants, grant)))


def _revoked(state: State, fact: Fact, event: ev.RoleRevoked) -> State:
    person = state.people.persons[event.person]
    return _with_person(state, _ended(person, event.role, event.site, fact, event.reason))


def _deactivated(state: State, fact: Fact, event: ev.PersonDeactivated) -> State:
    person = state.people.persons[event.person]
    gone = replace(person, deactivated_at=fact.at, deactivated_because=event.reason)
    signing = {who: period for who, period in state.people.signing.items() if who != event.person}
    return _with(_with_person(state, gone), signing=signing)


def _ended(person: Person, role: str, site: str, fact: Fact, reason: str) -> Person:
    """Return ``person`` with the standing grant of that role at that site ended."""
    grants = tuple(
        replace(grant, ended_at=fact.at, ended_because=reason)
        if (grant.role, grant.site, grant.ended_at) == (role, site, None)
        else grant
        for grant in person.grants
    )
    return replace(person, grants=grants)


def _security(state: State, fact: Fact, event: ev.SecurityEventRecorded) -> State:
    state = _with_failures(state, event)
    if event.kind not in BREAKS or event.person not in state.people.signing:
        return state
    signing = {who: period for who, period in state.people.signing.items() if who != event.person}
    return _with(state, signing=signing)


def _with_failures(state: State, event: ev.SecurityEventRecorded) -> State:
    """Count failed logins in a row; a login, a lock-out and its end count anew."""
    before = state.people.failures.get(event.person, 0)
    now = 0 if event.kind in ("login", "lockout", "unlocked") else before + (event.kind == "login_failed")
    if now == before:
        return state
    return _with(state, failures={**state.people.failures, event.person: now})


def _displayed(state: State, fact: Fact, event: ev.ObjectDisplayed) -> State:
    seen = {**state.people.displayed.get(event.person, {}), event.object_ref: event.content_hash}
    return _with(state, displayed={**state.people.displayed, event.person: seen})


def _signed(state: State, fact: Fact, event: ev.SignatureGiven) -> State:
    signature = Signature(
        event.signature,
        event.object_ref,
        event.signer,
        event.name,
        event.role,
        event.meaning,
        event.content_hash,
        event.authenticated,
        fact.at,
        event.site,
    )
    period = state.people.signing.get(event.signer)
    since = fact.at if period is None or COMPONENTS[event.authenticated] > 1 else period.since
    signing = {**state.people.signing, event.signer: SigningPeriod(since, fact.at)}
    return _with(state, signatures=(*state.people.signatures, signature), signing=signing)


def _invalidated(state: State, fact: Fact, event: ev.SignatureInvalidated) -> State:
    signatures = tuple(
        replace(signature, invalidated_at=fact.at, invalidated_because=event.reason)
        if signature.number == event.signature
        else signature
        for signature in state.people.signatures
    )
    return _with(state, signatures=signatures)


APPLY: dict[type[Event], Apply] = {
    ev.SiteRegistered: _site,
    ev.VersionApproved: _approved,
    ev.PersonRegistered: _person,
    ev.IdentityVerified: _identity,
    ev.RoleGranted: _granted,
    ev.RoleRevoked: _revoked,
    ev.PersonDeactivated: _deactivated,
    ev.SecurityEventRecorded: _security,
    ev.ObjectDisplayed: _displayed,
    ev.SignatureGiven: _signed,
    ev.SignatureInvalidated: _invalidated,
}
