"""Sites, persons and grants: bootstrapping, dates, segregation, revoking, who had which rights when."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from escalon.conduct import commands as core
from escalon.conduct.act import Actor, Command, Refused, Signed
from escalon.conduct.people import commands as c
from escalon.conduct.people.rights import (
    guard,
    refuse_same_person,
    refuse_sole_person,
    rights_during,
    rights_on,
)
from escalon.conduct.slots.commands import ReleaseSlot, RequestSlot
from escalon.protocol import StudyFolder
from escalon.protocol.conduct.people import AccessRules, Lockout, Password, Session
from tests.act import (
    ADMINISTRATOR,
    CHAIR,
    COORDINATOR,
    COORDINATOR_2,
    IDENTITY,
    INVESTIGATOR,
    MONITOR,
    SPONSOR,
    T0,
    Desk,
    acknowledge,
    enlist,
    opened,
    staffed,
)

YEAR = timedelta(days=365)
NEW = Actor("n", "New person", "coordinator", "01")


def grant(person: Actor, start: datetime, **dates: datetime) -> c.GrantRole:
    until, trained = dates.get("until"), dates.get("trained", start + 10 * YEAR)
    return c.GrantRole(person.id, person.role, person.site, start, until, trained)


def known(desk: Desk, person: Actor = NEW) -> Desk:
    desk.must(ADMINISTRATOR, c.RegisterPerson(person.id, person.name, "Test"))
    return desk


def test_who_opens_the_study_is_its_sponsor_and_appoints_the_administrator(balli: StudyFolder) -> None:
    desk = Desk(balli)
    events = desk.must(SPONSOR, core.OpenStudy(balli.hash, "0", "test"))
    assert [type(event).__name__ for event in events] == ["StudyOpened", "PersonRegistered", "RoleGranted"]
    assert desk.refused(ADMINISTRATOR, c.RegisterPerson("x", "X", "")).rule == "AC-1 person"
    for actor, command in enlist(ADMINISTRATOR, T0):
        desk.must(actor, command)
    desk.must(ADMINISTRATOR, c.RegisterPerson("x", "X", ""))
    assert desk.refused(SPONSOR, c.GrantRole("x", "statistician", "", T0, None, T0 + YEAR)).rule == (
        "AC-1 role"
    )


def test_an_id_is_never_used_again(balli: StudyFolder) -> None:
    desk = staffed(balli)
    desk.must(ADMINISTRATOR, c.DeactivatePerson(COORDINATOR.id, "left the site"))
    taken = desk.refused(ADMINISTRATOR, c.RegisterPerson(COORDINATOR.id, "Another", "Test"))
    assert taken.rule == "SG-6"
    assert desk.refused(ADMINISTRATOR, grant(COORDINATOR, T0)).rule == "SG-6"
    assert desk.refused(COORDINATOR, core.EnrolPatient("001", "01", "2020-01-06")).rule == "AC-1 person"
    assert desk.state.people.persons[COORDINATOR.id].name == COORDINATOR.name
    assert desk.refused(ADMINISTRATOR, c.RegisterPerson("system", "System", "")).rule == "SG-6"


def test_a_delegation_counts_from_its_first_moment_to_before_its_last(balli: StudyFolder) -> None:
    desk = known(opened(balli))
    start, until = desk.now + timedelta(days=1), desk.now + timedelta(days=2)
    desk.must(ADMINISTRATOR, grant(NEW, start, until=until))
    ask = [RequestSlot("01", f"C-{i}") for i in (1, 2, 3)]
    desk.now = start - timedelta(microseconds=1)
    assert desk.refused(NEW, ask[0]).rule == "AC-4 delegation"
    desk.now = start
    desk.must(NEW, ask[0])
    desk.now = until - timedelta(microseconds=1)
    desk.must(NEW, ask[1])
    desk.now = until
    assert desk.refused(NEW, ask[2]).rule == "AC-4 delegation"


def test_expired_training_suspends_until_it_is_renewed(balli: StudyFolder) -> None:
    desk = known(opened(balli))
    desk.must(ADMINISTRATOR, grant(NEW, desk.now, trained=desk.now + timedelta(days=30)))
    ask = RequestSlot("01", "C-1")
    desk.now += timedelta(days=30)
    refused = desk.refused(NEW, ask)
    assert refused.rule == "AC-4 training"
    assert "05 Feb 2020" in refused.reason
    desk.must(ADMINISTRATOR, grant(NEW, desk.now))
    desk.must(NEW, ask)


@pytest.mark.parametrize(
    ("command", "rule"),
    [
        (c.GrantRole("n", "coordinator", "01", T0, None, None), "AC-4 training"),
        (c.GrantRole("n", "coordinator", "01", T0, T0, T0 + YEAR), "AC-4 delegation"),
        (c.GrantRole("n", "coordinator", "01", T0.replace(tzinfo=None), None, T0 + YEAR), "AC-4 delegation"),
        (c.GrantRole("n", "coordinator", "", T0, None, T0 + YEAR), "AC-1 site"),
        (c.GrantRole("n", "coordinator", "99", T0, None, T0 + YEAR), "AC-1 site"),
        (c.GrantRole("n", "statistician", "01", T0, None, T0 + YEAR), "AC-1 site"),
        (c.GrantRole("n", "queen", "", T0, None, T0 + YEAR), "AC-1 role"),
        (c.GrantRole("n", "administrator", "", T0, None, T0 + YEAR), "AC-1 role"),
        (c.GrantRole("x", "statistician", "", T0, None, T0 + YEAR), "AC-1 person"),
        (c.RevokeRole("n", "coordinator", "01", "left"), "AC-1 role"),
        (c.RevokeRole("n", "coordinator", "01", " "), "reason"),
        (c.DeactivatePerson("n", ""), "reason"),
        (c.DeactivatePerson("a", "enough"), "AC-3 own-rights"),
        (c.VerifyIdentity("n", "looks honest"), "SG-7"),
        (c.VerifyIdentity("a", IDENTITY), "AC-3 identity"),
        (c.RegisterSite("01", "again", "USA", "America/New_York"), "AC-1 site"),
        (c.RegisterSite("03", "nowhere", "USA", "Mars/Olympus"), "AT-2 zone"),
        (c.RecordSecurityEvent("party", "n"), "AT-8"),
        (c.RecordSecurityEvent("login", "x"), "AT-8"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_wrong_request_is_refused_with_its_rule(balli: StudyFolder, command: Command, rule: str) -> None:
    desk = known(staffed(balli))
    before = desk.state
    assert desk.refused(ADMINISTRATOR, command).rule == rule
    assert desk.state == before


def test_a_version_is_approved_once_per_site_and_only_this_one(balli: StudyFolder) -> None:
    desk = staffed(balli)
    assert desk.refused(SPONSOR, c.ApproveVersion("01", balli.hash)).rule == "DC-11"
    assert desk.refused(SPONSOR, c.ApproveVersion("01", "0" * 64)).rule == "DC-11"
    assert desk.refused(SPONSOR, c.ApproveVersion("09", balli.hash)).rule == "AC-1 site"


def test_the_administrator_holds_no_data_role_either_way_round(balli: StudyFolder) -> None:
    desk = staffed(balli)
    own = c.GrantRole(ADMINISTRATOR.id, "statistician", "", T0, None, T0 + YEAR)
    assert desk.refused(ADMINISTRATOR, own).rule == "AC-3 own-rights"
    second = Actor("a2", "Second administrator", "administrator")
    for actor, command in enlist(second, desk.now):
        desk.must(actor, command)
    refused = desk.refused(second, own)
    assert refused.rule == "AC-3 administrator-no-data"
    back = c.GrantRole(CHAIR.id, "administrator", "", T0, None, T0 + YEAR)
    assert desk.refused(SPONSOR, back).rule == "AC-3 administrator-no-data"
    desk.must(ADMINISTRATOR, c.RevokeRole(CHAIR.id, "committee_member", "", "left the committee"))
    desk.must(SPONSOR, back)


def test_segregation_is_data_of_the_study(balli: StudyFolder) -> None:
    free = replace(
        balli,
        conduct=balli.conduct.model_copy(
            update={"access": AccessRules(exclusive_roles=(), separate_acts=())}
        ),
    )
    desk = staffed(free)
    desk.must(SPONSOR, c.GrantRole(CHAIR.id, "administrator", "", T0, None, T0 + YEAR))
    signed = core.Signed(core.CloseStudy("x"), MONITOR, T0)
    assert refuse_same_person(free.conduct.access, "slot", MONITOR.id, signed) is None


def test_two_acts_of_two_persons(balli: StudyFolder) -> None:
    access = balli.conduct.access
    signed = core.Signed(core.CloseStudy("x"), MONITOR, T0)
    same = refuse_same_person(access, "slot", MONITOR.id, signed)
    assert same is not None
    assert same.rule == "AC-3 slot"
    assert refuse_same_person(access, "slot", CHAIR.id, signed) is None
    sole = refuse_sole_person(access, "dlt-chair", frozenset({"m"}), frozenset({"m"}))
    assert sole is not None
    assert sole.rule == "AC-3 dlt-chair"
    assert refuse_sole_person(access, "dlt-chair", frozenset({"m"}), frozenset({"m", "c"})) is None
    assert refuse_sole_person(access, "dlt-chair", frozenset({"m"}), frozenset()) is None


def test_who_had_which_rights_when(balli: StudyFolder) -> None:
    desk = known(opened(balli))
    desk.must(ADMINISTRATOR, grant(NEW, T0, trained=T0 + timedelta(days=100)))
    desk.must(ADMINISTRATOR, c.RevokeRole("n", "coordinator", "01", "long leave"), days=10)
    desk.must(ADMINISTRATOR, grant(NEW, desk.now), days=10)
    desk.must(ADMINISTRATOR, c.DeactivatePerson("n", "left"), days=10)

    def held(day: float) -> list[str]:
        return [right.ends for right in rights_on(desk.state, "n", T0 + timedelta(days=day))]

    assert [held(day) for day in (-1, 0, 9.9, 10, 15, 20, 29.9, 30)] == [
        [],
        ["long leave"],
        ["long leave"],
        [],
        [],
        ["left"],
        ["left"],
        [],
    ]
    month = rights_during(desk.state, T0, T0 + timedelta(days=29))
    assert [right.since for right in month if right.person == "n"] == [T0, T0 + timedelta(days=20)]
    assert rights_on(desk.state, "nobody", T0) == ()
    assert {right.role for right in rights_on(desk.state, INVESTIGATOR.id, T0)} == {"investigator"}


def test_rights_go_on_after_the_study_is_closed_and_data_do_not(balli: StudyFolder) -> None:
    desk = known(opened(balli))
    desk.must(SPONSOR, core.CloseStudy("over"))
    inspector = Actor("n", NEW.name, "inspector")
    desk.must(ADMINISTRATOR, grant(inspector, desk.now))
    assert desk.refused(COORDINATOR, core.EnrolPatient("001", "01", "2020-01-06")).rule == "study-open"
    assert desk.refused(SPONSOR, c.ApproveVersion("01", balli.hash)).rule == "study-open"


def test_limits_a_study_may_tighten_and_not_loosen() -> None:
    assert (Session().idle_minutes, Password().min_length, Password().min_length_alone) == (15, 12, 15)
    for wrong in ({"idle_minutes": 31}, {"absolute_hours": 25}):
        with pytest.raises(ValueError, match="less than or equal"):
            Session(**wrong)
    with pytest.raises(ValueError, match="greater than or equal"):
        Password(min_length=11)
    with pytest.raises(ValueError, match="less than or equal"):
        Lockout(failures=11)
    twice = AccessRules().separate_acts[0]
    with pytest.raises(ValueError, match="stands twice"):
        AccessRules(separate_acts=(twice, twice))


def test_a_slot_is_touched_by_its_own_site_only(balli: StudyFolder) -> None:
    desk = opened(balli)
    acknowledge(desk)
    desk.must(COORDINATOR, RequestSlot("01", "C-1"))
    release = ReleaseSlot(1, "handed back")
    refused = guard(desk.state, Signed(release, COORDINATOR_2, desk.now, "session"), balli)
    assert refused == Refused("site", "slot 1 belongs to site 01; Coordinator, site 02 acts for site 02")
    assert guard(desk.state, Signed(release, COORDINATOR, desk.now, "session"), balli) is None


def test_a_new_grant_takes_the_place_of_the_one_before(balli: StudyFolder) -> None:
    desk = known(opened(balli))
    desk.must(ADMINISTRATOR, grant(NEW, desk.now, trained=desk.now + 10 * YEAR))
    desk.must(ADMINISTRATOR, grant(NEW, desk.now, trained=desk.now + timedelta(days=5)))
    desk.must(ADMINISTRATOR, grant(NEW, desk.now, trained=desk.now + timedelta(days=9)), days=1)
    assert sum(one.known(desk.now) for one in desk.state.people.persons["n"].grants) == 1
    desk.now += timedelta(days=7)
    desk.must(NEW, RequestSlot("01", "C-1"))
    desk.now += timedelta(days=2)
    assert desk.refused(NEW, RequestSlot("01", "C-2")).rule == "AC-4 training"
