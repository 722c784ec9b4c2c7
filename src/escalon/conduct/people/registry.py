"""Sites, persons and their roles: how they come in, change and end."""

from zoneinfo import ZoneInfo

from escalon.conduct.act import Outcome, Refused, Signed
from escalon.conduct.people import commands as c
from escalon.conduct.people import events as ev
from escalon.conduct.people.security import KINDS, SYSTEM
from escalon.conduct.people.state import Grant, Person
from escalon.conduct.state import State
from escalon.protocol import StudyFolder
from escalon.protocol.conduct.people import EITHER_ROLES, ROLES, SITE_ROLES


def register_site(state: State, signed: Signed, command: c.RegisterSite, folder: StudyFolder) -> Outcome:
    """Add a site."""
    if not command.site.strip() or command.site in state.people.sites:
        return Refused("AC-1 site", f"site {command.site!r} is registered already or has no id")
    try:
        ZoneInfo(command.timezone)
    except (ValueError, LookupError, OSError):
        return Refused("AT-2 zone", f"{command.timezone!r} is no IANA time zone; right is e.g. Europe/Paris")
    return (ev.SiteRegistered(command.site, command.name, command.country, command.timezone),)


def approve_version(state: State, signed: Signed, command: c.ApproveVersion, folder: StudyFolder) -> Outcome:
    """Record that a site may work on a version of the study folder."""
    site = state.people.sites.get(command.site)
    if site is None:
        return _no_site(command.site)
    if command.study_hash != folder.hash:
        return Refused("DC-11", "the version approved is not one of this study")
    if command.study_hash in site.approved:
        return Refused("DC-11", f"site {command.site} has approved this version already")
    return (ev.VersionApproved(command.site, command.study_hash),)


def register_person(state: State, signed: Signed, command: c.RegisterPerson, folder: StudyFolder) -> Outcome:
    """Add a person under an id nobody had before."""
    if not command.person.strip() or not command.name.strip():
        return Refused("SG-6", "a person has an id and a printed name")
    if command.person in state.people.persons or command.person == SYSTEM:
        return Refused("SG-6", f"the id {command.person} is taken; an id is never used for two persons")
    return (ev.PersonRegistered(command.person, command.name, command.organisation),)


def verify_identity(state: State, signed: Signed, command: c.VerifyIdentity, folder: StudyFolder) -> Outcome:
    """Record the check of a person's identity."""
    person = _active(state, command.person)
    if isinstance(person, Refused):
        return person
    access = folder.conduct.access
    if command.method not in access.identity_methods:
        return Refused("SG-7", f"identity is checked by one of: {'; '.join(access.identity_methods)}")
    if command.person == signed.actor.id and access.separation("identity") is not None:
        return Refused("AC-3 identity", "nobody checks the own identity")
    return (ev.IdentityVerified(command.person, command.method),)


def grant_role(state: State, signed: Signed, command: c.GrantRole, folder: StudyFolder) -> Outcome:
    """Give a role with its dates, unless the person holds one that excludes it."""
    person = _active(state, command.person)
    if isinstance(person, Refused):
        return person
    refused = (
        _refuse_giver(signed, command)
        or _refuse_scope(state, command)
        or _refuse_dates(command)
        or refuse_exclusive(person, command.role, signed, folder)
    )
    if refused is not None:
        return refused
    return (
        ev.RoleGranted(
            command.person,
            command.role,
            command.site,
            command.valid_from,
            command.valid_until,
            command.trained_until,
        ),
    )


def _refuse_giver(signed: Signed, command: c.GrantRole) -> Refused | None:
    if command.person == signed.actor.id:
        return Refused("AC-3 own-rights", "nobody gives a role to oneself")
    if signed.actor.role == "sponsor" and command.role not in ("administrator", "sponsor"):
        return Refused("AC-1 role", f"the sponsor appoints administrators; they grant {command.role}")
    if signed.actor.role == "administrator" and command.role == "administrator":
        return Refused("AC-1 role", "administrators are appointed by the sponsor")
    return None


