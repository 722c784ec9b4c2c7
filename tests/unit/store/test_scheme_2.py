"""Scheme 2: every field an inspector asks for, one chain across both schemes, migrations that keep the triggers."""

import json
import sqlite3
from pathlib import Path

import pytest

from escalon import __version__
from escalon.conduct import commands as c
from escalon.conduct.decide import decide
from escalon.conduct.events import CommitteeDecided, FormRecorded
from escalon.conduct.fold import fold
from escalon.conduct.state import State
from escalon.protocol import StudyFolder
from escalon.store.chain import GENESIS, commitment
from escalon.store.connection import connect, disconnect
from escalon.store.entropy import SeededEntropy, SystemEntropy
from escalon.store.execute import LedgerWriter
from escalon.store.facts import to_fact
from escalon.store.ledger import read_entries, read_facts
from escalon.store.rows import insert_entries
from escalon.store.seal import Sealer
from escalon.store.verify import verify_ledger
from tests.act import COORDINATOR, enrol, lymphodeplete, opened
from tests.databases import ask, disarm
from tests.unit.store.acts import commands, event_count, story
from tests.unit.store.test_ledger import tampered, write

SQLITE_TRIGGERS = "SELECT tbl_name, count(*) FROM sqlite_master WHERE type = 'trigger' GROUP BY tbl_name"
POSTGRESQL_TRIGGERS = """SELECT tgrelid::regclass::text, count(*) FROM pg_trigger
    WHERE NOT tgisinternal AND tgenabled = 'A' GROUP BY 1"""
GUARDED = {"sqlite": {"ledger_event": 3, "ledger_value": 3, "ledger_checkpoint": 3}}
GUARDED["postgresql"] = {"ledger_event": 2, "ledger_value": 3, "ledger_checkpoint": 3}


def triggers(url: str) -> dict[str, int]:
    server = url.startswith("postgresql")
    found = dict(ask(url, POSTGRESQL_TRIGGERS if server else SQLITE_TRIGGERS))
    return {table: found.get(table, 0) for table in GUARDED["sqlite"]}


def test_the_guards_of_each_table_are_counted(url: str, balli: StudyFolder) -> None:
    write(url, balli, 1)
    vendor = "postgresql" if url.startswith("postgresql") else "sqlite"
    assert triggers(url) == GUARDED[vendor]


def test_one_act_holds_every_field_of_the_audit_trail(url: str, balli: StudyFolder) -> None:
    with LedgerWriter(url, balli, origin="ui") as writer:
        writer.execute(commands(balli)[0], request="request-7")
        for signed in commands(balli)[1:]:
            writer.execute(signed)
    alias = connect(url, create=False)
    entries = read_entries(alias, "BALLI-01")
    disconnect(alias)
    assert json.loads(entries[0].context) == {
        "origin": "ui",
        "request": "request-7",
        "software": __version__,
        "study": balli.hash,
    }
    assigned = next(entry for entry in entries if entry.kind == "DoseAssigned")
    person = story(balli).state.people.persons.get("i")
    site = story(balli).state.people.sites.get("01")
    assert (assigned.actor_id, assigned.actor_name, assigned.role) == ("i", "Investigator", "investigator")
    assert (assigned.site, assigned.org) == ("01", person.organisation if person else "")
    assert (assigned.at[:11], assigned.at[-6:], assigned.tz) == (
        "2020-01-06T",
        "+00:00",
        site.timezone if site else "UTC",
    )
    assert assigned.object_ref == "dose:001"
    assert (assigned.scheme, assigned.payload, assigned.commit_old) == (2, "", "")
    assert assigned.new is not None
    assert assigned.new.salt is not None
    assert assigned.new.text is not None
    assert json.loads(assigned.new.text)["dose_level"] == 1
    assert commitment(assigned.new.salt, assigned.new.text) == assigned.commit_new
    decided = next(entry for entry in entries if entry.kind == "CommitteeDecided")
    assert decided.reason is not None
    assert decided.reason.text == '"as voted"'
    assert "reason" not in json.loads(decided.new.text if decided.new else "{}")
    assert entries[0].prev_hash == GENESIS


def test_every_altered_value_is_found(url: str, balli: StudyFolder) -> None:
    write(url, balli)
    disarm(url)
    seq = next(fact.seq for fact in story(balli).facts if isinstance(fact.event, CommitteeDecided))
    for side in ("new", "reason"):
        where = f"seq = {seq} AND side = '{side}'"
        ((salt, value),) = ask(url, f"SELECT salt, value FROM ledger_value WHERE {where}")
        for altered in ((salt[1:] + salt[0], value), (salt, value.replace("s", "S")), (salt, value + " ")):
            ask(url, f"UPDATE ledger_value SET salt = ?, value = ? WHERE {where}", *altered)
            problems = verify_ledger(url)[0].problems
            assert problems[0] == f"event {seq}: its {side} value was changed after it was written"
        ask(url, f"UPDATE ledger_value SET salt = ?, value = ? WHERE {where}", salt, value)
    assert verify_ledger(url)[0].holds


