"""Signing several records in one act (SG-13): each displayed to the signer in its latest version, or none is signed."""

import pytest

from escalon.conduct.act import Actor, Refused, Signed
from escalon.conduct.capture.commands import OpenQuery
from escalon.conduct.commands import RecordForm
from escalon.conduct.decide import decide
from escalon.conduct.people.batch import SIGNERS
from escalon.conduct.people.commands import ShowObject, SignBatch
from escalon.conduct.people.events import ObjectDisplayed, SignatureGiven
from escalon.conduct.people.signatures import shown_hash, valid_signatures
from escalon.conduct.roles import ALLOWED
from escalon.protocol import StudyFolder
from tests.act import (
    ADMINISTRATOR,
    COORDINATOR,
    CRA,
    INVESTIGATOR,
    INVESTIGATOR_2,
    MONITOR,
    STATISTICIAN,
    Desk,
    adverse_event,
    enrol,
    opened,
)

FORMS = ("form:001:AE-1", "form:001:AE-2", "casebook:001")
BATCH = SignBatch(FORMS, "reviewed")


@pytest.fixture
def desk(balli: StudyFolder) -> Desk:
    """Patient 001 of site 01 with two adverse events."""
    desk = opened(balli)
    enrol(desk, "001")
    for record in ("AE-1", "AE-2"):
        desk.must(COORDINATOR, RecordForm("001", "AE", record, adverse_event(desk)))
    return desk


def display(desk: Desk, actor: Actor, *objects: str) -> None:
    for one in objects:
        digest = shown_hash(desk.state, one)
        assert digest is not None
        (event,) = desk.must(actor, ShowObject(one, digest))
        assert event == ObjectDisplayed(one, actor.id, digest)


def test_records_displayed_are_signed_in_one_act(desk: Desk) -> None:
    display(desk, INVESTIGATOR, *FORMS)
    before = len(desk.state.people.signatures)
    given = desk.must(INVESTIGATOR, BATCH)
    assert [event.object_ref for event in given if isinstance(event, SignatureGiven)] == list(FORMS)
    numbers = [event.signature for event in given if isinstance(event, SignatureGiven)]
    assert numbers == [before + 1, before + 2, before + 3]
    for one in FORMS:
        (signature,) = valid_signatures(desk.state, one, shown_hash(desk.state, one), "reviewed")
        assert (signature.signer, signature.site) == (INVESTIGATOR.id, "01")


def test_what_was_not_displayed_is_named_and_nothing_is_signed(desk: Desk) -> None:
    display(desk, INVESTIGATOR, FORMS[0])
    refused = desk.refused(INVESTIGATOR, BATCH)
    assert refused.rule == "SG-13"
    assert "form:001:AE-2, casebook:001 were not displayed to Investigator" in refused.reason
    assert "AE-1" not in refused.reason
    assert not valid_signatures(desk.state, FORMS[0])


def test_a_change_after_the_display_needs_another_display(desk: Desk) -> None:
    display(desk, INVESTIGATOR, *FORMS)
    changed = {**adverse_event(desk), "AETOXGR": 3}
    desk.must(COORDINATOR, RecordForm("001", "AE", "AE-2", changed, None, "read again"))
    refused = desk.refused(INVESTIGATOR, BATCH)
    assert "form:001:AE-2, casebook:001" in refused.reason
    display(desk, INVESTIGATOR, *FORMS[1:])
    desk.must(INVESTIGATOR, BATCH)


def test_a_display_to_one_person_is_none_to_another(desk: Desk) -> None:
    display(desk, CRA, *FORMS)
    assert desk.refused(INVESTIGATOR, BATCH).rule == "SG-13"
    desk.must(CRA, BATCH)


def test_a_display_of_an_earlier_version_is_refused(desk: Desk) -> None:
    old = shown_hash(desk.state, FORMS[0])
    assert old is not None
    changed = {**adverse_event(desk), "AETOXGR": 3}
    desk.must(COORDINATOR, RecordForm("001", "AE", "AE-1", changed, None, "read again"))
    assert desk.refused(INVESTIGATOR, ShowObject(FORMS[0], old)).rule == "SG-3"


@pytest.mark.parametrize("one", ["form:001:AE-9", "casebook:999", "review:1", "hold:1", "nonsense"])
def test_there_must_be_such_a_record(desk: Desk, one: str) -> None:
    assert desk.refused(INVESTIGATOR, ShowObject(one, "a" * 64)).rule == "SG-13"
    assert desk.refused(INVESTIGATOR, SignBatch((one,), "reviewed")).rule == "SG-13"


@pytest.mark.parametrize("objects", [(), (FORMS[0], FORMS[0])])
def test_a_batch_names_each_record_once(desk: Desk, objects: tuple[str, ...]) -> None:
    assert desk.refused(INVESTIGATOR, SignBatch(objects, "reviewed")).rule == "SG-13"


def test_another_site_neither_displays_nor_signs(desk: Desk) -> None:
    digest = shown_hash(desk.state, FORMS[0])
    assert digest is not None
    assert desk.refused(INVESTIGATOR_2, ShowObject(FORMS[0], digest)).rule == "site"
    assert desk.refused(INVESTIGATOR_2, BATCH).rule == "SG-13"
    for actor in (STATISTICIAN, ADMINISTRATOR):
        assert desk.refused(actor, ShowObject(FORMS[0], digest)).rule == "role"
    display(desk, MONITOR, *FORMS)
    desk.must(MONITOR, BATCH)
    assert ALLOWED[SignBatch] == ALLOWED[ShowObject] == SIGNERS


def test_a_batch_is_held_to_every_rule_of_a_signature(desk: Desk, balli: StudyFolder) -> None:
    display(desk, INVESTIGATOR, *FORMS)
    session = decide(desk.state, Signed(BATCH, INVESTIGATOR, desk.now, "session"), balli)
    assert isinstance(session, Refused)
    assert session.rule == "SG-5"
    responsible = SignBatch(FORMS, "responsibility")
    desk.must(CRA, OpenQuery("001", "AE-1", "AETOXGR", "source?"))
    assert desk.refused(INVESTIGATOR, responsible).rule == "SG-10"
    display(desk, COORDINATOR, FORMS[0])
    assert desk.refused(COORDINATOR, SignBatch(FORMS[:1], "responsibility")).rule == "SG-2 role"
    desk.must(INVESTIGATOR, BATCH)
    again = desk.refused(INVESTIGATOR, BATCH)
    assert again.rule == "SG-6"
    assert "form:001:AE-1" in again.reason
