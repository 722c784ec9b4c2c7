"""The ledger is append-only, chained and resumable; every altered field is found. SQLite and PostgreSQL."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from escalon.conduct import commands as c
from escalon.conduct.fold import fold
from escalon.conduct.people.commands import RegisterPerson, RegisterSite
from escalon.protocol import StudyFolder
from escalon.store.connection import LedgerUnavailable
from escalon.store.execute import LedgerMismatch, LedgerWriter
from escalon.store.ledger import COLUMNS, read_facts
from escalon.store.verify import verify_ledger
from tests.act import SPONSOR, T0

SERVER = os.environ.get("ESCALON_TEST_DATABASE_URL")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield str(tmp_path / "ledger.db")
        return
    if SERVER is None:
        pytest.skip("no PostgreSQL: ESCALON_TEST_DATABASE_URL is not set")
    import psycopg

    name = f"escalon_test_{os.getpid()}"
    with psycopg.connect(SERVER, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {name}")
    yield SERVER.rsplit("/", 1)[0] + f"/{name}"
    with psycopg.connect(SERVER, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def commands(folder: StudyFolder) -> list[c.Signed]:
    acts: list[tuple[c.Actor, c.Command]] = [
        (SPONSOR, c.OpenStudy(folder.hash, "0", "test")),
        (SPONSOR, RegisterSite("01", "Site 01", "USA", "America/New_York")),
        (SPONSOR, RegisterSite("02", "Site 02", "FRA", "Europe/Paris")),
        (SPONSOR, RegisterPerson("p1", "A person", "Test")),
    ]
    return [c.Signed(command, actor, T0) for actor, command in acts]


def write(url: str, folder: StudyFolder, count: int = 4) -> str:
    with LedgerWriter(url, folder) as writer:
        for signed in commands(folder)[:count]:
            assert not isinstance(writer.execute(signed), c.Refused)
        return writer.head


def test_facts_written_are_the_facts_read(url: str, balli: StudyFolder) -> None:
    head = write(url, balli)
    (result,) = verify_ledger(url)
    assert result.holds
    assert (result.events, result.head) == (6, head)
    state = fold(read_facts(url))
    assert list(state.people.sites) == ["01", "02"]
    with LedgerWriter(url, balli) as writer:
        assert writer.state == state
        assert writer.head == head


def test_a_refused_command_writes_nothing(url: str, balli: StudyFolder) -> None:
    with LedgerWriter(url, balli) as writer:
        refused = writer.execute(commands(balli)[2])
        assert isinstance(refused, c.Refused)
        writer.execute(commands(balli)[0])
    assert verify_ledger(url)[0].events == 3


def interrupted_batch(writer: LedgerWriter, folder: StudyFolder) -> None:
    with writer.batch():
        writer.execute(commands(folder)[1])
        raise RuntimeError("power cut")


def test_an_error_in_a_batch_writes_none_of_it(url: str, balli: StudyFolder) -> None:
    with LedgerWriter(url, balli) as writer:
        writer.execute(commands(balli)[0])
        before = writer.state
        with pytest.raises(RuntimeError, match="power"):
            interrupted_batch(writer, balli)
        assert writer.state == before
        writer.execute(commands(balli)[1])
    (result,) = verify_ledger(url)
    assert result.holds
    assert result.events == 4


def test_two_writers_of_one_study_see_each_other(url: str, balli: StudyFolder) -> None:
    first, *rest = commands(balli)
    with LedgerWriter(url, balli) as one, LedgerWriter(url, balli) as other:
        one.execute(first)
        for signed, writer in zip(rest, (other, one, other), strict=True):
            assert not isinstance(writer.execute(signed), c.Refused)
        again = one.execute(rest[-1])
        assert isinstance(again, c.Refused)
    assert verify_ledger(url)[0].holds


def test_an_interrupted_run_continues_where_it_stopped(url: str, balli: StudyFolder) -> None:
    write(url, balli, count=2)
    with LedgerWriter(url, balli, resume=True) as writer:
        for signed in commands(balli):
            writer.execute(signed)
        writer.check_replayed()
        head = writer.head
    (result,) = verify_ledger(url)
    assert result.holds
    assert result.head == head
    assert result.events == 6


def test_another_run_is_not_mixed_in(url: str, balli: StudyFolder) -> None:
    write(url, balli)
    with LedgerWriter(url, balli, resume=True) as writer:
        other = c.Signed(c.OpenStudy(balli.hash, "another version", "test"), SPONSOR, T0)
        with pytest.raises(LedgerMismatch, match="event 1"):
            writer.execute(other)
    with LedgerWriter(url, balli, resume=True) as writer:
        writer.execute(commands(balli)[0])
        with pytest.raises(LedgerMismatch, match="3 events"):
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
        "TRUNCATE ledger_event",
        "SET session_replication_role = replica; DELETE FROM ledger_event",
    ],
)
@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_postgresql_refuses_changes(url: str, balli: StudyFolder, statement: str) -> None:
    import psycopg

    write(url, balli)
    with psycopg.connect(url) as database, pytest.raises(psycopg.Error, match="append-only"):
        database.execute(statement)
    assert verify_ledger(url)[0].events == 6


def tampered(path: Path, statement: str) -> tuple[str, ...]:
    """Change the file as its owner can: without the triggers."""
    database = sqlite3.connect(path)
    with database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute(statement)
    database.close()
    return verify_ledger(str(path))[0].problems


@pytest.mark.parametrize("column", COLUMNS)
def test_every_altered_field_is_found(tmp_path: Path, balli: StudyFolder, column: str) -> None:
    path = tmp_path / "ledger.db"
    write(str(path), balli)
    if column == "seq":
        statement = "UPDATE ledger_event SET seq = 9 WHERE seq = 3"
    elif column == "study_id":
        statement = "UPDATE ledger_event SET study_id = 'OTHER' WHERE seq = 3"
    else:
        statement = f"UPDATE ledger_event SET {column} = substr({column}, 2) || 'x' WHERE seq = 3"
    assert tampered(path, statement)


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
    assert tampered(path, "DELETE FROM ledger_event WHERE seq = 6") == ()
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
