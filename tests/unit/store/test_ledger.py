"""The ledger is append-only, chained and resumable; every altered field is found. SQLite and PostgreSQL."""

import sqlite3
from itertools import cycle
from pathlib import Path

import pytest

from escalon.conduct import commands as c
from escalon.conduct.fold import fold
from escalon.protocol import StudyFolder
from escalon.store.chain import EVENT_COLUMNS
from escalon.store.connection import LedgerUnavailable, connect
from escalon.store.entropy import SeededEntropy
from escalon.store.execute import LedgerMismatch, LedgerWriter
from escalon.store.ledger import read_facts
from escalon.store.verify import verify_ledger
from tests.act import SPONSOR, T0
from tests.databases import SERVER, ask, disarm, fresh_url
from tests.unit.store.acts import commands, event_count, story


def write(url: str, folder: StudyFolder, count: int | None = None) -> str:
    with LedgerWriter(url, folder, entropy=SeededEntropy(1)) as writer:
        for signed in commands(folder)[:count]:
            assert not isinstance(writer.execute(signed), c.Refused)
        return writer.head


def test_facts_written_are_the_facts_read(url: str, balli: StudyFolder) -> None:
    head = write(url, balli)
    (result,) = verify_ledger(url)
    assert result.holds
    assert (result.events, result.head) == (event_count(balli), head)
    state = fold(read_facts(url))
    assert list(state.patients) == ["001", "002"]
    assert state == story(balli).state
    with LedgerWriter(url, balli) as writer:
        assert writer.state == state
        assert writer.head == head


def test_a_refused_command_writes_nothing(url: str, balli: StudyFolder) -> None:
    first, second, *_ = commands(balli)
    with LedgerWriter(url, balli) as writer:
        assert isinstance(writer.execute(second), c.Refused)
        writer.execute(first)
        before = writer.head
        assert isinstance(writer.execute(first), c.Refused)
        assert writer.head == before
    assert verify_ledger(url)[0].head == before


def interrupted_batch(writer: LedgerWriter, folder: StudyFolder) -> None:
    with writer.batch():
        for signed in commands(folder)[1:]:
            writer.execute(signed)
        raise RuntimeError("power cut")


def test_an_error_in_a_batch_writes_none_of_it(url: str, balli: StudyFolder, tmp_path: Path) -> None:
    undisturbed = write(str(tmp_path / "undisturbed.db"), balli)
    with LedgerWriter(url, balli, entropy=SeededEntropy(1)) as writer:
        writer.execute(commands(balli)[0])
        before = writer.state
        with pytest.raises(RuntimeError, match="power"):
            interrupted_batch(writer, balli)
        assert writer.state == before
        with writer.batch():
            for signed in commands(balli)[1:]:
                assert not isinstance(writer.execute(signed), c.Refused)
        assert writer.state == story(balli).state
    (result,) = verify_ledger(url)
    assert result.holds
    assert result.events == event_count(balli)
    assert (
        result.head == undisturbed
    )  # what an entry says of the one it replaces was not touched by the error


def test_two_writers_of_one_study_see_each_other(url: str, balli: StudyFolder) -> None:
    first, *rest = commands(balli)
    with LedgerWriter(url, balli) as one, LedgerWriter(url, balli) as other:
        one.execute(first)
        for signed, writer in zip(rest, cycle((other, one, other)), strict=False):
            assert not isinstance(writer.execute(signed), c.Refused)
        again = one.execute(rest[-1])
        assert isinstance(again, c.Refused)
    assert verify_ledger(url)[0].holds


def test_a_write_that_fails_leaves_the_state_as_it_was(tmp_path: Path, balli: StudyFolder) -> None:
    """The event another writer added meanwhile was read, but in a transaction that came to nothing."""
    path = tmp_path / "ledger.db"
    first, second, third, *_ = commands(balli)
    with LedgerWriter(str(path), balli) as one, LedgerWriter(str(path), balli) as other:
        one.execute(first)
        other.execute(second)
        before = (one.state, one.head)
        stop = "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        ask(str(path), f"CREATE TRIGGER full_disk BEFORE INSERT ON ledger_event {stop}")
        with pytest.raises(Exception, match="the disk is full"):
            one.execute(third)
        assert (one.state, one.head) == before
        ask(str(path), "DROP TRIGGER full_disk")
        assert not isinstance(one.execute(third), c.Refused)
        assert one.state.seq > other.state.seq > before[0].seq
    assert verify_ledger(str(path))[0].holds


def test_an_interrupted_run_continues_where_it_stopped(url: str, balli: StudyFolder) -> None:
    write(url, balli, count=2)
    with LedgerWriter(url, balli, resume=True, entropy=SeededEntropy(1)) as writer:
        for signed in commands(balli):
            writer.execute(signed)
        writer.check_replayed()
        head = writer.head
    (result,) = verify_ledger(url)
    assert result.holds
    assert result.head == head
    assert result.events == event_count(balli)


