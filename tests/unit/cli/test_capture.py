"""`escalon import`: one file, one unit; every problem of the file is told, and then nothing is written."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from escalon.cli import app
from escalon.conduct.act import Refused
from escalon.conduct.fold import fold
from escalon.protocol import StudyFolder
from escalon.store.execute import LedgerWriter
from escalon.store.ledger import read_facts
from tests.act import COORDINATOR, enrol, opened

HEAD = "SUBJECT,SAMPLE,VISIT,COLLECTED,COUNT_UNIT,NEUT,PLAT,LYM,WBC,ALT_U_L,AST_U_L,BILI_UMOL_L\n"
ROW = "001,A1,,2020-01-07T08:00:00+00:00,/uL,1200,90000,300,2000,30,25,10\n"


@pytest.fixture
def ledger(tmp_path: Path, balli: StudyFolder) -> str:
    """A study with one patient at site 01."""
    desk = opened(balli)
    enrol(desk, "001")
    url = str(tmp_path / "ledger.db")
    with LedgerWriter(url, balli) as writer, writer.batch():
        for signed in desk.sent:
            assert not isinstance(writer.execute(signed), Refused)
    return url


def run(ledger: str, file: Path, *more: str, code: int = 0) -> str:
    args = ["import", ledger, str(file), "--study", "studies/balli-01", "--by", COORDINATOR.id, *more]
    result = CliRunner().invoke(app, args)
    assert result.exit_code == code, result.output
    return result.output


def test_a_file_is_checked_then_imported_as_one_unit(ledger: str, tmp_path: Path) -> None:
    file = tmp_path / "labs.csv"
    before = len(read_facts(ledger))
    file.write_text(HEAD + ROW.replace("1200", "many") + ROW.replace("A1", "A2").replace("/uL", "x"))
    told = run(ledger, file, code=2)
    assert "line 2, column NEUT" in told
    assert "line 3, column COUNT_UNIT" in told
    assert "nothing was written" in told
    file.write_bytes(b"\xef\xbb\xbf" + (HEAD + ROW).replace("\n", "\r\n").encode())
    assert "would be imported: 1 rows, 1 new" in run(ledger, file, "--dry-run")
    assert len(read_facts(ledger)) == before
    assert "import 1: 1 rows, 1 new, 0 changed, 0 unchanged" in run(ledger, file)
    record = fold(read_facts(ledger)).patients["001"].records["LB-A1"]
    assert (record.origin, record.by, record.values["NEUT"]) == ("import", COORDINATOR.id, 1.2)
    after = len(read_facts(ledger))
    assert "imported already" in run(ledger, file, code=2)
    changed = tmp_path / "changed.csv"
    changed.write_text(HEAD + ROW.replace("1200", "1300"))
    assert "needs a reason" in run(ledger, changed, code=2)
    assert len(read_facts(ledger)) == after
    assert "1 changed" in run(ledger, changed, "--reason", "corrected report")


def test_who_and_which_mapping_are_told_when_wrong(ledger: str, tmp_path: Path) -> None:
    file = tmp_path / "labs.csv"
    file.write_text(HEAD + ROW)
    assert "nobody of this id holds a role" in run(ledger, file, "--by", "stranger", code=2)
    assert "site-laboratory" in run(ledger, file, "--mapping", "other", code=2)
    assert "such file" in run(ledger, tmp_path / "none.csv", code=2)
