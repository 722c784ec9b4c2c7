"""Personal data entered by mistake is destroyed by two persons; the chain holds and everything reads 'redacted'."""

from pathlib import Path

import pytest

from escalon.conduct import commands as c
from escalon.conduct.events import FormRecorded
from escalon.conduct.fold import fold
from escalon.conduct.redaction.commands import ConfirmRedaction, RedactValue
from escalon.conduct.redaction.marker import Redacted, masked, unmarked
from escalon.protocol import StudyFolder
from escalon.store.execute import LedgerWriter
from escalon.store.ledger import read_facts
from escalon.store.verify import verify_ledger
from tests.act import COORDINATOR, MONITOR, SPONSOR, adverse_event
from tests.databases import ask, disarm
from tests.unit.store.acts import after_story

DATA_MANAGER = c.Actor("dm", "Data manager", "data_manager")
SECRET = "Mrs Jane Doe of Elm Street"


def written(url: str, folder: StudyFolder) -> tuple[int, int, c.Signed]:
    """A ledger with a name in an adverse event and in a reason; returns both events' numbers and the last act."""
    desk = after_story(folder)
    values = adverse_event(desk, AETERM=SECRET)
    desk.must(COORDINATOR, c.RecordForm("001", "AE", "AE-1", values))
    corrected = adverse_event(desk, AETERM="Pneumonitis", AETOXGR=3, AESLIFE="N")
    desk.must(COORDINATOR, c.RecordForm("001", "AE", "AE-1", corrected, reason=f"name of {SECRET}"))
    with LedgerWriter(url, folder, snapshot_every=20) as writer:
        for signed in desk.sent:
            assert not isinstance(writer.execute(signed), c.Refused)
    first, second = (
        fact.seq
        for fact in desk.facts
        if isinstance(fact.event, FormRecorded) and fact.event.record == "AE-1"
    )
    return first, second, desk.sent[-1]


def acting(actor: c.Actor, command: c.Command, last: c.Signed) -> c.Signed:
    return c.Signed(command, actor, last.at)


def refused(writer: LedgerWriter, signed: c.Signed) -> str:
    outcome = writer.execute(signed)
    assert isinstance(outcome, c.Refused), outcome
    return outcome.rule


def test_two_persons_redact_and_the_chain_holds(url: str, balli: StudyFolder) -> None:
    seq, second, last = written(url, balli)
    hashes = ask(url, "SELECT seq, hash, commit_new FROM ledger_event ORDER BY seq")
    ask_to_redact = RedactValue(seq, ("values.AETERM",), "personal data")
    with LedgerWriter(url, balli) as writer, LedgerWriter(url, balli) as other:
        assert not isinstance(writer.execute(acting(DATA_MANAGER, ask_to_redact, last)), c.Refused)
        assert refused(writer, acting(DATA_MANAGER, ask_to_redact, last)) == "AT-7 pending"
        assert refused(writer, acting(DATA_MANAGER, ConfirmRedaction(1), last)) == "AT-7 two persons"
        assert SECRET in str(writer.state)
        assert not isinstance(writer.execute(acting(MONITOR, ConfirmRedaction(1), last)), c.Refused)
        assert refused(writer, acting(MONITOR, ConfirmRedaction(1), last)) == "AT-7 pending"
        first = writer.state.patients["001"].records["AE-1"].versions()[0]
        assert first.values["AETERM"] == "redacted"
        assert isinstance(first.values["AETERM"], Redacted)
        assert first.values["AETOXGR"] == 4
        again = RedactValue(second, ("reason",), "personal data")
        assert not isinstance(other.execute(acting(SPONSOR, again, last)), c.Refused)
        assert not isinstance(other.execute(acting(DATA_MANAGER, ConfirmRedaction(2), last)), c.Refused)
        assert SECRET not in str(other.state)
        state = other.state
    assert fold(read_facts(url)) == state
    (result,) = verify_ledger(url)
    assert result.holds, result.problems
    assert ask(url, "SELECT seq, hash, commit_new FROM ledger_event ORDER BY seq")[: len(hashes)] == hashes
    assert ask(url, "SELECT count(*) FROM ledger_value WHERE value LIKE ?", f"%{SECRET}%") == [(0,)]
    with LedgerWriter(url, balli) as writer:
        assert writer.state == state


def test_what_a_batch_wrote_can_be_redacted_in_it(url: str, balli: StudyFolder) -> None:
    _, seq, last = written(url, balli)
    again = c.RecordForm("001", "AE", "AE-2", {**last.command.values, "AETERM": SECRET})
    with LedgerWriter(url, balli) as writer:
        with writer.batch():
            assert not isinstance(writer.execute(acting(COORDINATOR, again, last)), c.Refused)
            target = writer.state.patients["001"].records["AE-2"].seq
            assert target > seq
            said = RedactValue(target, ("values.AETERM",), "personal data")
            assert not isinstance(writer.execute(acting(DATA_MANAGER, said, last)), c.Refused)
            assert not isinstance(writer.execute(acting(MONITOR, ConfirmRedaction(1), last)), c.Refused)
            after = c.RecordForm("001", "AE", "AE-3", last.command.values)
            assert not isinstance(writer.execute(acting(COORDINATOR, after, last)), c.Refused)
        records = writer.state.patients["001"].records
        assert isinstance(records["AE-2"].values["AETERM"], Redacted)
        assert "AE-3" in records
        state = writer.state
    assert fold(read_facts(url)) == state
    (result,) = verify_ledger(url)
    assert result.holds, result.problems
    assert result.events == state.seq


