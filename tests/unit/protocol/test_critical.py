"""Critical data (DC-2): every item is confirmed by a second person or validated by a hard check that looks at it."""

import pytest

from escalon.conduct import commands as c
from escalon.conduct.capture import commands as cap
from escalon.conduct.capture import events as ev
from escalon.conduct.events import DltStatus
from escalon.conduct.roles import may
from escalon.conduct.slots.commands import ConfirmEligibility
from escalon.protocol import StudyFolder, StudyFolderError, load_study
from tests.act import COORDINATOR, INVESTIGATOR, enrol, exposure, lymphodeplete, opened
from tests.study_files import balli_files

NEEDED = {"dose given", "cells per kg", "infusion time", "eligibility", "dose-limiting toxicity"}


def test_the_reference_study_guards_all_critical_data(balli: StudyFolder) -> None:
    data = {one.name: one for one in balli.conduct.capture.critical}
    assert set(data) == NEEDED
    guarded = {name for one in data.values() for name in (*one.confirmed, *one.checked)}
    items = [(form.form, item) for form in balli.forms.values() for item in form.all_items()]
    assert {f"{form}.{item.name}" for form, item in items if item.critical} <= guarded


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("confirmed: [EX.EXDOSE]}", "confirmed: [EX.EXDOSES]}", "the study has no item EX.EXDOSES"),
        ("confirmed: [EX.EXDOSE]}", "confirmed: [EY.EXDOSE]}", "the study has no item EY.EXDOSE"),
        ("confirmed: [EX.EXDOSE]}", "confirmed: [EX.EXLOT]}", "EX.EXLOT is not `critical: true`; nobody confirms it"),
        ("EX.EXENDTC: EX-ORDER", "EX.EXENDTC: EX-GIVEN", "EX-GIVEN is soft; only a hard check refuses"),
        ("EX.EXENDTC: EX-ORDER", "EX.EXENDTC: EX-UNIT", "EX-UNIT does not look at EX.EXENDTC"),
        ("EX.EXENDTC: EX-ORDER", "EX.EXENDTC: EX-NONE", "EX has no check EX-NONE"),
        ("EX.EXENDTC: EX-ORDER", "EX.EXENDT: EX-ORDER", "the study has no item EX.EXENDT"),
        (", confirmed: [DS.DSDECOD]}", "}", "eligibility: name an item that is confirmed or checked"),
    ],
)  # fmt: skip
def test_an_item_that_is_not_guarded_is_told(old: str, new: str, words: str) -> None:
    files = balli_files()
    assert old in files["conduct.yaml"]
    files["conduct.yaml"] = files["conduct.yaml"].replace(old, new, 1)
    with pytest.raises(StudyFolderError) as error:
        load_study(files)
    assert any(str(one).startswith("conduct.yaml:") and words in str(one) for one in error.value.faults)


def test_dose_and_time_of_a_treatment_wait_for_a_second_person(balli: StudyFolder) -> None:
    desk = opened(balli)
    enrol(desk, "001")
    lymphodeplete(desk, "001")
    assert desk.refused(COORDINATOR, cap.ConfirmCritical("001", "EX-FLU-1")).rule == "DC-2"
    (confirmed,) = desk.must(INVESTIGATOR, cap.ConfirmCritical("001", "EX-FLU-1"))
    assert isinstance(confirmed, ev.CriticalConfirmed)
    assert set(confirmed.items) == {"EXDOSE", "EXSTDTC"}


@pytest.mark.parametrize(("product", "unit"), [("UCART22", "mg"), ("FLUDARABINE", "CELLS/KG")])
def test_cells_per_kg_are_for_the_cells_only(balli: StudyFolder, product: str, unit: str) -> None:
    desk = opened(balli)
    enrol(desk, "001")
    lymphodeplete(desk, "001")
    desk.now = desk.now.replace(day=desk.now.day + 5)
    planned = balli.study.dose_level(1).dose if product == "UCART22" else 30
    values = {**exposure(desk, product, desk.now, planned, planned), "EXDOSU": unit}
    assert desk.refused(COORDINATOR, c.RecordForm("001", "EX", "EX-2", values)).rule == "DC-1 EX-UNIT"


def test_who_records_an_event_does_not_judge_it_nor_does_a_coordinator_confirm_eligibility() -> None:
    judged = c.AdjudicateDlt("001", DltStatus.NO_DLT, "none", None)
    assert not any(may(role, judged) for role in ("coordinator", "investigator"))
    assert not may("medical_monitor", c.RecordForm("001", "AE", "AE-1"))
    assert not may("coordinator", ConfirmEligibility("001"))
    assert may("investigator", ConfirmEligibility("001"))
