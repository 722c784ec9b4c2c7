"""One command from the study folder to the report: what it writes, twice the same, and after an interruption."""

import json
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from escalon.conduct import commands as c
from escalon.pipeline import run_study
from escalon.protocol import StudyFolder, StudyFolderError
from escalon.store.execute import LedgerMismatch, LedgerWriter
from escalon.store.verify import verify_ledger
from tests.act import SPONSOR, T0
from tests.study_files import BALLI, balli_files, write_folder

ESCALON = [sys.executable, "-c", "from escalon.cli import main; main()"]


def escalon(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*ESCALON, *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "balli-01"
    result = escalon("run", BALLI, "--seed", "1", "--out", out, "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == json.loads((out / "endpoints.json").read_text())
    return out


def content(folder: Path) -> dict[str, bytes]:
    """All files but the ledger, whose database pages hold the moment of its migration."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.name.startswith("ledger.db")
    }


def test_the_endpoints_answer_what_was_registered(finished: Path) -> None:
    endpoints = json.loads((finished / "endpoints.json").read_text())
    asked = {
        "mtd_level",
        "rp2d_level",
        "n_treated",
        "n_dlt_evaluable",
        "n_dlt",
        "orr_by_visit",
        "dor",
        "pfs",
        "os",
        "clls52",
        "ae",
    }
    assert asked <= set(endpoints)
    visits = [row["visit"] for row in endpoints["orr_by_visit"]]
    assert visits == ["D28", "D56", "D84", "M3", "M6", "M9", "M12", "M15", "M18", "M21", "M24"]
    assert {"cmax", "auc"} <= set(endpoints["clls52"])
    keys = {"n_patients_any", "n_patients_serious", "related_ucart22", "related_lymphodepletion"}
    assert keys <= set(endpoints["ae"])


def test_the_numbers_agree_with_the_ledger(finished: Path) -> None:
    endpoints = json.loads((finished / "endpoints.json").read_text())
    with sqlite3.connect(finished / "ledger.db") as database:
        kinds = dict(database.execute("SELECT kind, count(*) FROM ledger_event GROUP BY kind").fetchall())
        (payload,) = database.execute(
            "SELECT value FROM ledger_event JOIN ledger_value USING (study_id, seq)"
            " WHERE kind = 'Rp2dDecided' AND side = 'new'"
        ).fetchone()
    database.close()
    assert endpoints["n_treated"] == kinds["PatientInfused"]
    assert endpoints["rp2d_level"] == json.loads(payload)["dose_level"]
    adsl = pl.read_parquet(finished / "adam" / "adsl.parquet")
    assert adsl.height == kinds["PatientEnrolled"]
    assert endpoints["n_dlt"] == adsl.filter(pl.col("DLTFL") == "Y").height
    assert endpoints["n_dlt_evaluable"] == adsl.filter(pl.col("DLTEVLFL") == "Y").height


def test_both_formats_of_every_dataset_are_written(finished: Path) -> None:
    for folder, needed in (
        ("sdtm", {"dm", "ex", "ae", "lb", "rs", "pc", "ds"}),
        ("adam", {"adsl", "adae", "adrs", "adtte", "adpc", "adpp"}),
    ):
        for suffix in (".parquet", ".xpt"):
            assert needed <= {file.stem for file in (finished / folder).glob(f"*{suffix}")}


def test_the_report_needs_no_network(finished: Path) -> None:
    page = (finished / "report.html").read_text()
    for word in ("<script src", "<link ", "@import", "url(http", 'src="http', "url(//"):
        assert word not in page
    assert "NCT04150497" in page
    assert "assumption" in page


def test_two_runs_with_one_seed_are_equal_byte_for_byte(finished: Path, tmp_path: Path) -> None:
    run_study(BALLI, tmp_path / "again", seed=1)
    assert content(tmp_path / "again") == content(finished)
    assert verify_ledger(str(tmp_path / "again" / "ledger.db")) == verify_ledger(str(finished / "ledger.db"))


def test_an_interrupted_run_verifies_and_is_continued(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "interrupted"

    class Killed(Exception):
        pass

    def kill(moment: object, done: int, to_come: int) -> None:
        if done > 600:
            raise Killed

    with pytest.raises(Killed):
        run_study(BALLI, out, seed=1, progress=kill)
    (partial,) = verify_ledger(str(out / "ledger.db"))
    assert partial.holds
    assert 0 < partial.events < verify_ledger(str(finished / "ledger.db"))[0].events
    assert not (out / "report.html").exists()
    run_study(BALLI, out, seed=1)
    assert content(out) == content(finished)
    assert verify_ledger(str(out / "ledger.db")) == verify_ledger(str(finished / "ledger.db"))


def test_a_killed_run_verifies_and_can_be_started_again(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    command = [*ESCALON, "run", str(BALLI), "--seed", "1", "--out", str(out)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while _events(out / "ledger.db") < 300 and time.monotonic() < deadline:
            time.sleep(0.02)
        process.kill()
    (partial,) = verify_ledger(str(out / "ledger.db"))
    assert partial.holds
    whole = verify_ledger(str(finished / "ledger.db"))
    assert 300 <= partial.events < whole[0].events
    assert escalon("run", BALLI, "--seed", "1", "--out", out).returncode == 0
    assert verify_ledger(str(out / "ledger.db")) == whole
    assert (out / "endpoints.json").read_bytes() == (finished / "endpoints.json").read_bytes()


def _events(path: Path) -> int:
    """Events committed so far; 0 while the file or its table is not there."""
    try:
        database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    except sqlite3.OperationalError:
        return 0
    try:
        return int(database.execute("SELECT count(*) FROM ledger_event").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
    finally:
        database.close()


def test_a_finished_ledger_is_not_mixed_with_another_seed(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "other"
    shutil.copytree(finished, out)
    before = content(out)
    with pytest.raises(LedgerMismatch, match="another run"):
        run_study(BALLI, out, seed=2)
    assert content(out) == before
    result = escalon("run", BALLI, "--seed", "2", "--out", out)
    assert result.returncode == 2
    assert "another run" in result.stderr
    assert "--fresh" in result.stderr


def test_a_fresh_run_sets_the_old_ledger_aside(tmp_path: Path, balli: StudyFolder) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with LedgerWriter(str(out / "ledger.db"), balli) as writer:
        writer.execute(c.Signed(c.OpenStudy(balli.hash, "0", "test"), SPONSOR, T0))
        old = writer.head
    assert escalon("run", BALLI, "--out", out, "--scenario", "all-toxic").returncode == 2
    assert escalon("run", BALLI, "--out", out, "--scenario", "all-toxic", "--fresh").returncode == 0
    assert verify_ledger(str(out / "ledger-1.db"))[0].head == old
    endpoints = json.loads((out / "endpoints.json").read_text())
    assert endpoints["n_treated"] == pl.read_parquet(out / "adam" / "adsl.parquet")["SAFFL"].to_list().count(
        "Y"
    )


def test_a_faulty_folder_writes_nothing_and_names_each_fault(tmp_path: Path) -> None:
    files = balli_files()
    del files["forms/pc.yaml"]
    files["study.yaml"] = files["study.yaml"].replace("dose: !assumption 1.0e+6", "dose: !assumption -1", 1)
    folder = write_folder(files, tmp_path / "study")
    with pytest.raises(StudyFolderError):
        run_study(folder, tmp_path / "out", seed=1)
    for command in (("study", "check", folder), ("run", folder, "--out", tmp_path / "out")):
        result = escalon(*command)
        assert result.returncode == 2
        lines = result.stderr.strip().splitlines()
        assert any("forms/pc.yaml" in line for line in lines)
        assert any("dose_levels.1.dose" in line and "-1" in line for line in lines)
        assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_no_utf8_text_is_named(tmp_path: Path) -> None:
    folder = write_folder(balli_files(), tmp_path / "study")
    (folder / "forms" / "ae.yaml").write_bytes(b"form: \xff\xfe")
    result = escalon("study", "check", folder)
    assert result.returncode == 2
    assert "forms/ae.yaml" in result.stderr
    assert "UTF-8" in result.stderr


def test_an_unknown_scenario_writes_nothing(tmp_path: Path) -> None:
    result = escalon("run", BALLI, "--out", tmp_path / "out", "--scenario", "sunny")
    assert result.returncode == 2
    assert "sunny" in result.stderr
    assert not (tmp_path / "out").exists()


def test_signed_reviews_are_checked_on_the_ledger_and_shown_in_the_report(finished: Path) -> None:
    ledger = finished / "ledger.db"
    with sqlite3.connect(ledger) as database:
        texts = database.execute(
            "SELECT value FROM ledger_event JOIN ledger_value USING (study_id, seq)"
            " WHERE kind = 'AuditReviewed' AND side = 'new' ORDER BY seq"
        ).fetchall()
    database.close()
    reviews = [json.loads(text) for (text,) in texts]
    fullest = max(reviews, key=lambda one: int(one["rows"]))
    assert fullest["rows"] > 10
    result = escalon("review", "check", str(fullest["audit_review"]), "--ledger", ledger)
    assert (result.returncode, result.stderr) == (0, "")
    assert "the rows that were signed" in result.stdout
    page = (finished / "report.html").read_text()
    table = page[page.index('id="t-reviews"') :].split("</table>")[0]
    signed = [row for row in reviews if row["definition"] == "critical-changes"]
    assert f'<td class="gt_right">{len(signed)}</td>' in table
    assert f'<td class="gt_right">{sum(row["rows"] for row in signed)}</td>' in table
    assert "late" not in table.replace("Data entered late", "")


def test_verify_says_whether_the_chain_holds(finished: Path, tmp_path: Path) -> None:
    assert escalon("verify", finished / "ledger.db").returncode == 0
    copy = tmp_path / "ledger.db"
    shutil.copy(finished / "ledger.db", copy)
    database = sqlite3.connect(copy)
    with database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE ledger_value SET value = value || ' ' WHERE seq = 40")
    database.close()
    result = escalon("verify", copy)
    assert result.returncode == 1
    assert "event 40" in result.stderr
    assert escalon("verify", tmp_path / "none.db").returncode == 2
