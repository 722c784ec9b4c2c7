"""Every permission of the table both ways, at the own and at another site; the printed table is the one obeyed."""

from datetime import timedelta
from typing import Any

import pytest

from escalon.conduct.act import Actor, Command, Refused, Signed
from escalon.conduct.commands import OpenStudy
from escalon.conduct.decide import decide
from escalon.conduct.people.reading import ALL, OWN, READS, may_read
from escalon.conduct.people.rights import guard
from escalon.conduct.people.security import SYSTEM
from escalon.conduct.roles import ALLOWED, command_rows, roles_page
from escalon.conduct.slots.commands import RequestSlot
from escalon.conduct.state import State
from escalon.protocol import StudyFolder
from escalon.protocol.conduct.people import EITHER_ROLES, ROLES, SITE_ROLES
from tests.act import COORDINATOR, STAFF, T0, Desk, enlist, opened, seat
from tests.study_files import ROOT

WITHOUT_PLACE = {
    "ApplyImport",
    "ApproveVersion",
    "ConfirmReading",
    "ExpireSlots",
    "GiveSignature",
    "RollbackImport",
    "ShowObject",
    "SignBatch",
    "StageImport",
}
"""Acts of site roles that name no patient, site or slot: their handlers look at what they touch."""
COMMANDS = sorted(ALLOWED, key=lambda command: command.__name__)
PHARMACOLOGIST = Actor("pk", "Pharmacologist", "pharmacologist")


@pytest.fixture(scope="module")
def desk(balli: StudyFolder) -> Desk:
    """A trial with a slot and a patient at site 01 and one holder of every role, site roles at both sites."""
    desk = opened(balli)
    for actor, command in enlist(PHARMACOLOGIST, desk.now):
        desk.must(actor, command)
    seat(desk, "001")
    return desk


def bare(command: type[Command]) -> Any:
    """A command with empty fields, about patient 001 of site 01 where it is about a patient or a site."""
    made = object.__new__(command)
    for name in command.__slots__:
        object.__setattr__(made, name, {"patient": "001", "site": "01"}.get(name))
    return made


def holders(role: str) -> list[Actor]:
    from tests.act import ADMINISTRATOR, SPONSOR

    everybody = (SPONSOR, ADMINISTRATOR, PHARMACOLOGIST, *STAFF)
    return [actor for actor in everybody if actor.role == role]


def test_there_is_a_holder_of_every_role() -> None:
    assert all(holders(role) for role in ROLES)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
def test_an_allowed_role_passes_the_guard_and_every_other_is_refused(
    desk: Desk, balli: StudyFolder, command: type[Command]
) -> None:
    for role in ROLES:
        actor = holders(role)[0]  # of site 01 where the role is one of a site
        signed = Signed(bare(command), actor, desk.now)
        if role in ALLOWED[command]:
            assert guard(desk.state, signed, balli) is None, role
            continue
        outcome = decide(desk.state, signed, balli)
        assert isinstance(outcome, Refused), role
        assert outcome.rule == "role", role


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
def test_a_site_role_acts_at_its_own_site_only(
    desk: Desk, balli: StudyFolder, command: type[Command]
) -> None:
    for role in (*SITE_ROLES, "monitor"):
        if role not in ALLOWED[command] or command.__name__ in WITHOUT_PLACE:
            continue
        made = bare(command)
        if {"patient", "site"}.isdisjoint(command.__slots__):
            assert "slot" in command.__slots__, f"{command.__name__} names no place"
            continue
        elsewhere = next(actor for actor in holders(role) if actor.site == "02")
        refused = guard(desk.state, Signed(made, elsewhere, desk.now), balli)
        assert refused is not None, role
        assert refused.rule == "site"
        assert "site 01" in refused.reason


def test_a_claimed_role_or_site_the_person_does_not_hold_is_refused(desk: Desk, balli: StudyFolder) -> None:
    command = RequestSlot("02", "new candidate")
    claims = {
        "AC-1 person": Actor("nobody", "Nobody", "coordinator", "02"),
        "AC-1 role": Actor(COORDINATOR.id, COORDINATOR.name, "coordinator", "02"),
    }
    for rule, actor in claims.items():
        refused = decide(desk.state, Signed(command, actor, desk.now), balli)
        assert isinstance(refused, Refused)
        assert refused.rule == rule
    other_name = Actor(COORDINATOR.id, "Somebody else", "coordinator", "01")
    named = decide(desk.state, Signed(RequestSlot("01", "x"), other_name, desk.now), balli)
    assert isinstance(named, Refused)
    assert named.rule == "AC-1 person"
    out = decide(desk.state, Signed(RequestSlot("01", "x"), COORDINATOR, desk.now, "none"), balli)
    assert isinstance(out, Refused)
    assert out.rule == "AC-2"


def test_the_software_itself_records_security_events_and_notices_and_nothing_else(
    desk: Desk, balli: StudyFolder
) -> None:
    machine = Actor(SYSTEM, "Escalon", SYSTEM)
    allowed = [command.__name__ for command in COMMANDS if SYSTEM in ALLOWED[command]]
    assert allowed == ["RecordNoticeSent", "RecordSecurityEvent"]
    for command in COMMANDS:
        if command.__name__ not in allowed:
            outcome = decide(desk.state, Signed(bare(command), machine, desk.now), balli)
            assert isinstance(outcome, Refused)
            assert outcome.rule == "role"


@pytest.mark.parametrize("what", READS)
def test_reading_both_ways_and_across_sites(desk: Desk, what: str) -> None:
    for role in ROLES:
        actor = holders(role)[0]
        scope = READS[what].get(role)
        at = desk.now + timedelta(minutes=1)
        assert may_read(desk.state, actor.id, what, "01", at) is (scope is not None), role
        everywhere = scope == ALL or (scope == OWN and actor.site == "")
        assert may_read(desk.state, actor.id, what, "02", at) is everywhere, role
        assert may_read(desk.state, actor.id, what, "", at) is everywhere, role
        assert not may_read(desk.state, actor.id, what, "01", T0 - timedelta(days=1)), role
        assert not may_read(desk.state, actor.id, what, "01", T0 + timedelta(days=3654)) or role == "sponsor"


def test_what_is_not_in_the_table_nobody_reads(desk: Desk) -> None:
    assert not any(may_read(desk.state, actor.id, "randomisation list", "01", desk.now) for actor in STAFF)
    assert not may_read(desk.state, "nobody", "casebook", "01", desk.now)
    assert {role for scopes in READS.values() for role in scopes} <= set(ROLES)
    assert set(EITHER_ROLES).isdisjoint(SITE_ROLES)


def test_the_administrator_reads_no_data() -> None:
    assert {what for what, scopes in READS.items() if "administrator" in scopes} == {
        "user history",
        "security events",
    }


def test_the_page_shows_the_table_obeyed() -> None:
    page = (ROOT / "docs" / "roles.md").read_text(encoding="utf-8")
    assert page == roles_page(), "run: escalon roles --markdown > docs/roles.md"
    rows = {name: roles for _, name, _, roles in command_rows()}
    assert rows == {command.__name__: roles for command, roles in ALLOWED.items()}
    assert rows[OpenStudy.__name__] == ("sponsor",)


def test_an_empty_ledger_gives_nobody_a_right(balli: StudyFolder) -> None:
    signed = Signed(RequestSlot("01", "x"), COORDINATOR, T0)
    refused = guard(State(), signed, balli)
    assert refused is not None
    assert refused.rule == "AC-1 person"
