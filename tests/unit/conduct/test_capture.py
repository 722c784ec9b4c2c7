"""Data beside the records: edit checks, queries, marks, freeze, lock, the trail of an item; every rule by its id."""

from dataclasses import replace
from typing import Any

import pytest

from escalon.conduct import commands as c
from escalon.conduct.act import Event
from escalon.conduct.capture import commands as cap
from escalon.conduct.capture import events as ev
from escalon.conduct.capture.audit import audit_trail, changed_after
from escalon.conduct.capture.locks import before_lock, is_locked
from escalon.conduct.capture.marks import marks_on, unconfirmed, unverified
from escalon.conduct.capture.ownership import refuse_owner
from escalon.conduct.capture.queries import open_queries
from escalon.conduct.capture.state import QueryStatus
from escalon.conduct.capture.topic import ALLOWED, TOPIC
from escalon.conduct.encoding import decode, encode
from escalon.conduct.events import FormRecorded
from escalon.conduct.people.commands import GiveSignature
from escalon.conduct.people.signatures import casebook_content, content_hash, form_content, valid_signatures
from escalon.conduct.roles import may
from escalon.protocol import StudyFolder, load_study
from escalon.protocol.forms import Form, Group, Item
from escalon.protocol.forms_values import answered
from tests.act import COORDINATOR, CRA, DATA_MANAGER, INVESTIGATOR, MONITOR, SPONSOR, Desk, enrol, opened
from tests.study_files import balli_files

EVENTS: list[Event] = [
    ev.QueryOpened(1, "001", "VS-1", "WEIGHT", "sure?", "VS-HEAVY"),
    ev.QueryAnswered(1, 'yes "<&>" é'),
    ev.QueryClosed(1, "fine"),
    ev.QueryReopened(1, "not fine"),
    ev.CheckOverridden("001", "VS-1", 2, "VS-HEAVY", "weighed twice"),
    ev.SourceVerified("001", "VS-1", 1, ("WEIGHT", "VSDTC")),
    ev.CriticalConfirmed("001", "VS-1", 1, ("WEIGHT",)),
    ev.MarksWithdrawn("001", "VS-1", 2, ("WEIGHT",), ()),
    ev.RecordsFrozen("001", ("VS-1",), "interim"),
    ev.RecordsUnfrozen("001", ("VS-1",), "error"),
    ev.CasebookLocked("001", "a" * 64, "over"),
    ev.CasebookUnlocked("001", "error"),
    ev.ImportStaged(1, "labs.csv", "lab", "LB", "a" * 64, ev.ImportCounts(3, 1, 1, 1)),
    ev.ImportApplied(1, "a" * 64, ev.ImportCounts(3, 1, 1, 1), (ev.ImportedRecord("001", "LB-1", 2),)),
    ev.ImportRolledBack(1, "wrong file", (ev.ImportedRecord("001", "LB-1", 3),), ("001:LB-2",)),
    ev.StudyAmended("b" * 64, "c" * 64, "a" * 64, "new visit", ("visit D14 is added",)),
    ev.PatientVersionSet("001", "b" * 64, "2021-05-01"),
]
VITALS = """--- !assumption
form: VS
title: Vital signs
repeats: true
items:
  - {name: VSDTC, label: Date and time, type: datetime, required: true}
  - {name: WEIGHT, label: Weight, type: number, required: true, unit: kg, range: [25, 250], critical: true}
  - {name: HEIGHT, label: Height, type: number, required: false, unit: cm, range: [120, 220], missing: [ND, UNK]}
  - {name: ECOG, label: ECOG performance status, type: integer, required: false, range: [0, 5]}
checks:
  - {id: VS-HEAVY, severity: soft, item: WEIGHT, message: more than 120 kg, when: {item: WEIGHT, more_than: 120}}
  - {id: VS-CHANGE, severity: soft, item: WEIGHT, message: differs from the last weight by more than 10%,
     when: {item: WEIGHT, differs_from: {form: VS, item: WEIGHT}, by_more_than: 0.1}}
  - {id: VS-BEFORE-CONSENT, severity: hard, item: VSDTC, message: lies before consent,
     when: {item: VSDTC, before: {patient: consented_on}}}
"""


