"""Signatures: components, meanings, binding to what was shown, void after a change; every event survives writing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from escalon.conduct.act import Actor, Command, Event, Refused, Signed
from escalon.conduct.commands import AdjudicateDlt, RecordForm
from escalon.conduct.decide import decide
from escalon.conduct.encoding import decode, encode
from escalon.conduct.events import DltStatus
from escalon.conduct.fold import apply
from escalon.conduct.people import events as ev
from escalon.conduct.people.commands import GiveSignature, RecordSecurityEvent
from escalon.conduct.people.manifestation import EQUALITY, letter, manifestation
from escalon.conduct.people.signatures import (
    casebook_content,
    casebook_ref,
    content_hash,
    form_content,
    form_ref,
    to_sign_again,
    valid_signatures,
)
from escalon.conduct.people.state import Signature
from escalon.conduct.people.topic import TOPIC
from escalon.conduct.state import Fact
from escalon.protocol import StudyFolder
from tests.act import (
    ADMINISTRATOR,
    CHAIR,
    COORDINATOR,
    INSPECTOR,
    INVESTIGATOR,
    INVESTIGATOR_2,
    MONITOR,
    Desk,
    adverse_event,
    enlist,
    enrol,
    exposure,
    lymphodeplete,
    opened,
)

MOMENT = datetime(2021, 5, 4, 10, 30, tzinfo=UTC)
EVENTS: list[Event] = [
    ev.SiteRegistered("01", "Hôpital", "FRA", "Europe/Paris"),
    ev.VersionApproved("01", "a" * 64),
    ev.PersonRegistered("p1", "Zoë O'Neil", "Site 01"),
    ev.IdentityVerified("p1", "identity document, in person"),
    ev.RoleGranted("p1", "investigator", "01", MOMENT, MOMENT + timedelta(days=365), None),
    ev.RoleRevoked("p1", "investigator", "01", "left"),
    ev.PersonDeactivated("p1", "left"),
    ev.SecurityEventRecorded("login", "p1", ""),
    ev.SignatureGiven(1, "casebook:001", "p1", "Zoë", "investigator", "responsibility", "b" * 64, "password"),
    ev.SignatureInvalidated(1, "AE-1 was changed to version 2"),
    ev.ObjectDisplayed("form:001:AE-1", "p1", "b" * 64),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_survives_writing_and_reading(event: Event) -> None:
    kind, payload = encode(event)
    assert decode(kind, payload) == event


def test_every_event_of_people_is_exercised() -> None:
    assert {type(event) for event in EVENTS} == set(TOPIC.apply)


def test_equal_content_has_equal_hash_whatever_its_order_or_zone() -> None:
    paris = MOMENT.astimezone().replace(microsecond=0)
    assert content_hash({"b": (1, MOMENT), "a": None}) == content_hash({"a": None, "b": [1, paris]})
    assert content_hash({"a": ""}) != content_hash({"a": None})
    assert content_hash({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def given(desk: Desk) -> list[Signature]:
    """The signatures of this test: those of the opening of the trial left out."""
    return [one for one in desk.state.people.signatures if not one.object_ref.startswith("review:")]


def casebook_sign(desk: Desk, patient: str = "001") -> GiveSignature:
    return GiveSignature(
        casebook_ref(patient), "responsibility", content_hash(casebook_content(desk.state, patient))
    )


def form_sign(desk: Desk, record: str, meaning: str = "authored") -> GiveSignature:
    return GiveSignature(
        form_ref("001", record), meaning, content_hash(form_content(desk.state, "001", record))
    )


def outcome(
    desk: Desk, actor: Actor, command: Command, how: str, minutes: float = 0
) -> str | tuple[Event, ...]:
    """Send with this authentication; the rule of a refusal, or the events."""
    desk.now += timedelta(minutes=minutes)
    decided = decide(desk.state, Signed(command, actor, desk.now, how), desk.folder)
    if isinstance(decided, Refused):
        return decided.rule
    for event in decided:
        desk.state = apply(desk.state, Fact(desk.state.seq + 1, desk.now, actor.id, actor.role, event))
    return decided


@pytest.fixture
def desk(balli: StudyFolder) -> Desk:
    """Patient 001 with two recorded forms of its own."""
    desk = opened(balli)
    enrol(desk, "001")
    lymphodeplete(desk, "001")
    desk.must(COORDINATOR, RecordForm("001", "AE", "AE-1", adverse_event(desk)))
    return desk


def sign_many(desk: Desk, meaning_of: list[tuple[str, float]]) -> list[str]:
    """Sign a new object each time, authenticated so, after so many minutes; the rules, '' where it was signed."""
    found = []
    for number, (how, minutes) in enumerate(meaning_of):
        command = GiveSignature(f"page:{number}", "reviewed", content_hash(number))
        answer = outcome(desk, INVESTIGATOR, command, how, minutes)
        found.append(answer if isinstance(answer, str) else "")
    return found


def test_two_components_first_then_one_and_both_again_after_a_break(desk: Desk) -> None:
    steps = [
        ("session", 0.0, "SG-5"),
        ("password", 0.0, "SG-5"),
        ("id+password", 0.0, ""),
        ("password", 15.0, ""),  # the idle limit is inclusive
        ("otp", 1.0, ""),
        ("session", 1.0, "SG-5"),
        ("password", 15.0, "SG-5"),  # 16 minutes after the last signature: a break
        ("password+otp", 0.0, ""),
        ("password", 1.0, ""),
    ]
    assert sign_many(desk, [(how, minutes) for how, minutes, _ in steps]) == [rule for _, _, rule in steps]


def test_a_period_has_an_absolute_end(desk: Desk) -> None:
    hours = desk.folder.conduct.access.session.absolute_hours
    quarters = int(hours * 4)
    steps = [("id+password", 0.0)] + [("password", 15.0)] * (quarters + 1)
    assert sign_many(desk, steps) == [""] * (quarters + 1) + ["SG-5"]


@pytest.mark.parametrize("kind", ["logout", "login", "session_timeout", "lockout", "password_reset"])
def test_what_ends_the_session_ends_the_period(desk: Desk, kind: str) -> None:
    assert sign_many(desk, [("id+password", 0)]) == [""]
    system = Actor("system", "Escalon", "system")
    assert not isinstance(outcome(desk, system, RecordSecurityEvent(kind, INVESTIGATOR.id), "none"), str)
    again = GiveSignature("page:x", "reviewed", "a" * 64)
    assert outcome(desk, INVESTIGATOR, again, "password") == "SG-5"
    assert not isinstance(outcome(desk, INVESTIGATOR, again, "id+password"), str)


def test_a_study_may_ask_for_the_second_factor(desk: Desk) -> None:
    access = desk.folder.conduct.access.model_copy(update={"sign_with_second_factor": True})
    desk.folder = replace(desk.folder, conduct=desk.folder.conduct.model_copy(update={"access": access}))
    steps = [("id+password", 0.0), ("password+otp", 0.0), ("password", 1.0)]
    assert sign_many(desk, steps) == ["SG-12", "", ""]


def test_nobody_signs_whose_identity_was_not_checked(desk: Desk) -> None:
    newcomer = Actor("n", "Newcomer", "data_manager")
    register, _, grant = enlist(newcomer, desk.now)
    for actor, command in (register, grant):
        desk.must(actor, command)
    page = GiveSignature("page:1", "reviewed", "a" * 64)
    assert outcome(desk, newcomer, page, "password+otp") == "SG-7"


@pytest.mark.parametrize(
    ("actor", "command", "rule"),
    [
        (INVESTIGATOR, GiveSignature("page:1", "likes it", "a" * 64), "SG-2"),
        (COORDINATOR, GiveSignature("page:1", "responsibility", "a" * 64), "SG-2 role"),
        (INVESTIGATOR, GiveSignature("page", "reviewed", "a" * 64), "SG-3"),
        (INVESTIGATOR, GiveSignature("page:1", "reviewed", "A" * 64), "SG-3"),
        (INVESTIGATOR, GiveSignature("casebook:009", "reviewed", "a" * 64), "SG-3"),
        (INVESTIGATOR, GiveSignature("form:001:AE-9", "reviewed", "a" * 64), "SG-3"),
        (INVESTIGATOR, GiveSignature("casebook:001", "reviewed", "a" * 64), "SG-3"),
        (INVESTIGATOR_2, GiveSignature("casebook:001", "reviewed", "a" * 64), "site"),
        (INSPECTOR, GiveSignature("page:1", "reviewed", "a" * 64), "role"),
    ],
)
def test_a_wrong_signature_is_refused(desk: Desk, actor: Actor, command: GiveSignature, rule: str) -> None:
    before = desk.state
    assert outcome(desk, actor, command, "password+otp") == rule
    assert desk.state == before


def test_what_was_shown_is_what_is_signed(desk: Desk) -> None:
    shown = form_sign(desk, "AE-1")
    changed = adverse_event(desk, AETERM="Other")
    desk.must(COORDINATOR, RecordForm("001", "AE", "AE-1", changed, reason="typing error"))
    assert outcome(desk, COORDINATOR, shown, "password+otp") == "SG-3"
    assert not isinstance(outcome(desk, COORDINATOR, form_sign(desk, "AE-1"), "password+otp"), str)
    assert outcome(desk, COORDINATOR, form_sign(desk, "AE-1"), "password") == "SG-6"


def test_a_change_voids_the_signatures_that_cover_it_and_only_signing_again_restores(desk: Desk) -> None:
    desk.must(COORDINATOR, form_sign(desk, "AE-1"))
    desk.must(COORDINATOR, form_sign(desk, "EX-FLU-1"))
    desk.must(INVESTIGATOR, casebook_sign(desk))
    original = adverse_event(desk)
    desk.must(COORDINATOR, RecordForm("001", "AE", "AE-1", {**original, "AETERM": "B"}, reason="typing"))
    assert valid_signatures(desk.state, form_ref("001", "AE-1")) == ()
    assert valid_signatures(desk.state, casebook_ref("001")) == ()
    (kept,) = valid_signatures(desk.state, form_ref("001", "EX-FLU-1"))
    history = given(desk)
    assert kept == history[1]
    assert [one.invalidated_at is not None for one in history] == [True, False, True]
    assert history[0].invalidated_because == "AE-1 was changed to version 2"
    assert to_sign_again(desk.state, INVESTIGATOR.id) == (history[2],)
    # the old values come back: the signature does not
    desk.must(COORDINATOR, RecordForm("001", "AE", "AE-1", original, reason="was right"))
    assert valid_signatures(desk.state, casebook_ref("001")) == ()
    desk.must(INVESTIGATOR, casebook_sign(desk))
    assert valid_signatures(desk.state, casebook_ref("001")) == (given(desk)[3],)
    assert to_sign_again(desk.state, INVESTIGATOR.id) == ()
    assert len(given(desk)) == 4


def test_signatures_are_found_by_content_and_meaning(desk: Desk) -> None:
    desk.must(INVESTIGATOR, casebook_sign(desk))
    digest = content_hash(casebook_content(desk.state, "001"))
    assert valid_signatures(desk.state, "casebook:001", digest, "responsibility")
    assert not valid_signatures(desk.state, "casebook:001", "0" * 64)
    assert not valid_signatures(desk.state, "casebook:001", meaning="approved")
    assert not valid_signatures(desk.state, "casebook:01")


def test_the_manifestation_says_who_when_and_what_it_means(desk: Desk, balli: StudyFolder) -> None:
    desk.now = datetime(2020, 7, 1, 23, 30, tzinfo=UTC)
    desk.must(INVESTIGATOR, casebook_sign(desk))
    text = manifestation(desk.state, given(desk)[0], balli)
    assert "Signed by Investigator (investigator)" in text
    assert "01 Jul 2020 23:30:00 UTC; 01 Jul 2020 19:30:00 America/New_York" in text
    assert "responsibility - I take responsibility for these data as investigator" in text
    assert EQUALITY in text
    assert "NO LONGER VALID" not in text
    desk.must(COORDINATOR, RecordForm("001", "AE", "AE-1", adverse_event(desk, AETERM="B"), reason="typing"))
    void = manifestation(desk.state, given(desk)[0], balli)
    assert "NO LONGER VALID since 01 Jul 2020 23:30:00 UTC: AE-1 was changed to version 2" in void
    desk.must(CHAIR, GiveSignature("page:1", "dissent", "a" * 64))
    central = manifestation(desk.state, given(desk)[1], balli)
    assert "23:30:00 UTC\n" in central


def test_the_letter_of_non_repudiation_names_person_and_study(desk: Desk, balli: StudyFolder) -> None:
    text = letter(desk.state, INVESTIGATOR.id, balli)
    assert "I, Investigator (Test)" in text
    assert "BALLI-01 (NCT04150497)" in text
    sent = RecordSecurityEvent("letter_sent", INVESTIGATOR.id, "by post")
    (recorded,) = desk.must(ADMINISTRATOR, sent)
    assert recorded == ev.SecurityEventRecorded("letter_sent", INVESTIGATOR.id, "by post")


def test_an_adjudication_leaves_the_signature_on_the_entered_data(desk: Desk) -> None:
    desk.must(
        COORDINATOR, RecordForm("001", "EX", "EX-CELLS-1", exposure(desk, "UCART22", desk.now, 1e5, 1e5))
    )
    desk.must(INVESTIGATOR, casebook_sign(desk))
    signed = given(desk)[-1]
    desk.must(MONITOR, AdjudicateDlt("001", DltStatus.DLT, "pneumonitis", "5"))
    assert desk.state.patients["001"].dlt_status is DltStatus.DLT
    digest = content_hash(casebook_content(desk.state, "001"))
    assert valid_signatures(desk.state, casebook_ref("001"), digest, "responsibility") == (signed,)
