"""`escalon import`: one file, one unit; every problem of the file is told, and then nothing is written."""

import csv
import io
import json
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner

from escalon.cli import app
from escalon.conduct.act import Refused
from escalon.conduct.fold import fold
from escalon.protocol import StudyFolder, load_study
from escalon.store.execute import LedgerWriter
from escalon.store.ledger import read_facts
from tests.act import COORDINATOR, enrol, opened
from tests.study_files import balli_files

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


EXTRA = "001,A3,,2020-01-09T08:00:00+00:00,10^9/L,1.5,90,0.3,2.1,30,25,10\n"


def table(told: str, *names: str) -> list[str]:
    """The values of the rows of a printed table."""
    return [
        line.split("  ")[-1].strip() for name in names for line in told.splitlines() if f"  {name}  " in line
    ]


def run(ledger: str, file: Path | None, *more: str, code: int = 0) -> str:
    named = (
        ["--mapping", "site-laboratory"] if file and "--mapping" not in more and "--undo" not in more else []
    )
    args = ["import", ledger, *([str(file)] if file else []), *named]
    args += ["--study", "studies/balli-01", "--by", COORDINATOR.id, *more]
    result = CliRunner().invoke(app, args)
    assert result.exit_code == code, result.output
    return result.output


def test_a_file_is_checked_then_imported_as_one_unit(ledger: str, tmp_path: Path) -> None:
    file = tmp_path / "labs.csv"
    before = len(read_facts(ledger))
    file.write_text(HEAD + ROW.replace("1200", "many") + ROW.replace("A1", "A2").replace("/uL", "x") + EXTRA)
    told = run(ledger, file, code=2)
    assert "line 2, column NEUT" in told
    assert "line 3, column COUNT_UNIT" in told
    assert "nothing was written" in told
    assert table(told, "rows in the file", "rows accepted", "rows refused") == ["3", "1", "2"]
    file.write_bytes(b"\xef\xbb\xbf" + (HEAD + ROW).replace("\n", "\r\n").encode())
    dry = run(ledger, file, "--dry-run")
    assert dry.startswith("would be imported")
    assert table(dry, "records new", "versions written") == ["1", "0"]
    assert len(read_facts(ledger)) == before
    done = run(ledger, file)
    assert done.startswith("import 1\n")
    names = ("rows in the file", "rows accepted", "rows refused", "records new", "versions written")
    assert table(done, *names) == ["1", "1", "0", "1", "1"]
    assert table(done, "answers read back") == ["8, all as in the file"]
    assert table(done, "SHA-256") == [sha256((HEAD + ROW).replace("\n", "\r\n").encode()).hexdigest()]
    record = fold(read_facts(ledger)).patients["001"].records["LB-A1"]
    assert (record.origin, record.by, record.values["NEUT"]) == ("import", COORDINATOR.id, 1.2)
    after = len(read_facts(ledger))
    assert "imported already" in run(ledger, file, code=2)
    changed = tmp_path / "changed.csv"
    changed.write_text(HEAD + ROW.replace("1200", "1300"))
    assert "needs a reason" in run(ledger, changed, code=2)
    assert len(read_facts(ledger)) == after
    assert table(run(ledger, changed, "--reason", "corrected report"), "records changed") == ["1"]


def test_an_import_is_taken_back_from_the_terminal(ledger: str, tmp_path: Path) -> None:
    file = tmp_path / "labs.csv"
    file.write_text(HEAD + ROW)
    run(ledger, file)
    file.write_text(HEAD + ROW.replace("1200", "1300") + EXTRA)
    run(ledger, file, "--reason", "corrected report")
    before = len(read_facts(ledger))
    assert "needs a reason" in run(ledger, None, "--undo", "2", code=2)
    assert "there is no import 7" in run(ledger, None, "--undo", "7", "--reason", "x", code=2)
    assert "either a FILE" in run(ledger, file, "--undo", "2", code=2)
    assert "belongs to --undo" in run(ledger, file, "--keep", "001:LB-A1", code=2)
    assert "belong to a FILE" in run(ledger, None, "--undo", "2", "--dry-run", code=2)
    assert len(read_facts(ledger)) == before
    told = run(ledger, None, "--undo", "2", "--reason", "file of another patient")
    assert told.startswith("import 2 is taken back\n")
    assert table(told, "records of the import", "earlier version again", "withdrawn") == ["2", "1", "1"]
    records = fold(read_facts(ledger)).patients["001"].records
    assert (records["LB-A1"].values["NEUT"], records["LB-A3"].withdrawn) == (1.2, True)


def test_a_file_that_is_no_text_is_named(ledger: str, tmp_path: Path) -> None:
    file = tmp_path / "labs.csv"
    file.write_bytes(HEAD.encode() + b"\xff\xfe")
    assert "labs.csv: is no UTF-8 text" in run(ledger, file, code=2)


def test_who_and_which_mapping_are_told_when_wrong(ledger: str, tmp_path: Path) -> None:
    file = tmp_path / "labs.csv"
    file.write_text(HEAD + ROW)
    assert "nobody of this id holds a role" in run(ledger, file, "--by", "stranger", code=2)
    assert "site-laboratory" in run(ledger, file, "--mapping", "other", code=2)
    assert "such file" in run(ledger, tmp_path / "none.csv", code=2)


def test_how_every_answer_came_in_is_printed_beside_what_was_agreed(ledger: str, tmp_path: Path) -> None:
    file = tmp_path / "labs.csv"
    file.write_text(HEAD + ROW)
    run(ledger, file)
    args = ["study", "sources", "studies/balli-01", "--ledger", ledger]
    told = CliRunner().invoke(app, args)
    assert told.exit_code == 0, told.output
    agreed = source_of("LB")
    counted = next(line.split() for line in told.output.splitlines() if line.startswith("LB.NEUT "))
    assert counted[:6] == ["LB.NEUT", "site", agreed, "1", "0", "1"]
    rows = list(csv.DictReader(io.StringIO(CliRunner().invoke(app, [*args, "--csv"]).output)))
    neut = next(row for row in rows if row["item"] == "NEUT")
    assert (neut["patient"], neut["record"], neut["came"], neut["file"]) == (
        "001",
        "LB-A1",
        "import",
        "labs.csv",
    )
    assert (neut["by"], neut["declared"], neut["import_number"]) == (COORDINATOR.id, agreed, "1")
    assert {row["agrees"] for row in rows} == {"Y" if agreed == "imported" else "N"}
    answer = json.loads(CliRunner().invoke(app, [*args, "--json"]).output)
    assert (len(answer["answers"]), answer["items"][0]["answers"]) == (len(rows), 1)
    assert "there is no ledger" in CliRunner().invoke(app, [*args[:-1], str(tmp_path / "none.db")]).output


def source_of(form: str) -> str:
    return load_study(balli_files()).forms[form].source
