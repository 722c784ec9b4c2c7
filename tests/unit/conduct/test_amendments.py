"""An amendment in a running study: patients stay on their version, old answers stay, forms are checked against it."""

from datetime import timedelta

import pytest

from escalon.conduct import commands as c
from escalon.conduct.capture import commands as cap
from escalon.conduct.capture.events import PatientVersionSet
from escalon.conduct.capture.versions import affected, folder_of, patient_version, set_versions
from escalon.conduct.events import PatientEnrolled
from escalon.conduct.people.commands import ApproveVersion
from escalon.protocol import StudyFolder, load_study
from escalon.protocol.amendments import succeed
from tests.act import COORDINATOR, CRA, INVESTIGATOR, SPONSOR, Desk, enrol, opened
from tests.study_files import balli_files

PULSE = "  - {name: PULSE, label: Pulse, type: integer, required: true, unit: /min, range: [20, 250]}\n"


@pytest.fixture(scope="module")
def new(balli: StudyFolder) -> StudyFolder:
    """Height is asked no more, the pulse is."""
    files = balli_files()
    vitals = files["forms/vs.yaml"].replace(
        "required: false, unit: cm", "required: false, retired: '2', unit: cm"
    )
    vitals = vitals.replace("  - {name: ECOG", PULSE + "  - {name: ECOG")
    return succeed(load_study({**files, "forms/vs.yaml": vitals}), balli)


@pytest.fixture
def desk(balli: StudyFolder) -> Desk:
    desk = opened(balli)
    enrol(desk, "001")
    desk.must(COORDINATOR, vitals(desk, "001"))
    return desk


def vitals(desk: Desk, patient: str, **values: object) -> c.RecordForm:
    values = {"VSDTC": desk.now.isoformat(), "WEIGHT": 70, "HEIGHT": 170, **values}
    return c.RecordForm(patient, "VS", "VS-1", {k: v for k, v in values.items() if v is not None})


def amend(desk: Desk, new: StudyFolder) -> None:
    desk.folder = new
    desk.must(SPONSOR, cap.AmendStudy(new.hash, "pulse asked for"))


def test_after_an_amendment_a_patient_stays_on_the_version_consented_to(
    desk: Desk, balli: StudyFolder, new: StudyFolder
) -> None:
    amend(desk, new)
    assert desk.state.study_hash == new.hash
    assert patient_version(desk.state, "001") == balli.hash
    assert folder_of(desk.state, new, "001").hash == balli.hash
    corrected = c.RecordForm(
        "001", "VS", "VS-1", vitals(desk, "001", HEIGHT=171).values, reason="typing error"
    )
    desk.must(COORDINATOR, corrected)
    assert affected(desk.state, new.hash).sites == ("01", "02")
    assert affected(desk.state, new.hash).patients == ("001",)


def test_a_new_patient_is_on_the_version_the_site_has_approved(balli: StudyFolder, new: StudyFolder) -> None:
    desk = opened(balli)
    amend(desk, new)
    enrolled = PatientEnrolled("001", "01", "escalation", 1, "2020-01-06", None)
    (placed,) = set_versions(desk.state, (enrolled,))
    assert placed == PatientVersionSet("001", balli.hash, "2020-01-06")
    desk.must(SPONSOR, ApproveVersion("01", new.hash))
    assert set_versions(desk.state, (enrolled,)) == ()
    enrol(desk, "001")
    assert patient_version(desk.state, "001") == new.hash
    assert "not asked since version 2" in desk.refused(COORDINATOR, vitals(desk, "001", PULSE=70)).reason
    desk.must(COORDINATOR, vitals(desk, "001", HEIGHT=None, PULSE=70))


def test_reconsent_needs_the_approval_and_keeps_what_was_answered(desk: Desk, new: StudyFolder) -> None:
    amend(desk, new)
    day = desk.now.date()
    assert (
        desk.refused(INVESTIGATOR, cap.Reconsent("001", new.hash, day.isoformat())).rule == "DC-11 approval"
    )
    desk.must(SPONSOR, ApproveVersion("01", new.hash))
    late = (day + timedelta(days=1)).isoformat()
    assert desk.refused(INVESTIGATOR, cap.Reconsent("001", new.hash, late)).rule == "consent"
    desk.must(INVESTIGATOR, cap.Reconsent("001", new.hash, day.isoformat()))
    assert patient_version(desk.state, "001") == new.hash
    again = desk.refused(INVESTIGATOR, cap.Reconsent("001", new.hash, day.isoformat()))
    assert again.rule == "DC-11 version"
    assert desk.state.patients["001"].records["VS-1"].values["HEIGHT"] == 170
    kept = c.RecordForm("001", "VS", "VS-1", vitals(desk, "001", PULSE=64).values, reason="pulse added")
    desk.must(COORDINATOR, kept)
    changed = c.RecordForm("001", "VS", "VS-1", vitals(desk, "001", HEIGHT=9, PULSE=64).values, reason="x")
    assert "only an earlier answer stays" in desk.refused(COORDINATOR, changed).reason


def test_what_would_destroy_data_is_refused_with_the_item(desk: Desk, balli: StudyFolder) -> None:
    files = balli_files()
    text = files["forms/vs.yaml"].replace("Height, type: number", "Height, type: integer")
    desk.folder = succeed(load_study({**files, "forms/vs.yaml": text}), balli)
    refused = desk.refused(SPONSOR, cap.AmendStudy(desk.folder.hash, "whole centimeters"))
    assert refused.rule == "DC-12"
    assert refused.reason == "item VS.HEIGHT changes its type from number to integer; add a new item"


def test_an_amendment_needs_the_version_in_force_a_reason_and_the_sponsor(
    desk: Desk, balli: StudyFolder, new: StudyFolder
) -> None:
    assert desk.refused(SPONSOR, cap.AmendStudy(balli.hash, "x")).rule == "DC-11 version"
    desk.folder = new
    assert desk.refused(SPONSOR, cap.AmendStudy(balli.hash, "x")).rule == "study-version"
    assert desk.refused(SPONSOR, cap.AmendStudy(new.hash, " ")).rule == "reason"
    assert desk.refused(CRA, cap.AmendStudy(new.hash, "x")).rule == "role"
    desk.folder = load_study(new.texts)  # the same version, without the one before it
    assert desk.refused(SPONSOR, cap.AmendStudy(new.hash, "x")).rule == "DC-11 version"
    assert desk.refused(COORDINATOR, vitals(desk, "001")).rule == "study-version"
