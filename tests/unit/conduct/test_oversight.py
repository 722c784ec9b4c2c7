"""Oversight: reviews of the trail and of access, rights in an emergency, notices; every event survives writing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from escalon.conduct.act import Actor, Event, Refused, Signed
from escalon.conduct.commands import RecordForm
from escalon.conduct.decide import decide
from escalon.conduct.encoding import decode, encode
from escalon.conduct.oversight import commands as c
from escalon.conduct.oversight import events as ev
from escalon.conduct.oversight.access_review import access_hash, standing_rights
from escalon.conduct.oversight.audit_review import reviewed_up_to
from escalon.conduct.oversight.due import reviews_due
from escalon.conduct.oversight.notices import waiting
from escalon.conduct.oversight.select import pin, selects
from escalon.conduct.oversight.topic import ALLOWED, TOPIC
from escalon.conduct.oversight.trail import Line, Row, Trail, is_late, occurred_items
from escalon.conduct.people.commands import RecordSecurityEvent
from escalon.conduct.people.events import RoleGranted, RoleRevoked, SignatureGiven
from escalon.conduct.people.rights import rights_on
from escalon.conduct.people.security import SYSTEM
from escalon.protocol import StudyFolder
from escalon.protocol.conduct.oversight import AuditReviewDefinition, AuditSelection, OversightRules
from escalon.protocol.conduct.people import ExclusiveRoles
from tests.act import (
    ADMINISTRATOR,
    COORDINATOR,
    COORDINATOR_2,
    CRA,
    DATA_MANAGER,
    INVESTIGATOR,
    MONITOR,
    PHYSICIAN,
    SAFETY_OFFICER,
    SPONSOR,
    STAFF,
    STATISTICIAN,
    Desk,
    adverse_event,
    enrol,
    opened,
    staffed,
)

MOMENT = datetime(2021, 5, 4, 10, 30, tzinfo=UTC)
HASH = "c" * 64
EVENTS: list[Event] = [
    ev.AuditReviewed(1, "late-entries", {"flags": ["late_entry"]}, 1, 9, 2, HASH, "none", "sound", 4),
    ev.AccessReviewed(1, HASH, 12, (c.RightNamed("co", "coordinator", "01"),), "one left", 5),
    ev.BreakGlassOpened(1, "i", "coordinator", "01", "nobody there", MOMENT, MOMENT + timedelta(days=7)),
    ev.BreakGlassReviewed(1, "used rightly", 6),
    ev.NoticeRaised(1, "Account locked", "account co", ("security@example.org", "s")),
    ev.NoticeSent(1, "mail"),
]
SOFTWARE = Actor(SYSTEM, "Escalon", SYSTEM)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_survives_writing_and_reading(event: Event) -> None:
    assert decode(*encode(event)) == event


def test_every_event_of_oversight_is_exercised() -> None:
    assert {type(event) for event in EVENTS} == set(TOPIC.apply)


def rows(desk: Desk, cuts: tuple[datetime, ...] = ()) -> list[Row]:
    trail = Trail(desk.folder.conduct.oversight, occurred_items(desk.folder), cuts)
    lines = (Line(one.seq, one.at, one.actor_id, one.actor_role, one.event) for one in desk.facts)
    return [row for line in lines for row in trail.rows(line)]


def with_change(folder: StudyFolder) -> Desk:
    """Patient 001 of site 01 with an adverse event whose grade was corrected."""
    desk = opened(folder)
    enrol(desk, "001")
    first = adverse_event(desk)
    desk.must(COORDINATOR, RecordForm("001", "AE", "AE-1", first))
    changed = {**first, "AETOXGR": 3}
    desk.must(COORDINATOR, RecordForm("001", "AE", "AE-1", changed, None, "read again"), days=1)
    return desk


# The trail


def test_a_change_is_one_row_with_old_and_new_value_and_reason(balli: StudyFolder) -> None:
    found = [row for row in rows(with_change(balli)) if row.record == "AE-1" and row.version == 2]
    (row,) = [row for row in found if row.kind == "FormRecorded"]
    assert (row.item, row.old.value, row.new.value) == ("AETOXGR", 4, 3)
    assert (row.patient, row.site, row.form, row.reason) == ("001", "01", "AE", "read again")


def test_first_values_are_rows_and_what_was_left_open_is_none(balli: StudyFolder) -> None:
    desk = with_change(balli)
    first = {row.item: row for row in rows(desk) if row.record == "AE-1" and row.version == 1 and row.item}
    assert first["AETOXGR"].old.kind == "absent"
    assert set(first) == set(adverse_event(desk))


@pytest.mark.parametrize(
    ("selection", "count"),
    [
        ({"patients": ("001",), "items": ("AETOXGR",)}, 2),
        ({"items": ("AETOXGR",), "persons": ("co",)}, 2),
        ({"items": ("AETOXGR",), "persons": ("co2",)}, 0),
        ({"items": ("AETOXGR",), "sites": ("02",)}, 0),
        ({"items": ("AETOXGR",), "sites": ("01", "02")}, 2),
        ({"text": "READ AGAIN"}, 1),
        ({"forms": ("AE",), "roles": ("investigator",)}, 0),
        ({"kinds": ("PatientEnrolled",)}, 1),
        ({"patients": ("001",), "items": ("AETOXGR",), "flags": ("near_cut",)}, 0),
        ({"origins": ("ui",)}, 0),
    ],
)
def test_a_selection_takes_the_rows_that_fit_every_field(
    balli: StudyFolder, selection: dict[str, object], count: int
) -> None:
    wish = AuditSelection.model_validate(selection)
    assert sum(selects(wish, row) for row in rows(with_change(balli))) == count


def test_what_is_said_of_a_query_is_said_of_its_patient(balli: StudyFolder) -> None:
    from escalon.conduct.capture.commands import AnswerQuery, OpenQuery

    desk = with_change(balli)
    desk.must(CRA, OpenQuery("001", "AE-1", "AETOXGR", "source?"))
    desk.must(COORDINATOR, AnswerQuery("001", len(desk.state.capture.queries), "chart"))
    answered = next(row for row in rows(desk) if row.kind == "QueryAnswered")
    assert (answered.patient, answered.site) == ("001", "01")


def test_a_patient_keeps_every_adjudication(balli: StudyFolder) -> None:
    from escalon.conduct.commands import AdjudicateDlt
    from escalon.conduct.events import DltStatus
    from tests.act import infuse, lymphodeplete

    desk = opened(balli)
    enrol(desk, "001")
    lymphodeplete(desk, "001")
    desk.now += timedelta(days=5)
    infuse(desk, "001")
    for days, status in ((30, DltStatus.NO_DLT), (1, DltStatus.NOT_EVALUABLE)):
        judged = desk.send(MONITOR, AdjudicateDlt("001", status, "as seen"), days=days)
        assert not isinstance(judged, Refused), judged
    patient = desk.state.patients["001"]
    assert [one.status for one in patient.adjudications] == [DltStatus.NO_DLT, DltStatus.NOT_EVALUABLE]
    assert patient.adjudications[-1].at == patient.dlt_adjudicated_at
    (again,) = [row for row in rows(desk) if row.kind == "DltAdjudicated" and row.flags]
    assert again.flags == ("after_adjudication",)


# Reviews of the trail


def review(desk: Desk, first: int = 1, last: int | None = None, **changes: object) -> c.RecordAuditReview:
    count, pinned = pin(row for row in rows(desk) if "late_entry" in row.flags)
    said = c.RecordAuditReview("late-entries", first, last or desk.state.seq, count, pinned, "", "sound")
    return replace(said, **changes)  # type: ignore[arg-type]


def test_a_review_is_signed_kept_and_goes_on_without_a_gap(balli: StudyFolder) -> None:
    desk = staffed(balli)
    signature, done = desk.must(DATA_MANAGER, review(desk))
    assert isinstance(signature, SignatureGiven)
    assert isinstance(done, ev.AuditReviewed)
    assert signature.meaning == "reviewed"
    assert done.signature == signature.signature
    assert done.selection == {"flags": ["late_entry"]}
    last = done.to_seq
    assert reviewed_up_to(desk.state, "late-entries") == last
    assert desk.refused(DATA_MANAGER, review(desk, last + 2)).rule == "AT-9 range"
    assert desk.refused(DATA_MANAGER, review(desk, 1, last)).rule == "AT-9 range"
    assert desk.refused(DATA_MANAGER, review(desk, last + 1, desk.state.seq + 1)).rule == "AT-9 range"
    desk.must(DATA_MANAGER, review(desk, last + 1))
    assert [one.number for one in desk.state.oversight.audit_reviews] == [1, 2]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"definition": "everything"}, "AT-9"),
        ({"definition": "rights"}, "AT-9 role"),
        ({"conclusion": "  "}, "AT-9 conclusion"),
        ({"trail_hash": "abc"}, "SG-3"),
        ({"from_seq": 0}, "AT-9 range"),
    ],
)
def test_what_a_review_lacks_is_named(balli: StudyFolder, changes: dict[str, object], rule: str) -> None:
    desk = staffed(balli)
    assert desk.refused(DATA_MANAGER, review(desk, **changes)).rule == rule


def test_every_signed_act_of_oversight_needs_more_than_a_session(balli: StudyFolder) -> None:
    desk = staffed(balli)
    table = c.ReviewAccess(access_hash(desk.state), (), "as it should be")
    acts = ((DATA_MANAGER, review(desk)), (ADMINISTRATOR, table), (INVESTIGATOR, emergency()))
    for actor, command in acts:
        outcome = decide(desk.state, Signed(command, actor, desk.now, "session"), balli)
        assert isinstance(outcome, Refused)
        assert outcome.rule in ("SG-5", "AC-9")


# Review of access


def test_the_table_of_rights_is_signed_as_it_is_and_rights_are_taken_away(balli: StudyFolder) -> None:
    desk = staffed(balli)
    table = access_hash(desk.state)
    gone = c.RightNamed(COORDINATOR.id, "coordinator", "01")
    done = desk.must(ADMINISTRATOR, c.ReviewAccess(table, (gone,), "one has left"))
    assert [type(event) for event in done] == [SignatureGiven, ev.AccessReviewed, RoleRevoked]
    assert not rights_on(desk.state, COORDINATOR.id, desk.now)
    assert isinstance(done[1], ev.AccessReviewed)
    assert done[1].rights == len(STAFF) + 2
    again = desk.refused(ADMINISTRATOR, c.ReviewAccess(table, (), "as before"))
    assert again.rule == "SG-3"
    desk.must(SPONSOR, c.ReviewAccess(access_hash(desk.state), (), "all right"))


def test_the_table_changes_with_every_right(balli: StudyFolder) -> None:
    from escalon.conduct.people.commands import GrantRole

    desk = staffed(balli)
    before = access_hash(desk.state)
    later = desk.now + timedelta(days=10)
    desk.must(
        ADMINISTRATOR,
        GrantRole(STATISTICIAN.id, "pharmacologist", "", later, None, later + timedelta(days=9)),
    )
    assert access_hash(desk.state) != before
    assert any(right.since == later for right in standing_rights(desk.state))


@pytest.mark.parametrize(
    "revoke",
    [
        (c.RightNamed("co", "investigator", "01"),),
        (c.RightNamed("co", "coordinator", "02"),),
        (c.RightNamed("co", "coordinator", "01"),) * 2,
        (c.RightNamed("a", "administrator", ""),),
        (c.RightNamed("s", "sponsor", ""), c.RightNamed("sp", "sponsor", "")),
    ],
)
def test_a_right_that_is_not_there_or_is_the_last_is_not_taken_away(
    balli: StudyFolder, revoke: tuple[c.RightNamed, ...]
) -> None:
    desk = staffed(balli)
    refused = desk.refused(ADMINISTRATOR, c.ReviewAccess(access_hash(desk.state), revoke, "gone"))
    assert refused.rule == "AC-5 right"
    assert (
        desk.refused(ADMINISTRATOR, c.ReviewAccess(access_hash(desk.state), (), "")).rule == "AC-5 conclusion"
    )


# Emergencies


def emergency(**changes: object) -> c.BreakGlass:
    said = c.BreakGlass("coordinator", "01", "the coordinator is unreachable", 4)
    return replace(said, **changes)  # type: ignore[arg-type]


def test_an_emergency_right_holds_for_its_hours_is_told_twice_and_reviewed_by_another(
    balli: StudyFolder,
) -> None:
    desk = opened(with_contacts(balli))
    enrol(desk, "001")
    done = desk.must(INVESTIGATOR, emergency())
    assert [type(event) for event in done] == [
        ev.BreakGlassOpened,
        RoleGranted,
        ev.NoticeRaised,
        ev.NoticeRaised,
    ]
    told = [event.to for event in done if isinstance(event, ev.NoticeRaised)]
    assert told == [("security@example.org",), ("a", "s", "sp")]
    acting = Actor(INVESTIGATOR.id, INVESTIGATOR.name, "coordinator", "01")
    entry = RecordForm("001", "AE", "AE-1", adverse_event(desk))
    desk.must(acting, entry)
    early = desk.refused(ADMINISTRATOR, c.ReviewBreakGlass(1, "fine"))
    assert early.rule == "AC-12"
    desk.now += timedelta(hours=4)
    assert desk.refused(acting, entry).rule in ("AC-4 delegation", "AC-4 training")
    assert desk.refused(ADMINISTRATOR, c.ReviewBreakGlass(1, " ")).rule == "AC-12 conclusion"
    desk.must(ADMINISTRATOR, c.ReviewBreakGlass(1, "one entry, justified"))
    assert desk.state.oversight.emergencies[0].reviewed_by == "a"
    assert desk.refused(SPONSOR, c.ReviewBreakGlass(1, "again")).rule == "AC-12"


def with_contacts(folder: StudyFolder) -> StudyFolder:
    rules = OversightRules(security_contacts=("security@example.org",))
    return replace(folder, conduct=folder.conduct.model_copy(update={"oversight": rules}))


@pytest.mark.parametrize(
    ("actor", "changes", "rule"),
    [
        (INVESTIGATOR, {"reason": ""}, "AC-12 reason"),
        (INVESTIGATOR, {"hours": 24.5}, "AC-12 hours"),
        (INVESTIGATOR, {"hours": 0}, "AC-12 hours"),
        (INVESTIGATOR, {"role": "sponsor"}, "AC-12"),
        (INVESTIGATOR, {"role": "investigator"}, "AC-12"),
        (INVESTIGATOR, {"site": "02"}, "site"),
        (COORDINATOR_2, {}, "site"),
        (INVESTIGATOR, {"role": "medical_monitor", "site": ""}, "DC-4"),
        (MONITOR, {}, "DC-4"),
        (SAFETY_OFFICER, {"role": "coordinator", "site": ""}, "DC-4"),
        (STATISTICIAN, {}, "role"),
        (ADMINISTRATOR, {}, "role"),
    ],
)
def test_what_an_emergency_does_not_give(
    balli: StudyFolder, actor: Actor, changes: dict[str, object], rule: str
) -> None:
    assert staffed(balli).refused(actor, emergency(**changes)).rule == rule


def test_who_took_it_does_not_review_it(balli: StudyFolder) -> None:
    from escalon.conduct.people.commands import GrantRole

    desk = staffed(balli)
    until = desk.now + timedelta(days=900)
    desk.must(SPONSOR, GrantRole(MONITOR.id, "sponsor", "", desk.now, None, until))
    desk.must(MONITOR, emergency(role="safety_officer", site=""))
    desk.now += timedelta(hours=5)
    both = Actor(MONITOR.id, MONITOR.name, "sponsor")
    assert desk.refused(both, c.ReviewBreakGlass(1, "mine")).rule == "AC-3 emergency"
    desk.must(PHYSICIAN, c.ReviewBreakGlass(1, "seen"))


# Notices


def fail(desk: Desk, person: str = "co", times: int = 1) -> list[ev.NoticeRaised]:
    events: list[Event] = []
    for _ in range(times):
        events += said(desk, "login_failed", person)
    return [event for event in events if isinstance(event, ev.NoticeRaised)]


def said(desk: Desk, kind: str, person: str) -> tuple[Event, ...]:
    signed = Signed(RecordSecurityEvent(kind, person, ""), SOFTWARE, desk.now, "none")
    return desk.must(SOFTWARE, signed.command)


def test_failures_in_a_row_are_told_and_a_login_counts_anew(balli: StudyFolder) -> None:
    desk = staffed(with_contacts(balli))
    assert fail(desk, times=2) == []
    (notice,) = fail(desk)
    assert notice.to == ("security@example.org",)
    assert "3 failed logins" in notice.subject
    assert fail(desk, times=2) == []
    said(desk, "login", "co")
    assert fail(desk, times=2) == []
    assert len(fail(desk, person="", times=6)) == 2


def test_a_lockout_is_told_once_and_a_notice_leaves_once(balli: StudyFolder) -> None:
    desk = staffed(with_contacts(balli))
    raised = [event for event in said(desk, "lockout", "co") if isinstance(event, ev.NoticeRaised)]
    assert len(raised) == 1
    assert "co" in raised[0].text
    assert [notice.number for notice in waiting(desk.state)] == [1]
    desk.must(SOFTWARE, c.RecordNoticeSent(1, "mail"))
    assert waiting(desk.state) == ()
    assert desk.refused(SOFTWARE, c.RecordNoticeSent(1, "mail")).rule == "AC-7"
    assert desk.refused(SOFTWARE, c.RecordNoticeSent(2, "mail")).rule == "AC-7"


def test_logins_and_views_are_not_told(balli: StudyFolder) -> None:
    desk = staffed(balli)
    for kind in ("login", "logout", "viewed", "exported", "password_set"):
        assert len(said(desk, kind, "co")) == 1


# What is due


def test_reviews_are_due_from_the_opening_and_then_from_the_last_one(balli: StudyFolder) -> None:
    desk = staffed(balli)
    begin = desk.state.opened_at
    assert begin is not None
    due = {one.name: one for one in reviews_due(desk.state, balli)}
    assert set(due) == {"critical-changes", "late-entries", "rights", "access"}
    assert due["late-entries"].due == begin + timedelta(days=30)
    assert due["access"].due == begin + timedelta(days=90)
    assert not due["late-entries"].overdue(begin + timedelta(days=30))
    assert due["late-entries"].overdue(begin + timedelta(days=30, seconds=1))
    desk.must(DATA_MANAGER, review(desk), days=40)
    desk.must(INVESTIGATOR, emergency())
    due = {one.name: one for one in reviews_due(desk.state, balli)}
    assert due["late-entries"].due == desk.now + timedelta(days=30)
    assert due["emergency-1"].due == desk.now + timedelta(days=7)
    assert [one.due for one in reviews_due(desk.state, balli)] == sorted(one.due for one in due.values())


def test_roles_of_oversight_are_those_of_the_table() -> None:
    assert ALLOWED[c.ReviewAccess] == ("administrator", "sponsor")
    assert set(ALLOWED[c.RecordNoticeSent]) == {"administrator", SYSTEM}
    roles = {role for one in OversightRules().audit_reviews for role in one.roles}
    assert roles == set(ALLOWED[c.RecordAuditReview])


def test_an_id_of_a_review_stands_once() -> None:
    one = AuditReviewDefinition(id="a", title="A", select=AuditSelection())
    with pytest.raises(ValueError, match="stands twice"):
        OversightRules(audit_reviews=(one, one))


@pytest.mark.parametrize(
    ("happened", "entered", "late"),
    [
        ("2024-01-01", datetime(2024, 1, 11, 23, 59, tzinfo=UTC), False),
        ("2024-01-01", datetime(2024, 1, 12, tzinfo=UTC), True),
        ("2024-01-01T06:00:00+00:00", datetime(2024, 1, 11, 6, tzinfo=UTC), False),
        ("2024-01-01T06:00:00+00:00", datetime(2024, 1, 11, 6, 0, 1, tzinfo=UTC), True),
        ("2024-01-01T06:00:00+02:00", datetime(2024, 1, 11, 4, 0, 1, tzinfo=UTC), True),
        ("2024-01-01T06:00:00", datetime(2024, 3, 1, tzinfo=UTC), False),
        ("2024-01", datetime(2025, 1, 1, tzinfo=UTC), False),
        (None, datetime(2025, 1, 1, tzinfo=UTC), False),
    ],
)
def test_exactly_the_days_allowed_are_not_late(happened: str | None, entered: datetime, late: bool) -> None:
    assert is_late(happened, entered, timedelta(days=10)) is late


def test_roles_that_exclude_each_other_do_so_in_an_emergency(balli: StudyFolder) -> None:
    pair = ExclusiveRoles(id="two", role="coordinator", not_with=("investigator",), reason="two persons")
    access = balli.conduct.access.model_copy(update={"exclusive_roles": (pair,)})
    folder = replace(balli, conduct=balli.conduct.model_copy(update={"access": access}))
    assert staffed(folder).refused(INVESTIGATOR, emergency()).rule == "AC-3 two"
