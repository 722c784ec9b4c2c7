"""A writer starts from the last snapshot and goes on as if it had folded everything; a false snapshot is found."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from escalon.conduct import commands as c
from escalon.protocol import StudyFolder
from escalon.store.connection import connect, disconnect
from escalon.store.entropy import SeededEntropy
from escalon.store.execute import LedgerMismatch, LedgerWriter
from escalon.store.rebuild import rebuild
from escalon.store.snapshot import decode_state, encode_state, last_snapshot, latest_commitments
from tests.databases import ask
from tests.unit.store.acts import commands, event_count, story

KEPT = "SELECT seq, head FROM ledger_snapshot"


def write(url: str, folder: StudyFolder, acts: list[c.Signed], every: int | None) -> None:
    with LedgerWriter(url, folder, entropy=SeededEntropy(1), snapshot_every=every) as writer:
        for signed in acts:
            assert not isinstance(writer.execute(signed), c.Refused)


def hashes(url: str) -> list[tuple[str, ...]]:
    return ask(url, "SELECT hash FROM ledger_event ORDER BY seq")


def test_a_writer_that_starts_from_a_snapshot_writes_the_same_bytes(
    url: str, balli: StudyFolder, tmp_path: Path
) -> None:
    plain = str(tmp_path / "plain.db")
    write(plain, balli, commands(balli), every=None)
    assert ask(plain, KEPT) == []
    acts = commands(balli)
    for start in range(0, len(acts), 8):
        write(url, balli, acts[start : start + 8], every=5)
    assert hashes(url) == hashes(plain)
    (seq, head), *others = ask(url, KEPT)
    assert others == []
    assert event_count(balli) - 5 <= seq <= event_count(balli)
    assert ask(url, "SELECT hash FROM ledger_event WHERE seq = ?", seq) == [(head,)]
    with LedgerWriter(url, balli) as one, LedgerWriter(plain, balli) as other:
        assert (one.state, one.head) == (other.state, other.head)
    assert rebuild(url, check=True) == ()


def test_what_each_object_was_last_said_to_be_is_read_in_one_step(url: str, balli: StudyFolder) -> None:
    write(url, balli, commands(balli), every=None)
    said: dict[tuple[str, str], str] = {}
    for kind, ref, new in ask(url, "SELECT kind, object_ref, commit_new FROM ledger_event ORDER BY seq"):
        said[kind, ref] = new
    alias = connect(url, create=False)
    assert latest_commitments(alias, "BALLI-01", event_count(balli)) == said
    assert latest_commitments(alias, "BALLI-01", 0) == {}
    disconnect(alias)


def test_a_batch_keeps_one_snapshot_after_it_is_written(url: str, balli: StudyFolder) -> None:
    with LedgerWriter(url, balli, snapshot_every=3) as writer:

        def broken() -> None:
            with writer.batch():
                writer.execute(commands(balli)[0])
                raise RuntimeError

        with pytest.raises(RuntimeError):
            broken()
        assert ask(url, KEPT) == []
        with writer.batch():
            for signed in commands(balli)[:10]:
                writer.execute(signed)
        assert ask(url, KEPT) == [(writer.state.seq, writer.head)]


def test_two_writers_keep_snapshots_of_what_both_wrote(url: str, balli: StudyFolder) -> None:
    with (
        LedgerWriter(url, balli, snapshot_every=2) as one,
        LedgerWriter(url, balli, snapshot_every=3) as other,
    ):
        for number, signed in enumerate(commands(balli)):
            assert not isinstance((one if number % 2 else other).execute(signed), c.Refused)
    with LedgerWriter(url, balli) as writer:
        assert writer.state == story(balli).state
    assert rebuild(url, check=True) == ()


def test_an_interrupted_run_is_compared_from_its_first_event(url: str, balli: StudyFolder) -> None:
    write(url, balli, commands(balli)[:-4], every=5)
    kept = ask(url, KEPT)
    with LedgerWriter(url, balli, resume=True, entropy=SeededEntropy(1), snapshot_every=5) as writer:
        for signed in commands(balli)[:-4]:
            writer.execute(signed)
        assert ask(url, KEPT) == kept
        writer.check_replayed()
        for signed in commands(balli)[-4:]:
            writer.execute(signed)
        assert writer.state == story(balli).state
    with (
        LedgerWriter(url, balli, resume=True, entropy=SeededEntropy(2)) as writer,
        pytest.raises(LedgerMismatch, match="another run"),
    ):
        writer.execute(commands(balli)[0])


def test_a_false_snapshot_is_used_and_found_by_the_check(url: str, balli: StudyFolder) -> None:
    """Who may write the table can put another state there under the right hash; the events say what is true."""
    write(url, balli, commands(balli), every=5)
    alias = connect(url, create=False)
    kept = last_snapshot(alias, "BALLI-01")
    disconnect(alias)
    assert kept is not None
    content = encode_state(replace(kept.state, origin="forged"))
    assert decode_state(content).origin == "forged"
    digest = hashlib.sha256(content).hexdigest()
    ask(url, "UPDATE ledger_snapshot SET content = ?, digest = ?", content, digest)
    with LedgerWriter(url, balli) as writer:
        assert writer.state.origin == "forged"
    (found,) = rebuild(url, check=True)
    assert str(found) == f"ledger_snapshot: is not what the events say: BALLI-01, event {kept.state.seq}"
    assert rebuild(url, check=False) == (found,)
    assert rebuild(url, check=True) == ()
    with LedgerWriter(url, balli) as writer:
        assert writer.state == story(balli).state