@pytest.fixture(scope="module")
def folder() -> StudyFolder:
    return load_study({**balli_files(), "forms/vs.yaml": VITALS})


@pytest.fixture
def desk(folder: StudyFolder) -> Desk:
    desk = opened(folder)
    enrol(desk, "001")
    return desk


def vitals(desk: Desk, weight: Any = 71.5, record: str = "VS-1", **more: Any) -> c.RecordForm:
    given = {name: more.pop(name) for name in ("reason", "overrides") if name in more}
    values = {"VSDTC": desk.now.isoformat(), "WEIGHT": weight, "HEIGHT": 171, **more}
    return c.RecordForm("001", "VS", record, values, **given)


def kinds(events: tuple[Event, ...]) -> list[str]:
    return [type(event).__name__ for event in events]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_survives_writing_and_reading(event: Event) -> None:
    kind, payload = encode(event)
    assert decode(kind, payload) == event


def test_every_event_of_capture_is_exercised() -> None:
    assert {type(event) for event in EVENTS} == set(TOPIC.apply)
    assert set(ALLOWED) == set(TOPIC.decide)


def test_a_hard_check_refuses_with_its_id_and_item(desk: Desk) -> None:
    refused = desk.refused(COORDINATOR, vitals(desk, VSDTC="2019-12-31T09:00:00+00:00"))
    assert refused.rule == "DC-1 VS-BEFORE-CONSENT"
    assert refused.reason == "VS.VSDTC: lies before consent (VS-BEFORE-CONSENT)"
    assert desk.state.patients["001"].records == {}


def test_a_soft_check_takes_a_reason_or_opens_a_query(desk: Desk) -> None:
    recorded, asked = desk.must(COORDINATOR, vitals(desk, 130))
    assert isinstance(asked, ev.QueryOpened)
    assert (asked.check, asked.item) == ("VS-HEAVY", "WEIGHT")
    again = desk.must(COORDINATOR, vitals(desk, 130, reason="height corrected", HEIGHT=180))
    assert kinds(again) == ["FormRecorded"]
    settled = desk.must(COORDINATOR, vitals(desk, 80, reason="typing error"))
    assert kinds(settled) == ["FormRecorded", "QueryClosed"]
    assert open_queries(desk.state) == ()
    given = desk.must(
        COORDINATOR, vitals(desk, 130, "VS-2", overrides={"VS-HEAVY": "twice", "VS-CHANGE": "edema"})
    )
    assert kinds(given) == ["FormRecorded", "CheckOverridden", "CheckOverridden"]
    assert marks_on(desk.state, "001", "VS-2").overridden == {"VS-HEAVY": "twice", "VS-CHANGE": "edema"}
    same = desk.must(COORDINATOR, vitals(desk, 130, "VS-2", reason="added", ECOG=1))
    assert kinds(same) == ["FormRecorded"]
    assert isinstance(recorded, FormRecorded)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"VS-HEAVY": " "}, "overriding VS-HEAVY needs a reason"),
        ({"VS-CHANGE": "x"}, "VS-CHANGE is no soft check that finds"),
    ],
)
def test_an_override_needs_a_finding_and_a_reason(desk: Desk, overrides: dict[str, str], words: str) -> None:
    refused = desk.refused(COORDINATOR, vitals(desk, 130, overrides=overrides))
    assert refused.rule == "DC-1 override"
    assert words in refused.reason


def test_a_query_is_answered_by_the_site_and_closed_by_the_role_that_asked(desk: Desk) -> None:
    desk.must(COORDINATOR, vitals(desk))
    desk.must(CRA, cap.OpenQuery("001", "VS-1", "WEIGHT", "source says 17.5"))
    assert desk.refused(DATA_MANAGER, cap.CloseQuery("001", 1, "fine")).rule == "DC-1 query"
    desk.must(COORDINATOR, cap.AnswerQuery("001", 1, "source was read wrongly"))
    assert desk.refused(COORDINATOR, cap.AnswerQuery("001", 1, "again")).rule == "DC-1 query"
    assert desk.refused(CRA, cap.CloseQuery("001", 1, " ")).rule == "reason"
    desk.must(CRA, cap.CloseQuery("001", 1, "agreed"))
    desk.must(CRA, cap.ReopenQuery("001", 1, "second thoughts"))
    (query,) = open_queries(desk.state, "001")
    assert query.status is QueryStatus.OPEN
    assert [(said.act, said.by) for said in query.said] == [
        ("opened", "cra"),
        ("answered", "co"),
        ("closed", "cra"),
        ("reopened", "cra"),
    ]


