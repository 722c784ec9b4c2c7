"""`escalon decision replay` needs the ledger only: it keeps every version of its study."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from escalon.cli import app
from escalon.conduct import commands as c
from escalon.conduct.capture.commands import AmendStudy
from escalon.protocol import StudyFolder, load_study
from escalon.store.execute import LedgerWriter
from tests.act import SPONSOR, STATISTICIAN, Desk, observe_cohort, opened
from tests.databases import ask, disarm
from tests.study_files import BALLI, balli_files, write_folder


def escalon(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def recommended(balli: StudyFolder) -> Desk:
    desk = opened(balli)
    observe_cohort(desk, ["001", "002", "003"])
    desk.must(STATISTICIAN, c.RequestRecommendation())
    return desk


@pytest.fixture(scope="module")
def ledger(recommended: Desk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger whose study went over to another plan after its first recommendation."""
    folder = tmp_path_factory.mktemp("replay")
    files = balli_files()
    files["study.yaml"] = files["study.yaml"].replace(
        "epsilon_1: !assumption 0.05", "epsilon_1: !assumption 0.01"
    )
    write_folder(files, folder / "amended")
    with LedgerWriter(str(folder / "ledger.db"), recommended.folder) as writer, writer.batch():
        for signed in recommended.sent:
            assert not isinstance(writer.execute(signed), c.Refused)
    amended = load_study(files)
    with LedgerWriter(str(folder / "ledger.db"), amended) as writer:
        amend = c.Signed(AmendStudy(amended.hash, "narrower interval"), SPONSOR, recommended.now)
        assert not isinstance(writer.execute(amend), c.Refused)
    return folder / "ledger.db"


def test_a_recommendation_before_an_amendment_is_replayed_from_the_ledger_alone(ledger: Path) -> None:
    for study in ((), ("--study", ledger.parent / "amended"), ("--study", BALLI)):
        result = escalon("decision", "replay", "1", "--ledger", ledger, *study)
        assert result.exit_code == 0, result.output
        assert "the replay gives the same bytes" in result.stdout


def test_a_recommendation_is_replayed_from_an_export_with_no_database_and_no_folder(
    ledger: Path, tmp_path: Path
) -> None:
    export = tmp_path / "export.jsonl"
    assert escalon("export", ledger, "--out", export).exit_code == 0
    offline = escalon("decision", "replay", "1", "--ledger", export)
    assert offline.exit_code == 0, offline.output
    assert offline.stdout == escalon("decision", "replay", "1", "--ledger", ledger).stdout
    text = export.read_text(encoding="utf-8")
    export.write_text(text.replace("epsilon_1: !assumption 0.05", "epsilon_1: !assumption 0.04", 1))
    forged = escalon("decision", "replay", "1", "--ledger", export)
    assert forged.exit_code == 2
    assert "is not what its hash says" in forged.stderr


def test_a_ledger_without_kept_versions_asks_for_the_folder(ledger: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.db"
    bare.write_bytes(ledger.read_bytes())
    disarm(str(bare))
    ask(str(bare), "DELETE FROM study_version")
    result = escalon("decision", "replay", "1", "--ledger", bare)
    assert result.exit_code == 2
    assert "name the study folder with --study" in result.stderr
    assert escalon("decision", "replay", "1", "--ledger", bare, "--study", BALLI).exit_code == 0
    result = escalon("decision", "replay", "1", "--ledger", bare, "--study", ledger.parent / "amended")
    assert result.exit_code == 2
    assert "replay needs that version" in result.stderr


def test_an_unknown_recommendation_is_one_sentence(ledger: Path) -> None:
    result = escalon("decision", "replay", "7", "--ledger", ledger)
    assert result.exit_code == 2
    assert result.stderr == "there is no recommendation 7; the ledger holds 1\n"
