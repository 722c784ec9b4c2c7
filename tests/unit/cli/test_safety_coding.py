"""`escalon safety code`: the impact of a dictionary, recorded as one act or not at all; the dictionary is invented."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from escalon.cli import app
from escalon.conduct import commands as c
from escalon.conduct.act import Refused
from escalon.conduct.fold import fold
from escalon.protocol import StudyFolder
from escalon.store.execute import LedgerWriter
from escalon.store.ledger import read_facts
from escalon.store.verify import verify_ledger
from tests.act import COORDINATOR, DATA_MANAGER, INVESTIGATOR, adverse_event
from tests.unit.conduct.test_safety import with_event

BY = ("--by", DATA_MANAGER.id)
LLT = "99000001$Pneumonitis$99100001$$$$$$$Y$$\n99000002$Toy fever$99100002$$$$$$$Y$$\n"
PT = "99100001$Toy lung$$99400001$$$$$$$\n99100002$Toy fever$$99400001$$$$$$$\n"
HIERARCHY = (
    "99100001$99200001$99300001$99400001$Toy lung$h$g$Toy organ$T$$99400001$Y$\n"
    "99100002$99200001$99300001$99400001$Toy fever$h$g$Toy organ$T$$99400001$Y$\n"
)


@pytest.fixture
def ledger(balli: StudyFolder, tmp_path: Path) -> str:
    """A pneumonitis and a sepsis, which the dictionary does not know."""
    desk = with_event(balli)
    sepsis = adverse_event(desk, AETERM="Sepsis", AEDECOD="Sepsis")
    desk.must(COORDINATOR, c.RecordForm("001", "AE", "AE-2", sepsis))
    url = str(tmp_path / "ledger.db")
    with LedgerWriter(url, desk.folder) as writer, writer.batch():
        for signed in desk.sent:
            assert not isinstance(writer.execute(signed), Refused)
    return url


def toy(folder: Path, llt: str = LLT, pt: str = PT) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in (("llt.asc", llt), ("pt.asc", pt), ("mdhier.asc", HIERARCHY)):
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def run(ledger: str, folder: Path, version: str, *more: str, code: int = 0) -> str:
    options = ("--dictionary", str(folder), "--dictionary-version", version)
    result = CliRunner().invoke(app, ["safety", "code", ledger, *options, *more])
    assert result.exit_code == code, result.output
    return result.output


def standings(ledger: str, folder: Path, version: str) -> list[str]:
    return [row["standing"] for row in json.loads(run(ledger, folder, version, "--json"))["events"]]


def test_events_are_coded_and_go_over_to_the_next_version(ledger: str, tmp_path: Path) -> None:
    first, before = toy(tmp_path / "toy-1"), len(read_facts(ledger))
    said = run(ledger, first, "toy-1")
    assert "1 new, 1 not found" in said
    assert "Nothing is recorded; 1 codes would be" in said
    assert len(read_facts(ledger)) == before
    assert "is none of data_manager" in run(ledger, first, "toy-1", "--by", INVESTIGATOR.id, code=2)
    assert "1 codes are recorded" in run(ledger, first, "toy-1", *BY)
    assert "is coded so already" in run(ledger, first, "toy-1", *BY, code=2)

    second = toy(tmp_path / "toy-2", pt=PT.replace("$Toy lung$", "$Toy lungs$"))
    assert standings(ledger, second, "toy-2") == ["PT", "not found"]
    assert "say why codes" in run(ledger, second, "toy-2", *BY, code=2)
    choices = tmp_path / "choices.csv"
    choices.write_text("patient,record,llt\n001,AE-2,Toy fever\n", encoding="utf-8")
    run(ledger, second, "toy-2", *BY, "--reason", "yearly", "--choices", str(choices))
    codings = fold(read_facts(ledger)).safety.codings
    assert {key: (one.version, one.pt_term) for key, one in codings.items()} == {
        "001:AE-1": ("toy-2", "Toy lungs"),
        "001:AE-2": ("toy-2", "Toy fever"),
    }
    assert "No code changes with version toy-2" in run(ledger, second, "toy-2")
    assert verify_ledger(ledger)[0].holds


def test_a_retired_term_of_a_coded_event_asks_for_a_choice(ledger: str, tmp_path: Path) -> None:
    run(ledger, toy(tmp_path / "toy-1"), "toy-1", *BY)
    choices = tmp_path / "choices.csv"
    choices.write_text("patient,record,llt\n001,AE-2,Toy fever\n", encoding="utf-8")
    run(ledger, tmp_path / "toy-1", "toy-1", *BY, "--choices", str(choices))
    retired = toy(tmp_path / "toy-2", llt=LLT.replace("$Y$", "$N$", 1))
    assert standings(ledger, retired, "toy-2") == ["retired", "same"]
    facts = len(read_facts(ledger))
    said = run(ledger, retired, "toy-2", *BY, "--reason", "yearly", code=2)
    assert "would stay on another version than toy-2" in said
    assert len(read_facts(ledger)) == facts


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("patient,llt\n", "line 1: the header must be patient,record,llt"),
        ("patient,record,llt\n001,AE-2\n", "line 2: 3 cells are needed"),
        (
            "patient,record,llt\n001,AE-2,Toy fever\n001,AE-2,Toy fever\n",
            "line 3: patient 001, AE-2 stands twice",
        ),
        ("patient,record,llt\n001,AE-7,Toy fever\n", "there is no such event"),
        ("patient,record,llt\n001,AE-2,Cough\n", "is not a lowest level term"),
    ],
)
def test_a_faulty_list_of_choices_is_refused(ledger: str, tmp_path: Path, text: str, said: str) -> None:
    choices = tmp_path / "choices.csv"
    choices.write_text(text, encoding="utf-8")
    facts = len(read_facts(ledger))
    assert said in run(ledger, toy(tmp_path / "toy"), "toy-1", *BY, "--choices", str(choices), code=2)
    assert len(read_facts(ledger)) == facts
