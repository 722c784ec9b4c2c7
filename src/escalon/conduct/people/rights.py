"""Who may act: the guard of every command (AC-1, AC-4), and who had which rights when (AC-5)."""

from dataclasses import dataclass
from datetime import datetime

from escalon.conduct.act import Actor, Event, Refused, Signed
from escalon.conduct.commands import OpenStudy
from escalon.conduct.events import StudyOpened
from escalon.conduct.people.events import PersonRegistered, RoleGranted
from escalon.conduct.people.security import COMPONENTS, SYSTEM
from escalon.conduct.people.state import Grant, Person
from escalon.conduct.state import State
from escalon.protocol import StudyFolder
from escalon.protocol.conduct.people import AccessRules


@dataclass(frozen=True, slots=True)
class Right:
    """A role a person could act in, from ``since`` (inclusive) to ``until`` (exclusive; None: still)."""

    person: str
    name: str
    organisation: str
    role: str
    site: str
    since: datetime
    until: datetime | None
    ends: str


def guard(state: State, signed: Signed, folder: StudyFolder) -> Refused | None:
    """Refuse who is not a registered, active, trained person holding the claimed role there and then."""
    actor = signed.actor
    if isinstance(signed.command, OpenStudy):
        return None  # the first act registers who acts, see ``enter_opener``
    if (actor.id, actor.role) == (SYSTEM, SYSTEM):
        return None  # the role table lets this software record security events and nothing else
    if signed.authenticated not in COMPONENTS or signed.authenticated == "none":
        return Refused("AC-2", f"{actor.name} is not logged in; an act needs a session")
    person = state.people.persons.get(actor.id)
    if person is None:
        return Refused("AC-1 person", f"{actor.name} ({actor.id}) is not registered in this study")
    if person.deactivated_at is not None:
        return Refused("AC-1 person", f"{person.name} was deactivated at {person.deactivated_at:%d %b %Y}")
    if person.name != actor.name:
        return Refused("AC-1 person", f"{actor.id} is {person.name}, not {actor.name}")
    return _refuse_grant(person, actor, signed.at) or _refuse_scope(state, signed)


def _refuse_grant(person: Person, actor: Actor, at: datetime) -> Refused | None:
    where = f"at site {actor.site}" if actor.site else "for the whole study"
    # a new grant ends the one before, so that at most one stands
    standing = (
        grant
        for grant in person.grants
        if (grant.role, grant.site) == (actor.role, actor.site) and grant.known(at)
    )
    grant = next(standing, None)
    if grant is None:
        return Refused("AC-1 role", f"{person.name} does not hold the role {actor.role} {where}")
    if not grant.delegated(at):
        dates = f"{grant.valid_from:%d %b %Y} to {_day(grant.valid_until)}"
        return Refused("AC-4 delegation", f"{person.name} is {actor.role} {where} from {dates} only")
    if not grant.trained(at):
        expired = _day(grant.trained_until)
        return Refused("AC-4 training", f"the training of {person.name} as {actor.role} expired on {expired}")
    return None


def _day(moment: datetime | None) -> str:
    return "the end of the study" if moment is None else f"{moment:%d %b %Y}"


def _refuse_scope(state: State, signed: Signed) -> Refused | None:
    """Who acts for a site touches that site's patients, slots and rights only."""
    actor = signed.actor
    if not actor.site:
        return None
    for site, what in _sites_named(state, signed):
        if site != actor.site:
            return Refused("site", f"{what} belongs to site {site}; {actor.name} acts for site {actor.site}")
    return None


def _sites_named(state: State, signed: Signed) -> list[tuple[str, str]]:
    """The sites a command is about: named by it, or of the patient or slot it names."""
    command = signed.command
    site, patient, slot = (getattr(command, name, None) for name in ("site", "patient", "slot"))
    named = [(site, "this")] if site else []
    if patient in state.patients:
        named.append((state.patients[patient].site, f"patient {patient}"))
    if isinstance(slot, int) and 1 <= slot <= len(state.slots.slots):
        named.append((state.slots.slots[slot - 1].site, f"slot {slot}"))
    return named


def enter_opener(
    state: State, events: tuple[Event, ...], signed: Signed, folder: StudyFolder
) -> tuple[Event, ...]:
    """Return who opened the study, registered as its sponsor: the person who appoints the administrator."""
    if not any(isinstance(event, StudyOpened) for event in events):
        return ()
    actor = signed.actor
    return (
        PersonRegistered(actor.id, actor.name, folder.study.identity.sponsor),
        RoleGranted(actor.id, "sponsor", "", signed.at, None, None),
    )


def rights(state: State) -> tuple[Right, ...]:
    """Return every right anybody ever had, by person and then in the order they were given."""
    persons = (person for _, person in sorted(state.people.persons.items()))
    return tuple(right for person in persons for right in _rights_of(person))


def _rights_of(person: Person) -> tuple[Right, ...]:
    """Return the rights of one person; a grant that ended before it began gave none."""
    given = (_right(person, grant) for grant in person.grants)
    return tuple(right for right in given if right.until is None or right.since < right.until)


def _right(person: Person, grant: Grant) -> Right:
    ends = [
        (grant.ended_at, grant.ended_because),
        (grant.valid_until, "end of the delegation"),
        (grant.trained_until, "training expires"),
        (person.deactivated_at, person.deactivated_because),
    ]
    dated = [(moment, why) for moment, why in ends if moment is not None]
    until, why = min(dated, default=(None, ""))
    since = max(grant.granted_at, grant.valid_from)
    return Right(person.person, person.name, person.organisation, grant.role, grant.site, since, until, why)


def rights_on(state: State, person: str, at: datetime) -> tuple[Right, ...]:
    """Return the rights ``person`` had at the moment ``at``, which must not lie after the last fact of ``state``."""
    known = state.people.persons.get(person)
    return () if known is None else tuple(right for right in _rights_of(known) if _within(right, at, at))


def rights_during(state: State, start: datetime, end: datetime) -> tuple[Right, ...]:
    """Return the rights anybody had at any moment from ``start`` to ``end`` (both inclusive)."""
    return tuple(right for right in rights(state) if _within(right, start, end))


def _within(right: Right, start: datetime, end: datetime) -> bool:
    return right.since <= end and (right.until is None or start < right.until)


def refuse_same_person(access: AccessRules, rule: str, first: str | None, signed: Signed) -> Refused | None:
    """Refuse the second of two acts that two persons do (AC-3).

    Args:
        access: the study's rules.
        rule: id of the separation, e.g. ``slot``.
        first: id of the person who did the first act; None if nobody did.
        signed: the second act.
    """
    pair = access.separation(rule)
    if pair is None or first != signed.actor.id:
        return None
    return Refused(f"AC-3 {rule}", f"{signed.actor.name} {pair.first} and does not {pair.second} as well")


def refuse_sole_person(
    access: AccessRules, rule: str, first: frozenset[str], second: frozenset[str]
) -> Refused | None:
    """Refuse when everybody of ``second`` (ids) took part in the first act as well (AC-3, e.g. ``dlt-chair``)."""
    pair = access.separation(rule)
    if pair is None or not second or not second <= first:
        return None
    named = ", ".join(sorted(second))
    return Refused(
        f"AC-3 {rule}", f"{named} {pair.first} and cannot {pair.second} alone; another person takes part"
    )
