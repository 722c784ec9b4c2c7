"""How an answer came in beside what was agreed about its item (DC-3): listed, or asked about as well."""

from dataclasses import replace
from typing import Any

import pytest

from escalon.conduct import commands as c
from escalon.conduct.capture import commands as cap
from escalon.conduct.capture.origins import AnswerSource, answer_sources
from escalon.conduct.capture.queries import SOURCE_CHECK, open_queries
from escalon.protocol import StudyFolder, load_study
from tests.act import COORDINATOR, DATA_MANAGER, Desk, enrol, opened
from tests.import_study import FORM, LONG_HEAD, import_files

FILE = LONG_HEAD + "001,ZZ,S1,D28,2020-01-07,HB,,9.1,g/dl\n001,ZZ,S1,D28,2020-01-07,DRUG,1,Anakinra,\n"
MIXED = FORM.replace("name: NOTE,", "name: NOTE, source: entered, owner: site,")


@pytest.fixture(scope="module")
def folder() -> StudyFolder:
    return load_study(import_files(MIXED))


def start(folder: StudyFolder, mismatch: str) -> Desk:
    rules = folder.conduct.capture.model_copy(update={"source_mismatch": mismatch})
    desk = opened(replace(folder, conduct=folder.conduct.model_copy(update={"capture": rules})))
    enrol(desk, "001")
    return desk


def bring(desk: Desk, text: str = FILE, reason: str = "") -> None:
    desk.must(COORDINATOR, cap.StageImport("file.csv", "z-long", text))
    desk.must(COORDINATOR, cap.ApplyImport(len(desk.state.capture.imports), text, reason))


def by_hand(values: dict[str, Any], reason: str | None = None) -> c.RecordForm:
    return c.RecordForm("001", "ZZ", "ZZ-S1", values, "D28", reason)


def sources(desk: Desk) -> dict[str, AnswerSource]:
    return {one.item: one for one in answer_sources(desk.state, desk.folder)}


def entered(desk: Desk) -> dict[str, Any]:
    return desk.state.patients["001"].records["ZZ-S1"].entered


def test_every_answer_knows_its_source_owner_and_import(folder: StudyFolder) -> None:
    desk = start(folder, "flag")
    bring(desk)
    desk.must(COORDINATOR, by_hand({**entered(desk), "NOTE": "hemolytic", "HGB": 92}, "from paper"))
    found = sources(desk)
    assert {name: (one.declared, one.came, one.agrees, one.import_number) for name, one in found.items()} == {
        "ZZDTC": ("imported", "import", True, 1),
        "HGB": ("imported", "form", False, None),
        "NOTE": ("entered", "form", True, None),
        "DRUG": ("imported", "import", True, 1),
    }
    note, drug = found["NOTE"], found["DRUG"]
    assert (note.owner, note.version, note.by, note.role) == ("site", 2, "co", "coordinator")
    assert (drug.group, drug.version, drug.file, drug.found_in) == (
        "DRUGS",
        1,
        "file.csv",
        "file of the central laboratory",
    )
    assert desk.state.capture.queries == ()


def test_an_answer_that_came_in_otherwise_is_asked_about_until_it_comes_as_agreed(
    folder: StudyFolder,
) -> None:
    desk = start(folder, "query")
    desk.must(COORDINATOR, by_hand({"ZZDTC": "2020-01-07", "HGB": 91, "NOTE": "x"}))
    (query,) = open_queries(desk.state, "001")
    assert (query.check, query.item) == (SOURCE_CHECK, "ZZDTC")
    assert query.said[0].text == (
        "ZZ.ZZDTC, ZZ.HGB: the source agreed on is imported (file of the central laboratory); "
        "the answer was entered by hand"
    )
    desk.must(COORDINATOR, by_hand({**entered(desk), "NOTE": "y"}, "typing error"))
    assert [one.query for one in open_queries(desk.state)] == [1]
    bring(desk, FILE.replace("9.1", "9.2").replace("01-07", "01-08"), "laboratory report")
    assert open_queries(desk.state) == ()
    assert desk.state.capture.queries[0].said[-1].text == "every answer came in as its item says"
    desk.must(COORDINATOR, by_hand({**entered(desk), "HGB": 60}, "from paper"))
    assert [one.query for one in open_queries(desk.state)] == [2]


def test_an_accepted_answer_is_not_asked_about_again(folder: StudyFolder) -> None:
    desk = start(folder, "query")
    desk.must(COORDINATOR, by_hand({"ZZDTC": "2020-01-07", "HGB": 91}))
    desk.must(DATA_MANAGER, cap.CloseQuery("001", 1, "the file was lost; the paper report was seen"))
    desk.must(COORDINATOR, by_hand({**entered(desk), "NOTE": "y"}, "noted"))
    assert open_queries(desk.state) == ()


def test_what_people_enter_is_asked_about_when_it_is_imported() -> None:
    typed = import_files(FORM.replace("source: imported", "source: transcribed"))
    desk = start(load_study(typed), "query")
    bring(desk)
    (query,) = open_queries(desk.state)
    assert query.said[0].text.endswith("the source agreed on is transcribed (file of the central laboratory); "
                                       "the answer was imported")  # fmt: skip
    assert {one.agrees for one in answer_sources(desk.state, desk.folder)} == {False}


def test_taking_an_import_back_brings_nothing_of_its_own(folder: StudyFolder) -> None:
    desk = start(folder, "query")
    desk.must(COORDINATOR, by_hand({"ZZDTC": "2020-01-07", "HGB": 91}))
    bring(desk, FILE.replace("9.1", "9.2"), "laboratory report")
    desk.must(COORDINATOR, cap.RollbackImport(1, "file of another patient"))
    found = sources(desk)
    assert (found["HGB"].came, found["HGB"].version, found["HGB"].agrees) == ("form", 1, False)
    assert "DRUG" not in found
    desk.must(COORDINATOR, cap.StageImport("again.csv", "z-long", FILE))


def test_a_withdrawn_record_has_no_answers(folder: StudyFolder) -> None:
    desk = start(folder, "flag")
    bring(desk)
    desk.must(COORDINATOR, cap.RollbackImport(1, "file of another patient"))
    assert sources(desk) == {}


def test_nobody_brings_in_what_is_derived() -> None:
    derived = FORM.replace("name: NOTE,", "name: NOTE, source: derived,")
    desk = start(load_study(import_files(derived)), "query")
    desk.must(COORDINATOR, by_hand({"ZZDTC": "2020-01-07", "NOTE": "x"}))
    assert not sources(desk)["NOTE"].agrees
