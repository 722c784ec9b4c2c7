"""What capture refuses and keeps, beyond the ordinary: a test for each planted fault that no other test found."""

from dataclasses import replace
from typing import Any

import pytest

from escalon.conduct import commands as c
from escalon.conduct.act import Event
from escalon.conduct.capture import commands as cap
from escalon.conduct.capture import events as ev
from escalon.conduct.capture.audit import audit_trail
from escalon.conduct.capture.locks import before_lock
from escalon.conduct.capture.marks import marks_on, same_value, unconfirmed
from escalon.conduct.capture.ownership import refuse_owner
from escalon.conduct.capture.queries import open_queries
from escalon.conduct.capture.versions import affected
from escalon.conduct.people.commands import ApproveVersion, GiveSignature
from escalon.conduct.people.signatures import casebook_content, content_hash
from escalon.protocol import StudyFolder, load_study
from escalon.protocol.amendments import succeed
from escalon.protocol.forms import Form, Group, Item
from tests.act import (
    COORDINATOR,
    COORDINATOR_2,
    CRA,
    DATA_MANAGER,
    INVESTIGATOR,
    INVESTIGATOR_2,
    SPONSOR,
    Desk,
    enrol,
    opened,
)
from tests.study_files import balli_files

VITALS = """--- !assumption
form: VS
title: Vital signs
repeats: true
items:
  - {name: VSDTC, label: Date and time, type: datetime, required: true}
  - {name: WEIGHT, label: Weight, type: number, required: true, unit: kg, range: [25, 250], critical: true}
  - {name: HEIGHT, label: Height, type: number, required: false, unit: cm, range: [120, 220], missing: [ND, UNK]}
  - {name: ECOG, label: ECOG performance status, type: integer, required: false, range: [0, 5], critical: true}
  - {name: NOTE, label: Note, type: text, required: false}
groups:
  - {group: ROWS, label: Readings, items: [{name: PULSE, label: Pulse, type: integer, required: false, unit: /min}]}
checks:
  - {id: VS-HEAVY, severity: soft, item: WEIGHT, message: more than 120 kg, when: {item: WEIGHT, more_than: 120}}
  - {id: VS-CHANGE, severity: soft, item: WEIGHT, message: differs from the last by 10%,
     when: {item: WEIGHT, differs_from: {form: VS, item: WEIGHT}, by_more_than: 0.1}}
  - {id: VS-PULSE, severity: soft, group: ROWS, item: PULSE, message: a fast pulse, when: {item: PULSE, more_than: 150}}
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
    values = {"VSDTC": desk.now.isoformat(), "WEIGHT": weight, **more}
    return c.RecordForm("001", "VS", record, values, **given)


def kinds(events: tuple[Event, ...]) -> list[str]:
    return [type(event).__name__ for event in events]


# Edit checks and their queries


def test_another_value_that_fails_asks_again_and_the_same_one_does_not(desk: Desk) -> None:
    desk.must(COORDINATOR, vitals(desk, 130))
    desk.must(DATA_MANAGER, cap.CloseQuery("001", 1, "weighed twice"))
    assert kinds(desk.must(COORDINATOR, vitals(desk, 130, reason="noted", NOTE="x"))) == ["FormRecorded"]
    assert kinds(desk.must(COORDINATOR, vitals(desk, 140, reason="scale"))) == ["FormRecorded", "QueryOpened"]


def test_a_check_of_a_group_asks_again_when_its_rows_change(desk: Desk) -> None:
    desk.must(COORDINATOR, vitals(desk, ROWS=[{"PULSE": 160}]))
    desk.must(DATA_MANAGER, cap.CloseQuery("001", 1, "seen"))
    rows = [{"PULSE": 160}, {"PULSE": 170}]
    assert "QueryOpened" in kinds(desk.must(COORDINATOR, vitals(desk, ROWS=rows, reason="second reading")))


def test_a_check_closes_its_own_query_answered_or_not_and_never_a_persons(desk: Desk) -> None:
    desk.must(COORDINATOR, vitals(desk, 130))
    desk.must(CRA, cap.OpenQuery("001", "VS-1", "WEIGHT", "which scale?"))
    desk.must(COORDINATOR, cap.AnswerQuery("001", 1, "typing error"))
    settled = desk.must(COORDINATOR, vitals(desk, 80, reason="typing error"))
    assert [event.query for event in settled if isinstance(event, ev.QueryClosed)] == [1]
    assert [query.query for query in open_queries(desk.state)] == [2]


def test_an_override_closes_the_query_of_its_check(desk: Desk) -> None:
    desk.must(COORDINATOR, vitals(desk, 130))
    done = desk.must(COORDINATOR, vitals(desk, 130, reason="seen", overrides={"VS-HEAVY": "weighed twice"}))
    (closed,) = [event for event in done if isinstance(event, ev.QueryClosed)]
    assert closed.reason == "overridden: weighed twice"
    assert open_queries(desk.state) == ()


def test_a_withdrawn_record_is_not_compared_with(desk: Desk) -> None:
    desk.must(COORDINATOR, vitals(desk, 50))
    patient = desk.state.patients["001"]
    gone = replace(patient.records["VS-1"], origin="rollback", entered={}, values={}, version=2)
    assert gone.withdrawn
    kept = replace(gone, entered={"WEIGHT": 50}, values={"WEIGHT": 50})
    for record, asked in ((gone, []), (kept, ["QueryOpened"])):
        desk.state = replace(desk.state, patients={"001": replace(patient, records={"VS-1": record})})
        before = desk.state
        assert kinds(desk.must(COORDINATOR, vitals(desk, 70, "VS-2")))[1:] == asked
        desk.state = before


# Recording


def test_a_blank_is_no_reason_for_a_change(desk: Desk) -> None:
    desk.must(COORDINATOR, vitals(desk))
    for reason in (None, "", "  "):
        assert desk.refused(COORDINATOR, vitals(desk, 72, reason=reason)).rule == "reason"


def test_a_record_keeps_its_form_and_a_form_of_once_stands_once(desk: Desk) -> None:
    desk.must(COORDINATOR, vitals(desk))
    history = {"MHTERM": "B-ALL", "PRIORLIN": 3, "PRIORSCT": "N", "PRIORCD19": "Y"}
    other = c.RecordForm("001", "MH", "VS-1", history, reason="x")
    assert desk.refused(COORDINATOR, other).reason == "record VS-1 is a VS form"
    desk.must(COORDINATOR, c.RecordForm("001", "MH", "MH-1", history))
    assert desk.refused(COORDINATOR, c.RecordForm("001", "MH", "MH-2", history)).rule == "form-once"


def test_rows_at_the_end_belong_to_their_owner_too() -> None:
    dose = Item(name="DOSE", label="Dose", type="number", required=False, owner="sponsor")
    term = Item(name="TERM", label="Term", type="text", required=False)
    groups = (Group(group="ROWS", label="Rows", items=(dose,)),)
    form = Form(form="CM", title="x", repeats=True, items=(term,), groups=groups)
    assert refuse_owner(form, {}, {"ROWS": [{"DOSE": 1}]}, "investigator") is not None
    assert refuse_owner(form, {"ROWS": [{"DOSE": 1}]}, {"ROWS": [{"DOSE": 1}, {}]}, "investigator") is None
    two = {"ROWS": [{"DOSE": 1}, {"DOSE": 2}]}
    for other in ({"ROWS": [{"DOSE": 1}]}, {"ROWS": [{"DOSE": 1}, {"DOSE": 3}]}):
        assert refuse_owner(form, other, two, "investigator") is not None


# Queries


def test_a_query_lives_by_the_rules_of_who_and_when(desk: Desk) -> None:
    enrol(desk, "002")
    desk.must(COORDINATOR, vitals(desk))
    desk.must(CRA, cap.OpenQuery("001", "VS-1", "WEIGHT", "source says 17.5"))
    assert desk.refused(CRA, cap.ReopenQuery("001", 1, "again")).rule == "DC-1 query"
    assert desk.refused(COORDINATOR_2, cap.AnswerQuery("001", 1, "fine")).rule == "site"
    assert "not about patient 002" in desk.refused(COORDINATOR, cap.AnswerQuery("002", 1, "fine")).reason
    assert desk.refused(COORDINATOR, cap.AnswerQuery("001", 1, " ")).rule == "DC-1 query"
    desk.must(COORDINATOR, cap.AnswerQuery("001", 1, "source was read wrongly"))
    assert [one.query for one in open_queries(desk.state, "001")] == [1]  # answered is not closed
    assert "SG-10 query" in [refused.rule for refused in before_lock(desk.state, desk.folder, "001")]
    desk.must(CRA, cap.CloseQuery("001", 1, "agreed"))
    assert desk.refused(CRA, cap.CloseQuery("001", 1, "again")).reason == "query 1 is closed"
    assert "closed, not open" in desk.refused(COORDINATOR, cap.AnswerQuery("001", 1, "more")).reason


# Marks


def test_a_mark_falls_when_its_item_is_left_out(desk: Desk) -> None:
    desk.must(COORDINATOR, vitals(desk, HEIGHT=171, ECOG=1))
    desk.must(CRA, cap.VerifySource("001", "VS-1"))
    desk.must(INVESTIGATOR, cap.ConfirmCritical("001", "VS-1"))
    desk.must(COORDINATOR, vitals(desk, reason="of another patient"))
    marks = marks_on(desk.state, "001", "VS-1")
    assert set(marks.verified) & {"HEIGHT", "ECOG"} == set()
    assert set(marks.confirmed) == {"WEIGHT"}


def test_whoever_entered_a_value_never_confirms_it_even_after_another_changed_the_record(desk: Desk) -> None:
    desk.must(COORDINATOR, vitals(desk))
    desk.must(INVESTIGATOR, vitals(desk, reason="note added", NOTE="x"))
    assert desk.refused(COORDINATOR, cap.ConfirmCritical("001", "VS-1")).rule == "DC-2"
    desk.must(INVESTIGATOR, cap.ConfirmCritical("001", "VS-1"))


def test_another_site_confirms_nothing_and_no_empty_item_is_verified(desk: Desk) -> None:
    desk.must(COORDINATOR, vitals(desk))
    assert desk.refused(INVESTIGATOR_2, cap.ConfirmCritical("001", "VS-1")).rule == "site"
    refused = desk.refused(CRA, cap.VerifySource("001", "VS-1", ("HEIGHT",)))
    assert "no answer to HEIGHT" in refused.reason
    assert desk.refused(CRA, cap.VerifySource("001", "VS-1", ("WEIGHT", "PULSE"))).rule == "DC-3"


def test_the_trail_tells_one_from_true_and_null_from_absent(desk: Desk) -> None:
    desk.must(COORDINATOR, vitals(desk, HEIGHT=None))
    desk.must(COORDINATOR, vitals(desk, reason="item not on paper"))
    steps = [step.new.kind for step in audit_trail(desk.state, "001", "VS-1", "HEIGHT")]
    assert steps == ["null", "absent"]
    one = desk.state.patients["001"].records["VS-1"]
    assert not same_value(replace(one, entered={"A": 1}), replace(one, entered={"A": True}), "A")
    assert same_value(replace(one, entered={"A": 1}), replace(one, entered={"A": 1}), "A")


# Lock and freeze


def sign(desk: Desk, meaning: str = "responsibility") -> None:
    digest = content_hash(casebook_content(desk.state, "001"))
    desk.must(INVESTIGATOR, GiveSignature("casebook:001", meaning, digest))


def test_an_earlier_signature_does_not_lock_what_was_confirmed_later(desk: Desk) -> None:
    """The signature stands on its content: whatever else counts as valid, the lock asks for the casebook as it is."""
    desk.must(COORDINATOR, vitals(desk))
    sign(desk)
    patient = desk.state.patients["001"]
    record = patient.records["VS-1"]
    other = replace(record, values={**record.values, "WEIGHT": 99}, entered={**record.entered, "WEIGHT": 99})
    state = replace(desk.state, patients={"001": replace(patient, records={"VS-1": other})})
    assert "SG-10 signature" not in [one.rule for one in before_lock(desk.state, desk.folder, "001")]
    assert "SG-10 signature" in [one.rule for one in before_lock(state, desk.folder, "001")]


def test_only_the_signature_of_a_lock_waits_for_queries_and_only_where_the_study_says_so(desk: Desk) -> None:
    desk.must(COORDINATOR, vitals(desk))
    desk.must(CRA, cap.OpenQuery("001", "VS-1", "WEIGHT", "sure?"))
    sign(desk, "reviewed")
    digest = content_hash(casebook_content(desk.state, "001"))
    command = GiveSignature("casebook:001", "responsibility", digest)
    assert desk.refused(INVESTIGATOR, command).rule == "SG-10"
    rules = desk.folder.conduct.capture.model_copy(update={"sign_only_without_queries": False})
    desk.folder = replace(desk.folder, conduct=desk.folder.conduct.model_copy(update={"capture": rules}))
    desk.must(INVESTIGATOR, command)


def test_freezing_twice_and_unfreezing_what_is_open_are_refused(desk: Desk) -> None:
    desk.must(COORDINATOR, vitals(desk))
    desk.must(COORDINATOR, vitals(desk, 72, "VS-2"))
    desk.must(CRA, cap.FreezeRecords("001", ("VS-1",), "interim"))
    assert "frozen already" in desk.refused(CRA, cap.FreezeRecords("001", ("VS-1",), "again")).reason
    refused = desk.refused(DATA_MANAGER, cap.UnfreezeRecords("001", ("VS-1", "VS-2"), "x"))
    assert refused.reason == "no record VS-2 is frozen"
    assert desk.refused(COORDINATOR, vitals(desk, 72, reason="scale")).rule == "DC-8 frozen"


# Versions


def with_pulse(before: StudyFolder, label: str = "Pulse", required: bool = False) -> StudyFolder:
    """A later version of the study: another item, and soon everything critical but the weight."""
    line = f"  - {{name: RATE, label: {label}, type: integer, required: {str(required).lower()}, critical: true}}\n"
    text = VITALS.replace("groups:\n", line + "groups:\n").replace(
        "range: [25, 250], critical: true", "range: [25, 250]"
    )
    return succeed(load_study({**balli_files(), "forms/vs.yaml": text}), before)


def amend(desk: Desk, new: StudyFolder) -> None:
    desk.folder = new
    desk.must(SPONSOR, cap.AmendStudy(new.hash, "pulse asked for"))
    desk.must(SPONSOR, ApproveVersion("01", new.hash))


def reconsent(desk: Desk, version: StudyFolder) -> cap.Reconsent:
    return cap.Reconsent("001", version.hash, desk.now.date().isoformat())


def test_critical_items_and_checks_are_those_of_the_version_consented_to(desk: Desk) -> None:
    desk.must(COORDINATOR, vitals(desk))
    old = desk.folder
    heavier = VITALS.replace("more_than: 120}", "more_than: 60}")
    text = heavier.replace("range: [25, 250], critical: true", "range: [25, 250]")
    amend(desk, succeed(load_study({**balli_files(), "forms/vs.yaml": text}), old))
    assert kinds(desk.must(COORDINATOR, vitals(desk, 71, "VS-2"))) == ["FormRecorded"]
    assert ("VS-1", "WEIGHT") in unconfirmed(desk.state, desk.folder, "001")
    desk.must(INVESTIGATOR, cap.ConfirmCritical("001", "VS-1", ("WEIGHT",)))
    desk.must(INVESTIGATOR, reconsent(desk, desk.folder))
    assert unconfirmed(desk.state, desk.folder, "001") == ()
    assert "QueryOpened" in kinds(desk.must(COORDINATOR, vitals(desk, 71, "VS-3")))


def test_consent_goes_forward_only_at_the_own_site_and_survives_the_next_amendment(desk: Desk) -> None:
    first = desk.folder
    second = with_pulse(first)
    amend(desk, second)
    assert desk.refused(INVESTIGATOR_2, reconsent(desk, second)).rule == "site"
    desk.must(INVESTIGATOR, reconsent(desk, second))
    refused = desk.refused(INVESTIGATOR, reconsent(desk, first))
    assert "a later one" in refused.reason
    enrol(desk, "002")
    third = with_pulse(second, "Pulse rate")
    amend(desk, third)
    assert desk.state.capture.versions["001"] == second.hash
    desk.must(INVESTIGATOR, reconsent(desk, third))
    assert affected(desk.state, third.hash).patients == ("002",)
    fourth = with_pulse(third, "Rate of the pulse")
    amend(desk, fourth)
    assert (
        desk.state.capture.versions["001"] == third.hash
    )  # not the version in force before, nor the new one
    assert desk.state.capture.versions["002"] == second.hash


def test_the_study_does_not_go_back_nor_become_another(desk: Desk) -> None:
    first = desk.folder
    second = with_pulse(first)
    amend(desk, second)
    desk.folder = succeed(load_study(first.texts), second)
    assert "on this version before" in desk.refused(SPONSOR, cap.AmendStudy(first.hash, "back")).reason
    files = {**second.texts}
    files["study.yaml"] = files["study.yaml"].replace(
        "study_id: !registry BALLI-01", "study_id: !registry OTHER-1"
    )
    assert files["study.yaml"] != second.texts["study.yaml"]
    desk.folder = succeed(load_study(files), second)
    refused = desk.refused(SPONSOR, cap.AmendStudy(desk.folder.hash, "another"))
    assert (refused.rule, refused.reason) == ("DC-12", "this is another study: OTHER-1")


def test_a_patient_whose_seat_was_released_is_not_asked_to_consent_again(desk: Desk) -> None:
    left = {"DSDECOD": "NOT INFUSED", "DSSTDTC": desk.now.date().isoformat(), "DSTERM": "withdrawn"}
    enrol(desk, "002")
    desk.must(COORDINATOR, c.RecordForm("002", "DS", "DS-END", left))
    assert desk.state.patients["002"].released is not None
    new = with_pulse(desk.folder)
    amend(desk, new)
    assert affected(desk.state, new.hash).patients == ("001",)


def test_marks_and_freezes_add_up(desk: Desk) -> None:
    desk.must(COORDINATOR, vitals(desk, HEIGHT=171))
    desk.must(COORDINATOR, vitals(desk, 72, "VS-2"))
    desk.must(CRA, cap.VerifySource("001", "VS-1", ("WEIGHT",)))
    desk.must(CRA, cap.VerifySource("001", "VS-1", ("HEIGHT",)))
    assert set(marks_on(desk.state, "001", "VS-1").verified) == {"WEIGHT", "HEIGHT"}
    desk.must(CRA, cap.FreezeRecords("001", ("VS-1",), "interim"))
    desk.must(CRA, cap.FreezeRecords("001", ("VS-2",), "interim"))
    assert desk.state.capture.frozen["001"] == {"VS-1", "VS-2"}


def test_the_trail_tells_an_empty_text_from_null_and_from_a_missing_code(desk: Desk) -> None:
    """No form takes an empty text today; a ledger may hold one."""
    desk.must(COORDINATOR, vitals(desk))
    patient = desk.state.patients["001"]
    record = patient.records["VS-1"]
    for entered, kind in (("", "empty"), (None, "null"), ({"missing": "ND"}, "missing"), (0, "value")):
        now = replace(record, entered={**record.entered, "NOTE": entered})
        desk.state = replace(desk.state, patients={"001": replace(patient, records={"VS-1": now})})
        assert [step.new.kind for step in audit_trail(desk.state, "001", "VS-1", "NOTE")] == [kind]
