"""Commands on a ledger: what they print, what they refuse with exit code 2 and one sentence, nothing half written."""

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from escalon.cli import app
from escalon.conduct import commands as c
from escalon.protocol import StudyFolder
from escalon.store.execute import LedgerWriter
from escalon.store.verify import verify_ledger
from tests.act import COORDINATOR, adverse_event
from tests.databases import ask
from tests.study_files import BALLI, balli_files, write_folder
from tests.unit.store.acts import after_story

SECRET = "Mrs Jane Doe of Elm Street"
COUNT = "SELECT count(*) FROM ledger_event"


def escalon(*arguments: str | Path | int) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def good(*arguments: str | Path | int) -> str:
    result = escalon(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*arguments: str | Path | int) -> str:
    """The one sentence a wrong call gets."""
    result = escalon(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line


@pytest.fixture(scope="module")
def template(balli: StudyFolder, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A ledger that holds a name in its last record."""
    desk = after_story(balli)
    desk.must(COORDINATOR, c.RecordForm("001", "AE", "AE-1", adverse_event(desk, AETERM=SECRET)))
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    with LedgerWriter(str(path), balli) as writer, writer.batch():
        for signed in desk.sent:
            assert not isinstance(writer.execute(signed), c.Refused)
    return path.read_bytes()


@pytest.fixture
def ledger(template: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    path.write_bytes(template)
    return path


def named(ledger: Path) -> int:
    ((seq,),) = ask(str(ledger), "SELECT seq FROM ledger_value WHERE value LIKE ?", f"%{SECRET}%")
    return int(seq)


def test_two_persons_redact(ledger: Path) -> None:
    seq = named(ledger)
    request = ("redact", ledger, "--event", seq, "--item", "values.AETERM", "--reason", "personal data")
    said = good(*request, "--by", "dm")
    assert f"redaction 1 of event {seq} is requested; nothing is destroyed yet" in said
    assert f"escalon redact {ledger} --confirm 1 --by PERSON" in said
    assert named(ledger) == seq
    assert "another person confirms" in refused("redact", ledger, "--confirm", 1, "--by", "dm")
    said = good("redact", ledger, "--study", BALLI, "--confirm", 1, "--by", "m")
    assert f"redaction 1 is done: event {seq} reads 'redacted'" in said
    assert ask(str(ledger), "SELECT count(*) FROM ledger_value WHERE value LIKE ?", f"%{SECRET}%") == [(0,)]
    assert verify_ledger(str(ledger))[0].holds


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--by", "dm"), "either --event"),
        (("--by", "dm", "--event", "1", "--confirm", "1"), "either --event"),
        (("--by", "dm", "--confirm", "1", "--reason", "x"), "belong to the request"),
        (("--by", "dm", "--confirm", "1"), "no redaction 1 that waits"),
        (("--by", "nobody", "--confirm", "1"), "no person with this id"),
        (("--by", "co", "--confirm", "1"), "none of data_manager, medical_monitor, sponsor"),
        (("--by", "dm", "--event", "9999", "--item", "reason", "--reason", "x"), "no event 9999"),
        (("--by", "dm", "--event", "1", "--item", "study_id", "--reason", "x"), "no free text"),
        (("--by", "dm", "--event", "1", "--reason", "x"), "name each item"),
        (("--by", "dm", "--event", "1", "--item", "reason"), "needs a reason"),
    ],
)
def test_a_wrong_redaction_writes_nothing(ledger: Path, arguments: tuple[str, ...], sentence: str) -> None:
    before = ask(str(ledger), COUNT)
    assert sentence in refused("redact", ledger, *arguments)
    assert ask(str(ledger), COUNT) == before


def test_a_command_on_no_ledger_makes_none(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere.db"
    for command in (
        ("redact", nowhere, "--confirm", 1, "--by", "dm"),
        ("amend", nowhere, BALLI, "--by", "s", "--reason", "x"),
        ("export", nowhere, "--out", tmp_path / "out.jsonl"),
        ("verify", nowhere),
        ("checkpoint", nowhere, "--key", tmp_path / "key.pem", "--new-key"),
        ("backup", nowhere, "--out", tmp_path / "backup"),
        ("store", "rebuild", nowhere, "--check"),
    ):
        assert "there is no ledger at this path" in refused(*command), command
    assert list(tmp_path.iterdir()) == []


def test_an_amendment_is_adopted_and_printed(ledger: Path, tmp_path: Path) -> None:
    files = balli_files()
    files["forms/vs.yaml"] = files["forms/vs.yaml"].replace("range: [25, 250]", "range: [20, 250]")
    assert files["forms/vs.yaml"] != balli_files()["forms/vs.yaml"]
    new = write_folder(files, tmp_path / "new")
    call = ("amend", ledger, new, "--by", "s", "--reason", "lighter patients")
    before = ask(str(ledger), COUNT)
    assert "is none of sponsor" in refused("amend", ledger, new, "--by", "dm", "--reason", "x")
    assert "needs a reason" in refused("amend", ledger, new, "--by", "s", "--reason", " ")
    assert "on this version already" in refused("amend", ledger, BALLI, "--by", "s", "--reason", "x")
    assert ask(str(ledger), COUNT) == before
    said = good(*call)
    assert "WEIGHT" in said
    assert "the study is on version" in said
    assert "on this version already" in refused(*call)
    assert ask(str(ledger), "SELECT count(*) FROM study_version") == [(2,)]


def test_a_checkpoint_and_an_export_are_verified_with_the_key(ledger: Path, tmp_path: Path) -> None:
    key, out = tmp_path / "key.pem", tmp_path / "study.jsonl"
    made = json.loads(good("checkpoint", ledger, "--key", key, "--new-key", "--published-to", "sites"))
    assert made["root"] == verify_ledger(str(ledger))[0].head
    assert made["public_key"] in good("export", ledger, "--out", out, "--key", key)
    assert "the chain holds" in good("verify", out, "--key", made["public_key"], "--head", made["root"])
    wrong = escalon("verify", out, "--key", "0" * 64)
    assert wrong.exit_code == 1
    assert "not by the key expected" in wrong.stderr
    assert "64 hexadecimal digits" in refused("verify", out, "--key", "abc")
    assert "64 hexadecimal digits" in refused("verify", out, "--head", "zz")
    assert "a key is for exports" in refused("verify", ledger, "--key", made["public_key"])
    assert "key.pem" in refused("checkpoint", ledger, "--key", key, "--new-key")
    assert "no private key in PEM" in refused("export", ledger, "--out", tmp_path / "x", "--key", out)
    assert "name one study" in refused("export", ledger, "--out", tmp_path / "x", "--study-id", "OTHER")
    assert sorted(file.name for file in tmp_path.glob("x*")) == []


def test_a_backup_is_written_and_restored(ledger: Path, tmp_path: Path) -> None:
    backup, new = tmp_path / "backup", tmp_path / "new.db"
    said = good("backup", ledger, "--out", backup)
    assert "1 version of the study" in said
    assert "accounts are not in it: the database of the ledger holds none" in said
    assert "not signed; --key signs it" in said
    assert "exists already" in refused("backup", ledger, "--out", backup)
    restore = ("restore", backup, "--into", new, "--study", BALLI, "--by", "s", "--reason", "disk failure")
    assert "its tail is missing" in refused(*restore, "--head", "f" * 64)
    by_dm = ("dm" if part == "s" else part for part in restore)
    assert "dm is no administrator or sponsor at this time" in refused(*by_dm)
    assert not new.exists()
    said = good(*restore)
    assert "the chain holds" in said
    assert ask(str(new), "SELECT count(*) FROM study_version") == [(1,)]
    assert "empty ledger only" in refused(*restore)
    assert "no backup" in refused("restore", tmp_path, *restore[2:])


def test_derived_tables_are_compared_and_written_again(ledger: Path) -> None:
    assert good("store", "rebuild", ledger, "--check") == "the derived tables are what the ledger says\n"
    ask(str(ledger), "INSERT INTO seat VALUES ('BALLI-01', 1, 99, 1)")
    for arguments in (("--check",), ("--check", "--json"), ()):
        found = escalon("store", "rebuild", ledger, *arguments)
        assert found.exit_code == 1
        assert "changed without an event" in found.output
    assert good("store", "rebuild", ledger, "--check") == "the derived tables are what the ledger says\n"


def test_the_rights_of_the_writing_role_are_printed(ledger: Path) -> None:
    said = good("store", "roles", "--writer", "trial_writer")
    assert "GRANT SELECT, INSERT ON ledger_event" in said
    assert "trial_writer;" in said
    assert "plain role name" in refused("store", "roles", "--writer", "x; DROP TABLE ledger_event")
    assert "roles are for PostgreSQL" in refused("store", "roles", "--apply", ledger)


def test_the_moment_of_an_act_is_that_of_the_server(ledger: Path) -> None:
    seq = named(ledger)
    good(
        "redact", ledger, "--event", seq, "--item", "values.AETERM", "--reason", "personal data", "--by", "m"
    )
    ((at, name, role),) = ask(
        str(ledger), "SELECT at, actor_name, role FROM ledger_event ORDER BY seq DESC LIMIT 1"
    )
    assert abs((datetime.now().astimezone() - datetime.fromisoformat(at)).total_seconds()) < 600
    assert (name, role) == ("Monitor", "medical_monitor")


@pytest.mark.parametrize(
    "command",
    [("holds",), ("store", "rebuild"), ("store", "rebuild", "--check"), ("export", "--out", "o.jsonl")],
)
def test_what_is_no_ledger_is_named_and_left_as_it_is(command: tuple[str, ...], tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    ask(str(other), "CREATE TABLE samples (tube TEXT)")
    empty, text = tmp_path / "empty.db", tmp_path / "letter.txt"
    empty.touch()
    text.write_text("Dear all, " * 500, encoding="utf-8")
    before = other.read_bytes()
    for path in (other, empty):
        assert refused(*command, path) == f"{path}: holds no ledger of Escalon (it has no table ledger_event)"
    assert ask(str(other), "SELECT name FROM sqlite_master") == [("samples",)]
    assert len(other.read_bytes()) == len(before)
    assert empty.stat().st_size <= 4096
    assert refused(*command, text) == f"{text}: not a readable ledger: file is not a database"
    assert text.read_text(encoding="utf-8") == "Dear all, " * 500


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    said = refused("holds", "postgresql://nobody:a-secret@127.0.0.1:1/trial")
    assert said.startswith(
        "postgresql://nobody:***@127.0.0.1:1/trial: not a readable ledger: connection failed"
    )
    assert "a-secret" not in said


def test_what_the_database_refuses_is_one_sentence(ledger: Path) -> None:
    ask(
        str(ledger),
        "CREATE TRIGGER full BEFORE INSERT ON ledger_event BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    )
    ((before,),) = ask(str(ledger), COUNT)
    request = (
        "redact",
        ledger,
        "--event",
        named(ledger),
        "--item",
        "values.AETERM",
        "--reason",
        "personal data",
    )
    assert refused(*request, "--by", "dm") == "the database refused, and nothing was written: disk full"
    assert ask(str(ledger), COUNT) == [(before,)]


def test_a_command_that_asks_for_a_password_works_as_a_program_of_its_own(
    ledger: Path, tmp_path: Path
) -> None:
    """In the process of the tests Django is set up already; in a terminal it is not."""
    wish = ("--by", "nobody", "--role", "monitor", "--reason", "fire", "--hours", "2")
    program = [sys.executable, "-c", "from escalon.cli import main; main()", "break-glass"]
    for path, words in ((ledger, "no person with this id"), (tmp_path / "missing.db", "there is no ledger")):
        done = subprocess.run(
            [*program, path, *wish], capture_output=True, text=True, input="x\n", check=False
        )
        assert done.returncode == 2, done.stderr
        assert words in done.stderr
    assert not (tmp_path / "missing.db").exists()


def test_a_ledger_on_a_medium_nobody_may_write_to_is_read(ledger: Path, tmp_path: Path) -> None:
    """An inspector's copy: verified, read and exported as it lies there; what would write says why it cannot."""
    medium = tmp_path / "medium"
    medium.mkdir()
    copy = medium / "ledger.db"
    copy.write_bytes(ledger.read_bytes())
    copy.chmod(0o444)
    medium.chmod(0o555)
    try:
        assert "the chain holds" in without_rights("verify", copy)
        assert "nothing is held" in without_rights("holds", copy)
        assert "not signed" in without_rights("export", copy, "--out", tmp_path / "export.jsonl")
        wish = (
            "redact",
            copy,
            "--event",
            named(ledger),
            "--item",
            "values.AETERM",
            "--reason",
            "personal data",
        )
        said = without_rights(*wish, "--by", "dm")
        assert said == f"{copy}: the file or its folder may not be written; it can be read only"
        assert [path.name for path in medium.iterdir()] == ["ledger.db"]
    finally:
        medium.chmod(0o755)


def without_rights(*arguments: str | Path | int) -> str:
    """What the program prints to somebody who may not write where the file does not say so; root always may."""
    dropped = "-dac_override,-dac_read_search"
    drop = ["setpriv", "--bounding-set", dropped, "--inh-caps", dropped] if os.geteuid() == 0 else []
    program = [*drop, sys.executable, "-c", "from escalon.cli import main; main()", *map(str, arguments)]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 2), done.stderr
    return (done.stdout + done.stderr).strip()


OUTPUTS = [
    ("export", "LEDGER"),
    ("calendar", "LEDGER", "--site", "01"),
    ("casebook", "LEDGER", "--patient", "001"),
    ("decision", "packet", "1", "--ledger", "LEDGER", "--study", str(BALLI)),
    ("safety", "icsr", "LEDGER", "--case", "1"),
]


@pytest.mark.parametrize("command", OUTPUTS, ids=lambda command: command[0])
def test_no_output_takes_the_place_of_a_ledger_a_key_a_folder_or_a_device(
    command: tuple[str, ...], ledger: Path, tmp_path: Path
) -> None:
    wish = [str(ledger) if word == "LEDGER" else word for word in command]
    key = tmp_path / "key.pem"
    key.write_text("-----BEGIN PRIVATE KEY-----\n", encoding="utf-8")
    before = ledger.read_bytes()
    for out, words in (
        (ledger, "is a database and is not written over; name another file"),
        (key, "is a key and is not written over; name another file"),
        (tmp_path, "is a folder; name a file"),
        (Path("/dev/null"), "is no plain file; nothing was written"),
    ):
        assert refused(*wish, "--out", out) == f"{out}: {words}"
    assert ledger.read_bytes() == before
    assert key.read_text(encoding="utf-8") == "-----BEGIN PRIVATE KEY-----\n"
    assert Path("/dev/null").is_char_device()
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        ("2020-01-01", "a moment needs its zone; right is 2020-01-01T00:00:00Z for UTC"),
        ("0001-01-01T00:00:00+14:00", "no calendar goes there"),
        ("9999-12-31T23:59:59-14:00", "no calendar goes there"),
    ],
)
def test_a_moment_that_is_none_says_what_would_be_right(ledger: Path, moment: str, words: str) -> None:
    assert refused("holds", ledger, "--at", moment) == f"--at {moment}: {words}"


def test_a_place_that_is_not_there_is_named_first(ledger: Path, tmp_path: Path) -> None:
    out = tmp_path / "no" / "export.jsonl"
    assert refused("export", ledger, "--out", out) == f"{out}.part: no such file or directory"