@pytest.mark.parametrize(
    ("command", "rule"),
    [
        (cap.OpenQuery("009", "VS-1", "", "x y"), "patient"),
        (cap.OpenQuery("001", "VS-9", "", "x y"), "record"),
        (cap.OpenQuery("001", "VS-1", "PULSE", "x y"), "record"),
        (cap.OpenQuery("001", "VS-1", "WEIGHT", " "), "DC-1 query"),
        (cap.CloseQuery("001", 7, "x"), "DC-1 query"),
    ],
)
def test_a_query_about_nothing_is_refused(desk: Desk, command: c.Command, rule: str) -> None:
    desk.must(COORDINATOR, vitals(desk))
    assert desk.refused(DATA_MANAGER, command).rule == rule


def test_verification_and_confirmation_fall_with_the_item_they_stand_on(desk: Desk) -> None:
    desk.must(COORDINATOR, vitals(desk))
    assert unverified(desk.state, "001", ("VS",)) != ()
    desk.must(CRA, cap.VerifySource("001", "VS-1"))
    assert unverified(desk.state, "001", ("VS",)) == ()
    assert desk.refused(CRA, cap.VerifySource("001", "VS-1")).rule == "DC-3"
    assert desk.refused(COORDINATOR, cap.ConfirmCritical("001", "VS-1")).rule == "DC-2"
    desk.must(INVESTIGATOR, cap.ConfirmCritical("001", "VS-1"))
    assert unconfirmed(desk.state, desk.folder, "001") == ()
    untouched = desk.must(COORDINATOR, vitals(desk, reason="height", HEIGHT=180, VSDTC=_first(desk, "VSDTC")))
    (fallen,) = [event for event in untouched if isinstance(event, ev.MarksWithdrawn)]
    assert (fallen.verified, fallen.confirmed) == (("HEIGHT",), ())
    desk.must(INVESTIGATOR, vitals(desk, 72, reason="scale", HEIGHT=180, VSDTC=_first(desk, "VSDTC")))
    assert unconfirmed(desk.state, desk.folder, "001") == (("VS-1", "WEIGHT"),)
    assert desk.refused(INVESTIGATOR, cap.ConfirmCritical("001", "VS-1")).rule == "DC-2"
    desk.must(COORDINATOR, cap.ConfirmCritical("001", "VS-1", ("WEIGHT",)))
    assert desk.refused(CRA, cap.ConfirmCritical("001", "VS-1", ("ECOG",))).rule == "DC-2"


def _first(desk: Desk, item: str) -> Any:
    return desk.state.patients["001"].records["VS-1"].versions()[0].entered[item]


def test_a_frozen_record_is_not_changed_and_others_are(desk: Desk) -> None:
    desk.must(COORDINATOR, vitals(desk))
    assert desk.refused(CRA, cap.FreezeRecords("001", (), " ")).rule == "DC-8 reason"
    desk.must(CRA, cap.FreezeRecords("001", (), "interim analysis"))
    assert is_locked(desk.state, "001", "VS-1")
    assert desk.refused(COORDINATOR, vitals(desk, 72, reason="scale")).rule == "DC-8 frozen"
    desk.must(COORDINATOR, vitals(desk, 72, "VS-2"))
    assert desk.refused(CRA, cap.UnfreezeRecords("001", (), "x")).rule == "role"
    desk.must(DATA_MANAGER, cap.UnfreezeRecords("001", ("VS-1",), "query answered"))
    desk.must(COORDINATOR, vitals(desk, 72, reason="scale"))


