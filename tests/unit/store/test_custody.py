"""Backups verify, restore into the same ledger, and say so; a snapshot is the fold; roles append and no more."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from escalon.conduct import commands as c
from escalon.conduct.fold import fold
from escalon.protocol import StudyFolder
from escalon.store.backup import write_backup
from escalon.store.connection import LedgerUnavailable, connect, disconnect
from escalon.store.execute import LedgerWriter
from escalon.store.grants import apply_grants, grants
from escalon.store.ledger import read_facts
from escalon.store.rebuild import rebuild
from escalon.store.restore import restore_and_record
from escalon.store.snapshot import decode_state, encode_state, resume, write_snapshot
from escalon.store.verify import verify_ledger
from tests.databases import SERVER, ask, disarm, fresh_url
from tests.unit.store.acts import commands, event_count, story

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
EVENTS = "SELECT * FROM ledger_event ORDER BY seq"


def written(url: str, folder: StudyFolder) -> str:
    with LedgerWriter(url, folder) as writer:
        for signed in commands(folder):
            assert not isinstance(writer.execute(signed), c.Refused)
        return writer.head


@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
def test_a_backup_is_restored_verified_and_recorded(
    tmp_path: Path, balli: StudyFolder, into: str, url: str
) -> None:
    head = written(url, balli)
    manifest = write_backup(url, tmp_path / "backup", NOW.isoformat())
    assert manifest["studies"]["BALLI-01"]["head"] == head
    (tmp_path / "new").mkdir()
    with fresh_url(into, tmp_path / "new") as target:
        (result,) = restore_and_record(tmp_path / "backup", target, balli, "s", "disk failure", NOW, head)
        assert result.holds, result.problems
        assert result.events == event_count(balli) + 1
        assert ask(target, "SELECT kind, actor_id FROM ledger_event ORDER BY seq DESC LIMIT 1") == [
            ("LedgerRestored", "s")
        ]
        values = "SELECT seq, side, salt, value FROM ledger_value WHERE seq <= ? ORDER BY seq, side"
        assert ask(target, values, event_count(balli)) == ask(url, values, event_count(balli))
        assert ask(target, "SELECT hash FROM study_version") == [(balli.hash,)]
        assert rebuild(target, check=True) == ()
        with pytest.raises(LedgerUnavailable, match="empty ledger only"):
            restore_and_record(tmp_path / "backup", target, balli, "s", "again", NOW)


def test_a_damaged_or_cut_backup_is_not_restored(tmp_path: Path, balli: StudyFolder) -> None:
    head = written(str(tmp_path / "ledger.db"), balli)
    backup, target = tmp_path / "backup", str(tmp_path / "new.db")
    write_backup(str(tmp_path / "ledger.db"), backup, NOW.isoformat())
    with pytest.raises(LedgerUnavailable, match="its tail is missing"):
        restore_and_record(backup, target, balli, "s", "x", NOW, "f" * 64)
    content = (backup / "1.jsonl").read_bytes()
    (backup / "1.jsonl").write_bytes(content.replace(b"Coordinator", b"coordinator", 1))
    with pytest.raises(LedgerUnavailable, match="does not verify"):
        restore_and_record(backup, target, balli, "s", "x", NOW, head)
    (backup / "1.jsonl").write_bytes(content)
    manifest = json.loads((backup / "manifest.json").read_text())
    manifest["studies"]["BALLI-01"]["values"] += 1
    (backup / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(LedgerUnavailable, match="restored rows of ledger_value"):
        restore_and_record(backup, target, balli, "s", "x", NOW, head)
    assert ask(target, "SELECT count(*) FROM ledger_event") == [(0,)]
    with pytest.raises(LedgerUnavailable, match="no backup"):
        restore_and_record(tmp_path / "nowhere", target, balli, "s", "x", NOW)


def test_a_snapshot_is_the_fold_and_counts_only_for_its_ledger(url: str, balli: StudyFolder) -> None:
    with LedgerWriter(url, balli) as writer:
        for signed in commands(balli)[:-2]:
            writer.execute(signed)
        middle = writer.state.seq
    assert write_snapshot(url, "BALLI-01") == middle
    with LedgerWriter(url, balli) as writer:
        for signed in commands(balli)[-2:]:
            writer.execute(signed)
    state = fold(read_facts(url))
    alias = connect(url, create=False)
    resumed = resume(alias, "BALLI-01")
    assert resumed.state == state == decode_state(encode_state(state))
    assert resumed.folded == state.seq - middle
    disconnect(alias)
    for altered in ("head = 'f'", "digest = 'f'", "software = 'other'"):
        ask(url, f"UPDATE ledger_snapshot SET {altered}")
        alias = connect(url, create=False)
        assert resume(alias, "BALLI-01").folded == state.seq
        assert resume(alias, "BALLI-01").state == state
        disconnect(alias)
        write_snapshot(url, "BALLI-01")
    disarm(url)
    ask(url, f"UPDATE ledger_event SET hash = 'f' WHERE seq = {state.seq}")
    alias = connect(url, create=False)
    assert resume(alias, "BALLI-01").folded == state.seq
    disconnect(alias)


@pytest.mark.skipif(SERVER is None, reason="no PostgreSQL: ESCALON_TEST_DATABASE_URL is not set")
@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_the_writing_role_appends_and_does_nothing_else(url: str, balli: StudyFolder) -> None:
    role = "escalon_test_writer"
    apply_grants(url, role)
    as_writer = url.replace("//root@", f"//{role}@")
    disarm(url)  # so that only the rights refuse
    with LedgerWriter(as_writer, balli) as writer:
        for signed in commands(balli):
            assert not isinstance(writer.execute(signed), c.Refused)
        assert writer.state == story(balli).state
    for table in ("ledger_event", "ledger_value", "ledger_checkpoint", "study_version"):
        for statement in (f"DELETE FROM {table}", f"TRUNCATE {table}", f"UPDATE {table} SET study_id = 'x'"):
            with pytest.raises(Exception, match=r"permission denied|must be owner"):
                ask(as_writer, statement)
    with pytest.raises(Exception, match=r"must be owner|permission denied"):
        ask(as_writer, "ALTER TABLE ledger_event DISABLE TRIGGER ALL")
    assert verify_ledger(url)[0].holds
    ask(url, f"DROP OWNED BY {role}")
    ask(url, f"DROP ROLE {role}")


def test_a_role_name_that_needs_quoting_is_refused() -> None:
    with pytest.raises(ValueError, match="plain role name"):
        grants("x; DROP TABLE ledger_event")