def test_the_file_holds_nothing_of_it_any_more(tmp_path: Path, balli: StudyFolder) -> None:
    path = tmp_path / "ledger.db"
    seq, second, last = written(str(path), balli)
    with LedgerWriter(str(path), balli, snapshot_every=1) as writer:
        for target, item in ((seq, "values.AETERM"), (second, "reason")):
            writer.execute(acting(DATA_MANAGER, RedactValue(target, (item,), "personal data"), last))
            number = len(writer.state.redaction.redactions)
            assert not isinstance(writer.execute(acting(MONITOR, ConfirmRedaction(number), last)), c.Refused)
        for file in tmp_path.iterdir():
            assert SECRET.encode() not in file.read_bytes(), file.name


def test_only_free_text_or_a_replaced_answer_is_redacted(url: str, balli: StudyFolder) -> None:
    seq, second, last = written(url, balli)
    reason = "personal data"
    with LedgerWriter(url, balli) as writer:
        rules = {
            RedactValue(10**6, ("reason",), reason): "AT-7 target",
            RedactValue(second, ("values.AETOXGR",), reason): "AT-7 item",
            RedactValue(seq, ("values.NOTHING.AT.ALL",), reason): "AT-7 item",
            RedactValue(1, ("study_id",), reason): "AT-7 item",
            RedactValue(seq, (), reason): "AT-7 item",
            RedactValue(seq, ("values.AETERM",), " "): "AT-7 reason",
        }
        for command, rule in rules.items():
            assert refused(writer, acting(DATA_MANAGER, command, last)) == rule
        assert refused(writer, acting(COORDINATOR, RedactValue(seq, ("reason",), reason), last)) == "role"
        grade = RedactValue(seq, ("values.AETOXGR",), reason)
        assert not isinstance(writer.execute(acting(MONITOR, grade, last)), c.Refused)
        assert refused(writer, acting(SPONSOR, ConfirmRedaction(1), last)) == "AT-7 two persons"
        assert not isinstance(writer.execute(acting(DATA_MANAGER, ConfirmRedaction(1), last)), c.Refused)
    assert verify_ledger(url)[0].holds


def test_a_value_that_vanished_without_redaction_is_found(url: str, balli: StudyFolder) -> None:
    seq, _, _ = written(url, balli)
    with pytest.raises(Exception, match="append-only"):
        ask(url, f"UPDATE ledger_value SET value = NULL, salt = NULL, redacted_by_seq = 1 WHERE seq = {seq}")
    disarm(url)
    ask(url, f"UPDATE ledger_value SET value = NULL, salt = NULL, redacted_by_seq = 1 WHERE seq = {seq}")
    assert f"event {seq} lost a value without a redaction" in verify_ledger(url)[0].problems


def test_a_redaction_of_one_event_excuses_no_other(url: str, balli: StudyFolder) -> None:
    seq, second, last = written(url, balli)
    with LedgerWriter(url, balli) as writer:
        writer.execute(acting(DATA_MANAGER, RedactValue(second, ("reason",), "personal data"), last))
        assert not isinstance(writer.execute(acting(MONITOR, ConfirmRedaction(1), last)), c.Refused)
    assert verify_ledger(url)[0].holds
    ((by,),) = ask(
        url, f"SELECT redacted_by_seq FROM ledger_value WHERE seq = {second} AND redacted_by_seq > 0"
    )
    disarm(url)
    ask(url, f"UPDATE ledger_value SET value = NULL, salt = NULL, redacted_by_seq = {by} WHERE seq = {seq}")
    assert f"event {seq} lost a value without a redaction" in verify_ledger(url)[0].problems


def test_masking_replaces_the_named_items_only() -> None:
    payload = {"a": "x", "values": {"b": "y", "rows": [{"c": "z"}, {"c": "w"}]}}
    marked = masked(payload, ("values.rows.1.c", "a"), 3)
    assert marked == {
        "a": {"redacted": 3},
        "values": {"b": "y", "rows": [{"c": "z"}, {"c": {"redacted": 3}}]},
    }
    assert unmarked(marked)["values"]["rows"][1]["c"].number == 3
    assert payload["a"] == "x"
    for item in ("q", "values.q", "values.rows.2.c", "a.b"):
        with pytest.raises(ValueError, match=item):
            masked(payload, (item,), 1)