def sign(desk: Desk) -> None:
    digest = content_hash(casebook_content(desk.state, "001"))
    desk.must(INVESTIGATOR, GiveSignature("casebook:001", "responsibility", digest))


def lock(desk: Desk) -> cap.LockCasebook:
    return cap.LockCasebook("001", "follow-up over")


def test_a_lock_needs_confirmation_no_open_query_and_the_signature_on_what_is_there(desk: Desk) -> None:
    desk.must(COORDINATOR, vitals(desk))
    desk.must(CRA, cap.OpenQuery("001", "VS-1", "WEIGHT", "sure?"))
    assert [r.rule for r in before_lock(desk.state, desk.folder, "001")] == [
        "SG-10 query",
        "DC-2",
        "SG-10 signature",
    ]
    digest = content_hash(casebook_content(desk.state, "001"))
    early = desk.refused(INVESTIGATOR, GiveSignature("casebook:001", "responsibility", digest))
    assert early.rule == "SG-10"
    desk.must(CRA, cap.CloseQuery("001", 1, "seen on site"))
    assert desk.refused(DATA_MANAGER, lock(desk)).rule == "DC-2"
    desk.must(INVESTIGATOR, cap.ConfirmCritical("001", "VS-1"))
    assert desk.refused(DATA_MANAGER, lock(desk)).rule == "SG-10 signature"
    sign(desk)
    added = desk.must(COORDINATOR, vitals(desk, 71, "VS-2"))
    assert "SignatureInvalidated" in kinds(added)
    assert valid_signatures(desk.state, "casebook:001") == ()
    desk.must(INVESTIGATOR, cap.ConfirmCritical("001", "VS-2"))
    sign(desk)
    desk.must(DATA_MANAGER, lock(desk))
    for actor, command in (
        (COORDINATOR, vitals(desk, 73, reason="x")),
        (COORDINATOR, vitals(desk, 73, "VS-3")),
        (CRA, cap.OpenQuery("001", "VS-1", "", "what?")),
        (CRA, cap.VerifySource("001", "VS-1")),
        (DATA_MANAGER, lock(desk)),
    ):
        assert desk.refused(actor, command).rule == "DC-8 locked"
    desk.must(DATA_MANAGER, cap.UnlockCasebook("001", "late laboratory value"))
    desk.must(COORDINATOR, vitals(desk, 73, reason="late value"))
    assert desk.refused(DATA_MANAGER, cap.UnlockCasebook("001", "again")).rule == "DC-8 locked"


def test_the_site_does_not_change_what_the_sponsor_owns(folder: StudyFolder) -> None:
    central = VITALS.replace("{name: HEIGHT,", "{name: HEIGHT, owner: sponsor,")
    desk = opened(load_study({**balli_files(), "forms/vs.yaml": central}))
    enrol(desk, "001")
    refused = desk.refused(COORDINATOR, vitals(desk))
    assert refused.rule == "DC-4 owner"
    assert refused.reason == "VS.HEIGHT belongs to the sponsor; coordinator acts for the site"
    recorded, *_ = desk.must(COORDINATOR, vitals(desk, HEIGHT=None))
    assert isinstance(recorded, FormRecorded)
    assert (recorded.origin, desk.state.patients["001"].records["VS-1"].origin) == ("form", "form")


def test_an_owner_within_a_group_is_asked_row_by_row() -> None:
    note = Item(name="NOTE", label="Note", type="text", required=False)
    dose = Item(name="DOSE", label="Dose", type="number", required=False, owner="sponsor")
    form = Form(
        form="CM",
        title="x",
        repeats=True,
        items=(Item(name="TERM", label="Term", type="text", required=False),),
        groups=(Group(group="ROWS", label="Rows", items=(note, dose)),),
    )
    before = {"ROWS": [{"NOTE": "a", "DOSE": 1}]}
    assert (
        refuse_owner(form, before, {"ROWS": [{"NOTE": "b", "DOSE": 1}, {"NOTE": "c"}]}, "investigator")
        is None
    )
    changed = refuse_owner(form, before, {"ROWS": [{"NOTE": "a", "DOSE": 2}]}, "investigator")
    assert changed is not None
    assert changed.reason.startswith("CM.DOSE belongs to the sponsor")
    gone = refuse_owner(form, before, {"ROWS": []}, "data_manager")
    assert gone is not None
    assert gone.reason.startswith("CM.NOTE belongs to the site")


