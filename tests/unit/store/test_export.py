"""An export verifies without a database, and finds any single altered byte in it."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from escalon.conduct import commands as c
from escalon.conduct.canonical import canonical
from escalon.conduct.fold import fold
from escalon.protocol import StudyFolder
from escalon.protocol.load import folder_hash
from escalon.store.connection import LedgerUnavailable
from escalon.store.custody import write_checkpoint, write_export
from escalon.store.execute import LedgerWriter
from escalon.store.export import checkpoint_line, read_export, verify_export
from escalon.store.facts import to_fact
from escalon.store.ledger import read_facts
from escalon.store.signing import Checkpoint, new_key, read_key
from escalon.store.source import read_source
from escalon.store.verify import verify_ledger
from tests.databases import ask
from tests.unit.store.acts import commands, event_count

AT = "2026-11-22T12:00:00+00:00"
OTHER_PROGRAM = """
import sys
from escalon.store.verify import verify_ledger
(result,) = verify_ledger(sys.argv[1])
assert result.holds, result.problems
assert not any(name.split(".")[0] in ("django", "sqlite3", "psycopg") for name in sys.modules)
print(result.events)
"""


def written(url: str, folder: StudyFolder, acts: int | None = None) -> str:
    with LedgerWriter(url, folder) as writer:
        for signed in commands(folder)[:acts]:
            assert not isinstance(writer.execute(signed), c.Refused)
        return writer.head


def test_an_export_is_verified_by_a_program_without_django(
    url: str, balli: StudyFolder, tmp_path: Path
) -> None:
    head = written(url, balli)
    public = new_key(tmp_path / "key.pem")
    write_export(url, tmp_path / "export.jsonl", AT, read_key(tmp_path / "key.pem"))
    (result,) = verify_ledger(str(tmp_path / "export.jsonl"), head, public)
    assert result.holds, result.problems
    assert (result.events, result.head) == (event_count(balli), head)
    assert result == verify_ledger(url, head)[0]
    program = [sys.executable, "-c", OTHER_PROGRAM, str(tmp_path / "export.jsonl")]
    found = subprocess.run(program, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert int(found.stdout) == event_count(balli)


@pytest.mark.parametrize("signed", [True, False])
def test_every_altered_byte_is_found(tmp_path: Path, balli: StudyFolder, signed: bool) -> None:
    """Names, punctuation, values, line ends: all of header and checkpoint, and a sample of the events."""
    path = tmp_path / "export.jsonl"
    written(str(tmp_path / "ledger.db"), balli, acts=2)
    new_key(tmp_path / "key.pem")
    write_export(str(tmp_path / "ledger.db"), path, AT, read_key(tmp_path / "key.pem") if signed else None)
    content = path.read_bytes()
    assert verify_export(path).holds
    header, closing = content.index(b"\n") + 1, content.rindex(b"\n", 0, -1)
    version = content.index(b"\n", header)
    events = range(version, closing, 7 if signed else 13)
    texts = (*range(header, header + 40), *range(header + 40, version, 4999), *range(version - 90, version))
    for place in (*range(header), *texts, *events, *range(closing, len(content))):
        altered = bytearray(content)
        altered[place] ^= 1
        path.write_bytes(altered)
        assert not verify_export(path).holds, content[max(0, place - 20) : place + 20]
    path.write_bytes(content)
    assert verify_export(path).holds


def test_lines_taken_away_added_or_swapped_are_found(tmp_path: Path, balli: StudyFolder) -> None:
    path = tmp_path / "export.jsonl"
    written(str(tmp_path / "ledger.db"), balli)
    write_export(str(tmp_path / "ledger.db"), path, AT)
    lines = path.read_bytes().splitlines(keepends=True)
    for changed in (
        lines[:-1],
        lines[:-2] + lines[-1:],
        lines[:3] + lines[4:],
        [*lines[:2], lines[3], lines[2], *lines[4:]],
        [*lines, lines[-1]],
        lines[1:],
        [],
    ):
        path.write_bytes(b"".join(changed))
        assert not verify_export(path).holds


def test_a_rewritten_export_does_not_pass_for_one_signed_with_the_key_expected(
    tmp_path: Path, balli: StudyFolder
) -> None:
    path = tmp_path / "export.jsonl"
    written(str(tmp_path / "ledger.db"), balli)
    public = new_key(tmp_path / "key.pem")
    other = new_key(tmp_path / "other.pem")
    write_export(str(tmp_path / "ledger.db"), path, AT, read_key(tmp_path / "other.pem"))
    assert verify_export(path).holds
    assert verify_export(path, key=other).holds
    (problem,) = verify_export(path, key=public).problems
    assert "not by the key expected" in problem
    write_export(str(tmp_path / "ledger.db"), path, AT)
    assert verify_export(path).holds
    assert not verify_export(path, key=public).holds


def test_a_checkpoint_is_kept_and_says_what_the_head_was(
    url: str, balli: StudyFolder, tmp_path: Path
) -> None:
    head = written(url, balli)
    public = new_key(tmp_path / "key.pem")
    assert (tmp_path / "key.pem").stat().st_mode & 0o077 == 0
    made = write_checkpoint(url, read_key(tmp_path / "key.pem"), AT, published_to="sponsor, sites")
    assert (made.upto_seq, made.root, made.public_key) == (event_count(balli), head, public)
    assert made.problem(public) is None
    again = write_checkpoint(url, read_key(tmp_path / "key.pem"), AT)
    assert again == made
    rows = ask(url, "SELECT upto_seq, root, at, public_key, signature, published_to FROM ledger_checkpoint")
    assert rows == [(made.upto_seq, head, AT, public, made.signature, "sponsor, sites")]
    for statement in ("DELETE FROM ledger_checkpoint", "UPDATE ledger_checkpoint SET root = 'x'"):
        with pytest.raises(Exception, match="append-only"):
            ask(url, statement)
    for name in ("study_id", "root", "at", "signature", "public_key"):
        value = getattr(made, name)
        changed = {field: getattr(made, field) for field in Checkpoint.__slots__}
        changed[name] = ("0" if value[0] != "0" else "1") + value[1:]
        assert Checkpoint(**changed).problem() is not None


def test_what_is_signed_is_written_down(tmp_path: Path) -> None:
    made = Checkpoint("S-1", 7, "a" * 64, AT, "", "b" * 64)
    expected = json.dumps(
        ["escalon-checkpoint-1", "S-1", "7", "a" * 64, AT, "", "b" * 64], separators=(",", ":")
    )
    assert made.said() == expected.encode()
    (tmp_path / "none.pem").write_text("nothing")
    with pytest.raises(ValueError, match="no private key"):
        read_key(tmp_path / "none.pem")


def rewritten(path: Path, header: dict[str, object], rows: list[dict[str, object]]) -> None:
    """Write an export anew with a checkpoint that fits its lines, unsigned: what a forger without the key can do."""
    old = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    head = Checkpoint(**old[-1]["checkpoint"])
    lines = [canonical(header), *(canonical(row) for row in rows)]
    content = hashlib.sha256("".join(line + "\n" for line in lines).encode()).hexdigest()
    closing = Checkpoint(head.study_id, head.upto_seq, head.root, head.at, content)
    text = "".join(line + "\n" for line in lines) + checkpoint_line(closing)
    path.write_text(text, encoding="utf-8")


def test_an_export_holds_every_version_and_a_forged_one_is_found(
    url: str, balli: StudyFolder, tmp_path: Path
) -> None:
    written(url, balli)
    path = tmp_path / "export.jsonl"
    write_export(url, path, AT)
    export = read_export(path)
    assert export.verification.holds
    assert {digest: json.loads(texts) for digest, texts in export.versions.items()} == {
        balli.hash: dict(balli.texts)
    }
    assert fold(to_fact(entry) for entry in export.entries) == fold(read_facts(url))
    source = read_source(str(path))
    assert source.entries == read_source(url).entries
    assert source.folder().forms == balli.forms
    header, version, *events = [json.loads(line) for line in path.read_text().splitlines()][:-1]
    rewritten(path, header, [version, *events])
    assert verify_export(path).holds
    texts = version["version"]["texts"].replace("range: [25, 250]", "range: [5, 250]")
    forged = {"version": {**version["version"], "texts": texts}}
    renamed = {"version": {"hash": folder_hash(json.loads(texts)), "texts": texts}}
    both = sorted((version, renamed), key=lambda row: row["version"]["hash"])
    named = {**header, "versions": [row["version"]["hash"] for row in both]}
    for said, rows, problem in (
        (named, [*both, *events], "no event puts the study on"),
        (header, [forged, *events], "is not what its hash says"),
        ({**header, "versions": [renamed["version"]["hash"]]}, [renamed, *events], "ran on is missing"),
        (header, events, "not those the header names"),
        (header, [version, version, *events], "not those the header names"),
        ({**header, "versions": []}, [version, *events], "not those the header names"),
        (header, [events[0], version, *events[1:]], "stands among the events"),
        (header, [{"version": {"hash": balli.hash}}, *events], "not complete"),
    ):
        rewritten(path, said, rows)
        assert any(problem in found for found in verify_export(path).problems), problem
        with pytest.raises(LedgerUnavailable, match="does not verify"):
            read_source(str(path))


def test_an_export_of_the_first_format_still_verifies(tmp_path: Path, balli: StudyFolder) -> None:
    path = tmp_path / "export.jsonl"
    head = written(str(tmp_path / "ledger.db"), balli)
    write_export(str(tmp_path / "ledger.db"), path, AT)
    header, _, *events = [json.loads(line) for line in path.read_text().splitlines()][:-1]
    del header["versions"]
    rewritten(path, {**header, "format": "escalon-export-1"}, events)
    assert verify_export(path, head).holds
    assert read_source(str(path)).folder(balli).hash == balli.hash
    with pytest.raises(LedgerUnavailable, match="keeps no version of its study"):
        read_source(str(path)).folder()
    rewritten(path, {**header, "format": "escalon-export-2"}, events)
    assert not verify_export(path).holds
    rewritten(path, {**header, "format": "escalon-export-3"}, events)
    assert not verify_export(path).holds


def test_a_source_names_what_is_not_there(tmp_path: Path, balli: StudyFolder) -> None:
    written(str(tmp_path / "ledger.db"), balli)
    assert read_source(str(tmp_path)).study_id == "BALLI-01"  # the folder of a run
    write_export(str(tmp_path / "ledger.db"), tmp_path / "export.jsonl", AT)
    for where in (tmp_path / "ledger.db", tmp_path / "export.jsonl"):
        with pytest.raises(LedgerUnavailable, match="BALLI-01"):
            read_source(str(where), "OTHER-1")
    with pytest.raises(LedgerUnavailable, match="no ledger at this path"):
        read_source(str(tmp_path / "nowhere.db"))
