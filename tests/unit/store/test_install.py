"""`escalon verify-install` passes what was released and names what was taken away, changed or added (VA-4)."""

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import Distribution, PathDistribution, distribution
from pathlib import Path

import pytest
from typer.testing import CliRunner

from escalon import __version__
from escalon.cli import app
from escalon.conduct import commands as c
from escalon.protocol import StudyFolder
from escalon.store.backup import write_backup
from escalon.store.execute import LedgerWriter
from escalon.store.grants import apply_grants
from escalon.store.install.clock import check_clock, check_last_event, check_same_time
from escalon.store.install.database import check_database
from escalon.store.install.finding import Finding
from escalon.store.install.last_backup import check_backup
from escalon.store.install.program import check_files, check_program
from escalon.store.install.schema import postgresql_guards, sqlite_guards
from escalon.store.signing import new_key, read_key
from tests.databases import SERVER, ask, disarm
from tests.unit.store.acts import commands, event_count

NOW = datetime.now(UTC)
ROLE = "escalon_test_install"
on_postgresql = pytest.mark.parametrize("url", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def written(url: str, folder: StudyFolder) -> str:
    with LedgerWriter(url, folder) as writer:
        for signed in commands(folder):
            assert not isinstance(writer.execute(signed), c.Refused)
        return writer.head


def found(findings: list[Finding], what: str) -> Finding:
    (one,) = [finding for finding in findings if finding.what == what]
    return one


@on_sqlite
def test_a_ledger_as_released_passes(url: str, balli: StudyFolder) -> None:
    head = written(url, balli)
    findings = check_database(url)
    assert {one.what: one.outcome for one in findings} == {
        "migrations": "pass",
        "triggers": "pass",
        "rights of the role that writes": "not applicable",
        "TLS": "not applicable",
        "last event": "pass",
        "chain of hashes": "pass",
    }
    assert found(findings, "triggers").detail == f"{len(sqlite_guards().triggers)} as released"
    chain = found(findings, "chain of hashes").detail
    assert chain == f"BALLI-01: {event_count(balli)} events, head {head}"


@on_sqlite
def test_every_trigger_taken_away_or_changed_is_named(url: str, balli: StudyFolder) -> None:
    written(url, balli)
    there = dict(ask(url, "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
    assert set(there) == set(sqlite_guards().triggers)
    for name, sql in there.items():
        ask(url, f"DROP TRIGGER {name}")
        assert found(check_database(url), "triggers").detail == f"{name} is missing"
        ask(url, sql)
    name = "ledger_event_no_delete"
    ask(url, f"DROP TRIGGER {name}")
    ask(url, f"CREATE TRIGGER {name} BEFORE DELETE ON ledger_event BEGIN SELECT 1; END")
    changed = found(check_database(url), "triggers")
    assert (changed.outcome, changed.detail) == ("fail", f"{name} was changed")


def test_a_missing_or_strange_migration_fails(url: str, balli: StudyFolder) -> None:
    written(url, balli)
    ask(url, "DELETE FROM django_migrations WHERE name = '0005_seat_key'")
    (only,) = check_database(url)
    assert (only.outcome, "missing: 0005_seat_key" in only.detail) == ("fail", True)
    ask(
        url,
        "INSERT INTO django_migrations (app, name, applied) VALUES ('store', '0005_seat_key', CURRENT_TIMESTAMP)",
    )
    assert found(check_database(url), "migrations").outcome == "pass"
    ask(
        url,
        "INSERT INTO django_migrations (app, name, applied) VALUES ('store', '0999_later', CURRENT_TIMESTAMP)",
    )
    assert "of a later release: 0999_later" in found(check_database(url), "migrations").detail


def test_a_changed_event_fails(url: str, balli: StudyFolder) -> None:
    written(url, balli)
    disarm(url)
    ask(url, "UPDATE ledger_event SET actor_name = 'Nobody' WHERE seq = 3")
    findings = check_database(url)
    assert found(findings, "chain of hashes").outcome == "fail"
    assert "event 3" in found(findings, "chain of hashes").detail
    assert found(findings, "triggers").outcome == "fail"


def test_what_is_no_ledger_fails(tmp_path: Path) -> None:
    (nowhere,) = check_database(str(tmp_path / "nowhere.db"))
    assert (nowhere.what, nowhere.outcome) == ("reachable", "fail")
    ask(str(tmp_path / "other.db"), "CREATE TABLE t (x int)")
    (other,) = check_database(str(tmp_path / "other.db"))
    assert other.detail == "there is no ledger in this database"


@pytest.fixture
def role(url: str) -> Iterator[str]:
    """The writing role of ``escalon store roles``."""
    apply_grants(url, ROLE)
    yield ROLE
    ask(url, f"DROP OWNED BY {ROLE}")
    ask(url, f"DROP ROLE {ROLE}")


@pytest.mark.skipif(SERVER is None, reason="no PostgreSQL: ESCALON_TEST_DATABASE_URL is not set")
@on_postgresql
def test_the_role_of_store_roles_passes_and_any_right_more_or_less_fails(
    url: str, balli: StudyFolder, role: str
) -> None:
    written(url, balli)
    what = "rights of the role that writes"
    as_writer = url.replace("//root@", f"//{role}@")
    passed = {one.what: one.outcome for one in check_database(as_writer)}
    assert set(passed.values()) <= {"pass", "not applicable"}, passed
    assert passed[what] == passed["triggers"] == passed["program and database"] == "pass"
    assert found(check_database(url, role), what).outcome == "pass"
    assert "is a superuser" in found(check_database(url), what).detail
    assert "there is no role nobody" in found(check_database(url, "nobody"), what).detail
    for more, less, said in (
        (
            "GRANT DELETE ON ledger_event TO {}",
            "REVOKE DELETE ON ledger_event FROM {}",
            "may DELETE ledger_event",
        ),
        ("GRANT TRUNCATE ON study_version TO {}", "REVOKE TRUNCATE ON study_version FROM {}", "may TRUNCATE"),
        (
            "GRANT UPDATE (hash) ON ledger_event TO {}",
            "REVOKE UPDATE (hash) ON ledger_event FROM {}",
            "update of ledger_event: hash",
        ),
        (
            "GRANT UPDATE (side) ON ledger_value TO {}",
            "REVOKE UPDATE (side) ON ledger_value FROM {}",
            "update of ledger_value: ",
        ),
        (
            "REVOKE INSERT ON ledger_checkpoint FROM {}",
            "GRANT INSERT ON ledger_checkpoint TO {}",
            "lacks INSERT",
        ),
        ("REVOKE DELETE ON seat FROM {}", "GRANT DELETE ON seat TO {}", "lacks DELETE on seat"),
        ("ALTER TABLE seat OWNER TO {}", "ALTER TABLE seat OWNER TO root", "owns seat"),
        ("ALTER ROLE {} CREATEROLE", "ALTER ROLE {} NOCREATEROLE", "is a maker of roles"),
    ):
        ask(url, more.format(role))
        finding = found(check_database(as_writer), what)
        assert (finding.outcome, said in finding.detail) == ("fail", True), finding
        ask(url, less.format(role))
        apply_grants(url, role)
        assert found(check_database(as_writer), what).outcome == "pass", less


@pytest.mark.skipif(SERVER is None, reason="no PostgreSQL: ESCALON_TEST_DATABASE_URL is not set")
@on_postgresql
def test_every_trigger_and_function_of_postgresql_is_watched(url: str, balli: StudyFolder) -> None:
    written(url, balli)
    guards = postgresql_guards()
    there = ask(url, "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal")
    assert dict(there) == guards.triggers
    for name, table in there:
        ask(url, f"ALTER TABLE {table} ENABLE TRIGGER {name}")
        assert found(check_database(url), "triggers").detail == f"{name} does not always fire"
        ask(url, f"ALTER TABLE {table} DISABLE TRIGGER {name}")
        assert found(check_database(url), "triggers").outcome == "fail"
        ask(url, f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
    assert found(check_database(url), "triggers").outcome == "pass"
    for function in guards.functions:
        ((source,),) = ask(url, "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = ?", function)
        harmless = "BEGIN RETURN NEW; END"
        ask(
            url,
            f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ {harmless} $$",
        )
        assert found(check_database(url), "triggers").detail == f"{function} was changed"
        ask(url, source.replace("%", "%%"))
    ask(url, "DROP TRIGGER slot_touched ON slot")
    assert found(check_database(url), "triggers").detail == "slot_touched is missing"


def package(folder: Path) -> Distribution:
    """A package of two files, installed with checksums as pip writes them."""
    lines = []
    for name, text in (("mine/__init__.py", "x = 1\n"), ("mine/page.j2", "{{ x }}")):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(text)}")
    info = folder / "mine-1.0.dist-info"
    info.mkdir()
    (info / "RECORD").write_text("\n".join([*lines, "mine-1.0.dist-info/RECORD,,"]) + "\n")
    return PathDistribution(info)


def test_files_are_compared_with_record(tmp_path: Path) -> None:
    mine, installed = tmp_path / "mine", package(tmp_path)
    (mine / "__pycache__").mkdir()
    (mine / "__pycache__" / "x.cpython-311.pyc").write_text("")
    assert check_files(installed, mine).outcome == "pass"
    (mine / "page.j2").write_text("{{ y }}")
    changed = check_files(installed, mine)
    assert (changed.outcome, changed.detail) == ("fail", "1 of 2 files: mine/page.j2 was changed")
    (mine / "page.j2").unlink()
    assert "mine/page.j2 is missing" in check_files(installed, mine).detail
    (mine / "page.j2").write_text("{{ x }}")
    (mine / "more.py").write_text("")
    assert check_files(installed, mine).detail.endswith("more.py was not installed")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "__init__.py").write_text("x = 1\n")
    assert check_files(installed, elsewhere).outcome == "fail"  # another copy is running
    (tmp_path / "mine-1.0.dist-info" / "RECORD").unlink()
    assert check_files(installed, mine).detail == "the package has no RECORD"


def test_a_package_of_this_very_environment_passes() -> None:
    installed = distribution("Jinja2")
    folder = Path(str(installed.locate_file("jinja2")))
    finding = check_files(installed, folder)
    assert finding.outcome == "pass", finding


def test_the_program_says_its_version() -> None:
    findings = check_program()
    assert found(findings, "version").detail.startswith(__version__)
    assert found(findings, "Python").outcome == "pass"


def test_the_clock_is_asked_and_compared() -> None:
    assert check_clock().outcome in ("pass", "fail", "not applicable")
    assert check_same_time(NOW, NOW + timedelta(seconds=2)).outcome == "pass"
    assert check_same_time(NOW, NOW - timedelta(seconds=2.1)).outcome == "fail"
    assert check_last_event(None, NOW).outcome == "not applicable"
    assert check_last_event(NOW.isoformat(), NOW).outcome == "pass"
    assert check_last_event((NOW + timedelta(seconds=1)).isoformat(), NOW).outcome == "fail"


def test_the_last_backup_is_young_whole_signed_and_of_this_ledger(tmp_path: Path, balli: StudyFolder) -> None:
    url, place = str(tmp_path / "ledger.db"), tmp_path / "backups"
    written(url, balli)
    public = new_key(tmp_path / "key.pem")
    place.mkdir()
    assert check_backup(place, url, NOW)[0].outcome == "fail"
    assert check_backup(None, url, NOW)[0].outcome == "not applicable"
    write_backup(url, place / "old", (NOW - timedelta(hours=60)).isoformat())
    assert [one.outcome for one in check_backup(place, url, NOW)] == ["fail", "pass", "pass"]
    write_backup(url, place / "new", (NOW - timedelta(hours=24)).isoformat(), read_key(tmp_path / "key.pem"))
    newest = check_backup(place, url, NOW, key=public)
    assert [one.outcome for one in newest] == ["pass", "pass", "pass"]
    assert "new, 24.0 h old" in newest[0].detail
    assert newest == check_backup(place / "new", url, NOW, key=public)
    assert [one.outcome for one in check_backup(place, url, NOW, key="0" * 64)] == ["pass", "fail"]
    other = str(tmp_path / "other.db")
    with LedgerWriter(other, balli) as writer:
        writer.execute(commands(balli)[0])
    assert found(check_backup(place, other, NOW), "of this ledger").outcome == "fail"
    export = place / "new" / "1.jsonl"
    export.write_text(export.read_text().replace("Coordinator", "coordinator", 1))
    assert found(check_backup(place, url, NOW), "verifies").outcome == "fail"


def test_the_command_prints_a_table_and_leaves_with_1_on_a_fail(tmp_path: Path, balli: StudyFolder) -> None:
    url = str(tmp_path / "ledger.db")
    written(url, balli)
    whole = CliRunner().invoke(app, ["verify-install", url, "--json"])
    said = json.loads(whole.stdout)
    failed = [one for one in said["checks"] if one["outcome"] == "fail"]
    assert len(failed) == said["failed"]
    assert {one["area"] for one in failed} <= {"clock"}  # of this machine, not of the ledger
    assert whole.exit_code == (1 if failed else 0)
    disarm(url)
    broken = CliRunner().invoke(app, ["verify-install", url])
    assert broken.exit_code == 1
    assert "ledger_event_no_delete is missing" in broken.stdout
    assert broken.stdout.startswith("area")
    alone = CliRunner().invoke(app, ["verify-install"])
    assert "name the ledger to check it" in alone.stdout
    nowhere = CliRunner().invoke(app, ["verify-install", str(tmp_path / "nowhere.db")])
    assert nowhere.exit_code == 1
    assert "there is no ledger at this path" in nowhere.stdout