def test_what_is_signed_tells_missing_codes_from_empty_values(desk: Desk) -> None:
    desk.must(COORDINATOR, vitals(desk))
    record = desk.state.patients["001"].records["VS-1"]
    heights: tuple[Any, ...] = (
        None,
        {"missing": "ND"},
        {"missing": "UNK"},
        {"missing": "UNK", "reason": "bed"},
    )
    entries = [{**record.entered, "HEIGHT": height} for height in heights]
    entries.append({name: value for name, value in record.entered.items() if name != "HEIGHT"})
    shown = []
    for entered in entries:
        patient = replace(
            desk.state.patients["001"],
            records={"VS-1": replace(record, entered=entered, values=answered(entered))},
        )
        state = replace(desk.state, patients={"001": patient})
        shown.append(casebook_content(state, "001"))
        assert shown[-1]["records"][0]["values"] == form_content(state, "001", "VS-1")["values"] == entered
    assert len({content_hash(content) for content in shown}) == len(entries)


def test_forms_to_be_verified_before_a_lock_are_data(desk: Desk) -> None:
    capture = desk.folder.conduct.capture
    strict = capture.model_copy(update={"lock": capture.lock.model_copy(update={"verified_forms": ("VS",)})})
    folder = replace(desk.folder, conduct=desk.folder.conduct.model_copy(update={"capture": strict}))
    desk.must(COORDINATOR, vitals(desk))
    assert "DC-3" in [refused.rule for refused in before_lock(desk.state, folder, "001")]


def test_nobody_but_the_site_changes_what_it_recorded() -> None:
    form = c.RecordForm("001", "VS", "VS-1")
    roles = (
        "monitor",
        "data_manager",
        "medical_monitor",
        "sponsor",
        "statistician",
        "administrator",
        "inspector",
    )
    assert not any(may(role, form) for role in roles)
    assert may("coordinator", form)
    assert SPONSOR.role not in ALLOWED[cap.AnswerQuery]


def test_the_trail_of_an_item_tells_first_and_later_values_apart_by_type(desk: Desk) -> None:
    heights: list[Any] = [171, None, {"missing": "ND"}, {"missing": "UNK"}]
    for number, height in enumerate(heights):
        reason = {"reason": f"change {number}"} if number else {}
        desk.must(COORDINATOR if number < 3 else INVESTIGATOR, vitals(desk, HEIGHT=height, **reason), days=1)
    trail = audit_trail(desk.state, "001", "VS-1", "HEIGHT")
    assert [(step.old and step.old.kind, step.new.kind, step.new.value) for step in trail] == [
        (None, "value", 171),
        ("value", "null", None),
        ("null", "missing", {"missing": "ND"}),
        ("missing", "missing", {"missing": "UNK"}),
    ]
    assert [(step.by, step.role, step.reason) for step in trail][-1] == ("i", "investigator", "change 3")
    assert [step.new.kind for step in audit_trail(desk.state, "001", "VS-1", "ECOG")] == ["absent"]
    assert len(audit_trail(desk.state, "001", "VS-1", "WEIGHT")) == 1
    assert desk.state.patients["001"].records["VS-1"].values["HEIGHT"] is None
    assert [item for _, item, _ in changed_after(desk.state, "001", trail[2].at)] == ["VSDTC", "HEIGHT"]
    with pytest.raises(KeyError, match="no record VS-9"):
        audit_trail(desk.state, "001", "VS-9", "WEIGHT")


def test_a_medical_monitor_may_ask_too(desk: Desk) -> None:
    desk.must(COORDINATOR, vitals(desk))
    desk.must(MONITOR, cap.OpenQuery("001", "VS-1", "", "is this patient fasting?"))
    desk.must(MONITOR, cap.CloseQuery("001", 1, "answered by phone, noted in the file"))
    assert open_queries(desk.state) == ()