def test_another_run_is_not_mixed_in(url: str, balli: StudyFolder) -> None:
    write(url, balli)
    with LedgerWriter(url, balli, resume=True, entropy=SeededEntropy(1)) as writer:
        other = c.Signed(c.OpenStudy(balli.hash, "another version", "test"), SPONSOR, T0)
        with pytest.raises(LedgerMismatch, match="event 1"):
            writer.execute(other)
    with LedgerWriter(url, balli, resume=True, entropy=SeededEntropy(1)) as writer:
        writer.execute(commands(balli)[0])
        with pytest.raises(LedgerMismatch, match="events this run would not write"):
            writer.check_replayed()
    assert verify_ledger(url)[0].holds


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_event SET payload = '{}' WHERE seq = 2",
        "DELETE FROM ledger_event WHERE seq = 5",
        "INSERT OR REPLACE INTO ledger_event SELECT * FROM ledger_event WHERE seq = 2",
    ],
)
def test_sqlite_refuses_changes(tmp_path: Path, balli: StudyFolder, statement: str) -> None:
    path = tmp_path / "ledger.db"
    write(str(path), balli)
    with sqlite3.connect(path) as database, pytest.raises(sqlite3.DatabaseError, match="append-only"):
        database.execute(statement)
    database.close()


@pytest.mark.skipif(SERVER is None, reason="no PostgreSQL: ESCALON_TEST_DATABASE_URL is not set")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_event SET payload = '{}'",
        "DELETE FROM ledger_event",
        "TRUNCATE ledger_event CASCADE",
        "SET session_replication_role = replica; DELETE FROM ledger_event",
    ],
)
@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_postgresql_refuses_changes(url: str, balli: StudyFolder, statement: str) -> None:
    import psycopg

    write(url, balli)
    with psycopg.connect(url) as database, pytest.raises(psycopg.Error, match="append-only"):
        database.execute(statement)
    assert verify_ledger(url)[0].events == event_count(balli)


def tampered(url: str | Path, statement: str) -> tuple[str, ...]:
    """Change the ledger as its owner can: without the triggers."""
    disarm(str(url))
    ask(str(url), statement)
    return verify_ledger(str(url))[0].problems


def test_every_altered_field_is_found(url: str, balli: StudyFolder) -> None:
    write(url, balli)
    disarm(url)
    if url.startswith("postgresql"):
        ask(url, "ALTER TABLE ledger_value DROP CONSTRAINT ledger_value_study_id_seq_fkey")
    for column in EVENT_COLUMNS:
        ((before,),) = ask(url, f"SELECT {column} FROM ledger_event WHERE seq = 5")
        altered = before + 90 if isinstance(before, int) else before[1:] + "x"
        ask(url, f"UPDATE ledger_event SET {column} = ? WHERE seq = 5", altered)
        assert verify_ledger(url)[0].problems, column
        where = "seq = 95" if column == "seq" else "seq = 5"
        ask(url, f"UPDATE ledger_event SET {column} = ? WHERE {where}", before)
        assert verify_ledger(url)[0].holds


def test_a_missing_event_is_found(tmp_path: Path, balli: StudyFolder) -> None:
    path = tmp_path / "ledger.db"
    write(str(path), balli)
    assert "event 3 is missing: the next number is 4" in tampered(
        path, "DELETE FROM ledger_event WHERE seq = 3"
    )


def test_a_cut_off_tail_is_found_with_the_head_of_a_receipt(tmp_path: Path, balli: StudyFolder) -> None:
    path = tmp_path / "ledger.db"
    head = write(str(path), balli)
    assert verify_ledger(str(path), head)[0].holds
    assert tampered(path, f"DELETE FROM ledger_event WHERE seq = {event_count(balli)}") == ()
    assert not verify_ledger(str(path), head)[0].holds


def test_no_ledger_is_an_error_and_no_file_appears(tmp_path: Path) -> None:
    path = tmp_path / "nothing.db"
    with pytest.raises(LedgerUnavailable, match="no ledger"):
        verify_ledger(str(path))
    assert not path.exists()
    path.write_text("this is no database, although it is a file of some length" * 20)
    with pytest.raises(LedgerUnavailable, match="not a readable ledger"):
        verify_ledger(str(path))
    with pytest.raises(LedgerUnavailable, match="postgresql://"):
        verify_ledger("mysql://root@localhost/x")


def test_settings_of_the_connection_stand_in_the_url() -> None:
    for wrong in ("sslmod=require", "sslmode", "="):
        with pytest.raises(LedgerUnavailable, match="after the \\? stand settings of the connection"):
            connect(f"postgresql://root@127.0.0.1/nowhere?{wrong}", create=False)


@pytest.mark.skipif(SERVER is None, reason="needs a PostgreSQL server")
def test_a_server_without_tls_is_refused_if_the_url_asks_for_it(balli: StudyFolder, tmp_path: Path) -> None:
    with fresh_url("postgresql", tmp_path) as url:
        encrypted = ask(url, "SHOW ssl") == [("on",)]
        if encrypted:
            write(f"{url}?sslmode=require", balli, count=1)
            assert verify_ledger(url)[0].holds
        else:
            with pytest.raises(LedgerUnavailable, match="SSL"):
                write(f"{url}?sslmode=require", balli, count=1)