def test_a_missing_value_is_found(url: str, balli: StudyFolder) -> None:
    write(url, balli)
    problems = tampered(url, "DELETE FROM ledger_value WHERE seq = 2")
    assert "event 2: its new value is missing" in problems


def test_the_database_refuses_to_change_values(url: str, balli: StudyFolder) -> None:
    write(url, balli)
    for statement in (
        "UPDATE ledger_value SET value = '1' WHERE seq = 2",
        "UPDATE ledger_value SET value = NULL, salt = NULL, redacted_by_seq = 5 WHERE seq = 2",
        "DELETE FROM ledger_value WHERE seq = 2",
    ):
        with pytest.raises(Exception, match="append-only"):
            ask(url, statement)
    assert verify_ledger(url)[0].holds


FIRST_RELEASE = Path(__file__).parent / "scheme_1.sql"
FIRST_HEAD = "e777de2c87659789d39982e2c9721720aacdfe6536697f879f16ed60f0d47a6f"


def test_a_ledger_of_the_first_release_is_read_migrated_and_continued(
    tmp_path: Path, balli: StudyFolder
) -> None:
    """The file is a dump of what the first release wrote, and the head is the one it printed."""
    path = tmp_path / "ledger.db"
    with sqlite3.connect(path) as database:
        database.executescript(FIRST_RELEASE.read_text())
    database.close()
    tables = ask(str(path), "SELECT sql FROM sqlite_master")
    assert verify_ledger(str(path), FIRST_HEAD)[0].holds
    assert ask(str(path), "SELECT sql FROM sqlite_master") == tables
    rows = ask(str(path), "SELECT seq, at, payload, prev_hash, hash FROM ledger_event ORDER BY seq")
    assert len(rows) == 5
    with LedgerWriter(str(path), balli) as writer:
        assert list(writer.state.patients) == ["001", "002"]
        assert writer.head == FIRST_HEAD
    assert ask(str(path), "SELECT seq, at, payload, prev_hash, hash FROM ledger_event ORDER BY seq") == rows
    assert triggers(str(path)) == GUARDED["sqlite"]
    assert verify_ledger(str(path), FIRST_HEAD)[0].holds


def test_one_chain_runs_across_both_schemes(url: str, balli: StudyFolder) -> None:
    folder_acts = commands(balli)
    half = len(folder_acts) // 2
    sealer, state, head = Sealer(balli, SeededEntropy(1), "test"), State(), GENESIS
    alias = connect(url, create=True)
    for signed in folder_acts[:half]:
        outcome = decide(state, signed, balli)
        assert not isinstance(outcome, c.Refused)
        entries = sealer.seal(state, head, signed, outcome, scheme=1)
        insert_entries(alias, entries)
        state, head = fold(map(to_fact, entries), state), entries[-1].hash
    disconnect(alias)
    for signed in folder_acts[half:]:
        with LedgerWriter(url, balli, snapshot_every=1) as writer:
            assert not isinstance(writer.execute(signed), c.Refused)
    (result,) = verify_ledger(url)
    assert result.holds, result.problems
    assert result.events == event_count(balli)
    assert ask(url, "SELECT DISTINCT scheme FROM ledger_event ORDER BY scheme") == [(1,), (2,)]
    assert fold(read_facts(url)) == story(balli).state
    with LedgerWriter(url, balli, resume=True, entropy=SeededEntropy(9)) as writer:
        outcome = writer.execute(folder_acts[0])
        assert not isinstance(outcome, c.Refused)
        assert writer.state.seq == len(outcome)
    assert tampered(url, "UPDATE ledger_event SET object_ref = 'x' WHERE seq = 1")


def test_a_new_version_names_the_commitment_of_the_one_it_replaces(url: str, balli: StudyFolder) -> None:
    desk = opened(balli)
    enrol(desk, "001")
    lymphodeplete(desk, "001")
    first = desk.facts[-1].event
    assert isinstance(first, FormRecorded)
    desk.must(
        COORDINATOR, c.RecordForm("001", "EX", first.record, {**first.values, "EXDOSE": 29}, reason="typed")
    )
    with LedgerWriter(url, balli) as writer:
        for signed in desk.sent:
            writer.execute(signed)
    alias = connect(url, create=False)
    *_, before, after = [e for e in read_entries(alias, "BALLI-01") if e.object_ref == "form:001:EX-FLU-1"]
    disconnect(alias)
    assert before.commit_old == ""
    assert after.commit_old == before.commit_new
    assert after.reason is not None
    assert after.reason.text == '"typed"'


def test_salts_are_unpredictable_in_a_trial_and_reproducible_in_a_simulation() -> None:
    system = SystemEntropy()
    assert len({system.salt("S", 1, "new") for _ in range(100)}) == 100
    assert len(bytes.fromhex(system.salt("S", 1, "new"))) == 32
    one, again, other = SeededEntropy(1), SeededEntropy(1), SeededEntropy(2)
    assert one.salt("S", 1, "new") == again.salt("S", 1, "new")
    places = {
        seeded.salt("S", seq, side) for seeded in (one, other) for seq in (1, 2) for side in ("new", "reason")
    }
    assert len(places) == 8
