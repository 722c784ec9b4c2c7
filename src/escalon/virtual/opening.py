"""Before the first patient: sites, persons, identity checks, roles. After a milestone: casebooks signed."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from escalon.conduct.act import Actor, Command
from escalon.conduct.people import commands as c
from escalon.conduct.people.signatures import (
    casebook_content,
    casebook_ref,
    content_hash,
    valid_signatures,
)
from escalon.conduct.state import State
from escalon.protocol import StudyFolder
from escalon.virtual.data_management import settle_queries
from escalon.virtual.staff import ADMINISTRATOR, PHYSICIAN, SPONSOR, everybody, investigator

ZONES = {"USA": "America/New_York", "FRA": "Europe/Paris", "GBR": "Europe/London"}
"""One time zone a country is enough for simulated sites."""
TRAINED_FOR = timedelta(days=3653)
"""Simulated staff never leaves and its training lasts for the whole trial."""

Sent = tuple[Actor, Command]


def opening(folder: StudyFolder, now: datetime) -> Iterator[Sent]:
    """Yield who sends what once the study is open: sites, then people, the administrator first."""
    organisation = folder.study.identity.sponsor
    access = folder.conduct.access
    sites = [site.id for site in folder.scenarios.patients.sites]
    yield from _enlist(SPONSOR, ADMINISTRATOR, organisation, access.identity_methods[0], now)
    yield ADMINISTRATOR, c.VerifyIdentity(SPONSOR.id, access.identity_methods[0])
    for site in folder.scenarios.patients.sites:
        zone = ZONES[site.country]
        yield ADMINISTRATOR, c.RegisterSite(site.id, f"Virtual site {site.id}", site.country, zone)
        yield SPONSOR, c.ApproveVersion(site.id, folder.hash)
    for person in everybody(sites):
        giver = SPONSOR if person.role == PHYSICIAN.role else ADMINISTRATOR
        where = f"Virtual site {person.site}" if person.site else organisation
        yield from _enlist(giver, person, where, access.identity_methods[0], now)


def _enlist(giver: Actor, person: Actor, organisation: str, method: str, now: datetime) -> Iterator[Sent]:
    yield giver, c.RegisterPerson(person.id, person.name, organisation)
    yield giver, c.VerifyIdentity(person.id, method)
    until = now + TRAINED_FOR
    yield giver, c.GrantRole(person.id, person.role, person.site, now, None, until)


def sign_casebooks(state: State, patients: Iterable[str]) -> Iterator[Sent]:
    """Yield how investigators read casebooks as they are now and sign them, where they have not signed yet.

    Open queries are settled before: nobody signs while one is open. Each investigator has every casebook on the screen
    and signs all of them in one act (SG-13).
    """
    unsigned: dict[str, dict[str, str]] = {}
    for patient in patients:
        yield from settle_queries(state, (patient,))
        ref, digest = casebook_ref(patient), content_hash(casebook_content(state, patient))
        if not valid_signatures(state, ref, digest, "responsibility"):
            unsigned.setdefault(state.patients[patient].site, {})[ref] = digest
    for site, shown in unsigned.items():
        signer = investigator(site)
        for ref, digest in shown.items():
            yield signer, c.ShowObject(ref, digest)
        yield signer, c.SignBatch(tuple(shown), "responsibility")