def _refuse_scope(state: State, command: c.GrantRole) -> Refused | None:
    if command.role not in ROLES:
        return Refused("AC-1 role", f"{command.role!r} is no role; roles are {', '.join(ROLES)}")
    if command.site and command.site not in state.people.sites:
        return _no_site(command.site)
    if command.role in SITE_ROLES and not command.site:
        return Refused("AC-1 site", f"{command.role} is a role at a site; name the site")
    if command.site and command.role not in (*SITE_ROLES, *EITHER_ROLES):
        return Refused("AC-1 site", f"{command.role} is a role of the whole study; name no site")
    return None


def _refuse_dates(command: c.GrantRole) -> Refused | None:
    if command.trained_until is None:
        return Refused("AC-4 training", "a role is given once the training is documented; say until when")
    moments = [command.valid_from, command.valid_until, command.trained_until]
    if any(moment is not None and moment.tzinfo is None for moment in moments):
        return Refused("AC-4 delegation", "the dates of a role need a time zone")
    if command.valid_until is not None and command.valid_until <= command.valid_from:
        return Refused("AC-4 delegation", "the delegation ends before it begins")
    return None


def refuse_exclusive(person: Person, role: str, signed: Signed, folder: StudyFolder) -> Refused | None:
    """Refuse ``role`` for who holds one that excludes it (AC-3)."""
    held = {grant.role for grant in person.grants if grant.ended_at is None and _still_runs(grant, signed)}
    for pair in folder.conduct.access.exclusive_roles:
        against = (
            held & set(pair.not_with)
            if role == pair.role
            else held & {pair.role}
            if role in pair.not_with
            else set()
        )
        if against:
            holds = ", ".join(sorted(against))
            return Refused(f"AC-3 {pair.id}", f"{person.name} is {holds}: {pair.reason}")
    return None


def _still_runs(grant: Grant, signed: Signed) -> bool:
    return grant.valid_until is None or signed.at < grant.valid_until


def revoke_role(state: State, signed: Signed, command: c.RevokeRole, folder: StudyFolder) -> Outcome:
    """Take a role away."""
    person = _active(state, command.person)
    if isinstance(person, Refused):
        return person
    if not command.reason.strip():
        return Refused("reason", "taking a role away needs a reason")
    if not any((g.role, g.site, g.ended_at) == (command.role, command.site, None) for g in person.grants):
        return Refused("AC-1 role", f"{person.name} does not hold {_at_site(command.role, command.site)}")
    return (ev.RoleRevoked(command.person, command.role, command.site, command.reason),)


def deactivate_person(
    state: State, signed: Signed, command: c.DeactivatePerson, folder: StudyFolder
) -> Outcome:
    """End all rights of a person; the id stays taken."""
    person = _active(state, command.person)
    if isinstance(person, Refused):
        return person
    if not command.reason.strip():
        return Refused("reason", "deactivating a person needs a reason")
    if command.person == signed.actor.id:
        return Refused("AC-3 own-rights", "nobody deactivates oneself; another administrator does")
    return (ev.PersonDeactivated(command.person, command.reason),)


def record_security_event(
    state: State, signed: Signed, command: c.RecordSecurityEvent, folder: StudyFolder
) -> Outcome:
    """Record what happened to an account; an unknown account has the person ''."""
    if command.kind not in KINDS:
        return Refused("AT-8", f"{command.kind!r} is no security event; known are {', '.join(KINDS)}")
    if command.person and command.person not in state.people.persons:
        return Refused("AT-8", f"there is no person {command.person}; leave the person empty")
    return (ev.SecurityEventRecorded(command.kind, command.person, command.detail),)


def _active(state: State, person: str) -> Person | Refused:
    known = state.people.persons.get(person)
    if known is None:
        return Refused("AC-1 person", f"there is no person {person}")
    if known.deactivated_at is not None:
        return Refused("SG-6", f"{known.name} was deactivated and does not come back under this id")
    return known


def _no_site(site: str) -> Refused:
    return Refused("AC-1 site", f"there is no site {site}")


def _at_site(role: str, site: str) -> str:
    return f"{role} at site {site}" if site else f"{role} of the study"
